"""The ids of postmortems that give none: the words of their files' names, and of their folders where those say more."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

# A name that says what a file is, and not which incident it tells of.
_ANY = frozenset(
    {
        "readme", "index", "postmortem", "post-mortem", "report", "incident", "incident-report", "main", "document", "summary",
        "timeline", "retrospective", "retro", "rca", "notes", "pm", "_index", "post_mortem", "incident_report",
    }
)  # fmt: skip
_LONGEST = 120


def identity(name: str) -> str:
    """The id of a file by its name: its words, with the folder's before them where the name is one that any file may have.

    Its number alone ("PM2020-007") may be another file's too.
    """
    return next(iter(possible(name)))


def identities(names: Sequence[str]) -> list[str]:
    """The ids of files that are read together: where the names of some are the same, their folders tell them apart."""
    options = [possible(name) for name in names]
    chosen = [0] * len(names)
    while True:
        ids = [each[number] for each, number in zip(options, chosen, strict=True)]
        counts = Counter(ids)
        further = [
            number + 1 if counts[one] > 1 and number + 1 < len(each) else number
            for one, each, number in zip(ids, options, chosen, strict=True)
        ]
        if further == chosen:
            return ids
        chosen = further


def possible(name: str) -> list[str]:
    """All ids that a file's name can give, the shortest first: with none of its folders, with one, with two and so on."""
    path = PurePath(name)
    parts = [part for part in (*path.parts[:-1], path.stem) if words_of(part)]
    if not parts:
        return [hashlib.blake2b(name.encode(), digest_size=6).hexdigest()]
    if len(parts) > 1 and words_of(parts[-1]) in _ANY:
        parts = parts[:-1]
    return [words_of("-".join(parts[-count:])) for count in range(1, len(parts) + 1)]


def words_of(text: str) -> str:
    """A text's words in lower case with hyphens between them, as an id."""
    words = re.sub(r"[^\w.-]+", "-", text).strip("-.").lower()
    return re.sub(r"-{2,}", "-", words)[:_LONGEST]

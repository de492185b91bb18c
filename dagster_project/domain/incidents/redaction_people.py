"""Where free text names people: given names by the lexicon, full names, and names from a directory of people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dagster_project.domain.incidents.redaction_lexicon import (
    AFTER_PERSON,
    AFTER_SYSTEM,
    AFTER_THINKER,
    BEFORE_NAME,
    BEFORE_PERSON,
    BEFORE_PERSON_STRICTLY,
    BEFORE_PLACE,
    NOT_SURNAMES,
    PLACE_WORDS,
    ROLE_WORDS,
    lexicon,
)

_BEFORE, _CONTEXT = 26, 60
_WORD = re.compile(r"(?<![^\W_])(?<![/@$#.\\-])[^\W\d_]+(?:['’-](?!(?:ll|ve|re)\b)[^\W\d_]{2,40})*(?![^\W_]|-\w|\.\w|\(|['’]t\b)")
# "Emil C." is shown as little as "Emil".
_INITIAL = re.compile(r" [^\W\d_]\.(?!\w)(?<=[A-ZÀ-Þ]\.)")
_PARTICLES = frozenset({"de", "van", "von", "der", "den", "bin", "al", "da", "di", "del", "la", "le", "ten", "ter", "dos", "el"})
_LONGEST_NAME = 4


@dataclass(frozen=True, slots=True)
class PersonSpan:
    """A person named in a text: ``text[start:end]``; ``name`` is what is written there, in lower case, spaces single."""

    start: int
    end: int
    name: str


class Directory:
    """People who are known. ``full`` maps a name, and those parts of it that lead to one person alone, to the full name; all in
    lower case. Parts are the first name, a surname that is no word, and what handles are made of (``rbrigham``, ``rosieb``)."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.full: Mapping[str, str] = _parts(names)
        self.firsts = frozenset(name.split()[0] for name in self.full)


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str

    @property
    def key(self) -> str:
        return self.text.casefold()

    @property
    def given(self) -> str:
        """What the lexicon is asked: of ``Anne-Marie`` the first part, where the second is a name as well."""
        first, _, second = self.key.partition("-")
        known = lexicon()
        return first if second in known.common or second in known.rare else self.key

    @property
    def is_name_like(self) -> bool:
        return self.text[0].isupper() and len(self.text) > 1 and not self.text.isupper()


def people_in(text: str, directory: Directory, skipped: Iterable[tuple[int, int]] = ()) -> list[PersonSpan]:
    """The people named in ``text``, in order, without overlaps.

    ``skipped`` are stretches, in order, in which no name is looked for (addresses). A rare name that one context shows to be a
    person's counts wherever the text has it.
    """
    words = list(_outside((_Word(m.start(), m.end(), m[0]) for m in _WORD.finditer(text)), iter(skipped)))
    sure, maybe = _walk(text, words, directory)
    shown = {part for span in sure for part in span.name.split() if part in lexicon().rare or part not in lexicon().words}
    found = [*sure, *(span for span in maybe if span.name.split()[0] in shown)]
    return sorted(found, key=lambda span: span.start)


def _walk(text: str, words: list[_Word], directory: Directory) -> tuple[list[PersonSpan], list[PersonSpan]]:
    sure: list[PersonSpan] = []
    maybe: list[PersonSpan] = []
    position = 0
    while position < len(words):
        listed = _listed(text, words, position, directory.full) if words[position].key in directory.firsts else 0
        taken, is_sure = (listed, True) if listed else _person_at(text, words, position)
        if taken:
            run = words[position : position + taken]
            initial = _INITIAL.match(text, run[-1].end)
            span = PersonSpan(run[0].start, initial.end() if initial else run[-1].end, " ".join(word.key for word in run))
            (sure if is_sure else maybe).append(span)
        elif (
            words[position].is_name_like
            and words[position].key not in NOT_SURNAMES
            and words[position].key not in lexicon().words
        ):
            maybe.append(PersonSpan(words[position].start, words[position].end, words[position].key))
        position += taken or 1
    return sure, maybe


def _person_at(text: str, words: list[_Word], position: int) -> tuple[int, bool]:
    """How many words from ``position`` on name a person (0: none), and whether that is sure by itself."""
    word = words[position]
    if not word.is_name_like or word.key in PLACE_WORDS or BEFORE_PLACE.search(text, max(word.start - 12, 0), word.start):
        return 0, False
    names = lexicon()
    taken = 1 + _surnames_after(text, words, position)
    before = text[max(word.start - _BEFORE, 0) : word.start]
    after = text[words[position + taken - 1].end :][:_CONTEXT] if taken else ""
    if AFTER_SYSTEM.match(after) and not BEFORE_PERSON_STRICTLY.search(before):
        return 0, False
    if BEFORE_NAME.search(before) and word.key not in NOT_SURNAMES and word.key not in ROLE_WORDS:
        return taken, True
    if word.given in names.words:
        return _ordinary_word(words, position, taken, before, after)
    if word.given in names.common:
        return taken, True
    if word.given in names.rare:
        has_context = taken > 1 or BEFORE_PERSON.search(before) or AFTER_PERSON.match(after) or after.startswith(("'s ", "’s "))
        return (taken, True) if has_context else (1, False)
    has_particle = taken > 2 and words[position + 1].key in _PARTICLES and word.key not in NOT_SURNAMES
    is_person = has_particle and (BEFORE_PERSON.search(before) or AFTER_PERSON.match(after))
    return (taken, True) if is_person else (0, False)


def _ordinary_word(words: list[_Word], position: int, taken: int, before: str, after: str) -> tuple[int, bool]:
    """Whether "Mark", "Grant" or "Jan" is a person here: it says or thinks something, is spoken to, or has a common surname."""
    has_surname = taken > 1 and words[position + taken - 1].key in lexicon().surnames
    starts_sentence = not before.strip() or before.rstrip()[-1] in ".!?:|>*-#\n"
    is_person = (
        AFTER_THINKER.match(after)
        or BEFORE_PERSON_STRICTLY.search(before)
        or (has_surname and (not starts_sentence or AFTER_PERSON.match(after) or BEFORE_PERSON.search(before)))
    )
    return (taken, True) if is_person else (0, False)


def _surnames_after(text: str, words: list[_Word], position: int) -> int:
    """How many words after ``position`` belong to the same name: particles and capitalised words that may be surnames."""
    count = 0
    for previous, word in pairwise(words[position : position + _LONGEST_NAME]):
        if text[previous.end : word.start] not in (" ", "  "):
            break
        if word.key in _PARTICLES and not word.text.isupper():
            count += 1
        elif word.is_name_like and word.key not in NOT_SURNAMES and (word.key not in lexicon().words or _is_surname(word)):
            count += 1
            if words[position + count].key not in _PARTICLES:
                break
        else:
            break
    # A particle alone is a word of the sentence: "Tony la".
    return 0 if count and words[position + count].key in _PARTICLES else count


def _is_surname(word: _Word) -> bool:
    return word.key in lexicon().surnames


def _listed(text: str, words: list[_Word], position: int, directory: Mapping[str, str]) -> int:
    """How many words from here on are a name of the directory; a part alone counts where it is capitalised and no word."""
    for count in range(min(_LONGEST_NAME, len(words) - position), 0, -1):
        run = words[position : position + count]
        if any(text[a.end : b.start].strip(" ") or b.start - a.end > 2 for a, b in pairwise(run)):
            continue
        name = " ".join(word.key for word in run)
        if name in directory and (count > 1 or (run[0].text[0].isupper() and name not in lexicon().words)):
            return count
    return 0


def _outside(words: Iterable[_Word], stretches: Iterator[tuple[int, int]]) -> Iterator[_Word]:
    """Words that do not lie in the stretches; both in order."""
    stretch = next(stretches, None)
    for word in words:
        while stretch is not None and stretch[1] <= word.start:
            stretch = next(stretches, None)
        if stretch is None or word.end <= stretch[0]:
            yield word


def _parts(names: Iterable[str]) -> Mapping[str, str]:
    known = lexicon()
    owners: dict[str, set[str]] = {}
    for name in names:
        words = name.split()
        parts = {name, words[0]}
        if len(words) > 1:
            parts |= {words[0][0] + words[-1], f"{words[0][0]} {words[-1]}", words[0] + words[-1][0], words[0] + words[-1]}
            parts |= set() if words[-1] in known.surnames or words[-1] in known.words else {words[-1]}
        for part in parts:
            owners.setdefault(part, set()).add(name)
    # A person known by the first name alone is not a second one beside the full name.
    clear = {part: {o for o in found if " " in o} or found for part, found in owners.items()}
    return {part: next(iter(found)) for part, found in clear.items() if len(found) == 1}

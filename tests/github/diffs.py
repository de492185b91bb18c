"""What differs between two trees, and what becomes of two changes of one tree."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.github.objects import SUBMODULE, Entry, ObjectStore

Lines = list[bytes]


class Conflict(ValueError):
    """Two changes that cannot both be had."""


@dataclass(frozen=True)
class FileChange:
    """How a file differs; ``status`` is GitHub's word for it."""

    path: str
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None
    previous_path: str | None = None


def changes(store: ObjectStore, old: str, new: str) -> list[FileChange]:
    """The files that differ between two trees, by path; a file that moved unchanged counts as renamed."""
    before, after = store.files(old), store.files(new)
    added = {path: entry for path, entry in after.items() if path not in before}
    removed = {path: entry for path, entry in before.items() if path not in after}
    found = []
    for path, entry in added.items():
        source = next((each for each, gone in removed.items() if gone == entry), None)
        if source is None:
            found.append(_change(store, path, "added", None, entry))
        else:
            del removed[source]
            found.append(FileChange(path, "renamed", entry.sha, 0, 0, None, source))
    found += [_change(store, path, "removed", entry, None) for path, entry in removed.items()]
    found += [
        _change(store, path, "modified", before[path], entry)
        for path, entry in after.items()
        if path in before and before[path] != entry
    ]
    return sorted(found, key=lambda each: each.path)


def _change(store: ObjectStore, path: str, status: str, old: Entry | None, new: Entry | None) -> FileChange:
    texts = []
    for entry in (old, new):
        data = b"" if entry is None or entry.mode == SUBMODULE else store.blobs[entry.sha]
        if b"\0" in data:
            return FileChange(path, status, (new or old or Entry("", "")).sha, 0, 0, None)
        texts.append(data.decode(errors="replace").split("\n"))
        if texts[-1][-1] == "":
            texts[-1].pop()
    # The first two lines name the files, which GitHub leaves out.
    lines = list(difflib.unified_diff(*texts, lineterm=""))[2:]
    additions, deletions = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return FileChange(path, status, (new or old or Entry("", "")).sha, additions, deletions, "\n".join(lines) or None)


def merge_trees(store: ObjectStore, base: str, ours: str, theirs: str) -> str:
    """A tree with the changes of both sides since ``base``."""
    old, one, other = store.files(base), store.files(ours), store.files(theirs)
    merged = {}
    for path in old.keys() | one.keys() | other.keys():
        entry = _merge_entries(store, path, old.get(path), one.get(path), other.get(path))
        if entry:
            merged[path] = entry
    return store.put_files(merged)


def _merge_entries(store: ObjectStore, path: str, old: Entry | None, one: Entry | None, other: Entry | None) -> Entry | None:
    if one == other or other == old:
        return one
    if one == old:
        return other
    if not (old and one and other) or len({old.mode, one.mode, other.mode}) > 1 or old.mode == SUBMODULE:
        raise Conflict(path)
    texts = (store.blobs[each.sha].splitlines(keepends=True) for each in (old, one, other))
    try:
        return Entry(old.mode, store.put_blob(b"".join(_merge_lines(*texts))))
    except Conflict:
        raise Conflict(path) from None


def _merge_lines(old: Lines, one: Lines, other: Lines) -> Lines:
    """Three-way merge; as in git, changes that touch each other conflict unless they are the same."""
    hunks = sorted([*_hunks(old, one), *_hunks(old, other)], key=lambda hunk: hunk[:2])
    merged, at = [], 0
    last: tuple[int, int, Lines] | None = None
    for start, end, lines in hunks:
        if last == (start, end, lines):
            continue
        if last and start <= last[1]:
            raise Conflict
        merged += old[at:start] + lines
        at, last = end, (start, end, lines)
    return merged + old[at:]


def _hunks(old: Lines, new: Lines) -> Iterator[tuple[int, int, Lines]]:
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield start, end, new[new_start:new_end]

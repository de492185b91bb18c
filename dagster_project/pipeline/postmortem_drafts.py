"""What the document of an incident should be in the repository of postmortems, beside what people wrote into it there."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.actions.github.repository import About, Commit, GithubRepository
from dagster_project.domain.incidents.merging import merge
from dagster_project.errors import InputError

MAX_DOCUMENT = 1_000_000
"""Bytes; what people add to a document must be read in full, or it would be lost."""
_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Place:
    """The repository of postmortems, and the head of its default branch as this run sees it."""

    github: GithubRepository
    about: About
    base: Commit


@dataclass(frozen=True, slots=True)
class Draft:
    """A document on a branch. ``is_at``: the branch's commit, None where there is no branch. ``parent``: the commit that another
    one would be made on, in which the document is ``before`` (None where it has none). ``sections``: those that this commit would
    change. ``updated`` and ``kept`` are beside the default branch, which ``has_all`` where it need not be told anything."""

    text: str
    is_at: str | None
    parent: Commit
    before: str | None
    mode: str
    sections: tuple[str, ...]
    updated: tuple[str, ...]
    kept: tuple[str, ...]
    is_new: bool
    has_all: bool


@dataclass(frozen=True, slots=True)
class _File:
    """A document in a commit; all but the mode are None where the commit has none."""

    sha: str | None = None
    text: str | None = None
    mode: str = _MODE


def draft(place: Place, branch: str, path: str, generated: str, merged_at_sha: str | None) -> Draft:
    """Brings what people wrote together with what was generated: on the branch, and on the default branch since the branch left
    it. ``merged_at_sha`` is the commit at which the branch was merged: where it still is there, it begins anew.

    Raises ``InputError`` where a file cannot be read as a document, ``GithubError`` or ``AccessDenied``.
    """
    base = _read(place.github, place.base, path)
    on_base = merge(generated, base.text)
    is_at = place.github.head(branch)
    if is_at is None or is_at == merged_at_sha:
        parent, there, merged = place.base, base, on_base
    else:
        parent = place.github.commit(is_at)
        there = _read(place.github, parent, path)
        # What somebody edited on the default branch meanwhile comes along; what was edited on both stays as on the branch, and
        # Git asks whoever merges.
        merged = merge(on_base.text if _has_moved(place, path, base, is_at) else generated, there.text)
    kept = sorted({*on_base.kept, *merged.kept})
    return Draft(
        text=merged.text,
        is_at=is_at,
        parent=parent,
        before=there.text,
        mode=there.mode,
        sections=merged.updated if there.text is not None else (),
        updated=tuple(name for name in on_base.updated if name not in kept),
        kept=tuple(kept),
        is_new=base.text is None,
        has_all=on_base.text == base.text,
    )


def _has_moved(place: Place, path: str, base: _File, is_at: str) -> bool:
    """Whether the default branch has another document than where the branch left it."""
    if base.sha is None:
        return False
    common = place.github.common_commit(place.base.sha, is_at)
    if common is None:
        return True
    entry = place.github.entries(place.github.commit(common).tree_sha, [path]).get(path)
    return entry is None or entry.sha != base.sha


def _read(github: GithubRepository, commit: Commit, path: str) -> _File:
    entry = github.entries(commit.tree_sha, [path]).get(path)
    if entry is None:
        return _File()
    try:
        return _File(entry.sha, github.content(path, entry, MAX_DOCUMENT).decode("utf-8"), entry.mode)
    except UnicodeDecodeError:
        raise InputError(f"{path} in {github.name} is not UTF-8; save it as UTF-8.") from None

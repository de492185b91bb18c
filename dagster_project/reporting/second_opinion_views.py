"""The report's section about what AWS's own advisers say, as values in reading order. Money is USD a month."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpinionLine:
    """One resource on which somebody is of another opinion. Money is None where nothing is to be saved, or it is not known."""

    resource_id: str
    service: str | None
    sentence: str
    ours_usd_month: float | None
    theirs_usd_month: float | None
    do_advisers_differ: bool = False


@dataclass(frozen=True)
class OpinionGroup:
    """All resources of one kind of (dis)agreement: some of them as lines, and how many more there are."""

    kind: str
    title: str
    resources: int
    ours_usd_month: float
    theirs_usd_month: float | None
    lines: tuple[OpinionLine, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class SecondOpinion:
    """The section. ``sentence`` tells of all together, ``notes`` what the groups do not, ``unread`` what could not be read;
    ``file`` lies beside the page and lists every opinion (None: there is none)."""

    sentence: str
    groups: tuple[OpinionGroup, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    file: str | None = None

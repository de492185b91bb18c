"""GitHub Issues as a tracker of action items.

A look costs one request for each hundred open issues of a repository, one for each hundred that were closed since the last look,
and one for each issue that is in neither list although it should be: such a one was deleted, moved to another repository, or is
not to be seen any more. An issue that was just closed is asked for once more, for lists do not say by whom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from dagster_project.connections.github import PAGE, Connection
from dagster_project.domain.action_items.model import GITHUB
from dagster_project.domain.action_items.trackers import (
    ISSUE_ABANDONED,
    ISSUE_DECLINED,
    ISSUE_DONE,
    ISSUE_DUPLICATE,
    ISSUE_OPEN,
    Change,
    Draft,
    Gone,
    Issue,
    Look,
)
from dagster_project.domain.incidents.redaction import secrets_removed
from dagster_project.errors import AccessDenied, GithubError, InputError, NightshiftError

MARK = re.compile(r"<!-- nightshift:action-item ([0-9a-f]{16}) -->")
KEY = re.compile(r"(?P<place>[\w.-]+/[\w.-]+)#(?P<number>\d{1,9})")
_OVERLAP = timedelta(minutes=10)
"""Read again before the last look: clocks differ, and lists may lag."""
_REASONS = {"not_planned": ISSUE_DECLINED, "duplicate": ISSUE_DUPLICATE}
_WRITTEN = {ISSUE_DONE: "completed", ISSUE_DECLINED: "not_planned", ISSUE_DUPLICATE: "duplicate"}
_BOT = "[bot]"
_MEANWHILE = "{} was changed a moment ago; the next run goes on from there."


class _Spent(GithubError):
    """The requests of a run are spent."""


@dataclass(slots=True)
class GithubIssues:
    """The issues of some repositories.

    ``connect`` signs in for one; ``looked_until``: place → until when what was closed is known, a place that is not there is read
    whole; ``closing_bots``: bots whose closing counts, such as merge queues; ``stale_labels``: labels of automation that closes
    what nobody answers.
    """

    places: Sequence[str]
    connect: Callable[[str], Connection]
    looked_until: Mapping[str, datetime]
    max_reads: int
    closing_bots: frozenset[str] = frozenset()
    stale_labels: frozenset[str] = frozenset(("stale",))
    name: str = GITHUB
    reads: int = 0
    _archived: set[str] = field(default_factory=set)
    _connections: dict[str, Connection] = field(default_factory=dict)
    _milestones: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def follows(self, key: str) -> bool:
        """Whether a key is ``owner/name#12`` of one of the repositories."""
        found = KEY.fullmatch(key)
        return found is not None and self._place(found["place"]) is not None

    def place_of(self, key: str) -> str:
        """The repository of a key. Raises ``InputError`` where it is none of the settings'."""
        return self._split(key)[0]

    def look(self, known: Mapping[str, Issue | None], to_see: Collection[str]) -> Look:
        """Looks at the issues of every repository; one that cannot be read whole is a problem, and nothing is said of it."""
        wanted: dict[str, dict[int, str]] = {}
        others: dict[str, str] = {}
        # One issue may be written in several ways. It is looked at once, as the one of which least is known.
        for key in sorted(known, key=lambda each: (known[each] is not None, each)):
            place, number = self._split(key)
            first = wanted.setdefault(place, {}).setdefault(number, key)
            if first != key:
                others[key] = first
        needed = {others.get(key, key) for key in to_see}
        parts: dict[str, _Found] = {}
        problems: list[str] = []

        def kept_up(place: str, step: Callable[[], None]) -> None:
            try:
                step()
            except NightshiftError as error:
                problems.append(f"{place}: {error}")
                del parts[place]

        for place in self.places:
            parts[place] = _Found()
            kept_up(place, partial(self._list, place, wanted.get(place, {}), parts[place]))
        asked = [each for place, part in parts.items() for each in _to_ask(place, wanted.get(place, {}), part, known, needed)]
        # Those that a bot closed are asked for every night: they must not keep others from being asked for at all.
        for _, place, number, key in sorted(asked, key=lambda each: each[0]):
            if place in parts:
                kept_up(place, partial(self._ask_or_wait, place, number, key, known, parts[place]))
        for place, part in parts.items():
            if part.not_looked:
                problems.append(
                    f"{place}: {len(part.not_looked):,} issues were not looked at; raise actions.max_reads_per_night."
                )
        found = _Found()
        for part in parts.values():
            found.add(part)
        found.not_looked |= {key for place, those in wanted.items() if place not in parts for key in those.values()}
        for key, first in others.items():
            found.copy(first, key)
        return Look(found.seen, found.gone, found.marked, frozenset(found.not_looked), tuple(parts), tuple(problems))

    def create(self, place: str, draft: Draft, mark: str) -> Issue:
        """Opens an issue, unassigned where GitHub does not take the assignee."""
        connection = self._writable(place)
        body: dict[str, Any] = {
            "title": draft.title,
            "body": f"{draft.body}\n\n{mark_text(mark)}",
            "labels": list(draft.labels),
        }
        if draft.assignee is not None:
            body["assignees"] = [draft.assignee]
        if draft.milestone is not None:
            body |= self._in_milestone(connection, place, draft.milestone, draft.milestone_due_on)
        since = connection.now() - _OVERLAP

        def opened() -> Mapping[str, Any]:
            # An answer that is lost may stand for an issue that is there.
            found: Mapping[str, Any] = connection.write(
                "POST", f"/repos/{place}/issues", body, lambda: self._marked(connection, place, mark, since)
            )
            return found

        try:
            made = opened()
        except GithubError as error:
            if error.status != 422 or "assignees" not in body:
                raise
            del body["assignees"]
            made = opened()
        return self._issue(connection, place, made)

    def find(self, place: str, mark: str, since: datetime) -> Issue | None:
        """Our issue with a mark that was opened since a moment; None where there is none."""
        connection = self._connected(place)
        found = self._marked(connection, place, mark, since - _OVERLAP)
        return None if found is None else self._issue(connection, place, found)

    def change(self, issue: Issue, change: Change) -> Issue:
        """Changes an issue, after another look: what was changed since is left to the next run. What comes back is the issue as
        it was seen, with the change and nothing else."""
        place, number = self._split(issue.key)
        connection, path = self._writable(place), f"/repos/{place}/issues/{number}"
        body: dict[str, Any] = {}
        if change.title is not None:
            body["title"] = change.title
        if change.standing is not None:
            body |= _state_fields(change.standing)
        if change.milestone is not None:
            body |= self._in_milestone(connection, place, change.milestone, change.milestone_due_on)
        entry = connection.find(path)
        if entry is None or not _is_here(entry, path):
            raise GithubError(f"{issue.key} is not there any more; the next run sees what became of it.")
        if (entry["state"] == "open") != (issue.standing == ISSUE_OPEN):
            raise GithubError(f"{issue.key} is {entry['state']} since a moment ago; the next run goes on from there.")
        if "pull_request" in entry:
            raise InputError(f"{issue.key} is a pull request, which is people's to close; name an issue instead.")
        now = self._issue(connection, place, entry)
        if _is_theirs(issue, now, change):
            raise GithubError(_MEANWHILE.format(issue.key))
        # Right after the look: GitHub cannot be told to change only what is still as it was.
        if body:
            now = self._issue(connection, place, connection.write("PATCH", path, body))
        refused: InputError | None = None
        if change.assignee is not None:
            if set(now.assignees) != set(issue.assignees):
                raise GithubError(_MEANWHILE.format(issue.key))
            try:
                now = replace(now, assignees=self._assign(connection, path, issue.key, change.assignee))
            except AccessDenied:
                raise
            except InputError as error:
                refused = error  # the rest of the change is made all the same
        if change.add:
            connection.write("POST", f"{path}/labels", {"labels": list(change.add)})
        for label in change.remove:
            self._remove_label(connection, path, label)
        if refused is not None:
            raise refused
        return replace(
            issue,
            title=now.title if change.title is not None else issue.title,
            standing=change.standing or issue.standing,
            since=now.since if change.standing is not None else issue.since,
            assignees=now.assignees if change.assignee is not None else issue.assignees,
            labels=_labels_after(issue.labels, change),
            milestone=now.milestone if "milestone" in body else issue.milestone,
            milestone_due_on=now.milestone_due_on if "milestone" in body else issue.milestone_due_on,
        )

    # Looking.

    def _list(self, place: str, wanted: Mapping[int, str], found: _Found) -> None:
        """All of a place that its lists tell."""
        connection = self._connected(place)
        about = self._read(connection, f"/repos/{place}")
        if about["full_name"].casefold() != place.casefold():
            raise InputError(f"it is called {about['full_name']} now; correct its name in the settings.")
        if not about["has_issues"]:
            raise InputError("its issues are switched off; switch them on, or take it out of the settings.")
        if about.get("archived"):
            self._archived.add(place.casefold())
        for entry in self._listed(connection, place):
            number, key = entry["number"], wanted.get(entry["number"])
            mark = self._mark_of(connection, entry)
            if key is None and mark is None:
                continue
            issue = self._issue(connection, place, entry)
            if key is not None:
                found.seen[key] = issue
            if mark is not None:
                found.marked.setdefault(mark, replace(issue, key=key or f"{place}#{number}"))

    def _ask_or_wait(self, place: str, number: int, key: str, known: Mapping[str, Issue | None], found: _Found) -> None:
        try:
            self._ask(self._connected(place), place, number, key, known.get(key), found)
        except _Spent:
            found.seen.pop(key, None)
            found.not_looked.add(key)

    def _listed(self, connection: Connection, place: str) -> Iterator[Mapping[str, Any]]:
        """All that is open and what was closed since the last look; of a place that was never looked at, everything."""
        until = self.looked_until.get(place)
        path = f"/repos/{place}/issues"
        if until is None:
            yield from self._pages(connection, path, state="all", sort="created", direction="asc")
            return
        since = (until - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield from self._pages(connection, path, state="closed", since=since, sort="updated", direction="asc")
        # Afterwards: one that is reopened meanwhile is in the second list, one that is closed in neither, and asked for.
        yield from self._pages(connection, path, state="open", sort="created", direction="asc")

    def _ask(self, connection: Connection, place: str, number: int, key: str, known: Issue | None, found: _Found) -> None:
        path = f"/repos/{place}/issues/{number}"
        self._spend()
        try:
            entry = connection.get(path)
        except GithubError as error:
            if error.status not in (301, 404, 410):
                raise
            why = {301: "was moved to another repository", 404: "is not to be seen any more", 410: "was deleted"}[error.status]
            found.gone[key] = Gone(key, f"{key} {why}.")
            found.seen.pop(key, None)
            return
        if not _is_here(entry, path):
            now = f"{'/'.join(str(entry['repository_url']).split('/')[-2:])}#{entry['number']}"
            found.gone[key] = Gone(key, f"{key} was moved to {entry['html_url']}.", now if self.follows(now) else None)
            found.seen.pop(key, None)
            return
        issue = self._issue(connection, place, entry)
        if known is not None and known.since == issue.since and _is_without_reason(entry, known):
            issue = replace(issue, standing=known.standing, by=known.by)
        found.seen[key] = self._with_who_closed(connection, path, entry, issue) if issue.standing == ISSUE_DONE else issue

    def _with_who_closed(self, connection: Connection, path: str, entry: Mapping[str, Any], issue: Issue) -> Issue:
        """An issue that was closed as completed. That a bot closed it without any commit, or that it was marked as stale, is
        nobody's word that it was done."""
        closer = entry.get("closed_by") or {}
        login = closer.get("login")
        issue = replace(issue, by=login)
        if login == connection.login:
            # We closed it because its item was over. Where GitHub keeps no reasons, that does not tell how.
            return issue if entry.get("state_reason") else replace(issue, standing=ISSUE_ABANDONED)
        if issue.is_pull or str(login).casefold() in self.closing_bots:
            return issue
        is_stale = any(label.casefold() in self.stale_labels for label in issue.labels)
        is_bot = closer.get("type") == "Bot" or str(login or "").endswith(_BOT)
        if not is_bot and not is_stale:
            return issue
        closings = [each for each in self._pages(connection, f"{path}/events") if each["event"] == "closed"]
        is_by_commit = bool(closings) and closings[-1].get("commit_id") is not None
        return issue if is_by_commit else replace(issue, standing=ISSUE_ABANDONED)

    def _issue(self, connection: Connection, place: str, entry: Mapping[str, Any]) -> Issue:
        closed, milestone = entry["closed_at"], entry.get("milestone")
        standing = ISSUE_OPEN if entry["state"] == "open" else _REASONS.get(entry.get("state_reason") or "", ISSUE_DONE)
        pull = entry.get("pull_request")
        if pull is not None and standing != ISSUE_OPEN:
            standing = ISSUE_DONE if pull.get("merged_at") else ISSUE_ABANDONED
        return Issue(
            key=f"{place}#{entry['number']}",
            url=entry["html_url"],
            title=secrets_removed(entry["title"]),
            standing=standing,
            since=_moment(closed or entry["updated_at"]),
            assignees=tuple(each["login"] for each in entry["assignees"]),
            labels=tuple(each["name"] for each in entry["labels"]),
            milestone=milestone["title"] if milestone else None,
            milestone_due_on=_moment(milestone["due_on"]).date() if milestone and milestone["due_on"] else None,
            mark=self._mark_of(connection, entry),
            is_ours=self._mark_of(connection, entry) is not None,
            is_pull=pull is not None,
        )

    def _mark_of(self, connection: Connection, entry: Mapping[str, Any]) -> str | None:
        """The mark of an issue of ours. What others copied says nothing: it is asked who opened it."""
        if entry["user"] is None or entry["user"]["login"] != connection.login or "pull_request" in entry:
            return None
        found = MARK.findall(entry["body"] or "")
        return found[-1] if found else None

    def _marked(self, connection: Connection, place: str, mark: str, since: datetime) -> Mapping[str, Any] | None:
        asked = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        listed = connection.pages(f"/repos/{place}/issues", state="all", creator=connection.login, since=asked)
        return next((each for each in listed if self._mark_of(connection, each) == mark), None)

    # Writing.

    def _assign(self, connection: Connection, path: str, key: str, login: str) -> tuple[str, ...]:
        """By itself: GitHub refuses a whole change for one assignee whom it does not take."""
        try:
            entry = connection.write("PATCH", path, {"assignees": [login]})
            return tuple(each["login"] for each in entry["assignees"])
        except GithubError as error:
            if error.status != 422:
                raise
            raise InputError(
                f"{login} cannot be assigned to {key}; give them access to it, or another owner to the item."
            ) from None

    def _remove_label(self, connection: Connection, path: str, label: str) -> None:
        try:
            connection.write("DELETE", f"{path}/labels/{quote(label, safe='')}", None)
        except GithubError as error:
            if error.status != 404:  # somebody else took it off
                raise

    def _in_milestone(self, connection: Connection, place: str, title: str, due_on: date | None) -> dict[str, int]:
        """The field that puts an issue into a milestone, which is opened where there is none. One that people closed is left."""
        if place not in self._milestones:
            listed = connection.pages(f"/repos/{place}/milestones", state="all")
            self._milestones[place] = {each["title"]: each for each in listed}
        known = self._milestones[place]
        if title not in known:
            body: dict[str, Any] = {"title": title}
            if due_on is not None:
                # Noon: GitHub keeps a moment, and shows the day of whoever looks.
                body["due_on"] = f"{due_on}T12:00:00Z"
            known[title] = connection.write(
                "POST", f"/repos/{place}/milestones", body, lambda: self._milestone(connection, place, title)
            )
        return {"milestone": known[title]["number"]} if known[title]["state"] == "open" else {}

    def _milestone(self, connection: Connection, place: str, title: str) -> Mapping[str, Any] | None:
        listed = connection.pages(f"/repos/{place}/milestones", state="all")
        return next((each for each in listed if each["title"] == title), None)

    # Requests.

    def _connected(self, place: str) -> Connection:
        if place not in self._connections:
            self._connections[place] = self.connect(place)
        return self._connections[place]

    def _writable(self, place: str) -> Connection:
        if place.casefold() in self._archived:
            raise AccessDenied(f"{place} is archived and takes no changes; name another repository in the settings.")
        return self._connected(place)

    def _spend(self) -> None:
        if self.reads >= self.max_reads:
            raise _Spent(
                f"the {self.max_reads:,} requests of a run were spent before it was read whole; "
                "raise actions.max_reads_per_night."
            )
        self.reads += 1

    def _read(self, connection: Connection, path: str) -> Any:
        self._spend()
        return connection.get(path)

    def _pages(self, connection: Connection, path: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        for number, entry in enumerate(connection.pages(path, **parameters)):
            if number % PAGE == 0:
                self._spend()
            yield entry

    def _split(self, key: str) -> tuple[str, int]:
        found = KEY.fullmatch(key)
        place = self._place(found["place"]) if found else None
        if found is None or place is None:
            raise InputError(f"{key} is no issue of a repository in the settings; list it in actions.followed.")
        return place, int(found["number"])

    def _place(self, name: str) -> str | None:
        return next((place for place in self.places if place.casefold() == name.casefold()), None)


@dataclass(slots=True)
class _Found:
    seen: dict[str, Issue] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)
    marked: dict[str, Issue] = field(default_factory=dict)
    not_looked: set[str] = field(default_factory=set)

    def copy(self, key: str, other: str) -> None:
        """Says of another key what is said of one."""
        if key in self.seen:
            self.seen[other] = self.seen[key]
        if key in self.gone:
            self.gone[other] = replace(self.gone[key], key=other)
        if key in self.not_looked:
            self.not_looked.add(other)

    def add(self, other: _Found) -> None:
        self.seen |= other.seen
        self.gone |= other.gone
        self.marked |= other.marked
        self.not_looked |= other.not_looked


def _to_ask(
    place: str, wanted: Mapping[int, str], found: _Found, known: Mapping[str, Issue | None], to_see: Collection[str]
) -> Iterator[tuple[bool, str, int, str]]:
    """Issues that are in no list although they matter, or were closed by somebody who is not named there: (whether a bot had
    closed it, place, number, key)."""
    for number, key in sorted(wanted.items()):
        seen, before = found.seen.get(key), known.get(key)
        if key in to_see if seen is None else _is_new_closing(seen, before):
            yield before is not None and before.standing == ISSUE_ABANDONED, place, number, key


def _is_without_reason(entry: Mapping[str, Any], known: Issue) -> bool:
    """Whether GitHub does not tell for which reason an issue was closed that we closed for one."""
    return not entry.get("state_reason") and entry["state"] == "closed" and known.standing in (ISSUE_DECLINED, ISSUE_DUPLICATE)


def _is_theirs(before: Issue, now: Issue, change: Change) -> bool:
    """Whether somebody has just changed what a change is about."""
    return (
        (change.title is not None and now.title != before.title)
        or (change.assignee is not None and set(now.assignees) != set(before.assignees))
        or (change.milestone is not None and now.milestone != before.milestone)
        or (change.standing is not None and before.standing != ISSUE_OPEN and now.since != before.since)
    )


def _labels_after(labels: Sequence[str], change: Change) -> tuple[str, ...]:
    removed, present = ({each.casefold() for each in those} for those in (change.remove, labels))
    kept = (each for each in labels if each.casefold() not in removed)
    return (*kept, *(each for each in change.add if each.casefold() not in present))


def _is_new_closing(seen: Issue, known: Issue | None) -> bool:
    """Whether an issue was closed as completed by somebody of whom nothing is known yet."""
    return seen.standing == ISSUE_DONE and (known is None or (known.standing, known.since) != (ISSUE_DONE, seen.since))


def mark_text(mark: str) -> str:
    """What an issue of ours holds, and no reader sees."""
    return f"<!-- nightshift:action-item {mark} -->"


def _state_fields(standing: str) -> dict[str, str]:
    if standing == ISSUE_OPEN:
        return {"state": "open", "state_reason": "reopened"}
    return {"state": "closed", "state_reason": _WRITTEN[standing]}


def _is_here(entry: Mapping[str, Any], path: str) -> bool:
    """Whether an answer is of the issue that was asked for: GitHub answers for one that was moved with the other one."""
    return str(entry["url"]).casefold().endswith(path.casefold())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).replace(tzinfo=None)

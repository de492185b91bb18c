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
from dagster_project.errors import GithubError, InputError, NightshiftError

MARK = re.compile(r"<!-- nightshift:action-item ([0-9a-f]{16}) -->")
KEY = re.compile(r"(?P<place>[\w.-]+/[\w.-]+)#(?P<number>\d{1,9})")
_OVERLAP = timedelta(minutes=10)
"""Read again before the last look: clocks differ, and lists may lag."""
_REASONS = {"not_planned": ISSUE_DECLINED, "duplicate": ISSUE_DUPLICATE}
_WRITTEN = {ISSUE_DONE: "completed", ISSUE_DECLINED: "not_planned", ISSUE_DUPLICATE: "duplicate"}
_BOT = "[bot]"


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
        for key in sorted(known):
            place, number = self._split(key)
            wanted.setdefault(place, {})[number] = key
        found = _Found()
        for place in self.places:
            try:
                part = self._look_at(place, wanted.get(place, {}), known, frozenset(to_see))
            except NightshiftError as error:
                found.problems.append(f"{place}: {error}")
                found.not_looked |= set(wanted.get(place, {}).values())
                continue
            found.places.append(place)
            found.add(part)
        not_looked, places, problems = frozenset(found.not_looked), tuple(found.places), tuple(found.problems)
        return Look(found.seen, found.gone, found.marked, not_looked, places, problems)

    def create(self, place: str, draft: Draft, mark: str) -> Issue:
        """Opens an issue, unassigned where GitHub does not take the assignee."""
        connection = self._connected(place)
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
        """Changes an issue, after another look: what was closed, reopened or moved since is left to the next run."""
        place, number = self._split(issue.key)
        connection, path = self._connected(place), f"/repos/{place}/issues/{number}"
        entry = connection.find(path)
        if entry is None or not _is_here(entry, path):
            raise GithubError(f"{issue.key} is not there any more; the next run sees what became of it.")
        if (entry["state"] == "open") != (issue.standing == ISSUE_OPEN):
            raise GithubError(f"{issue.key} was {entry['state']} a moment ago; the next run goes on from there.")
        body: dict[str, Any] = {}
        if change.title is not None:
            body["title"] = change.title
        if change.standing is not None:
            body |= _state_fields(change.standing)
        if change.milestone is not None:
            body |= self._in_milestone(connection, place, change.milestone, change.milestone_due_on)
        if change.add:
            connection.write("POST", f"{path}/labels", {"labels": list(change.add)})
        for label in change.remove:
            self._remove_label(connection, path, label)
        if body:
            connection.write("PATCH", path, body)
        if change.assignee is not None:
            self._assign(connection, path, issue.key, change.assignee)
        after = self._issue(connection, place, connection.get(path))
        return replace(after, standing=change.standing) if change.standing is not None else after

    # Looking.

    def _look_at(
        self, place: str, wanted: Mapping[int, str], known: Mapping[str, Issue | None], to_see: frozenset[str]
    ) -> _Found:
        connection = self._connected(place)
        about = self._read(connection, f"/repos/{place}")
        if about["full_name"].casefold() != place.casefold():
            raise InputError(f"it is called {about['full_name']} now; correct its name in the settings.")
        if not about["has_issues"]:
            raise InputError("its issues are switched off; switch them on, or take it out of the settings.")
        found = _Found()
        for entry in self._listed(connection, place):
            if "pull_request" in entry:
                continue
            number, key = entry["number"], wanted.get(entry["number"])
            mark = self._mark_of(connection, entry)
            if key is None and mark is None:
                continue
            issue = self._issue(connection, place, entry)
            if key is not None:
                found.seen[key] = issue
            if mark is not None:
                found.marked.setdefault(mark, replace(issue, key=key or f"{place}#{number}"))
        for number, key in sorted(wanted.items()):
            seen = found.seen.get(key)
            if key not in to_see if seen is None else not _is_new_closing(seen, known.get(key)):
                continue
            # In no list although it matters, or closed by somebody who is not named there.
            try:
                self._ask(connection, place, number, key, found)
            except _Spent:
                found.seen.pop(key, None)
                found.not_looked.add(key)
        return found

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

    def _ask(self, connection: Connection, place: str, number: int, key: str, found: _Found) -> None:
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
            found.gone[key] = Gone(key, f"{key} was moved to {entry['html_url']}.")
            found.seen.pop(key, None)
            return
        issue = self._issue(connection, place, entry)
        found.seen[key] = self._with_who_closed(connection, path, entry, issue) if issue.standing == ISSUE_DONE else issue

    def _with_who_closed(self, connection: Connection, path: str, entry: Mapping[str, Any], issue: Issue) -> Issue:
        """An issue that was closed as completed. That a bot closed it without any commit, or that it was marked as stale, is
        nobody's word that it was done."""
        closer = entry.get("closed_by") or {}
        login = closer.get("login")
        issue = replace(issue, by=login)
        if login == connection.login or str(login).casefold() in self.closing_bots:
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
        return Issue(
            key=f"{place}#{entry['number']}",
            url=entry["html_url"],
            title=entry["title"],
            standing=standing,
            since=_moment(closed or entry["updated_at"]),
            assignees=tuple(each["login"] for each in entry["assignees"]),
            labels=tuple(each["name"] for each in entry["labels"]),
            milestone=milestone["title"] if milestone else None,
            milestone_due_on=_moment(milestone["due_on"]).date() if milestone and milestone["due_on"] else None,
            mark=self._mark_of(connection, entry),
            is_ours=self._mark_of(connection, entry) is not None,
        )

    def _mark_of(self, connection: Connection, entry: Mapping[str, Any]) -> str | None:
        """The mark of an issue of ours. What others copied says nothing: it is asked who opened it."""
        if entry["user"] is None or entry["user"]["login"] != connection.login:
            return None
        found = MARK.findall(entry["body"] or "")
        return found[-1] if found else None

    def _marked(self, connection: Connection, place: str, mark: str, since: datetime) -> Mapping[str, Any] | None:
        asked = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        listed = connection.pages(f"/repos/{place}/issues", state="all", creator=connection.login, since=asked)
        return next((each for each in listed if "pull_request" not in each and self._mark_of(connection, each) == mark), None)

    # Writing.

    def _assign(self, connection: Connection, path: str, key: str, login: str) -> None:
        """By itself: GitHub refuses a whole change for one assignee whom it does not take."""
        try:
            connection.write("PATCH", path, {"assignees": [login]})
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

    def _spend(self) -> None:
        if self.reads >= self.max_reads:
            raise _Spent(f"the {self.max_reads:,} requests of a run are spent; raise actions.max_reads_per_night, or wait.")
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
    places: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, other: _Found) -> None:
        self.seen |= other.seen
        self.gone |= other.gone
        self.marked |= other.marked
        self.not_looked |= other.not_looked


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

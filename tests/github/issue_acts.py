"""What changes issues, whoever does it; each act that GitHub tells of leaves an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.github.answers import LOCKING_URL, Refusal, custom, invalid
from tests.github.models import (
    App,
    Comment,
    Event,
    Issue,
    Label,
    Milestone,
    Moved,
    Numbers,
    Pull,
    Reaction,
    Repository,
    User,
)

DUE_ZONE = ZoneInfo("America/Los_Angeles")


def due_day(at: datetime | None) -> datetime | None:
    """When a milestone is due as GitHub keeps it: the midnight in California before the moment that was given."""
    return at and at.astimezone(DUE_ZONE).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


class IssueActs:
    """The acts of one user on the issues of one repository at one moment."""

    def __init__(self, repository: Repository, user: User, now: datetime, numbers: Numbers, app: App | None = None) -> None:
        self.repository, self.user, self.now, self.numbers, self.app = repository, user, now, numbers, app

    def record(self, issue: Issue, event: str, **details: Any) -> None:
        issue.events.append(Event(self.numbers.next(), event, self.user, self.now, self.app, **details))

    def open_issue(self, title: str, body: str | None) -> Issue:
        """A new issue, whose number no other had before, whatever became of that one."""
        self.repository.last_number += 1
        number = self.repository.last_number
        issue = Issue(self.numbers.next(), number, self.user, title, body, self.now, self.now, self.app)
        self.repository.issues[number] = issue
        return issue

    def set_state(self, issue: Issue, state: str, reason: str | None = None, commit_sha: str | None = None) -> None:
        """Closes or reopens. A closed issue that gets another reason is closed once more."""
        if state == issue.state and reason in (None, issue.state_reason):
            return
        if state == "open":
            if issue.state == "closed":
                if issue.pull:
                    self.check_reopening(issue, issue.pull)
                self.record(issue, "reopened")
            issue.state_reason = None if issue.pull else "reopened"
            issue.closed_at = issue.closed_by = None
        else:
            issue.state_reason = None if issue.pull else reason or "completed"
            issue.closed_at, issue.closed_by = self.now, self.user
            # Without a reason the issue says that it was completed, and the event says nothing.
            self.record(issue, "closed", reason=None if issue.pull else reason, commit_sha=commit_sha)
        issue.state, issue.updated_at = state, self.now

    def check_reopening(self, issue: Issue, pull: Pull) -> None:
        """Refuses to reopen a pull that cannot be merged any more."""
        raise NotImplementedError

    def set_texts(self, issue: Issue, title: str, body: str | None) -> None:
        if (title, body) == (issue.title, issue.body):
            return
        if title != issue.title:
            self.record(issue, "renamed", rename=(issue.title, title))
        issue.title, issue.body, issue.updated_at = title, body, self.now

    def label(self, name: str) -> Label:
        """The repository's label of a name in whatever case, made where there is none."""
        key = name.lower()
        if len(name) > 50:
            raise custom("Label", "name", "name is too long (maximum is 50 characters)")
        if not name.strip():
            raise invalid({"resource": "Label", "code": "missing_field", "field": "name"})
        if key not in self.repository.labels:
            self.repository.labels[key] = Label(self.numbers.next(), name)
        return self.repository.labels[key]

    def set_labels(self, issue: Issue, names: Iterable[str]) -> None:
        distinct = list({name.lower(): name for name in reversed(list(names))}.values())[::-1]
        if len(distinct) > 100:
            raise custom("Issue", "labels", "labels are too many (maximum is 100)")
        wanted, before = [self.label(name) for name in distinct], issue.labels
        if wanted == before:
            return
        issue.labels, issue.updated_at = wanted, self.now
        for event, labels, others in (("unlabeled", before, wanted), ("labeled", wanted, before)):
            for each in labels:
                if each not in others:
                    self.record(issue, event, label=(each.name, each.color))

    def set_assignees(self, issue: Issue, users: Sequence[User]) -> None:
        wanted, before = [*dict.fromkeys(users)], issue.assignees
        if wanted == before:
            return
        issue.assignees, issue.updated_at = wanted, self.now
        for event, people, others in (("unassigned", before, wanted), ("assigned", wanted, before)):
            for each in people:
                if each not in others:
                    self.record(issue, event, assignee=each)

    def create_milestone(self, title: str, description: str | None = None, due_on: datetime | None = None) -> Milestone:
        self.check_milestone_title(title)
        self.repository.last_milestone += 1
        number = self.repository.last_milestone
        milestone = Milestone(self.numbers.next(), number, title, self.user, self.now, self.now, description, due_day(due_on))
        self.repository.milestones[number] = milestone
        return milestone

    def check_milestone_title(self, title: str, milestone: Milestone | None = None) -> None:
        """Refuses a title that is empty, or another milestone's."""
        if not title.strip():
            raise invalid({"resource": "Milestone", "code": "missing_field", "field": "title"})
        if any(each.title == title for each in self.repository.milestones.values() if each is not milestone):
            raise invalid({"resource": "Milestone", "code": "already_exists", "field": "title"})

    def set_milestone_state(self, milestone: Milestone, state: str) -> None:
        if state != milestone.state:
            milestone.state, milestone.updated_at = state, self.now
            milestone.closed_at = self.now if state == "closed" else None

    def delete_milestone(self, milestone: Milestone) -> None:
        """Takes a milestone away, and all issues out of it."""
        for each in self.repository.issues.values():
            if each.milestone is milestone:
                self.set_milestone(each, None)
        del self.repository.milestones[milestone.number]

    def set_milestone(self, issue: Issue, milestone: Milestone | None) -> None:
        if milestone is issue.milestone:
            return
        if issue.milestone:
            self.record(issue, "demilestoned", milestone=issue.milestone.title)
        if milestone:
            self.record(issue, "milestoned", milestone=milestone.title)
        issue.milestone, issue.updated_at = milestone, self.now

    def lock(self, issue: Issue, reason: str | None = None) -> None:
        issue.is_locked, issue.lock_reason = True, reason
        self.record(issue, "locked", reason=reason)

    def unlock(self, issue: Issue) -> None:
        self.record(issue, "unlocked", reason=issue.lock_reason)
        issue.is_locked, issue.lock_reason = False, None

    def _check_lock(self, issue: Issue, verb: str) -> None:
        """Refuses who may not write to the repository, and apps, in a conversation that is locked."""
        if issue.is_locked and (self.app or not self.repository.allows(self.user.login, "write")):
            raise Refusal(403, f"Unable to {verb} comment because issue is locked.", url=LOCKING_URL)

    def comment(self, issue: Issue, body: str) -> Comment:
        self._check_lock(issue, "create")
        comment = Comment(self.numbers.next(), issue.number, self.user, body, self.now, self.now, self.app)
        self.repository.comments[comment.id] = comment
        issue.updated_at = self.now
        return comment

    def edit_comment(self, comment: Comment, body: str) -> None:
        self._check_lock(self.repository.issues[comment.number], "update")
        comment.body, comment.updated_at = body, self.now
        self.repository.issues[comment.number].updated_at = self.now

    def delete_comment(self, comment: Comment) -> None:
        self._check_lock(self.repository.issues[comment.number], "delete")
        del self.repository.comments[comment.id]
        self.repository.issues[comment.number].updated_at = self.now

    def react(self, reactions: list[Reaction], content: str) -> tuple[Reaction, bool]:
        """The user's reaction, and whether it is new: nobody reacts twice in the same way."""
        for each in reactions:
            if (each.user, each.content) == (self.user, content):
                return each, False
        reactions.append(Reaction(self.numbers.next(), self.user, content, self.now))
        return reactions[-1], True

    def delete_issue(self, issue: Issue) -> None:
        self._take_out(issue, None)

    def _take_out(self, issue: Issue, place: Moved | None) -> list[Comment]:
        """Takes an issue with its comments out of the repository, and notes what became of it."""
        assert not issue.pull, "A pull can be neither deleted nor transferred"
        thread = self.repository.thread(issue.number)
        for each in thread:
            del self.repository.comments[each.id]
        del self.repository.issues[issue.number]
        self.repository.gone[issue.number] = place
        return thread

    def transfer(self, issue: Issue, target: Repository) -> Issue:
        """Moves an issue to another repository of the owner: as another issue there, with what that repository knows too."""
        assert target.owner == self.repository.owner, "Only an owner's other repositories can take an issue"
        assert target.has_issues, f"{target.full_name} has no issues"
        assert target is not self.repository, "The issue is there already"
        target.last_number += 1
        number = target.last_number
        thread = self._take_out(issue, Moved(target.id, number))
        mine = issue.milestone
        milestone = mine and next(
            (each for each in target.milestones.values() if (each.title, each.due_on) == (mine.title, mine.due_on)), None
        )
        target.issues[number] = new = replace(
            issue,
            id=self.numbers.next(),
            number=number,
            labels=[target.labels[each.name.lower()] for each in issue.labels if each.name.lower() in target.labels],
            assignees=[each for each in issue.assignees if target.allows(each.login, "read")],
            milestone=milestone,
            events=[*issue.events],
            updated_at=self.now,
        )
        for each in thread:
            comment = replace(each, id=self.numbers.next(), number=number)
            target.comments[comment.id] = comment
        self.record(new, "transferred")
        return new

"""What people do with issues without the API, and what a test looks at afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from tests.github.acts import Acts
from tests.github.issue_acts import IssueActs
from tests.github.models import Comment, Event, Issue, Label, Milestone, Repository, Seed, User

if TYPE_CHECKING:
    from tests.github.hub import Hub


class IssuePeople:
    """The people around the issues of one repository. A login that ends in ``[bot]`` is a bot's."""

    def __init__(self, hub: Hub, full_name: str) -> None:
        self._hub, self._full_name = hub, full_name

    @property
    def repository(self) -> Repository:
        """All that is in the repository; its switches may be set."""
        found = self._hub.repositories[self._full_name]
        found.touch()
        return found

    def _acts(self, login: str) -> Acts:
        return Acts(self.repository, self._hub.user(login), self._hub.tick(), self._hub.numbers)

    def open_issue(self, login: str, title: str, body: str | None = None) -> int:
        with self._hub.lock:
            return self._acts(login).open_issue(title, body).number

    def seed_issues(self, login: str, entries: Iterable[Seed]) -> list[int]:
        """Makes many issues at one moment, and says their numbers. Of what they begin with there are no events."""
        with self._hub.lock:
            acts = self._acts(login)
            return [self._seed(acts, each).number for each in entries]

    def _seed(self, acts: IssueActs, seed: Seed) -> Issue:
        issue = acts.open_issue(seed.title, seed.body)
        issue.labels = [acts.label(name) for name in seed.labels]
        issue.assignees = [self._assignee(login) for login in seed.assignees]
        issue.milestone = None if seed.milestone is None else acts.repository.milestones[seed.milestone]
        issue.created_at = seed.created_at or acts.now
        issue.updated_at = seed.updated_at or issue.created_at
        if seed.state == "closed":
            issue.state, issue.state_reason = "closed", seed.state_reason or "completed"
            issue.closed_at, issue.closed_by = issue.updated_at, acts.user
        return issue

    def _assignee(self, login: str) -> User:
        assert self._hub.repositories[self._full_name].allows(login, "read"), f"{login} has no access to {self._full_name}"
        return self._hub.user(login)

    def close(self, login: str, number: int, reason: str | None = None, *, commit_sha: str | None = None) -> None:
        """Closes: as completed, not_planned or duplicate, or (``commit_sha``) by a commit whose message says so."""
        assert reason in (None, "completed", "not_planned", "duplicate"), reason
        with self._hub.lock:
            self._acts(login).set_state(self.issue(number), "closed", reason, commit_sha)

    def reopen(self, login: str, number: int) -> None:
        with self._hub.lock:
            self._acts(login).set_state(self.issue(number), "open")

    def delete_issue(self, login: str, number: int) -> None:
        """Deletes an issue with its comments. Its number is never given again."""
        with self._hub.lock:
            self._acts(login).delete_issue(self.issue(number))

    def transfer_issue(self, login: str, number: int, to_full_name: str) -> int:
        """Moves an issue to another repository, and says its number there."""
        with self._hub.lock:
            target = self._hub.repositories[to_full_name]
            target.touch()
            return self._acts(login).transfer(self.issue(number), target).number

    def assign(self, login: str, number: int, *logins: str) -> None:
        """Assigns people besides those who are assigned already."""
        with self._hub.lock:
            issue = self.issue(number)
            self._acts(login).set_assignees(issue, [*issue.assignees, *(self._assignee(each) for each in logins)])

    def unassign(self, login: str, number: int, *logins: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            strangers = {*logins} - {each.login for each in issue.assignees}
            assert not strangers, f"#{number} is not assigned to {', '.join(sorted(strangers))}"
            self._acts(login).set_assignees(issue, [each for each in issue.assignees if each.login not in logins])

    def create_milestone(self, login: str, title: str, due_on: datetime | None = None, description: str | None = None) -> int:
        """Makes a milestone, and says its number."""
        with self._hub.lock:
            return self._acts(login).create_milestone(title, description, due_on).number

    def close_milestone(self, login: str, number: int) -> None:
        with self._hub.lock:
            self._acts(login).set_milestone_state(self.milestone(number), "closed")

    def delete_milestone(self, login: str, number: int) -> None:
        with self._hub.lock:
            self._acts(login).delete_milestone(self.milestone(number))

    def set_milestone(self, login: str, number: int, milestone: int | None) -> None:
        """Puts an issue into a milestone, or (None) takes it out of one."""
        with self._hub.lock:
            self._acts(login).set_milestone(self.issue(number), None if milestone is None else self.milestone(milestone))

    def lock(self, login: str, number: int, reason: str | None = None) -> None:
        """Locks the conversation: as off-topic, too heated, resolved or spam, or without a reason."""
        assert reason in (None, "off-topic", "too heated", "resolved", "spam"), reason
        with self._hub.lock:
            self._acts(login).lock(self.issue(number), reason)

    def unlock(self, login: str, number: int) -> None:
        with self._hub.lock:
            self._acts(login).unlock(self.issue(number))

    def comment(self, login: str, number: int, body: str) -> int:
        """Comments on an issue or a pull, and says the comment's identifier."""
        with self._hub.lock:
            return self._acts(login).comment(self.issue(number), body).id

    def edit_comment(self, login: str, comment_id: int, body: str) -> None:
        with self._hub.lock:
            self._acts(login).edit_comment(self.repository.comments[comment_id], body)

    def delete_comment(self, login: str, comment_id: int) -> None:
        with self._hub.lock:
            self._acts(login).delete_comment(self.repository.comments[comment_id])

    def edit_body(self, login: str, number: int, body: str | None) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            self._acts(login).set_texts(issue, issue.title, body)

    def edit_title(self, login: str, number: int, title: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            self._acts(login).set_texts(issue, title, issue.body)

    def add_label(self, login: str, number: int, name: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            self._acts(login).set_labels(issue, [*(each.name for each in issue.labels), name])

    def remove_label(self, login: str, number: int, name: str) -> None:
        with self._hub.lock:
            issue = self.issue(number)
            left = [each.name for each in issue.labels if each.name.lower() != name.lower()]
            assert len(left) < len(issue.labels), f"#{number} has no label {name}"
            self._acts(login).set_labels(issue, left)

    def issue(self, number: int) -> Issue:
        """An issue, or a pull with what it shares with issues."""
        return self.repository.issues[number]

    def issues(self, state: str = "open") -> list[Issue]:
        """The issues that are no pulls, the oldest first."""
        with self._hub.lock:
            return [each for each in self.repository.issues.values() if not each.pull and state in (each.state, "all")]

    def comments(self, number: int) -> list[Comment]:
        with self._hub.lock:
            return self.repository.thread(number)

    def events(self, number: int) -> list[Event]:
        """What happened to an issue or a pull, the oldest first."""
        with self._hub.lock:
            return [*self.issue(number).events]

    def milestone(self, number: int) -> Milestone:
        return self.repository.milestones[number]

    def labels(self, number: int) -> list[str]:
        return [each.name for each in self.issue(number).labels]

    def assignees(self, number: int) -> list[str]:
        return [each.login for each in self.issue(number).assignees]

    def repository_labels(self) -> list[Label]:
        return [*self.repository.labels.values()]

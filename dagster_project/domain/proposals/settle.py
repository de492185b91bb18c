"""What became of pull requests since they were last seen, and what their comments ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.commands import REBUILD, REJECT, SNOOZE, UNREJECT, Command, Misunderstood, parse
from dagster_project.domain.proposals.memory import REJECTED, SNOOZED, Answer
from dagster_project.domain.proposals.payload import Payload, from_body
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull

CLOSING_MARK = "<!-- nightshift:closing"
_MAY_BE_REOPENED = (pulls.REJECTED, pulls.CLOSED)
_GONE_AFTER_DAYS = 30
_CLOCKS_DIFFER = timedelta(minutes=10)
_BOTS_NO = timedelta(days=30)
"""How long a closing by a bot counts, which is no decision of a person: one that tidies up would close the next one too."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on one of our pull requests or on the dashboard."""

    id: int
    number: int
    author: str
    body: str
    created_at: datetime
    updated_at: datetime

    @property
    def ident(self) -> str:
        """Tells it from every other, and from what it was before it was edited."""
        return f"{self.id}" if self.updated_at == self.created_at else f"{self.id}@{self.updated_at:%Y-%m-%dT%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Fate:
    """What a record becomes. ``number`` and ``url`` are set where the pull request was found just now."""

    record: PullRecord
    state: str
    number: int | None = None
    url: str | None = None
    merged_at: datetime | None = None
    reason: str | None = None
    merge_sha: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered to a comment, once."""

    comment_ident: str
    number: int
    author: str
    text: str
    is_heard: bool = True


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Somebody asked for a pull request to be made anew. ``sha`` begins the id of the last commit of other people that is to be
    replaced; without it only our own commit is."""

    number: int
    sha: str


@dataclass(slots=True)
class Settled:
    """Everything that is new: fates of records, pull requests that no record knows with what they are, answers to keep and to
    withdraw (resource and what their sources begin with; all of the resource where that is empty). What is withdrawn is older
    than any of the answers."""

    fates: list[Fate] = field(default_factory=list)
    unknown: list[tuple[SeenPull, str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    withdrawn: list[tuple[str, str]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    rebuilds: list[Rebuild] = field(default_factory=list)


def settle_pulls(
    repository: str,
    records: Sequence[PullRecord],
    seen: Sequence[SeenPull],
    me: str,
    has_closing_mark: Callable[[SeenPull], bool],
) -> Settled:
    """What GitHub says of the pull requests that may be open, and of those that were closed since.

    A pull request that somebody else closed unmerged is a rejection of each of its resources. One that this account closed is
    none where we noted or marked that we would; a person may use the same account. One that is open again takes its rejection
    back. A body that speaks of another repository is not believed.
    """
    settled = Settled()
    by_number = {record.number: record for record in records if record.number is not None}
    opening = {record.digest: record for record in records if record.number is None and record.state == pulls.OPENING}
    for pull in sorted(seen, key=lambda pull: pull.number):
        record = by_number.get(pull.number)
        if record is None and pull.is_open and pull.digest in opening:
            record = opening.pop(pull.digest)
        payload = record.payload if record else from_body(pull.body)
        if payload is None or payload.key.digest != pull.digest or payload.key.repository.lower() != repository.lower():
            continue
        if record is not None and pull.is_open:
            _settle_open(settled, record, pull)
        elif record is None or record.state in (*pulls.PENDING, *_MAY_BE_REOPENED):
            if record is not None and record.state == pulls.CLOSED and not _is_closed_since(pull, record):
                continue
            is_meant = record is not None and record.state == pulls.CLOSING
            state = _state_of(pull, me, is_meant=is_meant, has_closing_mark=has_closing_mark)
            if record is not None and (state == record.state or (record.state == pulls.REJECTED and state != pulls.MERGED)):
                continue
            if state == pulls.REJECTED:
                settled.answers += _rejections(pull, payload)
            if record is None:
                settled.unknown.append((pull, state))
            else:
                reason = _reason(pull, record, state)
                settled.fates.append(Fate(record, state, pull.number, pull.url, pull.merged_at, reason, pull.merge_sha))
                if state == pulls.MERGED and record.state in _MAY_BE_REOPENED:
                    settled.withdrawn += _closings(record, pull)
    return settled


def _settle_open(settled: Settled, record: PullRecord, pull: SeenPull) -> None:
    if record.state in _MAY_BE_REOPENED:
        settled.fates.append(Fate(record, pulls.OPEN, pull.number, pull.url, reason=""))
        settled.withdrawn += _closings(record, pull)
    elif record.number is None:
        settled.fates.append(Fate(record, record.state, pull.number, pull.url))


def _is_closed_since(pull: SeenPull, record: PullRecord) -> bool:
    """Whether one that we closed was opened, and closed or merged, after that. Clocks differ a little."""
    ended_at = pull.merged_at or pull.closed_at
    return ended_at is not None and (record.closed_at is None or ended_at > record.closed_at + _CLOCKS_DIFFER)


def _state_of(pull: SeenPull, me: str, *, is_meant: bool, has_closing_mark: Callable[[SeenPull], bool]) -> str:
    """What a pull request is by what GitHub says of it."""
    if pull.is_open:
        return pulls.OPEN
    if pull.merged_at is not None:
        return pulls.MERGED
    if pull.closed_by == me and (is_meant or has_closing_mark(pull)):
        return pulls.CLOSED
    return pulls.REJECTED


def _reason(pull: SeenPull, record: PullRecord, state: str) -> str | None:
    if state == pulls.MERGED:
        return f"merged by {pull.merged_by or 'somebody'}"
    return record.reason if state == pulls.CLOSED else f"closed by {pull.closed_by or 'somebody'}"


def _rejections(pull: SeenPull, payload: Payload) -> list[Answer]:
    closed_at = pull.closed_at or _LONG_AGO
    is_bot = (pull.closed_by or "").endswith("[bot]")
    return [
        Answer(
            resource_id=each.resource_id,
            kind=SNOOZED if is_bot else REJECTED,
            until=(closed_at + _BOTS_NO).date() if is_bot else None,
            actor=pull.closed_by or "somebody",
            reason=f"pull request #{pull.number} was closed unmerged",
            # It may be opened and closed again: each time is an answer of its own.
            source=f"{_closing_of(payload.key.repository, pull)}{closed_at:%Y-%m-%dT%H:%M:%S}",
            answered_at=closed_at,
            after=each.after,
            evidence=each.evidence,
        )
        for each in payload.resources
    ]


def _closings(record: PullRecord, pull: SeenPull) -> list[tuple[str, str]]:
    """What is taken back when somebody opens a pull request again."""
    return [(name, _closing_of(record.repository, pull)) for name in record.payload.resource_ids]


def _closing_of(repository: str, pull: SeenPull) -> str:
    """Begins the sources of answers that closing a pull request gave."""
    return f"{repository.lower()}#{pull.number}:closed "


def settle_comments(
    comments: Iterable[Comment],
    about: Mapping[int, Payload],
    dashboard: int | None,
    known: Mapping[str, Sequence[Answer]],
    may_write: Callable[[str], bool],
    repository: str,
    *,
    is_resource: Callable[[str], bool],
) -> Settled:
    """What comments on our pull requests (``about``, by number) and on the dashboard ask for.

    Only people who may write to the repository are heard, and everybody who asks is answered. ``known`` are the answers that
    stand, by resource; ``is_resource`` says whether a name that was written on the dashboard is one of this repository's.
    """
    settled = Settled()
    standing = dict(known)
    # An edit is said later than what was written after the comment.
    for comment in sorted(comments, key=lambda comment: (comment.updated_at, comment.id)):
        payload = about.get(comment.number)
        if payload is None and comment.number != dashboard:
            continue
        commands = parse(comment.body, payload.resource_ids if payload else ())
        if not commands:
            continue
        if not may_write(comment.author):
            text = "Only people who may write to this repository are heard; nothing was changed."
            settled.replies.append(Reply(comment.ident, comment.number, comment.author, text, is_heard=False))
            continue
        if payload is None:
            commands = [_of_a_resource(command, is_resource) for command in commands]
        told = [
            _follow(settled, command, comment, payload, standing, f"{repository}#{comment.number}:{comment.ident}/{place}")
            for place, command in enumerate(commands)
        ]
        settled.replies.append(Reply(comment.ident, comment.number, comment.author, " ".join(told)))
    return settled


def _of_a_resource(command: Command | Misunderstood, is_resource: Callable[[str], bool]) -> Command | Misunderstood:
    """A command of the dashboard, unless it names nothing that there is: a slip of the pen must not look like an answer."""
    if isinstance(command, Misunderstood) or command.name == UNREJECT or all(map(is_resource, command.resource_ids)):
        return command
    return Misunderstood("No resource has that name; write it as the dashboard does.")


def _follow(
    settled: Settled,
    command: Command | Misunderstood,
    comment: Comment,
    payload: Payload | None,
    standing: dict[str, Sequence[Answer]],
    source: str,
) -> str:
    """Notes what a command asks for; returns the answer's text. ``source`` tells this command from every other."""
    if isinstance(command, Misunderstood):
        return command.why
    if command.name == REBUILD:
        settled.rebuilds.append(Rebuild(comment.number, command.sha))
        if command.sha:
            return f"It is made anew on the present base if {command.sha} is still the last commit of its branch."
        return (
            "It is made anew on the present base. Commits of other people stay; to replace them, name the last one: "
            "`/nightshift rebuild 1a2b3c4`."
        )
    names = command.resource_ids or (payload.resource_ids if payload else ())
    if command.name == UNREJECT:
        answers = standing.pop(names[0], ())
        if not answers:
            return "Nothing is rejected or snoozed under that name; the dashboard lists the names."
        answer = answers[0]
        # What was said before in these comments is not kept at all; what is withdrawn was kept earlier.
        settled.answers = [each for each in settled.answers if each.resource_id != answer.resource_id]
        settled.withdrawn.append((answer.resource_id, ""))
        return f"It may be proposed again; before, it was {answer.kind} by {answer.actor}."
    proposed = {each.resource_id: each for each in payload.resources} if payload else {}
    until = comment.updated_at.date() + timedelta(days=command.days or 0) if command.name == SNOOZE else None
    for name in names:
        was = proposed.get(name)
        answer = Answer(
            resource_id=name,
            kind={SNOOZE: SNOOZED, REJECT: REJECTED}[command.name],
            actor=comment.author,
            reason=command.reason,
            source=source,
            answered_at=comment.updated_at,
            until=until,
            after=was.after if was else None,
            evidence=was.evidence if was else None,
        )
        standing[name] = (answer, *standing.get(name, ()))
        settled.answers.append(answer)
    count = f"{len(names)} resources" if len(names) > 1 else "1 resource"
    return f"Snoozed until {until}: {count}." if until else f"Rejected: {count}. `/nightshift unreject RESOURCE` takes it back."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a merged pull request: its fate, None while something of it may still become live, and the resources whose
    change was taken back."""

    fate: Fate | None
    reverted: tuple[str, ...] = ()


def merged_outcome(
    record: PullRecord, live: Mapping[tuple[str, str], str | None], in_code: Mapping[str, str], day: date
) -> Outcome:
    """What became of each resource of a merged pull request.

    ``live`` holds the value of (resource, attribute) in the inventory, absent or None where it is not known; ``in_code`` the
    values that the base has by resource, where the merge is part of what was read and the value was found. Another value than
    the old one is live = done: whoever merged may have changed it. A resource that the inventory no longer lists is over after
    a month.
    """
    is_old = record.merged_at is not None and (day - record.merged_at.date()).days >= _GONE_AFTER_DAYS
    reverted, pending, applied = [], [], []
    for each in record.payload.resources:
        value = live.get((each.resource_id, each.attribute))
        if value is not None and value != each.before:
            applied.append(each.resource_id)
        elif in_code.get(each.resource_id) == each.before:
            reverted.append(each.resource_id)
        elif value is not None or not is_old:
            pending.append(each.resource_id)
    if pending:
        return Outcome(None, tuple(reverted))
    if reverted and not applied:
        return Outcome(Fate(record, pulls.REVERTED, reason="the code has the old value again"), tuple(reverted))
    return Outcome(
        Fate(record, pulls.APPLIED, reason=f"live on {day}" if applied else "no longer in the inventory"), tuple(reverted)
    )

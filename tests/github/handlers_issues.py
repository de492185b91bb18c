"""Issues with their comments and reactions; a pull is an issue too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tests.github.answers import Answer, invalid, issues_disabled, not_found
from tests.github.checks import Check, check_fields, check_lengths, list_of, matching, maybe, moment, number, one_of, text
from tests.github.models import Comment, Issue, Milestone, Reaction, User
from tests.github.routing import PAGES, Call, route
from tests.github.views import REACTIONS

HOME = "/repos/{owner}/{repo}"
ISSUES = HOME + "/issues"
ISSUE = ISSUES + "/{number#}"
COMMENT = ISSUES + "/comments/{id#}"
NEEDS = ("issues", "pull_requests")
DIRECTION = one_of("asc", "desc")

ISSUES_QUERY = {
    **PAGES,
    "state": one_of("open", "closed", "all"),
    "labels": text,
    "creator": text,
    "assignee": text,
    "milestone": matching(r"[0-9]+|\*|none", "the number of a milestone, * or none"),
    "sort": one_of("created", "updated", "comments"),
    "direction": DIRECTION,
    "since": moment,
}


@route("GET", ISSUES, *NEEDS, query=ISSUES_QUERY)
def list_issues(call: Call) -> Answer:
    """A page of issues. All that a query finds is kept until something changes, so that many pages cost little each."""
    query, repository = call.query, call.repository
    if not repository.has_issues:
        raise issues_disabled()
    key = ("issues", *sorted((name, value) for name, value in query.items() if name not in PAGES))
    found = repository.remember(key, lambda: _find_issues(call))
    return call.pages(found, lambda issue: call.hub.views.issue(repository, issue, is_whole=False))


def _find_issues(call: Call) -> list[Issue]:
    query, repository = call.query, call.repository
    labels = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    state, sort = query.get("state", "open"), query.get("sort", "created")
    since = datetime.fromisoformat(query["since"]) if "since" in query else None
    is_assigned = _filter(call, "assignee", query.get("assignee", "") in call.hub.users)
    is_in_milestone = _filter(call, "milestone", query.get("milestone", "") in map(str, repository.milestones))
    found = [
        each
        for each in repository.issues.values()
        if state in (each.state, "all")
        and labels <= {label.name.lower() for label in each.labels}
        and query.get("creator", each.user.login) == each.user.login
        and is_assigned({user.login for user in each.assignees})
        and is_in_milestone({str(each.milestone.number)} if each.milestone else set())
        and (since is None or each.updated_at >= since)
    ]

    def key(issue: Issue) -> tuple[datetime | int, int]:
        if sort == "comments":
            return len(repository.thread(issue.number)), issue.number
        return (issue.updated_at if sort == "updated" else issue.created_at), issue.number

    found.sort(key=key, reverse=query.get("direction", "desc") == "desc")
    return found


def _filter(call: Call, name: str, is_known: bool) -> Callable[[set[str]], bool]:
    """Asks of the values that an issue has whether a filter wants them: one of them, any (*) or none."""
    wanted = call.query.get(name)
    if wanted is None:
        return lambda values: True
    if wanted in ("*", "none"):
        return lambda values: bool(values) == (wanted == "*")
    if not is_known:
        raise invalid({"value": wanted, "resource": "Issue", "field": name, "code": "invalid"})
    return lambda values: wanted in values


@route("POST", ISSUES, "issues", role="read")
def create_issue(call: Call) -> Answer:
    if not call.repository.has_issues:
        raise issues_disabled()
    given = check_fields("Issue", call.body, {"title": text}, {"body": maybe(text), **ONLY_BY_PUSHERS})
    check_lengths("Issue", given)
    changes = _read_changes(call, given)
    issue = call.acts.open_issue(given["title"], given.get("body"))
    _apply(call, issue, changes)
    return Answer(201, call.hub.views.issue(call.repository, issue))


ONLY_BY_PUSHERS: dict[str, Check] = {
    "labels": list_of(text),
    "assignees": list_of(text),
    # The client writes "" for none.
    "milestone": lambda value: None if value in (None, "") else number(value),
}


def _read_changes(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """The labels, assignees and milestone that are given, which GitHub drops without a word for who may not push."""
    if not call.may_push:
        return {}
    changes = {name: given[name] for name in ONLY_BY_PUSHERS if name in given}
    if "assignees" in changes:
        changes["assignees"] = _assignees(call, changes["assignees"])
    if "milestone" in changes:
        changes["milestone"] = _milestone(call, changes["milestone"])
    return changes


def _apply(call: Call, issue: Issue, changes: dict[str, Any]) -> None:
    if "labels" in changes:
        call.acts.set_labels(issue, changes["labels"])
    if "assignees" in changes:
        call.acts.set_assignees(issue, changes["assignees"])
    if "milestone" in changes:
        call.acts.set_milestone(issue, changes["milestone"])


def _assignees(call: Call, logins: Iterable[str]) -> list[User]:
    for login in logins:
        if not call.repository.allows(login, "read") or login not in call.hub.users:
            raise invalid({"value": login, "resource": "Issue", "field": "assignees", "code": "invalid"})
    return [call.hub.users[login] for login in logins]


def _milestone(call: Call, wanted: int | str | None) -> Milestone | None:
    if wanted in (None, ""):
        return None
    found = call.repository.milestones.get(int(wanted))
    if found is None:
        raise invalid({"value": wanted, "resource": "Issue", "field": "milestone", "code": "invalid"})
    return found


@route("GET", ISSUE, *NEEDS)
def get_issue(call: Call) -> Answer:
    return Answer(200, call.hub.views.issue(call.repository, call.issue()))


@route("PATCH", ISSUE, *NEEDS, role="read")
def update_issue(call: Call) -> Answer:
    """Changes an issue, which is for its author and for those who may push."""
    issue = call.issue()
    if not call.may_push and issue.user != call.actor.user:
        raise call.forbid()
    optional = {
        "title": text,
        "body": maybe(text),
        "state": one_of("open", "closed"),
        "state_reason": maybe(one_of("completed", "not_planned", "duplicate", "reopened")),
        **ONLY_BY_PUSHERS,
    }
    given = check_fields("Issue", call.body, {}, optional)
    check_lengths("Issue", given)
    changes = _read_changes(call, given)
    if "labels" in changes:  # The only change that may still be refused.
        call.acts.set_labels(issue, changes.pop("labels"))
    if "state" in given:
        reason = given.get("state_reason") if call.hub.views.knows_state_reason else None
        call.acts.set_state(issue, given["state"], reason)
    call.acts.set_texts(issue, given.get("title", issue.title), given.get("body", issue.body))
    _apply(call, issue, changes)
    return Answer(200, call.hub.views.issue(call.repository, issue))


@route("GET", ISSUE + "/comments", *NEEDS, query={**PAGES, "since": moment})
def list_comments(call: Call) -> Answer:
    return _comments(call, call.repository.thread(call.issue(is_followed=False).number))


COMMENTS_QUERY = {**PAGES, "since": moment, "sort": one_of("created", "updated"), "direction": DIRECTION}


@route("GET", ISSUES + "/comments", *NEEDS, query=COMMENTS_QUERY)
def list_all_comments(call: Call) -> Answer:
    sort, is_falling = call.query.get("sort"), call.query.get("direction", "asc") == "desc"

    def find() -> list[Comment]:
        found = [*call.repository.comments.values()]
        if sort:  # A direction alone is ignored.
            found.sort(key=lambda each: (each.updated_at if sort == "updated" else each.created_at, each.id), reverse=is_falling)
        return found

    return _comments(call, call.repository.remember(("comments", sort, is_falling), find))


def _comments(call: Call, found: list[Comment]) -> Answer:
    if "since" in call.query:
        found = [each for each in found if each.updated_at >= datetime.fromisoformat(call.query["since"])]
    return call.pages(found, lambda comment: call.hub.views.comment(call.repository, comment))


@route("POST", ISSUE + "/comments", *NEEDS, role="read")
def create_comment(call: Call) -> Answer:
    comment = call.acts.comment(call.issue(is_followed=False), _body(call))
    return Answer(201, call.hub.views.comment(call.repository, comment))


def _body(call: Call) -> str:
    given = check_fields("IssueComment", call.body, {"body": text})
    check_lengths("IssueComment", given)
    if not given["body"].strip():
        raise invalid({"resource": "IssueComment", "code": "missing_field", "field": "body"})
    return given["body"]


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(int(call.names["id"]))
    if found is None:
        raise not_found()
    return found


@route("GET", COMMENT, *NEEDS)
def get_comment(call: Call) -> Answer:
    return Answer(200, call.hub.views.comment(call.repository, _comment(call)))


def _own_comment(call: Call) -> Comment:
    """The comment, if the actor wrote it or may push."""
    comment = _comment(call)
    if not call.may_push and comment.user != call.actor.user:
        raise call.forbid()
    return comment


@route("PATCH", COMMENT, *NEEDS, role="read")
def update_comment(call: Call) -> Answer:
    comment = _own_comment(call)
    call.acts.edit_comment(comment, _body(call))
    return Answer(200, call.hub.views.comment(call.repository, comment))


@route("DELETE", COMMENT, *NEEDS, role="read")
def delete_comment(call: Call) -> Answer:
    call.acts.delete_comment(_own_comment(call))
    return Answer(204)


@route("GET", COMMENT + "/reactions", *NEEDS, query={**PAGES, "content": one_of(*REACTIONS)})
def list_comment_reactions(call: Call) -> Answer:
    return _reactions(call, _comment(call).reactions)


@route("POST", COMMENT + "/reactions", *NEEDS, role="read")
def react_to_comment(call: Call) -> Answer:
    return _react(call, _comment(call).reactions)


@route("GET", ISSUE + "/reactions", *NEEDS, query={**PAGES, "content": one_of(*REACTIONS)})
def list_issue_reactions(call: Call) -> Answer:
    return _reactions(call, call.issue(is_followed=False).reactions)


@route("POST", ISSUE + "/reactions", *NEEDS, role="read")
def react_to_issue(call: Call) -> Answer:
    return _react(call, call.issue(is_followed=False).reactions)


def _reactions(call: Call, reactions: list[Reaction]) -> Answer:
    found = [each for each in reactions if call.query.get("content", each.content) == each.content]
    return call.pages(found, call.hub.views.reaction)


def _react(call: Call, reactions: list[Reaction]) -> Answer:
    given = check_fields("Reaction", call.body, {"content": one_of(*REACTIONS)})
    reaction, is_new = call.acts.react(reactions, given["content"])
    return Answer(201 if is_new else 200, call.hub.views.reaction(reaction))

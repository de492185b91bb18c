"""Issues with their comments, labels and reactions; a pull is an issue too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tests.github.answers import Answer, Refusal, invalid, not_found
from tests.github.checks import check_fields, check_lengths, list_of, matching, maybe, moment, one_of, text
from tests.github.handlers_pulls import change_texts
from tests.github.models import Comment, Issue, Label, Reaction, User
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
    "sort": one_of("created", "updated", "comments"),
    "direction": DIRECTION,
    "since": moment,
}


@route("GET", ISSUES, *NEEDS, query=ISSUES_QUERY)
def list_issues(call: Call) -> Answer:
    query, repository = call.query, call.repository
    labels = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    state, sort = query.get("state", "open"), query.get("sort", "created")
    found = [
        each
        for each in repository.issues.values()
        if state in (each.state, "all")
        and labels <= {label.name.lower() for label in each.labels}
        and query.get("creator", each.user.login) == each.user.login
        and ("assignee" not in query or query["assignee"] in {user.login for user in each.assignees})
        and ("since" not in query or each.updated_at >= datetime.fromisoformat(query["since"]))
    ]

    def key(issue: Issue) -> tuple[datetime | int, int]:
        if sort == "comments":
            return len(repository.thread(issue.number)), issue.number
        return (issue.updated_at if sort == "updated" else issue.created_at), issue.number

    found.sort(key=key, reverse=query.get("direction", "desc") == "desc")
    return call.pages(found, lambda issue: call.hub.views.issue(repository, issue, is_whole=False))


@route("POST", ISSUES, "issues")
def create_issue(call: Call) -> Answer:
    optional = {"body": maybe(text), "labels": list_of(text), "assignees": list_of(text)}
    given = check_fields("Issue", call.body, {"title": text}, optional)
    check_lengths("Issue", given)
    assignees = _assignees(call, given.get("assignees", []))
    issue = call.acts.open_issue(given["title"], given.get("body"))
    issue.assignees = assignees
    call.acts.set_labels(issue, given.get("labels", []))
    return Answer(201, call.hub.views.issue(call.repository, issue))


def _assignees(call: Call, logins: Iterable[str]) -> list[User]:
    for login in logins:
        if not call.repository.allows(login, "read") or login not in call.hub.users:
            raise invalid({"value": login, "resource": "Issue", "field": "assignees", "code": "invalid"})
    return [call.hub.users[login] for login in dict.fromkeys(logins)]


@route("GET", ISSUE, *NEEDS)
def get_issue(call: Call) -> Answer:
    return Answer(200, call.hub.views.issue(call.repository, call.issue()))


@route("PATCH", ISSUE, *NEEDS)
def update_issue(call: Call) -> Answer:
    issue = call.issue()
    optional = {
        "title": text,
        "body": maybe(text),
        "state": one_of("open", "closed"),
        "state_reason": maybe(one_of("completed", "not_planned", "duplicate", "reopened")),
        "labels": list_of(text),
        "assignees": list_of(text),
    }
    given = check_fields("Issue", call.body, {}, optional)
    check_lengths("Issue", given)
    assignees = _assignees(call, given["assignees"]) if "assignees" in given else issue.assignees
    if "labels" in given:
        call.acts.set_labels(issue, given["labels"])
    if "state" in given:
        call.acts.set_state(issue, given["state"], given.get("state_reason"))
    change_texts(call, issue, given)
    if assignees != issue.assignees:
        issue.assignees, issue.updated_at = assignees, call.now
    return Answer(200, call.hub.views.issue(call.repository, issue))


@route("GET", ISSUE + "/comments", *NEEDS, query={**PAGES, "since": moment})
def list_comments(call: Call) -> Answer:
    return _comments(call, call.repository.thread(call.issue().number))


COMMENTS_QUERY = {**PAGES, "since": moment, "sort": one_of("created", "updated"), "direction": DIRECTION}


@route("GET", ISSUES + "/comments", *NEEDS, query=COMMENTS_QUERY)
def list_all_comments(call: Call) -> Answer:
    found = [*call.repository.comments.values()]
    sort = call.query.get("sort")
    if sort:  # A direction alone is ignored.
        found.sort(
            key=lambda each: (each.updated_at if sort == "updated" else each.created_at, each.id),
            reverse=call.query.get("direction", "asc") == "desc",
        )
    return _comments(call, found)


def _comments(call: Call, found: list[Comment]) -> Answer:
    if "since" in call.query:
        found = [each for each in found if each.updated_at >= datetime.fromisoformat(call.query["since"])]
    return call.pages(found, lambda comment: call.hub.views.comment(call.repository, comment))


@route("POST", ISSUE + "/comments", *NEEDS)
def create_comment(call: Call) -> Answer:
    comment = call.acts.comment(call.issue(), _body(call))
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


@route("PATCH", COMMENT, *NEEDS)
def update_comment(call: Call) -> Answer:
    comment = _comment(call)
    call.acts.edit_comment(comment, _body(call))
    return Answer(200, call.hub.views.comment(call.repository, comment))


@route("DELETE", COMMENT, *NEEDS)
def delete_comment(call: Call) -> Answer:
    call.acts.delete_comment(_comment(call))
    return Answer(204)


@route("GET", COMMENT + "/reactions", *NEEDS, query={**PAGES, "content": one_of(*REACTIONS)})
def list_comment_reactions(call: Call) -> Answer:
    return _reactions(call, _comment(call).reactions)


@route("POST", COMMENT + "/reactions", *NEEDS)
def react_to_comment(call: Call) -> Answer:
    return _react(call, _comment(call).reactions)


@route("GET", ISSUE + "/reactions", *NEEDS, query={**PAGES, "content": one_of(*REACTIONS)})
def list_issue_reactions(call: Call) -> Answer:
    return _reactions(call, call.issue().reactions)


@route("POST", ISSUE + "/reactions", *NEEDS)
def react_to_issue(call: Call) -> Answer:
    return _react(call, call.issue().reactions)


def _reactions(call: Call, reactions: list[Reaction]) -> Answer:
    found = [each for each in reactions if call.query.get("content", each.content) == each.content]
    return call.pages(found, call.hub.views.reaction)


def _react(call: Call, reactions: list[Reaction]) -> Answer:
    given = check_fields("Reaction", call.body, {"content": one_of(*REACTIONS)})
    reaction, is_new = call.acts.react(reactions, given["content"])
    return Answer(201 if is_new else 200, call.hub.views.reaction(reaction))


@route("GET", ISSUE + "/labels", *NEEDS, query=PAGES)
def list_issue_labels(call: Call) -> Answer:
    return call.pages(call.issue().labels, lambda label: call.hub.views.label(call.repository, label))


def _names(call: Call) -> list[str]:
    given = {"labels": call.body} if isinstance(call.body, list) else call.body
    return check_fields("Label", given, {"labels": list_of(text)})["labels"]


def _labels(call: Call, issue: Issue) -> Answer:
    return Answer(200, [call.hub.views.label(call.repository, each) for each in issue.labels])


@route("POST", ISSUE + "/labels", *NEEDS)
def add_labels(call: Call) -> Answer:
    issue = call.issue()
    call.acts.set_labels(issue, [*(each.name for each in issue.labels), *_names(call)])
    return _labels(call, issue)


@route("PUT", ISSUE + "/labels", *NEEDS)
def replace_labels(call: Call) -> Answer:
    issue = call.issue()
    call.acts.set_labels(issue, _names(call))
    return _labels(call, issue)


@route("DELETE", ISSUE + "/labels", *NEEDS)
def remove_labels(call: Call) -> Answer:
    call.acts.set_labels(call.issue(), [])
    return Answer(204)


@route("DELETE", ISSUE + "/labels/{name*}", *NEEDS)
def remove_label(call: Call) -> Answer:
    issue, name = call.issue(), call.names["name"].lower()
    left = [each.name for each in issue.labels if each.name.lower() != name]
    if len(left) == len(issue.labels):
        raise Refusal(404, "Label does not exist")
    call.acts.set_labels(issue, left)
    return _labels(call, issue)


@route("GET", HOME + "/labels", *NEEDS, query=PAGES)
def list_labels(call: Call) -> Answer:
    found = sorted(call.repository.labels.values(), key=lambda label: label.name.lower())
    return call.pages(found, lambda label: call.hub.views.label(call.repository, label))


@route("POST", HOME + "/labels", *NEEDS)
def create_label(call: Call) -> Answer:
    optional = {"color": matching("[0-9a-fA-F]{6}", "a color of six digits"), "description": maybe(text)}
    given = check_fields("Label", call.body, {"name": text}, optional)
    if given["name"].lower() in call.repository.labels:
        raise invalid({"resource": "Label", "code": "already_exists", "field": "name"})
    if len(given.get("description") or "") > 100:
        message = "description is too long (maximum is 100 characters)"
        raise invalid({"resource": "Label", "code": "custom", "field": "description", "message": message})
    label = call.acts.label(given["name"])
    label.color, label.description = given.get("color", label.color).lower(), given.get("description")
    return Answer(201, call.hub.views.label(call.repository, label))


def _label(call: Call) -> Label:
    found = call.repository.labels.get(call.names["name"].lower())
    if found is None:
        raise not_found()
    return found


@route("GET", HOME + "/labels/{name*}", *NEEDS)
def get_label(call: Call) -> Answer:
    return Answer(200, call.hub.views.label(call.repository, _label(call)))

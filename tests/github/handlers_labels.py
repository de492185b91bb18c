"""The labels of a repository, and those of an issue or a pull."""

from __future__ import annotations

from tests.github.answers import Answer, Refusal, invalid, not_found
from tests.github.checks import check_fields, list_of, matching, maybe, text
from tests.github.handlers_issues import HOME, ISSUE, NEEDS
from tests.github.models import Issue, Label
from tests.github.routing import PAGES, Call, route


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

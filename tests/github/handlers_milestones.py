"""The milestones of a repository."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.github.answers import Answer, not_found
from tests.github.checks import check_fields, maybe, moment, one_of, text
from tests.github.handlers_issues import DIRECTION, HOME, NEEDS
from tests.github.issue_acts import due_day
from tests.github.models import Milestone
from tests.github.routing import PAGES, Call, route

MILESTONES = HOME + "/milestones"
MILESTONE = MILESTONES + "/{number#}"
FIELDS = {"state": one_of("open", "closed"), "description": maybe(text), "due_on": maybe(moment)}
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

MILESTONES_QUERY = {
    **PAGES,
    "state": one_of("open", "closed", "all"),
    "sort": one_of("due_on", "completeness"),
    "direction": DIRECTION,
}


@route("GET", MILESTONES, *NEEDS, query=MILESTONES_QUERY)
def list_milestones(call: Call) -> Answer:
    """Milestones by when they are due, those first that never are."""
    repository, state = call.repository, call.query.get("state", "open")
    found = [each for each in repository.milestones.values() if state in (each.state, "all")]

    def key(milestone: Milestone) -> tuple[datetime | float, int]:
        if call.query.get("sort") == "completeness":
            counts = repository.count(milestone)
            return counts["closed"] / (sum(counts.values()) or 1), milestone.number
        return milestone.due_on or BEFORE_ALL, milestone.number

    found.sort(key=key, reverse=call.query.get("direction") == "desc")
    return call.pages(found, lambda milestone: call.hub.views.milestone(repository, milestone))


@route("POST", MILESTONES, *NEEDS)
def create_milestone(call: Call) -> Answer:
    given = check_fields("Milestone", call.body, {"title": text}, FIELDS)
    milestone = call.acts.create_milestone(given["title"], given.get("description"), _due_on(given.get("due_on")))
    call.acts.set_milestone_state(milestone, given.get("state", "open"))
    return Answer(201, call.hub.views.milestone(call.repository, milestone))


def _due_on(given: str | None) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given)


def _milestone(call: Call) -> Milestone:
    found = call.repository.milestones.get(int(call.names["number"]))
    if found is None:
        raise not_found()
    return found


@route("GET", MILESTONE, *NEEDS)
def get_milestone(call: Call) -> Answer:
    return Answer(200, call.hub.views.milestone(call.repository, _milestone(call)))


@route("PATCH", MILESTONE, *NEEDS)
def update_milestone(call: Call) -> Answer:
    milestone = _milestone(call)
    given = check_fields("Milestone", call.body, {}, {"title": text, **FIELDS})
    if "title" in given:
        call.acts.check_milestone_title(given["title"], milestone)
        milestone.title = given["title"]
    if "description" in given:
        milestone.description = given["description"]
    if "due_on" in given:
        milestone.due_on = due_day(_due_on(given["due_on"]))
    milestone.updated_at = call.now
    call.acts.set_milestone_state(milestone, given.get("state", milestone.state))
    return Answer(200, call.hub.views.milestone(call.repository, milestone))


@route("DELETE", MILESTONE, *NEEDS)
def delete_milestone(call: Call) -> Answer:
    call.acts.delete_milestone(_milestone(call))
    return Answer(204)

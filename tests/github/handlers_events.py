"""What happened to an issue or a pull."""

from __future__ import annotations

from tests.github.answers import Answer
from tests.github.handlers_issues import ISSUE, NEEDS
from tests.github.routing import PAGES, Call, route


@route("GET", ISSUE + "/events", *NEEDS, query=PAGES)
def list_issue_events(call: Call) -> Answer:
    """The events of an issue, the oldest first."""
    found = call.issue(is_followed=False).events
    return call.pages(found, lambda event: call.hub.views.event(call.repository, event))

"""What a workspace with credentials would have captured around the demo's incidents."""

from __future__ import annotations

from dagster_project.demo.activities import api_calls, scaling_activities
from dagster_project.demo.alarms import alarm_history
from dagster_project.demo.messages import messages
from dagster_project.demo.releases import releases
from dagster_project.domain.incidents.events import Event


def evidence(seed: int) -> list[Event]:
    """Messages, alarms, scaling activities, API calls and releases by time, on the demo's own calendar.

    Every event names its incident but the alarms of the emergency that nobody declared. The same seed gives the same events; it
    decides over nothing but ids. Messages are raw: they hold names and what somebody pasted by mistake.
    """
    told = [*messages(seed), *alarm_history(), *scaling_activities(seed), *api_calls(seed), *releases(seed)]
    return sorted(told, key=lambda event: (event.occurred_at, event.source, event.source_event_id, event.version))

"""A second tracker: what follows items knows nothing of GitHub."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dagster_project.actions import action_item_store as store
from dagster_project.domain.action_items.trackers import (
    ISSUE_DONE,
    ISSUE_OPEN,
    Change,
    Draft,
    Gone,
    Issue,
    Look,
    Tracker,
)
from dagster_project.pipeline import action_item_answers as answers
from dagster_project.pipeline.action_item_people import People
from dagster_project.pipeline.action_item_sync import Known, Synced, follow
from dagster_project.pipeline.state import in_state
from tests.action_items.conftest import NewWorld
from tests.action_items.world import World, action

DESK = "the/desk"


@dataclass
class Tickets:
    """Tickets T-1, T-2 … of one desk."""

    tickets: dict[str, Issue] = field(default_factory=dict)
    name: str = "tickets"
    opened: int = 0

    def follows(self, key: str) -> bool:
        return key.startswith("T-")

    def place_of(self, key: str) -> str:
        return DESK

    def look(self, known: Mapping[str, Issue | None], to_see: Collection[str]) -> Look:
        gone = {key: Gone(key, f"{key} was thrown away.") for key in known if key not in self.tickets}
        marked = {issue.mark: issue for issue in self.tickets.values() if issue.mark is not None}
        return Look({key: self.tickets[key] for key in known if key in self.tickets}, gone, marked, places=(DESK,))

    def create(self, place: str, draft: Draft, mark: str) -> Issue:
        self.opened += 1
        key, at = f"T-{self.opened}", datetime.fromisoformat("2025-03-10T03:00")
        self.tickets[key] = Issue(key, f"desk/{key}", draft.title, ISSUE_OPEN, at, labels=draft.labels, mark=mark, is_ours=True)
        return self.tickets[key]

    def find(self, place: str, mark: str, since: datetime) -> Issue | None:
        return next((issue for issue in self.tickets.values() if issue.mark == mark), None)

    def change(self, issue: Issue, change: Change) -> Issue:
        self.tickets[issue.key] = replace(issue, standing=change.standing or issue.standing, title=change.title or issue.title)
        return self.tickets[issue.key]


def night(world: World, tracker: Tracker) -> Synced:
    """Follows what is known with a tracker; raises nothing, and tells what failed."""
    runtime, synced, items = world.runtime(), Synced(), world.items()

    async def work(connection: Any) -> None:
        known = Known(People(runtime.settings), {})
        await follow(runtime, connection, tracker, items, await store.links(connection), known, synced)

    in_state(runtime, work)
    assert synced.problems == []
    return synced


def test_items_are_followed_in_a_tracker_that_is_not_github(new_world: NewWorld) -> None:
    world = new_world(repository=None, followed=())
    world.has(*(action(f"ACT-{number}", owner=None) for number in range(1, 4)))
    world.night()
    world.rules["repository"] = DESK
    tickets = Tickets()

    assert night(world, tickets).opened == ["T-1", "T-2", "T-3"]
    assert {item.item_id: item.tracker_key for item in world.items().values()} == {
        "ACT-1": "T-1", "ACT-2": "T-2", "ACT-3": "T-3",
    }  # fmt: skip
    assert night(world, tickets).opened == []

    closed_at = datetime.fromisoformat("2025-03-11T10:00")
    tickets.tickets["T-1"] = replace(tickets.tickets["T-1"], standing=ISSUE_DONE, since=closed_at, by="ana")
    del tickets.tickets["T-2"]
    answers.done(world.runtime(), "ACT-3", "merged")
    night(world, tickets)

    items = world.items()
    assert (items["ACT-1"].state, items["ACT-1"].done_at) == ("done", closed_at)
    assert (items["ACT-2"].state, items["ACT-2"].state_reason) == ("lost", "T-2 was thrown away.")
    assert tickets.tickets["T-3"].standing == ISSUE_DONE
    assert night(world, tickets).changed == []
    assert tickets.opened == 3

"""A night that ends at any write, before or after it was made, leaves what the next one goes on from: one branch, one pull
request, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dagster_project.actions import postmortem_store
from dagster_project.connections.github import Connection
from tests.conftest import query
from tests.github.faults import Fault
from tests.incidents.publish.conftest import World, document

NEWS = "10:00 it began, 11:00 it ended"
FEWEST_WRITES = 6
"""A file, its folder, a commit, a note, a branch, and the pull request."""
MOST_WRITES = 20


class Killed(BaseException):
    """Ends a night as a signal would: nothing of the project handles it."""


@contextmanager
def killed_at(place: int, *, is_done: bool) -> Iterator[list[str]]:
    """Ends what runs inside at its ``place``-th write, to GitHub or to the state store, before or after the write was made.
    Gives what was written, in order."""
    made: list[str] = []

    def begins(name: str) -> None:
        made.append(name)
        if len(made) == place and not is_done:
            raise Killed

    def ends() -> None:
        if len(made) == place and is_done:
            raise Killed

    def around(call: Callable[..., Any]) -> Callable[..., Any]:
        def written(connection: Connection, *arguments: Any) -> Any:
            begins("/".join(str(arguments[1] if len(arguments) > 2 else arguments[0]).split("/")[4:6]))
            found = call(connection, *arguments)
            ends()
            return found

        return written

    note = postmortem_store.note

    async def noted(*arguments: Any) -> None:
        begins("note")
        await note(*arguments)
        ends()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "write", around(Connection.write))
        patch.setattr(Connection, "mutate", around(Connection.mutate))
        patch.setattr(postmortem_store, "note", noted)
        yield made


def cut_off(world: World, generated: str, place: int, *, is_done: bool) -> bool:
    """A night that ends at a write; whether there was such a write."""
    day = world.day
    with killed_at(place, is_done=is_done) as made:
        try:
            world.night(generated)
        except Killed:
            world.day = day
            return True
    assert len(made) < place
    return False


def every_write(world: World, prepare: Callable[[str], None], generated: Callable[[str], str], *, is_done: bool) -> Iterator[str]:
    """Incidents, each of which had a night that was cut off at another write, until there is none left to be cut off at."""
    for place in range(1, MOST_WRITES):
        incident_id = f"INC-{place}"
        prepare(incident_id)
        if not cut_off(world, generated(incident_id), place, is_done=is_done):
            assert place > FEWEST_WRITES
            return
        yield incident_id
    raise AssertionError("there are more writes than expected")


def branch_of(incident_id: str) -> str:
    return f"nightshift-postmortems/{incident_id}"


def pulls_of(world: World, incident_id: str, state: str = "all") -> list[int]:
    return [each.number for each in world.people.pulls(state) if each.pull.head == branch_of(incident_id)]


def assert_settled(world: World, generated: str, incident_id: str, pulls: int) -> None:
    """The next night goes on, and the one after that has nothing to do."""
    assert world.proposed(generated).state == "open"
    numbers = pulls_of(world, incident_id)
    assert len(numbers) == pulls
    assert world.people.file(branch_of(incident_id), f"postmortems/{incident_id}.md").decode().startswith(generated)
    before = world.writes()
    found = world.proposed(generated)
    assert (found.state, found.number, found.detail) == ("open", numbers[-1], "Nothing is new.")
    assert world.writes() == before
    noted = query(world.dsn, "select number from nightshift.postmortem_pulls where incident_id = $1", incident_id)
    assert [each["number"] for each in noted] == [numbers[-1]]


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
class TestKilled:
    def test_while_it_opens_one(self, world: World, is_done: bool) -> None:
        def text(name: str) -> str:
            return document(NEWS, name)

        for name in every_write(world, lambda name: None, text, is_done=is_done):
            assert_settled(world, text(name), name, pulls=1)

    def test_while_it_brings_one_up_to_date(self, world: World, is_done: bool) -> None:
        def prepare(name: str) -> None:
            _opened(world, name)
            world.people.merge("ana", pulls_of(world, name)[-1])
            assert world.proposed(document(NEWS, name)).state == "open"

        def text(name: str) -> str:
            return document(NEWS, name, impact="## Impact\n\nNone.")

        for name in every_write(world, prepare, text, is_done=is_done):
            assert_settled(world, text(name), name, pulls=2)
            assert "[Impact](" in world.people.issue(pulls_of(world, name)[-1]).body

    @pytest.mark.parametrize("method", ["merge", "squash"])
    def test_while_it_opens_another_after_a_merge(self, world: World, is_done: bool, method: str) -> None:
        def prepare(name: str) -> None:
            _opened(world, name)
            world.people.merge("ana", pulls_of(world, name)[-1], method)

        for name in every_write(world, prepare, lambda name: document(NEWS, name), is_done=is_done):
            assert_settled(world, document(NEWS, name), name, pulls=2)

    def test_and_closed_by_people_before_the_next_night_it_stays_closed(self, world: World, is_done: bool) -> None:
        closed = 0
        for name in every_write(world, lambda name: None, lambda name: document(NEWS, name), is_done=is_done):
            for number in pulls_of(world, name):
                world.people.close("ana", number)
                assert world.proposed(document(NEWS, name)).state == "closed"
                assert pulls_of(world, name) == [number]
                closed += 1
        assert closed == 1 + is_done

    def test_what_people_push_before_the_next_night_is_kept(self, world: World, is_done: bool) -> None:
        for name in every_write(world, lambda name: None, lambda name: document(NEWS, name), is_done=is_done):
            world.people.push("ana", branch_of(name), {"chart.svg": b"<svg/>"})
            assert_settled(world, document(NEWS, name), name, pulls=1)
            assert world.people.file(branch_of(name), "chart.svg") == b"<svg/>"


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "bad_gateway_before", "bad_gateway_after"])
def test_an_answer_that_is_lost_is_looked_for_and_not_repeated(world: World, kind: str) -> None:
    for place in range(5):
        world.server.faults.add(Fault("POST", "/git/|/graphql|/pulls$", kind, after_skipping=place))
        name = f"INC-{place}"
        assert_settled(world, document(NEWS, name), name, pulls=1)
    assert len(world.server.faults.fired) == 5


def test_with_the_state_store_lost_the_pull_requests_are_found_again(world: World) -> None:
    world.night(document(NEWS, "INC-1"), document(NEWS, "INC-2"))
    world.people.close("ana", 2)
    query(world.dsn, "delete from nightshift.postmortem_pulls returning 1")
    before = world.writes()
    found = world.night(document(NEWS, "INC-1"), document(NEWS, "INC-2"))
    assert [(each.state, each.number) for each in found.values()] == [("open", 1), ("closed", 2)]
    assert world.writes() == before


def _opened(world: World, name: str) -> None:
    assert world.proposed(document("10:00 it began", name)).state == "open"

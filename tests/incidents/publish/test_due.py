"""Which documents a night proposes again, and what it remembers of those that it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from dagster_project.pipeline import postmortems
from dagster_project.pipeline.postmortem_pulls import Proposed
from dagster_project.pipeline.runtime import Runtime
from tests.incidents.capture.night import after
from tests.incidents.incident_nights import capture, fill_day, night, record, rows_of

REPOSITORY = "acme/postmortems"
DOWN = Proposed("failed", "GitHub did not answer.")
Night = Callable[..., tuple[bool, Any]]


def proposing(runtime: Runtime, repository: str = REPOSITORY) -> Runtime:
    settings = runtime.settings
    # What else asks GitHub is refused at once: nobody listens there.
    nowhere = {"token": SecretStr("t0ken"), "base_url": "http://127.0.0.1:1", "attempts": 1}
    github = settings.github.model_copy(update=nowhere)
    incidents = settings.incidents.model_copy(update={"repository": repository})
    return replace(runtime, settings=settings.model_copy(update={"github": github, "incidents": incidents}))


@pytest.fixture
def run(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A night, with what GitHub makes of a document (None: nothing is proposed): whether it was asked, and the document's row."""
    capture(runtime)

    def of(days: int, answer: Proposed | None, repository: str = REPOSITORY, **more: Any) -> tuple[bool, Any]:
        asked: list[str] = []

        def proposed(_: Runtime, __: date, generated: Mapping[str, str]) -> dict[str, Proposed]:
            asked.extend(generated)
            return dict.fromkeys(generated, answer) if answer is not None else {}

        monkeypatch.setattr(postmortems, "propose_postmortems", proposed)
        fill_day(runtime, after(days), incidents=[record(**more)])
        night(proposing(runtime, repository), after(days))
        (row,) = rows_of(runtime, "postmortems", after(days))
        return bool(asked), tuple(row[name] for name in ("repository", "pull_request", "url", "state"))

    return of


def test_a_night_that_could_not_propose_forgets_no_pull_request_and_the_next_one_tries_again(run: Night) -> None:
    assert run(0, Proposed("open", "It is new.", 7, "u/7")) == (True, (REPOSITORY, 7, "u/7", "open"))
    assert run(1, DOWN) == (False, (REPOSITORY, 7, "u/7", "open"))
    assert run(2, DOWN, title="Payments failed") == (True, (REPOSITORY, 7, "u/7", "failed"))
    assert run(3, Proposed("waiting", "A kill switch is on."), title="Payments failed")[1][3] == "waiting"
    assert run(4, Proposed("open", "It was brought up to date.", 7, "u/7"), title="Payments failed")[0]
    assert run(5, DOWN, title="Payments failed") == (False, (REPOSITORY, 7, "u/7", "open"))


@pytest.mark.parametrize("state", ["merged", "closed", "unchanged"])
def test_what_is_settled_is_not_proposed_every_night(run: Night, state: str) -> None:
    run(0, Proposed(state, ""))
    assert run(1, DOWN) == (False, (REPOSITORY, None, None, state))


def test_what_was_in_the_outbox_is_proposed_once_there_are_credentials(run: Night) -> None:
    run(0, Proposed("outbox", ""))
    assert run(1, Proposed("open", "", 1, "u/1")) == (True, (REPOSITORY, 1, "u/1", "open"))


def test_news_of_a_night_that_proposes_nothing_waits(run: Night) -> None:
    run(0, Proposed("open", "", 7, "u/7"))
    assert run(1, None, title="Payments failed") == (True, (REPOSITORY, 7, "u/7", "waiting"))
    assert run(2, Proposed("open", "", 7, "u/7"), title="Payments failed")[0]


def test_another_repository_has_another_pull_request(run: Night) -> None:
    run(0, Proposed("open", "", 7, "u/7"))
    assert run(1, DOWN, "acme/reviews") == (True, ("acme/reviews", None, None, "failed"))

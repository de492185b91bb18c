"""What 'nightshift incidents' shows of an incident: no secret, no person; times, codes and ids as they are."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
import re
from datetime import datetime

import pytest

from dagster_project.commands.incidents import _lines
from dagster_project.domain.incidents.events import Event
from dagster_project.pipeline import incident_answers
from dagster_project.pipeline.incident_answers import Shown, listed, pick, shown
from dagster_project.pipeline.runtime import Runtime
from tests.incidents.capture.night import DAY, on
from tests.incidents.event_builders import said
from tests.incidents.incident_nights import capture, fill_day, record

PEOPLE = ("priya", "nair", "zainab", "okonkwo", "ngozi", "okafor", "kskywalk")
CALL = {
    "url": "https://x.io/priya.nair",
    "payload": {"api_call": "x"},
    "service": "payment-api",
    "target": "priya.nair",
    "actor": "priya.nair",
}


def at(minute: int) -> datetime:
    return datetime(2025, 3, 3, 8, minute)


@pytest.fixture
def full(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """An incident that has a person or a secret in each place where one can stand."""
    monkeypatch.setattr(incident_answers, "user_of_this_process", lambda: "kskywalk")
    alarm = {"alarm_name": "password=hunter2-alarm", "breach_started_at": "2025-03-03T08:12:00+00:00"}
    capture(
        runtime,
        said("08:20", "looking", source_event_id="s1", actor="Priya Nair"),
        said("08:21", "over to Ngozi now. Ngozi Okafor is here", source_event_id="s2", actor="Priya Nair"),
        Event("cloudtrail", "c1", at(30), "changes", "api_call", "DeleteAccessKey of priya.nair", **CALL),
        Event(
            "cloudwatch_alarms", "acc/password=hunter2-alarm/1", at(14), "alarms", "alarm", "Alarm x went to ALARM",
            service="payment-api", payload=alarm,
        ),
    )  # fmt: skip
    title = "Outage. Zainab Okonkwo broke it, password: hunter2"
    row = record(commander="Priya Nair", slack_channel="priya-nair-dm", title=title, summary="Root *password*: hunter2")
    fill_day(runtime, incidents=[row])
    now = on(runtime, DAY)
    pick(now, "INC-1", "impact_started", "2025-03-03 08:13", "told by Zainab, *Password*: hunter2", None)
    return now


def whole(found: Shown) -> list[str]:
    return [found.to_json().lower(), "\n".join(_lines(found)).lower()]


def test_no_part_shows_a_secret_or_a_person(full: Runtime) -> None:
    for text in whole(shown(full, "INC-1")):
        assert "hunter2" not in text
        assert not [name for name in PEOPLE if name in text]


def test_somebody_is_the_same_person_in_every_part(full: Runtime) -> None:
    found = json.loads(shown(full, "INC-1").to_json())
    somebody = found["incident"]["commander"].removeprefix("commander-")
    call = next(entry for entry in found["timeline"] if entry["kind"] == "api_call")

    assert re.fullmatch(r"[0-9a-f]{4}", somebody)
    assert found["incident"]["slack_channel"] == f"engineer-{somebody}-dm"
    assert call["text"] == f"DeleteAccessKey of engineer-{somebody}"
    assert (call["actor"], call["target"]) == (f"engineer-{somebody}", f"engineer-{somebody}")
    assert call["url"] == f"https://x.io/engineer-{somebody}"


def test_whoever_set_a_time_is_a_person_in_its_reason(full: Runtime) -> None:
    (word,) = (each for each in json.loads(shown(full, "INC-1").to_json())["phases"]["impact_started"] if each["is_chosen"])

    assert re.match(r"engineer-[0-9a-f]{4} set it on 2025-03-10: told by engineer-[0-9a-f]{4}, ", word["reason"])


def test_times_codes_and_ids_stay_as_they_are(full: Runtime) -> None:
    found = json.loads(shown(full, "INC-1").to_json())
    alarm = next(entry for entry in found["timeline"] if entry["kind"] == "alarm")
    detected = found["phases"]["detected"]

    assert (found["incident"]["incident_id"], found["incident"]["severity"]) == ("INC-1", "SEV-1")
    assert (alarm["lane"], alarm["service"]) == ("alarms", "payment-api")
    assert alarm["sources"] == [
        {"source": "cloudwatch_alarms", "source_event_id": "acc/password=[password removed]", "version": 1}
    ]
    assert {each["method"] for each in detected} >= {"stated", "first_alarm"}
    assert {each["at"] for each in detected} == {"2025-03-03 08:14:00", "2025-03-03 08:17:00"}


def test_titles_of_the_list_name_nobody(full: Runtime) -> None:
    (row,) = listed(full)

    assert re.fullmatch(r"Outage\. engineer-[0-9a-f]{4} broke it, password: \[password removed\]", row.title)

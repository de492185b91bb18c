"""What the demo's evidence promises to whatever makes postmortems of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from dagster_project.demo.activities import GROUP_OF
from dagster_project.demo.conversations import BLAMING, PEOPLE, PLANTED, ROBOT
from dagster_project.demo.decisions import UNDECLARED, cascade_decisions
from dagster_project.demo.evidence import evidence
from dagster_project.demo.fleet import DEMO_SEED
from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID, incidents
from dagster_project.demo.messages import channel_of
from dagster_project.demo.services import SERVICES
from dagster_project.demo.story import CHANGES
from dagster_project.domain.incidents.events import LANES, Event

EVIDENCE = evidence(DEMO_SEED)
INCIDENTS = {row["incident_id"]: row for row in incidents()}
MINUTE = timedelta(minutes=1)

# What the two cascades are known for, by the clocks of those who lived through them (EST, UTC-5).
OUTAGE_MINUTES = (
    ("03:14", "error rate is 47 %"), ("03:17", "Awake"), ("03:45", "still do not know what is wrong"),
    ("04:12", "fraud-detection-api looks suspicious"), ("04:18", "waking up the service owner"),
    ("04:47", "Check the database"), ("05:23", "Connection pool exhaustion"), ("06:02", "Failing payment-db over now"),
    ("06:06", "made things worse"), ("06:45", "cascading retry storm"), ("07:37", "Partial recovery"), ("07:52", "Full recovery"),
)  # fmt: skip
BLACK_FRIDAY_MINUTES = (
    ("23:23", "latency p99 is 500 ms"), ("23:24", "timeouts of user-preferences-api"), ("23:25", "retries per request"),
    ("23:26", "checkout-api-latency"), ("23:27", "full connection pool is 12"), ("23:29", "open circuit breakers is 12"),
    ("23:31", "DatabaseConnections is 3,000"), ("23:34", "payments per second is 0"), ("23:36", "healthy machines is 0 %"),
    ("23:42", "47 services are failing"), ("23:45", "I do not know where to start"), ("00:17", "Escalating to the senior SRE"),
    ("00:34", "Escalating to the VP Engineering"), ("01:23", "All hands war room on bridge 1, 23 engineers"),
    ("02:45", "Root cause identified"), ("03:12", "Gradual recovery begins"), ("04:18", "Full platform recovery"),
)  # fmt: skip


def of(source: str, **wanted: object) -> list[Event]:
    return [
        event
        for event in EVIDENCE
        if event.source == source and all(getattr(event, name) == value for name, value in wanted.items())
    ]


def in_utc(clock: str, evening: str) -> datetime:
    """A minute of a night that began, in New York, on the day ``evening`` or just after it."""
    at = datetime.fromisoformat(f"{evening} {clock}") + timedelta(hours=5)
    return at if clock >= "12:00" else at + timedelta(days=1)


@pytest.mark.parametrize(
    ("incident_id", "evening", "clock", "text"),
    [
        *((OUTAGE_ID, "2025-03-02", *minute) for minute in OUTAGE_MINUTES),
        *((BLACK_FRIDAY_ID, "2024-11-29", *minute) for minute in BLACK_FRIDAY_MINUTES),
    ],
)
def test_the_two_cascades_are_told_minute_by_minute(incident_id: str, evening: str, clock: str, text: str) -> None:
    told = [event for event in EVIDENCE if event.incident_id == incident_id and text in event.text]
    assert in_utc(clock, evening) in [event.occurred_at.replace(second=0, microsecond=0) for event in told]


def test_black_friday_ends_the_day_after_it_began() -> None:
    assert in_utc("23:42", "2024-11-29") + timedelta(hours=4, minutes=36) == INCIDENTS[BLACK_FRIDAY_ID]["resolved_at"]


def test_every_incident_has_evidence_by_time_in_a_known_lane() -> None:
    assert len(EVIDENCE) == 288
    assert [event.occurred_at for event in EVIDENCE] == sorted(event.occurred_at for event in EVIDENCE)
    assert {event.incident_id for event in EVIDENCE} == {*INCIDENTS, None}
    assert {event.lane for event in EVIDENCE} == set(LANES) - {"engine", "record"}
    assert {event.source for event in EVIDENCE} == {"slack", "cloudwatch_alarms", "scaling_activities", "cloudtrail", "github"}
    assert {event.service for event in EVIDENCE} <= set(SERVICES)
    least = {name: sum(event.incident_id == name for event in EVIDENCE) for name in INCIDENTS}
    assert min(least.values()) >= 9
    assert least[OUTAGE_ID] > 90
    assert least[BLACK_FRIDAY_ID] > 70


def test_events_lie_in_the_days_of_their_incident() -> None:
    for event in EVIDENCE:
        if event.incident_id is not None:
            row = INCIDENTS[event.incident_id]
            last = row["resolved_at"] or datetime.fromisoformat("2025-03-09")
            assert row["impact_started_at"].date() <= event.occurred_at.date() <= last.date(), event


def test_the_same_seed_gives_the_same_events_and_another_one_other_ids() -> None:
    other = evidence(DEMO_SEED + 1)
    assert evidence(DEMO_SEED) == EVIDENCE
    seconds = [sorted((event.occurred_at.replace(microsecond=0), event.source) for event in told) for told in (other, EVIDENCE)]
    assert seconds[0] == seconds[1]
    assert {event.source_event_id for event in of("slack")}.isdisjoint(event.source_event_id for event in other)


def test_ids_are_unique_by_version_and_texts_are_short() -> None:
    assert len({(event.source, event.source_event_id, event.version) for event in EVIDENCE}) == len(EVIDENCE)
    assert all(len(event.text) <= 500 and (event.text or event.is_deleted) for event in EVIDENCE)


def test_messages_look_like_those_of_a_workspace() -> None:
    for event in of("slack"):
        channel, _, ts = event.source_event_id.partition("/")
        seconds, _, micros = ts.partition(".")
        assert channel == event.target == channel_of(event.incident_id)
        since_1970 = timedelta(seconds=int(seconds), microseconds=int(micros))
        assert datetime.fromisoformat("1970-01-01") + since_1970 == event.occurred_at
        assert event.actor in {*PEOPLE.values(), ROBOT}
        assert event.payload["is_bot"] == (event.actor == ROBOT)


def test_some_messages_are_pinned_or_reacted_to() -> None:
    pinned = [event for event in of("slack", version=1) if event.payload["is_pinned"]]
    assert len(pinned) == 20
    assert len([event for event in of("slack", version=1) if event.payload["reactions"]]) == 17
    found = [event for event in pinned if "cascading retry storm" in event.text]
    assert [event.payload["reactions"] for event in found] == [{"bulb": 7}]


def test_what_was_edited_or_deleted_keeps_its_earlier_version() -> None:
    later = of("slack", version=2)
    assert [event.is_deleted for event in later] == [False, False, False, True]
    for event in later:
        (first,) = of("slack", source_event_id=event.source_event_id, version=1)
        assert first.occurred_at == event.occurred_at
        assert first.recorded_at < event.recorded_at
        assert first.text != event.text


def test_pinned_messages_tell_an_incident_in_short() -> None:
    pinned = [event.text for event in of("slack", incident_id=OUTAGE_ID, kind="pinned")]
    words = ("Declaring SEV-1", "Connection pool exhaustion", "Root cause identified", "Partial recovery", "Full recovery")
    assert len(pinned) == len(words)
    assert all(word in text for word, text in zip(words, pinned, strict=True))


@pytest.mark.parametrize("planted", PLANTED)
def test_what_must_not_be_shown_is_really_there(planted: str) -> None:
    assert len([event for event in of("slack") if planted in event.text]) == 1


def test_one_secret_was_edited_away_and_another_still_stands() -> None:
    holding = {planted: event for planted in PLANTED for event in of("slack") if planted in event.text}
    newest = {event.source_event_id: event for event in of("slack")}
    standing = {planted for planted, event in holding.items() if planted in newest[event.source_event_id].text}
    assert standing == set(PLANTED[2:])


def test_one_sentence_blames_a_person_by_name() -> None:
    assert [event.incident_id for event in of("slack") if event.text == BLAMING] == [OUTAGE_ID]


def test_an_alarm_went_off_after_its_breach_had_begun() -> None:
    raised = of("cloudwatch_alarms", kind="alarm")
    delays = [event.occurred_at - datetime.fromisoformat(event.payload["breach_started_at"]) for event in raised]
    assert timedelta(0) < min(delays)
    assert max(delays) == timedelta(minutes=40)
    assert {event.payload["breach_started_at"] for event in of("cloudwatch_alarms", kind="alarm_ok")} == {None}
    assert {(event.kind, event.payload["new_state"]) for event in of("cloudwatch_alarms")} == {
        ("alarm", "ALARM"), ("alarm_ok", "OK"),
    }  # fmt: skip


def test_alarms_went_back_to_normal_but_those_of_the_open_incident() -> None:
    standing: dict[str, Event] = {event.payload["alarm_name"]: event for event in of("cloudwatch_alarms")}
    assert [name for name, event in standing.items() if event.kind == "alarm"] == ["inventory-consumer-lag"]


def test_one_alarm_flaps() -> None:
    lag = [event for event in of("cloudwatch_alarms") if event.payload["alarm_name"] == "payment-db-replica-lag"]
    assert [event.kind for event in lag] == ["alarm", "alarm_ok"] * 4
    assert all(second.occurred_at - first.occurred_at < 3 * MINUTE for first, second in pairwise(lag))


def test_a_robot_repeats_alarms_within_a_minute() -> None:
    repeated = [event for event in of("slack") if "alarm_name" in event.payload]
    assert len(repeated) == 8
    for event in repeated:
        name = event.payload["alarm_name"]
        near = [alarm for alarm in of("cloudwatch_alarms", incident_id=event.incident_id) if alarm.payload["alarm_name"] == name]
        assert any(timedelta(0) < event.occurred_at - alarm.occurred_at < MINUTE for alarm in near)


def test_releases_are_those_of_the_story_within_a_minute() -> None:
    told = {(ref, service): datetime.fromisoformat(when) for when, service, _, _, ref, _ in CHANGES}
    with_ref = [event for event in of("github") if (event.payload["ref"], event.service) in told]
    assert [event.payload["ref"] for event in with_ref] == ["cfg-1188", "cfg-1189", "v3.41.0", "v9.12.0", "v9.11.3", "v7.20.0"]
    for event in with_ref:
        assert timedelta(0) < event.occurred_at - told[event.payload["ref"], event.service] < MINUTE
    merged = of("github", kind="pull_request")
    assert [event.payload["number"] for event in merged] == [871, 872, 1530, 1198, 2044]
    commits = {event.payload["sha"] for event in of("github") if "sha" in event.payload}
    assert {event.payload["ref"] for event in merged} - {"cfg-1188", "cfg-1189"} < commits


def test_every_scale_up_of_a_group_is_a_call_and_two_members() -> None:
    ups = [
        row
        for row in cascade_decisions(DEMO_SEED)
        if row["action_type"] == "scale_up" and row["outcome"] == "succeeded" and row["target"] in GROUP_OF
    ]
    assert len(ups) == 8
    for row in ups:
        group, at = GROUP_OF[row["target"]], row["decision_time"]
        calls = [call for call in of("cloudtrail", target=group) if timedelta(0) < call.occurred_at - at < MINUTE]
        assert [(call.payload["api_call"], call.actor) for call in calls] == [("UpdateAutoScalingGroup", "decision-engine")]
        members = [each for each in of("scaling_activities", target=group) if timedelta(0) < each.occurred_at - at < MINUTE]
        assert ["Launching" in each.text for each in members] == [True, True]


def test_what_checkout_got_on_black_friday_was_never_given_back() -> None:
    launched: dict[str, str] = {}
    for event in of("scaling_activities"):
        (instance,) = (word for word in event.text.split() if word.startswith("i-"))
        if "Launching" in event.text:
            launched[instance] = event.service
        else:
            assert launched.pop(instance) == event.service
    assert list(launched.values()) == ["checkout-api", "checkout-api"]


def test_refused_calls_have_their_error_and_the_failover_is_there_with_its_way_back() -> None:
    refused = [event for event in of("cloudtrail") if event.payload["outcome"] == "failed"]
    assert [(event.payload["api_call"], event.payload["error_code"]) for event in refused] == [
        ("RunInstances", "AccessDenied"), ("ModifyDBInstance", "AccessDenied"),
    ]  # fmt: skip
    reboots = [event for event in of("cloudtrail", incident_id=OUTAGE_ID) if event.payload["api_call"] == "RebootDBInstance"]
    assert [f"{event.occurred_at:%H:%M}" for event in reboots] == ["11:02", "11:31"]


def test_one_emergency_was_never_declared_and_keeps_nothing_from_being_cut() -> None:
    service, day = UNDECLARED
    rows = [row for row in cascade_decisions(DEMO_SEED) if row["incident_id"] is None]
    emergency = [row for row in rows if row["action_type"] in ("scale_up", "circuit_break")]
    assert {row["target"] for row in rows} == {service}
    assert {str(row["decision_time"].date()) for row in rows} == {day}
    assert len(emergency) == 6
    assert emergency[-1]["decision_time"] - emergency[0]["decision_time"] == timedelta(minutes=21)
    assert not [row for row in rows if row["action_type"] == "scale_up" and row["outcome"] == "succeeded"]
    assert [row["incident_id"] for row in incidents() if str(row["impact_started_at"].date()) == day] == []
    alarms = [event for event in EVIDENCE if event.incident_id is None]
    assert [(event.service, event.kind) for event in alarms] == [(service, "alarm"), (service, "alarm_ok")]

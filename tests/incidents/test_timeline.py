"""The fused timeline: one fact is one entry with all its sources, repeats are counted, silence is shown."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.model import Moment
from dagster_project.domain.incidents.timeline import Entry, fuse
from tests.incidents.event_builders import alarm, at, decision, event, phases, said


def fused(*events: Event, **times: str) -> tuple[Entry, ...]:
    return fuse(events, phases(**times), silence_minutes=15)


def shown(entries: tuple[Entry, ...]) -> list[str]:
    return [
        f"{entry.at:%H:%M:%S} {entry.lane} {entry.text}" + (f" ×{entry.times}" if entry.times > 1 else "") for entry in entries
    ]


def test_events_are_told_by_time_whatever_their_order() -> None:
    entries = fused(said("08:17", "Looking"), alarm("08:14"), decision("08:14:40"))
    assert shown(entries) == [
        "08:14:00 alarms Alarm payment-errors went to ALARM",
        "08:14:40 engine scale_up of payment-api succeeded",
        "08:17:00 people Looking",
    ]


def test_a_deployment_that_two_sources_tell_is_one_entry_with_both() -> None:
    first = event(
        "07:52:00", "changes", "deployment", "v7.20.0", source="change_events", service="payment-api", payload={"ref": "v7.20.0"}
    )
    second = event("07:52:31", "changes", "deployment", "payment-api v7.20.0 deployed", source="github", service="payment-api",
                   payload={"ref": "v7.20.0"}, url="https://example.test/1")  # fmt: skip
    (entry,) = fused(second, first)
    assert [source.source for source in entry.sources] == ["change_events", "github"]
    assert (entry.at, entry.text, entry.url) == (at("07:52:00"), "payment-api v7.20.0 deployed", "https://example.test/1")


def test_two_deployments_of_one_ref_that_one_source_tells_are_two() -> None:
    entries = [
        event(clock, "changes", "deployment", "v1", source="github", service="a", payload={"ref": "v1"})
        for clock in ("07:52", "07:53")
    ]
    assert len(fuse(entries, {}, silence_minutes=15)) == 1  # the same text within five minutes: one entry …
    assert fuse(entries, {}, silence_minutes=15)[0].times == 2  # … that says twice


def test_an_activity_of_the_group_is_what_the_engine_did() -> None:
    activity = event(
        "08:15:20", "scaling", "scaling_activity", "Launching a new EC2 instance", target="payment-asg", service="payment-api"
    )
    (entry,) = fused(decision("08:14:40"), activity)
    assert (entry.lane, [source.source for source in entry.sources]) == ("engine", ["decision_audit", "scaling"])


def test_an_activity_three_minutes_later_is_a_fact_of_its_own() -> None:
    activity = event("08:18:00", "scaling", "scaling_activity", "Launching a new EC2 instance", service="payment-api")
    assert len(fused(decision("08:14:40"), activity)) == 2


def test_an_event_that_two_replicas_of_the_engine_took_is_one() -> None:
    (entry,) = fused(decision("08:14:40", payload={"event_id": "evt-1"}), decision("08:14:42", payload={"event_id": "evt-1"}))
    assert (entry.times, len(entry.sources)) == (1, 2)


def test_a_robots_message_about_an_alarm_is_the_alarm() -> None:
    (entry,) = fused(
        alarm("08:14:00"), said("08:14:05", "ALARM payment-errors: 47 % of requests fail", None, alarm_name="payment-errors")
    )
    assert (entry.lane, entry.text, len(entry.sources)) == ("alarms", "Alarm payment-errors went to ALARM", 2)


def test_rapid_repeats_collapse_with_a_count_and_the_last_time() -> None:
    entries = fused(*(decision(f"08:{minute}:00", outcome="skipped", reason="cooldown") for minute in ("19", "21", "24", "40")))
    assert shown(entries) == [
        "08:19:00 engine scale_up of payment-api skipped: cooldown ×3",
        "08:40:00 engine scale_up of payment-api skipped: cooldown",
    ]
    assert (entries[0].until, entries[0].is_non_action) == (at("08:24:00"), True)


def test_a_flapping_alarm_is_one_entry() -> None:
    (entry,) = fused(alarm("08:14"), alarm("08:16", ok=True), alarm("08:18"), alarm("08:20", ok=True))
    assert (entry.kind, entry.times, entry.until) == ("flapping", 4, at("08:20"))
    assert entry.text == "Alarm payment-errors went off and back to normal repeatedly"


def test_an_alarm_that_went_back_once_did_not_flap() -> None:
    (entry,) = fused(alarm("08:14"), alarm("08:16", ok=True))
    assert (entry.text, entry.times) == ("Alarm payment-errors went off and back to normal", 2)


def test_a_deployment_is_one_though_one_source_knows_its_tag_and_another_its_commit() -> None:
    first = event(
        "07:52:00", "changes", "deployment", "v7.20.0", source="change_events", service="pay", payload={"ref": "v7.20.0"}
    )
    second = event("07:52:31", "changes", "deployment", "9f2c1", source="github", service="pay", payload={"ref": "9f2c1"})
    assert [len(entry.sources) for entry in fused(first, second)] == [2]


def test_what_people_write_is_never_collapsed() -> None:
    assert len(fused(said("08:17", "?"), said("08:18", "?"))) == 2


def test_a_phase_marks_the_entry_that_it_was_read_from() -> None:
    raised = alarm("08:14:10", source_event_id="a1")
    moment = Moment(at("08:14:10"), source="cloudwatch_alarms", method="first_alarm", evidence=("cloudwatch_alarms:a1",))
    (entry,) = fuse([raised], {"detected": moment}, silence_minutes=15)
    assert (entry.phase, entry.lane) == ("detected", "alarms")


def test_a_phase_that_a_document_states_marks_the_row_of_its_line() -> None:
    row = event("08:14", "record", "key_event", "First detected", source="import", payload={"place": "a.md:9"})
    moment = Moment(at("08:14"), "minute", "import", "stated", evidence=("a.md:9",))
    (entry,) = fuse([row], {"detected": moment}, silence_minutes=15)
    assert (entry.text, entry.phase) == ("First detected", "detected")


def test_a_breach_lies_before_its_alarm_and_has_an_entry_of_its_own() -> None:
    raised = alarm("08:14:10", source_event_id="a1")
    moment = Moment(
        at("08:09"), "second", "cloudwatch_alarms", "breach_start", 0.8, ("cloudwatch_alarms:a1",), reason="It began then."
    )
    first, second = fuse([raised], {"impact_started": moment}, silence_minutes=15)
    assert (first.phase, first.text, second.phase) == ("impact_started", "It began then.", None)


def test_silence_between_detection_and_mitigation_is_shown() -> None:
    entries = fused(alarm("08:14"), said("08:17", "Looking"), said("08:45", "Still looking"), mitigated="09:10", detected="08:14")
    silent = [(f"{entry.at:%H:%M}", f"{entry.until:%H:%M}", entry.text) for entry in entries if entry.kind == "silence"]
    assert silent == [
        ("08:17", "08:45", "Nothing was recorded for 28 minutes."),
        ("08:45", "09:10", "Nothing was recorded for 25 minutes."),
    ]


def test_silence_before_detection_and_after_mitigation_is_nobodys_fault() -> None:
    entries = fused(
        event("07:00", "changes", "deployment"), alarm("08:14"), said("10:00", "Thanks all"), detected="08:14", mitigated="08:20"
    )
    assert not [entry for entry in entries if entry.kind == "silence"]


def test_repeats_are_no_silence() -> None:
    repeats = [decision(f"08:{minute:02d}", outcome="skipped", reason="cooldown") for minute in range(14, 44, 4)]
    entries = fused(*repeats, said("08:44", "Hm"), detected="08:14", mitigated="08:46")
    assert not [entry for entry in entries if entry.kind == "silence"]


def test_while_nothing_is_mitigated_silence_lasts_until_now() -> None:
    entries = fuse([alarm("08:14")], phases(detected="08:14"), silence_minutes=15, ends_at=at("10:14"))
    assert [(entry.text, entry.until) for entry in entries if entry.kind == "silence"] == [
        ("Nothing was recorded for 2 h 00 min.", at("10:14"))
    ]


def test_a_deleted_message_leaves_its_place() -> None:
    (entry,) = fused(event("08:17", "people", "message", "the password is …", is_deleted=True))
    assert entry.text == "(this message was deleted)"


moments = st.integers(0, 3600).map(lambda seconds: at("08:00") + timedelta(seconds=seconds))
kinds = st.sampled_from(["decision", "alarm", "ok", "message", "deployment", "activity"])


def _any_event(number: int, kind: str, when: object) -> Event:
    clock = f"{when:%H:%M:%S}"
    name = f"n{number:04d}"
    match kind:
        case "decision":
            return decision(clock, source_event_id=name)
        case "alarm" | "ok":
            return event(
                clock, "alarms", "alarm" if kind == "alarm" else "alarm_ok", payload={"alarm_name": "x"}, source_event_id=name
            )
        case "message":
            return event(clock, "people", "message", "hello", source_event_id=name)
        case "deployment":
            return event(clock, "changes", "deployment", "v1", service="payment-api", payload={"ref": "v1"}, source_event_id=name)
        case _:
            return event(clock, "scaling", "scaling_activity", service="payment-api", source_event_id=name)


@given(st.lists(st.tuples(kinds, moments), max_size=30), st.randoms(use_true_random=False))
def test_nothing_is_lost_or_told_twice_and_the_order_of_arrival_does_not_matter(drawn: list, shuffle: object) -> None:
    events = [_any_event(number, kind, when) for number, (kind, when) in enumerate(drawn)]
    entries = fuse(events, {}, silence_minutes=15)
    told = [(source.source, source.source_event_id) for entry in entries for source in entry.sources]
    assert sorted(told) == sorted((each.source, each.source_event_id) for each in events)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    mixed = list(events)
    shuffle.shuffle(mixed)
    assert fuse(mixed, {}, silence_minutes=15) == entries

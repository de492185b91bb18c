"""Phases: stated times first, evidence where it is sure, a person's pick above all, and unknown stays unknown."""

from __future__ import annotations

from dagster_project.domain.incidents.model import ImpactWindow, Moment
from dagster_project.domain.incidents.phases import Choice, choose_phases
from tests.incidents.event_builders import alarm, at, decision, event, incident, phases, said


def chosen(choices: tuple[Choice, ...]) -> dict[str, str]:
    return {each.phase: f"{each.chosen.at:%H:%M:%S}" for each in choices if each.chosen is not None}


def candidates(choices: tuple[Choice, ...], phase: str) -> list[tuple[str, str]]:
    found = next((each.candidates for each in choices if each.phase == phase), ())
    return [(moment.method, f"{moment.at:%H:%M:%S}") for moment in found]


def test_without_any_evidence_every_phase_is_unknown() -> None:
    assert choose_phases(incident(), {}, []) == ()


def test_a_stated_time_comes_before_what_evidence_says_and_the_evidence_stays_beside_it() -> None:
    choices = choose_phases(incident(phases=phases(detected="08:20")), {}, [alarm("08:14:10")])
    assert chosen(choices)["detected"] == "08:20:00"
    assert candidates(choices, "detected") == [("stated", "08:20:00"), ("first_alarm", "08:14:10")]


def test_the_breach_of_an_alarm_is_when_impact_began_and_not_when_it_was_detected() -> None:
    choices = choose_phases(incident(), {}, [alarm("08:14:10", breach_started_at="2025-03-03T08:09:00+00:00")])
    assert chosen(choices) == {"impact_started": "08:09:00", "detected": "08:14:10"}


def test_an_alarm_that_was_over_before_it_began_did_not_detect_it() -> None:
    choices = choose_phases(incident(phases=phases(impact_started="09:00")), {}, [alarm("08:35"), alarm("08:40", ok=True)])
    assert "detected" not in chosen(choices)
    assert candidates(choices, "detected") == [("first_alarm", "08:35:00")]


def test_an_alarm_that_came_when_it_was_over_did_not_detect_it() -> None:
    stated = incident(phases=phases(impact_started="09:00", resolved="10:00"))
    assert "detected" not in chosen(choose_phases(stated, {}, [alarm("10:55")]))


def test_an_alarm_that_was_still_on_when_it_began_detected_it() -> None:
    stated = incident(phases=phases(impact_started="09:00", resolved="10:00"))
    assert chosen(choose_phases(stated, {}, [alarm("08:55"), alarm("09:40", ok=True)]))["detected"] == "08:55:00"


def test_evidence_alone_does_not_end_what_goes_on() -> None:
    burn = Moment(at("09:00"), "minute", "sli_events", "burn_ended", 0.8)
    going_on = incident(status="investigating", phases=phases(impact_started="08:14"))
    assert "impact_ended" not in chosen(choose_phases(going_on, {}, [], [("impact_ended", burn)]))
    over = incident(status="resolved", phases=phases(impact_started="08:14"))
    assert chosen(choose_phases(over, {}, [], [("impact_ended", burn)]))["impact_ended"] == "09:00:00"


def test_an_alarm_with_unreadable_data_gives_no_impact_start() -> None:
    choices = choose_phases(incident(), {}, [alarm("08:14:10", breach_started_at="soon")])
    assert "impact_started" not in chosen(choices)


def test_the_first_decision_detects_where_no_alarm_does() -> None:
    choices = choose_phases(incident(), {}, [decision("08:14:40", payload={"event_at": "2025-03-03 08:14:05"})])
    assert chosen(choices) == {"detected": "08:14:40"}
    assert candidates(choices, "impact_started") == [("first_condition", "08:14:05")]


def test_a_dry_run_detects_nothing() -> None:
    assert choose_phases(incident(), {}, [decision("08:14:40", payload={"is_dry_run": True})]) == ()


def test_decisions_of_the_incident_come_before_others_of_its_time() -> None:
    events = [decision("08:10:00"), decision("08:14:40", incident_id="INC-1")]
    assert chosen(choose_phases(incident(), {}, events))["detected"] == "08:14:40"


def test_words_of_people_are_candidates_and_never_chosen() -> None:
    events = [
        said("08:17", "Looking"), said("09:18", "I have declared an incident"), said("11:45", "Root cause: a retry storm"),
        said("12:37", "Errors are dropping"), said("12:52", "All clear"),
    ]  # fmt: skip
    choices = choose_phases(incident(), {}, events)
    assert chosen(choices) == {}
    assert {each.phase for each in choices} == {"acknowledged", "declared", "identified", "mitigated", "resolved"}
    assert candidates(choices, "resolved") == [("said", "12:52:00")]


def test_a_pinned_message_weighs_more() -> None:
    choices = choose_phases(incident(), {}, [said("11:45", "Root cause: a retry storm", is_pinned=True)])
    assert next(each for each in choices if each.phase == "identified").candidates[0].confidence == 0.6


def test_a_robot_does_not_acknowledge() -> None:
    assert choose_phases(incident(), {}, [said("08:15", "ALARM: payment-errors", is_bot=True)]) == ()


def test_a_deleted_message_says_nothing() -> None:
    gone = event("08:17", "people", "message", "Resolved", actor="Ada", is_deleted=True)
    assert choose_phases(incident(), {}, [gone]) == ()


def test_a_pick_comes_first_whatever_the_others_say() -> None:
    pick = Moment(at("08:02"), "minute", "person", "picked", 1.0, reason="Graphs show it")
    choices = choose_phases(incident(phases=phases(impact_started="08:14")), {"impact_started": pick}, [])
    assert chosen(choices) == {"impact_started": "08:02:00"}
    assert candidates(choices, "impact_started") == [("picked", "08:02:00"), ("stated", "08:14:00")]


def test_a_pick_makes_a_phase_known_that_nothing_else_tells() -> None:
    pick = Moment(at("12:00"), "minute", "person", "picked")
    assert chosen(choose_phases(incident(), {"closed": pick}, [])) == {"closed": "12:00:00"}


def test_measured_candidates_are_ranked_with_the_others() -> None:
    burn = Moment(at("08:12"), "minute", "sli_events", "burn_started", 0.8)
    saturated = Moment(at("08:05"), "minute", "utilization", "saturated", 0.5)
    choices = choose_phases(incident(), {}, [], [("impact_started", saturated), ("impact_started", burn)])
    assert candidates(choices, "impact_started") == [("burn_started", "08:12:00"), ("saturated", "08:05:00")]
    assert chosen(choices) == {"impact_started": "08:12:00"}


def test_published_windows_say_when_impact_began_and_ended() -> None:
    windows = (ImpactWindow(at("10:00"), at("10:30")), ImpactWindow(at("08:00"), at("08:20")))
    assert chosen(choose_phases(incident(windows=windows), {}, [])) == {"impact_started": "08:00:00", "impact_ended": "10:30:00"}


def test_an_open_window_does_not_end() -> None:
    windows = (ImpactWindow(at("08:00"), at("08:20")), ImpactWindow(at("10:00"), None))
    assert chosen(choose_phases(incident(windows=windows), {}, [])) == {"impact_started": "08:00:00"}


def test_impact_does_not_end_with_an_alarm_that_came_back() -> None:
    events = [alarm("08:14"), alarm("08:20", ok=True), alarm("08:25")]
    assert candidates(choose_phases(incident(), {}, events), "impact_ended") == []


def test_a_deployment_that_was_taken_back_caused_it() -> None:
    events = [
        event("07:52", "changes", "deployment", "v7.20.0", service="payment-api", payload={"ref": "v7.20.0"}),
        decision("08:30", "rollback"),
    ]
    choices = choose_phases(incident(phases=phases(impact_started="08:14")), {}, events)
    assert chosen(choices)["caused_by_change"] == "07:52:00"


def test_a_deployment_that_only_preceded_it_is_a_candidate() -> None:
    events = [event("07:52", "changes", "deployment", "v7.20.0", service="payment-api")]
    choices = choose_phases(incident(phases=phases(impact_started="08:14")), {}, events)
    assert candidates(choices, "caused_by_change") == [("preceded", "07:52:00")]
    assert "caused_by_change" not in chosen(choices)


def test_a_deployment_of_another_service_or_of_the_day_before_is_none() -> None:
    events = [
        event("06:52", "changes", "deployment", "old", service="payment-api"),
        event("08:00", "changes", "deployment", "other", service="search-api"),
    ]
    assert candidates(choose_phases(incident(phases=phases(impact_started="08:14")), {}, events), "caused_by_change") == []

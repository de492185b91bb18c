"""Postmortems in several layouts: what is read of them, and what is said of the rest."""

from __future__ import annotations

from datetime import date

import pytest

from dagster_project.domain.incidents.importing.reading import read_text
from tests.incidents.importing.importing_builders import at, document, markdown, only, times


def test_a_bullet_timeline_below_a_day_with_its_zone() -> None:
    imported = only(document("sre-table.md"))
    assert times(imported) == {
        "impact_started": at("2015-10-21 14:54"),
        "detected": at("2015-10-21 14:51"),
        "declared": at("2015-10-21 14:57"),
        "mitigated": at("2015-10-21 16:00"),
        "impact_ended": at("2015-10-21 16:00"),
        "resolved": at("2015-10-21 16:30"),
    }
    assert len(imported.events) == 8
    assert imported.incident.phases["detected"].method == "timeline_order"
    assert imported.incident.phases["detected"].confidence < 0.5


def test_sections_by_label_and_by_heading_have_canonical_names() -> None:
    sections = only(document("sre-table.md")).sections
    assert sections["impact"] == "An estimated 1.21B queries were lost."
    assert sections["lucky"] == "- A mailing list had the new sonnet."
    assert {"summary", "contributing_factors", "resolution", "detection", "went_well", "went_wrong", "timeline"} <= set(sections)


def test_a_table_of_action_items_gives_owner_type_tracker_and_state() -> None:
    first, second, third = only(document("sre-table.md")).action_items
    assert (first.owner, first.type, first.state, first.tracker_key) == ("ada", "mitigate", "done", None)
    assert (second.owner, second.tracker, second.tracker_key, second.state) == ("brian", "jira", "BUG-5554823", "open")
    assert (third.owner, third.tracker_key, third.state) == ("carla", "acme/search#77", "in_progress")
    assert third.url == "https://github.com/acme/search/issues/77"
    assert third.place == "sre-table.md:27"


def test_a_table_of_properties_and_a_timeline_with_actors() -> None:
    result = document("properties-table.md")
    imported = only(result)
    assert times(imported) == {
        "impact_started": at("2024-03-08 17:58"),
        "detected": at("2024-03-08 18:04"),
        "acknowledged": at("2024-03-08 18:06"),
        "mitigated": at("2024-03-08 18:31"),
        "resolved": at("2024-03-08 19:02"),
    }
    incident = imported.incident
    assert (incident.severity, incident.services, incident.commander) == ("SEV-2", ("checkout", "payments"), "Dana")
    rows = [(event.actor, event.occurred_at) for event in imported.events if event.kind == "note"]
    assert rows == [("pager", at("2024-03-08 18:04")), ("Dana", at("2024-03-08 18:06")), ("Eli", at("2024-03-08 18:30"))]
    assert [problem.line for problem in result.problems] == [27, 28]


def test_action_items_of_a_list_give_box_owner_key_and_day() -> None:
    first, second, third = only(document("properties-table.md")).action_items
    assert (first.state, first.owner, first.tracker_key) == ("done", "Eli", "PAY-123")
    assert (second.state, second.owner, second.due_on) == ("open", "dana", date(2024, 4, 1))
    assert (third.state, third.url) == ("declined", "https://example.com/template")


def test_headings_that_are_days_and_times_over_midnight_and_new_year() -> None:
    imported = only(document("day-headings.md"))
    assert [(event.occurred_at, event.precision) for event in imported.events] == [
        (at("2023-12-30 21:15"), "minute"),
        (at("2023-12-30 22:50"), "minute"),
        (at("2023-12-30 23:45"), "minute"),
        (at("2023-12-31 08:00"), "hour"),
        (at("2024-01-01 08:00"), "minute"),
    ]
    assert imported.events[1].payload["until_at"] == "2023-12-30T23:20:00"
    assert imported.events[2].payload["rolled_over"] is True
    assert imported.events[4].zone == "UTC"
    assert [item.tracker_key for item in imported.action_items] == ["#12", "acme/hub#34"]


def test_what_cannot_be_read_is_listed_with_its_line() -> None:
    result = document("prose-bullets.md")
    imported = only(result)
    assert [(problem.line, problem.sentence.split(":")[0]) for problem in result.problems] == [
        (10, "Time to recovery cannot be read as a duration"),
        (20, "There is no time '2024-05-02 25"),
        (21, "The line of the timeline has no time, or several"),
        (26, "The follow-up is prose, not a list"),
    ]
    assert [event.precision for event in imported.events] == ["minute", "minute", "day", "day", "minute"]
    assert [stated.minutes for stated in imported.stated] == [17]


def test_a_row_of_a_timeline_is_an_event_or_a_problem() -> None:
    rows = ["12:07 a", "~12:08 b", "12:0x c", "--:-- d", "12.10 – e", "99:99 f", "1:11 PM g", "later h"]
    body = "# 2024-05-02 Queue\n\n## Timeline\n\n" + "\n".join(f"- {row}" for row in rows)
    result = read_text(body, "queue.md")
    lines = {int(event.payload["place"].split(":")[1]) for event in only(result).events}
    assert lines | {problem.line for problem in result.problems} == set(range(5, 13))
    assert lines == {5, 6, 9, 11}


def test_stated_durations_point_at_rows() -> None:
    imported = markdown(
        "# Certificate\n\n## Timeline\n\nAll times in CET.\n\n| Time | Event |\n|---|---|\n"
        "| 2020-01-21 15:36 | Certificate expires |\n| 2020-01-21 16:02 | Alert from another service |\n"
        "| 2020-01-21 16:30 | Alert of the service |\n| 2020-01-21 18:04 | New certificates |\n\n"
        "# Stats\n\n- Time to detection: 54 minutes\n- Time to recovery: 148 minutes\n"
    )
    assert times(imported) == {
        "impact_started": at("2020-01-21 14:36"),
        "detected": at("2020-01-21 15:30"),
        "impact_ended": at("2020-01-21 17:04"),
    }
    assert {moment.method for moment in imported.incident.phases.values()} == {"stated_duration"}
    assert imported.others["detected"][0].at == at("2020-01-21 15:02")


def test_labels_in_a_timeline_are_surer_than_its_order() -> None:
    imported = markdown(
        "## Timeline\n\n| Time (UTC) | Event |\n|---|---|\n| 2022-02-09 06:16 | A developer reports something |\n"
        "| 2022-02-09 08:03 | **Discovery:** no metrics |\n| 2022-02-09 08:40 | **Recovery:** timeout raised |\n"
        "| 2022-02-09 12:10 | Incident declared resolved through the status page |\n"
    )
    phases = imported.incident.phases
    assert (phases["detected"].at, phases["detected"].method) == (at("2022-02-09 08:03"), "timeline_word")
    assert (phases["impact_ended"].at, phases["resolved"].at) == (at("2022-02-09 08:40"), at("2022-02-09 12:10"))
    assert "declared" not in phases
    assert phases["detected"].evidence == ("2024-05-02-queue.md:6",)


@pytest.mark.parametrize(
    "line",
    [
        "- Repaired 2024-05-02 14:20",
        "- Repaired: 2024-05-02 14:20",
        "- **Repaired**: 2024-05-02 14.20",
        "- Incident repaired 2024-05-02T14:20",
        "- Status: Recovered at 2024-05-02 14:20 UTC",
        "| End of impact | 2024-05-02 14:20 |\n|---|---|\n| End of impact | May 2, 2024 2:20 PM |",
    ],
)
def test_a_key_time_in_several_spellings(line: str) -> None:
    imported = markdown(
        f"# Incident on 2024-05-02\n\n- **Key events**\n\n{line}\n" if line[0] == "|" else f"**Key events**\n\n{line}\n"
    )
    assert times(imported)["impact_ended"] == at("2024-05-02 14:20")


def test_a_key_event_without_a_time_is_a_problem() -> None:
    result = read_text("- **Key events**\n  - First detected 2021-05-10 12:15\n  - Incident not declared\n", "a.md")
    assert [(problem.line, "no time" in problem.sentence) for problem in result.problems] == [(3, True)]
    assert list(only(result).incident.phases) == ["detected"]


def test_a_day_with_an_unknown_time_is_a_day() -> None:
    detected = markdown("**Key events**\n\n- First detected 2023-01-04 (Time TBC)\n").incident.phases["detected"]
    assert (detected.at, detected.precision, detected.confidence) == (at("2023-01-04"), "day", 0.6)


def test_a_beginning_and_an_end_that_are_days_are_no_window() -> None:
    imported = markdown("# Queue\n\nImpact start: 2024-05-01\nImpact end: 2024-05-02\n")
    assert [moment.precision for moment in imported.incident.phases.values()] == ["day", "day"]
    assert imported.incident.windows == ()
    exact = markdown("# Queue\n\nImpact start: 2024-05-01 10:00\nImpact end: 2024-05-01 10:40\n")
    assert [(one.started_at, one.ended_at) for one in exact.incident.windows] == [
        (at("2024-05-01 10:00"), at("2024-05-01 10:40"))
    ]


def test_an_impossible_date_is_no_phase_and_no_guessed_row() -> None:
    imported = markdown("**Key events**\n\n- First detected 22025-03-18 09:36\n- Resolved 2025-03-18 10:40\n")
    assert list(imported.incident.phases) == ["resolved"]
    (doubt,) = imported.doubts
    assert (doubt.code, doubt.phase, doubt.suggestion) == ("impossible_date", "detected", at("2025-03-18 09:36"))
    assert imported.events[0].precision == "unknown"


def test_the_zone_of_the_settings_holds_where_the_document_says_none() -> None:
    body = "**Key events**\n\n- Repaired 2024-07-01 12:00\n- Resolved 2024-07-01 12:00 UTC\n"
    assert times(markdown(body, zone="Europe/London")) == {
        "impact_ended": at("2024-07-01 11:00"),
        "resolved": at("2024-07-01 12:00"),
    }


def test_an_edited_title_or_another_zone_keeps_the_ids() -> None:
    body = "## Timeline\n\n- 2024-05-02 12:07: a\n- 2024-05-02 12:07: a\n\n## Actions\n\n- Do it\n- Do that\n"
    first, second = markdown(body), markdown("# Another\n\n" + body, zone="Europe/London")
    assert [one.source_event_id for one in first.events] == [one.source_event_id for one in second.events]
    assert len({one.source_event_id for one in first.events}) == 2
    assert [one.item_id for one in first.action_items] == [one.item_id for one in second.action_items]


def test_the_text_of_people_is_kept_as_markdown() -> None:
    summary = "It *was* [down](https://a.example/b).\n\n```\n# no heading\n```\n\n### More\n\n> quoted"
    sections = markdown(f"# T\n\n## Summary\n\n{summary}\n\n## Odd name\n\nkept\n").sections
    assert sections["summary"] == summary
    assert sections["odd_name"] == "kept"


def test_an_empty_list_of_actions_is_no_action() -> None:
    imported = markdown("## Actions\n\n- N/A\n- None\n- TBD\n- \n")
    assert imported.action_items == ()


def test_a_document_without_times_says_so() -> None:
    result = read_text("# Something\n\nIt broke.\n", "a.md")
    assert only(result).incident.phases == {}
    assert "No row of a timeline" in result.problems[0].sentence


def test_headings_that_are_days_with_words_are_rows_or_days() -> None:
    imported = markdown(
        "# Hub down\n\n## Timeline\n\n_All times in IST_\n\n"
        "### 2022-06-24 - [First update](https://a.example/1)\n\nWe noticed.\n\n"
        "### Day 2 (2022-06-25)\n\n- 10:05 AM: fixed\n\n"
        "### Jun 25, 11:05 AM\n\nChecked\n\n- 2022-06-26 8:00 PM: told\n"
    )
    assert [(event.occurred_at, event.precision, event.text) for event in imported.events] == [
        (at("2022-06-24"), "day", "First update\nWe noticed."),
        (at("2022-06-25 04:35"), "minute", "fixed"),
        (at("2022-06-25 05:35"), "minute", "Checked"),
        (at("2022-06-26 14:30"), "minute", "told"),
    ]


def test_a_cell_whose_time_is_mistyped_is_its_day_and_a_problem() -> None:
    result = read_text(
        "## Timeline\n\n| Time | Event |\n|---|---|\n| 2022-06-27 07;30 | odd |\n| 2022-06-28 (morning) | b |\n", "a.md"
    )
    assert [(event.occurred_at, event.precision) for event in only(result).events] == [
        (at("2022-06-27"), "day"),
        (at("2022-06-28"), "day"),
    ]
    assert [problem.line for problem in result.problems] == [5]


@pytest.mark.parametrize(
    ("line", "title", "state"),
    [
        ("- [x] Write it", "Write it", "done"),
        ("- [ ] Write it", "Write it", "open"),
        ("- Write it (Done)", "Write it", "done"),
        ("- Write it - Done", "Write it", "done"),
        ("- Write it ✅", "Write it", "done"),
        ("- Write it (in progress)", "Write it", "in_progress"),
        ("- Write it (won't do)", "Write it", "declined"),
        ("- Say when it is done and by whom", "Say when it is done and by whom", "open"),
        ("- Tell users how to avoid it while it isn't fixed", "Tell users how to avoid it while it isn't fixed", "open"),
        ("- Check that nothing is left undone", "Check that nothing is left undone", "open"),
        ("- Use our own policies - this has already been done.", "Use our own policies - this has already been done.", "done"),
    ],
)
def test_the_state_of_an_action_item(line: str, title: str, state: str) -> None:
    (item,) = markdown(f"## Action items\n\n{line}\n").action_items
    assert (item.title, item.state) == (title, state)


@pytest.mark.parametrize(
    ("words", "tracker", "key"),
    [
        ("Ticket [#3016](https://github.com/acme/cloud/issues/3016)", "github", "acme/cloud#3016"),
        ("See https://github.com/acme/hub/pull/34).", "github", "acme/hub#34"),
        ("#2127", "github", "#2127"),
        ("acme/hub#12 for the alert", "github", "acme/hub#12"),
        ("Track as OPS-77", "jira", "OPS-77"),
        ("Use UTF-8 and SHA-256 in #general", None, None),
    ],
)
def test_the_tracker_of_an_action_item(words: str, tracker: str | None, key: str | None) -> None:
    (item,) = markdown(f"## Follow-up improvements\n\n- {words}\n").action_items
    assert (item.tracker, item.tracker_key) == (tracker, key)

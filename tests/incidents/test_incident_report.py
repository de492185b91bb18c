"""The report's section of incidents, from the lake."""

from __future__ import annotations

from datetime import timedelta

from dagster_project.pipeline.incident_report import incidents_in_report
from dagster_project.pipeline.ledger import Load, record
from dagster_project.pipeline.runtime import Runtime
from tests.incidents.capture.night import DAY, after, on
from tests.incidents.incident_nights import START, fill_day, night
from tests.incidents.incident_nights import record as incident


def test_a_night_before_incidents_were_known_has_an_empty_section(runtime: Runtime) -> None:
    assert incidents_in_report(on(runtime, DAY), DAY).sentence == "No incident is known."


def test_what_is_open_left_out_and_undeclared_is_counted_apart(runtime: Runtime) -> None:
    going_on = incident("INC-3", status="investigating", mitigated_at=None, impact_ended_at=None, resolved_at=None)
    fill_day(runtime, incidents=[incident(), incident("INC-2", kind="drill"), going_on])
    night(runtime)
    found = incidents_in_report(on(runtime, DAY), DAY)
    assert found.sentence == "3 incidents on record, 1 open; 1 left out of metrics (drills, tests, maintenance)."
    states = {line.incident_id: (line.state, line.lasted, line.document) for line in found.lines}
    assert states == {
        "INC-1": ("ended", "1 h 10 min", "postmortems/INC-1.html"),
        "INC-2": ("ended", "1 h 10 min", "postmortems/INC-2.html"),
        "INC-3": ("open", "goes on", "postmortems/INC-3.html"),
    }


def test_a_document_of_an_earlier_night_is_linked_where_it_lies(runtime: Runtime) -> None:
    going_on = incident(status="investigating", mitigated_at=None, impact_ended_at=None, resolved_at=None)
    fill_day(runtime, incidents=[going_on])
    night(runtime)
    fill_day(runtime, after(1), incidents=[going_on])
    night(runtime, after(1))
    (line,) = incidents_in_report(on(runtime, after(1)), after(1)).lines
    assert line.document == f"../{DAY}/postmortems/INC-1.html"


def test_a_metric_is_measured_of_those_that_count(runtime: Runtime) -> None:
    recent = {name: at + timedelta(days=4) for name, at in incident().items() if name.endswith("_at")}
    fill_day(runtime, incidents=[incident(), incident("INC-2", **recent), incident("INC-3", kind="test")])
    night(runtime)
    (line,) = [line for line in incidents_in_report(on(runtime, DAY), DAY).metrics if line.name == "Time to Mitigate"]
    assert (line.incidents, line.measured) == (2, 2)
    assert "Too few" in line.sentence


def test_what_a_person_moved_is_told_with_what_hangs_on_it_and_without_their_name(runtime: Runtime) -> None:
    fill_day(runtime, incidents=[incident()])
    night(runtime)
    fill_day(runtime, after(1), incidents=[incident(detected_at=START + timedelta(minutes=5))])
    night(runtime, after(1))
    moved = incidents_in_report(on(runtime, after(1)), after(1)).moved
    assert any("detected moved from 2025-03-03 08:17 UTC to 2025-03-03 08:19 UTC" in sentence for sentence in moved)
    assert "Its Time to Detect moved from 3 min to 5 min." in moved
    assert not any("Time to Resolve" in sentence for sentence in moved)


def test_a_source_that_is_absent_or_failed_is_told(runtime: Runtime) -> None:
    fill_day(runtime, incidents=[incident()])
    record(runtime.lake, DAY, Load("slack", "absent", error="There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN."))
    record(runtime.lake, DAY, Load("cloudtrail", "failed", error="AWS refused the call."))
    night(runtime)
    warnings = incidents_in_report(on(runtime, DAY), DAY).warnings
    assert "slack: There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN." in warnings
    assert "cloudtrail: AWS refused the call." in warnings

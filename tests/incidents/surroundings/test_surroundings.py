"""What surrounds an incident, out of a lake: the payment outage of 3 March in small."""

# ruff: noqa: DTZ001 - times of incidents are naive UTC
from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.domain.incidents.cost import Range
from dagster_project.domain.incidents.model import Moment
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline.incident_surroundings import Surroundings, impact_windows, surroundings_of, view_surroundings
from dagster_project.pipeline.kept_capacity import find_kept_capacity, link_incidents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.similar_incidents import find_similar
from dagster_project.settings import Settings

DAY = date(2025, 3, 9)
STARTED, ENDED = datetime(2025, 3, 3, 8, 14), datetime(2025, 3, 3, 12, 37)
PHASES = {
    "impact_started": Moment(STARTED),
    "detected": Moment(STARTED),
    "mitigated": Moment(ENDED),
    "impact_ended": Moment(ENDED),
    "resolved": Moment(datetime(2025, 3, 3, 12, 52)),
}
RECORD = {
    "incident_id": "INC-2025-0342", "title": "Payments", "service": "payment-api", "services": '["payment-api"]',
    "kind": "normal", "is_open": False, "counts_in_metrics": True, "started_at": STARTED,
    "ended_at": datetime(2025, 3, 3, 12, 52), "windows": json.dumps([[str(STARTED), str(ENDED)]]), "timeline_on": DAY,
    "summary": "47 % of payments failed; a retry storm filled the connection pool.",
}  # fmt: skip
EARLIER = {
    **RECORD, "incident_id": "INC-2025-0041", "started_at": datetime(2025, 1, 13, 17, 6),
    "ended_at": datetime(2025, 1, 13, 19, 40), "windows": "[]",
    "summary": "Retries filled the pool between payment and fraud detection again.",
}  # fmt: skip


def write(runtime: Runtime, name: str, rows: list[dict[str, Any]], day: date = DAY) -> None:
    columns = schema(TABLES[name])
    unknown = {key for row in rows for key in row} - set(columns)
    assert not unknown
    write_frame(runtime.lake, TABLES[name], day, pl.DataFrame([{c: row.get(c) for c in columns} for row in rows], schema=columns))


def decision(number: int, at: datetime, action: str, outcome: str = "succeeded", **more: Any) -> dict[str, Any]:
    payload = {"action_type": action, "outcome_reason": more.get("reason"), "metrics": {"error_rate": more.get("errors", 0.47)}}
    return {
        "incident_id": more.get("incident_id", RECORD["incident_id"]), "position": number, "occurred_at": at, "lane": "engine",
        "kind": "decision", "text": action, "target": more.get("target", "payment-api"), "outcome": outcome,
        "is_non_action": outcome == "skipped", "payload": json.dumps(payload),
    }  # fmt: skip


def message(number: int, actor: str) -> dict[str, Any]:
    return {
        "incident_id": RECORD["incident_id"], "position": number, "occurred_at": STARTED + timedelta(minutes=number),
        "lane": "people", "kind": "message", "text": "looking at the pool", "actor": actor,
        "is_non_action": False, "payload": "{}",
    }  # fmt: skip


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """A lake with one outage, the incident before it, and what is known around them."""
    runtime = Runtime(Settings(home=tmp_path), now=datetime(2025, 3, 10, 2, tzinfo=UTC))
    write(runtime, "incident_records", [RECORD, EARLIER])
    mitigated = {"phase": "mitigated", "rank": 1, "is_chosen": True}
    write(runtime, "incident_phases", [
        {**mitigated, "incident_id": RECORD["incident_id"], "began_at": ENDED},
        {**mitigated, "incident_id": EARLIER["incident_id"], "began_at": datetime(2025, 1, 13, 19, 8)},
    ])  # fmt: skip
    write(runtime, "incident_timeline", [
        decision(1, datetime(2025, 3, 3, 8, 17), "scale_up"),
        decision(2, datetime(2025, 3, 3, 8, 36), "scale_up", "failed", reason="403", target="payment-db", errors=0.4),
        decision(3, datetime(2025, 3, 3, 8, 37), "scale_up", "skipped", reason="cooldown", errors=None),
        decision(4, datetime(2025, 3, 3, 13, 30), "notify", errors=0.9),
        message(5, "ann"), message(6, "bob"), message(7, "ann"),
        decision(1, datetime(2025, 1, 13, 17, 8), "scale_up", incident_id=EARLIER["incident_id"]),
    ])  # fmt: skip
    write(runtime, "service_dependencies", [
        {"service": "checkout-api", "depends_on": "payment-api", "kind": "hard"},
        {"service": "payment-api", "depends_on": "payment-db", "kind": "hard"},
    ])  # fmt: skip
    write(runtime, "services", [
        {"service": "payment-api", "requests_per_day": 1_440_000, "value_per_request_usd": 2.0},
        {"service": "checkout-api", "requests_per_day": 1_000, "value_per_request_usd": 3.0},
    ])  # fmt: skip
    write(runtime, "slos", [{"service": "payment-api", "name": "availability", "objective": 0.9995, "window_days": 30}])
    write(runtime, "sli_daily", [{"service": "payment-api", "name": "availability", "good": 1_440_000, "total": 1_440_000}])
    write(runtime, "captured_service_levels", list(levels()))
    write(runtime, "decision_audit", [{
        "decision_id": "d-1", "decision_at": datetime(2025, 3, 3, 8, 17), "target": "payment-asg", "action_type": "scale_up",
        "outcome": "succeeded", "is_dry_run": False, "payload": '{"replicas": "+2"}', "incident_id": RECORD["incident_id"],
    }])  # fmt: skip
    group = {"resource_id": "payment-asg", "resource_type": "autoscaling_group", "service": "payment-api"}
    write(runtime, "resource_inventory", [{**group, "units": 4}], date(2025, 3, 2))
    write(runtime, "resource_inventory", [{**group, "units": 6}])
    write(runtime, "rightsizing_verdicts", [{**group, "units": 6, "current_usd_month": 6 * 73.0}])
    write(runtime, "protected_windows", [{
        "resource_id": "payment-asg", "event_kind": "incident", "event_id": RECORD["incident_id"], "started_at": STARTED,
        "ended_at": ENDED, "matched_by": "service",
    }])  # fmt: skip
    write(runtime, "proposal_outcomes", [{
        "resource_id": "payment-asg", "source": "acme/infra#7", "service": "payment-api", "value_before": "m5.xlarge",
        "value_after": "m5.large", "applied_on": date(2025, 2, 25), "is_rollback": False,
    }])  # fmt: skip
    return runtime


def near(usd: Range) -> Range:
    return Range(*(pytest.approx(end, abs=0.01) for end in (usd.low, usd.expected, usd.high)))


def levels() -> Iterator[dict[str, Any]]:
    """Hourly, from three days before: 47 % fail in the hours of the outage."""
    for hour in range(-80, 10):
        at = datetime(2025, 3, 3, 8) + timedelta(hours=hour)
        bad = 28_200.0 if 0 <= hour <= 4 else 0.0
        yield {"service": "payment-api", "name": "availability", "sampled_at": at, "good": 60_000 - bad, "total": 60_000}


def surrounded(runtime: Runtime, record: dict[str, Any] = RECORD, phases: dict[str, Moment] = PHASES) -> Surroundings:
    with open_engine(runtime.lake) as engine:
        view_surroundings(engine, runtime.lake, DAY)
        return surroundings_of(engine, DAY, record, phases, runtime.settings.incidents)


def test_capacity_that_was_bought_and_never_came_back_has_its_story(runtime: Runtime) -> None:
    assert find_kept_capacity(runtime, DAY) == 1
    assert surrounded(runtime).kept == (
        "2 members were added to payment-asg on 3 March 2025 at 08:17 UTC in INC-2025-0342 and nothing took them away since",
    )


def test_links_go_both_ways(runtime: Runtime) -> None:
    assert link_incidents(runtime, DAY) == 2
    links = surrounded(runtime).links
    assert [(link.kind, link.resource_id) for link in links] == [("suspect", "payment-asg"), ("vetoes", "payment-asg")]
    assert (
        links[0].reason
        == "its change from m5.xlarge to m5.large became live on 2025-02-25, before the incident; that is no proof"
    )


def test_the_incident_before_is_found_similar_with_its_reasons(runtime: Runtime) -> None:
    assert find_similar(runtime, DAY, [RECORD["incident_id"], EARLIER["incident_id"]]) == 1
    (row,) = pl.read_parquet(runtime.lake.path(TABLES["similar_incidents"], DAY)).to_dicts()
    assert (row["incident_id"], row["rank"], row["similar_id"]) == ("INC-2025-0342", 1, "INC-2025-0041")
    assert json.loads(row["reasons"]) == [
        "same service payment-api",
        "same action scale_up",
        "shares the words pool, filled, payments, retry",
    ]


def test_of_incidents_whose_documents_are_closed_nothing_is_looked_for(runtime: Runtime) -> None:
    write(runtime, "incident_records", [{**RECORD, "ended_at": datetime(2024, 11, 1)}, EARLIER])
    assert find_similar(runtime, DAY, [RECORD["incident_id"]]) == 0


def test_the_blast_radius_starts_at_the_services_of_the_incident(runtime: Runtime) -> None:
    blast = surrounded(runtime).blast
    assert [(reach.service, reach.value_usd_day) for reach in blast.reaches] == [("checkout-api", 3_000.0)]
    assert blast.unknown == ()


def test_the_budget_is_that_of_the_measured_window_and_coarse_alerts_are_told_as_such(runtime: Runtime) -> None:
    (objective,) = surrounded(runtime).objectives
    # Five hours of 28,200 failed requests over 0.05 % of 30 days of 1,440,000.
    assert objective.spent.bad_events == 141_000
    assert objective.spent.spent_share == pytest.approx(141_000 / 21_600)
    assert [each.status for each in objective.replays] == ["coarse", "coarse", "fired", "fired"]
    assert objective.replays[2].fired_at == datetime(2025, 3, 3, 9)
    assert objective.replays[2].after_minutes == 46


def test_the_cost_is_of_counted_failures_shown_people_and_bought_capacity(runtime: Runtime) -> None:
    find_kept_capacity(runtime, DAY)
    lines = {line.name: line for line in surrounded(runtime).cost.lines}
    hours = 4 + 38 / 60
    assert lines["response"].usd == near(Range(hours * 2 * 80, hours * 2 * 120, hours * 2 * 180))
    assert lines["impact"].usd == near(Range(141_000 * 2 * 0.3, 141_000 * 2 * 0.7, 141_000 * 2.0))
    assert lines["SLA credits"].usd is None
    assert surrounded(runtime).cost.not_included == ("SLA credits", "what services that stand on it lost")
    # Two members of 73 USD a month, from the purchase to the end: 4 h 35 min at 0.1 USD each.
    assert lines["infrastructure"].usd == near(Range(*[2 * 0.1 * (4 + 35 / 60)] * 3))


def test_without_measured_failures_they_follow_from_the_errors_that_the_engine_saw_in_the_impact(runtime: Runtime) -> None:
    write(runtime, "captured_service_levels", [])
    impact = next(line for line in surrounded(runtime).cost.lines if line.name == "impact")
    # 263 minutes of 1,000 requests; 0.4, 0.435 and 0.47 of them. What was seen after the impact is none of it.
    assert impact.usd == near(Range(263e3 * 0.4 * 2 * 0.3, 263e3 * 0.435 * 2 * 0.7, 263e3 * 0.47 * 2))


def test_how_well_the_actions_worked_is_read_over_all_incidents(runtime: Runtime) -> None:
    (effect,) = surrounded(runtime).effects
    assert (effect.action_type, effect.incidents, effect.measured, effect.followed) == ("scale_up", 2, 2, 0)
    # 120 and 260 minutes: two are too few for an interval.
    assert (effect.median_minutes, effect.low_minutes) == (190.0, None)


def test_experiments_follow_from_what_was_refused_and_seen(runtime: Runtime) -> None:
    assert [each.name for each in surrounded(runtime).experiments] == [
        "payment-api-payment-db-engine-permission",
        "payment-api-cooldown",
        "payment-api-connection-pool",
        "payment-api-payment-db-latency",
        "payment-api-load-step",
    ]


def test_an_incident_of_which_hardly_anything_is_known_has_surroundings_that_say_so(runtime: Runtime) -> None:
    bare = {
        **RECORD,
        "incident_id": "INC-1",
        "service": None,
        "services": None,
        "windows": None,
        "ended_at": None,
        "is_open": True,
    }
    found = surrounded(runtime, bare, {})
    assert (found.blast.reaches, found.objectives, found.effects, found.kept, found.links) == ((), (), (), (), ())
    assert found.cost.total is None


def test_an_impact_without_an_end_ends_with_the_incident_and_lasts_while_that_is_open() -> None:
    open_window = {**RECORD, "windows": json.dumps([[str(STARTED), None]])}
    assert impact_windows(open_window, {})[0].ended_at == RECORD["ended_at"]
    assert impact_windows({**open_window, "ended_at": None}, {})[0].ended_at is None
    assert impact_windows({**RECORD, "windows": "[]"}, PHASES)[0].ended_at == ENDED
    assert impact_windows({**RECORD, "windows": None}, {}) == ()


def test_the_same_lake_gives_the_same_surroundings_and_files(runtime: Runtime) -> None:
    tables = ("kept_capacity", "incident_links", "similar_incidents")
    seen = []
    for _ in range(2):
        find_kept_capacity(runtime, DAY)
        link_incidents(runtime, DAY)
        find_similar(runtime, DAY, [RECORD["incident_id"]])
        seen.append(([runtime.lake.path(TABLES[name], DAY).read_bytes() for name in tables], surrounded(runtime)))
    assert seen[0] == seen[1]

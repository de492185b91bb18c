"""A backtest from its files to its answers: verdicts in good and bad worlds, what is written, and that nothing else decides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from dagster_project.catalog.shapes import ec2_shapes
from dagster_project.domain.backtest.peers import PEERS
from dagster_project.errors import InputError
from dagster_project.pipeline import backtest_report
from dagster_project.pipeline.backtest import run
from dagster_project.pipeline.backtest_report import answers, build, require_place, write
from dagster_project.pipeline.verdicts import judging_rules
from dagster_project.progress import Silent
from dagster_project.settings import RightsizingSettings
from tests.backtest_builders import DAY, FIRST, HOUR, RULES, Export, Row, bytes_of, decision, machine, moment, samples

NAN = float("nan")
COLUMNS = {
    "resource_id": pl.String,
    "decide_at": pl.Datetime("us", "UTC"),
    "verdict": pl.String,
    "reason_code": pl.String,
    "current_type": pl.String,
    "target_type": pl.String,
    "savings_usd_month": pl.Float64,
    "evidence": pl.String,
}
SHAPES = ec2_shapes("us-east-1")
GOOD = machine("i-good")
DECIDE_AT = moment(28)
AT = [("i-1", DECIDE_AT)]


def answer(folder: Path, *frames: pl.DataFrame, at: datetime = DECIDE_AT, rule: str = "nightshift", **columns: Any) -> Row:
    """The answer for one machine, beside another one with which nothing is wrong."""
    decisions = columns.pop("decisions", [])
    windows = [("i-1", at), ("i-good", at)]
    export = Export(
        folder, samples("i-good"), *frames, resources=[machine(**columns), GOOD], decisions=decisions, windows=windows
    )
    bad, good = export.rows(rule)
    assert good["verdict"] == "propose"
    assert json.loads(bad["evidence"])
    return bad


def code(*arguments: Any, **options: Any) -> str:
    found = answer(*arguments, **options)
    if found["verdict"] != "propose":
        assert found["target_type"] is None
        assert found["savings_usd_month"] == 0
    return found["reason_code"]


# The answers.


def test_an_idle_machine(tmp_path: Path) -> None:
    found = answer(tmp_path, samples())
    evidence = json.loads(found.pop("evidence"))
    assert found["target_type"] is not None
    target = SHAPES.number_of(found["target_type"])
    assert found == {
        "resource_id": "i-1",
        "decide_at": moment(28),
        "verdict": "propose",
        "reason_code": "propose_smaller_size",
        "current_type": "m5.2xlarge",
        "target_type": SHAPES.names[target],
        "savings_usd_month": pytest.approx((0.384 - SHAPES.usd_per_hour[target]) * 730),
    }
    assert SHAPES.capacity[target, 0] >= 1.6 / 0.8
    assert SHAPES.capacity[target, 1] >= 6.4 / 0.9
    assert evidence["peak"] == {
        "cpu_vcpu": 1.6, "memory_gib": 6.4, "network_gbps": pytest.approx(4e-6, abs=1e-6), "disk_mbps": None, "disk_iops": None,
    }  # fmt: skip
    assert evidence["cpu_p995_vcpu"] == 1.6
    assert evidence["required"]["cpu_vcpu"] == pytest.approx(2.0)
    assert evidence["required"]["memory_gib"] == pytest.approx(6.4 / 0.9, rel=1e-5)
    assert evidence["required_by"]["cpu_vcpu"] == "sustained demand"
    assert (evidence["history_hours"], evidence["coverage_pct"], evidence["recent_coverage_pct"]) == (672, 100, 100)
    assert (evidence["emergencies"], evidence["closest_event"], evidence["idle_pool"]) == (0, None, 0)
    assert set(evidence) == {
        "sentence", "value", "limit", "candidate_type", "peak", "cpu_p995_vcpu", "memory_record_gib", "required", "required_by",
        "history_hours", "coverage_pct", "recent_coverage_pct", "emergencies", "replay", "closest_event", "idle_pool",
        "exceedance_probability_week",
    }  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_answers_every_window_in_the_same_columns(mixed: Export, trials: dict[str, Any], rule: str) -> None:
    table = answers(trials["cheapest"], rule)
    assert dict(table.schema) == COLUMNS
    windows = pl.read_parquet(mixed.windows).sort("resource_id", "decide_at")
    assert table.select("resource_id", "decide_at").rows() == windows.rows()
    for row in table.to_dicts():
        assert isinstance(json.loads(row["evidence"]), dict)
        assert "NaN" not in row["evidence"] and "Infinity" not in row["evidence"]
        assert row["verdict"] in ("propose", "keep", "refuse", "insufficient")
        assert (row["target_type"] is not None) == (row["verdict"] == "propose")
        assert row["target_type"] != row["current_type"]
        if row["target_type"]:
            now, then = (SHAPES.usd_per_hour[SHAPES.number_of(row[name])] for name in ("current_type", "target_type"))
            assert row["savings_usd_month"] == pytest.approx((now - then) * 730, abs=1e-5)
        else:
            assert row["savings_usd_month"] == 0


def test_the_peers_evidence_is_what_they_asked_for(tmp_path: Path) -> None:
    found = answer(tmp_path, samples(), rule="kubecost-28d")
    assert (found["verdict"], found["reason_code"]) == ("propose", "rule_proposes")
    evidence = json.loads(found["evidence"])
    assert evidence == {
        "rule": "kubecost-28d",
        "need": {
            "cpu_vcpu": pytest.approx(1.6 / 0.7, rel=1e-5), "memory_gib": pytest.approx(6.4 / 0.7, rel=1e-5),
            "network_gbps": None, "disk_mbps": None, "disk_iops": None,
        },
    }  # fmt: skip
    kept = answer(tmp_path / "kept", samples(cpu_pct=NAN).with_columns(pl.col("cpu_pct").fill_nan(None)), rule="kubecost-28d")
    assert (kept["verdict"], kept["reason_code"], kept["target_type"]) == ("keep", "rule_keeps", None)
    assert json.loads(kept["evidence"]) == {"rule": "kubecost-28d", "need": None}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Eight machines with all kinds of troubles, three moments each."""
    random = np.random.default_rng(11)
    size = 35 * 24
    frames = [
        samples("i-1", cpu_pct=random.uniform(1, 20, size)),
        samples("i-2", cpu_pct=random.uniform(20, 60, size), vcpu=16.0, mem_gib=64.0),
        samples("i-3", cpu_pct=5.0, every=300),
        samples("i-4", days=20, mem_used_pct=85.0),
        samples("i-5", net_in_bytes=random.uniform(0, 5e11, size)),
        samples("i-7", cpu_pct=99.0),
    ]
    machines = [
        machine("i-1", tags='{"service": "web"}'),
        machine("i-2", instance_type="m5.4xlarge", vcpu=16.0, mem_gib=64.0, tags='{"service": "web"}'),
        machine("i-3", memory_known=False),
        machine("i-4"),
        machine("i-5"),
        machine("i-6"),
        machine("i-7"),
        machine("i-8", instance_type="z99.large"),
    ]
    windows = [(one["resource_id"], moment(day)) for one in machines for day in (14, 21, 28)]
    decisions = [decision("d-1", moment(10), "web"), decision("d-2", moment(26), "i-5")]
    folder = tmp_path_factory.mktemp("mixed")
    return Export(folder, *frames, resources=machines, decisions=decisions, windows=windows)


@pytest.fixture(scope="module")
def trials(mixed: Export) -> dict[str, Any]:
    return {target: mixed.trial(target) for target in ("cheapest", "family", "one-step")}


def test_targets_within_the_family_and_one_step_down(trials: dict[str, Any]) -> None:
    below = {"m5.4xlarge": "m5.2xlarge", "m5.2xlarge": "m5.xlarge"}
    downs = {"cheapest": 0, "family": 0, "one-step": 0}
    for target, trial in trials.items():
        for rule in RULES:
            for row in answers(trial, rule).drop_nulls("target_type").to_dicts():
                downs[target] += 1
                if target != "cheapest":
                    assert row["target_type"].startswith("m5."), rule
                if target == "one-step":
                    assert row["target_type"] == below[row["current_type"]], rule
    assert all(count > 100 for count in downs.values())


def test_the_reasons_of_a_mixed_fleet(trials: dict[str, Any]) -> None:
    table = answers(trials["cheapest"], "nightshift")
    found = {(row["resource_id"], (row["decide_at"] - moment()).days): row["reason_code"] for row in table.to_dicts()}
    refused, few = "refuse_recent_emergency_scaleup", "insufficient_coverage"
    expected = {
        "i-1": [refused] * 3,
        "i-2": [refused] * 3,
        "i-3": ["propose_smaller_size"] * 3,
        "i-4": ["propose_smaller_size", "propose_smaller_size", few],
        "i-5": ["propose_smaller_size", "propose_smaller_size", refused],
        "i-6": ["insufficient_history"] * 3,
        "i-7": ["keep_busy_cpu"] * 3,
        "i-8": ["insufficient_catalog"] * 3,
    }
    assert {name: [found[name, day] for day in (14, 21, 28)] for name in expected} == expected


def test_the_look_back_changes_the_evidence(tmp_path: Path) -> None:
    early = np.where(np.arange(35 * 24) == 10, 90.0, 20.0)
    export = Export(tmp_path, samples(cpu_pct=early, mem_used_pct=early), windows=AT)
    long, short = (json.loads(export.rows(lookback_days=days)[0]["evidence"]) for days in (28, 7))
    assert (long["peak"]["cpu_vcpu"], short["peak"]["cpu_vcpu"]) == (pytest.approx(7.2), pytest.approx(1.6))
    assert (long["history_hours"], short["history_hours"]) == (672, 168)
    assert long["memory_record_gib"] == short["memory_record_gib"] == pytest.approx(28.8)
    wide = json.loads(export.rows(lookback_days=90)[0]["evidence"])
    assert wide["history_hours"] == 672


def test_weekly_windows_from_the_first_day_with_seven_days_of_history(tmp_path: Path) -> None:
    frames = [samples("i-1", 30), samples("i-2", 20, since=3 * DAY + 5 * HOUR), samples("i-3", 6)]
    rows = Export(tmp_path, *frames, resources=[machine(f"i-{n}") for n in (1, 2, 3, 4)]).rows()
    assert [(row["resource_id"], row["decide_at"]) for row in rows] == [
        *(("i-1", moment(day)) for day in (7, 14, 21, 28)),
        *(("i-2", moment(day)) for day in (11, 18)),
    ]


def test_windows_may_lie_before_and_after_everything(tmp_path: Path) -> None:
    windows = [("i-1", moment(day)) for day in (-300, 0, 28, 36, 3000)]
    rows = Export(tmp_path, samples(), windows=windows).rows()
    assert [row["reason_code"] for row in rows] == [
        "insufficient_history", "insufficient_history", "propose_smaller_size", "propose_smaller_size", "insufficient_history",
    ]  # fmt: skip


# Bad worlds: a verdict all the same.


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"instance_type": "z99.large"}, "insufficient_catalog"),
        ({"instance_type": None}, "insufficient_catalog"),
        ({"region": "mars-1"}, "insufficient_price"),
        ({"region": None}, "insufficient_price"),
        ({"instance_type": "r9g.16xlarge"}, "insufficient_price"),
        ({"instance_type": "p5e.48xlarge"}, "refuse_instance_store"),
        ({"instance_type": "m5d.2xlarge"}, "refuse_instance_store"),
        ({"vcpu": None, "mem_gib": None}, "propose_smaller_size"),
        ({"tags": '{"nightshift:exclude": "true"}'}, "refuse_excluded_by_tag"),
        ({"tags": '{"nightshift:exclude": "false"}'}, "propose_smaller_size"),
        ({"tags": '{"nightshift:exclude": true}'}, "refuse_excluded_by_tag"),
        ({"tags": '{"lifecycle": "spot"}'}, "refuse_spot"),
        ({"tags": '{"lifecycle": 7, "service": ["a"], "team": null}'}, "propose_smaller_size"),
        ({"tags": '{"asg_name": "asg-1"}'}, "refuse_group_member"),
        ({"tags": None}, "propose_smaller_size"),
    ],
)
def test_a_resource_that_is_listed_in_an_odd_way(tmp_path: Path, columns: Row, reason: str) -> None:
    assert code(tmp_path, samples(), **columns) == reason
    if reason in ("insufficient_catalog", "insufficient_price"):
        assert code(tmp_path, samples(), rule="kubecost", **columns) == "insufficient_catalog"


@pytest.mark.parametrize("vcpu", [None, 0.0, -8.0])
def test_cpu_of_an_unknown_size_is_no_idleness(tmp_path: Path, vcpu: float | None) -> None:
    assert code(tmp_path, samples(vcpu=None), vcpu=vcpu) == "insufficient_history"


@pytest.mark.parametrize("memory", [None, 0.0, -1.0])
def test_memory_of_an_unknown_size_is_never_shrunk(tmp_path: Path, memory: float | None) -> None:
    never_less_memory(answer(tmp_path, samples(mem_gib=None), mem_gib=memory))


def never_less_memory(found: Row) -> None:
    assert found["reason_code"] in ("insufficient_memory_data", "propose_smaller_size")
    if found["target_type"]:
        assert SHAPES.capacity[SHAPES.number_of(found["target_type"]), 1] >= 32


@pytest.mark.parametrize("known", [False, None])
def test_memory_that_nobody_knows_is_never_shrunk(tmp_path: Path, known: bool | None) -> None:
    """By no rule that looks at memory at all."""
    export = Export(tmp_path, samples(cpu_pct=2.0), resources=[machine(memory_known=known)], windows=AT)
    trial = export.trial()
    blind = {"seed", "seed-scaleup-gate", "seed-mean-alone", "seed-max", "cost-explorer", "trusted-advisor", "optscale"}
    for rule in set(RULES) - blind - {"flexera-same-family"}:
        (row,) = answers(trial, rule).to_dicts()
        if row["target_type"]:
            assert SHAPES.capacity[SHAPES.number_of(row["target_type"]), 1] >= 32, rule
    assert trial.windows.is_memory_known.tolist() == [False]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("cpu_pct", -1.0),
        ("cpu_pct", 1001.0),
        ("cpu_pct", float("inf")),
        ("cpu_pct", NAN),
        ("mem_used_pct", -1.0),
        ("net_in_bytes", NAN),
    ],
)
def test_one_reading_that_cannot_be_right_makes_the_look_back_insufficient(tmp_path: Path, column: str, value: float) -> None:
    frame = samples().with_columns(pl.when(pl.int_range(pl.len()) == 300).then(value).otherwise(pl.col(column)).alias(column))
    assert code(tmp_path, frame) == "insufficient_clean_data"
    found = answer(tmp_path / "before", frame, at=moment(12))
    assert found["reason_code"] == "propose_smaller_size"


def test_a_resource_without_samples_but_with_a_window(tmp_path: Path) -> None:
    assert code(tmp_path) == "insufficient_history"
    assert code(tmp_path / "peer", rule="aws-compute-optimizer") == "rule_keeps"


def test_too_little_is_there(tmp_path: Path) -> None:
    assert code(tmp_path / "a", samples(days=29 / 24, since=26 * DAY)) == "insufficient_history"
    assert code(tmp_path / "b", samples().filter(pl.int_range(pl.len()) % 5 > 0)) == "insufficient_coverage"
    assert code(tmp_path / "c", samples(days=26)) == "insufficient_coverage"
    assert code(tmp_path / "d", samples(days=3, since=25 * DAY)) == "propose_smaller_size"


def test_a_machine_that_was_off_all_the_time_was_not_idle(tmp_path: Path) -> None:
    assert code(tmp_path, samples(vcpu=0.0)) == "insufficient_history"


def test_clocks_that_are_years_ahead_disturb_nobody_else(tmp_path: Path) -> None:
    skewed = samples("i-2", 15).with_columns(pl.col("ts").dt.offset_by("9y"))
    stray = samples("i-1", 1 / 24).with_columns(pl.col("ts").dt.offset_by("500y"))
    export = Export(tmp_path, samples(days=15), stray, skewed, resources=[machine(), machine("i-2")])
    rows = export.rows()
    assert [row["decide_at"].year for row in rows] == [2025, 2025, 2525, 2034, 2034]
    assert [row["reason_code"] for row in rows] == [
        "propose_smaller_size", "propose_smaller_size", "insufficient_history", "propose_smaller_size", "propose_smaller_size",
    ]  # fmt: skip
    assert rows[:2] == Export(tmp_path / "without", samples(days=15)).rows()


@pytest.mark.parametrize(
    ("target", "tags"),
    [("i-1", "{}"), ("web", '{"service": "web"}'), ("asg-9", '{"service": "web", "aws:autoscaling:groupName": "asg-9"}')],
)
def test_an_emergency_of_the_resource_its_service_or_its_group(tmp_path: Path, target: str, tags: str) -> None:
    found = answer(tmp_path, samples(), tags=tags, decisions=[decision("d", moment(20), target)])
    assert json.loads(found["evidence"])["emergencies"] == 1
    if "asg-9" not in tags:  # a member of a group is refused before anything else is looked at
        assert found["reason_code"] == "refuse_recent_emergency_scaleup"
        assert "2025-01-26 00:00 UTC" in json.loads(found["evidence"])["sentence"]


@pytest.mark.parametrize("told", [{"dry_run": True}, {"outcome": "failed"}, {"action_type": "scale_down"}, {"target": "i-999"}])
def test_decisions_that_are_no_emergency_of_it(tmp_path: Path, told: Row) -> None:
    assert code(tmp_path, samples(), decisions=[{**decision("d", moment(20)), **told}]) == "propose_smaller_size"


def test_an_old_emergency_is_replayed_and_no_longer_vetoes(tmp_path: Path) -> None:
    busy = np.where(np.arange(60 * 24) == 5 * 24, 70.0, 20.0)
    found = answer(tmp_path, samples(days=60, cpu_pct=busy), decisions=[decision("d", moment(5))], at=moment(35))
    evidence = json.loads(found["evidence"])
    assert evidence["replay"]["cpu_vcpu"] == pytest.approx(5.6)
    assert evidence["peak"]["cpu_vcpu"] == pytest.approx(1.6)
    assert evidence["emergencies"] == 0
    assert found["target_type"] is None or SHAPES.capacity[SHAPES.number_of(found["target_type"]), 0] >= 5.6


def test_regions_have_their_own_prices(tmp_path: Path) -> None:
    resources = [machine("i-1"), machine("i-2", region="eu-central-1"), machine("i-3", region="mars-1")]
    windows = [(one["resource_id"], moment(day)) for one in resources for day in (14, 28)]
    frames = [samples(f"i-{n}") for n in (1, 2, 3)]
    export = Export(tmp_path, *frames, resources=resources, windows=windows)
    trial = export.trial("one-step")
    table = answers(trial, "nightshift")
    assert table["savings_usd_month"].to_list() == pytest.approx([0.192 * 730] * 2 + [0.23 * 730] * 2 + [0] * 2)
    assert table["target_type"].to_list() == ["m5.xlarge"] * 4 + [None] * 2
    assert answers(trial, "seed-mean-alone")["reason_code"].to_list()[-1] == "insufficient_catalog"
    # Judged region by region; each row keeps its own window.
    assert [trial.seen[i].resource.resource_id for i in trial.judged] == trial.windows.resource_id
    by_id = dict(zip(trial.windows.resource_id, trial.marks["nightshift"].saved, strict=True))
    assert by_id == {"i-1": pytest.approx(0.192 * 168), "i-2": pytest.approx(0.23 * 168)}
    assert dict(zip(trial.windows.resource_id, trial.marks["nightshift"].cost, strict=True)) == {
        "i-1": pytest.approx(0.384 * 168), "i-2": pytest.approx(0.46 * 168),
    }  # fmt: skip


def test_machines_of_one_moment_that_all_idle_are_a_pool(tmp_path: Path) -> None:
    names = [f"i-{n}" for n in range(6)]
    tags = '{"service": "batch"}'
    frames = [samples(name, cpu_pct=6.0, mem_used_pct=5.0) for name in names]
    together = [(name, moment(28)) for name in names]
    apart = [(name, moment(20 + number)) for number, name in enumerate(names)]
    resources = [machine(name, tags=tags) for name in names]
    for number, (windows, size) in enumerate([(together, 6), (apart, 0)]):
        rows = Export(tmp_path / str(number), *frames, resources=resources, windows=windows).rows()
        assert {json.loads(row["evidence"])["idle_pool"] for row in rows} == {size}


# What it refuses.


def told(folder: Path, *frames: pl.DataFrame, **options: Any) -> str:
    with pytest.raises(InputError) as error:
        Export(folder, *frames, **options).trial()
    return str(error.value)


def test_a_window_of_an_unknown_resource(tmp_path: Path) -> None:
    sentence = told(tmp_path, samples(), windows=[("i-1", moment(14)), ("i-9", moment(14))])
    assert sentence.startswith(f"{tmp_path}/windows.parquet names i-9, which the resources file does not list")


def test_a_resource_that_is_listed_twice(tmp_path: Path) -> None:
    sentence = told(tmp_path, samples(), resources=[machine(), machine(vcpu=4.0)])
    assert sentence == f"{tmp_path}/resources.parquet lists i-1 twice; leave one row for each resource."


def test_no_window_at_all(tmp_path: Path) -> None:
    assert told(tmp_path / "a", samples(days=6)).startswith("There is no window to decide in")
    assert told(tmp_path / "b", samples("i-2")).startswith("There is no window to decide in")
    assert told(tmp_path / "c", samples(), resources=[]).startswith("There is no window to decide in")


def test_no_window_that_can_be_judged(tmp_path: Path) -> None:
    sentence = told(tmp_path, samples(), resources=[machine(instance_type="z99.large")], windows=AT)
    assert sentence.startswith("No window can be judged")


# The report.


def test_what_was_read_and_set_aside_is_told(tmp_path: Path) -> None:
    busy = samples(cpu_pct=-1.0, vcpu=np.where(np.arange(840) < 10, 0.0, 8.0)).head(11)
    export = Export(
        tmp_path,
        samples(since=11 * HOUR).head(800),
        busy,
        samples("i-3", cpu_pct=NAN).head(2),
        resources=[machine(), machine("i-2"), machine("i-3"), machine("i-4", region="mars-1")],
        decisions=[
            decision("a", moment(1), "nobody"),
            decision("b", moment(1), dry_run=True),
            decision("c", moment(1), outcome="failed"),
            decision("d", moment(1)),
            decision("d", moment(2)),
            decision("e", moment(3), event_id="x"),
            decision("f", moment(3, 1), event_id="x"),
        ],
        windows=[("i-1", moment(28)), ("i-2", moment(28)), ("i-3", moment(28)), ("i-4", moment(28))],
    )
    counts = {line.label: line.rows for line in export.report().counts}
    assert counts == {
        "samples read": 813,
        "samples of machines that were off: gaps, not idleness": 10,
        "samples rejected: nan": 2,
        "samples rejected: negative": 1,
        "decisions read": 7,
        "decisions that do not count: unknown_target": 1,
        "decisions that do not count: dry_run": 1,
        "decisions that do not count: failed_or_skipped": 1,
        "decisions that do not count: duplicate_id": 1,
        "decisions that do not count: duplicate_event": 1,
        "resources without any sample": 2,
        "windows that cannot be judged: no known type, or no price in the region": 1,
    }


def test_the_report_of_a_mixed_fleet(mixed: Export, trials: dict[str, Any]) -> None:
    report = build(trials["cheapest"], mixed.inputs(), judging_rules(RightsizingSettings(), "cheapest"), PEERS, Silent())
    assert (report.windows, report.judged_windows, report.resources, report.lookback_days) == (24, 21, 8, 28)
    assert (report.first_at, report.last_at, report.target) == ("2025-01-20", "2025-02-03", "cheapest")
    assert [score.rule for score in report.rules] == list(RULES)
    assert sum(line.windows for line in report.reasons) == 24
    own = report.rules[0]
    assert own.is_own
    assert own.down == answers(trials["cheapest"], "nightshift")["target_type"].count()
    for score in report.rules:
        assert score.captured_pct is not None and score.captured_pct <= 100 + 1e-9
        assert score.starved <= score.down
    shipped = next(variant for variant in report.ablation if variant.name == "all guards")
    unscaled = next(variant for variant in report.frontier if variant.name == "demand × 1")
    for variant in (shipped, unscaled):
        assert (variant.down, variant.captured_pct, variant.starved) == (own.down, own.captured_pct, own.starved)
    downs = [variant.down for variant in report.frontier]
    assert downs == sorted(downs, reverse=True)
    assert {part.part for part in report.slices} >= {"services, part 1 of 5", "before 2025-01-27", "from 2025-01-27"}


def test_a_rule_that_starved_nothing_is_not_promised_to(tmp_path: Path) -> None:
    own = Export(tmp_path, samples(), samples("i-2"), resources=[machine(), machine("i-2")]).report().rules[0]
    assert (own.down, own.starved) == (8, 0)
    assert own.starved_interval == (0.0, pytest.approx(100 * (1 - 0.025 ** (1 / 8))))


# The files.


@pytest.fixture(scope="module")
def written(mixed: Export, trials: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_of(mixed, trials["cheapest"], tmp_path_factory.mktemp("out") / "new" / "folder" / "b.parquet")


def files_of(export: Export, trial: Any, out: Path) -> dict[str, bytes]:
    rules = judging_rules(RightsizingSettings(), trial.target)
    report = build(trial, export.inputs(), rules, PEERS, Silent())
    files = write(trial, report, "nightshift", out)
    assert files.answers == out
    assert sorted(path.name for path in out.parent.iterdir()) == sorted(path.name for path in vars(files).values())
    return {path.suffix: path.read_bytes() for path in out.parent.iterdir()}


def test_the_files_parse(written: dict[str, bytes], tmp_path: Path) -> None:
    assert set(written) == {".parquet", ".json", ".html", ".svg", ".md"}
    (tmp_path / "b.parquet").write_bytes(written[".parquet"])
    assert dict(pl.read_parquet(tmp_path / "b.parquet").schema) == COLUMNS

    def refuse(name: str) -> None:
        raise ValueError(name)

    report = json.loads(written[".json"], parse_constant=refuse)
    assert report["windows"] == 24
    assert {score["rule"] for score in report["rules"]} == set(RULES)
    assert ElementTree.fromstring(written[".svg"]).tag.endswith("svg")  # noqa: S314 - our own
    page = HTMLParser()
    page.feed(written[".html"].decode())
    page.close()
    assert b"</html>" in written[".html"]
    assert written[".md"].startswith(b"# ")


def test_running_twice_gives_the_same_bytes(mixed: Export, written: dict[str, bytes], tmp_path: Path) -> None:
    assert files_of(mixed, mixed.trial(), tmp_path / "again" / "b.parquet") == written


def test_the_order_of_rows_decides_nothing(
    mixed: Export, trials: dict[str, Any], written: dict[str, bytes], tmp_path: Path
) -> None:
    """Of rows in all files, of samples among files, and of two samples of one time."""
    names = ["resources", "decisions", "windows"]
    utilization = pl.concat([pl.read_parquet(file) for file in sorted(mixed.folder.glob("util_*"))])
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        shuffled = utilization.sample(fraction=1, shuffle=True, seed=seed)
        shuffled.head(1000).write_parquet(folder / "util_a.parquet")
        shuffled.slice(1000).write_parquet(folder / "util_b.parquet")
        for name in names:
            rows = pl.read_parquet(mixed.folder / f"{name}.parquet").sample(fraction=1, shuffle=True, seed=seed)
            rows.write_parquet(folder / f"{name}.parquet")
        export = Export.__new__(Export)
        export.folder = folder
        trial = export.trial()
        assert files_of(export, trial, folder / "out" / "b.parquet") == written
        for rule in RULES:
            assert bytes_of(answers(trial, rule)) == bytes_of(answers(trials["cheapest"], rule))


def test_the_order_of_samples_of_one_time_decides_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    rows = pl.concat([samples(cpu_pct=random.uniform(0, 60, 840), source=name) for name in ("b", "a", "c")])
    found = []
    for seed in range(3):
        export = Export(tmp_path / str(seed), rows.sample(fraction=1, shuffle=True, seed=seed), windows=AT)
        found.append(export.rows())
    assert found[0] == found[1] == found[2]


def test_a_failure_leaves_no_answers_behind(
    mixed: Export, trials: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise ValueError("no chart")

    trial = trials["cheapest"]
    report = build(trial, mixed.inputs(), judging_rules(RightsizingSettings(), "cheapest"), PEERS, Silent())
    monkeypatch.setattr(backtest_report, "render_backtest_svg", fail)
    with pytest.raises(ValueError, match="no chart"):
        write(trial, report, "nightshift", tmp_path / "b.parquet")
    assert list(tmp_path.iterdir()) == []


def test_the_answers_are_the_last_file_that_is_put_in_place(mixed: Export, trials: dict[str, Any], tmp_path: Path) -> None:
    trial = trials["cheapest"]
    report = build(trial, mixed.inputs(), judging_rules(RightsizingSettings(), "cheapest"), PEERS, Silent())
    (tmp_path / "b.md").mkdir()
    (tmp_path / "b.md" / "mine").touch()
    with pytest.raises(InputError, match="Cannot write"):
        write(trial, report, "nightshift", tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


def test_where_answers_cannot_go(tmp_path: Path) -> None:
    inputs = Export(tmp_path, samples(), windows=AT).inputs()

    def sentence(out: Path) -> str:
        with pytest.raises(InputError) as error:
            require_place(out, inputs)
        return str(error.value)

    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "file").touch()
    assert sentence(tmp_path / "b.csv").startswith(f"{tmp_path}/b.csv must end in .parquet")
    assert sentence(tmp_path / "folder.parquet") == f"{tmp_path}/folder.parquet is a folder; name a file for the answers."
    assert sentence(tmp_path / "file" / "b.parquet").startswith(f"Cannot write to {tmp_path}/file (Not a directory)")
    assert sentence(tmp_path / "file" / "deep" / "b.parquet").startswith(f"Cannot write to {tmp_path}/file (Not a directory)")
    for name in ("util_0", "resources", "decisions", "windows"):
        assert sentence(tmp_path / f"{name}.parquet").startswith(f"{tmp_path}/{name}.parquet is one of the files that")


def test_looking_for_a_place_makes_none(tmp_path: Path) -> None:
    inputs = Export(tmp_path, samples(), windows=AT).inputs()
    before = sorted(tmp_path.rglob("*"))
    require_place(tmp_path / "new" / "folder" / "b.parquet", inputs)
    assert sorted(tmp_path.rglob("*")) == before
    require_place(Path("b.parquet"), inputs)


def test_thresholds_of_the_settings_count(tmp_path: Path) -> None:
    export = Export(tmp_path, samples(cpu_pct=39.0), windows=AT)
    assert export.rows("nightshift", target="one-step")[0]["target_type"] == "m5.xlarge"
    (row,) = export.rows("nightshift", target="one-step", max_cpu_p995_pct=70)
    assert (row["target_type"], row["reason_code"]) == (None, "keep_busy_cpu")


def test_a_backtest_judges_without_the_economics_of_a_night() -> None:
    rules = judging_rules(RightsizingSettings(min_savings_usd_month=1000, incident_cost_usd=9, hysteresis_pct=20), "family")
    assert (rules.min_savings_usd_month, rules.incident_cost_usd, rules.restart_cost_usd, rules.hysteresis_pct) == (0, 0, 0, 0)
    assert rules.target == "family"


def test_what_followed_does_not_reach_the_verdicts_but_their_marks(tmp_path: Path) -> None:
    """The same past with a calm and with a terrible week after it."""
    calm = Export(tmp_path / "calm", samples(), windows=AT).trial()
    terrible = pl.concat([samples(days=28), samples(days=7, since=28 * DAY, cpu_pct=100.0, mem_used_pct=100.0)])
    bad = Export(tmp_path / "bad", terrible, windows=AT).trial()
    for rule in RULES:
        assert bytes_of(answers(calm, rule)) == bytes_of(answers(bad, rule))
    own, other = calm.marks["nightshift"], bad.marks["nightshift"]
    assert (own.is_starved.tolist(), other.is_starved.tolist()) == ([False], [True])
    assert own.credited[0] > 0
    assert other.credited[0] == other.possible[0] == 0
    assert own.saved.tolist() == other.saved.tolist()


def test_a_run_reads_what_it_was_given(tmp_path: Path) -> None:
    """A later week of windows does not change an earlier one's answers."""
    export = Export(tmp_path / "all", samples())
    rules = judging_rules(RightsizingSettings(), "cheapest")
    all_of_them = answers(run(export.inputs(), rules, PEERS, Silent()), "nightshift")
    one = Export(tmp_path / "one", samples(), windows=[("i-1", moment(14))]).inputs()
    (row,) = answers(run(replace(one), rules, PEERS[:1], Silent()), "nightshift").to_dicts()
    assert row == all_of_them.filter(pl.col("decide_at") == datetime.fromtimestamp(FIRST, UTC) + timedelta(days=14)).to_dicts()[0]

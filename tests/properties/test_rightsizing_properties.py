"""What holds for the verdict on any evidence, with a catalog of round numbers and with real sizes and prices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dagster_project.catalog.shapes import ec2_shapes
from dagster_project.domain.reasons import REASONS, sentence
from dagster_project.domain.rightsizing.credits import simulate_credits
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.domain.rightsizing.verdict import Verdict
from tests.rightsizing_builders import CATALOG, NAN, sizes_changed, slice_of, verdict_of, verdicts_of

Row = dict[str, Any]
ALL = range(len(DIMENSIONS))
PROPOSE = "propose_smaller_size"

# Nitro and Xen, Intel, AMD and Arm, burstable with known and unknown limits, local disks, accelerators, flex, old generations.
_FAMILIES = "c6i c6g m4 m5 m5a m5d m7i m7i-flex r6i r7i t2 t3 m3 x2idn g4dn".split()  # noqa: SIM905


def _real() -> Shapes:
    shapes = ec2_shapes("us-east-1")
    return slice_of(shapes, [number for number, family in enumerate(shapes.families) if family in _FAMILIES])


CATALOGS = {"round": CATALOG, "real": _real()}
on_both_catalogs = pytest.mark.parametrize("catalog", CATALOGS)
quickly = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def shares(highest: float) -> st.SearchStrategy[float]:
    """Of the present size: often little, sometimes more than there is."""
    return st.one_of(st.floats(0.001, 0.25), st.floats(0, highest), st.sampled_from([0.0, 0.04, 0.09, 0.4, 0.5]))


@st.composite
def proposable(draw: st.DrawFn, shapes: Shapes, highest: float = 0.45) -> Row:
    """Evidence against which nothing but demand speaks."""
    sizes = [
        name
        for number, name in enumerate(shapes.names)
        if shapes.usd_per_hour[number] > 0
        and not shapes.local_disk_gb[number]
        and not shapes.is_accelerated[number]
        and shapes.candidates(number, "family").size
    ]
    return draw(demands(shapes, st.sampled_from(sizes), highest))


@st.composite
def demands(draw: st.DrawFn, shapes: Shapes, sizes: st.SearchStrategy[str], highest: float) -> Row:
    size = draw(sizes)
    now = np.nan_to_num(shapes.capacity[shapes.number_of(size)], nan=1000.0)

    def amounts(least: Sequence[int] = ()) -> dict[int, float]:
        chosen = set(least) | draw(st.sets(st.sampled_from(ALL), max_size=2))
        return {dimension: draw(shares(highest)) * float(now[dimension]) for dimension in sorted(chosen)}

    peak = amounts(ALL)
    row: Row = {
        "size": size,
        "peak": peak,
        "cpu_p995": peak[CPU] * draw(st.floats(0.2, 1)),
        "memory_ever": draw(st.sampled_from([NAN, peak[MEMORY], peak[MEMORY] * 1.3])),
        "replay": amounts(),
        "replay_event": dict.fromkeys(ALL, "incident INC-7"),
        "forecast": amounts(),
        "history_hours": draw(st.sampled_from([30.0, 168.0, 672.0])),
        "units": draw(st.sampled_from([1.0, 1.0, 3.0])),
        "platform": draw(st.sampled_from(["linux", "linux", None, "windows"])),
        "interfaces": draw(st.sampled_from([1.0, 2.0, 3.0, NAN])),
        "volumes": draw(st.sampled_from([1.0, 9.0, NAN])),
        "pool": draw(st.sampled_from([-1, 0, 0, 1])),
    }
    if draw(st.booleans()):
        cores = np.array(draw(st.lists(st.floats(0, float(now[CPU])), min_size=1, max_size=12)))
        row["cpu_load"] = (cores, np.full(len(cores), 480.0))
    return row


GATES: dict[str, tuple[Row, str]] = {
    "kill switch": ({"kill_switch": "It is on."}, "refuse_kill_switch"),
    "tag": ({"excluding_tag": "no-touch"}, "refuse_excluded_by_tag"),
    "kind": ({"kind": "lambda_function"}, "insufficient_catalog"),
    "rejected": ({"rejected": "by ops"}, "refuse_rejected"),
    "snoozed": ({"snoozed": "until May"}, "refuse_snoozed"),
    "spot": ({"lifecycle": "spot"}, "refuse_spot"),
    "orchestrator": ({"managed_by": "karpenter"}, "refuse_managed_by_orchestrator"),
    "group": ({"group_name": "web"}, "refuse_group_member"),
    "incident": ({"open_incident": "INC-7"}, "refuse_open_incident"),
    "emergency": ({"emergencies": 1.0, "last_emergency": "yesterday"}, "refuse_recent_emergency_scaleup"),
    "action item": ({"open_capacity_item": "AI-3"}, "refuse_open_capacity_action_item"),
    "budget": ({"slo_budget_left_pct": 9.9}, "refuse_slo_budget_low"),
    "size unknown": ({"size": "m99.large"}, "insufficient_catalog"),
    "no size": ({"size": None}, "insufficient_catalog"),
    "units": ({"units": NAN}, "insufficient_catalog"),
    "changed": ({"days_since_change": 6.9}, "refuse_recently_changed"),
    "history": ({"history_hours": 29.9}, "insufficient_history"),
    "no history": ({"history_hours": NAN}, "insufficient_history"),
    "coverage": ({"coverage_pct": 89.9}, "insufficient_coverage"),
    "no coverage": ({"coverage_pct": NAN}, "insufficient_coverage"),
    "recent coverage": ({"recent_coverage_pct": 74.9}, "insufficient_coverage"),
    "no recent coverage": ({"recent_coverage_pct": NAN}, "insufficient_coverage"),
    "set aside": ({"rejected_readings": 1.0}, "insufficient_clean_data"),
    "member": ({"is_member_hidden": True}, "insufficient_coverage"),
    "p99.5": ({"cpu_p995": NAN}, "insufficient_history"),
    "tenancy": ({"tenancy": "dedicated"}, "insufficient_price"),
}


def anything(shapes: Shapes) -> st.SearchStrategy[Row]:
    """Evidence of all kinds: any size, demand that may not fit, gates, and what is not known."""

    def with_gaps(row: Row, gate: Row, covered: Mapping[int, float], judged: Mapping[int, bool], unseen: set[int]) -> Row:
        peak = {**row["peak"], **dict.fromkeys(unseen, NAN)}
        return {**row, "peak": peak, "covered_pct": {**covered, **dict.fromkeys(unseen, 0.0)}, "is_judged": judged, **gate}

    none: st.SearchStrategy[Row] = st.just({})
    return st.builds(
        with_gaps,
        demands(shapes, st.sampled_from(shapes.names), 1.3),
        st.one_of(none, none, none, none, st.sampled_from([row for row, _ in GATES.values()])),
        st.one_of(none, st.dictionaries(st.sampled_from(ALL), st.sampled_from([0.0, 50.0, 74.9, 75.0, NAN]), max_size=2)),
        st.one_of(none, st.dictionaries(st.integers(1, 4), st.booleans(), max_size=2)),
        st.one_of(st.just(set()), st.sets(st.integers(1, 4), max_size=2)),
    )


def rules(**fixed: Any) -> st.SearchStrategy[Rules]:
    return st.builds(
        Rules,
        target=st.sampled_from(["cheapest", "cheapest", "family", "one-step"]),
        hysteresis_pct=st.sampled_from([0.0, 10.0]),
        incident_cost_usd=st.sampled_from([0.0, 25.0, 1000.0]),
        restart_cost_usd=st.sampled_from([0.0, 12.0]),
        **{name: st.just(value) for name, value in fixed.items()},
    )


NO_POOLS = {"idle_pool_members": 10**6, "never_used_pool_members": 10**6}


def usd(verdict: Verdict, shapes: Shapes) -> float:
    """The hourly price of what is proposed; without a proposal more than any."""
    return float(shapes.usd_per_hour[shapes.number_of(verdict.target)]) if verdict.target else math.inf


@on_both_catalogs
@pytest.mark.parametrize("gate", GATES)
@settings(quickly, max_examples=15)
@given(data=st.data())
def test_each_gate_alone_forbids_a_proposal(gate: str, catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    row, chosen = data.draw(proposable(shapes, 0.3)), data.draw(rules())
    assume(verdict_of(chosen, shapes, **row).code == PROPOSE)
    closed, code = GATES[gate]
    said = verdict_of(chosen, shapes, **{**row, **closed})
    assert (said.code, said.target, said.savings_usd_month) == (code, None, 0)


@on_both_catalogs
@quickly
@given(data=st.data())
def test_sizes_that_must_not_be_touched_never_are(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    closed = [
        name
        for number, name in enumerate(shapes.names)
        if shapes.local_disk_gb[number] > 0 or shapes.is_accelerated[number] or not shapes.usd_per_hour[number] > 0
    ]
    row = data.draw(demands(shapes, st.sampled_from(closed), 0.3))
    said = verdict_of(data.draw(rules()), shapes, **row)
    assert said.code in ("refuse_instance_store", "insufficient_catalog", "insufficient_price")


@on_both_catalogs
@quickly
@given(data=st.data())
def test_every_row_gets_one_verdict_that_can_be_read(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    rows = data.draw(st.lists(anything(shapes), min_size=1, max_size=6))
    said = verdicts_of(*rows, rules=data.draw(rules()), shapes=shapes)
    assert [one.resource_id for one in said] == [f"r{number}" for number in range(len(rows))]
    for one in said:
        assert one.code in REASONS
        assert all(number is None or math.isfinite(number) for number in (one.value, one.limit))
        told = sentence(one.code, one.value, one.limit, one.text)
        assert not {"nan", "none", "inf", "{", "}"} & set(told.lower().replace(".", " ").split())
        assert "  " not in told and ".." not in told and told[0] != " "
        assert (one.target is not None) == (one.code == PROPOSE)


@on_both_catalogs
@quickly
@given(data=st.data())
def test_savings_are_part_of_what_it_costs(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    rows = data.draw(st.lists(proposable(shapes), min_size=1, max_size=5))
    for row, said in zip(rows, verdicts_of(*rows, rules=data.draw(rules()), shapes=shapes), strict=True):
        if said.target is None:
            assert (said.savings_usd_month, said.expected_usd_month) == (0, 0)
            continue
        present, target = shapes.number_of(row["size"]), shapes.number_of(said.target)
        assert 0 < said.savings_usd_month < said.current_usd_month
        assert shapes.usd_per_hour[target] < shapes.usd_per_hour[present]
        assert said.current_usd_month == pytest.approx(shapes.usd_per_hour[present] * 730 * row["units"])
        assert said.candidate_usd_month == pytest.approx(shapes.usd_per_hour[target] * 730 * row["units"])
        assert said.savings_usd_month == pytest.approx(said.current_usd_month - said.candidate_usd_month)
        assert 0 < said.expected_usd_month <= said.savings_usd_month * (1 + 1e-12)
        assert 0 <= said.exceedance <= 1


def more_demand(draw: st.DrawFn, row: Row, columns: Sequence[str], dimensions: Sequence[int]) -> Row:
    """The row with more of something."""
    column, dimension = draw(st.sampled_from(columns)), draw(st.sampled_from(dimensions))
    factor, added = draw(st.floats(1, 3)), draw(st.sampled_from([0.0, 0.01, 1.0, 100.0]))
    if column in ("peak", "replay", "forecast"):
        amounts = dict(row[column])
        amounts[dimension] = amounts.get(dimension, 0.0) * factor + added
        return {**row, column: amounts}
    if column == "cpu_load":
        cores, minutes = row[column]
        return {**row, column: (cores * factor + added, minutes)}
    return {**row, column: np.nan_to_num(row[column]) * factor + added}


@on_both_catalogs
@settings(quickly, max_examples=60)
@given(data=st.data())
def test_more_demand_never_fits_a_cheaper_size(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    chosen = data.draw(rules())
    row = {**data.draw(proposable(shapes, 0.6)), "previous": data.draw(st.sampled_from([None, *shapes.names]))}
    columns = ["peak", "replay", "forecast", "cpu_p995", "memory_ever", *(["cpu_load"] if "cpu_load" in row else [])]
    more = more_demand(data.draw, row, columns, ALL)
    before, after = verdict_of(chosen, shapes, **row), verdict_of(chosen, shapes, **more)
    assert usd(after, shapes) >= usd(before, shapes)
    assert after.exceedance >= before.exceedance - 1e-12 or after.candidate != before.candidate


@on_both_catalogs
@quickly
@given(data=st.data())
def test_more_demand_never_fits_a_cheaper_size_in_a_pool_either(catalog: str, data: st.DataObject) -> None:
    """Except for the CPU peak, by which a machine leaves its pool."""
    shapes = CATALOGS[catalog]
    chosen = data.draw(rules())
    row = data.draw(proposable(shapes, 0.3))
    row["peak"] = {**row["peak"], CPU: row["peak"][CPU] / 20}
    more = more_demand(data.draw, row, ["peak", "replay", "forecast"], [MEMORY, 2, 3, 4])
    more = more_demand(data.draw, more, ["cpu_p995", "memory_ever"], [CPU])
    before = verdicts_of(*[row] * 5, rules=chosen, shapes=shapes)
    after = verdicts_of(more, *[row] * 4, rules=chosen, shapes=shapes)
    assert after[0].idle_pool == before[0].idle_pool == 5
    assert usd(after[0], shapes) >= usd(before[0], shapes)
    assert after[1:] == before[1:] or [a.target for a in after[1:]] == [b.target for b in before[1:]]


@on_both_catalogs
@quickly
@given(data=st.data())
def test_the_order_of_rows_does_not_matter(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    rows = data.draw(st.lists(anything(shapes), min_size=2, max_size=7))
    rows = [{**row, "resource_id": f"r{number}"} for number, row in enumerate(rows)]
    order = data.draw(st.permutations(range(len(rows))))
    chosen = data.draw(rules())
    said = verdicts_of(*rows, rules=chosen, shapes=shapes)
    again = verdicts_of(*(rows[place] for place in order), rules=chosen, shapes=shapes)
    # By representation, because nan is not equal to itself.
    assert [repr(one) for one in again] == [repr(said[place]) for place in order]


GAPS: dict[str, Row] = {
    **{f"peak {dimension}": {"peak": {dimension: NAN}} for dimension in ALL},
    **{f"covered {dimension}": {"covered_pct": {dimension: 0.0}} for dimension in ALL},
    **{f"cover unknown {dimension}": {"covered_pct": {dimension: NAN}} for dimension in ALL},
    "memory not judged": {"is_judged": {MEMORY: False}},
    "memory hardly covered": {"covered_pct": {MEMORY: 74.9}},
    "p99.5": {"cpu_p995": NAN},
    "history": {"history_hours": NAN},
    "load": {"cpu_load": None},
    "units": {"units": NAN},
}


@on_both_catalogs
@pytest.mark.parametrize("gap", GAPS)
@settings(quickly, max_examples=15)
@given(data=st.data())
def test_what_is_not_known_never_helps(gap: str, catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    row, chosen = data.draw(proposable(shapes)), data.draw(rules())
    unknown = {**row, **{c: {**row.get(c, {}), **v} if isinstance(v, dict) else v for c, v in GAPS[gap].items()}}
    before, after = verdict_of(chosen, shapes, **row), verdict_of(chosen, shapes, **unknown)
    assert usd(after, shapes) >= usd(before, shapes)
    if "memory" in gap and after.target:
        capacity = shapes.capacity[:, MEMORY]
        assert capacity[shapes.number_of(after.target)] >= capacity[shapes.number_of(row["size"])]


@on_both_catalogs
@quickly
@given(data=st.data())
def test_a_limit_that_is_not_known_never_passes(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    row, chosen = data.draw(proposable(shapes)), data.draw(rules())
    known = verdict_of(chosen, shapes, **row)
    assume(known.target)
    # The vCPU of every size are known, and how far one step goes is said by CPU and memory.
    dimension = data.draw(st.sampled_from([NETWORK, DISK, IOPS, *([MEMORY] if chosen.target != "one-step" else [])]))
    unknown = sizes_changed(shapes, known.target, capacity={dimension: NAN})
    said = verdict_of(chosen, unknown, **row)
    assert said.target != known.target
    assert usd(said, shapes) >= usd(known, shapes)


@on_both_catalogs
@settings(quickly, max_examples=50)
@given(data=st.data())
def test_a_verdict_that_is_repeated_stays(catalog: str, data: st.DataObject) -> None:
    """The same evidence on the next night gives the same size, whatever the night before said."""
    shapes = CATALOGS[catalog]
    chosen = data.draw(st.builds(Rules, hysteresis_pct=st.sampled_from([10.0, 40.0])))
    row = data.draw(proposable(shapes))
    first = verdict_of(chosen, shapes, **row, previous=data.draw(st.sampled_from([None, row["size"], *shapes.names])))
    second = verdict_of(chosen, shapes, **row, previous=first.target or row["size"])
    assert second.target == first.target


# The rules once more, one resource and one size at a time.


def pool_of(rows: Sequence[Row], place: int, shapes: Shapes) -> int:
    def share(row: Row) -> float:
        return 100 * row["peak"][CPU] / float(shapes.capacity[shapes.number_of(row["size"]), CPU])

    mine, counts = rows[place], [0]
    if share(mine) < 10 and mine["pool"] >= 0:
        fellows = Counter((row["size"], row["pool"]) for row in rows if share(row) < 10)
        counts += [count for count in [fellows[mine["size"], mine["pool"]]] if count >= 5]
    if share(mine) < 5:
        unused = Counter(row["size"] for row in rows if share(row) < 5)
        counts += [count for count in [unused[mine["size"]]] if count >= 3]
    return max(counts)


def holds(row: Row, shapes: Shapes, number: int, pool: int) -> bool:
    present = shapes.number_of(row["size"])
    now, then = shapes.capacity[present].tolist(), shapes.capacity[number].tolist()
    for dimension in ALL:
        asked = [row["peak"][dimension], row["replay"].get(dimension, 0.0), row["forecast"].get(dimension, 0.0)]
        if dimension == CPU:
            asked += [row["cpu_p995"] / 0.8]
        if dimension == MEMORY:
            asked[0] /= 0.9
            asked += [] if math.isnan(row["memory_ever"]) else [row["memory_ever"]]
        if pool:
            asked += [0.5 * now[dimension]] if not math.isnan(now[dimension]) else []
            asked += [2.0] if dimension == CPU else []
        is_judged = row.get("is_judged", {}).get(dimension, True)
        is_known = is_judged and row.get("covered_pct", {}).get(dimension, 100.0) >= 75
        enough = is_known and all(amount <= then[dimension] for amount in asked)
        if not is_judged and dimension != MEMORY:
            enough = True
        if not enough and not then[dimension] >= now[dimension]:
            return False
    peak = max(row["peak"][CPU], row["replay"].get(CPU, 0.0))
    if then[CPU] < 2 and then[CPU] < now[CPU] and peak / 0.9 > then[CPU]:
        return False
    if (2 if math.isnan(row["interfaces"]) else row["interfaces"]) > shapes.interfaces[number]:
        return False
    if (8 if math.isnan(row["volumes"]) else row["volumes"]) > shapes.volumes[number]:
        return False
    baseline = float(shapes.burst_baseline_pct[number])
    if not math.isnan(baseline) and row["cpu_p995"] > then[CPU] * baseline / 100:
        load = row.get("cpu_load")
        return load is not None and bool(simulate_credits(*load, then[CPU], baseline).lowest_balance > 0)
    return True


def may_stand_in(row: Row, shapes: Shapes, number: int, target: str) -> bool:
    present = shapes.number_of(row["size"])
    family = shapes.families[number]
    is_linux = (row["platform"] or "linux") == "linux"
    is_general = (
        family[0] in "cmr" and family[1].isdigit() and "flex" not in family and bool(shapes.is_current_generation[number])
    )
    is_burstable = not math.isnan(shapes.burst_baseline_pct[number])
    return bool(
        shapes.usd_per_hour[number] < shapes.usd_per_hour[present]
        and shapes.architectures[number] == shapes.architectures[present]
        and shapes.drivers[number] == shapes.drivers[present]
        and not shapes.is_bare_metal[number]
        and not shapes.is_accelerated[number]
        and shapes.local_disk_gb[number] == 0
        and (family == shapes.families[present] or (target == "cheapest" and is_linux and is_general and not is_burstable))
    )


@on_both_catalogs
@pytest.mark.parametrize("target", ["cheapest", "family"])
@settings(quickly, max_examples=50)
@given(data=st.data())
def test_what_is_proposed_is_the_cheapest_size_that_holds_everything(target: str, catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    one = proposable(shapes)
    rows = data.draw(
        st.one_of(st.lists(one, min_size=1, max_size=3), st.builds(lambda row, n: [row] * n, one, st.integers(2, 6)))
    )
    gaps = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"is_judged": st.dictionaries(st.integers(1, 4), st.booleans(), max_size=3)}),
        st.fixed_dictionaries({"covered_pct": st.dictionaries(st.sampled_from(ALL), st.sampled_from([74.0, 75.0]), max_size=3)}),
    )
    rows = [{**row, **data.draw(gaps)} for row in rows]
    for place, said in enumerate(verdicts_of(*rows, rules=Rules(target=target, min_savings_usd_month=0), shapes=shapes)):
        pool = pool_of(rows, place, shapes)
        held = [
            number
            for number in range(len(shapes))
            if may_stand_in(rows[place], shapes, number, target) and holds(rows[place], shapes, number, pool)
        ]
        assert said.idle_pool == pool
        assert (said.target is not None) == bool(held)
        if said.target:
            assert shapes.number_of(said.target) in held
            assert usd(said, shapes) == min(shapes.usd_per_hour[number] for number in held)


BEYOND = (
    "keep_busy_cpu",
    "keep_busy_memory",
    "keep_busy_network",
    "keep_busy_ebs",
    "keep_forecast_growth",
    "refuse_incident_replay",
)
SHORT = (
    "insufficient_history",
    "insufficient_coverage",
    "insufficient_memory_data",
    "refuse_recently_changed",
    "refuse_slo_budget_low",
)


@on_both_catalogs
@settings(quickly, max_examples=50)
@given(data=st.data())
def test_the_number_that_decided_is_on_the_wrong_side_of_its_limit(catalog: str, data: st.DataObject) -> None:
    shapes = CATALOGS[catalog]
    rows = data.draw(st.lists(anything(shapes), min_size=1, max_size=6))
    for said in verdicts_of(*rows, rules=data.draw(rules(**NO_POOLS)), shapes=shapes):
        if said.code == "keep_busy_cpu" and "present size" in said.text:
            assert said.value >= said.limit
        elif said.code in BEYOND:
            assert said.value > said.limit
        elif said.code in SHORT:
            assert said.value < said.limit
        elif said.code == PROPOSE:
            assert said.value <= said.limit
        elif said.code == "keep_savings_too_small":
            assert 0 < said.value < said.limit


def test_demand_that_is_exactly_what_a_size_has_is_not_too_much() -> None:
    """100 × 0.781 / 0.781 is 100.00000000000001: the network of the incident is all that an m7i.large sustains."""
    row = {
        "size": "m7i.xlarge",
        "peak": {0: 1.0, 1: 4.0, 2: 0.3905, 3: 312.5, 4: 1500.0},
        "cpu_p995": 1.0,
        "memory_ever": NAN,
        "replay": {0: 1.0, 2: 0.781},
        "replay_event": dict.fromkeys(range(5), "incident INC-7"),
        "history_hours": 30.0,
    }
    chosen = Rules(target="cheapest", hysteresis_pct=0.0, incident_cost_usd=0.0, restart_cost_usd=0.0)
    said = verdict_of(chosen, CATALOGS["real"], **row)
    assert (said.code, said.closest_event_pct) == ("propose_smaller_size", pytest.approx(100))

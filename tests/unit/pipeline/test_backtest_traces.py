"""From exports to series of demand: physical units, what is set aside and why, and which decisions count."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.backtest.series import Series
from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.pipeline import exports
from dagster_project.pipeline.backtest_traces import Counts, Decided, decided, listed, traces
from tests.backtest_builders import DAY, FIRST, HOUR, Export, Row, decision, machine, moment, samples

NAN = float("nan")


def traced(
    folder: Path, *frames: pl.DataFrame, resources: tuple[Row, ...] = (machine(),)
) -> tuple[dict[str, tuple[str, Series]], Counts]:
    inputs = Export(folder, *frames, resources=resources).inputs()
    counts = Counts()
    found = listed(inputs.resources)
    weighed = decided(inputs.decisions, found, counts)
    seen = traces(exports.samples(inputs.utilization), list(found.values()), weighed, counts)
    return {one.resource_id: (source, series) for one, source, series in seen}, counts


def series_of(folder: Path, *frames: pl.DataFrame, **columns: Any) -> tuple[Series, Counts]:
    found, counts = traced(folder, *frames, resources=(machine(**columns),))
    return found["i-1"][1], counts


def changed(column: str, value: float | None, rows: tuple[int, ...] = (3,), **others: Any) -> pl.DataFrame:
    """Ten days of an idle machine with a few readings that are not like the others."""
    frame = samples(days=10, **others)
    if column not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.Float64).alias(column))
    is_one = pl.int_range(pl.len()).is_in(list(rows))
    return frame.with_columns(pl.when(is_one).then(pl.lit(value, pl.Float64)).otherwise(pl.col(column)).alias(column))


def test_demand_is_in_physical_units(tmp_path: Path) -> None:
    frame = samples(
        days=1, cpu_pct=25.0, mem_used_pct=50.0, net_in_bytes=45e9, net_out_bytes=45e9, disk_read_bytes=9e9, disk_write_bytes=36e9
    )
    series, counts = series_of(tmp_path, frame)
    # 90 GB an hour are 0.2 Gbit/s; 45 GB an hour are 100 Mbit/s.
    assert series.average[5].tolist() == [2, 16, pytest.approx(0.2), pytest.approx(100), pytest.approx(NAN, nan_ok=True)]
    assert series.highest is series.average
    assert (counts.samples, counts.off, counts.rejected) == (24, 0, {})
    assert series.interval_seconds == HOUR


def test_percentages_refer_to_the_size_of_the_moment(tmp_path: Path) -> None:
    vcpu = np.where(np.arange(24) < 12, 4.0, 16.0)
    frame = samples(days=1, cpu_pct=50.0, mem_used_pct=50.0, vcpu=vcpu, mem_gib=vcpu * 2)
    series, _ = series_of(tmp_path, frame)
    assert series.average[[0, 23], CPU].tolist() == [2, 8]
    assert series.average[[0, 23], MEMORY].tolist() == [4, 16]


@pytest.mark.parametrize("absent", [True, False])
def test_an_unknown_size_of_the_moment_is_that_of_the_type(tmp_path: Path, absent: bool) -> None:
    frame = samples(days=1, cpu_pct=50.0, mem_used_pct=50.0, vcpu=None, mem_gib=None)
    if not absent:
        frame = frame.with_columns(vcpu=pl.lit(None, pl.Float64), mem_gib=pl.lit(None, pl.Float64))
    series, _ = series_of(tmp_path, frame)
    assert series.average[0, [CPU, MEMORY]].tolist() == [4, 16]


@pytest.mark.parametrize("value", [None, 0.0, -8.0, NAN, float("inf")])
def test_a_size_that_cannot_be_is_unknown_and_never_no_demand(tmp_path: Path, value: float | None) -> None:
    frame = samples(days=1, vcpu=None, mem_gib=None)
    series, _ = series_of(tmp_path, frame, vcpu=value, mem_gib=value)
    assert np.isnan(series.average[:, [CPU, MEMORY]]).all()
    assert len(series.at) == 24


def test_memory_that_is_listed_as_unknown_is_not_read(tmp_path: Path) -> None:
    for number, known in enumerate((False, None)):
        series, _ = series_of(tmp_path / str(number), samples(days=1, mem_max_pct=50.0), memory_known=known)
        assert np.isnan(series.average[:, MEMORY]).all()
        assert np.isnan(series.highest[:, MEMORY]).all()


def test_maxima_are_never_below_the_averages(tmp_path: Path) -> None:
    inside = np.full(24, np.nan)
    inside[:3] = [5.0, 80.0, 20.0]
    frame = samples(days=1, cpu_pct=20.0, cpu_max_pct=inside, mem_max_pct=50.0).with_columns(pl.col("cpu_max_pct").fill_nan(None))
    series, _ = series_of(tmp_path, frame)
    assert series.highest[:4, CPU].tolist() == pytest.approx([1.6, 6.4, 1.6, 1.6])
    assert series.average[:4, CPU].tolist() == pytest.approx([1.6] * 4)
    assert series.highest[0, MEMORY] == 16
    assert series.average[0, MEMORY] == pytest.approx(6.4)
    assert np.isnan(series.highest[:, IOPS]).all()


def test_maxima_without_averages(tmp_path: Path) -> None:
    frame = samples(days=1, cpu_pct=None, cpu_max_pct=50.0).with_columns(cpu_pct=pl.lit(None, pl.Float64))
    series, _ = series_of(tmp_path, frame)
    assert np.isnan(series.average[:, CPU]).all()
    assert (series.highest[:, CPU] == 4).all()


def test_half_of_a_volume_is_unknown(tmp_path: Path) -> None:
    frame = samples(days=1, net_out_bytes=None, disk_read_bytes=1e9, disk_write_bytes=1e9)
    frame = frame.with_columns(disk_write_bytes=pl.when(pl.int_range(pl.len()) > 5).then(pl.col("disk_write_bytes")))
    series, _ = series_of(tmp_path, frame)
    assert np.isnan(series.average[:, NETWORK]).all()
    assert np.isnan(series.average[:6, DISK]).all()
    assert not np.isnan(series.average[6:, DISK]).any()


def test_a_machine_that_is_off_is_a_gap(tmp_path: Path) -> None:
    vcpu = np.where(np.arange(240) // 24 % 2, 0.0, 8.0)
    # What is written of a machine that is off does not matter.
    frame = samples(days=10, vcpu=vcpu, cpu_pct=np.where(vcpu == 0, -5.0, 20.0), mem_used_pct=np.where(vcpu == 0, 1e9, 20.0))
    series, counts = series_of(tmp_path, frame)
    assert (counts.samples, counts.off, counts.rejected) == (240, 120, {})
    assert (len(series.at), len(series.seen_at), len(series.rejected_at)) == (120, 240, 0)
    assert set((series.at - FIRST) // DAY % 2) == {0}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("cpu_pct", -0.1, "negative"),
        ("cpu_pct", 1000.1, "impossible_value"),
        ("cpu_pct", float("inf"), "impossible_value"),
        ("cpu_pct", float("-inf"), "negative"),
        ("cpu_pct", NAN, "nan"),
        ("cpu_max_pct", 2000.0, "impossible_value"),
        ("mem_used_pct", 1001.0, "impossible_value"),
        ("mem_used_pct", -1.0, "negative"),
        ("mem_max_pct", NAN, "nan"),
        ("net_in_bytes", -1.0, "negative"),
        ("net_out_bytes", float("inf"), "impossible_value"),
        ("disk_read_bytes", NAN, "nan"),
        ("disk_write_bytes", -5.0, "negative"),
        ("vcpu", -8.0, "negative"),
        ("vcpu", float("inf"), "impossible_value"),
        ("vcpu", NAN, "nan"),
        ("mem_gib", -1.0, "negative"),
        ("mem_gib", float("inf"), "impossible_value"),
    ],
)
def test_readings_that_cannot_be_right_are_set_aside_whole(tmp_path: Path, column: str, value: float, reason: str) -> None:
    series, counts = series_of(tmp_path, changed(column, value, (3, 4, 100)))
    assert counts.rejected == {reason: 3}
    assert (counts.samples, len(series.at), len(series.seen_at)) == (240, 237, 237)
    assert ((series.rejected_at - FIRST) // HOUR).tolist() == [3, 4, 100]


@pytest.mark.parametrize(
    ("column", "value"),
    [("cpu_pct", 1000.0), ("cpu_pct", None), ("mem_used_pct", 1000.0), ("mem_used_pct", None), ("vcpu", None)],
)
def test_readings_that_may_be_right_or_are_unknown_stay(tmp_path: Path, column: str, value: float | None) -> None:
    series, counts = series_of(tmp_path, changed(column, value))
    assert counts.rejected == {}
    assert len(series.at) == 240


def test_every_row_counts_once_under_its_first_reason(tmp_path: Path) -> None:
    frame = changed("cpu_pct", NAN).with_columns(mem_used_pct=pl.lit(-1.0), net_in_bytes=pl.lit(float("inf")))
    _, counts = series_of(tmp_path, frame)
    assert counts.rejected == {"nan": 1, "negative": 239}


def test_memory_in_percent_of_a_momentarily_small_size(tmp_path: Path) -> None:
    """2,000 % of 1 GiB are 20 GiB, and 62 % of the type."""
    frame = changed("mem_used_pct", 2000.0).with_columns(
        mem_gib=pl.when(pl.int_range(pl.len()) == 3).then(1.0).otherwise(pl.col("mem_gib"))
    )
    series, counts = series_of(tmp_path, frame)
    assert counts.rejected == {}
    assert series.average[3, MEMORY] == 20
    _, counts = series_of(tmp_path / "large", changed("mem_used_pct", 2000.0))
    assert counts.rejected == {"impossible_value": 1}


def test_memory_of_a_size_of_nothing_is_unknown(tmp_path: Path) -> None:
    series, counts = series_of(tmp_path, changed("mem_gib", 0.0))
    assert counts.rejected == {}
    assert np.isnan(series.average[3, MEMORY])
    assert not np.isnan(series.average[4, MEMORY])
    assert series.average[3, CPU] == pytest.approx(1.6)


def test_of_samples_of_one_time_the_busiest_stays(tmp_path: Path) -> None:
    again = samples(days=1, cpu_pct=50.0)
    for number, frames in enumerate([(samples(days=2), again), (again, samples(days=2))]):
        series, counts = series_of(tmp_path / str(number), *frames)
        assert counts.rejected == {"duplicate_time": 24}
        assert (counts.samples, len(series.at)) == (72, 48)
        assert series.average[[0, 23, 24], CPU].tolist() == pytest.approx([4, 4, 1.6])
        assert len(series.rejected_at) == 0
        assert series.interval_seconds == HOUR


def test_samples_of_one_second_are_of_one_time(tmp_path: Path) -> None:
    later = samples(days=1, cpu_pct=50.0).with_columns(pl.col("ts").dt.offset_by("300ms"))
    series, counts = series_of(tmp_path, samples(days=1), later)
    assert counts.rejected == {"duplicate_time": 24}
    assert series.average[0, CPU] == pytest.approx(1.6)


# The time that a sample sums up.


@pytest.mark.parametrize("every", [60, 300, HOUR])
def test_volumes_become_rates_of_the_feed_s_own_interval(tmp_path: Path, every: int) -> None:
    volume = 0.5e9 / 8 * every
    series, _ = series_of(tmp_path, samples(days=3, every=every, net_in_bytes=volume, net_out_bytes=volume))
    assert series.average[1:, NETWORK] == pytest.approx(1.0)
    assert np.isnan(series.average[0, NETWORK])  # nobody knows since when it counted
    assert series.interval_seconds == every


def test_resources_may_have_other_intervals(tmp_path: Path) -> None:
    frames = [
        samples(name, 3, every, net_in_bytes=1e9 / 8 * every, net_out_bytes=0.0) for name, every in (("i-1", 60), ("i-2", HOUR))
    ]
    found, _ = traced(tmp_path, *frames, resources=(machine("i-1"), machine("i-2")))
    for name, every in (("i-1", 60), ("i-2", HOUR)):
        assert found[name][1].average[1:, NETWORK] == pytest.approx(1.0)
        assert found[name][1].interval_seconds == every


def gbps(folder: Path, at: list[int], volumes: list[float]) -> list[float]:
    """Rates of samples at seconds after the start, each of so many seconds at 1 Gbit/s."""
    frame = samples(days=len(at), every=DAY, net_in_bytes=np.array(volumes) * 1e9 / 8, net_out_bytes=0.0)
    times = pl.Series("ts", [moment(0, second) for second in at]).dt.cast_time_unit("us")
    series, _ = series_of(folder, frame.with_columns(times))
    return series.average[:, NETWORK].tolist()


def test_a_feed_that_changes_is_followed_within_some_samples(tmp_path: Path) -> None:
    at = [300 * i for i in range(20)] + [300 * 20 + 60 * i for i in range(20)]
    rates = gbps(tmp_path, at, [300] * 20 + [60] * 20)
    assert rates[1:20] == pytest.approx([1] * 19)
    assert rates[-10:] == pytest.approx([1] * 10)
    assert rates[20:26] == pytest.approx([0.2] * 6)


def test_a_pause_is_not_summed_up(tmp_path: Path) -> None:
    at = [300 * i for i in range(20)] + [90_000 + 300 * i for i in range(20)]
    assert gbps(tmp_path, at, [300] * 40)[1:] == pytest.approx([1] * 39)


def test_a_pause_at_the_very_beginning_is_over_with_the_next_gap(tmp_path: Path) -> None:
    assert gbps(tmp_path, [0, 7200, 7500, 7800, 8100], [300] * 5)[2:] == pytest.approx([1] * 3)


def test_a_clock_that_trembles_changes_no_rate(tmp_path: Path) -> None:
    at = [300 * i + (i % 3) for i in range(40)]
    assert gbps(tmp_path, at, [300] * 40)[1:] == pytest.approx([1] * 39)


def test_a_machine_that_was_off_is_measured_in_the_same_interval(tmp_path: Path) -> None:
    vcpu = np.where(np.arange(72) % 12 == 0, 8.0, 0.0)  # on for one hour of twelve
    series, _ = series_of(tmp_path, samples(days=3, vcpu=vcpu, net_in_bytes=HOUR * 1e9 / 8, net_out_bytes=0.0))
    assert series.average[1:, NETWORK] == pytest.approx(1.0)


def test_a_single_sample_has_no_rate(tmp_path: Path) -> None:
    series, _ = series_of(tmp_path, samples(days=1 / 24))
    assert np.isnan(series.average[0, NETWORK])
    assert series.average[0, CPU] == pytest.approx(1.6)
    assert series.interval_seconds == 300


def test_what_a_sample_says_does_not_depend_on_later_ones(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    at = np.cumsum(random.choice([10, 60, 60, 300, 300, 299, 7000], 400)).tolist()
    whole = gbps(tmp_path / "all", at, [60] * 400)
    for cut in (1, 2, 5, 12, 200, 399):
        assert gbps(tmp_path / str(cut), at[:cut], [60] * cut) == pytest.approx(whole[:cut], nan_ok=True, rel=0)


# Resources and their samples.


def test_resources_without_samples_are_counted(tmp_path: Path) -> None:
    found, counts = traced(tmp_path, samples("i-2", 1), samples("stranger", 1), resources=(machine("i-1"), machine("i-2")))
    assert set(found) == {"i-2"}
    assert (counts.resources_without_samples, counts.samples) == (1, 24)


def test_more_resources_than_are_read_at_a_time(tmp_path: Path) -> None:
    names = [f"i-{number:03}" for number in range(70)]
    frame = pl.concat([samples(name, 1, cpu_pct=float(number)) for number, name in enumerate(names)])
    found, _ = traced(tmp_path, frame, resources=tuple(machine(name) for name in names))
    assert [found[name][1].average[0, CPU] for name in names] == pytest.approx([0.08 * number for number in range(70)])


def test_the_source_is_that_of_the_first_sample(tmp_path: Path) -> None:
    frames = [samples("i-1", 1, source="b"), samples("i-1", 1, since=DAY, source="a"), samples("i-2", 1)]
    frames[2] = frames[2].with_columns(source=pl.lit(None, pl.String))
    found, _ = traced(tmp_path, *frames, resources=(machine("i-1"), machine("i-2")))
    assert (found["i-1"][0], found["i-2"][0]) == ("b", "")


def test_tags_that_are_no_texts(tmp_path: Path) -> None:
    tags = '{"service": 7, "asg_name": null, "lifecycle": {"a": 1}, "nightshift:exclude": true, "team": "core"}'
    inputs = Export(tmp_path, samples(), resources=[machine(tags=tags), machine("i-2", tags=None)]).inputs()
    one = listed(inputs.resources)["i-1"]
    assert (one.service, one.group) == ("7", None)
    assert one.tags == {"service": "7", "lifecycle": '{"a": 1}', "nightshift:exclude": "true", "team": "core"}
    assert listed(inputs.resources)["i-2"].tags == {}


def test_the_group_of_a_resource(tmp_path: Path) -> None:
    rows = [
        machine("i-1", tags='{"aws:autoscaling:groupName": "asg-1", "asg_name": "other"}'),
        machine("i-2", tags='{"asg_name": "asg-2", "service": "web"}'),
    ]
    found = listed(Export(tmp_path, samples(), resources=rows).inputs().resources)
    assert [(one.group, one.service) for one in found.values()] == [("asg-1", None), ("asg-2", "web")]


# Decisions.

WEB = (machine("i-1", tags='{"service": "web"}'), machine("i-2", tags='{"service": "web", "asg_name": "asg-2"}'))


def weighed(folder: Path, *rows: Row) -> tuple[Decided, Counts, Any]:
    inputs = Export(folder, samples(), resources=WEB, decisions=rows).inputs()
    counts = Counts()
    found = listed(inputs.resources)
    return decided(inputs.decisions, found, counts), counts, found


def days(times: np.ndarray) -> list[float]:
    return ((times - FIRST) / DAY).tolist()


def test_decisions_speak_of_a_resource_its_group_or_its_service(tmp_path: Path) -> None:
    rows = [decision("a", moment(3), "i-2"), decision("b", moment(1), "asg-2"), decision("c", moment(2), "web")]
    found, counts, resources = weighed(tmp_path, *rows, decision("d", moment(4), "i-1"), decision("e", moment(5), "elsewhere"))
    assert days(found.of(resources["i-2"], found.scale_ups)) == [1, 2, 3]
    assert days(found.of(resources["i-1"], found.scale_ups)) == [2, 4]
    assert counts.decisions == 5
    assert counts.decisions_set_aside == {"unknown_target": 1}


def test_what_is_no_emergency_is_still_a_decision(tmp_path: Path) -> None:
    rows = [
        decision("a", moment(1), action_type="scale_down"),
        decision("b", moment(2), dry_run=True),
        decision("c", moment(3), outcome="failed"),
        decision("d", moment(4), outcome="skipped"),
        decision("e", moment(5)),
    ]
    found, counts, resources = weighed(tmp_path, *rows)
    assert days(found.of(resources["i-1"], found.scale_ups)) == [5]
    assert days(found.of(resources["i-1"], found.all)) == [1, 2, 3, 4, 5]
    assert counts.decisions_set_aside == {"dry_run": 1, "failed_or_skipped": 2}


@pytest.mark.parametrize("column", ["action_type", "outcome", "policy_id", "dry_run", "event_id"])
def test_what_is_not_known_of_a_decision_speaks_for_an_emergency(tmp_path: Path, column: str) -> None:
    found, counts, resources = weighed(tmp_path, decision("a", moment(1), **{column: None}))
    assert days(found.of(resources["i-1"], found.scale_ups)) == [1]
    assert counts.decisions_set_aside == {}


def test_one_event_that_was_written_down_more_than_once(tmp_path: Path) -> None:
    rows = [
        decision("a", moment(1), event_id="e"),
        decision("b", moment(1, 600), event_id="e"),
        decision("c", moment(1, 900), "i-2", event_id="e"),
        decision("d", moment(1, 1200)),
        decision("f", moment(2), event_id="e"),
    ]
    found, counts, resources = weighed(tmp_path, *rows)
    assert len(found.of(resources["i-1"], found.scale_ups)) == 3
    assert len(found.of(resources["i-2"], found.scale_ups)) == 1
    assert counts.decisions_set_aside == {"duplicate_event": 1}


def test_one_id_twice_is_one_decision(tmp_path: Path) -> None:
    rows = [decision("a", moment(4)), decision("a", moment(2)), decision("a", moment(2)), decision("b", moment(6))]
    for number, order in enumerate((rows, rows[::-1])):
        found, counts, resources = weighed(tmp_path / str(number), *order)
        assert days(found.of(resources["i-1"], found.scale_ups)) == [2, 6]
        assert (counts.decisions, counts.decisions_set_aside) == (4, {"duplicate_id": 2})


@pytest.mark.parametrize("fraction", [0, 0.000001, 0.5, 0.999999])
def test_a_decision_is_of_the_second_that_has_begun(tmp_path: Path, fraction: float) -> None:
    at: datetime = moment(1, 7 + fraction)
    found, _, resources = weighed(tmp_path, decision("a", at))
    assert found.of(resources["i-1"], found.all).tolist() == [FIRST + DAY + 7]


def test_no_decisions_at_all(tmp_path: Path) -> None:
    found, counts, resources = weighed(tmp_path)
    assert found.of(resources["i-1"], found.all).tolist() == []
    assert (counts.decisions, counts.decisions_set_aside) == (0, {})

"""Parquet exports into a database in the contract's shape: everything, or nothing."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import InputError
from dagster_project.pipeline import ledger
from dagster_project.pipeline.ingest_records import DECISIONS, INVENTORY
from dagster_project.pipeline.ingest_samples import SOURCE as UTILIZATION
from dagster_project.pipeline.ingest_samples import ingest_samples
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.load_files import DEMO_ORIGIN, Loaded, load_files
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import contract_tables
from tests.conftest import query

DAY = date(2025, 3, 9)
NOON = datetime(2025, 3, 9, 12)
Row = dict[str, Any]
Write = Callable[..., Path]

UTILIZATION_KINDS = {
    "resource_id": pl.String(),
    "ts": pl.Datetime("us"),
    "cpu_pct": pl.Float64(),
    "cpu_max_pct": pl.Float64(),
    "vcpu": pl.Float64(),
    "mem_gib": pl.Float64(),
    "mem_used_pct": pl.Float64(),
    "mem_max_pct": pl.Float64(),
    "net_in_bytes": pl.Float64(),
}
RESOURCE_KINDS = {
    "resource_id": pl.String(),
    "instance_type": pl.String(),
    "region": pl.String(),
    "vcpu": pl.Float64(),
    "mem_gib": pl.Float64(),
    "memory_known": pl.Boolean(),
    "tags": pl.String(),
}
DECISION_KINDS = {
    "decision_id": pl.String(),
    "decision_time": pl.Datetime("us"),
    "target": pl.String(),
    "action_type": pl.String(),
    "policy_id": pl.String(),
    "policy_version": pl.Int64(),
    "outcome": pl.String(),
}

MACHINE: Row = {
    "resource_id": "i-1",
    "instance_type": "m5.xlarge",
    "region": "us-east-1",
    "vcpu": 4.0,
    "mem_gib": 16.0,
    "memory_known": True,
}
SAMPLE: Row = {"resource_id": "i-1", "ts": NOON, "cpu_pct": 40.0, "vcpu": 4.0, "mem_gib": 16.0}
DECISION: Row = {
    "decision_id": "d-1",
    "decision_time": NOON,
    "target": "i-1",
    "action_type": "scale_up",
    "outcome": "succeeded",
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows as a Parquet file; what they leave out is null, and ``without`` columns are left out of the file."""

    def put(name: str, kinds: dict[str, pl.DataType], *rows: Row, without: tuple[str, ...] = ()) -> Path:
        frame = pl.DataFrame({column: pl.Series([row.get(column) for row in rows], dtype=kind) for column, kind in kinds.items()})
        frame.drop(without).write_parquet(tmp_path / name)
        return tmp_path / name

    return put


@pytest.fixture
def load(runtime: Runtime, write: Write) -> Callable[..., Loaded]:
    """Loads samples of one file with the machines that they belong to."""

    def run(*samples: Row, machines: tuple[Row, ...] = (MACHINE,), decisions: tuple[Row, ...] | None = None) -> Loaded:
        utilization = write("utilization.parquet", UTILIZATION_KINDS, *samples)
        resources = write("resources.parquet", RESOURCE_KINDS, *machines)
        decided = None if decisions is None else write("decisions.parquet", DECISION_KINDS, *decisions)
        return load_files(runtime, str(utilization), resources, decided)

    return run


def create_tables(runtime: Runtime) -> None:
    async def create() -> None:
        async with runtime.connect() as connection:
            await contract_tables.create_tables(connection)

    asyncio.run(create())


def stored(dsn: str) -> list[tuple[Any, ...]]:
    rows = query(dsn, "select resource_id, timestamp, cpu_avg, cpu_max, mem_avg, mem_max from utilization order by 1, 2")
    return [(row["resource_id"], row["timestamp"].astimezone(UTC).replace(tzinfo=None), *tuple(row)[2:]) for row in rows]


def test_percentages_are_turned_from_the_traced_size_to_that_of_the_type(load: Callable[..., Loaded], dsn: str) -> None:
    loaded = load(
        {**SAMPLE, "cpu_max_pct": 60.0, "vcpu": 2.0, "mem_gib": 8.0, "mem_used_pct": 30.0, "mem_max_pct": 50.0},
        {**SAMPLE, "ts": NOON + timedelta(minutes=5), "vcpu": 6.0, "mem_gib": 32.0, "mem_used_pct": 30.0},
    )
    assert stored(dsn) == [
        ("i-1", NOON, 20.0, 30.0, 15.0, 25.0),
        ("i-1", NOON + timedelta(minutes=5), 60.0, None, 60.0, None),
    ]
    assert loaded == Loaded(resources=1, samples=2, off=0, unlisted=0, decisions=0, first_day=DAY, last_day=DAY)


def test_rows_of_a_machine_that_was_off_and_of_unlisted_ones_are_counted_and_not_loaded(
    load: Callable[..., Loaded], dsn: str
) -> None:
    loaded = load(
        SAMPLE,
        {**SAMPLE, "ts": NOON + timedelta(minutes=5), "vcpu": 0.0, "cpu_pct": 0.0},
        {**SAMPLE, "ts": NOON + timedelta(minutes=10), "vcpu": None},
        {**SAMPLE, "resource_id": "i-9"},
        {**SAMPLE, "resource_id": "i-9", "vcpu": 0.0},
    )
    assert (loaded.samples, loaded.off, loaded.unlisted) == (2, 2, 1)
    assert [(name, cpu) for name, _, cpu, *_ in stored(dsn)] == [("i-1", 40.0), ("i-1", 40.0)]


@pytest.mark.parametrize("known", [False, None])
def test_where_sizes_cannot_be_compared_cpu_stays_and_memory_is_unknown(
    load: Callable[..., Loaded], dsn: str, known: bool | None
) -> None:
    load(
        {**SAMPLE, "vcpu": 2.0, "mem_used_pct": 30.0, "mem_max_pct": 50.0},
        machines=({**MACHINE, "memory_known": known},),
    )
    assert stored(dsn) == [("i-1", NOON, 40.0, None, None, None)]


def test_columns_that_an_export_lacks_are_unknown(runtime: Runtime, write: Write, dsn: str) -> None:
    optional = ("cpu_max_pct", "vcpu", "mem_gib", "mem_used_pct", "mem_max_pct", "net_in_bytes")
    utilization = write("u.parquet", UTILIZATION_KINDS, SAMPLE, without=optional)
    loaded = load_files(runtime, str(utilization), write("r.parquet", RESOURCE_KINDS, MACHINE), None)
    assert (loaded.samples, stored(dsn)) == (1, [("i-1", NOON, 40.0, None, None, None)])


def test_resources_get_their_owners_from_their_tags(load: Callable[..., Loaded], dsn: str) -> None:
    load(
        SAMPLE,
        machines=(
            {**MACHINE, "tags": '{"service": "checkout", "team": "core", "env": "prod"}'},
            {**MACHINE, "resource_id": "i-2"},
        ),
    )
    rows = query(
        dsn,
        "select resource_id, type, current_config::text, tags::text, service, team, environment from resources order by 1",
    )
    assert [tuple(row) for row in rows] == [
        (
            "i-1",
            "ec2_instance",
            '{"region": "us-east-1", "instance_type": "m5.xlarge"}',
            '{"env": "prod", "team": "core", "service": "checkout"}',
            "checkout",
            "core",
            "prod",
        ),
        ("i-2", "ec2_instance", '{"region": "us-east-1", "instance_type": "m5.xlarge"}', "{}", None, None, None),
    ]


def test_text_with_quotes_lines_and_emptiness_arrives_as_it_is(load: Callable[..., Loaded], dsn: str) -> None:
    texts = ['a "b", c', "two\nlines", "back\\slash", "Größe 漢字", ""]
    load(SAMPLE, decisions=tuple({**DECISION, "decision_id": f"d-{n}", "target": text} for n, text in enumerate(texts)))
    assert [row["target"] for row in query(dsn, "select target from decision_audit order by decision_id")] == texts


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata"])
def test_times_of_any_zone_and_precision_are_the_moments_that_they_mean(
    runtime: Runtime, write: Write, dsn: str, unit: str, zone: str | None
) -> None:
    kinds = {**UTILIZATION_KINDS, "ts": pl.Datetime(unit, zone)}
    offset = timezone(timedelta(hours=5, minutes=30)) if zone == "Asia/Kolkata" else UTC
    moment = NOON if zone is None else datetime(2025, 3, 9, 12, tzinfo=UTC).astimezone(offset)
    frame = pl.DataFrame({"resource_id": ["i-1"], "ts": pl.Series([moment]), "cpu_pct": [40.0], "vcpu": [4.0]})
    target = runtime.settings.reports / "zoned.parquet"
    target.parent.mkdir(parents=True)
    frame.with_columns(
        pl.col("ts").cast(kinds["ts"]) if zone is None else pl.col("ts").dt.convert_time_zone(zone).cast(kinds["ts"])
    ).write_parquet(target)
    loaded = load_files(runtime, str(target), write("r.parquet", RESOURCE_KINDS, MACHINE), None)
    assert (stored(dsn)[0][1], loaded.first_day) == (NOON, DAY)


def test_loading_again_replaces_the_same_span_and_leaves_the_rest(load: Callable[..., Loaded], dsn: str) -> None:
    other = {**MACHINE, "resource_id": "i-2"}
    later = NOON + timedelta(minutes=10)
    load(
        SAMPLE,
        {**SAMPLE, "ts": later},
        {**SAMPLE, "resource_id": "i-2"},
        machines=(MACHINE, other),
        decisions=(DECISION,),
    )
    loaded = load(
        {**SAMPLE, "cpu_pct": 80.0},
        {**SAMPLE, "ts": NOON + timedelta(minutes=5)},
        machines=({**MACHINE, "instance_type": "m5.large"},),
        decisions=({**DECISION, "outcome": "failed"}, {**DECISION, "decision_id": "d-2"}),
    )
    assert [(name, at, cpu) for name, at, cpu, *_ in stored(dsn)] == [
        ("i-1", NOON, 80.0),
        ("i-1", NOON + timedelta(minutes=5), 40.0),
        ("i-1", later, 40.0),
        ("i-2", NOON, 40.0),
    ]
    kinds = query(dsn, "select resource_id, current_config ->> 'instance_type' as kind from resources order by 1")
    assert [tuple(row) for row in kinds] == [("i-1", "m5.large"), ("i-2", "m5.xlarge")]
    assert [tuple(row) for row in query(dsn, "select decision_id, outcome from decision_audit order by 1")] == [
        ("d-1", "failed"),
        ("d-2", "succeeded"),
    ]
    assert (loaded.samples, loaded.decisions) == (2, 2)


def test_a_pattern_takes_all_its_files(runtime: Runtime, write: Write, tmp_path: Path, dsn: str) -> None:
    for number in range(3):
        write(f"part-{number}.parquet", UTILIZATION_KINDS, {**SAMPLE, "ts": NOON + timedelta(days=number)})
    loaded = load_files(runtime, str(tmp_path / "part-*.parquet"), write("r.parquet", RESOURCE_KINDS, MACHINE), None)
    assert (loaded.samples, loaded.first_day, loaded.last_day) == (3, DAY, DAY + timedelta(days=2))
    assert len(stored(dsn)) == 3


def test_files_that_share_a_resource_and_interleave_in_time_all_arrive(
    runtime: Runtime, write: Write, tmp_path: Path, dsn: str
) -> None:
    moments = [NOON + timedelta(minutes=5 * number) for number in range(6)]
    for shard in range(2):
        write(f"shard-{shard}.parquet", UTILIZATION_KINDS, *({**SAMPLE, "ts": moment} for moment in moments[shard::2]))
    resources = write("r.parquet", RESOURCE_KINDS, MACHINE)
    for _ in range(2):
        assert load_files(runtime, str(tmp_path / "shard-*.parquet"), resources, None).samples == 6
        assert [at for _, at, *_ in stored(dsn)] == moments


def test_a_name_with_brackets_is_a_name(runtime: Runtime, write: Write, tmp_path: Path, dsn: str) -> None:
    write("part[1].parquet", UTILIZATION_KINDS, SAMPLE)
    loaded = load_files(runtime, str(tmp_path / "part*"), write("r[1].parquet", RESOURCE_KINDS, MACHINE), None)
    assert loaded.samples == 1


def test_a_load_that_fails_halfway_changes_nothing(load: Callable[..., Loaded], runtime: Runtime, dsn: str) -> None:
    load(SAMPLE)
    ledger.record(runtime.lake, DAY, Load(UTILIZATION, "complete"))
    with pytest.raises(InputError, match="holds a row of decision_audit twice"):
        load(
            {**SAMPLE, "cpu_pct": 99.0},
            machines=({**MACHINE, "instance_type": "m5.large"},),
            decisions=(DECISION, DECISION),
        )
    assert stored(dsn) == [("i-1", NOON, 40.0, None, None, None)]
    assert query(dsn, "select current_config ->> 'instance_type' as kind from resources")[0]["kind"] == "m5.xlarge"
    assert ledger.load_of(runtime.lake, UTILIZATION, DAY) == Load(UTILIZATION, "complete")


@pytest.mark.parametrize(
    ("samples", "machines"),
    [((SAMPLE, SAMPLE), (MACHINE,)), ((SAMPLE,), (MACHINE, MACHINE))],
    ids=["a sample twice", "a resource twice"],
)
def test_a_row_that_is_there_twice_is_a_sentence(
    load: Callable[..., Loaded], samples: tuple[Row, ...], machines: tuple[Row, ...]
) -> None:
    with pytest.raises(InputError):
        load(*samples, machines=machines)


def test_an_export_without_rows_loads_nothing(load: Callable[..., Loaded]) -> None:
    assert load().samples == 0


def test_what_was_read_from_the_earlier_rows_is_read_again(load: Callable[..., Loaded], runtime: Runtime) -> None:
    load(SAMPLE)
    assert [day for day, _ in ingest_samples(runtime, [DAY])] == [DAY]
    for source in (INVENTORY, DECISIONS):
        ledger.record(runtime.lake, DAY, Load(source, "complete"))
    ledger.record(runtime.lake, DAY - timedelta(days=1), Load(UTILIZATION, "complete"))
    load({**SAMPLE, "cpu_pct": 80.0})
    assert [ledger.load_of(runtime.lake, source, DAY) for source in (UTILIZATION, INVENTORY, DECISIONS)] == [None] * 3
    assert ledger.load_of(runtime.lake, UTILIZATION, DAY - timedelta(days=1)) == Load(UTILIZATION, "complete")


def test_the_home_of_the_demo_fleet_is_not_filled(load: Callable[..., Loaded], runtime: Runtime, dsn: str) -> None:
    async def demo() -> None:
        async with runtime.connect() as connection:
            await contract_tables.create_tables(connection)
            await contract_tables.note_origin(connection, f"{DEMO_ORIGIN} of 3 resources")

    asyncio.run(demo())
    with pytest.raises(InputError) as caught:
        load(SAMPLE)
    assert str(caught.value) == "This home holds the demo fleet; set NIGHTSHIFT_HOME to another folder for data of your own."
    assert stored(dsn) == []


@pytest.mark.parametrize(
    "row",
    [
        "insert into resources (resource_id, type, current_config) values ('i-theirs', 'ec2_instance', '{}')",
        "insert into utilization (resource_id, timestamp) values ('i-theirs', '2025-03-09 12:00+00')",
        "insert into decision_audit (decision_id, decision_time, target) values ('d', '2025-03-09 12:00+00', 'i-theirs')",
    ],
    ids=["resources", "utilization", "decision_audit"],
)
@pytest.mark.parametrize("comment", ["null", "'the fleet of production'"])
def test_the_tables_of_somebody_else_are_left_as_they_are(
    load: Callable[..., Loaded], runtime: Runtime, dsn: str, execute: Callable[..., None], row: str, comment: str
) -> None:
    create_tables(runtime)
    execute(row)
    execute(f"comment on table resources is {comment}")
    before = [query(dsn, f"select * from {table}") for table in ("resources", "utilization", "decision_audit")]
    with pytest.raises(InputError) as caught:
        load(SAMPLE, decisions=(DECISION,))
    assert str(caught.value) == (
        "The database of NIGHTSHIFT_DSN holds resources that nightshift load did not put there; load into an empty database, "
        "or unset NIGHTSHIFT_DSN for the embedded one."
    )
    assert [query(dsn, f"select * from {table}") for table in ("resources", "utilization", "decision_audit")] == before


def test_tables_that_are_there_and_empty_are_filled(load: Callable[..., Loaded], runtime: Runtime, dsn: str) -> None:
    create_tables(runtime)
    assert load(SAMPLE).samples == 1
    assert len(stored(dsn)) == 1


def refusal(
    runtime: Runtime, write: Write, export: str, rows: tuple[Row, ...], kinds: dict[str, pl.DataType] | None = None
) -> str:
    """What a load says about one of its three exports, the other two being right; it must not have written anything."""
    exports: dict[str, tuple[dict[str, pl.DataType], tuple[Row, ...]]] = {
        "utilization": (UTILIZATION_KINDS, (SAMPLE,)),
        "resources": (RESOURCE_KINDS, (MACHINE,)),
        "decisions": (DECISION_KINDS, (DECISION,)),
    }
    exports[export] = ({**exports[export][0], **(kinds or {})}, rows)
    files = {name: write(f"{name}.parquet", columns, *content) for name, (columns, content) in exports.items()}
    with pytest.raises(InputError) as caught:
        load_files(runtime, str(files["utilization"]), files["resources"], files["decisions"])
    assert query(runtime.dsn(), "select relname from pg_class where relnamespace = 'public'::regnamespace") == []
    return str(caught.value).replace(str(files[export].parent), "")


@pytest.mark.parametrize(
    ("export", "column", "kind", "value", "sentence"),
    [
        ("utilization", "resource_id", pl.Int64(), 7, "is Int64; export it as text."),
        ("utilization", "ts", pl.String(), "2025-03-09", "is String; export it as a timestamp."),
        ("utilization", "ts", pl.Date(), DAY, "is Date; export it as a timestamp."),
        ("utilization", "ts", pl.Int64(), 1741521600, "is Int64; export it as a timestamp."),
        ("utilization", "ts", pl.Null(), None, "is Null; export it as a timestamp."),
        ("utilization", "cpu_pct", pl.String(), "40 %", "is String; export it as a number."),
        ("utilization", "mem_used_pct", pl.Boolean(), True, "is Boolean; export it as a number."),
        ("utilization", "net_in_bytes", pl.String(), "", "is String; export it as a number."),
        ("resources", "resource_id", pl.Int64(), 7, "is Int64; export it as text."),
        ("resources", "vcpu", pl.String(), "4", "is String; export it as a number."),
        ("resources", "memory_known", pl.String(), "yes", "is String; export it as true or false."),
        ("resources", "tags", pl.List(pl.String()), ["team"], "is List(String); export it as text."),
        ("decisions", "decision_id", pl.Int64(), 7, "is Int64; export it as text."),
        ("decisions", "decision_time", pl.String(), "noon", "is String; export it as a timestamp."),
        ("decisions", "target", pl.Int64(), 7, "is Int64; export it as text."),
        ("decisions", "policy_version", pl.String(), "v2", "is String; export it as a number."),
    ],
)
def test_a_column_that_holds_something_else_is_named_before_anything_is_written(
    runtime: Runtime, write: Write, export: str, column: str, kind: pl.DataType, value: Any, sentence: str
) -> None:
    row = {"utilization": SAMPLE, "resources": MACHINE, "decisions": DECISION}[export]
    text = refusal(runtime, write, export, ({**row, column: value},), {column: kind})
    assert text == f"Column {column} of /{export}.parquet {sentence}"


@pytest.mark.parametrize(
    ("export", "column"),
    [
        ("utilization", "resource_id"),
        ("utilization", "ts"),
        ("resources", "resource_id"),
        ("decisions", "decision_id"),
        ("decisions", "decision_time"),
        ("decisions", "target"),
    ],
)
def test_a_value_that_every_row_needs_is_missed(runtime: Runtime, write: Write, export: str, column: str) -> None:
    row = {"utilization": SAMPLE, "resources": MACHINE, "decisions": DECISION}[export]
    text = refusal(runtime, write, export, ({**row, column: None}, row))
    assert text == f"Column {column} of /{export}.parquet is empty in 1 rows; fill it in, or leave those rows out."


@pytest.mark.parametrize("tags", ["", "team=core", '["core"]', '"core"', "null", '{"share": NaN}', "{'team': 'core'}"])
def test_tags_that_are_no_json_object_are_refused(runtime: Runtime, write: Write, tags: str) -> None:
    text = refusal(runtime, write, "resources", ({**MACHINE, "tags": tags},))
    assert text == 'Column tags of /resources.parquet has texts that are no JSON objects; export them like {"team": "core"}.'


@pytest.mark.parametrize("version", [1.5, float("nan"), float("inf"), 3e9])
def test_a_version_that_is_no_integer_is_refused(runtime: Runtime, write: Write, version: float) -> None:
    text = refusal(runtime, write, "decisions", ({**DECISION, "policy_version": version},), {"policy_version": pl.Float64()})
    assert text == "Column policy_version of /decisions.parquet has values that are no whole numbers; export it as integers."


@pytest.mark.parametrize("milliseconds", [-1, 1_741_521_600_000_000, 2**62])
@pytest.mark.parametrize(("export", "column"), [("utilization", "ts"), ("decisions", "decision_time")])
def test_times_in_another_unit_than_stated_are_refused(
    runtime: Runtime, write: Write, export: str, column: str, milliseconds: int
) -> None:
    row, kinds = {"utilization": (SAMPLE, UTILIZATION_KINDS), "decisions": (DECISION, DECISION_KINDS)}[export]
    files = {
        "utilization": write("utilization.parquet", UTILIZATION_KINDS, SAMPLE),
        "decisions": write("decisions.parquet", DECISION_KINDS, DECISION),
    }
    frame = pl.read_parquet(write(f"{export}.parquet", kinds, row))
    frame.with_columns(pl.Series(column, [milliseconds]).cast(pl.Datetime("ms"))).write_parquet(files[export])
    with pytest.raises(InputError) as caught:
        load_files(runtime, str(files["utilization"]), write("r.parquet", RESOURCE_KINDS, MACHINE), files["decisions"])
    assert str(caught.value) == (
        f"Column {column} of {files[export]} has times outside of 1970 to 2999; export it in the unit that it states."
    )


def test_a_file_that_is_damaged_behind_its_first_page_is_named(runtime: Runtime, write: Write, dsn: str) -> None:
    utilization = write("u.parquet", {"resource_id": pl.String(), "ts": pl.Datetime("us"), "cpu_pct": pl.Float64()}, SAMPLE)
    content = bytearray(utilization.read_bytes())
    content[4:40] = b"\xff" * 36
    utilization.write_bytes(content)
    with pytest.raises(InputError, match=r"u\.parquet cannot be read as Parquet; export it again\.$"):
        load_files(runtime, str(utilization), write("r.parquet", RESOURCE_KINDS, MACHINE), None)


@pytest.mark.parametrize(
    ("machine", "decision", "where"),
    [
        ({"instance_type": "hush\0hush"}, {}, "resources"),
        ({"tags": '{"team": "hush\\u0000hush"}'}, {}, "resources"),
        ({}, {"outcome": "hush\0hush"}, "decision_audit"),
    ],
)
def test_a_text_that_the_database_cannot_hold_is_the_export_s_fault_and_not_quoted(
    load: Callable[..., Loaded], dsn: str, machine: Row, decision: Row, where: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(SAMPLE, machines=({**MACHINE, **machine},), decisions=({**DECISION, **decision},))
    text = str(caught.value)
    assert text.startswith(f"The export holds a value that cannot be stored ({where}")
    assert text.endswith("; correct it and export it again.")
    assert "hush" not in text


def test_columns_of_categories_and_of_nothing_but_unknowns_are_taken(runtime: Runtime, write: Write, dsn: str) -> None:
    samples = {**UTILIZATION_KINDS, "resource_id": pl.Categorical(), "mem_used_pct": pl.Null(), "vcpu": pl.Int32()}
    machines = {**RESOURCE_KINDS, "tags": pl.Null(), "memory_known": pl.Null(), "vcpu": pl.UInt8()}
    decided = {**DECISION_KINDS, "policy_version": pl.Float64(), "policy_id": pl.Null()}
    utilization = write("u.parquet", samples, {**SAMPLE, "vcpu": 4})
    resources = write("r.parquet", machines, {**MACHINE, "vcpu": 4, "memory_known": None})
    decisions = write("d.parquet", decided, {**DECISION, "policy_version": 3.0})
    loaded = load_files(runtime, str(utilization), resources, decisions)
    assert (loaded.samples, loaded.decisions) == (1, 1)
    assert stored(dsn) == [("i-1", NOON, 40.0, None, None, None)]
    assert query(dsn, "select policy_version from decision_audit")[0]["policy_version"] == 3


@pytest.mark.parametrize("column", ["resource_id", "ts", "cpu_pct"])
def test_a_column_that_an_export_of_utilization_lacks_is_named(runtime: Runtime, write: Write, column: str) -> None:
    utilization = write("u.parquet", UTILIZATION_KINDS, SAMPLE, without=(column,))
    with pytest.raises(InputError) as caught:
        load_files(runtime, str(utilization), write("r.parquet", RESOURCE_KINDS, MACHINE), None)
    assert str(caught.value) == f"{utilization} has no column {column}; it needs resource_id, ts, cpu_pct."


def test_a_column_that_the_other_exports_lack_is_named(runtime: Runtime, write: Write) -> None:
    utilization = write("u.parquet", UTILIZATION_KINDS, SAMPLE)
    resources = write("r.parquet", RESOURCE_KINDS, MACHINE)
    with pytest.raises(InputError, match="has no column memory_known; it needs resource_id, instance_type, region, vcpu"):
        load_files(runtime, str(utilization), write("r2.parquet", RESOURCE_KINDS, MACHINE, without=("memory_known",)), None)
    with pytest.raises(InputError, match="has no column outcome; it needs decision_id, decision_time"):
        load_files(runtime, str(utilization), resources, write("d.parquet", DECISION_KINDS, DECISION, without=("outcome",)))


def test_a_pattern_without_files_a_missing_file_and_another_format_are_named(
    runtime: Runtime, write: Write, tmp_path: Path
) -> None:
    utilization = write("u.parquet", UTILIZATION_KINDS, SAMPLE)
    text = tmp_path / "text.parquet"
    text.write_text("resource_id,ts\n", encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"^No file matches .*none-\*\.parquet; quote the pattern so that the shell does not expand it\.$",
    ):
        load_files(runtime, str(tmp_path / "none-*.parquet"), utilization, None)
    with pytest.raises(InputError, match=r"^There is no file .*missing\.parquet; check the path\.$"):
        load_files(runtime, str(utilization), tmp_path / "missing.parquet", None)
    with pytest.raises(InputError, match=r"^.*text\.parquet cannot be read as Parquet; export it again\.$"):
        load_files(runtime, str(text), utilization, None)

"""Inventory and decisions out of PostgreSQL: what is read from JSON, which text survives, which snapshot is kept."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from dagster_project.bundle import bundled
from dagster_project.errors import ContractError, EmptySource
from dagster_project.lake.frames import schema
from dagster_project.lake.tables import DECISION_AUDIT, REJECTED_ROWS, RESOURCE_INVENTORY, Table
from dagster_project.pipeline import ledger
from dagster_project.pipeline.ingest_records import DECISIONS, INVENTORY, ingest_decisions, ingest_inventory
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.runtime import Runtime

DAY = date(2025, 3, 9)
Execute = Callable[..., None]
Put = Callable[..., None]

NASTY = [
    "two\nlines",
    "carriage\r\nreturn",
    'a "quoted" word',
    '"',
    "back\\slash",
    "\\n",
    "\\.",
    "comma, semicolon; tab\t",
    "Größe 漢字 𝄞",
    " padded ",
    "",
    "NULL",
    "null",
    "NaN",
    "1e5",
    "true",
    "#",
    "'; drop table resources; --",
]


@pytest.fixture
def tables(execute: Execute) -> None:
    """The contract's tables, without the keys that would refuse what has to be tested."""
    execute(
        (bundled("sql") / "contract" / "tables.sql").read_text(encoding="utf-8")
        + "alter table resources drop constraint resources_pkey;"
        "alter table resources alter resource_id drop not null, alter tags drop not null;"
        "alter table decision_audit drop constraint decision_audit_pkey;"
        "alter table decision_audit alter decision_id drop not null, alter dry_run drop not null"
    )


@pytest.fixture
def resource(tables: None, execute: Execute) -> Put:
    """Inserts a resource of type ec2_instance; ``config`` and ``tags`` are Python values."""

    def put(resource_id: str | None, config: Any = None, tags: Any = None, **columns: object) -> None:
        row = {
            "resource_id": resource_id,
            "type": "ec2_instance",
            "current_config": config or {},
            "tags": tags,
            **columns,
        }
        execute("insert into resources select * from jsonb_populate_record(null::resources, $1)", json.dumps(row))

    return put


@pytest.fixture
def decision(tables: None, execute: Execute) -> Put:
    """Inserts a decision of 2025-03-09 09:30 about i-1."""

    def put(decision_id: str | None, **columns: object) -> None:
        row = {"decision_id": decision_id, "decision_time": "2025-03-09 09:30+00", "target": "i-1", **columns}
        execute("insert into decision_audit select * from jsonb_populate_record(null::decision_audit, $1)", json.dumps(row))

    return put


def read(runtime: Runtime, table: Table, day: date = DAY, part: str = "part-0") -> list[dict[str, Any]]:
    return pl.read_parquet(runtime.lake.path(table, day, part), hive_partitioning=False).to_dicts()


def inventory(runtime: Runtime, day: date = DAY) -> dict[str, dict[str, Any]]:
    ingest_inventory(runtime, [day])
    return {row["resource_id"]: row for row in read(runtime, RESOURCE_INVENTORY, day)}


def decisions(runtime: Runtime) -> list[dict[str, Any]]:
    ingest_decisions(runtime, [DAY])
    return read(runtime, DECISION_AUDIT)


def rejected(runtime: Runtime, source: str) -> list[tuple[Any, ...]]:
    rows = read(runtime, REJECTED_ROWS, part=source)
    return [(row["reason"], row["resource_id"], row["column_name"], row["rejected_rows"], row["first_at"]) for row in rows]


def test_a_resource_becomes_a_row_with_what_its_configuration_says(runtime: Runtime, resource: Put) -> None:
    config = {
        "instance_type": "m5.large",
        "region": "eu-west-1",
        "platform": "windows",
        "tenancy": "dedicated",
        "lifecycle": "spot",
        "x": [1],
    }
    resource(
        "i-1",
        config,
        {"team": "payments"},
        account_id="1",
        service="checkout",
        team="core",
        environment="prod",
        created_at="2025-03-01 01:00+01",
        config_changed_at="2025-03-02 10:00:00.123456+00",
    )
    row = inventory(runtime)["i-1"]
    assert json.loads(row.pop("config")) == config
    assert row == {
        "resource_id": "i-1",
        "resource_type": "ec2_instance",
        "instance_type": "m5.large",
        "region": "eu-west-1",
        "platform": "windows",
        "tenancy": "dedicated",
        "lifecycle": "spot",
        "asg_name": None,
        "managed_by": None,
        "units": 1,
        "account_id": "1",
        "service": "checkout",
        "team": "core",
        "environment": "prod",
        "tags": '{"team": "payments"}',
        "created_at": datetime(2025, 3, 1),
        "config_changed_at": datetime(2025, 3, 2, 10, 0, 0, 123456),
        "origin": "database",
        "native_id": None,
        "read_on": None,
    }


def test_an_empty_configuration_has_the_defaults_of_a_plain_instance(runtime: Runtime, resource: Put) -> None:
    resource("i-1")
    row = inventory(runtime)["i-1"]
    assert (row["platform"], row["tenancy"], row["lifecycle"], row["units"], row["tags"]) == (
        "linux",
        "default",
        "on-demand",
        1,
        "{}",
    )
    assert (row["instance_type"], row["region"], row["asg_name"], row["managed_by"], row["service"]) == (None,) * 5


@pytest.mark.parametrize(
    ("config", "region"),
    [
        ({"region": "eu-west-1", "availability_zone": "us-east-1a"}, "eu-west-1"),
        ({"availability_zone": "us-east-1a"}, "us-east-1"),
        ({"availability_zone": "ap-southeast-2c"}, "ap-southeast-2"),
        ({"availability_zone": "us-gov-west-1b"}, "us-gov-west-1"),
        ({"availability_zones": ["eu-central-1b", "eu-central-1a"]}, "eu-central-1"),
        ({"availability_zones": "eu-central-1b"}, "eu-central-1"),
        ({"availability_zones": []}, None),
        pytest.param(
            {"availability_zone": "us-west-2-lax-1a"},
            "us-west-2",
        ),
        ({"availability_zone": "use1-az1"}, None),
        ({}, None),
    ],
)
def test_the_region_is_taken_from_a_zone_where_it_is_not_named(
    runtime: Runtime, resource: Put, config: Any, region: str | None
) -> None:
    resource("i-1", config)
    assert inventory(runtime)["i-1"]["region"] == region


@pytest.mark.parametrize(
    ("config", "units"),
    [
        ({"desired_capacity": 4, "min_size": 2}, 4),
        ({"desired_capacity": "4"}, 4),
        ({"desired_capacity": 0}, 0),
        ({"min_size": 2}, 2),
        ({"desired_capacity": "four", "min_size": 2}, 2),
        ({"desired_capacity": -1}, None),
        ({"desired_capacity": 2.5}, None),
        ({"desired_capacity": 99999999999}, None),
        ({"desired_capacity": {"value": 4}}, None),
        ({"desired_capacity": None}, None),
        ({}, None),
    ],
)
def test_the_members_of_a_group_are_a_plain_number_or_unknown(
    runtime: Runtime, resource: Put, config: Any, units: int | None
) -> None:
    resource("checkout-asg", config, type="autoscaling_group")
    assert inventory(runtime)["checkout-asg"]["units"] == units


@pytest.mark.parametrize("config", [[1, 2], "text", 5, None])
def test_a_configuration_that_is_no_object_is_unknown_and_kept(
    runtime: Runtime, resource: Put, execute: Execute, config: Any
) -> None:
    resource("i-1")
    execute("update resources set current_config = $1", json.dumps(config))
    row = inventory(runtime)["i-1"]
    assert (row["instance_type"], row["region"], json.loads(row["config"])) == (None, None, config)


@pytest.mark.parametrize(
    ("config", "tags", "asg_name", "managed_by"),
    [
        ({"asg_name": "a"}, {"aws:autoscaling:groupName": "b"}, "a", None),
        ({}, {"aws:autoscaling:groupName": "b"}, "b", None),
        ({}, {"eks:cluster-name": "c"}, None, "eks"),
        ({}, {"eks:nodegroup-name": ""}, None, "eks"),
        ({}, {"aws:ecs:clusterName": "c"}, None, "ecs"),
        ({"managed_by": "nomad"}, {"eks:cluster-name": "c"}, None, "nomad"),
        ({}, {"kubernetes.io/cluster/c": "owned"}, None, "kubernetes"),
        ({}, ["eks"], None, None),
    ],
)
def test_groups_and_orchestrators_are_known_by_configuration_or_tag(
    runtime: Runtime, resource: Put, config: Any, tags: Any, asg_name: str | None, managed_by: str | None
) -> None:
    resource("i-1", config, tags)
    row = inventory(runtime)["i-1"]
    assert (row["asg_name"], row["managed_by"]) == (asg_name, managed_by)


def test_who_owns_it_comes_from_columns_first_and_tags_second(runtime: Runtime, resource: Put) -> None:
    tags = {"service": "tagged", "team": "tagged", "environment": "tagged", "env": "short"}
    resource("i-1", None, tags, service="checkout", team="core", environment="prod")
    resource("i-2", None, tags)
    resource("i-3", None, {"env": "short"})
    found = inventory(runtime)
    owners = {name: (row["service"], row["team"], row["environment"]) for name, row in found.items()}
    assert owners == {"i-1": ("checkout", "core", "prod"), "i-2": ("tagged",) * 3, "i-3": (None, None, "short")}


def test_the_class_of_a_database_is_its_type(runtime: Runtime, resource: Put) -> None:
    resource("db-1", {"instance_class": "db.m5.large"}, type="rds_instance")
    assert inventory(runtime)["db-1"]["instance_type"] == "db.m5.large"


def test_a_size_that_was_changed_after_the_day_is_unknown_on_the_day(runtime: Runtime, resource: Put) -> None:
    resource("i-before", {"instance_type": "m5.large"}, config_changed_at="2025-03-09 23:59:59.999999+00")
    resource("i-after", {"instance_type": "m5.large", "region": "eu-west-1"}, config_changed_at="2025-03-10 00:00+00")
    found = inventory(runtime)
    assert found["i-before"]["instance_type"] == "m5.large"
    assert found["i-before"]["config_changed_at"] == datetime(2025, 3, 9, 23, 59, 59, 999999)
    assert (found["i-after"]["instance_type"], found["i-after"]["config_changed_at"]) == (None, None)
    assert found["i-after"]["region"] == "eu-west-1"


def test_a_resource_exists_from_its_creation_on(runtime: Runtime, resource: Put) -> None:
    resource("i-old", created_at="2025-03-09 23:59:59+00")
    resource("i-new", created_at="2025-03-10 00:00+00")
    resource("i-undated")
    assert set(inventory(runtime)) == {"i-old", "i-undated"}


def test_any_text_arrives_as_it_is(runtime: Runtime, tables: None, execute: Execute) -> None:
    """In columns, in keys that are read from JSON, and in JSON that is kept; a null beside it stays a null."""
    execute(
        "insert into resources (resource_id, type, current_config, tags, service) "
        "select 'i-' || n, 'ec2_instance', jsonb_build_object('instance_type', t), jsonb_build_object('note', t), t "
        "from unnest($1::text[]) with ordinality as given (t, n)",
        NASTY,
    )
    execute(
        "insert into decision_audit (decision_id, decision_time, target, outcome_reason, payload) "
        "select 'd-' || n, '2025-03-09 09:30+00', t, t, jsonb_build_object('note', t) "
        "from unnest($1::text[]) with ordinality as given (t, n)",
        NASTY,
    )
    found = inventory(runtime)
    said = {row["decision_id"]: row for row in decisions(runtime)}
    for number, text in enumerate(NASTY, start=1):
        row, decided = found[f"i-{number}"], said[f"d-{number}"]
        assert (row["service"], row["team"], row["instance_type"], json.loads(row["tags"])) == (
            text,
            None,
            text,
            {"note": text},
        )
        assert (decided["target"], decided["outcome_reason"], decided["policy_name"]) == (text, text, None)
        assert json.loads(decided["payload"]) == {"note": text}


def test_the_text_of_a_null_is_not_a_null(runtime: Runtime, resource: Put) -> None:
    resource("i-1", service="\\N")
    assert inventory(runtime)["i-1"]["service"] == "\\N"


def test_many_rows_with_many_lines_stay_apart(runtime: Runtime, resource: Put, execute: Execute) -> None:
    """The parser works in parallel and must not take a line of a text for a row."""
    execute(
        "insert into resources (resource_id, type, current_config, service) "
        "select 'i-' || n, 'ec2_instance', '{}', repeat(E'line, \"' || n || E'\"\\n', 1 + n % 7) "
        "from generate_series(1, 20000) n"
    )
    found = inventory(runtime)
    assert len(found) == 20_000
    assert all(row["service"] == f'line, "{name[2:]}"\n' * (1 + int(name[2:]) % 7) for name, row in found.items())


def test_resources_without_an_id_or_with_one_twice_are_set_aside(runtime: Runtime, resource: Put) -> None:
    resource("i-1", {"instance_type": "m5.xlarge"})
    resource("i-1", {"instance_type": "m5.large"})
    resource("i-1", {"instance_type": "m5.large"})
    resource(None)
    resource("")
    ((_, load),) = ingest_inventory(runtime, [DAY])
    assert [(row["resource_id"], row["instance_type"]) for row in read(runtime, RESOURCE_INVENTORY)] == [("i-1", "m5.large")]
    assert sorted(rejected(runtime, INVENTORY)) == [
        ("duplicate_key", "i-1", "resource_id", 2, None),
        ("missing_resource_id", "", "resource_id", 2, None),
    ]
    assert (load.rows_read, load.rows_written, load.rows_rejected) == (5, 1, 4)


def test_which_of_two_rows_stays_does_not_depend_on_their_order(runtime: Runtime, resource: Put, execute: Execute) -> None:
    kinds = ["m5.xlarge", "m5.large", None]
    kept = []
    for order in (kinds, kinds[::-1]):
        execute("truncate resources")
        for kind in order:
            resource("i-1", {"instance_type": kind})
        kept.append(inventory(runtime)["i-1"])
    assert kept[0] == kept[1]


def test_an_inventory_of_nothing_is_an_error(runtime: Runtime, resource: Put) -> None:
    resource("i-1", created_at="2025-03-10 00:00+00")
    with pytest.raises(EmptySource, match="The table resources lists nothing that existed on 2025-03-09"):
        ingest_inventory(runtime, [DAY])
    assert not runtime.lake.has(RESOURCE_INVENTORY, DAY)


def test_a_snapshot_of_a_past_day_is_kept_when_the_day_is_run_again(runtime: Runtime, resource: Put, execute: Execute) -> None:
    resource("i-1", {"instance_type": "m5.large"})
    first = inventory(runtime)
    execute("""update resources set current_config = '{"instance_type": "m5.xlarge"}'""")
    assert inventory(runtime)["i-1"]["instance_type"] == "m5.xlarge", "the newest day is taken again"
    later = Runtime(runtime.settings, now=runtime.now + timedelta(days=1))
    execute("""update resources set current_config = '{"instance_type": "m5.metal"}'""")
    ((_, load),) = ingest_inventory(later, [DAY])
    assert read(runtime, RESOURCE_INVENTORY)[0] == {
        **first["i-1"],
        "instance_type": "m5.xlarge",
        "config": '{"instance_type": "m5.xlarge"}',
    }
    assert (load.status, load.rows_written) == ("complete", 1)


def test_a_past_day_that_has_no_snapshot_is_made_from_the_present(runtime: Runtime, resource: Put) -> None:
    resource("i-1", {"instance_type": "m5.large"})
    assert inventory(runtime, date(2025, 2, 1))["i-1"]["instance_type"] == "m5.large"


def test_a_decision_becomes_a_row(runtime: Runtime, decision: Put) -> None:
    decision(
        "d-1",
        decision_time="2025-03-09 10:30:00.123456+01",
        action_type="scale_up",
        policy_id="p-1",
        policy_version=3,
        policy_name="CPU",
        event_id="e-1",
        event_time="2025-03-09 09:29+00",
        metrics={"cpu": 97.5},
        payload={"replicas": "+2"},
        outcome="succeeded",
        outcome_reason="ok",
        dry_run=True,
        duration_ms=12.5,
        incident_id="inc-1",
    )
    (row,) = decisions(runtime)
    assert row == {
        "decision_id": "d-1",
        "decision_at": datetime(2025, 3, 9, 9, 30, 0, 123456),
        "target": "i-1",
        "action_type": "scale_up",
        "policy_id": "p-1",
        "policy_version": 3,
        "policy_name": "CPU",
        "event_id": "e-1",
        "event_at": datetime(2025, 3, 9, 9, 29),
        "metrics": '{"cpu": 97.5}',
        "payload": '{"replicas": "+2"}',
        "outcome": "succeeded",
        "outcome_reason": "ok",
        "is_dry_run": True,
        "duration_ms": 12.5,
        "incident_id": "inc-1",
    }
    assert pl.read_parquet_schema(runtime.lake.path(DECISION_AUDIT, DAY)) == schema(DECISION_AUDIT)


def test_a_decision_that_does_not_say_that_it_was_a_dry_run_was_real(runtime: Runtime, decision: Put) -> None:
    decision("d-1", dry_run=None)
    assert decisions(runtime)[0]["is_dry_run"] is False


def test_decisions_without_an_id_are_known_by_what_they_say(runtime: Runtime, decision: Put) -> None:
    for columns in ({}, {}, {"target": "i-2"}, {"event_id": "e-1"}, {"decision_time": "2025-03-09 09:30:00.000001+00"}):
        decision(None, **columns)
    first = decisions(runtime)
    assert [(row["target"], row["event_id"]) for row in first].count(("i-1", None)) == 2
    assert len({row["decision_id"] for row in first}) == 4
    assert [(reason, rows) for reason, _, _, rows, _ in rejected(runtime, DECISIONS)] == [("duplicate_key", 1)]
    assert decisions(runtime) == first


def test_an_id_that_is_empty_or_twice_is_set_aside_with_its_first_time(runtime: Runtime, decision: Put) -> None:
    decision("", decision_time="2025-03-09 11:00+00")
    decision("", decision_time="2025-03-09 10:00+00")
    decision("d-1", decision_time="2025-03-09 12:00+00")
    decision("d-1", decision_time="2025-03-09 09:00+00")
    ((_, load),) = [item for item in ingest_decisions(runtime, [DAY]) if item[0] == DAY]
    assert rejected(runtime, DECISIONS) == [
        ("duplicate_key", "d-1", "decision_id", 1, datetime(2025, 3, 9, 9)),
        ("missing_decision_id", "", "decision_id", 2, datetime(2025, 3, 9, 10)),
    ]
    assert [row["decision_at"] for row in read(runtime, DECISION_AUDIT)] == [datetime(2025, 3, 9, 9)]
    assert (load.rows_read, load.rows_written, load.rows_rejected, load.watermark_at) == (
        4,
        1,
        3,
        datetime(2025, 3, 9, 9),
    )


def test_decisions_go_to_their_day_and_days_without_any_are_empty_partitions(runtime: Runtime, decision: Put) -> None:
    decision("d-1", decision_time="2025-03-08 23:59:59.999999+00")
    decision("d-2", decision_time="2025-03-09 00:00+00")
    decision("d-3", decision_time="2025-03-10 00:00+00")
    done = dict(ingest_decisions(runtime, [DAY]))
    assert list(done) == [DAY - timedelta(days=back) for back in range(27, -1, -1)]
    assert {day.day: load.rows_written for day, load in done.items() if load.rows_written} == {8: 1, 9: 1}
    assert {load.status for load in done.values()} == {"complete"}
    assert read(runtime, DECISION_AUDIT, date(2025, 3, 7)) == []
    assert list(dict(ingest_decisions(runtime, [DAY]))) == [DAY]


def test_decisions_of_a_day_that_is_not_over_are_read_again_the_next_night(runtime: Runtime, decision: Put) -> None:
    today = date(2025, 3, 10)
    assert dict(ingest_decisions(runtime, [today]))[today].status == "partial"
    decision("d-1", decision_time="2025-03-10 12:00+00")
    later = Runtime(runtime.settings, now=datetime(2025, 3, 12, 2, tzinfo=UTC))
    done = dict(ingest_decisions(later, [date(2025, 3, 11)]))
    assert {day: (load.status, load.rows_written) for day, load in done.items()} == {
        today: ("complete", 1),
        date(2025, 3, 11): ("complete", 0),
    }


def test_the_ledger_says_which_optional_columns_are_missing(runtime: Runtime, decision: Put, execute: Execute) -> None:
    execute("alter table decision_audit drop column outcome, drop column dry_run")
    execute("insert into decision_audit (decision_id, decision_time, target) values ('d-1', '2025-03-09 10:00+00', 'i-1')")
    (row,) = decisions(runtime)
    load = ledger.load_of(runtime.lake, DECISIONS, DAY)
    assert load == Load(DECISIONS, "complete", 1, 1, 0, datetime(2025, 3, 9, 10), datetime(2025, 3, 9, 10), "outcome, dry_run")
    assert (row["outcome"], row["is_dry_run"]) == (None, False)


def test_a_load_that_fails_leaves_the_old_partition_and_its_line(runtime: Runtime, decision: Put, execute: Execute) -> None:
    decision("d-1")
    before = decisions(runtime)
    load = ledger.load_of(runtime.lake, DECISIONS, DAY)
    execute("alter table decision_audit drop column target")
    with pytest.raises(ContractError, match=r"Column target is missing in public\.decision_audit"):
        ingest_decisions(runtime, [DAY])
    assert read(runtime, DECISION_AUDIT) == before
    assert ledger.load_of(runtime.lake, DECISIONS, DAY) == load


def test_a_decision_that_is_written_late_is_read_by_the_next_night(runtime: Runtime, decision: Put) -> None:
    decision("d-1")
    ingest_decisions(runtime, [DAY])
    decision("d-2")
    later = replace(runtime, now=runtime.now + timedelta(days=1))
    done = dict(ingest_decisions(later, [DAY + timedelta(days=1)]))
    assert done[DAY].rows_written == 2
    assert [row["decision_id"] for row in read(runtime, DECISION_AUDIT)] == ["d-1", "d-2"]


def test_what_the_audit_has_forgotten_is_not_forgotten_here(runtime: Runtime, decision: Put, execute: Execute) -> None:
    decision("d-1")
    load = dict(ingest_decisions(runtime, [DAY]))[DAY]
    execute("delete from decision_audit")
    assert dict(ingest_decisions(runtime, [DAY]))[DAY] == load
    assert [row["decision_id"] for row in read(runtime, DECISION_AUDIT)] == ["d-1"]


def test_an_inventory_that_is_taken_late_says_so_and_is_taken_again(runtime: Runtime, resource: Put, execute: Execute) -> None:
    past = DAY - timedelta(days=20)
    resource("i-1", {"instance_type": "m5.large"})
    assert dict(ingest_inventory(runtime, [past]))[past].status == "late"
    execute("update resources set current_config = $1", json.dumps({"instance_type": "m5.xlarge"}))
    assert inventory(runtime, past)["i-1"]["instance_type"] == "m5.xlarge"

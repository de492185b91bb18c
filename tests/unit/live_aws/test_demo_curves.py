"""What the demo's CloudWatch knows: the same at every call, within bounds, and of the shape that each resource was made for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.demo.aws_fleet import DAYS, EMERGENCY, FLEET, OTHER, OWN, REGIONS, ROLE, SLOTS, Machine, curves
from dagster_project.demo.moto_server import PERIOD, MotoServer
from dagster_project.domain.inventory import managed_by
from dagster_project.domain.rightsizing.dimensions import MEMORY
from dagster_project.settings_aws import AwsAccount, AwsSettings
from dagster_project.sources.cloudwatch_series import PERIOD_SECONDS, SLOTS_OF_DAY, Wanted, series_of

GIB = 1024**3
MACHINES = pytest.mark.parametrize("machine", FLEET, ids=lambda each: each.name)
KINDS = {"instance": "ec2_instance", "group": "autoscaling_group", "database": "rds_instance"}


def memory_gib(machine: Machine) -> float:
    shapes = SHIPPED.rds_shapes(None, None) if machine.kind == "database" else SHIPPED.ec2_shapes(None)
    return float(shapes.capacity[shapes.number_of(machine.size), MEMORY])


def told(machine: Machine) -> dict[str, dict[str, Any]]:
    return curves(machine, memory_gib(machine))


# The fleet.


def test_the_fleet_can_be_read_in_the_accounts_of_the_demo() -> None:
    assert {machine.account for machine in FLEET} == {OWN, OTHER} == REGIONS.keys()
    assert len({machine.name for machine in FLEET}) == len(FLEET)
    assert EMERGENCY in {machine.name for machine in FLEET if machine.account == OWN}
    accounts = (
        AwsAccount(id=OWN, regions=(REGIONS[OWN],)),
        AwsAccount(id=OTHER, regions=(REGIONS[OTHER],), role_arn=ROLE),
    )
    assert AwsSettings(accounts=accounts).is_live


@MACHINES
def test_every_machine_is_of_a_size_that_the_catalog_knows_and_has_an_owner(machine: Machine) -> None:
    assert memory_gib(machine) > 0
    assert {"service", "team", "environment"} <= machine.tags.keys()
    assert machine.kind in KINDS
    assert machine.members >= 1


def test_there_is_a_machine_for_each_thing_that_a_reader_should_see() -> None:
    assert {machine.kind for machine in FLEET} == {"instance", "group", "database"}
    assert [machine.name for machine in FLEET if machine.is_spot] == ["batch-1"]
    assert [machine.name for machine in FLEET if machine.memory_pct is None] == ["coupon-1"]
    assert [machine.name for machine in FLEET if managed_by(machine.tags)] == ["node-1"]
    assert [(machine.name, machine.members) for machine in FLEET if machine.kind == "group"] == [("checkout-web", 3)]


# Curves.


def test_eight_days_of_five_minutes() -> None:
    assert (DAYS, SLOTS) == (8, DAYS * SLOTS_OF_DAY) == (8, 2304)
    assert PERIOD == PERIOD_SECONDS


@MACHINES
def test_curves_are_the_same_at_every_call_and_others_for_each_name(machine: Machine) -> None:
    first, again = told(machine), told(machine)
    assert first.keys() == again.keys()
    for name, statistics in first.items():
        for statistic, values in statistics.items():
            assert values.tobytes() == again[name][statistic].tobytes()
    other = told(Machine("another", machine.kind, machine.size, machine.account, machine.cpu_pct, machine.memory_pct))
    assert not np.array_equal(first["CPUUtilization"]["Average"], other["CPUUtilization"]["Average"])


def test_curves_do_not_change_from_one_version_to_the_next() -> None:
    admin, group, database = (
        told(next(each for each in FLEET if each.name == name)) for name in ("admin-1", "checkout-web", "orders")
    )
    for found, name, statistic, first in (
        (admin, "CPUUtilization", "Average", ADMIN_CPU),
        (admin, "NetworkOut", "Sum", ADMIN_OUT),
        (admin, "mem_used_percent", "Maximum", ADMIN_MEMORY),
        (group, "EBSWriteOps", "Maximum", GROUP_OPS),
        (database, "FreeableMemory", "Minimum", DATABASE_FREE),
        (database, "ReadIOPS", "Average", DATABASE_OPS),
    ):  # fmt: skip
        assert found[name][statistic][:3].tolist() == pytest.approx(first, rel=1e-9)


ADMIN_CPU = [4.28516067431, 4.94424761241, 4.27785483398]
ADMIN_OUT = [1867695.59116, 2793991.14813, 1938376.24606]
ADMIN_MEMORY = [22.5357514789, 22.4758202491, 21.9879326401]
GROUP_OPS = [36.9090836249, 42.1892341092, 41.2150015772]
DATABASE_FREE = [47928947927.5, 47688539368.4, 47739756956.0]
DATABASE_OPS = [16.0776393416, 14.8160892746, 15.9014898915]


@MACHINES
def test_every_value_is_a_number_and_percents_are_percents(machine: Machine) -> None:
    found = told(machine)
    for name, statistics in found.items():
        for values in statistics.values():
            assert values.shape == (SLOTS,)
            assert np.isfinite(values).all()
            assert (values >= 0).all()
            if name in ("CPUUtilization", "mem_used_percent"):
                assert (values > 0).all()
                assert (values <= 100).all()
    cpu = found["CPUUtilization"]
    assert (cpu["Maximum"] > cpu["Average"]).all()


@pytest.mark.parametrize(("cpu", "least", "most"), [(0.0, 0.1, 0.1), (0.01, 0.1, 0.1), (400.0, 99.0, 99.0)])
def test_however_busy_a_machine_is_said_to_be_percents_stay_percents(cpu: float, least: float, most: float) -> None:
    found = curves(Machine("m", "instance", "m5.large", OWN, cpu, 98), 8)
    average, highest = found["CPUUtilization"]["Average"], found["CPUUtilization"]["Maximum"]
    assert (average.min(), average.max()) == (pytest.approx(least), pytest.approx(most))
    assert least <= highest.min()
    assert highest.max() <= 100
    assert (highest.max() == 100) == (cpu == 400)
    memory = found["mem_used_percent"]
    assert memory["Average"].max() == memory["Maximum"].max() == 100


@MACHINES
def test_it_is_about_as_busy_as_it_is_said_to_be_and_most_so_at_three_in_the_afternoon(machine: Machine) -> None:
    cpu = told(machine)["CPUUtilization"]["Average"].reshape(DAYS, SLOTS_OF_DAY)
    by_hour = cpu.reshape(DAYS, 24, 12).mean(axis=(0, 2))
    assert by_hour.argmax() in (14, 15)
    assert by_hour.argmin() in (2, 3)
    assert by_hour.max() == pytest.approx(machine.cpu_pct, rel=0.05)
    assert by_hour.min() == pytest.approx(machine.cpu_pct / 2, rel=0.05)
    assert cpu.mean() == pytest.approx(0.75 * machine.cpu_pct, rel=0.02)
    # No day is another one's.
    assert not np.array_equal(cpu[0], cpu[1])
    highest = told(machine)["CPUUtilization"]["Maximum"].reshape(DAYS, SLOTS_OF_DAY)
    assert (highest / cpu).min() >= 1.05
    assert (highest / cpu).max() <= 1.25


@MACHINES
def test_cloudwatch_has_what_is_asked_of_it_and_nothing_else(machine: Machine) -> None:
    found = told(machine)
    memory = {machine.name: ("CWAgent", "mem_used_percent", ())} if "mem_used_percent" in found else {}
    wanted = Wanted(machine.name, KINDS[machine.kind], machine.name, machine.size, 1.0 if machine.kind == "database" else None)
    asked = {(one.name, one.statistic) for one in series_of(wanted, memory)}
    assert asked <= {(name, statistic) for name, statistics in found.items() for statistic in statistics}
    assert {name for name, _ in asked} == found.keys()
    assert ("mem_used_percent" in found) == (machine.kind != "database" and machine.memory_pct is not None)


@pytest.mark.parametrize("kind", ["instance", "group"])
def test_traffic_follows_the_cpu_and_its_shares_are_those_of_a_web_server(kind: str) -> None:
    found = curves(Machine("m", kind, "m5.large", OWN, 20, None, members=4), 8)
    volumes = {name: statistics["Sum"] for name, statistics in found.items() if "Sum" in statistics}
    total = volumes["NetworkIn"]
    assert {name: pytest.approx(float((values / total).mean())) for name, values in volumes.items()} == {
        "NetworkIn": 1.0, "NetworkOut": 1.3, "EBSReadBytes": 0.2, "EBSWriteBytes": 0.4, "EBSReadOps": 1e-5, "EBSWriteOps": 2e-5,
    }  # fmt: skip
    assert (total / found["CPUUtilization"]["Average"]).min() >= 0.8 * 4e5
    assert (total / found["CPUUtilization"]["Average"]).max() <= 1.2 * 4e5
    for name, values in volumes.items():
        assert found[name]["Maximum"] == pytest.approx(values / 4)
    assert ("GroupInServiceInstances" in found) == (kind == "group")
    if kind == "group":
        assert set(found["GroupInServiceInstances"]["Maximum"].tolist()) == {4.0}


def test_a_databases_rates_are_those_of_its_traffic_and_its_memory_is_what_is_left() -> None:
    found = curves(Machine("m", "database", "db.m5.large", OWN, 20, 40), 8)
    cpu, received = found["CPUUtilization"]["Average"], found["NetworkReceiveThroughput"]["Average"]
    shares = {"NetworkTransmitThroughput": 1.4, "ReadThroughput": 0.3, "WriteThroughput": 0.2}
    for name, share in shares.items():
        assert found[name]["Average"] == pytest.approx(received * share)
    assert (received / cpu).min() >= 0.8 * 4e5 / 300
    assert (received / cpu).max() <= 1.2 * 4e5 / 300
    assert found["ReadIOPS"]["Average"] == pytest.approx(cpu * 3)
    assert found["WriteIOPS"]["Average"] == pytest.approx(cpu * 2)
    used = 1 - found["FreeableMemory"]["Average"] / (8 * GIB)
    assert 0.4 * 0.98 <= used.min() <= used.max() <= 0.4
    assert found["FreeableMemory"]["Minimum"] == pytest.approx(found["FreeableMemory"]["Average"] * 0.99)
    unmeasured = curves(Machine("m", "database", "db.m5.large", OWN, 20, None), 8)
    assert set(unmeasured["FreeableMemory"]["Average"].tolist()) == {8.0 * GIB}


def test_memory_is_about_what_it_is_said_to_be() -> None:
    used = curves(Machine("m", "instance", "m5.large", OWN, 20, 50), 8)["mem_used_percent"]
    assert 48.5 <= used["Average"].min() <= used["Average"].max() <= 51.5
    assert used["Maximum"] == pytest.approx(used["Average"] * 1.02)


# How the server answers of them.

FIRST = datetime(2025, 3, 2, tzinfo=UTC)


def asked(
    server: MotoServer, begin: datetime, end: datetime, statistic: str = "Average", name: str = "i-1", account: str = OWN
) -> list[tuple[str, float]]:
    """The points of a query, as moments and values."""
    metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": "InstanceId", "Value": name}]}
    query = {"Id": "q0", "MetricStat": {"Metric": metric, "Stat": statistic, "Period": PERIOD}}
    (answer,) = server.told(account, "eu-west-1", [query], begin, end)
    assert (answer["id"], answer["label"], answer["status_code"]) == ("q0", f"CPUUtilization {statistic}", "Complete")
    return [(f"{at:%d %H:%M}", value) for at, value in zip(answer["timestamps"], answer["values"], strict=True)]


@pytest.fixture
def server() -> MotoServer:
    """A server with an hour of one machine; nothing runs."""
    made = MotoServer("http://nowhere", FIRST)
    values = np.arange(12, dtype=np.float64)
    made._series[OWN, "eu-west-1", "AWS/EC2", "CPUUtilization", frozenset({("InstanceId", "i-1")})] = {"Average": values}
    return made


@pytest.mark.parametrize(
    ("begin", "end", "points"),
    [
        (0, 10, [("02 00:00", 0), ("02 00:05", 1)]),
        (5, 10, [("02 00:05", 1)]),
        # The first is within, the second is not; what begins in between is not asked for.
        (1, 11, [("02 00:05", 1), ("02 00:10", 2)]),
        (5, 5, []),
        (-60, 5, [("02 00:00", 0)]),
        (-60, 0, []),
        (55, 900, [("02 00:55", 11)]),
        (60, 900, []),
        (900, 1800, []),
    ],
)
def test_the_server_answers_of_the_periods_that_were_asked_for(
    server: MotoServer, begin: int, end: int, points: list[tuple[str, float]]
) -> None:
    since, until = FIRST + timedelta(minutes=begin), FIRST + timedelta(minutes=end)
    assert asked(server, since, until) == points
    # moto may hand over moments without their zone.
    assert asked(server, since.replace(tzinfo=None), until.replace(tzinfo=None)) == points


def test_the_server_knows_nothing_of_what_it_was_not_told(server: MotoServer) -> None:
    until = FIRST + timedelta(hours=1)
    assert asked(server, FIRST, until, statistic="Maximum") == []
    assert asked(server, FIRST, until, name="i-2") == []
    assert asked(server, FIRST, until, account=OTHER) == []
    assert len(asked(server, FIRST, until)) == 12

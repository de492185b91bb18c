"""``nightshift catalog``: what it prints, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Protocol

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from dagster_project.commands import catalog as command
from dagster_project.pipeline.catalog_answers import PriceAge, price_ages
from dagster_project.pipeline.catalog_refresh import refresh
from dagster_project.pipeline.runtime import Runtime
from tests.aws import AwsServer, Fault
from tests.catalog_builders import NEW, NOW, OTHER, TODAY, Seller, own_account


class Run(Protocol):
    def __call__(self, *arguments: str, code: int = 0) -> Result: ...


@pytest.fixture
def runtime(home: Callable[..., Runtime]) -> Runtime:
    return home(own_account(NEW))


@pytest.fixture
def run(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Run:
    # Each command finds out anew which regions an account has.
    monkeypatch.setattr(command, "runtime", lambda: replace(runtime, aws=type(runtime.aws)()))

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["catalog", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_a_refresh_says_what_changed_and_where_it_lies(sell: Seller, runtime: Runtime, run: Run) -> None:
    sell.machines(NEW, {"m5.large": "0.107", "c5.large": "0.096"})
    sell.list.database("db.m5.large", NEW, "MySQL", "0.191")
    lines = run("refresh").output.splitlines()
    assert lines[0] == "Compared with the shipped catalog:"
    assert lines[1].split() == ["Region", "sizes", "new", "gone", "prices", "new", "gone", "changed", "set", "aside"]
    assert lines[2].split() == [NEW, "EC2", "2", "2", "0", "2", "2", "0", "0", "0"]
    assert lines[3].split() == [NEW, "RDS", "1", "1", "0", "1", "1", "0", "0", "0"]
    assert lines[4:8] == ["", "mx-central-1 EC2, new (2)", "  c5.large", "  m5.large"]
    assert lines[-1] == f"Nights from 2025-03-10 on use {runtime.settings.home}/catalog/day=2025-03-10/refresh-1."


def test_prices_that_changed_come_with_the_largest_step_first(sell: Seller, run: Run) -> None:
    products = sell.machines(NEW, {"m5.large": "0.1", "c5.large": "0.1", "r5.large": "0.1"})
    database = sell.list.database("db.m5.large", NEW, "MySQL", "0.2")
    run("refresh")
    for name, usd in (("m5.large", "0.11"), ("c5.large", "0.0825")):
        sell.reprice(products[name], usd)
    sell.reprice(database, "0.21")
    lines = run("refresh").output.splitlines()
    assert lines[0] == "Compared with that of 2025-03-10:"
    first = lines.index("mx-central-1 EC2, price (2)")
    assert lines[first + 1 : first + 3] == ["  c5.large 0.1 → 0.0825 (-17.5 %)", "  m5.large 0.1 → 0.11 (+10.0 %)"]
    assert lines[lines.index("mx-central-1 RDS, price (1)") + 1] == "  db.m5.large mysql 0.2 → 0.21 (+5.0 %)"


def test_what_is_set_aside_and_not_taken_over_is_said(sell: Seller, run: Run) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    sell.list.machine("m5.large", NEW, "0.2")
    sell.list.database("db.m5.large", NEW, "Oracle", "0.4")
    output = run("refresh").output
    assert "mx-central-1 EC2, set aside (1)\n  m5.large in mx-central-1 has several prices at its source; " in output
    assert "Not taken over (1)\n  mx-central-1: 1 prices of database classes are of the engine Oracle, " in output


def test_types_that_changed_are_told_by_what_changed(sell: Seller, run: Run) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    sell.offers.offer(NEW, "m5.large", MemoryInfo={"SizeInMiB": 9216}, Hypervisor=None)
    sell.offers.offer(NEW, "z9.large", like="m5.large")
    output = run("refresh").output
    assert "Types that the catalog lacked (1)\n  z9.large" in output
    assert "Types that changed (2)\n  m5.large memory_gib 8 → 9\n  m5.large hypervisor nitro → unknown" in output


def test_long_lists_are_cut_and_whole_as_json(sell: Seller, run: Run) -> None:
    sizes = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
    names = sorted(f"{family}.{size}" for family in ("m5", "r5") for size in sizes)
    sell.machines(NEW, dict.fromkeys(names, "0.1"))
    lines = run("refresh").output.splitlines()
    first = lines.index("mx-central-1 EC2, new (14)")
    assert lines[first + 1 : first + 14] == [*(f"  {name}" for name in names[:12]), "  and 2 more (--json)"]
    assert json.loads(run("refresh", "--json").output)["markets"][0]["sizes"] == 14


def test_a_refused_refresh_says_why_and_how_it_is_taken_over(sell: Seller, runtime: Runtime, run: Run) -> None:
    sell.machines(NEW, {"m5.large": "0.107", "m5.xlarge": "0.214"})
    run("refresh")
    sell.offers.end(NEW, "m5.xlarge")
    lines = run("refresh", code=1).output.splitlines()
    assert "mx-central-1 EC2, gone (1)" in lines and "mx-central-1 EC2, without a price now (1)" in lines
    assert lines[-3:] == [
        "mx-central-1 would lose 1 of 2 (50 %) instance types.",
        "mx-central-1 would lose 1 of 2 (50 %) prices of EC2.",
        "Refused; the catalog stays as it is. --accept takes over what you looked at.",
    ]
    told = json.loads(run("refresh", "--json", code=1).output)
    assert (told["refused"], told["folder"], len(told["objections"])) == (True, None, 2)
    told = json.loads(run("refresh", "--json", "--accept").output)
    assert (told["refused"], told["folder"]) == (False, str(runtime.catalog(TODAY).folder))


def test_a_region_that_fails_is_said_and_the_exit_code_is_one(aws: AwsServer, sell: Seller, runtime: Runtime, run: Run) -> None:
    for region in (NEW, OTHER):
        sell.machines(region, {"m5.large": "0.107"})
    aws.faults.add(Fault("DescribeInstanceTypes", "denied", times=9, region=OTHER))
    lines = run("refresh", "--region", NEW, "--region", OTHER, code=1).output.splitlines()
    assert lines[0].startswith("ap-east-2: AWS does not allow DescribeInstanceTypes of instance types of ap-east-2")
    assert lines[-1].startswith("Nights from 2025-03-10 on use ")
    lines = run("refresh", "--region", OTHER, code=1).output.splitlines()
    assert lines[1:] == ["No region was read; the catalog stays as it is."]
    told = json.loads(run("refresh", "--region", OTHER, "--json", code=1).output)
    assert list(told["failed"]) == [OTHER] and (told["folder"], told["refused"]) == (None, False)


# What is in use.


def test_the_shipped_catalog_is_shown_with_its_age(run: Run) -> None:
    lines = run("show").output.splitlines()
    assert lines[:2] == [
        "2025-03-10 is judged by the shipped catalog.",
        "1,395 instance types and 142 database classes.",
    ]
    rows = [line.split() for line in lines]
    assert ["eu-west-1", "EC2", "663", "0", "2025-03-02", "8", "d"] in rows
    assert ["ap-northeast-3", "RDS", "137", "4", "2021-08-03", "1,315", "d"] in rows
    assert "Set aside (19)" in lines and lines[-1] == "  and 7 more (--json)"


def test_a_refreshed_catalog_is_shown_for_its_day_and_not_for_those_before(sell: Seller, runtime: Runtime, run: Run) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    run("refresh")
    assert run("show").output.startswith(f"2025-03-10 is judged by the catalog of 2025-03-10: {runtime.catalog(TODAY).folder}\n")
    assert run("show", "--day", "2025-03-09").output.startswith("2025-03-09 is judged by the shipped catalog.")
    told = json.loads(run("show", "--day", "2025-03-12", "--json").output)
    assert (told["day"], told["made_on"], told["instance_types"], told["rds_classes"]) == ("2025-03-12", "2025-03-10", 1395, 142)
    (row,) = (each for each in told["regions"] if each["region"] == NEW)
    assert row == {
        "region": NEW, "service": "EC2", "prices": 1, "set_aside": 0, "oldest": "2025-03-10", "newest": "2025-03-10",
        "age_days": 0, "sources": ["AWS Price List"],
    }  # fmt: skip


def test_ages_are_those_of_the_oldest_price_that_counts(sell: Seller, runtime: Runtime) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    sell.list.machine("m5.large", NEW, "0.2")
    sell.machines(OTHER, {"m5.large": "0.107"})
    refresh(runtime, [NEW, OTHER])
    later = replace(runtime, now=NOW + timedelta(days=40))
    found = {(each.region, each.service): each for each in price_ages(later, date(2025, 4, 1))}
    assert found[OTHER, "EC2"] == PriceAge(OTHER, "EC2", 1, 0, TODAY, TODAY, 40, ("AWS Price List",))
    assert found[NEW, "EC2"] == PriceAge(NEW, "EC2", 0, 1, None, None, None, ())
    assert found["us-east-1", "EC2"].age_days == 0, "what was listed later than today is not of another age"
    assert found["eu-west-1", "RDS"].age_days == 1355
    assert list(found) == sorted(found)

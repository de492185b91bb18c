"""A refresh over HTTP: whom it asks, what it makes, and what a night has of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.catalog.store import catalog_of, refreshed
from dagster_project.errors import InputError
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.catalog_refresh import Refreshed, refresh, regions_in_use
from dagster_project.pipeline.demo_world import note_day
from dagster_project.pipeline.runtime import Runtime
from dagster_project.progress import Progress
from dagster_project.settings_aws import AwsAccount
from tests.aws import AwsServer, Fault, fixtures
from tests.catalog_builders import NEW, NOW, OTHER, OWN, REGION, TODAY, Seller, another_account, own_account, usd
from tests.night_builders import machine, put, verdict


class Told(Progress):
    """What a person was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[float, float]] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def update(self, label: str, done: float, total: float) -> None:
        self.steps.append((done, total))

    def close(self) -> None:
        """Has nothing to give back."""


def asked(aws: AwsServer, operation: str) -> list[tuple[str, str]]:
    return [(each.account, each.region) for each in aws.log if each.operation == operation]


# What is made.


def test_a_region_is_read_and_becomes_the_catalog_of_the_day(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107", "m5.xlarge": "0.214", "t3.large": "0.0912"})
    sell.list.database("db.m5.large", NEW, "PostgreSQL", "0.198")
    runtime = home(own_account(NEW))
    made = refresh(runtime)
    assert (made.failed, made.day, made.is_refused) == ({}, TODAY, False)
    assert made.folder == runtime.settings.home / "catalog" / "day=2025-03-10" / "refresh-1"
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "diff.json", "ec2_instance_types.parquet", "ec2_offerings.parquet", "ec2_prices.parquet", "rds_classes.parquet",
        "rds_prices.parquet",
    ]  # fmt: skip
    assert [usd(runtime, name) for name in ("m5.large", "m5.xlarge", "t3.large")] == [0.107, 0.214, 0.0912]
    shapes = runtime.catalog(TODAY).rds_shapes(NEW, "postgres")
    assert shapes.usd_per_hour[shapes.number_of("db.m5.large")] == 0.198
    assert usd(runtime, "m5.large", REGION) == 0.107, "what the shipped catalog says of other regions stays"
    told = json.loads((made.folder / "diff.json").read_text(encoding="utf-8"))
    assert (told["day"], told["earlier"], told["failed"], told["accepted"]) == ("2025-03-10", None, {}, False)
    assert told["markets"][0]["new_sizes"] == ["m5.large", "m5.xlarge", "t3.large"]
    assert {each.name for each in runtime.settings.home.joinpath("catalog").iterdir()} == {".lock", ".scratch", "day=2025-03-10"}
    assert list(runtime.settings.home.joinpath("catalog", ".scratch").iterdir()) == []


def test_lists_come_in_pages(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    names = [f"m5.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")]
    sell.machines(NEW, dict.fromkeys(names, "0.1"))
    aws.dials.most_per_page = 3
    runtime = home(own_account(NEW))
    refresh(runtime)
    assert set(pl.read_parquet(runtime.catalog(TODAY).offerings)["instance_type"]) == set(names)
    assert pl.read_parquet(runtime.catalog(TODAY).instance_prices).filter(region=NEW).height == 7
    counts = {operation: len(aws.asked(operation)) for operation in ("DescribeInstanceTypes", "DescribeInstanceTypeOfferings")}
    assert counts == {"DescribeInstanceTypes": 3, "DescribeInstanceTypeOfferings": 3}
    assert len(aws.asked("GetProducts")) == 3 + 1 + 1, "machines, bare metal, databases"


def test_the_same_answers_give_the_same_bytes(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    for region in (NEW, OTHER):
        sell.machines(region, {"m5.large": "0.107", "c5.large": "0.096"})
        sell.list.database("db.m5.large", region, "MySQL", "0.19")
    folders = []
    for name in ("one", "two"):
        made = refresh(home(own_account(NEW, OTHER), folder=name))
        assert made.folder is not None
        folders.append({path.name: path.read_bytes() for path in made.folder.iterdir()})
    assert folders[0] == folders[1] and len(folders[0]) == 6


def test_another_refresh_on_the_same_day_is_used_and_compared_with_the_first(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    product = sell.machines(NEW, {"m5.large": "0.107"})["m5.large"]
    runtime = home(own_account(NEW))
    first = refresh(runtime)
    sell.reprice(product, "0.1")
    second = refresh(runtime)
    assert first.folder and second.folder and second.folder.name == "refresh-2"
    assert second.diff and second.diff.earlier == TODAY
    assert [(move.before, move.now) for move in second.diff.markets[0].moved] == [(0.107, 0.1)]
    assert usd(runtime, "m5.large") == 0.1
    assert len(refreshed(runtime.settings.home)) == 2


def test_regions_that_are_not_refreshed_keep_the_newest_prices_with_their_day(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    sell.machines(OTHER, {"m5.large": "0.2"})
    refresh(home(own_account(NEW, OTHER)))
    later = home(own_account(NEW, OTHER), now=NOW + timedelta(days=5))
    refresh(later, [OTHER])
    shapes = later.catalog(date(2025, 3, 15))
    days = {
        region: shapes.ec2_shapes(region).price_as_of[shapes.ec2_shapes(region).number_of("m5.large")]
        for region in (NEW, OTHER, REGION)
    }
    assert days == {NEW: "2025-03-10", OTHER: "2025-03-15", REGION: "2025-03-02"}


# Which regions.


def test_in_use_are_regions_of_the_newest_inventory_and_those_that_are_read(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    runtime = home(own_account(NEW))
    resources = [("i-1", OTHER), ("i-2", OTHER), ("i-3", None), ("i-4", "the cellar")]
    put(runtime, "resource_inventory", date(2025, 3, 8), [machine("i-9", region="eu-west-3").resource])
    put(runtime, "resource_inventory", date(2025, 3, 9), [machine(name, region=region).resource for name, region in resources])
    assert regions_in_use(runtime) == [OTHER, NEW]


def test_without_accounts_the_own_credentials_are_asked_of_the_inventory(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(OTHER, {"m5.large": "0.2"})
    runtime = home()
    put(runtime, RESOURCE_INVENTORY.name, date(2025, 3, 9), [machine(region=OTHER).resource])
    assert refresh(runtime).failed == {}
    assert usd(runtime, "m5.large", OTHER) == 0.2
    assert asked(aws, "DescribeInstanceTypes") == [(OWN, OTHER)]
    assert set(asked(aws, "GetProducts")) == {(OWN, "us-east-1")}


def test_where_no_region_is_in_use_that_is_said(aws: AwsServer, home: Callable[..., Runtime]) -> None:
    with pytest.raises(InputError, match=r"No region is in use: .* Say which with --region\.$"):
        refresh(home())
    assert aws.log == []


@pytest.mark.parametrize("region", ["europe", "eu-west", "EU-WEST-1", ""])
def test_what_is_no_region_is_refused(aws: AwsServer, home: Callable[..., Runtime], region: str) -> None:
    with pytest.raises(InputError, match="is no region of AWS"):
        refresh(home(), [region])
    assert aws.log == []


def test_the_demo_has_no_aws(aws: AwsServer, home: Callable[..., Runtime]) -> None:
    runtime = home()
    note_day(runtime.settings, date(2025, 3, 9))
    with pytest.raises(InputError, match="The demo has the shipped catalog"):
        refresh(runtime, [NEW])


# Whom it asks.


def test_an_account_that_may_not_is_passed_over(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    first, second = (another_account(aws, number, NEW) for number in ("222222222222", "333333333333"))
    aws.account("222222222222").allow(["ec2:DescribeRegions"])
    runtime = home(first, second)
    assert refresh(runtime).failed == {}
    assert usd(runtime, "m5.large") == 0.107
    assert asked(aws, "DescribeInstanceTypes") == [("222222222222", NEW), ("333333333333", NEW)]
    places = ("us-east-1", "eu-central-1", "ap-south-1")
    denied = [("222222222222", place) for place in places]
    assert asked(aws, "GetProducts") == [*denied, *[("333333333333", "us-east-1")] * 2, *denied, ("333333333333", "us-east-1")]


def test_an_account_that_is_not_read_there_is_asked_where_no_other_is(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(OTHER, {"m5.large": "0.2"})
    assert refresh(home(own_account(NEW)), [OTHER]).failed == {}
    assert asked(aws, "DescribeInstanceTypes") == [(OWN, OTHER)]


def test_the_account_that_is_read_there_is_asked_and_no_other(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    others = another_account(aws, "111111111111"), another_account(aws, "222222222222", OTHER)
    assert refresh(home(*others, another_account(aws, "333333333333", NEW)), [NEW]).failed == {}
    assert asked(aws, "DescribeInstanceTypes") == asked(aws, "DescribeInstanceTypeOfferings") == [("333333333333", NEW)]
    assert set(asked(aws, "GetProducts")) == {("222222222222", "us-east-1")}, "one that is read somewhere comes first"


def test_a_policy_that_closes_one_region_leaves_another_to_ask_for_prices(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    aws.faults.add(Fault("GetProducts", "denied", times=9, region="us-east-1"))
    runtime = home(own_account(NEW))
    assert refresh(runtime).failed == {}
    assert {region for _, region in asked(aws, "GetProducts")} == {"us-east-1", "eu-central-1"}
    assert usd(runtime, "m5.large") == 0.107


def test_an_outage_of_one_region_too(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    aws.faults.add(Fault("GetProducts", "unavailable_before", times=99, region="us-east-1"))
    assert refresh(home(own_account(NEW), attempts=2)).failed == {}


def test_throttled_requests_are_sent_again(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime], waits: fixtures.Waits
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    aws.faults.add(Fault("GetProducts", "throttled", times=3), Fault("DescribeInstanceTypes", "throttled", times=2))
    runtime = home(own_account(NEW))
    assert refresh(runtime).failed == {}
    assert usd(runtime, "m5.large") == 0.107
    assert len(waits.slept) >= 5
    assert {region for _, region in asked(aws, "GetProducts")} == {"us-east-1"}


def test_where_nobody_may_the_first_refusal_is_said(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    aws.allow(["ec2:*"])
    runtime = home(own_account(NEW))
    made = refresh(runtime)
    assert (made.diff, made.folder) == (None, None)
    assert made.failed == {
        NEW: "AWS does not allow GetProducts of prices of AmazonEC2 in mx-central-1 (AccessDeniedException); the account needs "
        "pricing:GetProducts."
    }
    assert runtime.catalog(TODAY) == SHIPPED


def test_prices_of_govcloud_are_asked_of_an_account_that_is_not_in_it(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    gov = AwsAccount(id="222222222222", partition="aws-us-gov")
    made = refresh(home(gov), ["us-gov-west-1"])
    assert made.failed == {
        "us-gov-west-1": "us-gov-west-1 is told of by accounts of the partition aws only, and aws.accounts has none; add one, "
        "or leave the region out."
    }
    made = refresh(home(own_account(NEW), folder="other"), ["us-gov-west-1"])
    assert "accounts of the partition aws-us-gov only" in made.failed["us-gov-west-1"]


# What it is for.


def test_a_night_has_the_prices_of_its_day(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.1", "m5.xlarge": "0.2"})
    before, after = date(2025, 3, 9), TODAY
    runtime = home(own_account(NEW))
    one = machine(region=NEW)
    assert verdict(runtime, one, day=before)["current_usd_month"] is None, "the shipped catalog knows nothing of the region"
    refresh(runtime)
    found = {day: verdict(runtime, one, day=day) for day in (before, after)}
    assert [found[day]["current_usd_month"] for day in (before, after)] == [None, pytest.approx(0.2 * 730)]
    assert (found[after]["price_source"], found[after]["price_as_of"]) == ("AWS Price List", "2025-03-10")
    assert found[after]["savings_usd_month"] == pytest.approx(0.1 * 730)
    for product in sell.list.products:
        sell.reprice(product, {"m5.large": "0.11", "m5.xlarge": "0.22"}[product["product"]["attributes"]["instanceType"]])
    refresh(replace(runtime, now=NOW + timedelta(days=1)))
    again = {day: verdict(runtime, one, day=day)["current_usd_month"] for day in (before, after, date(2025, 3, 11))}
    assert again == {before: None, after: pytest.approx(0.2 * 730), date(2025, 3, 11): pytest.approx(0.22 * 730)}


def test_how_far_it_has_come(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    sell.list.database("db.m5.large", NEW, "MySQL", "0.19")
    aws.faults.add(Fault("DescribeInstanceTypeOfferings", "denied", times=9, region=OTHER))
    sell.machines(OTHER, {"m5.large": "0.107"})
    told = Told()
    refresh(replace(home(own_account(NEW, OTHER)), progress=told))
    assert told.lines == [f"{NEW}: 1 instance types, 1 of them and 1 database classes and engines with a price."]
    assert told.steps[0] == (0, 8) and told.steps[-1] == (8, 8)
    assert told.steps == sorted(set(told.steps)), "never back, and nothing twice"


def test_nothing_that_was_made_is_a_secret(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    made = refresh(home(another_account(aws, "222222222222", NEW)))
    assert made.folder is not None
    text = (made.folder / "diff.json").read_text(encoding="utf-8")
    assert not [secret for secret in aws.secrets if secret in text]
    assert isinstance(made, Refreshed) and catalog_of(made.folder.parents[2], TODAY).folder == made.folder

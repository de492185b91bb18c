"""A refresh over HTTP: whom it asks, what it makes, and what it leaves alone when something goes wrong."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.catalog.store import catalog_of, refreshed
from dagster_project.errors import AccessDenied, InputError, NightshiftError
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline import catalog_refresh
from dagster_project.pipeline.catalog_refresh import Refreshed, refresh, regions_in_use
from dagster_project.pipeline.demo_world import note_day
from dagster_project.pipeline.runtime import Runtime
from dagster_project.progress import Progress
from dagster_project.settings import Settings
from dagster_project.settings_aws import AwsAccount, AwsSettings
from tests.aws import AwsServer, Fault, fixtures
from tests.aws.instance_types import Offers
from tests.aws.pricing import PriceList
from tests.catalog_builders import Seller, dying_refresh
from tests.forking import FORKS
from tests.night_builders import machine, put, verdict

aws, waits = fixtures.aws, fixtures.waits
NOW = datetime(2025, 3, 10, 14, 30, tzinfo=UTC)
TODAY = date(2025, 3, 10)
NEW, OTHER, OLD = "mx-central-1", "ap-east-2", "eu-west-1"
"""Regions: the shipped catalog knows nothing of the first two."""
OWN = "123456789012"


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


@pytest.fixture
def sell(aws: AwsServer) -> Seller:
    """What is sold; every account may have the regions of these tests."""
    aws.enable(NEW, OTHER, OLD, "us-east-1", "eu-central-1", "ap-south-1")
    return Seller(aws.of(Offers), aws.of(PriceList))


@pytest.fixture
def home(aws: AwsServer, waits: fixtures.Waits, tmp_path: Path) -> Callable[..., Runtime]:
    """A home whose accounts are read in some regions. Without accounts it has the credentials of the environment."""

    def make(*accounts: AwsAccount, folder: str = "home", now: datetime = NOW, **settings: Any) -> Runtime:
        own = AwsSettings(endpoint_url=aws.url, accounts=accounts, **settings)
        return Runtime(Settings(home=tmp_path / folder, aws=own), now=now, at=waits)

    return make


def account(aws: AwsServer, number: str, *regions: str) -> AwsAccount:
    return AwsAccount(id=number, role_arn=aws.account(number).role_arn, regions=regions)


def own_account(*regions: str) -> AwsAccount:
    return AwsAccount(id=OWN, regions=regions)


def usd(runtime: Runtime, name: str, region: str = NEW, day: date = TODAY) -> float:
    shapes = runtime.catalog(day).ec2_shapes(region)
    return float(shapes.usd_per_hour[shapes.number_of(name)])


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
    assert usd(runtime, "m5.large", OLD) == 0.107, "what the shipped catalog says of other regions stays"
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
        for region in (NEW, OTHER, OLD)
    }
    assert days == {NEW: "2025-03-10", OTHER: "2025-03-15", OLD: "2025-03-02"}


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
    first, second = (account(aws, number, NEW) for number in ("222222222222", "333333333333"))
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


# What goes wrong.


def test_a_region_that_fails_stays_as_it_is_and_does_not_stop_others(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    sell.machines(OTHER, {"m5.large": "0.2"})
    runtime = home(own_account(NEW, OTHER), attempts=2)
    refresh(runtime)
    for product in sell.list.products:
        sell.reprice(product, "0.12")
    aws.faults.add(Fault("DescribeInstanceTypeOfferings", "internal_error_before", times=2, region=OTHER))
    made = refresh(runtime)
    assert list(made.failed) == [OTHER]
    assert made.failed[OTHER].startswith("AWS failed with InternalError at DescribeInstanceTypeOfferings")
    assert made.diff and [each.region for each in made.diff.markets] == [NEW, NEW]
    assert (usd(runtime, "m5.large", NEW), usd(runtime, "m5.large", OTHER)) == (0.12, 0.2)


def test_a_region_of_the_settings_that_cannot_be_read_is_said(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    aws.account("222222222222").enable("us-east-1")
    made = refresh(home(own_account(NEW), account(aws, "222222222222", OTHER, NEW)))
    assert list(made.failed) == [OTHER], "the other account tells of the region that both have"
    assert made.failed[OTHER].startswith("The account 222222222222 has not enabled ap-east-2; ")
    assert made.folder is not None


@pytest.mark.parametrize("spoil", ["types", "offers", "prices"])
def test_an_answer_that_nothing_is_sold_is_a_failure(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime], spoil: str
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    if spoil == "types":
        sell.offers.described[NEW].clear()
    elif spoil == "offers":
        sell.offers.offered[NEW].clear()
    else:
        sell.list.products.clear()
    made = refresh(home(own_account(NEW)))
    assert made.folder is None and "nothing is taken over, look at the region" in made.failed[NEW]


def test_prices_in_another_currency_are_left_out_and_said(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    product = sell.machines(NEW, {"m5.large": "0.107"})["m5.large"]
    sell.reprice(product, "0.8", currency="CNY")
    made = refresh(home(own_account(NEW)))
    assert made.diff and made.diff.markets[0].prices == 0
    assert f"{NEW}: 1 × AmazonEC2: currency CNY." in made.diff.notes


def test_a_refresh_that_loses_too_much_is_refused_and_taken_over_when_it_is_accepted(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(NEW, {"m5.large": "0.107", "m5.xlarge": "0.214"})
    runtime = home(own_account(NEW))
    before = refresh(runtime)
    sell.offers.end(NEW, "m5.xlarge")
    made = refresh(runtime)
    assert made.is_refused and made.folder is None and made.diff is not None
    assert made.diff.objections == (
        "mx-central-1 would lose 1 of 2 (50 %) instance types.",
        "mx-central-1 would lose 1 of 2 (50 %) prices of EC2.",
    )
    assert [each.folder for each in refreshed(runtime.settings.home)] == [before.folder]
    assert usd(runtime, "m5.xlarge") == 0.214
    accepted = refresh(runtime, accept=True)
    assert accepted.folder is not None and not accepted.is_refused
    assert json.loads((accepted.folder / "diff.json").read_text(encoding="utf-8"))["accepted"] is True
    assert usd(runtime, "m5.xlarge") != usd(runtime, "m5.xlarge"), "unknown"


def test_a_mistake_of_one_region_keeps_all_from_being_taken_over(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    wrong = sell.machines(OTHER, {"m5.large": "0.2"})["m5.large"]
    runtime = home(own_account(NEW, OTHER))
    refresh(runtime)
    sell.reprice(wrong, "20")
    made = refresh(runtime)
    assert made.is_refused
    assert made.diff and made.diff.objections == ("ap-east-2: 1 of 1 (100 %) prices of EC2 would move by more than 30 %.",)


def test_one_refresh_at_a_time(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    runtime = home(own_account(NEW))
    seen: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(NightshiftError, match=r"Another refresh of .* is under way") as problem:
            refresh(home())
        seen.append(str(problem.value))

    aws.faults.add(Fault("GetProducts", "moved", callback=meanwhile))
    assert refresh(runtime).failed == {}
    assert len(seen) == 1
    assert refresh(runtime).failed == {}, "the lock is gone with the refresh"


def test_a_folder_that_cannot_be_written_to_is_said(aws: AwsServer, home: Callable[..., Runtime]) -> None:
    runtime = home(own_account(NEW))
    runtime.settings.home.mkdir()
    (runtime.settings.home / "catalog").write_text("in the way", encoding="ascii")
    with pytest.raises(AccessDenied, match=r"Cannot write to .*catalog .*; make it writable for this user\.$"):
        refresh(runtime)
    assert aws.log == []


@pytest.mark.parametrize("fatal", range(14))
def test_killed_at_any_moment_the_old_catalog_is_whole_and_the_next_refresh_works(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch, fatal: int
) -> None:
    """Each file, its flush and the renaming in turn is what the process does not live to finish."""
    product = sell.machines(NEW, {"m5.large": "0.107"})["m5.large"]
    runtime = home(own_account(NEW))
    first = refresh(runtime)
    sell.reprice(product, "0.1")
    assert killed_at(runtime, monkeypatch, fatal)
    if fatal < 13:
        (kept,) = refreshed(runtime.settings.home)
        assert kept.folder == first.folder and usd(runtime, "m5.large") == 0.107
    else:
        assert usd(runtime, "m5.large") == 0.1, "it had its name already"
    second = refresh(runtime)
    assert second.folder is not None and usd(runtime, "m5.large") == 0.1


def test_a_refresh_has_no_more_moments_than_those(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    assert not killed_at(home(own_account(NEW)), monkeypatch, 14)


def test_a_process_that_is_killed_leaves_a_draft_which_nobody_reads_and_the_next_refresh_removes(
    aws: AwsServer, sell: Seller, home: Callable[..., Runtime]
) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    runtime = home(own_account(NEW))
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    child = FORKS.Process(target=dying_refresh, args=(runtime.settings.model_dump(), variables, runtime.now))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    scratch = runtime.settings.home / "catalog" / ".scratch"
    assert [path.name for path in scratch.glob("*/draft/*.json")] == ["diff.json"], "whole, but for its name"
    assert runtime.catalog(TODAY) == SHIPPED
    assert refresh(runtime).folder is not None
    assert list(scratch.iterdir()) == []


class Killed(BaseException):
    """Nobody handles this."""


def killed_at(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, fatal: int) -> bool:
    """A refresh that gets no further than the ``fatal``-th step that changes the disk; whether it came so far."""
    left = [fatal]

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*arguments, **options)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", deadly(pl.DataFrame.write_parquet))
        patch.setattr(catalog_refresh, "_flush", deadly(catalog_refresh._flush))
        patch.setattr(Path, "rename", deadly(Path.rename))
        try:
            refresh(runtime)
        except Killed:
            return True
    return False


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
    assert [done for done, _ in told.steps] == sorted(done for done, _ in told.steps)


def test_nothing_that_was_made_is_a_secret(aws: AwsServer, sell: Seller, home: Callable[..., Runtime]) -> None:
    sell.machines(NEW, {"m5.large": "0.107"})
    made = refresh(home(account(aws, "222222222222", NEW)))
    assert made.folder is not None
    text = (made.folder / "diff.json").read_text(encoding="utf-8")
    assert not [secret for secret in aws.secrets if secret in text]
    assert isinstance(made, Refreshed) and catalog_of(made.folder.parents[2], TODAY).folder == made.folder

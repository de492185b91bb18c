"""A refresh over HTTP that goes wrong: what it leaves alone, what it refuses, and what is left of it when it is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.catalog.store import refreshed
from dagster_project.errors import AccessDenied, NightshiftError
from dagster_project.pipeline import catalog_refresh
from dagster_project.pipeline.catalog_refresh import refresh
from dagster_project.pipeline.runtime import Runtime
from tests.aws import AwsServer, Fault
from tests.catalog_builders import NEW, OTHER, TODAY, Seller, another_account, dying_refresh, own_account, usd
from tests.forking import FORKS


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
    made = refresh(home(own_account(NEW), another_account(aws, "222222222222", OTHER, NEW)))
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
        patch.setattr(catalog_refresh, "flush", deadly(catalog_refresh.flush))
        patch.setattr(Path, "rename", deadly(Path.rename))
        try:
            refresh(runtime)
        except Killed:
            return True
    return False

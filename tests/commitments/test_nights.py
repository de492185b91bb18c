"""Nights with discounts and commitments: what is written down of each proposal, and what is not known."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.domain.rightsizing.commitments import RDS_RESERVED
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS
from dagster_project.pipeline.cash_savings import COMMITMENTS, PLANS
from dagster_project.pipeline.ledger import Load, record
from dagster_project.settings_prices import AccountPrices
from tests.commitments.nights import NOW, ONE, OTHER, SAVES, at, compute_plan, in_account, reserved, was_read
from tests.night_builders import DATABASE, DAY, GROUP, THREE_ZONES, Row, machine, night


def cash(row: Row) -> tuple[float | None, float | None, date | None, str | None]:
    return row["cash_savings_usd_month"], row["covered_pct"], row["cash_from"], row["cash_basis"]


class TestDiscounts:
    def test_money_is_what_is_paid_and_the_list_price_stands_beside(self, tmp_path: Path) -> None:
        row = night(at(tmp_path, discounts={"*": 10, "m5": 20}), in_account())["i-1"]
        assert row["current_usd_month"] == pytest.approx(0.8 * NOW)
        assert row["candidate_usd_month"] == pytest.approx(0.8 * SAVES)
        assert row["savings_usd_month"] == row["stake_usd_month"] == pytest.approx(0.8 * SAVES)
        assert row["expected_usd_month"] == pytest.approx(0.8 * SAVES)
        assert (row["list_savings_usd_month"], row["discount_pct"]) == (pytest.approx(SAVES), 20)
        assert cash(row) == (None, None, None, None)

    def test_the_gates_look_at_what_is_paid(self, tmp_path: Path) -> None:
        rules = {"min_savings_usd_month": 60}
        assert night(at(tmp_path, rules), in_account())["i-1"]["verdict"] == "propose"
        row = night(at(tmp_path, rules, discounts={"m5": 20}), in_account())["i-1"]
        assert (row["reason_code"], row["deciding_value"]) == ("keep_savings_too_small", pytest.approx(0.8 * SAVES))
        assert (row["list_savings_usd_month"], row["savings_usd_month"], row["discount_pct"]) == (0, 0, 20)
        assert row["stake_usd_month"] == pytest.approx(0.8 * SAVES)

    def test_what_may_go_wrong_is_weighed_against_what_is_paid(self, tmp_path: Path) -> None:
        risky = {"incident_cost_usd": 25, "restart_cost_usd": 12}
        at_list = night(at(tmp_path, risky), in_account())["i-1"]
        half = night(at(tmp_path, risky, discounts={"m5": 50}), in_account())["i-1"]
        assert at_list["expected_usd_month"] - half["expected_usd_month"] == pytest.approx(SAVES / 2)
        code = night(at(tmp_path, risky, discounts={"m5": 90}), in_account())["i-1"]["reason_code"]
        assert code == "keep_not_enough_gain_vs_risk"

    def test_the_cheapest_size_is_the_one_that_is_paid_least_for(self, tmp_path: Path) -> None:
        cheapest = {"target": "cheapest"}
        at_list = night(at(tmp_path, cheapest), in_account())["i-1"]
        assert at_list["target_type"].split(".")[0] != "m5"
        row = night(at(tmp_path, cheapest, discounts={"m5": 50}), in_account())["i-1"]
        assert (row["target_type"], row["list_savings_usd_month"]) == ("m5.large", pytest.approx(SAVES))
        # From one family to another, each at its own discount.
        family = at_list["target_type"].split(".")[0]
        mixed = night(at(tmp_path, cheapest, discounts={"m5": 10, family: 30}), in_account())["i-1"]
        assert mixed["target_type"] == at_list["target_type"]
        assert mixed["savings_usd_month"] == pytest.approx(0.9 * NOW - 0.7 * at_list["candidate_usd_month"])
        assert mixed["list_savings_usd_month"] == pytest.approx(at_list["savings_usd_month"])

    def test_an_account_may_pay_otherwise(self, tmp_path: Path) -> None:
        runtime = at(tmp_path, discounts={"m5": 20}, accounts=[AccountPrices(id=OTHER, discounts={"*": 50})])
        found = night(runtime, in_account(), in_account(OTHER, "i-2"), in_account(None, "i-3"))
        assert [found[name]["discount_pct"] for name in ("i-1", "i-2", "i-3")] == [20, 50, 20]
        assert found["i-2"]["savings_usd_month"] == pytest.approx(SAVES / 2)

    def test_a_size_that_nobody_knows_has_no_discount(self, tmp_path: Path) -> None:
        row = night(at(tmp_path, discounts={"*": 20}), in_account(instance_type="z9.huge"))["i-1"]
        assert (row["discount_pct"], row["list_savings_usd_month"]) == (None, 0)


class TestCommitments:
    def test_where_nobody_asked_nothing_is_said(self, tmp_path: Path) -> None:
        rows = [reserved("m5.xlarge")]
        assert cash(night(at(tmp_path), in_account(), aws_commitments=rows)["i-1"]) == (None, None, None, None)

    def test_without_commitments_all_of_it_is_cash(self, tmp_path: Path) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        found = night(runtime, in_account(), in_account(OTHER, "i-2", instance_type="t3.nano"))
        assert cash(found["i-1"]) == (found["i-1"]["savings_usd_month"], 0, None, "on demand")
        assert cash(found["i-2"]) == (None, None, None, None)

    @pytest.mark.parametrize(
        ("rows", "told"),
        [
            ([reserved("m5.xlarge")], (0, 100, date(2025, 9, 1))),
            ([reserved("m5.large", 3)], (0, 100, date(2025, 9, 1))),
            ([reserved("m5.medium", 3)], (SAVES / 2, 50, date(2025, 9, 1))),
            ([reserved("m5.large")], (SAVES, 0, None)),
            ([reserved("m5.xlarge", is_size_flexible=False)], (-SAVES, 100, date(2025, 9, 1))),
            # Ended, not begun, elsewhere, of another family, for another system.
            ([reserved("m5.xlarge", ends_at=datetime(2025, 3, 9, 23))], (SAVES, 0, None)),
            ([reserved("m5.xlarge", starts_at=datetime(2025, 3, 11))], (SAVES, 0, None)),
            ([reserved("m5.xlarge", region="eu-west-1")], (SAVES, 0, None)),
            ([reserved("c5.xlarge")], (SAVES, 0, None)),
            ([reserved("m5.xlarge", platform="windows", is_size_flexible=False)], (SAVES, 0, None)),
            # 72 cents at 28 % below list pay for a dollar; 10 for 13.9 of the 19.2 that the machine costs.
            ([compute_plan(0.72)], (0, 100, date(2025, 9, 1))),
            ([compute_plan(0.10)], ((0.192 - 0.1 / 0.72) * 730, pytest.approx(44.68, abs=0.01), date(2025, 9, 1))),
            ([compute_plan(0.72, ends_at=None)], (0, 100, None)),
        ],
    )  # fmt: skip
    def test_what_is_covered_is_told_with_its_end(self, tmp_path: Path, rows: list[Row], told: tuple[Any, ...]) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        row = night(runtime, in_account(), aws_commitments=rows)["i-1"]
        assert row["verdict"] == "propose"
        assert row["savings_usd_month"] == pytest.approx(SAVES)
        assert cash(row)[:3] == (pytest.approx(told[0], abs=1e-6), pytest.approx(told[1]), told[2])

    def test_discounts_are_on_both(self, tmp_path: Path) -> None:
        runtime = at(tmp_path, discounts={"m5": 20})
        was_read(runtime)
        row = night(runtime, in_account(), aws_commitments=[reserved("m5.medium", 3)])["i-1"]
        assert cash(row) == (pytest.approx(0.8 * SAVES / 2), pytest.approx(50), date(2025, 9, 1), "commitments")
        # A plan pays for list prices: 10 cents for 13.9 of 19.2, whatever is paid for the rest.
        row = night(runtime, in_account(), aws_commitments=[compute_plan(0.10)])["i-1"]
        assert row["cash_savings_usd_month"] == pytest.approx(0.8 * (0.192 - 0.1 / 0.72) * 730)

    def test_members_count_once_with_their_group_and_spot_and_what_is_off_not_at_all(self, tmp_path: Path) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        beside = [
            in_account(resource_id="web", **{**GROUP, "units": 2}),
            in_account(resource_id="m-1", asg_name="web", instance_type="m5.large"),
            in_account(resource_id="m-2", asg_name="web", instance_type="m5.large"),
            in_account(resource_id="spot", lifecycle="spot", instance_type="m5.4xlarge"),
            in_account(resource_id="off", config={"state": "stopped"}, instance_type="m5.4xlarge"),
        ]
        # The machine and the group run 16 units: so many are reserved, and nothing of it is on demand.
        found = night(
            runtime, in_account(), *beside, aws_commitments=[reserved("m5.4xlarge"), reserved("m5.xlarge", region="eu-west-1")]
        )
        assert cash(found["i-1"])[0] == 0
        found = night(runtime, in_account(), *beside, aws_commitments=[reserved("m5.large", 3)])
        assert cash(found["i-1"])[0] == pytest.approx(SAVES)

    def test_fewer_members_free_what_they_used(self, tmp_path: Path) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        busy = {
            "cpu_avg_pct": {"p995": 70, "maximum": 72},
            "cpu_max_pct": {"p995": 70, "maximum": 72},
            "in_service": {"maximum": 10},
        }
        web = machine(
            "web",
            {**busy, "mem_avg_pct": {"maximum": 40}, "mem_max_pct": {"maximum": 40}},
            account_id=ONE,
            **GROUP,
            config=THREE_ZONES,
        )
        row = night(runtime, web, aws_commitments=[reserved("m5.large", 9)])["web"]
        assert row["reason_code"] == "propose_lower_minimum"
        fewer = round(row["savings_usd_month"] / SAVES)
        assert 1 <= fewer < 9
        assert row["cash_savings_usd_month"] == pytest.approx(SAVES)
        assert row["covered_pct"] == pytest.approx(100 * (fewer - 1) / fewer)
        assert row["list_savings_usd_month"] == row["savings_usd_month"]

    def test_a_database_with_a_standby_uses_twice_what_is_reserved(self, tmp_path: Path) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        doubled = in_account(**{**DATABASE, "config": {"engine": "postgres", "multi_az": True}})
        of = {"kind": RDS_RESERVED, "family": "db.m5", "engine": "postgres", "is_multi_az": False}
        row = night(runtime, doubled, aws_commitments=[reserved("db.m5.xlarge", **of)])["i-1"]
        assert row["verdict"] == "propose"
        assert cash(row)[:2] == (pytest.approx(row["savings_usd_month"]), 0)
        both = [reserved("db.m5.xlarge", **{**of, "is_multi_az": True})]
        assert cash(night(runtime, doubled, aws_commitments=both)["i-1"])[:2] == (0, 100)
        other = [reserved("db.m5.xlarge", 4, **{**of, "engine": "mysql"})]
        assert cash(night(runtime, doubled, aws_commitments=other)["i-1"])[3] == "on demand"

    def test_a_reservation_of_another_account_pays_where_accounts_share(self, tmp_path: Path) -> None:
        rows = [reserved("m5.xlarge", account_id=OTHER)]
        for is_shared, told in ((True, (0, "commitments")), (False, (pytest.approx(SAVES), "on demand"))):
            runtime = at(tmp_path / str(is_shared), are_commitments_shared=is_shared)
            was_read(runtime, accounts=(ONE, OTHER))
            found = cash(night(runtime, in_account(), aws_commitments=rows)["i-1"])
            assert (found[0], found[3]) == told

    @pytest.mark.parametrize("failed", [f"{ONE}.us-east-1", f"{ONE}.{PLANS}", f"{OTHER}.us-east-1", f"{OTHER}.{PLANS}"])
    def test_what_could_not_be_read_may_pay_for_any_account_that_shares(self, tmp_path: Path, failed: str) -> None:
        nothing = (None, None, None, "not read")
        machines = (in_account(), in_account(OTHER, "i-2"))
        shared = at(tmp_path / "shared")
        was_read(shared, failed, accounts=(ONE, OTHER))
        found = night(shared, *machines)
        assert cash(found["i-1"]) == cash(found["i-2"]) == nothing
        assert found["i-1"]["savings_usd_month"] == pytest.approx(SAVES)
        alone = at(tmp_path / "alone", are_commitments_shared=False)
        was_read(alone, failed, accounts=(ONE, OTHER))
        found = night(alone, *machines)
        unread, read = ("i-1", "i-2") if failed.startswith(ONE) else ("i-2", "i-1")
        assert cash(found[unread]) == nothing
        assert cash(found[read]) == (pytest.approx(SAVES), 0, None, "on demand")

    def test_an_account_whose_regions_nobody_knows_may_pay_for_any(self, tmp_path: Path) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        record(runtime.lake, DAY, Load(f"{COMMITMENTS}.{OTHER}.regions", "failed", error="refused"))
        assert cash(night(runtime, in_account())["i-1"])[3] == "not read"

    def test_what_nobody_knows_the_account_of_is_in_the_only_one(self, tmp_path: Path) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        found = night(runtime, in_account(None), in_account(None, "i-2", region="eu-west-1"))
        assert (cash(found["i-1"])[3], cash(found["i-2"])[3]) == ("on demand", "not read")
        was_read(runtime, accounts=(ONE, OTHER))
        assert cash(night(runtime, in_account(None))["i-1"])[3] == "not read"

    @pytest.mark.parametrize("row", [reserved("m5.metal"), compute_plan(None)])
    def test_a_commitment_whose_reach_is_not_known_is_no_cash(self, tmp_path: Path, row: Row) -> None:
        runtime = at(tmp_path)
        was_read(runtime)
        found = night(runtime, in_account(), aws_commitments=[row])["i-1"]
        assert cash(found) == (None, None, None, "unknown")

    def test_a_night_that_is_run_again_gives_the_same_bytes(self, tmp_path: Path) -> None:
        runtime = at(tmp_path, discounts={"*": 12.5})
        was_read(runtime)
        machines = [
            in_account(resource_id=f"i-{number}", instance_type=size)
            for number, size in enumerate(["m5.xlarge", "m5.2xlarge"] * 3)
        ]
        rows = [reserved("m5.large", 14), reserved("m5.xlarge", 1), compute_plan(0.1)]

        def written() -> bytes:
            night(runtime, *machines, aws_commitments=rows)
            return runtime.lake.path(RIGHTSIZING_VERDICTS, DAY).read_bytes()

        before = written()
        rows.reverse()
        machines.reverse()
        assert written() == before
        found = pl.read_parquet(runtime.lake.path(RIGHTSIZING_VERDICTS, DAY), hive_partitioning=False)
        assert 0 < found["cash_savings_usd_month"].sum() < found["savings_usd_month"].sum()

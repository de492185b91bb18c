"""How the bill's prices stand to ours: each class, with the sentence that says it."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from dagster_project.domain.billing.identity import Directory, Listed, Named, named
from dagster_project.domain.billing.reconcile import (
    AGREES,
    BILLED_ONLY,
    CLASSES,
    COMMITMENT,
    COMPARED,
    LIST_DIFFERS,
    NEGOTIATED,
    NOT_BILLED,
    NOT_COMPARED,
    RECONCILED,
    UNCLEAR,
    Billed,
    Finding,
    Ours,
    month,
    reconcile,
)

OURS = Ours(100.0, 100.0, "m5.large", datetime(2024, 1, 1))
BILLED = Billed(100.0, 100.0, 100.0, 672.0, 0.0, "m5.large", 1, 92.0, 92.0)
REACH = datetime(2025, 3, 9)


def found(ours: Ours | None = OURS, billed: Billed | None = BILLED, reach: datetime | None = REACH) -> Finding:
    return reconcile(ours, billed, reach, 2)


def test_a_bill_agrees_within_the_tolerance() -> None:
    assert found() == Finding(AGREES, "the bill and our price agree")
    within = replace(BILLED, list_usd_month=102, contracted_usd_month=102, effective_usd_month=102)
    assert found(billed=within).kind == AGREES
    beyond = replace(BILLED, list_usd_month=103, contracted_usd_month=103, effective_usd_month=103)
    assert found(billed=beyond) == Finding(LIST_DIFFERS, "the bill's list price is 3 % above ours")


def test_a_discount_of_the_settings_agrees_and_another_one_does_not() -> None:
    discounted = replace(BILLED, contracted_usd_month=80.0, effective_usd_month=80.0)
    assert found(replace(OURS, paid_usd_month=80.0), discounted).kind == AGREES
    told = "contracted is 20 % below list, and our price 10 % below list"
    assert found(replace(OURS, paid_usd_month=90.0), discounted) == Finding(NEGOTIATED, told)
    assert found(OURS, discounted).sentence == "contracted is 20 % below list, and our price equal to list"


def test_commitments_are_what_parts_effective_from_contracted() -> None:
    covered = replace(BILLED, effective_usd_month=62.0, committed_pct=75.0)
    assert found(billed=covered) == Finding(
        COMMITMENT, "with commitments, which pay for 75 % of its hours, it costs 38 % below contracted"
    )
    both = replace(covered, contracted_usd_month=90.0)
    assert found(billed=both).sentence.endswith("it costs 31.1 % below contracted, and that 10 % below list")
    dearer = replace(covered, effective_usd_month=110.0)
    assert found(billed=dearer).sentence.endswith("it costs 10 % above contracted")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"on_demand_effective_usd": 0.0, "effective_usd_month": 0.0},
            "invoiced at $92.00, and their effective cost is said to be $0.00",
        ),
        ({"committed_pct": 100.0, "effective_usd_month": 0.0}, "their cost is not spread over it"),
        (
            {"committed_pct": 100.0, "contracted_usd_month": 0.0, "effective_usd_month": 60.0},
            "a list price and no contracted one",
        ),
    ],
)
def test_a_bill_that_contradicts_itself_is_no_saving(changes: dict[str, float], told: str) -> None:
    finding = found(billed=replace(BILLED, **changes))
    assert finding.kind == UNCLEAR
    assert told in finding.sentence


def test_what_is_free_of_charge_is_a_discount() -> None:
    free = replace(
        BILLED, contracted_usd_month=0.0, effective_usd_month=0.0, on_demand_billed_usd=0.0, on_demand_effective_usd=0.0
    )
    assert found(billed=free).sentence == "contracted is 100 % below list, and our price equal to list"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"covered_hours": None}, "the bill does not say how many hours it ran"),
        ({"covered_hours": 0.0}, "the bill has no hours of its running"),
        ({"covered_hours": -3.0}, "the bill has no hours of its running"),
        ({"covered_hours": 23.9}, "fewer than 24 hours of it are billed"),
        ({"sizes": 2}, "it was billed at more than one size"),
        ({"size": "m5.xlarge"}, "it was billed at another size than it has"),
        ({"contracted_usd_month": None}, "the bill leaves out one of its prices"),
    ],
)
def test_what_is_not_comparable_says_why(changes: dict[str, object], told: str) -> None:
    assert found(billed=replace(BILLED, **changes)) == Finding(NOT_COMPARED, told)


def test_no_row_yet_is_not_free_of_charge() -> None:
    assert found(billed=None).kind == NOT_BILLED
    assert found(billed=None, reach=None) == Finding(NOT_COMPARED, "no bill speaks of its account in this time")
    unread = reconcile(OURS, None, REACH, 2, is_whole=False)
    assert unread == Finding(NOT_COMPARED, "it may be billed in a file that could not be read")
    young = replace(OURS, created_at=datetime(2025, 3, 8))
    assert found(young, None) == Finding(NOT_COMPARED, "it is younger than the bill")
    assert found(replace(OURS, created_at=None), None).kind == NOT_BILLED
    assert found(ours=None).kind == BILLED_ONLY
    assert found(replace(OURS, is_spot=True)).sentence == "it runs at spot prices, which move"
    assert found(replace(OURS, list_usd_month=None)).sentence == "our price of it is not known"


def test_a_month_is_730_hours_of_every_machine() -> None:
    assert month(4.8, 24) == pytest.approx(146)
    assert month(4.8, 24, 3) == pytest.approx(438)
    assert month(None, 24) is month(4.8, None) is month(4.8, 0) is month(4.8, -1) is None
    assert set(CLASSES) > COMPARED > RECONCILED


def test_an_id_is_taken_apart() -> None:
    assert named("i-0a1") == Named("ec2_instance", "i-0a1")
    assert named("arn:aws-cn:ec2:cn-north-1:111111111111:instance/i-0a1") == Named(
        "ec2_instance", "i-0a1", "111111111111", "cn-north-1"
    )
    assert named("arn:aws:rds:us-east-1:1:db:orders") == Named("rds_instance", "orders", "1", "us-east-1")
    assert named("arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/a/b").name == "a/b"
    for other in ("arn:aws:s3:::bucket", "bucket", "arn:aws:rds:us-east-1:1:cluster:c", "", "i-", "i-0a1\n!"):
        assert named(other).kind is None


def test_a_name_that_two_have_is_neithers_without_account_and_region() -> None:
    here, there = (Listed(f"{a}/db", "rds_instance", "db", a, "us-east-1") for a in ("1", "2"))
    directory = Directory([here, there])
    assert directory.find("arn:aws:rds:us-east-1:2:db:db", None, None) is there
    assert directory.find("arn:aws:rds:us-east-1:3:db:db", None, None) is None
    assert directory.find("db", None, "us-east-1") is None
    assert directory.find("db", "1", "us-east-1") is here
    assert directory.find("i-0a1", "1", "us-east-1", "db") is None, "a group's tag names groups only"
    machine = Listed("i-0a1", "ec2_instance", "i-0a1", "1", "us-east-1")
    assert Directory([machine]).find("i-0a1", "2", "eu-west-1") is machine, "no two instances share an id"

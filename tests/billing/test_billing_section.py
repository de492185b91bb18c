"""The bill beside the prices of a night: the section, its words on the page and in the text, and the line of ``explain``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from dagster_project.pipeline.billing import read_bills
from dagster_project.pipeline.billing_report import billed_on, billing_in_report
from dagster_project.pipeline.explain import explain
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.billing_views import Billing, BillingClass, BillingGap, BillingLine
from dagster_project.reporting.templates import html_templates, markdown_templates
from tests.billing.bills import ACCOUNT, DAY, charge, costs, hours, runtime, write
from tests.golden.sample_report import HOSTILE_NAMES
from tests.night_builders import machine, night

PLAN = {"CommitmentDiscountId": "sp-1", "CommitmentDiscountStatus": "Used"}
OLD = {"account_id": ACCOUNT, "created_at": None}


@pytest.fixture
def billed(tmp_path: Path) -> Runtime:
    """Five m5.xlarge at $0.192 an hour, $140.16 a month, of which two are in the bill, and what else there is."""
    rows = [
        *hours("i-0a1", 48),
        *hours("i-0a2", 48, **costs(0.192, 0.192, 0, 0.12), **PLAN),
        *hours("i-0a3", 48, **costs(0.192, 0.1536, 0.1536, 0.1536)),
        *hours("i-0a4", 3),
        *hours("i-0f9", 48, usd=1.0),
        charge("i-0a1", **costs(2, 2, 2, 2), PricingUnit="GB", ChargeDescription="data transfer"),
        charge(None, **costs(0, 0, 0, 2.5), **{**PLAN, "CommitmentDiscountStatus": "Unused"}),
        charge("bucket", **costs(7, 7, 7, 7), PricingUnit="GB"),
        charge("i-0a1", BillingCurrency="EUR"),
    ]
    given = runtime(tmp_path, write(tmp_path / "bill.csv.gz", rows))
    machines = [machine(f"i-0a{number}", **OLD) for number in range(1, 6)]
    night(given, *machines, machine("i-0b1", account_id="222222222222"))
    read_bills(given, DAY)
    return given


def test_a_night_says_how_the_bill_stands_to_our_prices(billed: Runtime) -> None:
    section = billing_in_report(billed, DAY)
    assert section is not None
    assert section.sentence == (
        "3 resources could be compared: $420 a month at our prices, $340 by the bill, amortised. "
        "Of 6 resources 3 (50 %) are reconciled."
    )
    assert section.reach == (
        "The newest charge ends at 2025-03-09 00:00 UTC, 1 day before the end of the day; "
        "what is not billed yet is not free of charge."
    )
    assert [(each.kind, each.resources, each.example) for each in section.classes] == [
        ("agrees", 1, "i-0a1"),
        ("negotiated_discount", 1, "i-0a3"),
        ("commitment", 1, "i-0a2"),
        ("listed_not_billed", 1, "i-0a5"),
        ("billed_not_listed", 1, "i-0f9"),
    ]
    agrees, negotiated, commitment, not_billed, only = section.classes
    assert agrees.ours_usd_month == agrees.list_usd_month == agrees.effective_usd_month == pytest.approx(140.16)
    assert negotiated.effective_usd_month == pytest.approx(0.1536 * 730)
    assert commitment.effective_usd_month == pytest.approx(87.6)
    assert (not_billed.list_usd_month, not_billed.effective_usd_month) == (None, None)
    assert (only.ours_usd_month, only.effective_usd_month) == (None, pytest.approx(730))
    assert [(line.resource_id, round(line.difference_usd_month, 2)) for line in section.differences] == [
        ("i-0a2", -52.56),
        ("i-0a3", -28.03),
    ]
    assert [(gap.sentence, gap.resources, gap.example) for gap in section.gaps] == [
        ("fewer than 24 hours of it are billed", 1, "i-0a4"),
        ("no bill speaks of its account in this time", 1, "i-0b1"),
    ]
    assert section.notes == (
        "$2.50 was charged that no machine used of commitments (amortised), in 1 row.",
        "$7.00 was charged for resources of other kinds, or that are not listed and have no hours (amortised), in 1 row.",
        "Set aside of the bill: 1 row not in USD, and not converted.",
    )


def test_explain_says_what_is_billed(billed: Runtime) -> None:
    money_of = {name: dict(explain(billed, name, DAY).money) for name in ("i-0a1", "i-0a2", "i-0a4", "i-0a5")}
    agrees = "$140.16 a month amortised, of 48 hours: the bill and our price agree; $2.00 was charged beside its running"
    assert money_of["i-0a1"]["Billed"] == agrees
    covered = "with commitments, which pay for 100 % of its hours, it costs 37.5 % below contracted"
    assert money_of["i-0a2"]["Billed"] == f"$87.60 a month amortised, of 48 hours: {covered}"
    assert money_of["i-0a4"]["Billed"] == "fewer than 24 hours of it are billed"
    assert money_of["i-0a5"]["Billed"] == "it is listed, and the bill of its account has nothing of it"
    assert billed_on(billed, DAY, "i-0zz") is None


def test_without_a_bill_nothing_is_said(tmp_path: Path) -> None:
    given = runtime(tmp_path)
    night(given, machine("i-0a1", **OLD))
    read_bills(given, DAY)
    assert billing_in_report(given, DAY) is None
    assert "Billed" not in dict(explain(given, "i-0a1", DAY).money)


def test_a_bill_that_has_not_come_yet_bills_nobody_nothing(tmp_path: Path) -> None:
    given = runtime(tmp_path, write(tmp_path / "b.csv", [charge("i-0a1", "2025-03-09 10")]), tmp_path / "none.csv")
    earlier = DAY - timedelta(days=1)
    for day in (earlier, DAY):
        night(given, machine("i-0a1", **OLD), day=day)
        read_bills(given, day)
    early = billing_in_report(given, earlier)
    missing = f"No billing file is at {tmp_path / 'none.csv'}; put the export there, or correct billing.focus."
    assert early == Billing("The bill has no charge of the days 2025-02-09 to 2025-03-08 yet.", unread=(missing,))
    late = billing_in_report(given, DAY)
    assert late is not None
    assert late.sentence == "None of 1 resource could be compared with the bill."
    assert late.reach.startswith("The newest charge ends at 2025-03-09 11:00 UTC, on the day itself;")


def test_the_sample_contradicts_itself_and_is_taken_for_no_saving(tmp_path: Path) -> None:
    """Its effective cost of AWS is rounded to whole dollars: a machine at $0.192 would seem to cost nothing."""
    given = runtime(tmp_path, write(tmp_path / "b.csv", hours("i-0a1", 48, EffectiveCost="0.00000000000", ContractedCost="0")))
    night(given, machine("i-0a1", **OLD))
    read_bills(given, DAY)
    section = billing_in_report(given, DAY)
    assert section is not None
    assert [each.kind for each in section.classes] == ["bill_contradicts_itself"]
    assert section.sentence == "None of 1 resource could be compared with the bill."


def rendered(section: Billing) -> tuple[str, str]:
    """The section as a page and as text, with the filter that the report gives its templates."""
    pages = []
    for templates, name in ((html_templates(), "report_billing.html.j2"), (markdown_templates(), "report_billing.md.j2")):
        usd_of = templates.filters["money"]
        given = {
            "report": SimpleNamespace(billing=section),
            "dashed_money": lambda usd, say=usd_of: "–" if usd is None else say(usd),
        }
        pages.append(templates.get_template(name).render(given))
    return pages[0], pages[1]


def test_the_section_as_a_page_and_as_text(billed: Runtime) -> None:
    section = billing_in_report(billed, DAY)
    assert section is not None
    page, text = rendered(section)
    assert page.count("<table>") == page.count("</table>") == 2
    assert text.startswith("\n\n## What the bill says\n\n3 resources could be compared: \\$420 a month")
    assert "| **The bill and our price agree**. `i-0a1`: the bill and our price agree | 1 | $140 | $140 | $140 |" in text
    assert "| **Listed, and not billed**. `i-0a5`:" in text
    assert "\n- 1 resource: fewer than 24 hours of it are billed (`i-0a4`)\n" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}


def test_hostile_names_stay_text() -> None:
    for name in HOSTILE_NAMES:
        line = BillingLine(name, name, name, 1.0, 2.0, 1.0)
        classes = (BillingClass("agrees", name, 1, None, None, None, name, name),)
        page, text = rendered(Billing(name, name, classes, (line,), 1, (BillingGap(name, 1, name),), (name,), (name,)))
        assert "<script" not in page
        assert all(row.replace("\\|", "").count("|") == 6 for row in text.splitlines() if row.startswith("| "))

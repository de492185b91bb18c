"""What is said of cash: in the report and on the command line, and nothing where there is nothing to say."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import SettingsError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS
from dagster_project.pipeline.answering import listed, shown
from dagster_project.pipeline.cash_report import cash_note, cash_sentences, cash_told
from dagster_project.pipeline.explain import explain
from dagster_project.pipeline.proposals import propose
from dagster_project.pipeline.report import build_report
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.render import render_html, render_markdown
from dagster_project.settings import load_settings
from tests.commitments.nights import ONE, OTHER, at, compute_plan, in_account, reserved, was_read
from tests.night_builders import DAY, Row, night

SOON, LATE = datetime(2025, 9, 1), datetime(2026, 6, 30)  # noqa: DTZ001 - naive UTC


def told(runtime: Runtime, *rows: Row, machines: int = 1, others: int = 0) -> tuple[str, ...]:
    """What a night says in whose inventory there are so many machines, each of a service of its own."""
    mine = [in_account(resource_id=f"i-{number}", service=f"s-{number}") for number in range(machines)]
    theirs = [in_account(OTHER, f"o-{number}", service=f"o-{number}") for number in range(others)]
    night(runtime, *mine, *theirs, aws_commitments=rows)
    return build_report(runtime, DAY).cash


def test_where_there_are_neither_commitments_nor_discounts_nothing_is_said(tmp_path: Path) -> None:
    runtime = at(tmp_path)
    assert told(runtime) == ()
    silent = build_report(runtime, DAY)
    was_read(runtime)
    assert told(runtime) == ()
    spoken = build_report(runtime, DAY)
    assert (spoken.cash, spoken.price_basis, spoken.proposals[0].cash_note) == ((), "at list price", None)
    assert spoken.price_provenance[0] == "On-demand Linux list prices before any discount, for 730 hours a month."
    # The same bytes as without any account that is read.
    assert (render_html(spoken), render_markdown(spoken)) == (render_html(silent), render_markdown(silent))


@pytest.mark.parametrize(
    ("rows", "now", "stays"),
    [
        ([reserved("m5.large", 3)], "$70 a month of it is cash now", "$70 goes on being paid for {} until 2025-09-01"),
        ([reserved("m5.large", 2)], "$140 a month of it is cash now", None),
        (
            [reserved("m5.large", 1, ends_at=SOON), reserved("m5.large", 3, ends_at=LATE)],
            "$0 a month of it is cash now",
            "$140 goes on being paid for {} that end between 2025-09-01 and 2026-06-30",
        ),
        (
            [reserved("m5.large", 1, ends_at=SOON), reserved("m5.large", 3, ends_at=None)],
            "$0 a month of it is cash now",
            "$140 goes on being paid for {} until 2025-09-01, or whose end is not known",
        ),
        (
            [compute_plan(1.0, ends_at=None)],
            "$0 a month of it is cash now",
            "$140 goes on being paid for {} whose end is not known",
        ),
        (
            [reserved("m5.xlarge", 2, is_size_flexible=False)],
            "At first $140 a month more is paid",
            "$280 goes on being paid for {} until 2025-09-01",
        ),
    ],
)
def test_a_night_says_what_is_cash_and_what_stays_paid(tmp_path: Path, rows: list[Row], now: str, stays: str | None) -> None:
    """Two machines of eight units each that would save $70.08 each by four."""
    runtime = at(tmp_path)
    was_read(runtime)
    rest = "" if stays is None else f"; {stays.format('Reserved Instances or Savings Plans')}"
    assert told(runtime, *rows, machines=2) == (f"{now}{rest}.",)


def test_what_is_not_known_is_said_with_how_much_it_is(tmp_path: Path) -> None:
    runtime = at(tmp_path, are_commitments_shared=False)
    was_read(runtime, f"{OTHER}.us-east-1", accounts=(ONE, OTHER))
    assert told(runtime, reserved("m5.large"), others=2) == (
        "$70 a month of it is cash now.",
        "Of $140 a month (2 proposals) it is unknown, because commitments were not read.",
    )
    report = build_report(runtime, DAY)
    assert f"Commitments of {OTHER}/us-east-1 were not read: refused" in report.missing_evidence
    assert told(runtime, reserved("m5.metal")) == (
        "$0 a month of it is cash now.",
        "Of $70 a month (1 proposal) it is unknown, because it is not known what it or a commitment counts for.",
    )


def test_discounts_are_said_and_prices_are_named_by_what_they_are(tmp_path: Path) -> None:
    runtime = at(tmp_path, discounts={"m5": 20})
    assert told(runtime) == ("At list prices it would be $70 a month.",)
    report = build_report(runtime, DAY)
    assert report.price_basis == "at list price less the discounts of the settings"
    assert report.price_provenance[0] == "On-demand Linux list prices less the discounts of the settings, for 730 hours a month."
    assert report.proposals[0].price_note.endswith(", less 20 %")
    for page in (render_html(report), render_markdown(report)):
        assert "at list price less the discounts of the settings; times are UTC" in page


def test_the_pages_show_it_under_the_headline_and_on_the_card(tmp_path: Path) -> None:
    runtime = at(tmp_path)
    was_read(runtime)
    (sentence,) = told(runtime, reserved("m5.medium", 3))
    report = build_report(runtime, DAY)
    note = "Cash now: $35 a month; 50 % of the saving goes on being paid for commitments until 2025-09-01."
    assert report.proposals[0].cash_note == note
    page, text = render_html(report), render_markdown(report).replace("\\", "")
    assert page.count(f'<p class="lede">{sentence}</p>') == page.count(f'<p class="detail">{note}</p>') == 1
    assert text.count(f"\n\n{sentence}\n\n") == text.count(f"\n\n{note}\n") == 1
    # Of some resources only, as a pull request asks.
    with open_engine(runtime.lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [DAY])
        assert cash_sentences(engine, ["i-0"]) == (sentence,)
        assert cash_sentences(engine, ["i-9"]) == ()


@pytest.mark.parametrize(
    ("verdict", "words", "note"),
    [
        ({"cash_basis": "on demand"}, "$58 a month, because no commitment pays for it", None),
        ({"cash_basis": "commitments"}, "$58 a month, because it is on demand", None),
        (
            {"cash_basis": "commitments", "covered_pct": 40.0, "cash_from": SOON.date()},
            "$58 a month; 40 % of the saving goes on being paid for commitments until 2025-09-01",
            "Cash now: $58 a month; 40 % of the saving goes on being paid for commitments until 2025-09-01.",
        ),
        (
            {"cash_basis": "commitments", "covered_pct": 100.0, "cash_savings_usd_month": -20.0},
            "−$20 a month; 100 % of the saving goes on being paid for commitments whose end is not known",
            "Cash now: −$20 a month; 100 % of the saving goes on being paid for commitments whose end is not known.",
        ),
        (
            {"cash_basis": "not read", "cash_savings_usd_month": None, "covered_pct": None},
            "unknown, because commitments were not read",
            "How much of it is cash is unknown, because commitments were not read.",
        ),
    ],
)
def test_one_proposal_says_it_in_a_line(verdict: dict[str, Any], words: str, note: str | None) -> None:
    row = {"cash_savings_usd_month": 58.4, "covered_pct": 0.0, "cash_from": None, **verdict}
    assert (cash_told(row), cash_note(row)) == (words, note)


def test_nothing_is_said_of_a_proposal_that_nobody_asked_about() -> None:
    assert cash_note({"cash_basis": None, "covered_pct": None}) is None


def test_a_proposal_keeps_it_and_the_command_line_shows_it(tmp_path: Path, dsn: str) -> None:
    runtime = at(tmp_path, dsn=dsn, discounts={"*": 20})
    was_read(runtime)
    told(runtime, reserved("m5.medium", 3))
    assert propose(runtime, DAY)[0] == 1
    (row,) = listed(runtime, DAY)[1]
    assert json.loads(row.to_json()).items() >= {
        "savings_usd_month": 56.06, "list_savings_usd_month": 70.08, "cash_savings_usd_month": 28.03, "covered_pct": 50.0,
        "cash_from": "2025-09-01", "cash_basis": "commitments",
    }.items()  # fmt: skip
    money = dict(shown(runtime, "i-0", DAY))
    assert money["Cash now"] == "$28 a month; 50 % of the saving goes on being paid for commitments until 2025-09-01"


def test_the_story_of_a_verdict_tells_list_price_and_cash(tmp_path: Path) -> None:
    runtime = at(tmp_path, discounts={"*": 20})
    was_read(runtime)
    told(runtime, reserved("m5.medium", 3))
    money = dict(explain(runtime, "i-0", DAY).money)
    assert money["Savings proposed"] == "$56.06 a month"
    assert money["At list prices"] == "$70.08 a month; 20 % less is paid"
    assert money["Cash now"] == "$28 a month; 50 % of the saving goes on being paid for commitments until 2025-09-01"
    plain = at(tmp_path / "plain")
    told(plain)
    assert not {"At list prices", "Cash now"} & dict(explain(plain, "i-0", DAY).money).keys()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[prices]\ndiscounts = { m5 = 96 }", "prices.discounts.m5: input should be less than or equal to 95"),
        ("[prices]\ndiscounts = { m5 = -1 }", "prices.discounts.m5: input should be greater than or equal to 0"),
        ('[prices]\ndiscounts = { "m5.large" = 5 }', "prices.discounts.m5.large.[key]: string should match pattern"),
        ("[prices]\ndiscounts = { m5 = nan }", "prices.discounts.m5"),
        ("[prices]\nsavings_plan_discount_pct = 91", "prices.savings_plan_discount_pct"),
        ('[[prices.accounts]]\nid = "1"\ndiscounts = { m5 = 5 }', "prices.accounts.0.id"),
        (f'[[prices.accounts]]\nid = "{ONE}"\ndiscounts = {{ m5 = 5 }}\n' * 2, "each account may be listed once"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "nightshift.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load_settings({"NIGHTSHIFT_CONFIG": str(file)})
    assert part in str(refused.value)


def test_settings_say_what_is_paid_below_list(tmp_path: Path) -> None:
    file = tmp_path / "nightshift.toml"
    general = 'discounts = { "*" = 10, m5 = 20, "db.r6g" = 15 }'
    text = f'[prices]\n{general}\n[[prices.accounts]]\nid = "{OTHER}"\ndiscounts = {{ "*" = 0 }}'
    file.write_text(text, encoding="utf-8")
    prices = load_settings({"NIGHTSHIFT_CONFIG": str(file)}).prices
    assert prices.discounts == {"*": 10, "m5": 20, "db.r6g": 15}
    assert (prices.has_discounts, prices.accounts[0].discounts) == (True, {"*": 0})
    assert not load_settings({}).prices.has_discounts

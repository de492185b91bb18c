"""What a night's report, its file and ``explain`` say of a second opinion that was heard over HTTP."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from dagster_project.pipeline.explain import explain
from dagster_project.pipeline.report import build_report
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.second_opinion import ask_advisers
from dagster_project.reporting.second_opinion_views import SecondOpinion
from dagster_project.settings_prices import PriceSettings
from tests.aws.faults import Fault
from tests.aws.fixtures import aws
from tests.aws.server import AwsServer
from tests.aws.sessions import ACCOUNT
from tests.night_builders import DAY, machine
from tests.night_builders import night as judged
from tests.report_builders import reported_again
from tests.second_opinion.asked import VIRGINIA, hub, instance, night, optimizer, own

__all__ = ["aws"]
BUSY = {"cpu_avg_pct": {"p95": 70, "p995": 92, "maximum": 96}, "cpu_max_pct": {"p95": 75, "p995": 94, "maximum": 99}}
RISK = {"open_incident_id": "INC-7", "open_incident_title": "Checkout slow"}


def arn(name: str) -> str:
    return instance(name, VIRGINIA)


def say_all(aws: AwsServer) -> None:
    """An opinion of each kind."""
    said, items = optimizer(aws, VIRGINIA), hub(aws)
    lacks = {"findingReasonCodes": ["MemoryUnderprovisioned"]}
    said.instance(arn("i-0a1"), "Underprovisioned", "m5.xlarge", "r5.xlarge", **lacks)
    said.instance(arn("i-0a2"), "Optimized", "m5.xlarge")
    said.instance(arn("i-0a3"), "Overprovisioned", "m5.xlarge", "m5.large", usd=70.08)
    items.item(arn("i-0a4"), "Stop", "m5.xlarge", "", 140.16)
    said.instance(arn("i-0a5"), "Overprovisioned", "m5.xlarge", "t3.medium", usd=110.0)
    items.item(arn("i-0a5"), "Rightsize", "m5.xlarge", "m5.large", 70.08)
    said.instance(arn("i-0a6"), "Overprovisioned", "m5.xlarge", "m5.large", usd=70.08)
    said.instance(arn("i-0a7"), "Underprovisioned", "m5.2xlarge", "m5.4xlarge")
    said.instance(arn("i-0a8"), "Underprovisioned", "m5.xlarge", "m5.2xlarge")
    said.instance(arn("i-0f9"), "Optimized", "m5.large")


def fleet(runtime: Runtime) -> None:
    names = ["i-0a1", "i-0a2", "i-0a5", "i-0a6", "i-0a7"]
    machines = [machine(name, account_id=ACCOUNT) for name in names]
    busy = [machine(name, BUSY, account_id=ACCOUNT, service="search") for name in ("i-0a3", "i-0a8")]
    troubled = machine("i-0a4", account_id=ACCOUNT, service="billing")
    quiet = machine("i-0aa", account_id=ACCOUNT)
    judged(runtime, *machines, *busy, troubled, quiet, resource_risks=[{"resource_id": "i-0a4", **RISK}])


@pytest.fixture
def runtime(tmp_path: Path, aws: AwsServer) -> Runtime:
    runtime = night(tmp_path, aws, own(VIRGINIA))
    many = runtime.settings.rightsizing.model_copy(update={"min_service_changes": 20})
    runtime = Runtime(runtime.settings.model_copy(update={"rightsizing": many}), now=runtime.now, at=runtime.at)
    fleet(runtime)
    return runtime


def section(runtime: Runtime) -> SecondOpinion:
    found = build_report(runtime, DAY).second_opinion
    assert found is not None
    return found


def test_every_kind_has_its_number_its_money_and_its_sentences(runtime: Runtime, aws: AwsServer) -> None:
    say_all(aws)
    ask_advisers(runtime, DAY)
    found = section(runtime)
    assert found.sentence == (
        "AWS's own advisers spoke of 7 of 9 resources, and contradict 5 verdicts. No verdict was changed by that."
    )
    numbers = [(each.kind, each.resources, round(each.ours_usd_month, 2), each.theirs_usd_month) for each in found.groups]
    assert numbers == [
        ("they_say_too_small", 1, 70.08, None),
        ("they_keep", 1, 70.08, None),
        ("we_keep", 2, 0.0, pytest.approx(210.24)),
        ("other_size", 1, 70.08, 110.0),
        ("same", 2, 70.08, 70.08),
    ]
    lines = {line.resource_id: line for group in found.groups for line in group.lines}
    # Who agrees is counted only.
    assert [*lines] == ["i-0a1", "i-0a2", "i-0a4", "i-0a3", "i-0a5"]
    assert lines["i-0a1"].sentence.startswith(
        "Compute Optimizer finds it under-provisioned (MemoryUnderprovisioned) and would move it to r5.xlarge (14 days up "
        "to 2025-03-09); we propose m5.large for $70 a month less. m5.large holds it: CPU P99.5 would be 70 % of it (limit "
    )
    assert lines["i-0a4"].sentence == (
        "The Cost Optimization Hub would stop it, for $140 a month less (14 days up to 2025-03-09); we refuse: Its service "
        "has an open incident: INC-7 (Checkout slow)."
    )
    assert "for $70 a month less at a performance risk of 1.0 of 4 (14 days" in lines["i-0a3"].sentence
    assert "; we keep it: CPU " in lines["i-0a3"].sentence
    assert lines["i-0a5"].do_advisers_differ
    assert "; the Cost Optimization Hub, however, would move it to m5.large" in lines["i-0a5"].sentence
    assert lines["i-0a5"].sentence.endswith("They go further.")
    assert (lines["i-0a3"].ours_usd_month, lines["i-0a3"].theirs_usd_month) == (None, 70.08)
    assert found.notes == (
        "AWS's advisers differ among themselves on 1 resource, such as i-0a5.",
        "Of the resources that neither would shrink, they would make 1 larger, such as i-0a8: Compute Optimizer finds it "
        "under-provisioned and would move it to m5.2xlarge (14 days up to 2025-03-09).",
        "1 opinion is of a size that the resource does not have (it was changed since), such as that on i-0a7.",
        f"1 opinion is on resources that the inventory does not list, such as {arn('i-0f9')}.",
    )
    assert found.unread == ()
    assert found.file == "second_opinions.csv"


def test_the_page_the_text_and_the_file_are_written_and_are_the_same_bytes_again(runtime: Runtime, aws: AwsServer) -> None:
    say_all(aws)
    ask_advisers(runtime, DAY)
    written = reported_again(runtime, DAY)
    table = written.html.with_name("second_opinions.csv")
    before = [path.read_bytes() for path in (written.html, written.markdown, table)]
    reported_again(runtime, DAY)
    assert [path.read_bytes() for path in (written.html, written.markdown, table)] == before
    page, text = written.html.read_text(), written.markdown.read_text()
    assert page.index('id="proposals"') < page.index('id="second-opinion"') < page.index('id="not-dared"')
    assert '<a href="second_opinions.csv">' in page
    titles = ["We would shrink it, they say it is too small already", "Both say the same"]
    for place in (page, text):
        first, last = (place.index(title) for title in titles)
        assert first < last
    assert "\n## Second opinion\n" in text
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    names = ("resource_id", "source", "kind", "is_known", "verdict", "our_target", "savings_usd_month")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("i-0a1", "compute_optimizer", "they_say_too_small", "true", "propose", "m5.large", ""),
        ("i-0a2", "compute_optimizer", "they_keep", "true", "propose", "m5.large", ""),
        ("i-0a4", "cost_optimization_hub", "we_keep", "true", "refuse", "", "140.16"),
        ("i-0a3", "compute_optimizer", "we_keep", "true", "keep", "", "70.08"),
        ("i-0a5", "compute_optimizer", "other_size", "true", "propose", "m5.large", "110.0"),
        ("i-0a5", "cost_optimization_hub", "same", "true", "propose", "m5.large", "70.08"),
        ("i-0a6", "compute_optimizer", "same", "true", "propose", "m5.large", "70.08"),
        ("i-0a8", "compute_optimizer", "same", "true", "keep", "", ""),
        ("i-0a7", "compute_optimizer", "outdated", "true", "propose", "m5.large", ""),
        (arn("i-0f9"), "compute_optimizer", "", "false", "", "", ""),
    ]


def test_explain_tells_what_they_say_of_the_resource(runtime: Runtime, aws: AwsServer) -> None:
    say_all(aws)
    ask_advisers(runtime, DAY)
    assert explain(runtime, "i-0a5", DAY).second_opinion == (
        "Both would change it, to different sizes",
        "Compute Optimizer would move it to t3.medium, for $110 a month less at a performance risk of 1.0 of 4 (14 days up to "
        "2025-03-09).",
        "The Cost Optimization Hub would move it to m5.large, for $70 a month less (14 days up to 2025-03-09).",
        "AWS's own advisers differ.",
    )
    assert explain(runtime, "i-0a7", DAY).second_opinion[0] == "Not compared: of another size than it has"
    assert explain(runtime, "i-0aa", DAY).second_opinion == ()


def test_a_long_list_is_cut_and_the_rest_is_counted(tmp_path: Path, aws: AwsServer) -> None:
    runtime = night(tmp_path, aws, own(VIRGINIA))
    judged(runtime, *(machine(f"i-0{number:02}", BUSY, account_id=ACCOUNT) for number in range(13)))
    for number in range(13):
        optimizer(aws, VIRGINIA).instance(arn(f"i-0{number:02}"), "Overprovisioned", "m5.xlarge", "m5.large", usd=50.0 + number)
    ask_advisers(runtime, DAY)
    group = next(each for each in section(runtime).groups if each.kind == "we_keep")
    assert [line.resource_id for line in group.lines] == [f"i-0{number:02}" for number in range(12, 2, -1)]
    assert (group.resources, group.more, group.theirs_usd_month) == (13, 3, sum(50.0 + number for number in range(13)))
    written = reported_again(runtime, DAY)
    assert "3 further resources; second_opinions.csv lists all." in written.html.read_text()


def test_who_was_not_heard_is_said(runtime: Runtime, aws: AwsServer) -> None:
    optimizer(aws, VIRGINIA).is_enrolled = False
    aws.faults.add(Fault("GetPreferences", "denied"))
    ask_advisers(runtime, DAY)
    found = section(runtime)
    assert found.sentence == "AWS's own advisers were not heard."
    assert (found.groups, found.notes, found.file) == ((), (), None)
    assert [each.split(";")[0] for each in found.unread] == [
        f"Compute Optimizer was not asked: the account {ACCOUNT} has not opted in to it",
        f"AWS does not allow GetPreferences of the account {ACCOUNT} (AccessDeniedException)",
    ]
    written = reported_again(runtime, DAY)
    assert "What was not read" in written.html.read_text()
    assert not written.html.with_name("second_opinions.csv").exists()


def test_who_says_nothing_was_heard(runtime: Runtime, aws: AwsServer) -> None:
    ask_advisers(runtime, DAY)
    assert section(runtime) == SecondOpinion("AWS's own advisers were asked, and have said nothing of any resource so far.")


def test_who_agrees_contradicts_no_verdict(runtime: Runtime, aws: AwsServer) -> None:
    optimizer(aws, VIRGINIA).instance(arn("i-0a6"), "Overprovisioned", "m5.xlarge", "m5.large", usd=70.08)
    ask_advisers(runtime, DAY)
    assert section(runtime).sentence == "AWS's own advisers spoke of 1 of 9 resources, and contradict no verdict."


def test_money_is_at_list_price_on_both_sides_whatever_discounts_there_are(tmp_path: Path, aws: AwsServer) -> None:
    runtime = night(tmp_path, aws, own(VIRGINIA))
    cheaper = runtime.settings.model_copy(update={"prices": PriceSettings(discounts={"*": 50})})
    runtime = Runtime(cheaper, now=runtime.now, at=runtime.at)
    found = judged(runtime, machine("i-0a6", account_id=ACCOUNT))["i-0a6"]
    optimizer(aws, VIRGINIA).instance(arn("i-0a6"), "Overprovisioned", "m5.xlarge", "m5.large", usd=70.08)
    ask_advisers(runtime, DAY)
    same = section(runtime).groups[-1]
    assert (same.ours_usd_month, same.theirs_usd_month) == (pytest.approx(70.08), 70.08)
    assert found["savings_usd_month"] == pytest.approx(35.04)
    assert section(runtime).notes == (
        "Savings are at list price here, before the discounts of the settings: theirs know none of these.",
    )


def test_a_night_that_asks_nobody_has_no_section_and_no_file(runtime: Runtime, aws: AwsServer) -> None:
    say_all(aws)
    ask_advisers(runtime, DAY)
    written = reported_again(runtime, DAY)
    off = runtime.settings.model_copy(update={"aws": runtime.settings.aws.model_copy(update={"second_opinion": False})})
    silent = Runtime(off, now=runtime.now, at=runtime.at)
    ask_advisers(silent, DAY)
    assert build_report(silent, DAY).second_opinion is None
    written = reported_again(silent, DAY)
    assert "econd opinion" not in written.html.read_text() + written.markdown.read_text()
    assert not written.html.with_name("second_opinions.csv").exists()


def test_names_are_data_in_every_place(tmp_path: Path, aws: AwsServer) -> None:
    runtime = night(tmp_path, aws, own(VIRGINIA))
    name = "=cmd|' /C calc'!A0<b>*x*</b>"
    judged(runtime, machine(name, BUSY, account_id=ACCOUNT, native_id="i-0a1", service="@team|x"))
    optimizer(aws, VIRGINIA).instance(arn("i-0a1"), "Overprovisioned", "m5.xlarge", "m5.large", usd=50.0)
    ask_advisers(runtime, DAY)
    written = reported_again(runtime, DAY)
    assert "<b>*x*</b>" not in written.html.read_text()
    assert "&lt;b&gt;*x*&lt;/b&gt;" in written.html.read_text()
    assert "<b>" not in written.markdown.read_text()
    (row,) = csv.DictReader(io.StringIO(written.html.with_name("second_opinions.csv").read_text()))
    assert (row["resource_id"], row["service"]) == (f"'{name}", "'@team|x")

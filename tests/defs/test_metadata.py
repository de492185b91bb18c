"""What a materialization carries to the UI: each day its own numbers, tables with their types, and nothing that is not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import dagster as dg
import pytest

from dagster_project.defs.metadata import day_by_day, load_result, report_links, shown
from dagster_project.pipeline.ledger import Load
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.ui_facts import Facts, ShownTable
from dagster_project.settings import Settings

DAYS = [date(2025, 3, 8), date(2025, 3, 9)]
Told = dict[str, dict]


def told_by(work: Callable[..., dg.MaterializeResult]) -> Told:
    """What is told of each day by an asset that was made for ``DAYS`` in one run."""

    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition("2025-03-01"), backfill_policy=dg.BackfillPolicy.single_run(), name="table"
    )
    def made(context) -> dg.MaterializeResult:
        return work(context)

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize(
            [made],
            instance=instance,
            tags={"dagster/asset_partition_range_start": str(DAYS[0]), "dagster/asset_partition_range_end": str(DAYS[-1])},
        )
    events = [event.materialization for event in run.get_asset_materialization_events()]
    return {event.partition: {name: entry.value for name, entry in event.metadata.items()} for event in events}


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_a_range_that_is_one_run_tells_of_each_day_by_itself() -> None:
    told = told_by(
        lambda context: day_by_day(
            context, {DAYS[0]: 3, DAYS[1]: 5}, lambda day: {"last": day.day}, problems="", pulls=None, calls=7
        )
    )
    assert told == {
        "2025-03-08": {"dagster/row_count": 3, "last": 8, "calls": 7},
        "2025-03-09": {"dagster/row_count": 5, "last": 9, "calls": 7},
    }


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_loads_are_told_by_day_and_by_place_also_of_days_that_were_caught_up() -> None:
    loads = [
        (date(2025, 3, 2), Load("samples", "complete", rows_read=4, rows_written=4)),
        (DAYS[0], Load("samples", "complete", rows_read=10, rows_written=9, rows_rejected=1)),
        (DAYS[1], Load("samples.1.eu", "complete", rows_read=2, rows_written=2)),
        (DAYS[1], Load("samples.1.us", "failed", error="us did not answer")),
    ]
    told = told_by(lambda context: load_result(context, loads, DAYS, lambda day: {"seen": day.day}))
    assert set(told) == {"2025-03-02", "2025-03-08", "2025-03-09"}
    assert told["2025-03-02"] == {"dagster/row_count": 4, "rows_read": 4, "rows_rejected": 0, "status": "complete"}
    assert told["2025-03-08"] == {"seen": 8, "dagster/row_count": 9, "rows_read": 10, "rows_rejected": 1, "status": "complete"}
    newest = told["2025-03-09"]
    assert (newest["dagster/row_count"], newest["status"], newest["problems"]) == (2, "complete, failed", "us did not answer")
    assert [row.data["source"] for row in newest["loads"].records] == ["samples.1.eu", "samples.1.us"]
    assert {column.name: column.type for column in newest["loads"].schema.columns}["rows_read"] == "int"


def test_what_is_not_there_is_not_shown_and_what_is_unknown_stays_unknown() -> None:
    table = ShownTable({"name": "string", "minutes": "float"}, [{"name": "Time to Detect", "minutes": None}])
    facts = Facts({"live": 0}, {"medians": table, "outcomes": ShownTable({"a": "int"}, [])}, {"chart": None, "bars": "![x](y)"})
    told = shown(facts)
    assert list(told) == ["bars", "medians", "live"], "charts first, and no empty table"
    assert told["medians"].records[0].data == {"name": "Time to Detect", "minutes": None}


def test_the_way_to_the_report_is_a_path_and_an_address_only_where_one_is_known() -> None:
    day = DAYS[0]
    without = report_links(Runtime(Settings(reports="reports")), day)
    assert {name: value.value for name, value in without.items()} == {"report": "reports/2025-03-08/index.html"}
    published = Settings(reports="reports", report={"url": "https://reports.example.com/n"})
    address = report_links(Runtime(published), day)["report_url"]
    assert address.value == "https://reports.example.com/n/2025-03-08/index.html"

"""The graph is an interface: what Dagster shows of Nightshift is pinned."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.defs.build import build_defs
from dagster_project.defs.descriptions import texts
from dagster_project.settings import Settings

SNAPSHOT = Path(__file__).with_name("definitions.json")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs(Settings())


def described(definitions: dg.Definitions) -> dict:
    graph = definitions.resolve_asset_graph()
    repository = definitions.get_repository_def()
    assets = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "group": node.group_name,
            "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
            "kinds": sorted(node.kinds),
            "owners": sorted(node.owners),
            "checks": sorted(check.name for check in node.check_keys),
            "columns": [column.name for column in node.metadata["dagster/column_schema"].columns]
            if "dagster/column_schema" in node.metadata
            else [],
        }
    return {
        "assets": assets,
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "schedules": {
            schedule.name: [schedule.cron_schedule, schedule.execution_timezone] for schedule in repository.schedule_defs
        },
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
        "resources": sorted(definitions.resources or {}),
    }


def test_the_definitions_are_those_of_the_snapshot(definitions: dg.Definitions) -> None:
    """NIGHTSHIFT_UPDATE_GOLDEN=1 rewrites the snapshot; the difference is for the reviewer."""
    actual = json.dumps(described(definitions), indent=2) + "\n"
    if os.environ.get("NIGHTSHIFT_UPDATE_GOLDEN"):
        SNAPSHOT.write_text(actual, encoding="utf-8")
    assert actual == SNAPSHOT.read_text(encoding="utf-8")


def test_every_asset_says_what_it_is_in_a_few_sentences_and_names_only_what_there_is(definitions: dg.Definitions) -> None:
    """A text stands in templates/assets.md, in the words of somebody who has not seen the tables."""
    graph = definitions.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).is_materializable}
    assert set(texts()) == names
    for name, text in texts().items():
        sentences = re.findall(r"[^.:]+[.]( |$)", text)
        assert 2 <= len(sentences) <= 6, f"{name} has {len(sentences)} sentences"
        assert (graph.get(dg.AssetKey(name)).description or "").startswith(text)
        others = set(re.findall(r"`([a-z]+(?:_[a-z]+)+|[a-z]{6,})`", text)) - {"remind_owners"}
        unknown = {other for other in others if other not in names and other not in WORDS_OF_COLUMNS}
        assert not unknown, f"{name} speaks of {unknown}"


WORDS_OF_COLUMNS = {"problems", "problem", "insufficient", "failed", "detail", "throttles", "regret", "caused"}


def test_ranges_of_days_are_one_run(definitions: dg.Definitions) -> None:
    for asset in definitions.resolve_asset_graph().assets_defs:
        if not isinstance(asset, dg.AssetChecksDefinition):
            assert asset.backfill_policy == dg.BackfillPolicy.single_run()


def test_the_schedule_asks_for_one_run_of_the_day_that_ended(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("nightly_schedule")
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2025, 3, 10, 2, 0, tzinfo=UTC), repository_def=definitions.get_repository_def()
    )
    ticks = schedule.evaluate_tick(context)
    assert [request.partition_key for request in ticks.run_requests] == ["2025-03-09"]


def test_nothing_but_the_job_can_act_twice(definitions: dg.Definitions) -> None:
    """No asset is started by a condition or tried again by itself."""
    for asset in definitions.resolve_asset_graph().assets_defs:
        assert all(spec.automation_condition is None for spec in asset.specs)
        assert asset.op.retry_policy is None

"""What the doctor says of a database that has the decision audit alone, beside accounts that are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dagster_project.errors import EmptySource
from dagster_project.pipeline.doctor import examine
from dagster_project.pipeline.ingest_samples import ingest_samples
from dagster_project.pipeline.runtime import Runtime
from tests.aws import AwsServer, fixtures
from tests.live_builders import DAY, audit_only, inventory, live

aws = fixtures.aws


def test_tables_that_aws_stands_in_for_are_not_missing(aws: AwsServer, runtime: Runtime, execute: Callable[..., None]) -> None:
    audit_only(execute)
    found = {finding.subject: (finding.status, finding.detail) for finding in examine(live(runtime, aws))}
    assert found["table resources"] == found["table utilization"] == ("ok", "none; AWS is asked instead")
    assert found["samples"] == ("ok", "none in the database; they come out of CloudWatch")
    assert found["table incidents"][0] == "missing"
    assert [subject for subject, (status, _) in found.items() if status == "failed"] == []


def test_without_accounts_that_are_read_they_are_required(runtime: Runtime, execute: Callable[..., None]) -> None:
    audit_only(execute)
    (failed,) = [finding for finding in examine(runtime) if finding.status == "failed"]
    assert failed.detail.startswith("The database has no table public.resources")


def test_a_night_to_which_cloudwatch_told_nothing_says_where_to_look(
    aws: AwsServer, runtime: Runtime, execute: Callable[..., None]
) -> None:
    audit_only(execute)
    aws.world.instance()
    there = live(runtime, aws)
    inventory(there)
    with pytest.raises(EmptySource) as told:
        ingest_samples(there, [DAY])
    assert str(told.value) == (
        "The database has no table utilization, and CloudWatch has told of no samples yet; 'nightshift doctor' says what each "
        "account lets be read."
    )

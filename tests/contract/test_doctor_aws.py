"""What ``nightshift doctor`` says of AWS: over HTTP, against an AWS that takes rights away."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.commands.doctor import lines
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline import iam_policy
from dagster_project.pipeline.doctor import MISSING, OK, Finding
from dagster_project.pipeline.doctor_aws import accounts, impatient
from dagster_project.pipeline.iam_policy import Wanted, read_policy
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.aws.faults import Fault
from tests.aws.fixtures import Waits, aws, waits
from tests.aws.server import AwsServer
from tests.conftest import NOW

__all__ = ["aws", "waits"]
ONE, OTHER = "111111111111", "222222222222"
RIGHTS = frozenset(action for statement in read_policy(Wanted())["Statement"] for action in statement["Action"])
ROLE = "signed in as the role nightshift"
PROBES = [each for each in iam_policy.reading() if each.probe is not None]
REMEDY = "Give it what 'nightshift iam-policy' prints."


@pytest.fixture
def look(aws: AwsServer, waits: Waits, tmp_path: Path):
    """Finds out about some accounts."""

    def found(*listed: dict[str, Any], **further: Any) -> dict[str, tuple[bool, str]]:
        of = {"endpoint_url": aws.url, "accounts": list(listed), **further}
        settings = Settings.model_validate({"home": tmp_path / "home", "aws": of})
        findings = accounts(impatient(Runtime(settings, now=NOW, at=waits)))
        assert len({subject for subject, _, _ in findings}) == len(findings)
        return {subject: (is_fine, told) for subject, is_fine, told in findings}

    return found


def in_the_inventory(home: Path, account: str, region: str) -> None:
    """A resource of the night before."""
    row = {"resource_id": "i-1", "account_id": account, "region": region}
    day = (NOW - timedelta(days=1)).date()
    frame = pl.DataFrame([row], schema=schema(RESOURCE_INVENTORY))
    write_frame(Lake(Settings(home=home).warehouse), RESOURCE_INVENTORY, day, frame)


def listed(account: Any, *regions: str, **fields: Any) -> dict[str, Any]:
    of = {"external_id": account.external_id} if account.external_id else {}
    return {"id": account.id, "role_arn": account.role_arn, "regions": regions or ("eu-west-1",), **of, **fields}


def test_with_the_policy_everything_may_be_read(aws: AwsServer, look) -> None:
    one = aws.account(ONE, external_id="b7c1")
    one.allow(RIGHTS)
    assert look(listed(one, "eu-west-1", "us-east-1")) == {
        f"aws {ONE}": (True, f"{ROLE}; the account may be read"),
        f"aws {ONE}/eu-west-1": (True, f"{ROLE}; everything may be read"),
        f"aws {ONE}/us-east-1": (True, f"{ROLE}; everything may be read"),
    }


def test_a_probe_is_sent_once_a_region_and_what_is_asked_for_the_account_once(aws: AwsServer, look) -> None:
    look(listed(aws.account(ONE), "eu-west-1", "us-east-1"), listed(aws.account(OTHER), "eu-west-1"))
    sent = Counter((each.service, each.operation, each.region) for each in aws.log if each.service != "sts")
    # One more tells which regions an account has enabled, in one that is read of it.
    expected = Counter({("ec2", "DescribeRegions", "eu-west-1"): 2})
    for each in PROBES:
        regions = ("us-east-1",) * 2 if each.is_account_wide else ("eu-west-1", "us-east-1", "eu-west-1")
        expected.update((each.service, each.name, region) for region in regions)
    assert sent == expected
    assert aws.writes == []
    assert len(aws.asked("AssumeRole")) == 2


def test_no_probe_asks_for_a_metric_which_would_cost(aws: AwsServer, look) -> None:
    look(listed(aws.account(ONE)))
    (asked,) = aws.asked("GetMetricData")
    assert [query for query in asked["MetricDataQueries"] if "MetricStat" in query or "SELECT" in query["Expression"]] == []


@pytest.mark.parametrize("operation", PROBES, ids=lambda each: each.action)
def test_a_right_that_is_missing_is_named_with_what_the_night_lacks(aws: AwsServer, look, operation) -> None:
    one = aws.account(ONE)
    one.allow(RIGHTS - {operation.action})
    found = look(listed(one))
    subject = f"aws {ONE}" if operation.is_account_wide else f"aws {ONE}/eu-west-1"
    is_fine, told = found.pop(subject)
    assert not is_fine
    assert told.startswith(f"{ROLE}; not allowed: ") and told.endswith(REMEDY)
    assert operation.action in told and f"({operation.purpose.without})" in told
    # Some operations ask for rights of others too.
    others = {each.action for each in PROBES if operation.action in each.permissions}
    assert {action for action in RIGHTS if f"{action}," in told or f"{action} " in told} == others


def test_what_is_missing_for_one_thing_is_told_together(aws: AwsServer, look) -> None:
    one = aws.account(ONE)
    one.allow(RIGHTS - {"cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "cloudtrail:LookupEvents"})
    assert look(listed(one))[f"aws {ONE}/eu-west-1"] == (
        False,
        f"{ROLE}; not allowed: cloudwatch:DescribeAlarmHistory, cloudwatch:DescribeAlarms (alarms are missing from timelines of "
        "incidents); cloudtrail:LookupEvents (calls that changed something are missing from timelines of incidents). " + REMEDY,
    )


def test_another_refusal_shows_that_it_may_be_asked(aws: AwsServer, look) -> None:
    aws.faults.add(Fault("DescribeDBInstances", "refused", code="DBInstanceNotFound"))
    assert look(listed(aws.account(ONE)))[f"aws {ONE}/eu-west-1"] == (True, f"{ROLE}; everything may be read")


@pytest.mark.parametrize("code", ["OptInRequired", "OptInRequiredException"])
def test_an_account_that_is_not_enrolled_is_not_told_to_give_rights(aws: AwsServer, look, code: str) -> None:
    aws.faults.add(Fault("GetEC2InstanceRecommendations", "refused", status=403, code=code, message="not registered"))
    assert look(listed(aws.account(ONE)))[f"aws {ONE}/eu-west-1"] == (
        False,
        f"{ROLE}; not enrolled: compute-optimizer (what AWS itself recommends is not shown beside the verdicts).",
    )


def test_what_the_settings_do_not_want_is_not_asked(aws: AwsServer, look) -> None:
    look(listed(aws.account(ONE)), second_opinion=False)
    assert {each.service for each in aws.log} & {"compute-optimizer", "cost-optimization-hub"} == set()


def test_who_cannot_sign_in_is_told_why_and_nothing_is_asked(aws: AwsServer, look) -> None:
    stranger = {"id": OTHER, "role_arn": f"arn:aws:iam::{OTHER}:role/none", "regions": "all"}
    found = look(listed(aws.account(ONE)), stranger)
    assert found.pop(f"aws {OTHER}") == (
        False,
        f"AWS does not allow AssumeRole of the role arn:aws:iam::{OTHER}:role/none (AccessDenied); the account needs "
        "sts:AssumeRole, and the role must trust it, with the external id of the settings.",
    )
    assert {subject for subject, (is_fine, _) in found.items() if is_fine} == {f"aws {ONE}", f"aws {ONE}/eu-west-1"}
    assert [each for each in aws.log if each.account == OTHER] == []


def test_credentials_of_another_account_are_not_used(aws: AwsServer, look) -> None:
    is_fine, told = look({"id": OTHER, "regions": ["eu-west-1"]})[f"aws {OTHER}"]
    assert not is_fine
    assert told.startswith("The credentials are of the account 123456789012, not of 222222222222; correct aws.accounts")
    assert {each.operation for each in aws.log} == {"GetCallerIdentity"}


def test_own_credentials_are_told_by_their_name(aws: AwsServer, look) -> None:
    found = look({"id": "123456789012", "regions": ["eu-west-1"]})
    assert found["aws 123456789012"] == (True, "signed in as user nightshift; the account may be read")


def test_a_region_that_is_not_enabled_is_a_finding(aws: AwsServer, look) -> None:
    found = look(listed(aws.account(ONE), "eu-south-1", "eu-west-1"))
    assert found[f"aws {ONE}/eu-south-1"] == (
        False,
        f"The account {ONE} has not enabled eu-south-1; enable it, or take it out of aws.accounts.regions.",
    )
    assert found[f"aws {ONE}/eu-west-1"][0]


def test_all_regions_of_an_account_that_does_not_tell_them_are_a_finding(aws: AwsServer, look) -> None:
    one = aws.account(ONE)
    one.allow(RIGHTS - {"ec2:DescribeRegions"})
    found = look({**listed(one), "regions": "all"})
    assert set(found) == {f"aws {ONE}"}
    assert 'ec2:DescribeRegions (regions = "all" cannot be read' in found[f"aws {ONE}"][1]


def test_a_service_that_does_not_answer_is_asked_twice_and_a_region_that_does_not_is_given_up(
    aws: AwsServer, look, waits: Waits
) -> None:
    aws.faults.add(Fault("LookupEvents", "internal_error_before", times=99))
    is_fine, told = look(listed(aws.account(ONE)))[f"aws {ONE}/eu-west-1"]
    assert not is_fine
    assert told.startswith(f"{ROLE}; cloudtrail was not tried: AWS failed with") and told.count("was not tried") == 1
    assert len(aws.asked("LookupEvents")) == 2
    aws.reset()
    aws.faults.add(*(Fault(each.name, "unavailable_before", times=99) for each in PROBES if not each.is_account_wide))
    told = look(listed(aws.account(ONE)))[f"aws {ONE}/eu-west-1"][1]
    assert told.count("was not tried") == 2
    # Two attempts of two probes, beside the question which regions the account has.
    asked = [each.operation for each in aws.log if each.region == "eu-west-1" and each.service != "sts"]
    assert (len(asked), asked.count("DescribeRegions")) == (5, 1)
    assert sum(waits.slept) < 10


def test_an_account_without_regions_is_asked_for_evidence_where_the_inventory_has_it(
    aws: AwsServer, look, tmp_path: Path
) -> None:
    one = aws.account(ONE)
    one.allow(RIGHTS - {"autoscaling:DescribeScalingActivities"})
    assert look({**listed(one), "regions": []}) == {
        f"aws {ONE}": (True, f"{ROLE}; of its regions only evidence of incidents is read"),
    }
    in_the_inventory(tmp_path / "home", ONE, "eu-central-1")
    aws.reset()
    found = look({**listed(aws.account(ONE)), "regions": []})
    assert found[f"aws {ONE}/eu-central-1"] == (True, f"{ROLE}; evidence of incidents may be read")
    asked = {each.operation for each in aws.log if each.region == "eu-central-1" and each.service != "sts"}
    assert asked == {"DescribeAlarmHistory", "DescribeAlarms", "DescribeScalingActivities", "LookupEvents"}


def test_no_finding_holds_a_secret(aws: AwsServer, look) -> None:
    one = aws.account(ONE)
    one.allow([])
    text = json.dumps(look(listed(one), {"id": OTHER, "regions": ["eu-west-1"]}))
    assert [secret for secret in aws.secrets if secret in text] == []


def test_nothing_is_asked_without_accounts(aws: AwsServer, look) -> None:
    assert look() == {}
    assert aws.log == []


def test_the_documentation_shows_what_is_said(aws: AwsServer, look) -> None:
    one, other = aws.account("318204967715", "nightshift-read"), aws.account("509233120186", "nightshift-read")
    other.allow(RIGHTS - {"cloudtrail:LookupEvents", "cloudwatch:GetMetricData", "savingsplans:DescribeSavingsPlans"})
    found = look(listed(one, "eu-west-1", "us-east-1"), listed(other, "eu-central-1", "eu-west-1"))
    findings = [Finding(subject, OK if is_fine else MISSING, told) for subject, (is_fine, told) in sorted(found.items())]
    page = (Path(__file__).parents[2] / "docs" / "aws.md").read_text(encoding="utf-8")
    assert "$ nightshift doctor\n" + "\n".join(lines(findings)) + "\n```" in page


def test_of_regions_that_lack_the_same_only_the_first_says_what() -> None:
    findings = [Finding("aws 1/a", MISSING, "no right"), Finding("aws 1/b", MISSING, "no right"), Finding("aws 1/c", OK, "fine")]
    told = [line.split(maxsplit=3)[3] for line in lines([*findings, Finding("aws 1/d", OK, "fine")])]
    assert told == ["no right", "the same", "fine", "fine"]

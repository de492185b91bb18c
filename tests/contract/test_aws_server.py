"""The strict AWS, driven by the real client: tests may only lean on it where it does what AWS does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from tests.aws import AwsServer, Fault, fixtures, hub, routing, wire
from tests.aws.dials import START
from tests.aws.fixtures import Ask, refused, signed_in
from tests.aws.routing import Call, Route

STRANGER = {"aws_access_key_id": "AKIASTRANGER00000001", "aws_secret_access_key": "made up"}
aws, clients, ask = fixtures.aws, fixtures.clients, fixtures.ask


def state(ask: Ask, instance: str) -> str:
    found = ask("ec2", "DescribeInstances", InstanceIds=[instance])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def checks(ask: Ask, instance: str) -> list[tuple[str, str]]:
    found = ask("ec2", "DescribeInstanceStatus", InstanceIds=[instance], IncludeAllInstances=True)
    return [(each["SystemStatus"]["Status"], each["InstanceStatus"]["Status"]) for each in found["InstanceStatuses"]]


def refreshes(ask: Ask, group: str) -> list[tuple[str, int]]:
    found = ask("autoscaling", "DescribeInstanceRefreshes", AutoScalingGroupName=group)
    return [(each["Status"], each["PercentageComplete"]) for each in found["InstanceRefreshes"]]


def database(ask: Ask, identifier: str) -> tuple[str, str, dict[str, Any]]:
    (found,) = ask("rds", "DescribeDBInstances", DBInstanceIdentifier=identifier)["DBInstances"]
    return found["DBInstanceClass"], found["DBInstanceStatus"], found["PendingModifiedValues"]


# Instances.


def test_an_instance_passes_through_states_between_states(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance("m5.xlarge")
    assert (state(ask, instance), checks(ask, instance)) == ("running", [("ok", "ok")])
    (stopping,) = ask("ec2", "StopInstances", InstanceIds=[instance])["StoppingInstances"]
    assert (stopping["PreviousState"]["Name"], stopping["CurrentState"]) == ("running", {"Code": 64, "Name": "stopping"})
    assert [state(ask, instance) for _ in range(3)] == ["stopping", "stopped", "stopped"]
    assert checks(ask, instance) == [("not-applicable", "not-applicable")]
    assert ask("ec2", "DescribeInstanceStatus", InstanceIds=[instance])["InstanceStatuses"] == []
    ask("ec2", "ModifyInstanceAttribute", InstanceId=instance, InstanceType={"Value": "m5.large"})
    (starting,) = ask("ec2", "StartInstances", InstanceIds=[instance])["StartingInstances"]
    assert (starting["PreviousState"]["Name"], starting["CurrentState"]["Name"]) == ("stopped", "pending")
    assert [state(ask, instance) for _ in range(2)] == ["pending", "running"]
    assert [checks(ask, instance) for _ in range(3)] == [[("initializing",) * 2], [("ok",) * 2], [("ok",) * 2]]
    assert aws.world.type_of(instance) == "m5.large"
    assert aws.writes == ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]


def test_a_test_says_how_long_changes_take(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()
    aws.dials.stopping, aws.dials.pending, aws.dials.initializing = 3, 0, 2
    ask("ec2", "StopInstances", InstanceIds=[instance])
    assert [state(ask, instance) for _ in range(4)] == ["stopping", "stopping", "stopping", "stopped"]
    ask("ec2", "StartInstances", InstanceIds=[instance])
    assert aws.world.state(instance) == "running"
    assert [checks(ask, instance)[0][0] for _ in range(3)] == ["initializing", "initializing", "ok"]


@pytest.mark.parametrize("seen", ["running", "stopping"])
def test_only_a_stopped_instance_takes_another_type(aws: AwsServer, ask: Ask, seen: str) -> None:
    instance = aws.world.instance("m5.xlarge")
    if seen == "stopping":
        ask("ec2", "StopInstances", InstanceIds=[instance])
    change = {"InstanceId": instance, "InstanceType": {"Value": "m5.large"}}
    assert refused(ask, "ec2", "ModifyInstanceAttribute", **change) == (400, "IncorrectInstanceState")
    assert (aws.world.state(instance), aws.world.type_of(instance)) == (seen, "m5.xlarge")


def test_a_type_must_exist(aws: AwsServer, ask: Ask) -> None:
    change = {"InstanceId": aws.world.instance(state="stopped"), "InstanceType": {"Value": "m5.enormous"}}
    assert refused(ask, "ec2", "ModifyInstanceAttribute", **change) == (400, "InvalidInstanceAttributeValue")


def test_stopping_and_starting_twice_changes_nothing_and_the_wrong_way_round_is_refused(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()
    ask("ec2", "StartInstances", InstanceIds=[instance])
    assert aws.writes == []
    ask("ec2", "StopInstances", InstanceIds=[instance])
    ask("ec2", "StopInstances", InstanceIds=[instance])
    assert refused(ask, "ec2", "StartInstances", InstanceIds=[instance]) == (400, "IncorrectInstanceState")
    assert [state(ask, instance) for _ in range(2)] == ["stopping", "stopped"]
    ask("ec2", "StartInstances", InstanceIds=[instance])
    ask("ec2", "StartInstances", InstanceIds=[instance])
    assert refused(ask, "ec2", "StopInstances", InstanceIds=[instance]) == (400, "IncorrectInstanceState")
    assert aws.writes == ["StopInstances", "StartInstances"]


def test_a_terminated_instance_neither_starts_nor_stops(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance(state="terminated")
    assert state(ask, instance) == "terminated"
    for operation in ("StartInstances", "StopInstances"):
        assert refused(ask, "ec2", operation, InstanceIds=[instance]) == (400, "IncorrectInstanceState")


def test_ids_of_no_instance_are_refused(ask: Ask) -> None:
    assert refused(state, ask, "i-0123456789abcdef0") == (400, "InvalidInstanceID.NotFound")
    assert refused(state, ask, "vm-1") == (400, "InvalidInstanceID.Malformed")
    assert refused(checks, ask, "i-0123456789abcdef0") == (400, "InvalidInstanceID.NotFound")


@pytest.mark.parametrize("by", ["id", "type"])
def test_checks_fail_where_a_test_says_so(aws: AwsServer, ask: Ask, by: str) -> None:
    instance, other = aws.world.instance("t3.nano"), aws.world.instance("m5.large")
    aws.dials.impaired.add(instance if by == "id" else "t3.nano")
    assert (checks(ask, instance), checks(ask, other)) == ([("ok", "impaired")], [("ok", "ok")])


def test_a_type_without_capacity_does_not_start(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance("m5.large", "stopped")
    aws.dials.exhausted.add("m5.large")
    assert refused(ask, "ec2", "StartInstances", InstanceIds=[instance]) == (500, "InsufficientInstanceCapacity")
    assert (state(ask, instance), aws.writes) == ("stopped", [])


# Templates and groups.


def test_a_version_inherits_from_its_source_and_its_token_makes_it_once(aws: AwsServer, ask: Ask) -> None:
    template = aws.world.template("m5.xlarge")
    wanted = {
        "LaunchTemplateId": template,
        "SourceVersion": "1",
        "LaunchTemplateData": {"InstanceType": "m5.large"},
        "ClientToken": "once",
    }
    made = [ask("ec2", "CreateLaunchTemplateVersion", **wanted)["LaunchTemplateVersion"]["VersionNumber"] for _ in range(2)]
    assert made == [2, 2]
    other = {**wanted, "LaunchTemplateData": {"InstanceType": "m5.2xlarge"}}
    assert refused(ask, "ec2", "CreateLaunchTemplateVersion", **other) == (400, "IdempotentParameterMismatch")
    assert (
        refused(ask, "ec2", "CreateLaunchTemplateVersion", **{**wanted, "ClientToken": "x" * 129})[1] == "InvalidParameterValue"
    )
    one, two = aws.world.versions(template)
    assert two["LaunchTemplateData"] == {**one["LaunchTemplateData"], "InstanceType": "m5.large"}
    assert aws.writes == ["CreateLaunchTemplateVersion"]


def test_versions_come_in_pages_the_newest_first(aws: AwsServer, ask: Ask) -> None:
    template = aws.world.template()
    for _ in range(4):
        aws.world.template_version(template, "m5.large")
    aws.dials.templates_per_page = 2
    pages, token = [], {}
    while len(pages) < 9:
        found = ask("ec2", "DescribeLaunchTemplateVersions", LaunchTemplateId=template, MaxResults=200, **token)
        pages.append([each["VersionNumber"] for each in found["LaunchTemplateVersions"]])
        if "NextToken" not in found:
            break
        token = {"NextToken": found["NextToken"]}
    assert pages == [[5, 4], [3, 2], [1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AutoScalingGroupName": "nope"}, "name not found"),
        ({"MinSize": 5}, "less than or equal to max bound"),
        ({"DesiredCapacity": 0}, "must be between the specified min size:1 and max size:4"),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "1"}}, "valid fully-formed launch template"),
        ({"LaunchTemplate": {"Version": "9"}}, "valid fully-formed launch template"),
        ({"LaunchTemplate": {"Version": "2"}}, "must contain the parameter ImageId"),
        ({"LaunchTemplate": {"Version": "3"}}, "does not exist"),
    ],
)
def test_a_group_refuses_what_does_not_fit(aws: AwsServer, ask: Ask, change: dict[str, Any], message: str) -> None:
    template = aws.world.template_of(aws.world.group("web"))
    ask("ec2", "CreateLaunchTemplateVersion", LaunchTemplateId=template, LaunchTemplateData={"InstanceType": "m5.large"})
    aws.world.template_version(template, "m5.enormous")
    if "LaunchTemplate" in change:
        change = {"LaunchTemplate": {"LaunchTemplateId": template, **change["LaunchTemplate"]}}
    with pytest.raises(ClientError, match=message) as problem:
        ask("autoscaling", "UpdateAutoScalingGroup", **{"AutoScalingGroupName": "web", **change})
    assert problem.value.response["Error"]["Code"] == "ValidationError"
    assert "UpdateAutoScalingGroup" not in aws.writes


def test_new_members_are_in_service_after_a_while_and_with_the_present_template(aws: AwsServer, ask: Ask) -> None:
    aws.world.group("web", "m5.xlarge", size=1)
    template = aws.world.template_of("web")
    aws.world.template_version(template, "m5.large")
    wanted = {"LaunchTemplate": {"LaunchTemplateId": template, "Version": "2"}, "DesiredCapacity": 2}
    for _ in range(2):
        ask("autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName="web", **wanted)
    assert aws.writes == ["UpdateAutoScalingGroup"]
    seen = []
    for _ in range(2):
        (group,) = ask("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=["web", "nope"])["AutoScalingGroups"]
        seen.append(sorted((each["InstanceType"], each["LifecycleState"]) for each in group["Instances"]))
    assert seen == [
        [("m5.large", "Pending"), ("m5.xlarge", "InService")],
        [("m5.large", "InService"), ("m5.xlarge", "InService")],
    ]


def test_a_policy_survives_another_size(aws: AwsServer, ask: Ask) -> None:
    aws.world.group("web", kind="mixed")
    before = aws.world.seen_group("web")["MixedInstancesPolicy"]
    ask("autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName="web", MinSize=2)
    assert aws.world.seen_group("web")["MixedInstancesPolicy"] == before
    assert aws.world.seen_group("web")["MinSize"] == 2


# Refreshes.


@pytest.mark.parametrize("is_skipping", [False, True])
def test_a_refresh_replaces_members_look_by_look(aws: AwsServer, ask: Ask, is_skipping: bool) -> None:
    aws.world.group("web", "m5.xlarge", size=4)
    template = aws.world.template_of("web")
    aws.world.template_version(template, "m5.large")
    launch = {"LaunchTemplateId": template, "Version": "2"}
    ask("autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName="web", LaunchTemplate=launch)
    before = set(aws.world.members("web"))
    ask("autoscaling", "StartInstanceRefresh", AutoScalingGroupName="web", Preferences={"SkipMatching": is_skipping})
    assert refused(ask, "autoscaling", "StartInstanceRefresh", AutoScalingGroupName="web") == (400, "InstanceRefreshInProgress")
    seen = []
    for _ in range(5):
        (newest,) = refreshes(ask, "web")
        seen.append((*newest, sorted(aws.world.members("web").values()).count("m5.large")))
    # Time goes on after each look.
    assert seen == [
        ("Pending", 0, 0),
        ("InProgress", 0, 2),
        ("InProgress", 50, 4),
        ("Successful", 100, 4),
        ("Successful", 100, 4),
    ]
    after = set(aws.world.members("web"))
    assert not before & after
    ask("autoscaling", "StartInstanceRefresh", AutoScalingGroupName="web", Preferences={"SkipMatching": is_skipping})
    for _ in range(3):
        refreshes(ask, "web")
    assert [each for each, _ in refreshes(ask, "web")] == ["Successful", "Successful"]
    assert (set(aws.world.members("web")) == after) is is_skipping


def test_a_refresh_that_is_cancelled_leaves_what_it_replaced(aws: AwsServer, ask: Ask) -> None:
    aws.world.group("web", "m5.xlarge", size=4)
    before = set(aws.world.members("web"))
    assert refused(ask, "autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web") == (
        400,
        "ActiveInstanceRefreshNotFound",
    )
    ask("autoscaling", "StartInstanceRefresh", AutoScalingGroupName="web")
    assert [aws.world.go_on("web") for _ in range(2)] == ["InProgress", "InProgress"]
    ask("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
    assert [refreshes(ask, "web") for _ in range(2)] == [[("Cancelling", 50)], [("Cancelled", 50)]]
    assert len(before & set(aws.world.members("web"))) == 2
    assert aws.writes == ["StartInstanceRefresh", "CancelInstanceRefresh"]


def test_a_refresh_fails_where_a_test_says_so(aws: AwsServer, ask: Ask) -> None:
    aws.world.group("web")
    aws.dials.refresh_failure = "No healthy members."
    ask("autoscaling", "StartInstanceRefresh", AutoScalingGroupName="web")
    assert [refreshes(ask, "web")[0][0] for _ in range(3)] == ["Pending", "InProgress", "Failed"]
    (found,) = ask("autoscaling", "DescribeInstanceRefreshes", AutoScalingGroupName="web")["InstanceRefreshes"]
    assert found["StatusReason"] == "No healthy members."


def test_a_share_of_a_refresh_has_bounds(aws: AwsServer, ask: Ask) -> None:
    wanted = {"AutoScalingGroupName": aws.world.group(), "Preferences": {"MinHealthyPercentage": 101}}
    assert refused(ask, "autoscaling", "StartInstanceRefresh", **wanted) == (400, "ValidationError")


# Databases.


def test_a_class_is_pending_until_it_is_brought_in(aws: AwsServer, ask: Ask) -> None:
    aws.world.database("orders", "db.r6g.xlarge")
    aws.world.leave_pending("orders", EngineVersion="16.4")
    change = {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.r6g.large"}
    ask("rds", "ModifyDBInstance", **change)
    both = {"DBInstanceClass": "db.r6g.large", "EngineVersion": "16.4"}
    assert [database(ask, "orders") for _ in range(3)] == [("db.r6g.xlarge", "available", both)] * 3
    ask("rds", "ModifyDBInstance", **change, ApplyImmediately=True)
    assert database(ask, "orders") == ("db.r6g.xlarge", "available", both)
    assert database(ask, "orders") == ("db.r6g.xlarge", "modifying", both)
    assert refused(ask, "rds", "ModifyDBInstance", **change) == (400, "InvalidDBInstanceState")
    assert [database(ask, "orders") for _ in range(2)] == [("db.r6g.large", "available", {})] * 2
    assert aws.world.seen_database("orders")["EngineVersion"] == "16.4"
    ask("rds", "ModifyDBInstance", **change, ApplyImmediately=True)
    assert aws.writes == ["ModifyDBInstance", "ModifyDBInstance"]


@pytest.mark.parametrize(
    ("identifier", "wanted", "answer"),
    [
        ("nope", "db.r6g.large", (404, "DBInstanceNotFound")),
        ("orders", "m5.large", (400, "InvalidParameterValue")),
        ("orders", "db.r6g.large", (400, "InsufficientDBInstanceCapacity")),
    ],
)
def test_a_class_that_cannot_be_is_refused(
    aws: AwsServer, ask: Ask, identifier: str, wanted: str, answer: tuple[int, str]
) -> None:
    aws.world.database("orders")
    aws.dials.exhausted.add("db.r6g.large")
    assert refused(ask, "rds", "ModifyDBInstance", DBInstanceIdentifier=identifier, DBInstanceClass=wanted) == answer
    assert aws.world.seen_database("orders")["PendingModifiedValues"] == {}


# Who asks.


def test_only_known_keys_are_served_and_roles_only_with_their_external_id(aws: AwsServer, ask: Ask) -> None:
    assert refused(ask, "ec2", "DescribeInstances", key=STRANGER) == (401, "AuthFailure")
    assert refused(ask, "rds", "DescribeDBInstances", key=STRANGER) == (403, "InvalidClientTokenId")
    wanted = {"RoleArn": aws.world.role(external_id="acme"), "RoleSessionName": "test"}
    assert refused(ask, "sts", "AssumeRole", **wanted) == (403, "AccessDenied")
    assert refused(ask, "sts", "AssumeRole", **{**wanted, "ExternalId": "other"}) == (403, "AccessDenied")
    given = ask("sts", "AssumeRole", **wanted, ExternalId="acme")["Credentials"]
    session = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    assert refused(ask, "ec2", "DescribeInstances", key=session) == (401, "AuthFailure")
    found = ask("ec2", "DescribeInstances", key={**session, "aws_session_token": given["SessionToken"]})
    assert found["Reservations"] == []
    assert {aws.secret, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]} <= aws.secrets


# Accounts and regions.


def test_what_is_in_an_account_and_a_region_is_nowhere_else(aws: AwsServer, ask: Ask) -> None:
    other = aws.account("222222222222", role="reader", external_id="acme")
    assert (other.role_arn, other.external_id) == ("arn:aws:iam::222222222222:role/reader", "acme")
    made = {
        "own": aws.world.instance(),
        "own elsewhere": aws.in_account("123456789012", "us-east-1").instance(),
        "other": other.world().instance(),
        "other elsewhere": other.world("us-east-1").instance(),
    }
    key = signed_in(ask, other)
    wheres: dict[str, dict[str, Any]] = {
        "own": {}, "own elsewhere": {"region": "us-east-1"}, "other": {"key": key},
        "other elsewhere": {"key": key, "region": "us-east-1"},
    }  # fmt: skip
    for name, where in wheres.items():
        found = ask("ec2", "DescribeInstances", **where)["Reservations"]
        assert [each["Instances"][0]["InstanceId"] for each in found] == [made[name]]
    assert refused(ask, "ec2", "DescribeInstances", InstanceIds=[made["own"]], key=key) == (400, "InvalidInstanceID.NotFound")
    last = [(each.account, each.region) for each in aws.log][-2:]
    assert last == [("222222222222", "us-east-1"), ("222222222222", "eu-west-1")]
    who = ask("sts", "GetCallerIdentity", key=key)
    assert (who["Account"], who["Arn"]) == ("222222222222", "arn:aws:sts::222222222222:assumed-role/reader/test")
    assert ask("sts", "GetCallerIdentity")["Arn"] == "arn:aws:iam::123456789012:user/nightshift"


def test_things_bear_the_number_of_their_account_and_the_name_of_their_region(aws: AwsServer, ask: Ask) -> None:
    other = aws.account("222222222222")
    other.world("us-east-1").database("orders")
    (found,) = ask("rds", "DescribeDBInstances", DBInstanceIdentifier="orders", key=signed_in(ask, other), region="us-east-1")[
        "DBInstances"
    ]
    assert found["DBInstanceArn"] == "arn:aws:rds:us-east-1:222222222222:db:orders"
    assert aws.world.seen_group(aws.world.group())["AutoScalingGroupARN"].startswith(
        "arn:aws:autoscaling:eu-west-1:123456789012:"
    )


def test_an_account_has_the_regions_that_need_no_opt_in_or_those_that_a_test_says(aws: AwsServer, ask: Ask) -> None:
    def statuses(**options: Any) -> dict[str, str]:
        return {each["RegionName"]: each["OptInStatus"] for each in ask("ec2", "DescribeRegions", **options)["Regions"]}

    every = statuses(AllRegions=True)
    assert (every["eu-west-1"], every["eu-south-1"]) == ("opt-in-not-required", "not-opted-in")
    assert {*statuses().values()} == {"opt-in-not-required"} and len(statuses()) == 17
    aws.enable("eu-west-1", "eu-south-1")
    assert statuses() == {"eu-west-1": "opt-in-not-required", "eu-south-1": "opted-in"}
    assert statuses(AllRegions=True)["us-east-1"] == "not-opted-in"
    off = {"Name": "opt-in-status", "Values": ["not-opted-in"]}
    assert len(statuses(AllRegions=True, Filters=[off])) == len(every) - 2
    assert statuses(RegionNames=["us-east-1"]) == {"us-east-1": "not-opted-in"}
    assert refused(ask, "ec2", "DescribeRegions", RegionNames=["eu-nowhere-1"]) == (400, "InvalidParameterValue")
    other = aws.account("222222222222")
    other.enable("eu-west-1")
    assert ask("ec2", "DescribeRegions", key=signed_in(ask, other))["Regions"][0]["RegionName"] == "eu-west-1"
    assert statuses(AllRegions=True)["eu-south-1"] == "opted-in"


def test_a_region_that_is_not_enabled_does_not_know_the_key(aws: AwsServer, ask: Ask) -> None:
    aws.enable("eu-west-1")
    assert refused(ask, "ec2", "DescribeInstances", region="eu-south-1") == (401, "AuthFailure")
    assert refused(ask, "rds", "DescribeDBInstances", region="eu-south-1") == (403, "InvalidClientTokenId")
    assert refused(ask, "cloudwatch", "DescribeAlarms", AlarmNames=["a"], region="eu-south-1") == (403, "InvalidClientTokenId")
    moments = {"StartTime": START, "EndTime": START}
    assert refused(ask, "cloudtrail", "LookupEvents", **moments, region="eu-south-1") == (403, "UnrecognizedClientException")
    assert refused(ask, "cloudtrail", "LookupEvents", key=STRANGER, **moments) == (403, "UnrecognizedClientException")
    assert [(each.region, each.status) for each in aws.log][-2:] == [("eu-south-1", 403), ("eu-west-1", 403)]


def test_faults_strike_where_they_are_meant_to(aws: AwsServer, ask: Ask) -> None:
    other = signed_in(ask, aws.account("222222222222"))
    aws.faults.add(
        Fault("*", "denied", times=9, account="222222222222", region="us-east-1", service="ec2"),
        Fault("DescribeInstances", "throttled", region="eu-central-1"),
    )
    asks: list[dict[str, Any]] = [{}, {"key": other}, {"region": "us-east-1"}, {"region": "eu-central-1"}]
    asks.append({"key": other, "region": "us-east-1"})
    said = [_fails(ask, "ec2", "DescribeInstances", **each) for each in asks]
    assert said == [None, None, None, "RequestLimitExceeded", "UnauthorizedOperation"]
    assert _fails(ask, "sts", "GetCallerIdentity", key=other, region="us-east-1") is None
    struck = [(each.kind, each.account, each.region) for each in aws.faults.fired]
    assert struck == [("throttled", "123456789012", "eu-central-1"), ("denied", "222222222222", "us-east-1")]


def test_random_faults_may_spare_operations(aws: AwsServer, ask: Ask) -> None:
    aws.faults.random(random.Random(1), 1.0, ["throttled"], operations=["DescribeRegions"])
    assert _fails(ask, "ec2", "DescribeInstances") is None
    assert _fails(ask, "ec2", "DescribeRegions") == "RequestLimitExceeded"


# Rights.


def test_only_what_is_allowed_is_done(aws: AwsServer, ask: Ask) -> None:
    aws.allow({"ec2:Describe*", "sts:AssumeRole"})
    assert ask("ec2", "DescribeInstances")["Reservations"] == []
    assert refused(ask, "ec2", "StopInstances", InstanceIds=[aws.world.instance()]) == (403, "UnauthorizedOperation")
    assert refused(ask, "rds", "DescribeDBInstances") == (403, "AccessDenied")
    assert refused(ask, "cloudwatch", "ListMetrics") == (403, "AccessDenied")
    assert refused(ask, "savingsplans", "DescribeSavingsPlans", region="us-east-1") == (403, "AccessDeniedException")
    moments = {"StartTime": START, "EndTime": START}
    assert refused(ask, "cloudtrail", "LookupEvents", **moments) == (400, "AccessDeniedException")
    # Who one is may always be asked.
    assert ask("sts", "GetCallerIdentity")["Account"] == "123456789012"
    other = aws.account("222222222222")
    other.allow({"rds:DescribeDBInstances"})
    key = signed_in(ask, other)
    assert ask("rds", "DescribeDBInstances", key=key)["DBInstances"] == []
    with pytest.raises(ClientError, match="assumed-role/nightshift/test is not authorized to perform: ec2:DescribeInstances"):
        ask("ec2", "DescribeInstances", key=key)
    assert aws.writes == []


# Services that speak JSON.


def test_any_service_that_speaks_json_is_known_once_something_of_it_is_handled(
    aws: AwsServer, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``support`` is one that nothing else here knows."""

    class Cases:
        def __init__(self) -> None:
            self.ids = ["1"]

    def described(call: Call) -> dict[str, Any]:
        call.takes("afterTime", "maxResults")
        ids = call.place.of(Cases).ids
        return {"cases": [{"caseId": each, "subject": call.parameters["afterTime"]} for each in ids]}

    monkeypatch.setitem(
        routing.ROUTES, ("support", "DescribeCases"), Route(described, ("support:DescribeCases", "iam:Extra"), False)
    )
    with AwsServer() as server:
        client = boto3.client(
            "support",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id=server.key,
            aws_secret_access_key=server.secret,
            config=Config(retries={"total_max_attempts": 1}),
        )
        server.in_account("123456789012", "us-east-1").of(Cases).ids.append("2")
        found = client.describe_cases(afterTime="2025-03-09", maxResults=10)["cases"]
        assert found == [{"caseId": "1", "subject": "2025-03-09"}, {"caseId": "2", "subject": "2025-03-09"}]
        server.allow({"support:DescribeCases"})
        assert refused(client.describe_cases, afterTime="2025-03-09") == (400, "AccessDeniedException")
        server.allow({"support:DescribeCases", "iam:Extra"})
        server.faults.add(Fault("DescribeCases", "throttled"), Fault("DescribeCases", "expired"))
        assert refused(client.describe_cases, afterTime="2025-03-09") == (400, "ThrottlingException")
        assert refused(client.describe_cases, afterTime="2025-03-09") == (400, "ExpiredTokenException")
        client.close()
        assert server.unexpected == []


def test_a_service_is_only_where_it_is(aws: AwsServer, ask: Ask) -> None:
    wanted = {"ServiceCode": "AmazonEC2"}
    assert refused(ask, "pricing", "GetProducts", **wanted) == (403, "InvalidSignatureException")
    assert refused(ask, "cost-optimization-hub", "ListRecommendations") == (403, "InvalidSignatureException")
    assert refused(ask, "savingsplans", "DescribeSavingsPlans", region="eu-central-1") == (403, "InvalidSignatureException")


def test_what_a_model_does_not_allow_is_refused(aws: AwsServer, ask: Ask) -> None:
    with pytest.raises(ClientError, match=r"ValidationError.*'Soon' at 'RecentlyActive' must satisfy enum value set: PT3H"):
        ask("cloudwatch", "ListMetrics", RecentlyActive="Soon")
    with pytest.raises(ClientError, match=r"2 validation.*pattern: \[\^:\]\.\*; .*'Dimensions' must be between None and 10"):
        ask("cloudwatch", "ListMetrics", Namespace=":AWS", Dimensions=[{"Name": "a"}] * 11)
    asked = {"states": ["open"], "region": "us-east-1"}
    assert refused(ask, "savingsplans", "DescribeSavingsPlans", **asked) == (400, "ValidationException")


def test_a_region_may_be_slow(aws: AwsServer, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(hub, "time", SimpleNamespace(sleep=slept.append))
    aws.dials.delay_seconds["us-east-1"] = 0.2
    for region in ("eu-west-1", "us-east-1"):
        ask("ec2", "DescribeInstances", region=region)
    assert slept == [0.2]


def test_members_that_a_document_does_not_have_are_told() -> None:
    body = json.dumps({"MetricDataQueries": [{"Id": "q1", "Colour": "red"}], "StartTime": 0, "EndTime": 1}).encode()
    signed = "AWS4-HMAC-SHA256 Credential=k/20250310/eu-west-1/monitoring/aws4_request, SignedHeaders=a, Signature=b"
    headers = {"Authorization": signed, "X-Amz-Target": "GraniteServiceVersion20100801.GetMetricData"}
    with pytest.raises(LookupError, match=r"GetMetricData.MetricDataQueries\[\] takes no Colour"):
        wire.read(wire.Request(headers, body), frozenset({"cloudwatch"}))
    with pytest.raises(LookupError, match="savingsplans has no operation at POST /Nothing"):
        headers = {"Authorization": signed.replace("monitoring", "savingsplans")}
        wire.read(wire.Request(headers, b"", path="/Nothing"), frozenset({"savingsplans"}))
    with pytest.raises(LookupError, match="not signed for cloudwatch, ec2"):
        wire.read(wire.Request({}, b""), frozenset({"ec2", "cloudwatch"}))


def test_a_path_says_what_is_asked_of_what() -> None:
    """``schemas`` has parameters in its paths and behind them."""
    signed = "AWS4-HMAC-SHA256 Credential=k/20250310/eu-west-1/schemas/aws4_request, SignedHeaders=a, Signature=b"
    request = wire.Request({"Authorization": signed}, b"", "GET", "/v1/registries/name/my%20one/schemas?limit=10&nextToken=x")
    asked = wire.read(request, frozenset({"schemas"}))
    assert (asked.operation, asked.region) == ("ListSchemas", "eu-west-1")
    assert asked.parameters == {"RegistryName": "my one", "Limit": 10, "NextToken": "x"}


# Faults.


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("internal_error_before", ((500, "InternalError"), (500, "InternalFailure"))),
        ("internal_error_after", ((500, "InternalError"), (500, "InternalFailure"))),
        ("unavailable_before", ((503, "Unavailable"), (503, "ServiceUnavailable"))),
        ("unavailable_after", ((503, "Unavailable"), (503, "ServiceUnavailable"))),
        ("throttled", ((503, "RequestLimitExceeded"), (400, "Throttling"))),
        ("denied", ((403, "UnauthorizedOperation"), (403, "AccessDenied"))),
        ("expired", ((400, "RequestExpired"), (403, "ExpiredToken"))),
        ("no_capacity", ((500, "InsufficientInstanceCapacity"), (500, "InsufficientInstanceCapacity"))),
    ],
)
def test_a_fault_speaks_as_the_service_does(
    aws: AwsServer, ask: Ask, kind: str, answers: tuple[tuple[int, str], tuple[int, str]]
) -> None:
    instance, group = aws.world.instance(), aws.world.group()
    aws.faults.add(Fault("StopInstances", kind), Fault("StartInstanceRefresh", kind))
    assert refused(ask, "ec2", "StopInstances", InstanceIds=[instance]) == answers[0]
    assert refused(ask, "autoscaling", "StartInstanceRefresh", AutoScalingGroupName=group) == answers[1]
    assert aws.writes == (["StopInstances", "StartInstanceRefresh"] if kind.endswith("_after") else [])
    assert [(each.status, each.code, each.fault) for each in aws.log] == [(*each, kind) for each in answers]
    assert [(each.kind, each.operation) for each in aws.faults.fired] == [(kind, "StopInstances"), (kind, "StartInstanceRefresh")]
    assert aws.log[0].parameters == {"InstanceIds": [instance]}


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "hang_before", "hang_after"])
def test_no_answer_comes(aws: AwsServer, ask: Ask, kind: str) -> None:
    instance = aws.world.instance()
    aws.faults.add(Fault("StopInstances", kind))
    hangs = kind.startswith("hang")
    with pytest.raises(ReadTimeoutError if hangs else ConnectionClosedError):
        # A busy machine needs its time to drop a connection; only what never answers is not waited for.
        ask("ec2", "StopInstances", InstanceIds=[instance], timeout=0.2 if hangs else 20)
    is_done = kind.endswith("_after")
    assert (aws.world.state(instance), aws.writes) == (("stopping", ["StopInstances"]) if is_done else ("running", []))
    assert [each.status for each in aws.log] == [0]


def test_a_stranger_answers(aws: AwsServer, ask: Ask) -> None:
    aws.faults.add(Fault("DescribeInstances", "garbled"))
    with pytest.raises(ResponseParserError):
        state(ask, aws.world.instance())


def test_a_fault_waits_strikes_and_is_over(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()
    refusal = Fault("*", "refused", times=2, after_skipping=1, code="OperationNotPermitted", message="No.")
    aws.faults.add(refusal, Fault("StopInstances", "denied", times=9))
    aws.faults.clear()
    aws.faults.add(refusal)
    codes = []
    for _ in range(4):
        try:
            codes.append(state(ask, instance))
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes == ["running", "OperationNotPermitted", "OperationNotPermitted", "running"]


def test_somebody_is_faster(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()
    aws.faults.add(Fault("StopInstances", "moved", callback=lambda: aws.world.terminate(instance)))
    assert refused(ask, "ec2", "StopInstances", InstanceIds=[instance]) == (400, "IncorrectInstanceState")


def test_random_faults_come_at_their_rate_and_as_the_seed_says(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()

    def struck(seed: int) -> list[bool]:
        aws.faults.random(random.Random(seed), 0.4, ["throttled", "unavailable_after"])
        return [bool(_fails(state, ask, instance)) for _ in range(20)]

    first = struck(1)
    assert 3 <= sum(first) <= 14
    assert struck(1) == first != struck(2)
    aws.faults.clear()
    assert not any(_fails(state, ask, instance) for _ in range(5))


def _fails(action: Callable[..., Any], *arguments: Any, **options: Any) -> str | None:
    try:
        action(*arguments, **options)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def test_what_the_server_does_not_know_is_told_and_not_hidden(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()
    aws.faults.add(Fault("DescribeInstances", "moved", callback=lambda: 1 / 0))
    assert refused(state, ask, instance) == (400, "Unexpected")
    assert refused(ask, "ec2", "StopInstances", InstanceIds=[instance], SkipOsShutdown=True) == (400, "Unexpected")
    assert refused(ask, "ec2", "RebootInstances", InstanceIds=[instance]) == (400, "Unexpected")
    words = ("ZeroDivisionError", "SkipOsShutdown", "RebootInstances")
    assert [word in told for word, told in zip(words, aws.unexpected, strict=True)] == [True] * 3
    assert aws.writes == []
    aws.unexpected.clear()


def test_each_test_begins_with_an_empty_account(aws: AwsServer, ask: Ask) -> None:
    instance, group, identifier = aws.world.instance(), aws.world.group(), aws.world.database()
    aws.faults.add(Fault("*", "denied"))
    aws.dials.pending = 9
    aws.reset()
    assert refused(state, ask, instance) == (400, "InvalidInstanceID.NotFound")
    assert ask("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[group])["AutoScalingGroups"] == []
    assert refused(database, ask, identifier) == (404, "DBInstanceNotFound")
    assert (len(aws.log), aws.dials.pending) == (3, 1)


def test_two_servers_know_nothing_of_each_other(aws: AwsServer, ask: Ask) -> None:
    instance = aws.world.instance()
    with AwsServer() as other:
        other.reset()
        other.world.group()
    assert state(ask, instance) == "running"

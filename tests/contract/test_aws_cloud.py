"""The adapter of AWS over real HTTP: what it sees, what it asks, what it does twice, and what its failures say."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.actions.aws import cloud as aws_cloud
from dagster_project.actions.aws.cloud import AwsCloud
from dagster_project.domain.applying.cloud import Cloud, Database, Group, Machine, Refresh
from dagster_project.errors import AccessDenied, CapacityShortage, CloudError, CloudRefused, InputError, NightshiftError
from tests.aws import AwsServer, Fault, fixtures
from tests.aws.fixtures import Waits

aws, waits, connect, cloud = fixtures.aws, fixtures.waits, fixtures.connect, fixtures.cloud
Connect = Callable[..., AwsCloud]
ABSENT = "i-0123456789abcdef0"


def failure(aws: AwsServer, kind: type[NightshiftError], action: Callable[..., object], *arguments: Any) -> str:
    """What the failure of an act says, with nothing of the request in it or clinging to it."""
    with pytest.raises(NightshiftError) as problem:
        action(*arguments)
    assert isinstance(problem.value, kind), problem.value
    # A refusal is not a loss, and neither is a lack of rights: who handles one must not catch the other.
    assert isinstance(problem.value, CloudRefused | CapacityShortage) == issubclass(kind, CloudRefused | CapacityShortage)
    assert (problem.value.__cause__, problem.value.__context__) == (None, None)
    told = str(problem.value)
    assert [each for each in aws.secrets if each in told] == []
    return told


# Instances.


def test_a_machine_is_seen_with_its_health_group_and_market(aws: AwsServer, cloud: AwsCloud) -> None:
    alone, spot = aws.world.instance("m5.xlarge"), aws.world.instance("c5.large", is_spot=True)
    (member,) = aws.world.members(aws.world.group("web", "t3.large", size=1))
    assert cloud.machine(alone) == Machine(alone, "m5.xlarge", "running", True, None, False)
    assert cloud.machine(spot) == Machine(spot, "c5.large", "running", True, None, True)
    assert cloud.machine(member) == Machine(member, "t3.large", "running", True, "web", False)
    gone = aws.world.instance(state="terminated")
    assert cloud.machine(gone) == Machine(gone, "m5.large", "terminated", None)
    assert cloud.machine(ABSENT) is None


def test_a_machine_goes_from_one_size_to_another(aws: AwsServer, cloud: AwsCloud) -> None:
    instance = aws.world.instance("m5.xlarge")

    def looks(count: int) -> list[tuple[str, str, bool | None]]:
        seen = [cloud.machine(instance) for _ in range(count)]
        return [(each.instance_type, each.state, each.is_healthy) for each in seen if each]

    cloud.stop(instance)
    cloud.stop(instance)
    assert looks(2) == [("m5.xlarge", "stopping", None), ("m5.xlarge", "stopped", None)]
    cloud.set_type(instance, "m5.large")
    cloud.set_type(instance, "m5.large")
    cloud.start(instance)
    cloud.start(instance)
    assert looks(3) == [("m5.large", "pending", None), ("m5.large", "running", None), ("m5.large", "running", True)]
    assert aws.writes == ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]
    # In order, and with memory let go: neither by force nor into hibernation.
    assert aws.asked("StopInstances") == [{"InstanceIds": [instance]}] * 2
    assert aws.asked("ModifyInstanceAttribute") == [{"InstanceId": instance, "InstanceType": {"Value": "m5.large"}}] * 2
    assert aws.asked("StartInstances") == [{"InstanceIds": [instance]}] * 2
    assert aws.asked("DescribeInstanceStatus") == [{"InstanceIds": [instance], "IncludeAllInstances": True}] * 5


def test_one_check_that_fails_is_not_healthy(aws: AwsServer, cloud: AwsCloud) -> None:
    broken, cut_off, well = (aws.world.instance() for _ in range(3))
    aws.dials.impaired.add(broken)
    aws.dials.impaired_volumes.add(cut_off)
    assert [cloud.machine(each).is_healthy for each in (broken, cut_off, well)] == [False, False, True]  # type: ignore[union-attr]
    aws.faults.add(Fault("DescribeInstanceStatus", "refused", code="InvalidInstanceID.NotFound", message="gone"))
    assert cloud.machine(well) == Machine(well, "m5.large", "running", None)


def test_a_machine_that_is_not_stopped_keeps_its_type(aws: AwsServer, cloud: AwsCloud) -> None:
    instance = aws.world.instance("m5.xlarge")
    told = failure(aws, CloudRefused, cloud.set_type, instance, "m5.large")
    assert told == (
        f"AWS refused ModifyInstanceAttribute of {instance} (IncorrectInstanceState), and did nothing: "
        f"The instance '{instance}' is not in the 'stopped' state."
    )
    assert "InvalidInstanceID.NotFound" in failure(aws, CloudRefused, cloud.stop, ABSENT)
    assert "InvalidInstanceID.Malformed" in failure(aws, CloudRefused, cloud.machine, "vm-1")
    assert aws.writes == []


# Groups.


def test_a_group_is_seen_with_its_members_and_template(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.group("web", "m5.xlarge", size=3, max_size=8)
    template = aws.world.template_of("web")
    assert cloud.group("web") == Group("web", 1, 8, 3, 3, (("m5.xlarge", 3),), template, "1", "m5.xlarge")
    aws.dials.unhealthy.add(next(iter(aws.world.members("web"))))
    cloud.use_template("web", template, aws.world.template_version(template, "c5.large"))
    cloud.set_group_size("web", 2, 4)
    assert cloud.group("web") == Group("web", 2, 8, 4, 2, (("m5.xlarge", 3),), template, "2", "c5.large")
    assert cloud.group("web") == Group("web", 2, 8, 4, 3, (("c5.large", 1), ("m5.xlarge", 3)), template, "2", "c5.large")
    cloud.use_template("web", template, "2")
    cloud.set_group_size("web", 2, 4)
    assert aws.writes == ["UpdateAutoScalingGroup"] * 2
    assert aws.asked("UpdateAutoScalingGroup")[:2] == [
        {"AutoScalingGroupName": "web", "LaunchTemplate": {"LaunchTemplateId": template, "Version": "2"}},
        {"AutoScalingGroupName": "web", "MinSize": 2, "DesiredCapacity": 4},
    ]
    assert cloud.group("nope") is None


@pytest.mark.parametrize(
    ("version", "seen"),
    [
        ("1", ("1", "m5.large", None)),
        (None, ("2", "c5.large", "$Default")),
        ("$Default", ("2", "c5.large", "$Default")),
        ("$Latest", ("3", "r5.large", "$Latest")),
    ],
)
def test_a_version_that_moves_is_seen_as_its_number(
    aws: AwsServer, cloud: AwsCloud, version: str | None, seen: tuple[str, str, str | None]
) -> None:
    aws.world.group("web", version=version)
    template = aws.world.template_of("web")
    aws.world.make_default(template, aws.world.template_version(template, "c5.large"))
    aws.world.template_version(template, "r5.large")
    found = cloud.group("web")
    assert found
    assert (found.template_id, (found.template_version, found.template_type, found.template_follows)) == (template, seen)


@pytest.mark.parametrize("kind", ["mixed", "configuration"])
def test_a_group_without_a_template_of_its_own_has_none(aws: AwsServer, cloud: AwsCloud, kind: str) -> None:
    aws.world.group("web", kind=kind)
    assert cloud.group("web") == Group("web", 1, 4, 2, 2, (("m5.large", 2),), None, None, None)


def test_a_template_that_was_deleted_has_no_version(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.group("web")
    template = aws.world.template_of("web")
    aws.world.delete_template(template)
    assert cloud.group("web") == Group("web", 1, 4, 2, 2, (("m5.large", 2),), template, None, None)


def test_a_group_refuses_what_does_not_fit_and_says_why(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.group("web")
    told = failure(aws, CloudRefused, cloud.set_group_size, "web", 1, 9)
    assert "Desired capacity:9 must be between the specified min size:1 and max size:4" in told
    assert "(ValidationError)" in failure(aws, CloudRefused, cloud.use_template, "web", aws.world.template_of("web"), "7")
    assert "nothing was asked" in failure(aws, CloudRefused, cloud.set_group_size, "", 1, 1)
    assert "(ValidationError)" in failure(aws, CloudRefused, cloud.start_refresh, "nope", 90, 0)
    assert "(ValidationError)" in failure(aws, CloudRefused, cloud.cancel_refresh, "nope")
    assert aws.writes == []


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_token_makes_one_version_whatever_becomes_of_the_answer(aws: AwsServer, cloud: AwsCloud, is_forgotten: bool) -> None:
    template = aws.world.template("m5.xlarge")
    aws.faults.add(Fault("CreateLaunchTemplateVersion", "drop_after"))
    assert "not known" in failure(aws, CloudError, cloud.add_template_version, template, "1", "m5.large", "night-1")
    for _ in range(3):
        aws.world.template_version(template, "c5.large")
    aws.dials.templates_per_page = 2
    if is_forgotten:
        aws.world.forget_tokens()
    assert [cloud.add_template_version(template, "1", "m5.large", "night-1") for _ in range(2)] == ["2", "2"]
    assert cloud.add_template_version(template, "1", "m5.large", "night-2") == "6"
    assert aws.writes == ["CreateLaunchTemplateVersion"] * 2
    one, two = aws.world.versions(template)[:2]
    assert two["LaunchTemplateData"] == {**one["LaunchTemplateData"], "InstanceType": "m5.large"}
    assert aws.asked("CreateLaunchTemplateVersion")[0] == {
        "LaunchTemplateId": template,
        "SourceVersion": "1",
        "VersionDescription": "nightshift night-1",
        "LaunchTemplateData": {"InstanceType": "m5.large"},
        "ClientToken": "night-1",
    }


def test_a_token_of_another_type_is_refused(aws: AwsServer, cloud: AwsCloud) -> None:
    template = aws.world.template("m5.xlarge")
    cloud.add_template_version(template, "1", "m5.large", "night-1")
    told = failure(aws, CloudRefused, cloud.add_template_version, template, "1", "c5.large", "night-1")
    assert told.startswith(f"Version 2 of the launch template {template} was made for m5.large, not for c5.large")
    assert len(aws.world.versions(template)) == 2


# Refreshes.


def test_a_refresh_is_started_once_and_followed_to_its_end(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.group("web", "m5.xlarge")
    template = aws.world.template_of("web")
    cloud.use_template("web", template, aws.world.template_version(template, "m5.large"))
    cloud.start_refresh("web", 90, 120)
    cloud.start_refresh("web", 90, 120)
    seen = [cloud.group("web") for _ in range(4)]
    refreshes = [each.refresh for each in seen if each and each.refresh]
    assert [each.status for each in refreshes] == ["Pending", "InProgress", "InProgress", "Successful"]
    assert [each.is_under_way for each in refreshes] == [True, True, True, False]
    assert len({each.refresh_id for each in refreshes}) == 1
    assert seen[-1] and seen[-1].members == (("m5.large", 2),)
    assert aws.writes == ["UpdateAutoScalingGroup", "StartInstanceRefresh"]
    preferences = {"MinHealthyPercentage": 90, "InstanceWarmup": 120, "SkipMatching": True}
    wanted = {"AutoScalingGroupName": "web", "Strategy": "Rolling", "Preferences": preferences}
    assert aws.asked("StartInstanceRefresh") == [wanted] * 2


def test_the_newest_refresh_is_seen_with_its_reason(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.group("web")
    cloud.cancel_refresh("web")
    assert aws.writes == []
    cloud.start_refresh("web", 90, 0)
    cloud.cancel_refresh("web")
    cloud.cancel_refresh("web")
    assert aws.writes == ["StartInstanceRefresh", "CancelInstanceRefresh"]
    seen = [cloud.group("web") for _ in range(2)]
    assert [each.refresh.status for each in seen if each and each.refresh] == ["Cancelling", "Cancelled"]
    aws.dials.refresh_failure = "No healthy members."
    cloud.start_refresh("web", 90, 0)
    assert [aws.world.go_on("web") for _ in range(2)] == ["InProgress", "Failed"]
    found = cloud.group("web")
    assert found and found.refresh
    assert found.refresh == Refresh(found.refresh.refresh_id, "Failed", "No healthy members.")


# Databases.


def test_a_database_goes_from_one_class_to_another(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.database("orders", "db.r6g.xlarge")
    assert cloud.database("orders") == Database("orders", "db.r6g.xlarge", "available")
    cloud.set_class("orders", "db.r6g.xlarge")
    assert aws.asked("ModifyDBInstance") == []
    aws.dials.modifying = 3
    cloud.set_class("orders", "db.r6g.large")
    assert cloud.database("orders") == Database("orders", "db.r6g.xlarge", "available", "db.r6g.large")
    assert cloud.database("orders") == Database("orders", "db.r6g.xlarge", "modifying", "db.r6g.large")
    cloud.set_class("orders", "db.r6g.large")
    assert "(InvalidDBInstanceState)" in failure(aws, CloudRefused, cloud.set_class, "orders", "db.r6g.2xlarge")
    assert cloud.database("orders") == Database("orders", "db.r6g.large", "available")
    wanted = {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.r6g.large", "ApplyImmediately": True}
    assert (aws.asked("ModifyDBInstance")[0], aws.writes) == (wanted, ["ModifyDBInstance"])


@pytest.mark.parametrize("wanted", ["db.r6g.large", "db.r6g.xlarge"])
def test_a_class_that_waits_is_brought_in_or_taken_back_at_once(aws: AwsServer, cloud: AwsCloud, wanted: str) -> None:
    aws.world.database("orders", "db.r6g.xlarge")
    aws.world.leave_pending("orders", DBInstanceClass="db.r6g.large")
    cloud.set_class("orders", wanted)
    assert [cloud.database("orders") for _ in range(3)][-1] == Database("orders", wanted, "available")


def test_a_class_does_not_bring_in_what_else_waits(aws: AwsServer, cloud: AwsCloud) -> None:
    aws.world.database("orders")
    aws.world.leave_pending("orders", EngineVersion="17.2", MasterUserPassword="hunter2hunter2", MultiAZ=False)
    told = failure(aws, CloudRefused, cloud.set_class, "orders", "db.r6g.large")
    assert "has other changes waiting (EngineVersion, MasterUserPassword, MultiAZ)" in told
    assert "hunter2" not in told
    assert aws.asked("ModifyDBInstance") == []


def test_there_is_no_class_for_no_database(aws: AwsServer, cloud: AwsCloud) -> None:
    assert cloud.database("nope") is None
    assert "(DBInstanceNotFound)" in failure(aws, CloudRefused, cloud.set_class, "nope", "db.r6g.large")


# Failures.


def test_a_size_without_capacity_is_a_shortage_and_changes_nothing(aws: AwsServer, cloud: AwsCloud) -> None:
    instance = aws.world.instance("m5.large", "stopped")
    aws.world.database("orders")
    aws.dials.exhausted |= {"m5.large", "db.r6g.large"}
    assert "(InsufficientInstanceCapacity)" in failure(aws, CapacityShortage, cloud.start, instance)
    assert "(InsufficientDBInstanceCapacity)" in failure(aws, CapacityShortage, cloud.set_class, "orders", "db.r6g.large")
    assert (aws.world.state(instance), aws.writes) == ("stopped", [])
    for status, code in ((500, "InsufficientHostCapacity"), (500, "InsufficientReservedInstanceCapacity")):
        aws.faults.add(Fault("StartInstances", "refused", status=status, code=code, message="None left."))
        assert f"({code})" in failure(aws, CapacityShortage, cloud.start, instance)
    aws.faults.add(Fault("StartInstances", "refused", status=403, code="SomethingNew", message="No."))
    assert "(SomethingNew)" in failure(aws, AccessDenied, cloud.start, instance)


TAG = "and with the policy of 'nightshift iam-policy --apply' the tag must be there."


@pytest.mark.parametrize(
    ("operation", "act", "needs"),
    [
        ("DescribeInstances", lambda cloud: cloud.machine(ABSENT), "ec2:DescribeInstances."),
        ("StopInstances", lambda cloud: cloud.stop(ABSENT), f"ec2:StopInstances, {TAG}"),
        ("StartInstances", lambda cloud: cloud.start(ABSENT), "ec2:StartInstances, and kms:CreateGrant where a volume"),
        ("UpdateAutoScalingGroup", lambda cloud: cloud.set_group_size("a", 1, 1), f"autoscaling:UpdateAutoScalingGroup, {TAG}"),
        ("UpdateAutoScalingGroup", lambda cloud: cloud.use_template("web", "a", "1"), "autoscaling:UpdateAutoScalingGroup and"),
        ("DescribeDBInstances", lambda cloud: cloud.set_class("orders", "db.r6g.large"), "rds:DescribeDBInstances."),
    ],
)  # fmt: skip
def test_a_right_that_is_missing_is_named(
    aws: AwsServer, cloud: AwsCloud, operation: str, act: Callable[[AwsCloud], object], needs: str
) -> None:
    aws.faults.add(Fault(operation, "denied"), Fault(operation, "expired", times=2))
    assert f"; the account needs {needs}" in failure(aws, AccessDenied, act, cloud)
    assert failure(aws, AccessDenied, act, cloud).endswith("renew them.")
    assert len(aws.log) == 3


def test_without_usable_credentials_nothing_is_sent(
    aws: AwsServer, connect: Connect, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "ProfileNotFound" in failure(aws, AccessDenied, connect().stop, ABSENT)
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "PartialCredentialsError" in failure(aws, AccessDenied, connect().stop, ABSENT)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "needs ec2:StopInstances" in failure(aws, AccessDenied, connect().stop, ABSENT)
    assert "needs sts:AssumeRole" in failure(aws, AccessDenied, connect(role_arn=aws.world.role()).stop, ABSENT)
    assert (aws.log, waits.slept) == ([], [])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASTRANGER00000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws.secret)
    assert "(AuthFailure)" in failure(aws, AccessDenied, connect().stop, ABSENT)


@pytest.mark.parametrize("kind", ["throttled", "refused"])
def test_a_write_that_aws_put_off_is_sent_again(aws: AwsServer, cloud: AwsCloud, waits: Waits, kind: str) -> None:
    aws.world.group("web")
    options = {"code": "ResourceContention", "status": 500} if kind == "refused" else {}
    aws.faults.add(Fault("UpdateAutoScalingGroup", kind, times=3, **options))  # type: ignore[arg-type]
    cloud.set_group_size("web", 2, 2)
    assert [each.status for each in aws.log][-1] == 200
    assert aws.writes == ["UpdateAutoScalingGroup"]
    assert [low <= each <= 2 * low for each, low in zip(waits.slept, (0.5, 1.0, 2.0), strict=True)] == [True] * 3
    aws.faults.add(Fault("UpdateAutoScalingGroup", kind, times=99, **options))  # type: ignore[arg-type]
    assert "nothing was done" in failure(aws, CloudError, cloud.set_group_size, "web", 1, 1)
    assert len(aws.asked("UpdateAutoScalingGroup")) == 8


@pytest.mark.parametrize(
    "kind",
    [
        "drop_before", "drop_after", "internal_error_before", "internal_error_after", "unavailable_before", "unavailable_after",
        "garbled",
    ],
)  # fmt: skip
def test_a_write_that_may_have_worked_is_not_sent_again_but_a_read_is(
    aws: AwsServer, cloud: AwsCloud, waits: Waits, kind: str
) -> None:
    instance = aws.world.instance()
    aws.faults.add(Fault("StopInstances", kind))
    assert "it is not known whether it was done" in failure(aws, CloudError, cloud.stop, instance)
    assert (len(aws.asked("StopInstances")), waits.slept) == (1, [])
    assert aws.writes == (["StopInstances"] if kind.endswith("_after") else [])
    aws.faults.add(Fault("DescribeInstances", kind, times=3))
    assert cloud.machine(instance)
    assert len(aws.asked("DescribeInstances")) == 4
    aws.faults.add(Fault("DescribeInstances", kind, times=99))
    told = failure(aws, CloudError, cloud.machine, instance)
    assert "ask again later" in told and "not known" not in told
    assert (len(aws.asked("DescribeInstances")), len(waits.slept)) == (8, 6)


@pytest.mark.parametrize("kind", ["hang_before", "hang_after"])
def test_an_answer_that_does_not_come_is_not_waited_for(aws: AwsServer, connect: Connect, kind: str) -> None:
    instance = aws.world.instance()
    aws.faults.add(Fault("StopInstances", kind))
    told = failure(aws, CloudError, connect(timeout_seconds=0.2).stop, instance)
    assert told.startswith(f"AWS did not answer StopInstances of {instance} (ReadTimeoutError); it is not known")
    assert len(aws.asked("StopInstances")) == 1


def test_where_nobody_listens_nothing_was_done(aws: AwsServer, connect: Connect, waits: Waits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    told = failure(aws, CloudError, connect(endpoint_url=f"http://127.0.0.1:{port}").stop, ABSENT)
    assert "cannot be reached" in told and "nothing was done" in told
    assert len(waits.slept) == 3
    assert "correct the region" in failure(aws, InputError, connect(region="not a region").stop, ABSENT)


@pytest.mark.parametrize(("code", "kind"), [("OperationNotPermitted", CloudRefused), ("SignatureDoesNotMatch", AccessDenied)])
def test_credentials_that_aws_repeats_are_not_told(
    aws: AwsServer, connect: Connect, code: str, kind: type[NightshiftError]
) -> None:
    cloud = connect(role_arn=aws.world.role())
    assert cloud.machine(ABSENT) is None
    message = "The instance is kept. " + " ".join(f"x-amz:{each}" for each in sorted(aws.secrets))
    aws.faults.add(Fault("StopInstances", "refused", code=code, message=message))
    told = failure(aws, kind, cloud.stop, ABSENT)
    assert len(aws.secrets) == 5
    assert ("The instance is kept." in told) is (kind is CloudRefused)


# Roles.


def test_a_role_is_assumed_once_and_signs_what_is_asked(aws: AwsServer, connect: Connect) -> None:
    cloud = connect(role_arn=aws.world.role(external_id="acme"), external_id="acme")
    assert [cloud.machine(ABSENT), cloud.group("web"), cloud.database("orders"), cloud.machine(ABSENT)] == [None] * 4
    first, *others = aws.log
    role = aws.world.role(external_id="acme")
    assert (first.operation, first.key) == ("AssumeRole", aws.key)
    assert first.parameters == {"RoleArn": role, "RoleSessionName": "nightshift", "ExternalId": "acme"}
    assert {(each.operation == "AssumeRole", each.key) for each in others} == {(False, "ASIANIGHTSHIFT000001")}


def test_a_session_that_is_about_to_end_is_renewed(aws: AwsServer, connect: Connect) -> None:
    cloud = connect(role_arn=aws.world.role())
    aws.dials.session_seconds = 300
    for _ in range(2):
        assert cloud.machine(ABSENT) is None
    keys = [each.key for each in aws.log if each.operation == "DescribeInstances"]
    assert len(set(keys) - {aws.key}) == 2
    aws.dials.session_seconds = -1
    assert "RuntimeError" in failure(aws, AccessDenied, cloud.machine, ABSENT)


def test_a_role_that_does_not_trust_is_told_and_nothing_else_is_sent(aws: AwsServer, connect: Connect, waits: Waits) -> None:
    role = aws.world.role(external_id="acme")
    told = failure(aws, AccessDenied, connect(role_arn=role, external_id="other").stop, ABSENT)
    assert told.startswith(f"AWS does not allow AssumeRole of the role {role} (AccessDenied); the account needs sts:AssumeRole")
    assert "external id" in told and "other" not in told
    aws.faults.add(Fault("AssumeRole", "unavailable_before", times=99))
    assert "AssumeRole" in failure(aws, CloudError, connect(role_arn=role, external_id="acme").stop, ABSENT)
    assert ([each.operation for each in aws.log], len(waits.slept)) == (["AssumeRole"] * 5, 3)
    aws.faults.clear()
    aws.faults.add(Fault("AssumeRole", "throttled", times=2))
    assert connect(role_arn=role, external_id="acme").machine(ABSENT) is None


def test_a_role_of_a_profile_signs_too(
    aws: AwsServer, connect: Connect, waits: Waits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    role, instance = aws.world.role(external_id="acme"), aws.world.instance()
    base = f"[profile base]\naws_access_key_id = {aws.key}\naws_secret_access_key = {aws.secret}\nregion = {aws.region}\n"
    deploy = f"[profile deploy]\nsource_profile = base\nrole_arn = {role}\nregion = {aws.region}\nexternal_id = "
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    settings = {"CONFIG_FILE": str(tmp_path / "config"), "PROFILE": "deploy", "ENDPOINT_URL_STS": aws.url, "MAX_ATTEMPTS": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    (tmp_path / "config").write_text(f"{base}{deploy}other\n")
    told = failure(aws, AccessDenied, connect().stop, instance)
    assert f"refused to sign in for StopInstances of {instance} (AssumeRole: AccessDenied)" in told
    assert [each.operation for each in aws.log] == ["AssumeRole"]
    (tmp_path / "config").write_text(f"{base}{deploy}acme\n")
    # Whatever becomes of the sign-in, the write was not sent.
    aws.faults.add(*(Fault("AssumeRole", kind) for kind in ("throttled", "unavailable_before", "drop_after")))
    connect().stop(instance)
    assert (aws.log[-1].key, aws.writes, len(waits.slept)) == ("ASIANIGHTSHIFT000002", ["StopInstances"], 3)


def test_nothing_is_asked_of_another_account_than_was_meant(aws: AwsServer, connect: Connect) -> None:
    group = aws.world.group()
    told = failure(aws, AccessDenied, connect(account_id="318204967715").set_group_size, group, 1, 1)
    assert told == "The credentials are of the account 123456789012, not of 318204967715; correct aws.accounts or its role."
    assert ([each.operation for each in aws.log], aws.writes) == (["GetCallerIdentity"], [])


# Rights.


def test_every_operation_that_is_asked_is_declared_with_its_rights(aws: AwsServer, connect: Connect) -> None:
    instance, group, identifier = aws.world.instance("m5.xlarge", "stopped"), aws.world.group(), aws.world.database()
    template = aws.world.template_of(group)
    acts: dict[str, tuple[Any, ...]] = {
        "machine": (instance,), "set_type": (instance, "m5.large"), "start": (instance,), "stop": (aws.world.instance(),),
        "group": (group,), "set_group_size": (group, 1, 2), "add_template_version": (template, "1", "m5.large", "t"),
        "use_template": (group, template, "2"), "start_refresh": (group, 90, 0), "cancel_refresh": (group,),
        "database": (identifier,), "set_class": (identifier, "db.r6g.large"),
    }  # fmt: skip
    assert set(acts) == {each for each in vars(Cloud) if not each.startswith("_")}
    with connect(role_arn=aws.world.role(), account_id="123456789012") as cloud:
        for name, arguments in acts.items():
            getattr(cloud, name)(*arguments)
    declared = {(each, is_write) for each, is_write in itertools.chain(
        ((each, False) for module in aws_cloud.MODULES for each in module.READS),
        ((each, True) for module in aws_cloud.MODULES for each in module.WRITES),
    )}  # fmt: skip
    assert {(each.service, each.operation) for each in aws.log} == {(each.service, each.name) for each, _ in declared}
    assert all(each.is_write == is_write for each, is_write in declared)
    assert all(each.is_write != each.name.startswith(("Describe", "Assume", "Get")) for each, _ in declared)
    assert all(f"{each.service}:{each.name}" in each.permissions for each, _ in declared)


def test_the_rights_are_these() -> None:
    assert aws_cloud.READ_PERMISSIONS == (
        "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions", "rds:DescribeDBInstances", "sts:AssumeRole",
        "sts:GetCallerIdentity",
    )  # fmt: skip
    assert aws_cloud.WRITE_PERMISSIONS == (
        "autoscaling:CancelInstanceRefresh", "autoscaling:StartInstanceRefresh", "autoscaling:UpdateAutoScalingGroup",
        "ec2:CreateLaunchTemplateVersion", "ec2:ModifyInstanceAttribute", "ec2:RunInstances", "ec2:StartInstances",
        "ec2:StopInstances", "rds:ModifyDBInstance",
    )  # fmt: skip
    assert [right for right, _ in aws_cloud.CONDITIONAL_PERMISSIONS] == [
        "ec2:CreateTags", "iam:PassRole", "kms:CreateGrant", "ssm:GetParameters",
    ]  # fmt: skip
    assert set(aws_cloud.PERMISSIONS) == {each for module in aws_cloud.MODULES for each in module.PERMISSIONS}


def test_a_command_that_asks_nothing_of_aws_does_not_load_it() -> None:
    code = "import sys, dagster_project.actions.aws.cloud as c; c.AwsCloud(region='eu-west-1'); print('botocore' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True).stdout.strip() == b"False"

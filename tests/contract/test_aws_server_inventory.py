"""The strict AWS: lists of what an account has, page by page, as the real client reads them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.aws import AwsServer, fixtures
from tests.aws.fixtures import Ask, refused, signed_in

aws, clients, ask = fixtures.aws, fixtures.clients, fixtures.ask
Read = Callable[..., list[list[Any]]]
NEXT = "NextToken"
MAY = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def read(ask: Ask) -> Read:
    """The pages of a list: of each thing what ``of`` says."""

    def pages(service: str, operation: str, listed: str, of: str, token: str = NEXT, **parameters: Any) -> list[list[Any]]:
        found: list[list[Any]] = []
        following: dict[str, Any] = {}
        while len(found) < 50:
            answer = ask(service, operation, **parameters, **following)
            found.append([each[of] for each in _things(answer, listed)])
            if token not in answer:
                return found
            following = {token: answer[token]}
        raise AssertionError("it does not end")

    return pages


def flat(pages: list[list[Any]]) -> list[Any]:
    return [*itertools.chain.from_iterable(pages)]


def _things(answer: dict[str, Any], listed: str) -> list[dict[str, Any]]:
    if listed == "Reservations":
        return [thing for each in answer[listed] for thing in each["Instances"]]
    things: list[dict[str, Any]] = answer[listed]
    return things


def instance(ask: Ask, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ask("ec2", "DescribeInstances", InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return found


# Instances.


def test_instances_come_in_pages_each_once_and_in_the_states_that_are_asked_for(aws: AwsServer, ask: Ask, read: Read) -> None:
    made = {*aws.world.instances(11)}
    stopped, gone = aws.world.instance(state="stopped"), aws.world.instance(state="terminated")
    every = read("ec2", "DescribeInstances", "Reservations", "InstanceId", MaxResults=5)
    assert [len(page) for page in every] == [5, 5, 3]
    assert sorted(flat(every)) == sorted({*made, stopped, gone})
    alive = {"Name": "instance-state-name", "Values": ["running", "stopped"]}
    found = read("ec2", "DescribeInstances", "Reservations", "InstanceId", MaxResults=6, Filters=[alive])
    assert [len(page) for page in found] == [6, 6]
    assert {*flat(found)} == {*made, stopped}
    assert len(ask("ec2", "DescribeInstances")["Reservations"]) == 13


def test_a_page_may_be_shorter_than_it_was_asked_to_be_or_empty(aws: AwsServer, ask: Ask, read: Read) -> None:
    made = aws.world.instances(7)
    aws.dials.most_per_page, aws.dials.is_first_page_empty = 3, True
    found = read("ec2", "DescribeInstances", "Reservations", "InstanceId", MaxResults=1000)
    assert [len(page) for page in found] == [0, 3, 3, 1]
    assert {*flat(found)} == {*made}


def test_what_goes_between_two_pages_moves_nothing_else(aws: AwsServer, ask: Ask) -> None:
    ids = sorted(aws.world.fleet(12))
    first = ask("ec2", "DescribeInstances", MaxResults=5)
    aws.world.vanish(ids[2])
    rest = ask("ec2", "DescribeInstances", MaxResults=10, NextToken=first["NextToken"])["Reservations"]
    assert [each["Instances"][0]["InstanceId"] for each in rest] == ids[5:]


def test_a_state_that_passes_is_seen_in_the_list(aws: AwsServer, ask: Ask) -> None:
    made = aws.world.instance()
    ask("ec2", "StopInstances", InstanceIds=[made])

    def seen(*states: str) -> int:
        return len(
            ask("ec2", "DescribeInstances", Filters=[{"Name": "instance-state-name", "Values": [*states]}])["Reservations"]
        )

    assert [seen("stopping"), seen("stopped"), seen("stopping")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("service", "operation", "asked", "code"),
    [
        ("ec2", "DescribeInstances", {"MaxResults": 4}, "InvalidParameterValue"),
        ("ec2", "DescribeInstances", {"MaxResults": 1001}, "InvalidParameterValue"),
        ("ec2", "DescribeInstances", {"MaxResults": 5, "InstanceIds": ["i-0123456789abcdef0"]}, "InvalidParameterCombination"),
        ("ec2", "DescribeInstances", {"NextToken": "made-up"}, "InvalidPaginationToken"),
        ("ec2", "DescribeVolumes", {"MaxResults": 1}, "InvalidParameterValue"),
        ("ec2", "DescribeVolumes", {"NextToken": "bWFkZS11cA=="}, "InvalidPaginationToken"),
        ("ec2", "DescribeVolumes", {"VolumeIds": ["vol-0123456789abcdef0"]}, "InvalidVolume.NotFound"),
        ("ec2", "DescribeVolumes", {"VolumeIds": ["vol-1"], "MaxResults": 5}, "InvalidParameterCombination"),
        ("ec2", "DescribeReservedInstances", {"ReservedInstancesIds": ["nope"]}, "InvalidReservedInstancesId"),
        ("autoscaling", "DescribeAutoScalingGroups", {"MaxRecords": 101}, "ValidationError"),
        ("autoscaling", "DescribeAutoScalingGroups", {"NextToken": "made-up"}, "InvalidNextToken"),
        ("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["a"] * 51}, "ValidationError"),
        ("autoscaling", "DescribeLaunchConfigurations", {"MaxRecords": 101}, "ValidationError"),
        ("rds", "DescribeDBInstances", {"MaxRecords": 19}, "InvalidParameterValue"),
        ("rds", "DescribeDBInstances", {"MaxRecords": 101}, "InvalidParameterValue"),
        ("rds", "DescribeDBInstances", {"Marker": "made-up"}, "InvalidParameterValue"),
        ("rds", "DescribeReservedDBInstances", {"MaxRecords": 19}, "InvalidParameterValue"),
        ("savingsplans", "DescribeSavingsPlans", {"maxResults": 1001, "region": "us-east-1"}, "ValidationException"),
        ("savingsplans", "DescribeSavingsPlans", {"nextToken": "abc", "region": "us-east-1"}, "ValidationException"),
    ],
)  # fmt: skip
def test_lists_have_bounds(ask: Ask, service: str, operation: str, asked: dict[str, Any], code: str) -> None:
    assert refused(ask, service, operation, **asked) == (400, code)


def test_a_token_is_good_for_its_question_only(aws: AwsServer, ask: Ask) -> None:
    other = aws.account("222222222222")
    for world in (aws.world, other.world(), aws.in_account("123456789012", "us-east-1")):
        world.fleet(6, volume_gib=8)
    token = ask("ec2", "DescribeInstances", MaxResults=5)["NextToken"]
    wrong = (400, "InvalidPaginationToken")
    state = {"Filters": [{"Name": "instance-state-name", "Values": ["running"]}]}
    assert refused(ask, "ec2", "DescribeInstances", NextToken=token, **state) == wrong
    assert refused(ask, "ec2", "DescribeVolumes", NextToken=token) == wrong
    assert refused(ask, "ec2", "DescribeInstances", NextToken=token, region="us-east-1") == wrong
    assert refused(ask, "ec2", "DescribeInstances", NextToken=token, key=signed_in(ask, other)) == wrong
    assert len(ask("ec2", "DescribeInstances", NextToken=token)["Reservations"]) == 1


def test_a_test_says_what_an_instance_is(aws: AwsServer, ask: Ask) -> None:
    made = aws.world.instance(
        "c5.xlarge",
        is_spot=True,
        tags={"team": "shop", "eks:cluster-name": "prod", "aws:ecs:clusterName": "jobs"},
        launched_at=MAY,
        platform="Windows",
        tenancy="dedicated",
        zone="eu-west-1b",
        EbsOptimized=True,
        Monitoring={"State": "enabled"},
    )
    found = instance(ask, made)
    assert (found["InstanceType"], found["InstanceLifecycle"], found["LaunchTime"]) == ("c5.xlarge", "spot", MAY)
    assert {each["Key"]: each["Value"] for each in found["Tags"]}["eks:cluster-name"] == "prod"
    assert (found["Platform"], found["PlatformDetails"], found["UsageOperation"]) == ("windows", "Windows", "RunInstances:0002")
    assert (found["Placement"]["Tenancy"], found["Placement"]["AvailabilityZone"]) == ("dedicated", "eu-west-1b")
    assert (found["EbsOptimized"], found["Monitoring"]["State"]) == (True, "enabled")
    plain = instance(ask, aws.world.instance())
    assert ("Platform" in plain, plain["PlatformDetails"], plain["Placement"]["Tenancy"]) == (False, "Linux/UNIX", "default")
    aws.world.describe(made, Tags=[{"Key": "team", "Value": "search"}], Platform=None)
    found = instance(ask, made)
    assert (len(found["Tags"]), found["Tags"][0]["Value"], "Platform" in found) == (3, "search", False)


def test_an_instance_is_launched_when_it_is_started_again(aws: AwsServer, ask: Ask) -> None:
    made = aws.world.instance(state="stopped", launched_at=MAY)
    assert instance(ask, made)["LaunchTime"] == MAY
    ask("ec2", "StartInstances", InstanceIds=[made])
    assert instance(ask, made)["LaunchTime"] == aws.dials.now


def test_a_fleet_is_read_as_instances_are(aws: AwsServer, ask: Ask, read: Read) -> None:
    ids = aws.world.fleet(
        40, "r5.2xlarge", tags={"team": "shop"}, launched_at=MAY, platform="Red Hat Enterprise Linux", volume_gib=50
    )
    more = aws.world.fleet(2)
    every = read("ec2", "DescribeInstances", "Reservations", "InstanceId", MaxResults=20)
    assert [len(page) for page in every] == [20, 20, 2] and {*flat(every)} == {*ids, *more}
    found = instance(ask, ids[7])
    assert (found["InstanceType"], found["LaunchTime"], found["Tags"]) == ("r5.2xlarge", MAY, [{"Key": "team", "Value": "shop"}])
    assert flat(read("ec2", "DescribeVolumes", "Volumes", "Size")) == [50] * 40
    assert len(found["BlockDeviceMappings"]) == 1
    aws.world.terminate(ids[7])
    aws.world.describe(ids[8], InstanceType="r5.xlarge", LaunchTime=aws.dials.now)
    assert instance(ask, ids[7])["State"]["Name"] == "terminated"
    assert (instance(ask, ids[8])["InstanceType"], instance(ask, ids[8])["LaunchTime"]) == ("r5.xlarge", aws.dials.now)


def test_ids_are_the_same_in_every_run(aws: AwsServer) -> None:
    first = aws.world.instance()
    aws.reset()
    assert aws.world.instance() == first


# Volumes.


def test_volumes_have_what_their_kind_gives(aws: AwsServer, ask: Ask, read: Read) -> None:
    made = aws.world.instance()
    ids = [
        aws.world.volume(500, attached_to=made, tags={"team": "shop"}, created_at=MAY),
        aws.world.volume(500, "gp3", iops=6000, throughput=500),
        aws.world.volume(20, "gp2"),
        aws.world.volume(10_000, "gp2"),
        aws.world.volume(100, "io2", iops=9000),
        aws.world.volume(1000, "st1"),
    ]
    found = ask("ec2", "DescribeVolumes", VolumeIds=ids)["Volumes"]
    speeds = [(each["VolumeType"], each.get("Iops"), each.get("Throughput")) for each in found]
    assert speeds[:3] == [("gp3", 3000, 125), ("gp3", 6000, 500), ("gp2", 100, None)]
    assert speeds[3:] == [("gp2", 16_000, None), ("io2", 9000, None), ("st1", None, None)]
    assert (found[0]["CreateTime"], found[0]["State"], found[1]["State"]) == (MAY, "in-use", "available")
    assert (found[0]["Attachments"][0]["InstanceId"], found[0]["Tags"][0]["Key"]) == (made, "team")
    # The instance has a root volume, too.
    root, data = instance(ask, made)["BlockDeviceMappings"]
    assert (data["DeviceName"], data["Ebs"]["VolumeId"]) == ("/dev/sdf", ids[0]) and root["Ebs"]["VolumeId"] != ids[0]
    pages = read("ec2", "DescribeVolumes", "Volumes", "VolumeId", MaxResults=5)
    assert [len(page) for page in pages] == [5, 2] and {*ids} < {*flat(pages)}
    with pytest.raises(AssertionError, match="io2 needs iops"):
        aws.world.volume(100, "io2")


# Groups.


def test_groups_come_in_pages_with_what_they_launch(aws: AwsServer, ask: Ask, read: Read) -> None:
    shares = {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 25}
    aws.world.group("a", tags={"team": "shop"}, created_at=MAY)
    aws.world.group("b", size=1, kind="mixed", overrides=["m5.large", "m5a.large"], distribution=shares)
    aws.world.group("c", "t3.large", size=0, min_size=0, kind="configuration")
    assert read("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", "AutoScalingGroupName", MaxRecords=2) == [
        [*"ab"],
        [*"c"],
    ]
    one, two, three = ask("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"]
    assert (one["CreatedTime"], one["Tags"][0]["Key"], one["Tags"][0]["PropagateAtLaunch"]) == (MAY, "team", True)
    member = instance(ask, one["Instances"][0]["InstanceId"])
    tags = {each["Key"]: each["Value"] for each in member["Tags"]}
    assert (tags["team"], tags["aws:autoscaling:groupName"], member["LaunchTime"]) == ("shop", "a", MAY)
    policy = two["MixedInstancesPolicy"]
    assert [each["InstanceType"] for each in policy["LaunchTemplate"]["Overrides"]] == ["m5.large", "m5a.large"]
    assert {name: policy["InstancesDistribution"][name] for name in shares} == shares
    assert three["LaunchConfigurationName"] == "c"
    (found,) = ask("autoscaling", "DescribeLaunchConfigurations", MaxRecords=100)["LaunchConfigurations"]
    assert (found["LaunchConfigurationName"], found["InstanceType"]) == ("c", "t3.large")
    assert ask("autoscaling", "DescribeLaunchConfigurations", LaunchConfigurationNames=["d"])["LaunchConfigurations"] == []
    brief = ask("autoscaling", "DescribeAutoScalingGroups", IncludeInstances=False)["AutoScalingGroups"]
    assert [each["Instances"] for each in brief] == [[], [], []]


# Databases.


def test_databases_come_in_pages_as_a_test_says_they_are(aws: AwsServer, ask: Ask, read: Read) -> None:
    for number in range(20):
        aws.world.database(f"plain-{number:02d}", "db.t3.medium")
    aws.world.database("writer", engine="aurora-postgresql", cluster="shop", created_at=MAY, PromotionTier=1)
    aws.world.database("orders", engine="mysql", multi_az=True, storage_gib=400, storage_type="gp3", iops=12_000, throughput=500)
    aws.world.database("copy", replica_of="orders", tags={"team": "shop"}, DBInstanceStatus="stopped")
    pages = read("rds", "DescribeDBInstances", "DBInstances", "DBInstanceIdentifier", "Marker", MaxRecords=20)
    assert [len(page) for page in pages] == [20, 3] and pages[0][:2] == ["copy", "orders"]
    found = {each["DBInstanceIdentifier"]: each for each in ask("rds", "DescribeDBInstances", MaxRecords=100)["DBInstances"]}
    writer, orders, copy = found["writer"], found["orders"], found["copy"]
    assert (writer["Engine"], writer["DBClusterIdentifier"], writer["StorageType"]) == ("aurora-postgresql", "shop", "aurora")
    assert (writer["AllocatedStorage"], writer["InstanceCreateTime"], writer["PromotionTier"]) == (1, MAY, 1)
    assert (orders["MultiAZ"], orders["AllocatedStorage"], orders["Iops"]) == (True, 400, 12_000)
    assert (orders["StorageType"], orders["StorageThroughput"], orders["EngineVersion"]) == ("gp3", 500, "8.0.39")
    assert (copy["ReadReplicaSourceDBInstanceIdentifier"], copy["TagList"]) == ("orders", [{"Key": "team", "Value": "shop"}])
    assert (copy["DBInstanceStatus"], orders["DBInstanceStatus"]) == ("stopped", "available")


def test_a_change_goes_on_in_the_list_too(aws: AwsServer, ask: Ask) -> None:
    aws.world.database("orders", "db.r6g.xlarge")
    ask("rds", "ModifyDBInstance", DBInstanceIdentifier="orders", DBInstanceClass="db.r6g.large", ApplyImmediately=True)
    seen = [ask("rds", "DescribeDBInstances")["DBInstances"][0] for _ in range(3)]
    assert [(each["DBInstanceStatus"], each["DBInstanceClass"]) for each in seen] == [
        ("available", "db.r6g.xlarge"),
        ("modifying", "db.r6g.xlarge"),
        ("available", "db.r6g.large"),
    ]


# Commitments.


def test_reserved_instances_are_listed_all_at_once(aws: AwsServer, ask: Ask) -> None:
    first = aws.world.reserved_instances("m5.large", 10, hourly_usd=0.06, start=MAY, years=3, tags={"team": "shop"})
    aws.world.reserved_instances(
        "c5.xlarge", zone="eu-west-1a", platform="Windows", state="retired", payment="All Upfront", upfront_usd=900
    )
    bought = ask("ec2", "DescribeReservedInstances")["ReservedInstances"]
    assert [(each["Scope"], each["InstanceCount"], each["State"]) for each in bought] == [
        ("Region", 10, "active"),
        ("Availability Zone", 1, "retired"),
    ]
    assert (bought[0]["End"] - bought[0]["Start"]).days == 3 * 365 and bought[0]["Duration"] == 3 * 365 * 86_400
    assert bought[0]["RecurringCharges"] == [{"Amount": 0.06, "Frequency": "Hourly"}]
    assert (bought[1]["AvailabilityZone"], bought[1]["FixedPrice"]) == ("eu-west-1a", 900.0)
    active = ask("ec2", "DescribeReservedInstances", Filters=[{"Name": "state", "Values": ["active"]}])["ReservedInstances"]
    assert [each["ReservedInstancesId"] for each in active] == [first]
    assert ask("ec2", "DescribeReservedInstances", region="us-east-1")["ReservedInstances"] == []


def test_reserved_databases_come_in_pages(aws: AwsServer, ask: Ask, read: Read) -> None:
    for _ in range(20):
        aws.world.reserved_databases("db.r6g.large")
    aws.world.reserved_databases("db.r6g.large", 2, product="aurora-mysql", multi_az=True, hourly_usd=0.2, start=MAY)
    pages = read("rds", "DescribeReservedDBInstances", "ReservedDBInstances", "ProductDescription", "Marker", MaxRecords=20)
    assert [len(page) for page in pages] == [20, 1] and pages[1] == ["aurora-mysql"]
    last = ask("rds", "DescribeReservedDBInstances")["ReservedDBInstances"][-1]
    assert (last["MultiAZ"], last["DBInstanceCount"], last["StartTime"]) == (True, 2, MAY)
    assert last["RecurringCharges"][0]["RecurringChargeAmount"] == 0.2


def test_savings_plans_are_asked_for_in_one_region_and_hold_for_all(aws: AwsServer, ask: Ask, read: Read) -> None:
    aws.world.savings_plan(5.5, start=MAY, tags={"team": "shop"})
    aws.in_account("123456789012", "eu-central-1").savings_plan(2, "EC2Instance", family="m5", payment="Partial Upfront", years=3)
    aws.world.savings_plan(1, state="retired")
    assert refused(ask, "savingsplans", "DescribeSavingsPlans") == (403, "InvalidSignatureException")
    home = {"region": "us-east-1"}
    pages = read("savingsplans", "DescribeSavingsPlans", "savingsPlans", "commitment", "nextToken", maxResults=2, **home)
    assert pages == [["5.50000000", "2.00000000"], ["1.00000000"]]
    found = ask("savingsplans", "DescribeSavingsPlans", states=["active"], **home)["savingsPlans"]
    assert [(each["savingsPlanType"], each["state"]) for each in found] == [("Compute", "active"), ("EC2Instance", "active")]
    assert (found[0]["start"], found[0]["end"]) == ("2024-05-01T12:00:00.000Z", "2025-05-01T11:59:59.000Z")
    assert (found[1]["ec2InstanceFamily"], found[1]["region"]) == ("m5", "eu-central-1")
    assert (found[1]["upfrontPaymentAmount"], found[1]["recurringPaymentAmount"]) == ("26280.00000000", "1.00000000")
    one = ask("savingsplans", "DescribeSavingsPlans", savingsPlanIds=[found[1]["savingsPlanId"]], **home)["savingsPlans"]
    assert len(one) == 1 and found[0]["tags"] == {"team": "shop"}


@pytest.mark.parametrize(
    ("service", "operation", "asked"),
    [
        ("ec2", "DescribeInstances", {"Filters": [{"Name": "tag:team", "Values": ["shop"]}]}),
        ("ec2", "DescribeVolumes", {"Filters": [{"Name": "status", "Values": ["in-use"]}]}),
        ("rds", "DescribeDBInstances", {"Filters": [{"Name": "engine", "Values": ["mysql"]}]}),
        ("autoscaling", "DescribeAutoScalingGroups", {"Filters": [{"Name": "tag-key", "Values": ["team"]}]}),
        ("savingsplans", "DescribeSavingsPlans", {"filters": [{"name": "term", "values": ["1"]}], "region": "us-east-1"}),
    ],
)
def test_what_a_list_does_not_know_is_told(aws: AwsServer, ask: Ask, service: str, operation: str, asked: dict[str, Any]) -> None:
    assert refused(ask, service, operation, **asked) == (400, "Unexpected")
    assert len(aws.unexpected) == 1 and "NotImplementedError" in aws.unexpected[0]
    aws.unexpected.clear()


def test_an_answer_that_aws_could_not_give_is_a_mistake_of_the_test(aws: AwsServer, ask: Ask) -> None:
    made = aws.world.instance(Hypervisor="qemu", Colour="red", EbsOptimized="yes")
    assert refused(instance, ask, made) == (400, "Unexpected")
    (told,) = aws.unexpected
    for part in ("has no Colour", "Hypervisor is qemu", "EbsOptimized is str, not boolean"):
        assert part in told
    aws.unexpected.clear()

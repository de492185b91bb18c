"""The documents of ``nightshift iam-policy``."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dagster_project.errors import InputError
from dagster_project.pipeline import iam_policy
from dagster_project.pipeline.iam_policy import Wanted, apply_policy, as_text, own_policy, read_policy, trust_policy
from dagster_project.settings import Settings

Json = dict[str, Any]
INSTANCES = "arn:aws:ec2:*:*:instance/*"
TAGGED = {"aws:ResourceTag/nightshift": "apply"}
ROLE = "arn:aws:iam::111111111111:role/web"
UNTAGGED = {"StartLicensed", "StartEncrypted", "LaunchWhatTemplatesName", "PassRoles", "TagWhatIsLaunched", "ReadImageParameters"}
"""Statements on changes that ask for no tag, each with a condition of its own or with nothing that it changes."""
DOCUMENTS = {
    "read": read_policy(Wanted()),
    "apply": apply_policy(Wanted(pass_roles=(ROLE, "arn:aws:iam::111111111111:role/worker"))),
    "changes": apply_policy(Wanted(), with_reading=False),
    "china": apply_policy(Wanted("aws-cn")),
    "trust": trust_policy("arn:aws:iam::111111111111:role/nightshift", "b7c1"),
}
each_document = pytest.mark.parametrize("name", DOCUMENTS)


def by_sid(policy: Json) -> dict[str, Json]:
    return {each["Sid"]: each for each in policy["Statement"]}


def actions(policy: Json) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


@each_document
def test_a_document_is_one_that_iam_takes(name: str) -> None:
    policy = DOCUMENTS[name]
    assert policy["Version"] == "2012-10-17"
    sids = [each["Sid"] for each in policy["Statement"]]
    assert len(set(sids)) == len(sids) and all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    for each in policy["Statement"]:
        assert each["Effect"] == "Allow"
        assert each["Action"] == sorted(set(each["Action"])) and each["Action"]
        assert set(each) <= {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
        assert ("Resource" in each) != ("Principal" in each)


@each_document
def test_a_document_fits_into_a_managed_policy(name: str) -> None:
    assert len(re.sub(r"\s", "", as_text(DOCUMENTS[name]))) <= 6_144


@each_document
def test_no_right_is_a_pattern(name: str) -> None:
    assert [each for each in actions(DOCUMENTS[name]) if "*" in each or "?" in each] == []


def test_a_document_is_the_same_bytes_every_time() -> None:
    assert as_text(apply_policy(Wanted())) == as_text(apply_policy(Wanted()))
    assert json.loads(as_text(read_policy(Wanted()))) == read_policy(Wanted())


def test_reading_has_every_right_that_a_night_asks_for_once_and_no_other() -> None:
    given = [action for statement in DOCUMENTS["read"]["Statement"] for action in statement["Action"]]
    assert sorted(given) == sorted({right for each in iam_policy.reading() for right in each.permissions})
    assert {each.split(":")[1][:3] for each in given} <= {"Des", "Get", "Lis", "Loo"}
    assert all("Condition" not in each for each in DOCUMENTS["read"]["Statement"])


def test_reading_names_kinds_of_resources_where_aws_knows_them() -> None:
    narrow = {action: each["Resource"] for each in DOCUMENTS["read"]["Statement"] for action in each["Action"]}
    assert narrow["rds:DescribeDBInstances"] == ["arn:aws:rds:*:*:db:*"]
    assert narrow["cloudwatch:ListTagsForResource"] == ["arn:aws:cloudwatch:*:*:alarm:*"]
    # A right to single alarms would be none to composite ones.
    assert narrow["cloudwatch:DescribeAlarms"] == narrow["cloudwatch:DescribeAlarmHistory"] == ["*"]
    assert narrow["ec2:DescribeInstances"] == ["*"]


def test_applying_has_every_right_that_it_asks_for() -> None:
    wanted = {right for each in iam_policy.changing() for right in each.permissions}
    conditional = {right for each in iam_policy.changing() for right, _ in each.conditional}
    assert actions(DOCUMENTS["changes"]) == wanted | conditional - {"iam:PassRole"}
    assert actions(DOCUMENTS["apply"]) == actions(DOCUMENTS["read"]) | wanted | conditional


def test_the_role_for_changes_alone_reads_nothing_that_only_nights_need() -> None:
    assert "cloudtrail:LookupEvents" in actions(DOCUMENTS["apply"])
    assert "cloudtrail:LookupEvents" not in actions(DOCUMENTS["changes"])
    assert "ec2:DescribeInstanceStatus" in actions(DOCUMENTS["changes"])


def test_what_is_changed_must_have_the_tag() -> None:
    looks = {right for each in iam_policy.changing() if not each.is_write for right in each.permissions}
    for statement in DOCUMENTS["changes"]["Statement"]:
        if set(statement["Action"]) <= looks:
            continue
        tagged = TAGGED.items() <= statement.get("Condition", {}).get("StringEquals", {}).items()
        assert tagged != (statement["Sid"] in UNTAGGED), statement
        assert statement["Resource"] != ["*"]


def test_only_the_type_of_an_instance_may_be_modified() -> None:
    """User data runs as root at the next start."""
    (statement,) = [each for each in DOCUMENTS["apply"]["Statement"] if "ec2:ModifyInstanceAttribute" in each["Action"]]
    assert statement["Action"] == ["ec2:ModifyInstanceAttribute"] and statement["Resource"] == [INSTANCES]
    assert statement["Condition"] == {"StringEquals": {**TAGGED, "ec2:Attribute": "InstanceType"}}


def test_nothing_is_launched_but_from_a_template_with_the_tag() -> None:
    template, named = (each for each in DOCUMENTS["apply"]["Statement"] if "ec2:RunInstances" in each["Action"])
    assert template["Resource"] == ["arn:aws:ec2:*:*:launch-template/*"]
    assert template["Condition"] == {"StringEquals": TAGGED}
    # Without the condition nothing would ask for a template at all.
    assert named["Condition"] == {"ArnLike": {"ec2:LaunchTemplate": "arn:aws:ec2:*:*:launch-template/*"}}
    assert not any("launch-template" in each for each in named["Resource"])
    required = {"instance", "image", "network-interface", "security-group", "subnet"}
    assert required <= {each.split(":")[5].partition("/")[0] for each in named["Resource"]}


def test_grants_on_keys_are_ones_that_ec2_makes() -> None:
    statement = by_sid(DOCUMENTS["apply"])["StartEncrypted"]
    assert statement["Action"] == ["kms:CreateGrant"]
    assert statement["Condition"] == {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"},
    }


def test_roles_are_passed_only_where_they_are_named() -> None:
    assert "PassRoles" not in by_sid(apply_policy(Wanted()))
    statement = by_sid(DOCUMENTS["apply"])["PassRoles"]
    assert statement["Resource"] == [ROLE, "arn:aws:iam::111111111111:role/worker"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_tags_are_set_at_a_launch_only() -> None:
    assert by_sid(DOCUMENTS["apply"])["TagWhatIsLaunched"]["Condition"] == {"StringEquals": {"ec2:CreateAction": "RunInstances"}}


def test_the_tag_is_the_one_that_was_asked_for() -> None:
    text = as_text(apply_policy(Wanted(tag=("team/nightshift", "may resize"))))
    assert '"aws:ResourceTag/team/nightshift": "may resize"' in text
    assert '"aws:ResourceTag/nightshift"' not in text


@pytest.mark.parametrize(
    "tag", [("", "apply"), ("aws:name", "x"), ("nightshift", "${aws:username}"), ("a*", "b"), ("k", "v" * 257)]
)
def test_a_tag_that_would_mean_something_else_is_refused(tag: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="is no tag that AWS takes"):
        Wanted(tag=tag)


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        ("web", "is no role"),
        ("arn:aws:iam::111111111111:instance-profile/web", "is no role"),
        ("arn:aws:iam::111111111111:role/*", "is no role"),
        ("arn:aws-cn:iam::111111111111:role/web", "is not of the partition aws; name that one with --partition"),
    ],
)
def test_roles_to_be_passed_are_named_in_full(arn: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Wanted(pass_roles=(arn,))


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_every_arn_is_of_the_partition(partition: str) -> None:
    text = as_text(apply_policy(Wanted(partition, pass_roles=(ROLE.replace("aws", partition),))))
    assert set(re.findall(r'"arn:([^:]+):', text)) == {partition}
    assert "{" + "partition}" not in text and "{domain}" not in text


def test_services_of_china_have_two_names() -> None:
    condition = by_sid(DOCUMENTS["china"])["StartEncrypted"]["Condition"]
    assert condition["StringLike"]["kms:ViaService"] == ["ec2.*.amazonaws.com", "ec2.*.amazonaws.com.cn"]


def test_a_trust_asks_for_the_external_id() -> None:
    (statement,) = DOCUMENTS["trust"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:role/nightshift"}
    assert statement["Action"] == ["sts:AssumeRole"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "b7c1"}}
    assert "Condition" not in trust_policy("arn:aws:iam::111111111111:root", None)["Statement"][0]


NOBODY = ["*", "111111111111", "arn:aws:sts::111111111111:assumed-role/nightshift/i-1", "arn:aws:iam::1:root"]


@pytest.mark.parametrize("principal", NOBODY)
def test_nobody_is_trusted_who_is_not_named(principal: str) -> None:
    with pytest.raises(InputError, match="cannot be trusted; write the ARN of a role, a user or an account"):
        trust_policy(principal, "b7c1")


@pytest.mark.parametrize("external_id", ["", "x", "two words", '"'])
def test_an_external_id_that_aws_does_not_take_is_refused(external_id: str) -> None:
    with pytest.raises(InputError, match="AWS takes no such external id"):
        trust_policy("arn:aws:iam::111111111111:root", external_id)


def settings_of(*accounts: Json, **further: Any) -> Settings:
    return Settings.model_validate({"aws": {"accounts": list(accounts)}, **further})


def account(number: int, **fields: Any) -> Json:
    digits = f"{number:012d}"
    return {"id": digits, "role_arn": f"arn:aws:iam::{digits}:role/nightshift-read", **fields}


def test_the_own_credentials_assume_the_roles_of_the_settings_and_no_others() -> None:
    apply_role = "arn:aws:iam::000000000002:role/nightshift-apply"
    policy = own_policy(settings_of(account(2, may_change=True, apply_role_arn=apply_role), account(1)), Wanted())
    assert policy["Statement"] == [
        {
            "Sid": "AssumeRoles",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": [
                "arn:aws:iam::000000000001:role/nightshift-read",
                apply_role,
                "arn:aws:iam::000000000002:role/nightshift-read",
            ],
        }
    ]


def test_the_own_credentials_read_the_states_of_the_settings() -> None:
    roots = [{"path": "envs/prod", "state": "s3://acme-states/prod.tfstate"}, {"path": "envs/dev", "state": "dev.tfstate"}]
    policy = own_policy(settings_of(repositories=[{"name": "acme/infra", "roots": roots}]), Wanted("aws-us-gov"))
    assert policy["Statement"] == [
        {
            "Sid": "ReadTerraformStates",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws-us-gov:s3:::acme-states/prod.tfstate"],
        }
    ]


def test_the_own_credentials_do_what_no_role_does() -> None:
    alone = {"id": "000000000003"}
    assert actions(own_policy(settings_of(alone, account(1)), Wanted())) == {"sts:AssumeRole"} | actions(DOCUMENTS["read"])
    may_change = own_policy(settings_of({**alone, "may_change": True}), Wanted())
    assert may_change == apply_policy(Wanted())


def test_accounts_of_another_partition_are_another_document() -> None:
    both = settings_of(account(1), {"id": "000000000002", "role_arn": "arn:aws-cn:iam::000000000002:role/nightshift"})
    with pytest.raises(InputError, match="are of aws and aws-cn; name one with --partition"):
        iam_policy.partition_in(both)
    (statement,) = own_policy(both, Wanted("aws-cn"))["Statement"]
    assert statement["Resource"] == ["arn:aws-cn:iam::000000000002:role/nightshift"]
    with pytest.raises(InputError, match="name no account of aws-us-gov and no state in S3"):
        own_policy(both, Wanted("aws-us-gov"))


def test_the_partition_is_that_of_the_settings() -> None:
    assert iam_policy.partition_in(settings_of()) == "aws"
    assert iam_policy.partition_in(settings_of({"id": "000000000001", "regions": ["cn-north-1"]})) == "aws-cn"


def test_more_roles_than_a_policy_holds_are_said_with_a_way_out() -> None:
    assert own_policy(settings_of(*(account(number) for number in range(1, 90))), Wanted())
    with pytest.raises(InputError, match=r"has 9,869 characters, and AWS takes 6,144; give the roles of all accounts one name"):
        own_policy(settings_of(*(account(number) for number in range(1, 200))), Wanted())

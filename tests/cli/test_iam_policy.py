"""``nightshift iam-policy`` as a person or a script runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Nightshift

CONFIG = """
[[aws.accounts]]
id = "318204967715"
role_arn = "arn:aws-us-gov:iam::318204967715:role/nightshift-read"
external_id = "b7c1f2"
regions = ["us-gov-west-1"]
"""


def test_the_policy_is_plain_json_on_stdout(nightshift: Nightshift, tmp_path: Path) -> None:
    outcome = nightshift("iam-policy")
    assert outcome.returncode == 0 and outcome.stderr == ""
    policy = json.loads(outcome.stdout)
    assert policy["Version"] == "2012-10-17"
    assert "ec2:DescribeInstances" in str(policy) and "ec2:StopInstances" not in str(policy)
    assert nightshift("iam-policy").stdout == outcome.stdout
    assert [*tmp_path.iterdir()] == []


def test_changes_are_of_the_tag_that_was_asked_for(nightshift: Nightshift) -> None:
    outcome = nightshift(
        "iam-policy", "--apply", "--only-changes", "--tag", "team=a=b", "--pass-role", "arn:aws:iam::318204967715:role/web"
    )
    text = outcome.stdout
    assert '"aws:ResourceTag/team": "a=b"' in text and "arn:aws:iam::318204967715:role/web" in text
    assert "LookupEvents" not in text


def test_the_partition_and_the_roles_are_those_of_the_settings(nightshift: Nightshift, tmp_path: Path) -> None:
    config = tmp_path / "nightshift.toml"
    config.write_text(CONFIG)
    own = json.loads(nightshift("iam-policy", "--own", NIGHTSHIFT_CONFIG=str(config)).stdout)
    (statement,) = own["Statement"]
    assert statement["Resource"] == ["arn:aws-us-gov:iam::318204967715:role/nightshift-read"]
    text = nightshift("iam-policy", NIGHTSHIFT_CONFIG=str(config)).stdout
    assert set(re.findall(r'"arn:([^:]+):', text)) == {"aws-us-gov"}


def test_who_may_assume_the_role_is_a_document_of_its_own(nightshift: Nightshift) -> None:
    outcome = nightshift("iam-policy", "--trust", "arn:aws:iam::111111111111:root", "--external-id", "b7c1f2")
    (statement,) = json.loads(outcome.stdout)["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--tag", "apply"), "apply is no tag; write it as KEY=VALUE, such as nightshift=apply."),
        (("--own",), "The settings name no account of aws and no state in S3; add aws.accounts first."),
        (("--apply", "--pass-role", "web"), "web is no role; write it as arn:aws:iam::123456789012:role/web."),
        (("--apply", "--own"), "--apply, --trust and --own are documents of their own; ask for one at a time."),
        (("--only-changes",), "--only-changes and --pass-role belong to --apply."),
        (("--external-id", "b7c1f2"), "--external-id belongs to --trust."),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(nightshift: Nightshift, arguments: tuple[str, ...], sentence: str) -> None:
    outcome = nightshift("iam-policy", *arguments)
    assert outcome.returncode == 2 and outcome.stdout == ""
    assert f"Error: {sentence}\n" in outcome.stderr


def test_help_says_how_to_make_the_role(nightshift: Nightshift) -> None:
    outcome = nightshift("iam-policy", "--help")
    assert outcome.returncode == 0
    assert "aws iam create-role --role-name nightshift-read" in outcome.stdout

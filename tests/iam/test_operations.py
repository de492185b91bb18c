"""Every operation is one of AWS's, and its right is the one that IAM knows it by."""

from __future__ import annotations

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from dagster_project.connections.aws import connection
from dagster_project.connections.aws.operations import Operation
from dagster_project.connections.aws.purposes import PURPOSES
from dagster_project.pipeline import iam_policy

PREFIXES = {
    "autoscaling": "autoscaling",
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",  # its endpoints and signatures say monitoring
    "compute-optimizer": "compute-optimizer",
    "cost-optimization-hub": "cost-optimization-hub",
    "ec2": "ec2",
    "elasticache": "elasticache",
    "elbv2": "elasticloadbalancing",
    "pricing": "pricing",
    "rds": "rds",
    "savingsplans": "savingsplans",
    "sts": "sts",
}
"""boto3's name of a service, and what the Service Authorization Reference calls its service prefix."""
LOOKS = ("Describe", "Get", "List", "Lookup")
OPERATIONS = [*iam_policy.reading(), *iam_policy.changing(), connection.ASSUME_ROLE, connection.WHO_AM_I]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.service}:{each.name}")
_session = Session()


@each_operation
def test_an_operation_is_one_of_its_service(operation: Operation) -> None:
    assert operation.name in _session.get_service_model(operation.service).operation_names


@each_operation
def test_the_right_to_an_operation_has_the_prefix_of_its_service(operation: Operation) -> None:
    assert operation.action == f"{PREFIXES[operation.service]}:{operation.name}"
    assert operation.action in operation.permissions


@each_operation
def test_rights_are_whole_names(operation: Operation) -> None:
    named = [*operation.permissions, *(right for right, _ in operation.conditional)]
    assert all(right.partition(":")[1] and "*" not in right and "?" not in right for right in named)


@each_operation
def test_only_what_looks_is_sent_again(operation: Operation) -> None:
    assert operation.is_write != (operation.name.startswith(LOOKS) or operation is connection.ASSUME_ROLE)


@pytest.mark.parametrize(
    "operation", [*iam_policy.reading(), *iam_policy.changing()], ids=lambda each: f"{each.service}:{each.name}"
)
def test_an_operation_says_what_for(operation: Operation) -> None:
    """One of connections/aws/purposes.py: it names a statement of the policy, and what a night lacks without it."""
    assert operation.purpose in PURPOSES


def test_nothing_that_a_night_reads_with_changes_anything() -> None:
    assert [each for each in iam_policy.reading() if each.is_write] == []


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.probe is not None], ids=lambda each: f"{each.service}:{each.name}"
)
def test_a_probe_is_a_request_that_aws_takes(operation: Operation) -> None:
    assert not operation.is_write
    shape = _session.get_service_model(operation.service).operation_model(operation.name).input_shape
    assert operation.probe is not None
    report = ParamValidator().validate(dict(operation.probe), shape) if shape else None
    assert report is None or not report.has_errors(), report.generate_report()

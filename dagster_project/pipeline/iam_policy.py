"""Policies of IAM for what Nightshift asks of AWS, made of what each operation declares beside its call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from dagster_project import sources
from dagster_project.actions import aws as applying
from dagster_project.connections.aws.connection import ASSUME_ROLE
from dagster_project.connections.aws.operations import Condition, Grant, Operation
from dagster_project.connections.aws.purposes import PURPOSES, Purpose
from dagster_project.errors import InputError
from dagster_project.pipeline import aws_scopes
from dagster_project.settings import Settings
from dagster_project.settings_aws import AwsAccount, partition_of

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
TAG = ("nightshift", "apply")
"""Key and value of the tag of what may be changed."""
LONGEST = 6144
"""Characters that AWS takes in a managed policy; white space does not count."""
# Services of China call themselves by either.
_DOMAINS = {"aws-cn": ("amazonaws.com", "amazonaws.com.cn")}
_DEFAULT_DOMAINS = ("amazonaws.com",)
_READING = (sources, aws_scopes)
_OTHER = Purpose("ReadOther", "something is missing")
_TAG_KEY, _TAG_VALUE = re.compile(r"[\w .:/+=@-]{1,128}"), re.compile(r"[\w .:/+=@-]{0,256}")
_PRINCIPAL = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)")
_ROLE = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:role/[\w+=,.@/-]+")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy is for: the ``partition`` of its ARNs, the ``tag`` of what may be changed, and the roles of instances whose
    groups may be given a template with them."""

    partition: str = "aws"
    tag: tuple[str, str] = TAG
    pass_roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        key, value = self.tag
        if not _TAG_KEY.fullmatch(key) or not _TAG_VALUE.fullmatch(value) or key.lower().startswith("aws:"):
            raise InputError(f"{key}={value} is no tag that AWS takes; write letters, digits and .:/+=@_-, as nightshift=apply.")
        for arn in self.pass_roles:
            if not _ROLE.fullmatch(arn):
                raise InputError(f"{arn} is no role; write it as arn:aws:iam::123456789012:role/web.")
            if arn.split(":")[1] != self.partition:
                raise InputError(f"{arn} is not of the partition {self.partition}; name that one with --partition.")


def reading() -> list[Operation]:
    """Everything that a night may ask of an account."""
    return operations(*_READING)


def changing() -> list[Operation]:
    """Everything that applying asks of an account: looks and changes."""
    return operations(applying)


def read_policy(wanted: Wanted) -> Json:
    """What reading an account every night needs; it changes nothing."""
    return _policy(_statements(reading(), wanted))


def apply_policy(wanted: Wanted, *, with_reading: bool = True) -> Json:
    """What making approved changes needs, to resources with the tag, and ``with_reading`` what every night needs too."""
    return _policy(_statements([*(reading() if with_reading else ()), *changing()], wanted))


def trust_policy(principal: str, external_id: str | None) -> Json:
    """Who may assume the role."""
    if not _PRINCIPAL.fullmatch(principal):
        raise InputError(
            f"{principal} cannot be trusted; write the ARN of a role, a user or an account, such as "
            "arn:aws:iam::123456789012:role/nightshift (of a session, the one of its role)."
        )
    trusted = {"Principal": {"AWS": principal}, "Action": [*ASSUME_ROLE.permissions]}
    statement: Json = {"Sid": "AssumeRole", "Effect": "Allow", **trusted}
    if external_id is not None:
        if not _EXTERNAL_ID.fullmatch(external_id):
            raise InputError("AWS takes no such external id; write 2 to 1,224 letters, digits and +=,.@:/-_")
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return _policy([statement])


def own_policy(settings: Settings, wanted: Wanted) -> Json:
    """What the credentials that a run signs in with need: the roles and states of the settings. Accounts without a role are read,
    and changed where they may be, with these credentials."""
    accounts = [each for each in settings.aws.accounts if _partition(each) == wanted.partition]
    roles = {arn for each in accounts for arn in (each.role_arn, each.apply_role_arn) if arn is not None}
    grants = [
        Grant(ASSUME_ROLE.permissions, tuple(sorted(_bare(arn) for arn in roles)), sid="AssumeRoles"),
        Grant(("s3:GetObject",), tuple(sorted({*_objects(settings)})), sid="ReadTerraformStates"),
    ]
    statements = [_statement(each, each.sid or "", wanted) for each in grants if each.resources]
    asked = reading() if any(each.role_arn is None for each in accounts) else []
    if any(each.may_change and each.role_arn is None and each.apply_role_arn is None for each in accounts):
        asked += changing()
    statements += _statements(asked, wanted)
    if not statements:
        raise InputError(f"The settings name no account of {wanted.partition} and no state in S3; add aws.accounts first.")
    return _policy(statements)


def partition_in(settings: Settings) -> str:
    """The partition of the accounts in the settings; aws without any. Raises ``InputError`` where there are several."""
    found = sorted({_partition(each) for each in settings.aws.accounts}) or ["aws"]
    if len(found) > 1:
        raise InputError(f"The accounts in the settings are of {' and '.join(found)}; name one with --partition.")
    return found[0]


def as_text(policy: Json) -> str:
    """The document as it is printed."""
    return json.dumps(policy, indent=2)


def operations(*places: ModuleType) -> list[Operation]:
    """The operations that some modules, and all below them, declare, each once, in order."""
    found = {value for module in _modules(places) for value in vars(module).values() if isinstance(value, Operation)}
    return sorted(found, key=lambda each: (each.service, each.name, PURPOSES.index(each.purpose) if each.purpose else -1))


def _modules(places: Iterable[ModuleType]) -> Iterator[ModuleType]:
    for place in places:
        yield place
        for each in walk_packages(getattr(place, "__path__", ()), f"{place.__name__}."):
            yield import_module(each.name)


def _partition(account: AwsAccount) -> str:
    return partition_of(account.home_region)


def _objects(settings: Settings) -> Iterator[str]:
    for repository in settings.repositories:
        for root in repository.roots:
            parts = urlsplit(root.state)
            if parts.scheme == "s3":
                yield f"s3:::{parts.netloc}/{parts.path.lstrip('/')}"


def _bare(arn: str) -> str:
    return arn.split(":", 2)[2]


def _statements(asked: Sequence[Operation], wanted: Wanted) -> list[Json]:
    """A statement for each purpose, and for each grant that has resources and conditions of its own. What a former one gives is
    not given again."""
    gathered: dict[str, dict[Grant, set[str]]] = {}
    order = {purpose: number for number, purpose in enumerate(PURPOSES)}
    for operation in sorted(asked, key=lambda each: order.get(each.purpose or _OTHER, len(order))):
        purpose = operation.purpose or _OTHER
        for grant in operation.grants:
            kind = Grant((), grant.resources or tuple(_bare(arn) for arn in wanted.pass_roles), grant.when, grant.is_tagged)
            if kind.resources:
                gathered.setdefault(grant.sid or purpose.sid, {}).setdefault(kind, set()).update(grant.actions)
    statements, given = [], dict[Grant, set[str]]()
    for sid, kinds in gathered.items():
        for number, (kind, actions) in enumerate(sorted(kinds.items(), key=lambda each: each[0].resources), start=1):
            left = actions - given.get(kind, set()) - given.get(Grant(()), set())
            given.setdefault(kind, set()).update(left)
            if left:
                grant = replace(kind, actions=tuple(sorted(left)))
                statements.append(_statement(grant, sid if number == 1 else f"{sid}{number}", wanted))
    return statements


def _statement(grant: Grant, sid: str, wanted: Wanted) -> Json:
    statement: Json = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(grant.actions),
        "Resource": [each if each == "*" else f"arn:{wanted.partition}:{each}" for each in sorted(grant.resources)],
    }
    key, value = wanted.tag
    tagged: tuple[Condition, ...] = (("StringEquals", f"aws:ResourceTag/{key}", value),) if grant.is_tagged else ()
    for operator, key, value in sorted((*tagged, *grant.when)):
        statement.setdefault("Condition", {}).setdefault(operator, {})[key] = _filled(value, wanted.partition)
    return statement


def _filled(value: str, partition: str) -> str | list[str]:
    domains = _DOMAINS.get(partition, _DEFAULT_DOMAINS) if "{domain}" in value else _DEFAULT_DOMAINS
    values = [value.replace("{partition}", partition).replace("{domain}", domain) for domain in domains]
    return values if len(values) > 1 else values[0]


def _policy(statements: Sequence[Json]) -> Json:
    """The document. Raises ``InputError`` where AWS would not take it as one."""
    policy = {"Version": "2012-10-17", "Statement": [*statements]}
    size = len(re.sub(r"\s", "", as_text(policy)))
    if size > LONGEST:
        raise InputError(
            f"The policy has {size:,} characters, and AWS takes {LONGEST:,}; give the roles of all accounts one name, and allow "
            "sts:AssumeRole on arn:aws:iam::*:role/<name> where aws:ResourceOrgID is your organization's."
        )
    return policy

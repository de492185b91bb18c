"""The operations of AWS's API that are used, each with the rights that it needs.

A request is made by handing one of these to the connection, so that none can be made without its rights being written down.
``nightshift iam-policy`` makes policies of them, and ``nightshift doctor`` asks their probes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster_project.connections.aws.purposes import Purpose

Conditional = tuple[str, str]
"""A right, and where it is needed."""
Condition = tuple[str, str, str]
"""Operator, key and value of a condition in a policy. A value may name the ``{partition}``, or a ``{domain}`` of it."""
EVERYTHING = ("*",)
"""Resources of operations whose rights AWS cannot give for single ones."""
# What IAM calls a service that boto3 calls otherwise.
_PREFIXES = {
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
# Kinds of resources that rights to look can be given for, by the Service Authorization Reference. Not alarms: rights to some of
# them are none to composite ones. Nor savings plans: it does not say what a list of all of them is checked against.
_LOOKED_AT = {
    "cloudwatch:ListTagsForResource": "cloudwatch:*:*:alarm:*",
    "rds:DescribeDBClusters": "rds:*:*:cluster:*",
    "rds:DescribeDBInstances": "rds:*:*:db:*",
    "rds:DescribeReservedDBInstances": "rds:*:*:ri:*",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights, as one statement of a policy gives them.

    ``resources`` are ARNs without ``arn:partition:`` in front; none = those that a policy is made for. ``when`` are conditions
    that all must hold, ``is_tagged`` adds the one that a resource has the tag of what may be changed. ``case`` is where they are
    needed (None: always), ``sid`` the name of their statement, where it is not the one of the purpose.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = EVERYTHING
    when: tuple[Condition, ...] = ()
    is_tagged: bool = False
    case: str | None = None
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``service`` as boto3 names its client, ``name`` as AWS names it, ``grants`` what it needs, and for what.

    ``probe`` are the parameters of a cheap request that shows whether it may be asked (None: there is none). ``is_account_wide``:
    it is asked in one region for the whole account.
    """

    service: str
    name: str
    is_write: bool
    grants: tuple[Grant, ...]
    purpose: Purpose | None = None
    probe: Mapping[str, Any] | None = field(default=None, hash=False)
    is_account_wide: bool = False

    @property
    def action(self) -> str:
        """The right of its own name, as IAM names it."""
        return action(self.service, self.name)

    @property
    def permissions(self) -> tuple[str, ...]:
        """What it always needs, each once."""
        return tuple(dict.fromkeys(each for grant in self.grants if grant.case is None for each in grant.actions))

    @property
    def conditional(self) -> tuple[Conditional, ...]:
        """What only some resources ask for beyond that."""
        rights = ((each, grant.case) for grant in self.grants for each in grant.actions if grant.case is not None)
        return tuple((right, case) for right, case in rights if right not in self.permissions)


def action(service: str, name: str) -> str:
    """The right to one operation, as IAM names it."""
    return f"{_PREFIXES.get(service, service)}:{name}"


def read(
    service: str,
    name: str,
    *also: str,
    purpose: Purpose | None = None,
    probe: Mapping[str, Any] | None = None,
    is_account_wide: bool = False,
) -> Operation:
    """An operation that changes nothing; it may be sent again. ``also`` are rights beyond the one of its name."""
    rights = (action(service, name), *also)
    grants = tuple(Grant((each,), (_LOOKED_AT[each],) if each in _LOOKED_AT else EVERYTHING) for each in rights)
    return Operation(service, name, False, grants, purpose, probe, is_account_wide)


def write(
    service: str,
    name: str,
    *resources: str,
    purpose: Purpose | None = None,
    when: tuple[Condition, ...] = (),
    sid: str | None = None,
    also: tuple[Grant, ...] = (),
) -> Operation:
    """An operation that changes something: ``resources``, as ``Grant`` has them, that have the tag. ``also`` are rights beyond
    the one of its name that AWS asks for."""
    own = Grant((action(service, name),), resources, when, is_tagged=True, sid=sid)
    return Operation(service, name, True, (own, *also), purpose)


def permissions(*operations: Operation) -> tuple[str, ...]:
    """What some operations always need, in order, each once."""
    return tuple(sorted({each for operation in operations for each in operation.permissions}))


def conditional(*operations: Operation) -> tuple[Conditional, ...]:
    """What some operations need in some cases, with the case, in order, each once."""
    return tuple(sorted({each for operation in operations for each in operation.conditional}))

"""The operations of AWS's API that are used, each with the rights that it needs.

A request is made by handing one of these to the connection, so that none can be made without its rights being written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Conditional = tuple[str, str]
"""A right, and where it is needed."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``service`` as boto3 names its client, ``name`` as AWS names it, ``permissions`` as IAM names them;
    ``conditional`` are rights that only some resources ask for; ``probe`` are the parameters of a cheap request that shows
    whether it may be asked (None: there is none). ``is_account_wide``: it is asked in one region for the whole account."""

    service: str
    name: str
    is_write: bool
    permissions: tuple[str, ...]
    conditional: tuple[Conditional, ...] = ()
    probe: Mapping[str, Any] | None = None
    is_account_wide: bool = False


def read(service: str, name: str, *also: str, probe: Mapping[str, Any] | None = None, is_account_wide: bool = False) -> Operation:
    """An operation that changes nothing; it may be sent again. ``also`` are rights beyond the one of its name."""
    return Operation(service, name, False, (f"{service}:{name}", *also), probe=probe, is_account_wide=is_account_wide)


def write(service: str, name: str, *also: str, conditional: tuple[Conditional, ...] = ()) -> Operation:
    """An operation that changes something. ``also`` are rights beyond the one of its name that AWS asks for."""
    return Operation(service, name, True, (f"{service}:{name}", *also), conditional)


def permissions(*operations: Operation) -> tuple[str, ...]:
    """What some operations always need, in order, each once."""
    return tuple(sorted({each for operation in operations for each in operation.permissions}))


def conditional(*operations: Operation) -> tuple[Conditional, ...]:
    """What some operations need in some cases, with the case, in order, each once."""
    return tuple(sorted({each for operation in operations for each in operation.conditional}))

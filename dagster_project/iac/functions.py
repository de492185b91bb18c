"""Terraform's functions, over values with places.

A function takes values without alternatives (``call`` goes through those) and returns one, or raises ``CodeError`` where
Terraform would. What passes through unchanged keeps its place; what is made new has none, and knows what flowed into it.
A function that is not listed gives an unknown value into which its arguments flow.
"""

from __future__ import annotations

from collections.abc import Callable

from dagster_project.iac.functions_collections import COLLECTIONS
from dagster_project.iac.functions_files import FILES, FileContext
from dagster_project.iac.functions_strings import STRINGS
from dagster_project.iac.types import to_bool, to_number, to_string
from dagster_project.iac.values import (
    Choice,
    Lazy,
    Mapping,
    Open,
    Sequence,
    Unknown,
    Value,
    for_each_choice,
    parts,
    unknown,
)

_CONVERSIONS: dict[str, Callable[..., Value]] = {
    "tostring": to_string,
    "tonumber": to_number,
    "tobool": to_bool,
    "sensitive": lambda value: value,
    "nonsensitive": lambda value: value,
    "ephemeralasnull": lambda value: value,
}
FUNCTIONS: dict[str, Callable[..., Value]] = {**_CONVERSIONS, **COLLECTIONS, **STRINGS}

_TAKES_UNKNOWN = frozenset(
    ("coalesce", "coalescelist", "lookup", "element", "tolist", "toset", "tomap", "concat", "flatten", "merge", "format", "join")
)
"""Functions that can say something although an argument is unknown."""


_NEEDS_ELEMENTS = frozenset(
    (
        *("distinct", "compact", "sort", "formatlist", "sum", "alltrue", "anytrue", "index", "setunion"),
        *("setintersection", "setsubtract", "setproduct", "toset", "flatten"),
    )
)
"""Functions whose result has another shape with every value of an element."""


def _is_undecided(value: Value) -> bool:
    if isinstance(value, Sequence):
        return any(_is_undecided(item) for item in value.items)
    if isinstance(value, Mapping):
        return not value.is_settled
    return isinstance(value, Unknown | Lazy | Choice)


def call(name: str, arguments: list[Value], context: FileContext) -> Value:
    """The function's value. ``context`` is what functions that read files read from.

    Raises ``CodeError`` where Terraform would refuse the call.
    """
    name = name.removeprefix("core::")
    if name in context.further:
        return for_each_choice(lambda *single: _called(name, context.further[name], single), arguments)
    if name in FILES:
        return for_each_choice(lambda *single: _called(name, lambda *values: FILES[name](context, *values), single), arguments)
    if name not in FUNCTIONS:
        return unknown(f"the function {name}", *arguments)
    return for_each_choice(lambda *single: _called(name, FUNCTIONS[name], single), arguments)


def _called(name: str, function: Callable[..., Value], arguments: tuple[Value, ...]) -> Value:
    if name not in ("merge", "lookup") and any(isinstance(each, Mapping) and not each.is_settled for each in arguments):
        return unknown("which elements a map has", *arguments)
    if name in _NEEDS_ELEMENTS:
        for argument in arguments:
            if isinstance(argument, Sequence | Mapping) and any(_is_undecided(part) for part in parts(argument)):
                return unknown(f"an element of the argument of {name}()", *arguments)
    if name not in _TAKES_UNKNOWN:
        for argument in arguments:
            if isinstance(argument, Unknown):
                return unknown(argument.detail, *arguments)
            if isinstance(argument, Lazy):
                return unknown(argument.label, *arguments)
    try:
        return function(*arguments)
    except ArithmeticError:
        # Terraform has an infinity, and goes on with it.
        return unknown(f"a number of {name}()", *arguments)
    except Open as error:
        return unknown(str(error), *arguments)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        # Not Terraform's error but ours: what is not understood is unknown.
        return unknown(f"a call of {name}()", *arguments)

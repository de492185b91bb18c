"""Type constraints of variables: conversion as Terraform does it, places kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dagster_project.iac.hcl import number
from dagster_project.iac.syntax import Call, Expression, Literal, Name, ObjectOf, Template, TupleOf
from dagster_project.iac.values import (
    NULL,
    Choice,
    CodeError,
    Mapping,
    Scalar,
    Sequence,
    Value,
    as_text,
    computed,
    for_each_choice,
    is_null,
)

_SIMPLE = ("any", "string", "number", "bool", "list", "set", "map")


@dataclass(frozen=True, slots=True)
class Type:
    """``kind``: any, string, number, bool, list, set, map, tuple or object."""

    kind: str = "any"
    element: Type | None = None
    members: tuple[Type, ...] = ()
    attributes: dict[str, OptionalType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptionalType:
    """An object's attribute; ``default`` stands in where it is absent or null."""

    type: Type
    is_optional: bool = False
    default: Expression | None = None


ANY = Type()


def parse_type(expression: Expression | None) -> Type:
    """The type that an expression names. Raises ``CodeError`` where it names none."""
    if expression is None:
        return ANY
    if isinstance(expression, Template) and len(expression.parts) == 1:
        return parse_type(expression.parts[0])
    # Before 0.12 a type was written as a string: "string", "list", "map".
    word = expression.name if isinstance(expression, Name) else None
    if isinstance(expression, Literal):
        word = expression.value.value
    if word in _SIMPLE:
        return Type(word, ANY if word in ("list", "set", "map") else None)
    if not isinstance(expression, Call) or not expression.arguments:
        raise CodeError("a type constraint is not valid")
    inside = expression.arguments[0]
    if expression.name in ("list", "set", "map"):
        return Type(expression.name, parse_type(inside))
    if expression.name == "tuple" and isinstance(inside, TupleOf):
        return Type("tuple", members=tuple(parse_type(item) for item in inside.items))
    if expression.name == "object" and isinstance(inside, ObjectOf):
        attributes = {}
        for key, value in inside.items:
            if not isinstance(key, Literal):
                raise CodeError("a type constraint has a computed attribute name")
            attributes[str(key.value.value)] = _attribute(value)
        return Type("object", attributes=attributes)
    raise CodeError("a type constraint is not valid")


def _attribute(expression: Expression) -> OptionalType:
    if isinstance(expression, Call) and expression.name == "optional" and expression.arguments:
        default = expression.arguments[1] if len(expression.arguments) > 1 else None
        return OptionalType(parse_type(expression.arguments[0]), True, default)
    return OptionalType(parse_type(expression))


def convert(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    """``value`` as the type. ``evaluate`` gives the value of an attribute's default. Raises ``CodeError``."""
    if isinstance(value, Choice):
        return for_each_choice(lambda single: convert(single, type_, evaluate), (value,))
    if type_.kind == "any" or is_null(value) or not isinstance(value, Scalar | Sequence | Mapping):
        return value
    return _CONVERSIONS[type_.kind](value, type_, evaluate)






def to_string(value: Value) -> Scalar:
    """A scalar as a string; its place stays. Raises ``CodeError`` for a collection."""
    if not isinstance(value, Scalar):
        raise CodeError("a string is needed")
    return value if value.value is None or isinstance(value.value, str) else replace(value, value=as_text(value.value))


def to_number(value: Value) -> Scalar:
    """A scalar as a number; its place stays. Raises ``CodeError`` where it is none."""
    if not isinstance(value, Scalar) or isinstance(value.value, bool):
        raise CodeError("a number is needed")
    return replace(value, value=number(value.value.strip())) if isinstance(value.value, str) else value


def to_bool(value: Value) -> Scalar:
    """A scalar as a bool; its place stays. Raises ``CodeError`` where it is none."""
    if isinstance(value, Scalar) and (value.value is None or isinstance(value.value, bool)):
        return value
    if isinstance(value, Scalar) and value.value in ("true", "false"):
        return replace(value, value=value.value == "true")
    raise CodeError("a bool is needed")


def sequence_items(value: Value) -> tuple[Value, ...]:
    """The elements of a list, set or tuple. Raises ``CodeError`` for anything else."""
    if not isinstance(value, Sequence):
        raise CodeError("a list is needed")
    return value.items


def as_set(items: tuple[Value, ...], source: Value) -> Sequence:
    """Distinct elements in the order in which Terraform iterates over them."""
    distinct: list[Value] = []
    seen: dict[tuple[type, object], int] = {}
    for item in items:
        if isinstance(item, Scalar):
            key = (type(item.value), item.value)
            if key in seen:
                # Two literals are one element: neither alone decides it.
                other = distinct[seen[key]]
                if other.origin != item.origin:  # type: ignore[attr-defined]
                    distinct[seen[key]] = computed(item.value, other, item)
                continue
            seen[key] = len(distinct)
        elif item in distinct:
            continue
        distinct.append(item)
    if all(isinstance(item, Scalar) for item in distinct):
        distinct.sort(key=lambda item: (isinstance(item.value, str), item.value) if item.value is not None else (False, 0))  # type: ignore[attr-defined]
    return Sequence(flow=source.flow, control=source.control, items=tuple(distinct), is_set=True)


def _list(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    items = tuple(convert(item, type_.element or ANY, evaluate) for item in sequence_items(value))
    return Sequence(flow=value.flow, control=value.control, items=items)


def _set(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    return as_set(tuple(convert(item, type_.element or ANY, evaluate) for item in sequence_items(value)), value)


def _map(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    if not isinstance(value, Mapping):
        raise CodeError("a map is needed")
    return replace(value, entries={key: convert(item, type_.element or ANY, evaluate) for key, item in value.entries.items()})


def _tuple(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    items = sequence_items(value)
    if len(items) != len(type_.members):
        raise CodeError(f"a tuple of {len(type_.members)} is needed")
    return replace(value, items=tuple(convert(item, kind, evaluate) for item, kind in zip(items, type_.members, strict=True)))


def _object(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    if not isinstance(value, Mapping):
        raise CodeError("an object is needed")
    entries: dict[str, Value] = {}
    for name, attribute in type_.attributes.items():
        item = value.entries.get(name)
        if item is None and not attribute.is_optional:
            raise CodeError(f"the attribute {name} is missing")
        if (item is None or is_null(item)) and attribute.default is not None:
            item = evaluate(attribute.default)
        entries[name] = NULL if item is None else convert(item, attribute.type, evaluate)
    return replace(value, entries=entries)


_CONVERSIONS: dict[str, Callable[[Value, Type, Callable[[Expression], Value]], Value]] = {
    "string": lambda value, type_, evaluate: to_string(value),
    "number": lambda value, type_, evaluate: to_number(value),
    "bool": lambda value, type_, evaluate: to_bool(value),
    "list": _list,
    "set": _set,
    "map": _map,
    "tuple": _tuple,
    "object": _object,
}

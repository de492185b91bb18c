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
    Lazy,
    Mapping,
    Open,
    Scalar,
    Sequence,
    Unknown,
    Value,
    alternatives,
    as_text,
    choose,
    computed,
    for_each_choice,
    is_null,
    is_open,
    parts,
    plain,
    unknown,
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
_BOOLS = {"true": True, "false": False, "1": True, "0": False}


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
    if isinstance(value, Unknown) and (defaults := _defaults(type_, evaluate)):
        # Where it lacks an attribute, a default will stand in.
        return unknown(value.detail, value, *defaults)
    if isinstance(value, Lazy) and type_.kind == "object":
        return replace(value, get=lambda name: _attribute_of(value, name, type_, evaluate))
    if type_.kind == "any" or is_null(value) or not isinstance(value, Scalar | Sequence | Mapping):
        return value
    return _CONVERSIONS[type_.kind](value, type_, evaluate)


def to_string(value: Value) -> Scalar:
    """A scalar as a string; its place stays. Raises ``CodeError`` for a collection, ``Open`` for what is unknown."""
    if not isinstance(value, Scalar):
        raise _not(value, "a string")
    return value if value.value is None or isinstance(value.value, str) else replace(value, value=as_text(value.value))


def to_number(value: Value) -> Scalar:
    """A scalar as a number; its place stays. Raises ``CodeError`` where it is none, ``Open`` for what is unknown."""
    if not isinstance(value, Scalar) or isinstance(value.value, bool):
        raise _not(value, "a number")
    return replace(value, value=number(value.value)) if isinstance(value.value, str) else value


def to_bool(value: Value) -> Scalar:
    """A scalar as a bool; its place stays. Raises ``CodeError`` where it is none, ``Open`` for what is unknown."""
    if isinstance(value, Scalar) and (value.value is None or isinstance(value.value, bool)):
        return value
    if isinstance(value, Scalar) and isinstance(value.value, str) and value.value in _BOOLS:
        return replace(value, value=_BOOLS[value.value])
    raise _not(value, "a bool")


def _not(value: Value, what: str) -> Exception:
    if isinstance(value, Unknown):
        return Open(value.detail)
    return Open(what) if isinstance(value, Lazy | Choice) else CodeError(f"{what} is needed")


def sequence_items(value: Value) -> tuple[Value, ...]:
    """The elements of a list, set or tuple. Raises ``CodeError`` for anything else, ``Open`` for what is unknown."""
    if not isinstance(value, Sequence):
        raise _not(value, "a list")
    return value.items


def of_one_type(items: tuple[Value, ...]) -> tuple[Value, ...]:
    """Elements of a list, set or map: beside a string, numbers and bools are strings."""
    if any(isinstance(item, Scalar) and isinstance(item.value, str) for item in items):
        return tuple(to_string(item) if isinstance(item, Scalar) else item for item in items)
    return items


def loosened(value: Value) -> Value:
    """What may have been converted to strings on its way into a collection: numbers and bools are themselves or their texts."""
    if isinstance(value, Scalar) and value.value is not None and not isinstance(value.value, str):
        return choose([value, to_string(value)])
    if isinstance(value, Sequence):
        return replace(value, items=tuple(loosened(item) for item in value.items))
    if isinstance(value, Mapping):
        return replace(value, entries={name: loosened(item) for name, item in value.entries.items()})
    return value


def has_strings(value: Value) -> bool:
    """Whether a string is in it, directly or deeper."""
    if isinstance(value, Scalar):
        return isinstance(value.value, str)
    return any(has_strings(part) for part in parts(value))


def as_set(items: tuple[Value, ...], source: Value) -> Value:
    """Distinct elements in the order in which Terraform iterates over them; unknown where an element is not known."""
    if any(isinstance(item, Unknown | Lazy | Choice) or (isinstance(item, Mapping) and not item.is_settled) for item in items):
        return unknown("an element of a set", *items, source)
    distinct: list[Value] = []
    for item in of_one_type(items):
        same = next((place for place, other in enumerate(distinct) if _is_same(other, item)), None)
        if same is None:
            distinct.append(item)
        elif isinstance(item, Scalar) and item.origin != distinct[same].origin:  # type: ignore[attr-defined]
            # Two literals are one element: neither alone decides it.
            distinct[same] = computed(item.value, distinct[same], item)
    keys = [_order(item) for item in distinct]
    if len(distinct) > 1 and any(key is None for key in keys):
        return Sequence(source.flow, source.control, tuple(distinct), is_set=True, is_unordered=True)
    ordered = [item for _, item in sorted(zip(keys, distinct, strict=True), key=lambda pair: pair[0])]  # type: ignore[arg-type, return-value]
    return Sequence(source.flow, source.control, tuple(ordered), is_set=True)


def _is_same(one: Value, other: Value) -> bool:
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return type(one.value) is type(other.value) and one.value == other.value
    return not is_open(one) and not is_open(other) and plain(one) == plain(other)


def _order(value: Value) -> tuple[bool, object, str] | None:
    """Primitives by value, null last; others as cty sorts them, by the text that it hashes. None where that is not known."""
    if isinstance(value, Scalar):
        if value.value is None:
            return (True, 0, "")
        return (False, value.value, "") if not isinstance(value.value, str) else (False, 0, value.value)
    return None if is_open(value) else (False, 0, _hashed(value))


def _hashed(value: Value) -> str:
    if isinstance(value, Scalar):
        return f'"{value.value}"' if isinstance(value.value, str) else (value.text or "null")
    if isinstance(value, Mapping):
        return "<" + "".join(_hashed(value.entries[name]) + ";" for name in sorted(value.entries)) + ">"
    return "[" + "".join(_hashed(item) + ";" for item in sequence_items(value)) + "]"


def _list(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    items = of_one_type(tuple(convert(item, type_.element or ANY, evaluate) for item in sequence_items(value)))
    is_unordered = isinstance(value, Sequence) and value.is_unordered
    return Sequence(flow=value.flow, control=value.control, items=items, is_unordered=is_unordered)


def _set(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    return as_set(tuple(convert(item, type_.element or ANY, evaluate) for item in sequence_items(value)), value)


def _map(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    if not isinstance(value, Mapping):
        raise CodeError("a map is needed")
    items = of_one_type(tuple(convert(item, type_.element or ANY, evaluate) for item in value.entries.values()))
    return replace(value, entries=dict(zip(value.entries, items, strict=True)))


def _tuple(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    items = sequence_items(value)
    if len(items) != len(type_.members):
        raise CodeError(f"a tuple of {len(type_.members)} is needed")
    return replace(value, items=tuple(convert(item, kind, evaluate) for item, kind in zip(items, type_.members, strict=True)))


def _object(value: Value, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    if not isinstance(value, Mapping):
        raise CodeError("an object is needed")
    if not value.is_settled:
        return unknown("which attributes an object has", value, *_defaults(type_, evaluate))
    entries: dict[str, Value] = {}
    for name, attribute in type_.attributes.items():
        item = value.entries.get(name)
        if item is None and not attribute.is_optional:
            raise CodeError(f"the attribute {name} is missing")
        item = or_default(NULL if item is None else item, attribute.default, evaluate)
        entries[name] = convert(item, attribute.type, evaluate)
    return replace(value, entries=entries)


def _attribute_of(value: Lazy, name: str, type_: Type, evaluate: Callable[[Expression], Value]) -> Value:
    declared = type_.attributes.get(name)
    found = value.get(name)
    return or_default(found, declared.default, evaluate) if declared else found


def _defaults(type_: Type, evaluate: Callable[[Expression], Value]) -> list[Value]:
    """Values of the defaults of all optional attributes in a type."""
    found = []
    for attribute in type_.attributes.values():
        found += [evaluate(attribute.default)] if attribute.default is not None else []
        found += _defaults(attribute.type, evaluate)
    for inner in (type_.element, *type_.members):
        found += _defaults(inner, evaluate) if inner else []
    return found


def or_default(value: Value, default: Expression | None, evaluate: Callable[[Expression], Value]) -> Value:
    """The default in place of null; of several alternatives, in place of those that are. Into what may be null it flows."""
    options = alternatives(value)
    if default is None or not any(is_null(each) or isinstance(each, Unknown) for each in options):
        return value
    instead = evaluate(default)
    filled: list[Value] = []
    for each in options:
        may_be_null = unknown(each.detail, each, instead) if isinstance(each, Unknown) else each
        filled.append(instead if is_null(each) else may_be_null)
    return choose(filled, Scalar(control=value.control))


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

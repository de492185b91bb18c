"""Elements of values: what ``value.name`` and ``value[key]`` are, and the order in which a collection is gone through."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.iac.types import to_number, to_string
from dagster_project.iac.values import (
    Choice,
    CodeError,
    Lazy,
    Mapping,
    Scalar,
    Sequence,
    Unknown,
    Value,
    alternatives,
    choose,
    decided_by,
    for_each_choice,
    parts,
    unknown,
)


def attribute(value: Value, name: str, doubts: list[str] | None = None) -> Value:
    """``value.name``. Raises ``CodeError`` where there is none."""
    if isinstance(value, Mapping):
        if name not in value.entries:
            if value.is_partial:
                return _perhaps_there(value, f"the attribute {name}")
            raise CodeError(f"there is no attribute {name}")
        if doubts is not None and name in value.uncertain:
            doubts.append(f"{name} may not be there")
        return _inside(value, value.entries[name])
    if isinstance(value, Lazy):
        return value.get(name)
    if isinstance(value, Choice):
        return for_each_choice(lambda single: attribute(single, name, doubts), (value,), doubts)
    if isinstance(value, Unknown):
        return replace(value, detail=f"{value.detail}.{name}") if value.reason == "unknown_value" else value
    raise CodeError(f"there is no attribute {name}")


def _perhaps_there(value: Mapping, detail: str, *keys: Value) -> Value:
    """An element that may be one of those of which it is not known what they are called, or whether they are there."""
    others = [value.entries[name] for name in sorted(value.uncertain)]
    return unknown(detail, Scalar(flow=value.flow, control=value.control), *others, *keys)


def _inside(holder: Value, item: Value) -> Value:
    """An element, decided by what decided about its holder."""
    return decided_by(item, Scalar(control=holder.control)) if holder.control else item


def index(value: Value, key: Value, doubts: list[str] | None = None) -> Value:
    """``value[key]``; where the key is unknown, one of the elements. Raises ``CodeError``."""
    is_uncertain = any(isinstance(each, Mapping) and not each.is_settled for each in alternatives(value))
    if doubts is not None and (is_uncertain or any(isinstance(each, Unknown) for each in alternatives(key))):
        doubts.append("a key may not be there")
    return for_each_choice(_index, (value, key), doubts)


def _index(value: Value, key: Value) -> Value:
    if isinstance(value, Unknown):
        return unknown(value.detail, value, key)
    is_unordered = isinstance(value, Sequence) and value.is_unordered
    if isinstance(value, Sequence | Mapping) and (isinstance(key, Unknown) or is_unordered):
        return choose(parts(value), key, value)
    if isinstance(key, Unknown | Lazy):
        return unknown("a key", value, key)
    if isinstance(value, Mapping):
        name = to_string(key).value
        if name not in value.entries:
            if value.is_partial:
                return _perhaps_there(value, f"the element {name}", key)
            raise CodeError(f"there is no element {name}")
        return decided_by(_inside(value, value.entries[name]), key)
    if isinstance(value, Sequence) and not value.is_set:
        place = to_number(key).value
        if place is None or not 0 <= place < len(value.items) or place != int(place):
            raise CodeError(f"there is no element {place}")
        return decided_by(_inside(value, value.items[int(place)]), key)
    if isinstance(value, Lazy):
        return decided_by(value.get(str(to_string(key).value)), key)
    raise CodeError("the value has no elements")


def pairs(collection: Value) -> list[tuple[Scalar, Value]]:
    """Keys and values in the order of iteration. Raises ``CodeError`` for what cannot be iterated over."""
    if isinstance(collection, Mapping):
        return [(collection.key(name), collection.entries[name]) for name in sorted(collection.entries)]
    if isinstance(collection, Sequence):
        if collection.is_set:
            return [(item if isinstance(item, Scalar) else Scalar(value=""), item) for item in collection.items]
        return [(Scalar(value=place), item) for place, item in enumerate(collection.items)]
    raise CodeError("only lists, sets and maps can be iterated over")

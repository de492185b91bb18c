"""Terraform's functions for lists, sets and maps, and for numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from dagster_project.iac.types import as_set, loosened, of_one_type, sequence_items, to_bool, to_number, to_string
from dagster_project.iac.values import (
    NULL,
    CodeError,
    Lazy,
    Mapping,
    Scalar,
    Sequence,
    Unknown,
    Value,
    choose,
    computed,
    decided_by,
    is_null,
    is_open,
    plain,
    unknown,
)

_MAX_PRODUCT = 10_000
_MAX_POWER = 1_000


def _mapping(value: Value) -> Mapping:
    if not isinstance(value, Mapping):
        raise CodeError("a map is needed")
    return value


def _shape(value: Value, number: object) -> Scalar:
    """A number that depends on a collection's shape, not on what its elements are."""
    return Scalar(flow=value.flow, control=value.control, value=number)


def _length(value: Value) -> Value:
    if isinstance(value, Scalar) and isinstance(value.value, str):
        return computed(len(value.value), value)
    if isinstance(value, Sequence):
        if value.is_set and any(isinstance(item, Unknown) for item in value.items):
            return unknown("the length of a set of unknown values", value)
        return _shape(value, len(value.items))
    return _shape(value, len(_mapping(value).entries))


def _element(value: Value, index: Value) -> Value:
    if isinstance(value, Unknown | Lazy):
        return unknown("a list", value, index)
    items = sequence_items(value)
    if not items:
        raise CodeError("element() of an empty list")
    if isinstance(index, Unknown) or value.is_unordered:  # type: ignore[attr-defined]
        return choose(items, index, value)
    place = to_number(index).value
    if place is None or place != int(place):
        raise CodeError("element() with an index that is no whole number")
    return decided_by(items[int(place) % len(items)], index, Scalar(flow=value.flow, control=value.control))


def _lookup(value: Value, key: Value, *default: Value) -> Value:
    if isinstance(value, Unknown | Lazy):
        return unknown("a map", value, key, *default)
    entries = _mapping(value).entries
    if isinstance(key, Unknown):
        return choose([*entries.values(), *default], key)
    name = to_string(key).value
    if isinstance(value, Mapping) and (name in value.uncertain or (value.is_partial and name not in entries)):
        there = [entries[name]] if name in entries else [unknown(f"the element {name}", value)]
        return choose([*there, *default], key, value)
    if name in entries:
        return decided_by(entries[name], key, Scalar(flow=value.flow, control=value.control))
    if not default:
        raise CodeError(f"lookup() of a key that is not there: {name}")
    return decided_by(default[0], key, Scalar(flow=value.flow, control=value.control))


def _keys(value: Value) -> Value:
    mapping = _mapping(value)
    names = tuple(decided_by(mapping.key(name), Scalar(control=value.control)) for name in sorted(mapping.entries))
    return Sequence(flow=value.flow, control=value.control, items=names)


def _values(value: Value) -> Value:
    entries = _mapping(value).entries
    return Sequence(flow=value.flow, control=value.control, items=tuple(entries[name] for name in sorted(entries)))


def _merge(*values: Value) -> Value:
    entries: dict[str, Value] = {}
    keys: dict[str, Scalar] = {}
    given = [value for value in values if not is_null(value)]
    for value in given:
        if isinstance(value, Unknown | Lazy):
            return unknown("a map that is merged", *values)
    uncertain: set[str] = set()
    for value in given:
        mapping = _mapping(value)
        if mapping.is_partial:
            return unknown("a map that is merged", *values)
        for name, item in mapping.entries.items():
            if name in mapping.uncertain:
                uncertain |= set() if name in entries and name not in uncertain else {name}
                entries[name] = choose([entries[name], item]) if name in entries else item
            else:
                uncertain.discard(name)
                entries[name] = item
        keys.update(mapping.keys or {})
    flow, control = _union(v.flow for v in given), _union(v.control for v in given)
    return Mapping(flow, control, entries, keys, frozenset(uncertain))


def _union(places) -> frozenset:
    return frozenset().union(*places)


def _concat(*values: Value) -> Value:
    if any(isinstance(value, Unknown | Lazy) for value in values):
        return unknown("a list that is concatenated", *values)
    items = tuple(item for value in values for item in sequence_items(value))
    if any(isinstance(item, Scalar) and isinstance(item.value, str) for item in items):
        # Lists become lists of strings, tuples stay as they are.
        items = tuple(loosened(item) if isinstance(item, Scalar) else item for item in items)
    is_unordered = any(value.is_unordered for value in values)  # type: ignore[attr-defined]
    return Sequence(_union(v.flow for v in values), _union(v.control for v in values), items, is_unordered=is_unordered)


def _flatten(value: Value) -> Value:
    if isinstance(value, Unknown | Lazy):
        return unknown("a list that is flattened", value)
    flow, control = set(value.flow), set(value.control)
    found: list[Value] = []
    is_unordered = isinstance(value, Sequence) and value.is_unordered

    def walk(items: tuple[Value, ...]) -> bool:
        nonlocal is_unordered
        for item in items:
            if isinstance(item, Sequence):
                is_unordered = is_unordered or item.is_unordered
                flow.update(item.flow)
                control.update(item.control)
                if not walk(item.items):
                    return False
            elif isinstance(item, Unknown | Lazy):
                return False
            else:
                found.append(item)
        return True

    if not walk(sequence_items(value)):
        return unknown("a list that is flattened", value)
    return Sequence(frozenset(flow), frozenset(control), tuple(found), is_unordered=is_unordered)


def _distinct(value: Value) -> Value:
    found: list[Value] = []
    for item in sequence_items(value):
        same = next((place for place, other in enumerate(found) if plain(other) == plain(item)), None)
        if same is None:
            found.append(item)
        elif isinstance(item, Scalar) and item.origin != found[same].origin:  # type: ignore[attr-defined]
            found[same] = computed(item.value, found[same], item)
    return replace(value, items=tuple(found), is_set=False)


def _compact(value: Value) -> Value:
    items = tuple(item for item in sequence_items(value) if not (isinstance(item, Scalar) and item.value in (None, "")))
    return Sequence(flow=value.flow, control=value.control, items=items)


def _slice(value: Value, start: Value, end: Value) -> Value:
    items = sequence_items(value)
    first, last = int(to_number(start).value), int(to_number(end).value)
    if value.is_unordered:  # type: ignore[attr-defined]
        return unknown("the order of a set", value, start, end)
    if not 0 <= first <= last <= len(items):
        raise CodeError("slice() outside of the list")
    return decided_by(Sequence(flow=value.flow, control=value.control, items=items[first:last]), start, end)


def _sort(value: Value) -> Value:
    items = [to_string(item) for item in sequence_items(value)]
    return Sequence(flow=value.flow, control=value.control, items=tuple(sorted(items, key=lambda item: item.value)))


def _reverse(value: Value) -> Value:
    return replace(value, items=sequence_items(value)[::-1], is_set=False)


def _range(*limits: Value) -> Value:
    numbers = [to_number(limit).value for limit in limits]
    start, end = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) == 3 else (1 if end >= start else -1)
    if step == 0:
        raise CodeError("range() with steps of zero")
    if not all(isinstance(each, int) for each in (start, end, step)):
        return unknown("range() of numbers that are not whole", *limits)
    found = range(start, end, step)
    if len(found) > 1024:
        raise CodeError("range() of more than 1,024 numbers")
    return decided_by(Sequence(items=tuple(Scalar(value=each) for each in found)), *limits)


def _zipmap(keys: Value, values: Value) -> Value:
    names = [to_string(key) for key in sequence_items(keys)]
    items = sequence_items(values)
    if len(names) != len(items):
        raise CodeError("zipmap() of lists of different lengths")
    return Mapping(
        flow=keys.flow | values.flow,
        control=keys.control | values.control,
        entries={name.value: item for name, item in zip(names, items, strict=True)},
        keys={name.value: name for name in names},
    )


def _chunklist(value: Value, size: Value) -> Value:
    items, count = sequence_items(value), int(to_number(size).value)
    if count < 0:
        raise CodeError("chunklist() of less than nothing")
    count = count or len(items) or 1
    chunks = tuple(Sequence(items=items[start : start + count]) for start in range(0, len(items), count))
    return decided_by(replace(value, items=chunks, is_set=False), size)


def _setproduct(*values: Value) -> Value:
    sets = [sequence_items(value) for value in values]
    if math.prod(len(each) for each in sets) > _MAX_PRODUCT:
        return unknown("a product of large sets", *values)
    items = tuple(Sequence(items=each) for each in product(*sets))
    if any(isinstance(value, Sequence) and value.is_set for value in values):
        return as_set(items, Scalar(flow=_union(v.flow for v in values), control=_union(v.control for v in values)))
    return Sequence(flow=_union(v.flow for v in values), control=_union(v.control for v in values), items=items)


def _set_operation(keep: Callable[[object, list[list[object]]], bool]) -> Callable[..., Value]:
    def operate(*values: Value) -> Value:
        sets = [[plain(item) for item in sequence_items(value)] for value in values]
        kept = tuple(item for value in values for item in sequence_items(value) if keep(plain(item), sets))
        source = Scalar(flow=_union(v.flow for v in values), control=_union(v.control for v in values))
        return as_set(kept, source)

    return operate


def _contains(value: Value, wanted: Value) -> Value:
    items = sequence_items(value)
    if any(plain(item) == plain(wanted) for item in items if isinstance(item, Scalar)):
        return computed(True, value, wanted)
    if is_open(value) or is_open(wanted):
        return unknown("whether a list contains a value", value, wanted)
    return computed(any(plain(item) == plain(wanted) for item in items), value, wanted)


def _index(value: Value, wanted: Value) -> Value:
    for place, item in enumerate(sequence_items(value)):
        if plain(item) == plain(wanted):
            return computed(place, value, wanted)
    raise CodeError("index() of a value that is not in the list")


def _coalesce(*values: Value) -> Value:
    passed: list[Value] = []
    for place, value in enumerate(values):
        if isinstance(value, Unknown | Lazy):
            rest = values[place + 1 :]
            return choose([value, _coalesce(*rest)] if rest else [value], value, *passed)
        if isinstance(value, Scalar) and value.value in (None, ""):
            passed.append(value)
            continue
        is_text = any(isinstance(each, Scalar) and isinstance(each.value, str) for each in values)
        return decided_by(to_string(value) if is_text and isinstance(value, Scalar) else value, *passed)
    raise CodeError("coalesce() of nothing but null and empty values")


def _coalescelist(*values: Value) -> Value:
    for value in values:
        if isinstance(value, Unknown | Lazy):
            return unknown("a list", *values)
        if (isinstance(value, Sequence) and value.items) or (isinstance(value, Mapping) and value.entries):
            return value
    raise CodeError("coalescelist() of empty lists")


def _tolist(value: Value) -> Value:
    if isinstance(value, Unknown | Lazy) or is_null(value):
        return value
    items = of_one_type(sequence_items(value))
    return Sequence(flow=value.flow, control=value.control, items=items, is_unordered=value.is_unordered)  # type: ignore[attr-defined]


def _toset(value: Value) -> Value:
    if isinstance(value, Unknown | Lazy) or is_null(value):
        return value
    return as_set(sequence_items(value), value)


def _tomap(value: Value) -> Value:
    if isinstance(value, Unknown | Lazy) or is_null(value):
        return value
    items = of_one_type(tuple(_mapping(value).entries.values()))
    return replace(value, entries=dict(zip(_mapping(value).entries, items, strict=True)))


def _one(value: Value) -> Value:
    items = sequence_items(value)
    if len(items) > 1:
        raise CodeError("one() of several elements")
    return decided_by(items[0] if items else NULL, Scalar(flow=value.flow, control=value.control))


def _numbers(values: tuple[Value, ...]) -> list[float]:
    given = [to_number(value).value for value in values]
    if any(each is None for each in given):
        raise CodeError("a number is null")
    return given


def _extreme(pick: Callable[[list[float]], float]) -> Callable[..., Value]:
    def find(*values: Value) -> Value:
        if any(isinstance(value, Unknown) for value in values):
            return unknown("a number", *values)
        return computed(pick(_numbers(values)), *values)

    return find


def _arithmetic(function: Callable[..., object]) -> Callable[..., Value]:
    def compute(*values: Value) -> Value:
        result = function(*_numbers(values))
        return computed(int(result) if isinstance(result, float) and result.is_integer() else result, *values)

    return compute


def _pow(base: Value, exponent: Value) -> Value:
    numbers = _numbers((base, exponent))
    if any(not isinstance(each, int) or abs(each) > _MAX_POWER for each in numbers) or numbers[1] < 0:
        return unknown("a power of numbers that are not small and whole", base, exponent)
    return computed(numbers[0] ** numbers[1], base, exponent)


def _sum(value: Value) -> Value:
    items = sequence_items(value)
    if not items:
        raise CodeError("sum() of nothing")
    return computed(sum(_numbers(items)), value)


COLLECTIONS: dict[str, Callable[..., Value]] = {
    "length": _length,
    "element": _element,
    "lookup": _lookup,
    "keys": _keys,
    "values": _values,
    "merge": _merge,
    "concat": _concat,
    "flatten": _flatten,
    "distinct": _distinct,
    "compact": _compact,
    "slice": _slice,
    "sort": _sort,
    "reverse": _reverse,
    "range": _range,
    "zipmap": _zipmap,
    "chunklist": _chunklist,
    "setproduct": _setproduct,
    "setunion": _set_operation(lambda item, sets: True),
    "setintersection": _set_operation(lambda item, sets: all(item in each for each in sets)),
    "setsubtract": _set_operation(lambda item, sets: item in sets[0] and item not in sets[1]),
    "contains": _contains,
    "index": _index,
    "coalesce": _coalesce,
    "coalescelist": _coalescelist,
    "tolist": _tolist,
    "toset": _toset,
    "tomap": _tomap,
    "one": _one,
    "min": _extreme(min),
    "max": _extreme(max),
    "floor": _arithmetic(math.floor),
    "ceil": _arithmetic(math.ceil),
    "abs": _arithmetic(abs),
    "pow": _pow,
    "signum": _arithmetic(lambda number: (number > 0) - (number < 0)),
    "sum": _sum,
    "alltrue": lambda value: computed(all(to_bool(item).value for item in sequence_items(value)), value),
    "anytrue": lambda value: computed(any(to_bool(item).value for item in sequence_items(value)), value),
}

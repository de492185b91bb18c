"""Instances of resources and modules: what ``count`` and ``for_each`` make of a block, and the values inside one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dagster_project.iac.addresses import Key
from dagster_project.iac.elements import pairs
from dagster_project.iac.evaluate import Scope, evaluate, safely
from dagster_project.iac.syntax import Attribute, Body, Literal, Name, Traversal, TupleOf, references_in
from dagster_project.iac.types import to_number
from dagster_project.iac.values import (
    NOWHERE,
    CodeError,
    Lazy,
    Mapping,
    Open,
    Places,
    Scalar,
    Sequence,
    Unknown,
    Value,
    alternatives,
    choose,
    controls,
    flows,
    is_null,
    unknown,
)

_MAX_COUNT = 10_000

ANY_KEY = "*"
"""The key of an instance that stands for all those of a block whose number is unknown."""

_SKIPPED_BLOCKS = frozenset(("lifecycle", "provisioner", "connection", "timeouts", "dynamic"))
_META = frozenset(("count", "for_each", "depends_on", "provider", "providers", "source", "version"))


@dataclass(frozen=True, slots=True)
class Expansion:
    """The instances of a block: each key with the names that it adds. ``places`` decide how many there are and their keys;
    unless ``is_known``, the instances are those of the state."""

    instances: dict[Key, dict[str, Value]]
    places: Places = NOWHERE
    is_known: bool = True
    block: str = ""


def expand(body: Body, scope: Scope, known_keys: tuple[Key, ...] | None) -> Expansion:
    """Evaluates ``count`` or ``for_each``. Where it is unknown, ``known_keys`` (of the state) are the instances.

    Without a state (None) one instance with ``ANY_KEY`` stands for all.
    """
    for name in ("count", "for_each"):
        expression = body.expression(name)
        if expression is None:
            continue
        value = safely(lambda expression=expression: evaluate(expression, scope))
        return _counted(value, known_keys) if name == "count" else _for_each(value, known_keys)
    return Expansion({None: {}})


def _counted(value: Value, known_keys: tuple[Key, ...] | None) -> Expansion:
    places = flows((value,)) | controls((value,))
    numbers: list[int] | None
    try:
        numbers = [int(to_number(single).value) for single in alternatives(value)]
    except (CodeError, Open, TypeError, ValueError, OverflowError):
        numbers = None
    is_known = numbers is not None and len(numbers) == 1
    if numbers is not None and is_known:
        keys: tuple[Key, ...] = tuple(range(min(numbers[0], _MAX_COUNT)))
    elif known_keys is not None:
        # What has no count yet in the state becomes the first.
        keys = tuple(sorted({0 if key is None else key for key in known_keys if not isinstance(key, str)}))
    elif numbers:
        keys = tuple(range(min(max(numbers), _MAX_COUNT)))
    else:
        index: Value = unknown("the number of instances", value)
        return Expansion({ANY_KEY: {"count": Mapping(entries={"index": index})}}, places, False)
    return Expansion({key: {"count": Mapping(entries={"index": Scalar(value=key)})} for key in keys}, places, is_known)


def _for_each(value: Value, known_keys: tuple[Key, ...] | None) -> Expansion:
    options = [single for single in alternatives(value) if not is_null(single)]
    if len(options) == 1 and isinstance(options[0], Mapping | Sequence):
        return _each_of(options[0], known_keys)
    places = value.control.union(*map(_key_places, options))
    if known_keys is None:
        return Expansion({ANY_KEY: {"each": _each(unknown("for_each", value), unknown("for_each", value))}}, places, False)
    found: dict[Key, dict[str, Value]] = {}
    for key in known_keys:
        if not isinstance(key, str):
            continue
        values: list[Value] = []
        for option in options:
            if isinstance(option, Mapping) and key in option.entries:
                values.append(option.entries[key])
            elif isinstance(option, Unknown | Lazy):
                values.append(unknown("for_each", option))
        found[key] = {"each": _each(Scalar(value=key), choose(values, value) if values else unknown("for_each", value))}
    return Expansion(found, places, False)


def _key_places(value: Value) -> Places:
    """What decides about the keys of a collection: not the values that stand at them."""
    if isinstance(value, Mapping):
        keys = [value.key(name) for name in value.entries]
        return flows(keys) | controls(keys) | value.flow | value.control
    return flows((value,)) | controls((value,))


def _each_of(value: Mapping | Sequence, known_keys: tuple[Key, ...] | None) -> Expansion:
    found: dict[Key, dict[str, Value]] = {}
    keys: list[Value] = []
    rows = pairs(value) if isinstance(value, Mapping) else [(item, item) for item in value.items]
    for key, item in rows:
        if not isinstance(key, Scalar):
            return _for_each(unknown("a key of for_each", value), known_keys)
        keys.append(key)
        is_certain = not isinstance(value, Mapping) or (not value.is_partial and key.text not in value.uncertain)
        if is_certain or known_keys is None or key.text in known_keys:
            found[key.text or ""] = {"each": _each(key, item)}
    is_known = not isinstance(value, Mapping) or value.is_settled
    if isinstance(value, Mapping) and value.is_partial:
        further = unknown("for_each", value)
        others = [key for key in known_keys or () if isinstance(key, str) and key not in found]
        found |= {key: {"each": _each(Scalar(value=key), further)} for key in others}
    return Expansion(found, flows(keys) | controls(keys) | value.flow | value.control, is_known)


def _each(key: Value, value: Value) -> Value:
    return Mapping(entries={"key": key, "value": value})


@dataclass(eq=False, slots=True)
class Instance:
    """One instance of a resource. ``addressing`` are the places that decide that it is there, and what it is called."""

    address: str
    type: str
    body: Body
    scope: Scope
    addressing: Places
    _values: dict[str, Value] = field(default_factory=dict)

    def value(self, path: tuple[str, ...]) -> Value | None:
        """The value of an attribute, below nested blocks where the path has several names; None where it is not set.

        Several blocks give a ``Sequence`` of their values. What Terraform would refuse is unknown, with its words.
        """
        key = ".".join(path)
        if key not in self._values:
            found = self._value(self.body, self.scope, path)
            if found is None:
                return None
            self._values[key] = found
        return self._values[key]

    def _value(self, body: Body, scope: Scope, path: tuple[str, ...]) -> Value | None:
        if len(path) == 1:
            expression = body.expression(path[0])
            return None if expression is None else safely(lambda: evaluate(expression, scope))
        found: list[Value] = []
        for inner, inner_scope in nested(body, scope, path[0]):
            if not isinstance(inner, Body):
                return unknown(f"the blocks {path[0]}", inner)
            value = self._value(inner, inner_scope, path[1:])
            if value is not None:
                found += value.items if isinstance(value, Sequence) and len(path) > 2 else [value]
        return Sequence(items=tuple(found)) if found else None

    def blocks(self, type_: str) -> Value | None:
        """The nested blocks of a type as a reference sees them; None where there are none."""
        found = list(nested(self.body, self.scope, type_))
        if not found:
            return None
        if any(not isinstance(inner, Body) for inner, _ in found):
            return unknown(f"the blocks {type_}", *self._block_values(type_))
        return Sequence(items=tuple(_block_object(inner, scope, f"{self.address}.{type_}") for inner, scope in found))  # type: ignore[arg-type]

    def _block_values(self, type_: str) -> list[Value]:
        return [value for name, value in self.everything() if name.partition("[")[0] == type_]

    def preconditions(self) -> list[Value]:
        """What the preconditions in its lifecycle evaluate to."""
        checks = [check for lifecycle in self.body.nested("lifecycle") for check in lifecycle.nested("precondition")]
        conditions = [check.expression("condition") for check in checks]
        return [safely(lambda c=condition: evaluate(c, self.scope)) for condition in conditions if condition is not None]

    def ignored(self) -> frozenset[str]:
        """Attributes that ``ignore_changes`` names; ``all`` stands for every one."""
        names: set[str] = set()
        for lifecycle in self.body.nested("lifecycle"):
            listed = lifecycle.expression("ignore_changes")
            items = listed.items if isinstance(listed, TupleOf) else [listed] if listed is not None else []
            for item in items:
                base = item.base if isinstance(item, Traversal) else item
                if isinstance(base, Name):
                    names.add(base.name)
                elif isinstance(base, Literal):
                    names.add(str(base.value.value).partition(".")[0].partition("[")[0])
        return frozenset(names)

    def everything(self) -> Iterator[tuple[str, Value]]:
        """Every attribute, in nested blocks too, that a plan looks at: its name and its value."""
        ignored = self.ignored()
        if "all" not in ignored:
            yield from _everything(self.body, self.scope, ignored)
        for lifecycle in self.body.nested("lifecycle"):
            triggers = lifecycle.expression("replace_triggered_by")
            if triggers is not None:
                # Whatever of a resource is named, a change of it may be a change of that.
                for reference in references_in(triggers):
                    first, second = reference.split(".", 1)
                    whole = Traversal(Name(first), (Attribute(second),))
                    yield "replace_triggered_by", safely(lambda e=whole: evaluate(e, self.scope))


def _block_object(body: Body, scope: Scope, label: str) -> Value:
    def get(name: str) -> Value:
        expression = body.expression(name)
        if expression is not None:
            return safely(lambda: evaluate(expression, scope))
        inner = list(nested(body, scope, name))
        if inner and all(isinstance(each, Body) for each, _ in inner):
            return Sequence(items=tuple(_block_object(each, at, f"{label}.{name}") for each, at in inner))  # type: ignore[arg-type]
        return unknown(f"{label}.{name}", *(value for _, value in _everything(body, scope)))

    return Lazy(get=get, label=label, inside=lambda: [value for _, value in _everything(body, scope)])


def _everything(body: Body, scope: Scope, skipped: frozenset[str] = frozenset()) -> Iterator[tuple[str, Value]]:
    for name in body.names():
        expression = body.expression(name)
        if name not in _META and name not in skipped and name not in _SKIPPED_BLOCKS and expression is not None:
            yield name, safely(lambda expression=expression: evaluate(expression, scope))
    types = [*body.block_types, *(block.labels[0] for block in body.blocks if block.type == "dynamic" and block.labels)]
    for type_ in dict.fromkeys(sorted(types)):
        if type_ in _SKIPPED_BLOCKS or type_ in skipped:
            continue
        for place, (inner, inner_scope) in enumerate(nested(body, scope, type_)):
            if not isinstance(inner, Body):
                yield type_, unknown(f"the blocks {type_}", inner)
                continue
            for name, value in _everything(inner, inner_scope):
                yield f"{type_}[{place}].{name}", value


def nested(body: Body, scope: Scope, type_: str) -> Iterator[tuple[Body | Value, Scope]]:
    """Nested blocks of a type with their scopes, dynamic ones expanded; where those are unknown, the value that is."""
    for inner in body.nested(type_):
        yield inner, scope
    for block in body.blocks:
        if block.type != "dynamic" or block.labels[:1] != (type_,):
            continue
        expression, iterator = block.body.expression("for_each"), block.body.expression("iterator")
        name = iterator.name if isinstance(iterator, Name) else type_
        collection = safely(lambda e=expression: evaluate(e, scope)) if expression else unknown("for_each")
        if not isinstance(collection, Mapping | Sequence) or (isinstance(collection, Mapping) and not collection.is_settled):
            yield collection, scope
            symbol = scope.with_names(**{name: Mapping(entries={"key": collection, "value": collection})})
            yield from ((content, symbol) for content in block.body.nested("content"))
            continue
        for content in block.body.nested("content"):
            for key, value in pairs(collection):
                yield content, scope.with_names(**{name: Mapping(entries={"key": key, "value": value})})

"""Evaluates HCL expressions to values with places."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Names
from dataclasses import dataclass, replace
from typing import Protocol

from dagster_project.iac import functions
from dagster_project.iac.elements import attribute, index, pairs
from dagster_project.iac.functions_files import READERS, FileContext, open_file, possible_files
from dagster_project.iac.operators import OPERATORS, negated
from dagster_project.iac.rendering import rendered
from dagster_project.iac.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Literal,
    Name,
    ObjectOf,
    Opaque,
    Splat,
    Step,
    Template,
    Traversal,
    TupleOf,
    Unary,
)
from dagster_project.iac.types import has_strings, loosened, to_bool, to_string
from dagster_project.iac.values import (
    Choice,
    CodeError,
    Cycle,
    Lazy,
    Mapping,
    Open,
    Scalar,
    Sequence,
    Unknown,
    Value,
    alternatives,
    choose,
    computed,
    decided_by,
    for_each_choice,
    is_null,
    put_together,
    unknown,
)


class References(Protocol):
    """What the first words of traversals mean: a module, say."""

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> tuple[Value, int]:
        """The value of ``name`` and as many of the steps as it takes to get one. Raises ``CodeError``."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: ``names`` of its surroundings (each, count, iterators) before ``references``.

    Inside of try() and can() an error is an answer. ``doubts`` then collect what would be one in some alternative.
    """

    references: References
    context: FileContext
    names: Names[str, Value]
    doubts: list[str] | None = None

    def with_names(self, **names: Value) -> Scope:
        """The scope inside a for expression, a dynamic block or an instance."""
        return replace(self, names={**self.names, **names})


def evaluate(expression: Expression, scope: Scope) -> Value:
    """The expression's value. Raises ``CodeError`` where Terraform would refuse it."""
    scope.context.budget.step()
    return _EVALUATORS[type(expression)](expression, scope)


def safely(function: Callable[[], Value]) -> Value:
    """The function's value; what Terraform would refuse is unknown, with its words."""
    try:
        return function()
    except (CodeError, Open) as error:
        return unknown(str(error))
    except Cycle as cycle:
        return unknown(str(cycle), reason="cycle")


def _part(expression: Expression, scope: Scope) -> Value:
    """An element of a list or an object. One that Terraform would refuse leaves the others known, but for a try()."""
    return safely(lambda: evaluate(expression, scope)) if scope.doubts is None else evaluate(expression, scope)


def _literal(expression: Literal, scope: Scope) -> Value:
    return expression.value


def _name(expression: Name, scope: Scope) -> Value:
    if expression.name in scope.names:
        return scope.names[expression.name]
    return scope.references.resolve(expression.name, (), scope)[0]


def _template(expression: Template, scope: Scope) -> Value:
    if not expression.parts:
        return Scalar(value="")
    values = [evaluate(part, scope) for part in expression.parts]
    if len(values) == 1:
        return values[0]

    def joined(*pieces: Value) -> Value:
        if any(isinstance(piece, Unknown | Lazy) for piece in pieces):
            return put_together("a part of a string", pieces)
        texts = [to_string(piece).value for piece in pieces]
        if None in texts:
            raise CodeError("a template has a part that is null")
        return computed("".join(texts), *pieces)

    return for_each_choice(joined, values)


def _opaque(expression: Opaque, scope: Scope) -> Value:
    inside = []
    for each in expression.inside:
        try:
            inside.append(evaluate(each, scope))
        except CodeError:
            continue
    result = unknown(expression.what, *inside)
    return replace(result, reason="unknown_value", detail=expression.what)


def _traversal(expression: Traversal, scope: Scope) -> Value:
    base, steps = expression.base, expression.steps
    if isinstance(base, Name) and base.name not in scope.names:
        value, taken = scope.references.resolve(base.name, steps, scope)
        steps = steps[taken:]
    else:
        value = evaluate(base, scope)
    return _follow(value, steps, scope)


def _follow(value: Value, steps: tuple[Step, ...], scope: Scope) -> Value:
    for place, step in enumerate(steps):
        if isinstance(step, Attribute):
            value = attribute(value, step.name, scope.doubts)
        elif isinstance(step, Index):
            value = index(value, evaluate(step.key, scope), scope.doubts)
        else:
            return _follow(_splat(value, step, scope), steps[place + 1 :], scope)
    return value


def _splat(value: Value, step: Splat, scope: Scope) -> Value:
    def each(single: Value) -> Value:
        if isinstance(single, Unknown):
            return single
        if isinstance(single, Mapping) and single.is_partial:
            return unknown("instances whose number is unknown", single)
        if isinstance(single, Sequence):
            return replace(single, items=tuple(_follow(item, step.steps, scope) for item in single.items), is_set=False)
        if is_null(single):
            return Sequence(flow=single.flow, control=single.control)
        return Sequence(items=(_follow(single, step.steps, scope),))

    return for_each_choice(each, (value,))


def _call(expression: Call, scope: Scope) -> Value:
    if expression.name == "try":
        return _try(expression.arguments, scope)
    if expression.name == "can":
        return _can(expression.arguments, scope)
    if expression.name in READERS and expression.arguments:
        return _read(expression, scope)
    values = [evaluate(argument, scope) for argument in expression.arguments]
    if not expression.is_expanded:
        if scope.doubts is not None and any(isinstance(value, Choice) for value in values):
            scope.doubts.append("a function may fail for one of several values")
        return functions.call(expression.name, values, scope.context)

    def expanded(last: Value) -> Value:
        if isinstance(last, Unknown | Lazy):
            return unknown("arguments of a function", *values)
        if not isinstance(last, Sequence):
            raise CodeError("only a list can be expanded into arguments")
        result = functions.call(expression.name, [*values[:-1], *last.items], scope.context)
        return decided_by(result, Scalar(control=last.control))

    return for_each_choice(expanded, values[-1:])


def _try(arguments: tuple[Expression, ...], scope: Scope) -> Value:
    options: list[Value] = []
    for argument in arguments:
        try:
            doubts: list[str] = []
            value = evaluate(argument, replace(scope, doubts=doubts))
        except CodeError:
            continue
        options += alternatives(value)
        if not doubts and not any(isinstance(each, Unknown) for each in alternatives(value)):
            break
    if not options:
        raise CodeError("no expression of a try() has a value")
    return options[0] if len(options) == 1 else choose(options)


def _read(expression: Call, scope: Scope) -> Value:
    """A call that reads a file. Of a path that is known in parts, what it gives for each file that it may name."""
    options: list[Value] = []
    path = evaluate(expression.arguments[0], scope)
    for single in alternatives(path):
        if not isinstance(single, Unknown) or not single.pieces:
            options.append(_read_one(expression, single, scope))
            continue
        files, is_closed = possible_files(scope.context, single.pieces)
        calls = [replace(expression, arguments=(Literal(Scalar(value=file)), *expression.arguments[1:])) for file in files]
        options += [safely(lambda call=call: _read_one(call, call.arguments[0].value, scope)) for call in calls]
        if not is_closed or not files:
            options.append(unknown(single.detail, single))
        if scope.doubts is not None:
            scope.doubts.append("there may be no such file")
    return choose(options, path)


def _read_one(expression: Call, path: Value, scope: Scope) -> Value:
    others = [evaluate(argument, scope) for argument in expression.arguments[1:]]
    if expression.name == "templatefile":
        return for_each_choice(lambda *each: _templatefile(*each, scope=scope), [path, *others])
    return functions.call(expression.name, [path, *others], scope.context)


class _NothingElse:
    """The references of a template file: it sees its variables, and nothing else."""

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> tuple[Value, int]:
        raise CodeError(f"the template has no variable {name}")


def _templatefile(path: Value, variables: Value, *, scope: Scope) -> Value:
    file = open_file(scope.context, path) if isinstance(path, Scalar) else unknown("the path of a template", path, variables)
    if isinstance(file, Unknown):
        return unknown(file.detail, file, variables, reason=file.reason)
    if not isinstance(variables, Mapping):
        return unknown("the variables of a template", path, variables)
    inside = Scope(_NothingElse(), scope.context, variables.entries, scope.doubts)
    return decided_by(rendered(file, variables, lambda expression: evaluate(expression, inside)), path)


def _can(arguments: tuple[Expression, ...], scope: Scope) -> Value:
    try:
        doubts: list[str] = []
        value = evaluate(arguments[0], replace(scope, doubts=doubts))
    except CodeError:
        return Scalar(value=False)
    if doubts or any(isinstance(each, Unknown) for each in alternatives(value)):
        return unknown("whether an expression has a value", value)
    return computed(True, value)


def _conditional(expression: Conditional, scope: Scope) -> Value:
    condition = evaluate(expression.condition, scope)
    then, otherwise = _Branch(expression.then, scope), _Branch(expression.otherwise, scope)
    taken = []
    error: CodeError | None = None
    for single in alternatives(condition):
        is_open = isinstance(single, Unknown | Lazy)
        wanted = (then, otherwise) if is_open else (then,) if to_bool(single).value else (otherwise,)
        for branch, other in ((then, otherwise), (otherwise, then)):
            if branch not in wanted:
                continue
            if branch.error:
                error = branch.error
            else:
                taken.append(_as_type_of_both(branch.value(), other))
    if not taken:
        raise error or CodeError("a condition has no value")
    if error and scope.doubts is not None:
        scope.doubts.append(str(error))
    return choose(taken, condition)


class _Branch:
    """A branch of a condition, evaluated once, and only where it is asked for."""

    def __init__(self, expression: Expression, scope: Scope) -> None:
        self._expression = expression
        self._scope = scope
        self._value: Value | None = None
        self._error: CodeError | None = None

    @property
    def error(self) -> CodeError | None:
        if self._value is None and self._error is None:
            try:
                self._value = evaluate(self._expression, self._scope)
            except CodeError as error:
                self._error = error
        return self._error

    def value(self) -> Value:
        if self.error or self._value is None:
            raise self._error or CodeError("a condition has no value")
        return self._value


def _as_type_of_both(value: Value, other: _Branch) -> Value:
    """A number beside a string is a string: both branches of a condition have one type."""
    if isinstance(value, Unknown | Lazy | Choice) or (isinstance(value, Scalar) and isinstance(value.value, str | None)):
        return value
    if other.error:
        return value
    beside = other.value()
    if isinstance(value, Scalar):
        return to_string(value) if isinstance(beside, Scalar) and isinstance(beside.value, str) else value
    return loosened(value) if isinstance(beside, Sequence | Mapping) and has_strings(beside) else value


def _logic(expression: Binary, scope: Scope) -> Value:
    """A side that decides alone does so even where the other is unknown, or an error."""
    deciding = expression.operator == "||"
    values: list[Value] = []
    for side in (expression.left, expression.right):
        value = evaluate(side, scope)
        if not isinstance(value, Unknown | Lazy | Choice):
            if to_bool(value).value is deciding:
                return computed(deciding, *values, value)
            value = to_bool(value)
        values.append(value)
    if any(not isinstance(value, Scalar) for value in values):
        return unknown("a condition", *values)
    return computed(not deciding, *values)


def _binary(expression: Binary, scope: Scope) -> Value:
    if expression.operator in ("&&", "||"):
        return _logic(expression, scope)
    sides = [evaluate(expression.left, scope), evaluate(expression.right, scope)]
    return for_each_choice(OPERATORS[expression.operator], sides)


def _unary(expression: Unary, scope: Scope) -> Value:
    operand = evaluate(expression.operand, scope)
    if expression.operator == "!":
        return for_each_choice(negated, (operand,))
    return for_each_choice(OPERATORS["-"], (Scalar(value=0), operand))


def _tuple(expression: TupleOf, scope: Scope) -> Value:
    return Sequence(items=tuple(_part(item, scope) for item in expression.items))


def _object(expression: ObjectOf, scope: Scope) -> Value:
    entries: dict[str, Value] = {}
    keys: dict[str, Scalar] = {}
    pending: list[Value] = []
    for key_expression, value_expression in expression.items:
        key = evaluate(key_expression, scope)
        value = _part(value_expression, scope)
        if not isinstance(key, Scalar):
            pending += [key, value]
            continue
        name = to_string(key)
        if name.value is None:
            raise CodeError("a key is null")
        entries[name.value] = value
        keys[name.value] = name
    if pending:
        return unknown("a key", *pending, *entries.values())
    return Mapping(entries=entries, keys=keys)


def _for(expression: For, scope: Scope) -> Value:
    collection = evaluate(expression.collection, scope)
    return for_each_choice(lambda single: _for_over(expression, single, scope), (collection,))


def _for_over(expression: For, collection: Value, scope: Scope) -> Value:
    if isinstance(collection, Unknown | Lazy):
        return unknown("a collection", collection, *_inside_of(expression, _with_row(expression, scope, collection, collection)))
    rows: list[tuple[Value, Value]] = []
    conditions: list[Value] = []
    open_parts: list[Value] = []
    uncertain: set[int] = set()
    if isinstance(collection, Mapping) and collection.is_partial:
        inside = [part for row in pairs(collection) for part in _inside_of(expression, _with_row(expression, scope, *row))]
        return unknown("a collection", collection, *inside)
    maybe = collection.uncertain if isinstance(collection, Mapping) else frozenset()
    for key, value in pairs(collection):
        inner = _with_row(expression, scope, key, value)
        if expression.condition:
            condition = evaluate(expression.condition, inner)
            if not isinstance(condition, Scalar):
                open_parts += [condition, *_inside_of(expression, inner)]
                uncertain.add(len(rows))
            conditions.append(condition)
            if isinstance(condition, Scalar) and not to_bool(condition).value:
                continue
        if key.text in maybe and isinstance(collection, Mapping):
            open_parts += [key, *_inside_of(expression, inner)]
            uncertain.add(len(rows))
        result_key = evaluate(expression.key, inner) if expression.key else key
        rows.append((result_key, evaluate(expression.value, inner)))
    has_keys = expression.key is not None and not expression.is_grouping and all(isinstance(row[0], Scalar) for row in rows)
    if open_parts and not has_keys:
        return unknown("a condition of a for expression", *open_parts, collection, *(part for row in rows for part in row))
    shape = decided_by(Scalar(flow=collection.flow, control=collection.control), *conditions)
    if expression.key is None:
        is_unordered = isinstance(collection, Sequence) and collection.is_unordered
        return Sequence(shape.flow, shape.control, tuple(value for _, value in rows), is_unordered=is_unordered)
    return _for_object(expression, rows, shape, uncertain)


def _with_row(expression: For, scope: Scope, key: Value, value: Value) -> Scope:
    names = {expression.value_name: value}
    return scope.with_names(**names, **({expression.key_name: key} if expression.key_name else {}))


def _inside_of(expression: For, scope: Scope) -> list[Value]:
    """What would be in a result if it were known that there is one."""
    inside = [each for each in (expression.key, expression.value, expression.condition) if each]
    return [safely(lambda each=each: evaluate(each, scope)) for each in inside]


def _for_object(expression: For, rows: list[tuple[Value, Value]], shape: Value, uncertain: set[int]) -> Value:
    """An object. Of rows with one key at most one may be certain: then it is that, or one of the others."""
    entries: dict[str, list[Value]] = {}
    keys: dict[str, Scalar] = {}
    certain: set[str] = set()
    for number, (key, value) in enumerate(rows):
        if not isinstance(key, Scalar):
            return unknown("a key of a for expression", *(each for row in rows for each in row))
        name = to_string(key)
        if name.value is None:
            raise CodeError("a key is null")
        if name.value in certain and number not in uncertain and not expression.is_grouping:
            raise CodeError(f"two elements have the key {name.value}")
        certain |= set() if number in uncertain else {name.value}
        entries.setdefault(name.value, []).append(value)
        keys[name.value] = name if name.value not in keys else computed(name.value, keys[name.value], name)
    values = {name: Sequence(items=tuple(found)) if expression.is_grouping else choose(found) for name, found in entries.items()}
    return Mapping(shape.flow, shape.control, values, keys, frozenset(entries.keys() - certain))


_EVALUATORS: dict[type, Callable[..., Value]] = {
    Literal: _literal,
    Name: _name,
    Template: _template,
    Opaque: _opaque,
    Traversal: _traversal,
    Call: _call,
    Conditional: _conditional,
    Binary: _binary,
    Unary: _unary,
    TupleOf: _tuple,
    ObjectOf: _object,
    For: _for,
}

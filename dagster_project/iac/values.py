"""Terraform values that remember where they came from.

    Scalar     a string, number, bool or null; ``origin`` is the literal in a file that it is, unchanged
    Sequence   a list, tuple or set
    Mapping    a map or object
    Lazy       an object whose attributes are evaluated when they are asked for: a resource, a module's outputs
    Choice     one of several values, and it is not known which: a condition or a key is unknown
    Unknown    a value that cannot be known from the repository, with the reason code that says why

Every value carries two sets of places. ``flow``: literals whose bytes are part of the value. ``control``: literals that
decided which value it is (a condition, a key, a length). Editing a literal changes the values whose flow holds it; it may
change those whose control does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple


class Span(NamedTuple):
    """Bytes ``start`` to ``end`` of ``file``, a path relative to the repository. Quotes are outside."""

    file: str
    start: int
    end: int


Places = frozenset[Span]
NOWHERE: Places = frozenset()

MAX_CHOICES = 64
"""Combinations of alternatives that are followed; more than that are unknown."""


class CodeError(Exception):
    """What Terraform would refuse too: a missing attribute, an index out of range. ``try`` and ``can`` catch it."""


class Open(Exception):
    """A value is needed where one is unknown, or one of several. No ``CodeError``: ``try`` must not take it for an error."""


class Cycle(Exception):
    """A value that depends on itself. ``try`` does not catch it: Terraform refuses the whole configuration."""


@dataclass(frozen=True, slots=True)
class Value:
    """The base of all values."""

    flow: Places = NOWHERE
    control: Places = NOWHERE


@dataclass(frozen=True, slots=True)
class Scalar(Value):
    """``value``: str, bool, int, float or None. ``is_quoted`` tells of a number in quotes that it is a string's text."""

    value: Any = None
    origin: Span | None = None

    @property
    def text(self) -> str | None:
        """The value as a string, as Terraform converts it; None of null."""
        return as_text(self.value)


class Run(NamedTuple):
    """Bytes of a text from ``start`` on, up to the next run: where they stand in a file, or, of computed ones (None), what
    flows into them."""

    start: int
    origin: int | None
    flow: Places = NOWHERE


@dataclass(frozen=True, slots=True)
class DocumentText(Scalar):
    """A text that may be decoded: a file, a heredoc in one, or a file's template with its variables put in."""

    file: str = ""
    runs: tuple[Run, ...] = (Run(0, 0),)

    def place(self, span: Span) -> Span | None:
        """Where a part of the text stands in the file; None where it goes over the end of a run."""
        run = max((run for run in self.runs if run.start <= span.start), key=lambda run: run.start)
        following = [each.start for each in self.runs if each.start > run.start]
        if run.origin is None or (following and span.end > min(following)):
            return None
        shift = run.origin - run.start
        return Span(self.file, span.start + shift, span.end + shift)

    def flow_of(self, span: Span) -> Places:
        """What flows into a part of the text."""
        found: set[Span] = set()
        ends = [*(run.start for run in self.runs[1:]), span.end]
        for run, end in zip(self.runs, ends, strict=True):
            first, last = max(run.start, span.start), min(max(end, run.start), span.end)
            if first < last and run.origin is None:
                found |= run.flow
            elif first < last and run.origin is not None:
                found.add(Span(self.file, first - run.start + run.origin, last - run.start + run.origin))
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Sequence(Value):
    """``items`` in order; a set is sorted as Terraform iterates over it. Of what ``is_unordered`` the order is not known."""

    items: tuple[Value, ...] = ()
    is_set: bool = False
    is_unordered: bool = False


@dataclass(frozen=True, slots=True)
class Mapping(Value):
    """``entries`` by key. ``keys`` holds those keys that have a place or were computed, as the values that they were; of those
    that are ``uncertain`` it is not known whether they are there, and where it ``is_partial`` there may be others."""

    entries: dict[str, Value] = None  # type: ignore[assignment]
    keys: dict[str, Scalar] = None  # type: ignore[assignment]
    uncertain: frozenset[str] = frozenset()
    is_partial: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether it is known which keys it has."""
        return not self.uncertain and not self.is_partial

    def key(self, name: str) -> Scalar:
        """The key ``name`` with what is known of its place."""
        return (self.keys or {}).get(name) or Scalar(value=name)


@dataclass(frozen=True, slots=True)
class Lazy(Value):
    """``get`` gives an attribute's value, or raises ``CodeError``. ``label`` is what it is called in sentences, ``inside``
    gives every value in it that is known."""

    get: Callable[[str], Value] = None  # type: ignore[assignment]
    label: str = ""
    inside: Callable[[], Iterable[Value]] = tuple


@dataclass(frozen=True, slots=True)
class Choice(Value):
    """One of ``options``; none of them is a choice itself."""

    options: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """``reason`` is a reason code of a verdict; ``detail`` names what is unknown. Of a string that is put together, ``pieces``
    are its parts, None for each that is unknown."""

    reason: str = "unknown_value"
    detail: str = ""
    pieces: tuple[str | None, ...] = ()


NULL = Scalar()


def as_text(value: Any) -> str | None:
    """A scalar's text as Terraform converts it to a string; None of null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def is_null(value: Value) -> bool:
    """Whether it is known to be null."""
    return isinstance(value, Scalar) and value.value is None


MAX_TEXT = 1_000_000
"""Characters of a string that is put together."""


class TooLarge(Exception):
    """A value, or what it takes to evaluate a root, beyond all measure: code that doubles itself, say."""


def computed(value: Any, *sources: Value) -> Scalar:
    """A scalar that was made from others: their places flow into it, and none of them is it. Raises ``TooLarge``."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise TooLarge
    return Scalar(flow=flows(sources), control=controls(sources), value=value)


def unknown(detail: str, *sources: Value, reason: str = "unknown_value") -> Unknown:
    """Something that is not known, made from ``sources``; the reason of an unknown among them is kept."""
    for source in sources:
        if isinstance(source, Unknown):
            reason, detail = source.reason, source.detail
            break
    return Unknown(flow=flows(sources), control=controls(sources), reason=reason, detail=detail)


def flows(values: Iterable[Value]) -> Places:
    """Every place whose bytes are in one of the values, however deep."""
    found: set[Span] = set()
    for value in _within(values):
        found |= value.flow
        if isinstance(value, Scalar) and value.origin:
            found.add(value.origin)
    return frozenset(found) if found else NOWHERE


def controls(values: Iterable[Value]) -> Places:
    """Every place that decided about one of the values, however deep."""
    found: set[Span] = set()
    for value in _within(values):
        found |= value.control
    return frozenset(found) if found else NOWHERE


def _within(values: Iterable[Value]) -> Iterator[Value]:
    """The values and everything in them, each object once: a value that is repeated within another is met again and again."""
    pending = list(values)
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if isinstance(value, Scalar):
            yield value
        elif id(value) not in seen:
            seen.add(id(value))
            yield value
            pending += parts(value)
            if isinstance(value, Mapping) and value.keys:
                pending += value.keys.values()


def parts(value: Value) -> Iterator[Value]:
    """The values directly inside."""
    if isinstance(value, Sequence):
        yield from value.items
    elif isinstance(value, Mapping):
        yield from value.entries.values()
    elif isinstance(value, Choice):
        yield from value.options
    elif isinstance(value, Lazy):
        yield from value.inside()


def is_open(value: Value) -> bool:
    """Whether anything in it is unknown, or one of several."""
    return any(
        isinstance(part, Unknown | Lazy | Choice) or (isinstance(part, Mapping) and not part.is_settled)
        for part in _within((value,))
    )


def put_together(detail: str, values: Iterable[Value], *others: Value) -> Unknown:
    """A string of which not every part is known; the parts that are stay in ``pieces``."""
    given = list(values)
    pieces: list[str | None] = []
    for value in given:
        pieces += value.pieces or [None] if isinstance(value, Unknown) else [value.text if isinstance(value, Scalar) else None]
    return replace(unknown(detail, *given, *others), pieces=tuple(pieces))


def decided_by(value: Value, *deciders: Value) -> Value:
    """``value``, chosen by what flows into and controls ``deciders``."""
    control = _shallow(deciders)
    if not control or control <= value.control:
        return value
    return replace(value, control=value.control | control)


def _shallow(values: Iterable[Value]) -> Places:
    found: set[Span] = set()
    for value in values:
        found |= value.flow | value.control
        if isinstance(value, Scalar) and value.origin:
            found.add(value.origin)
    return frozenset(found) if found else NOWHERE


def choose(options: Iterable[Value], *deciders: Value) -> Value:
    """One of ``options``, undecided by ``deciders``; the only one is that value itself."""
    flat: list[Value] = []
    for option in options:
        for single in option.options if isinstance(option, Choice) else (option,):
            if single not in flat:
                flat.append(single)
    if not flat:
        raise CodeError("no alternative is possible")
    if len(flat) == 1:
        return decided_by(flat[0], *deciders)
    if len(flat) > MAX_CHOICES:
        return unknown("more alternatives than are followed", *flat, *deciders)
    return decided_by(Choice(options=tuple(flat)), *deciders)


def alternatives(value: Value) -> tuple[Value, ...]:
    """What the value may be: its options, or itself."""
    return value.options if isinstance(value, Choice) else (value,)


def for_each_choice(function: Callable[..., Value], values: Items[Value], doubts: list[str] | None = None) -> Value:
    """``function`` over every combination of alternatives; a combination that is an error drops out, and is noted in ``doubts``.

    Raises ``CodeError`` where every combination is one.
    """
    if not any(isinstance(value, Choice) for value in values):
        return function(*values)
    sets = [alternatives(value) for value in values]
    count = 1
    for options in sets:
        count *= len(options)
    if count > MAX_CHOICES:
        return unknown("more alternatives than are followed", *values)
    results: list[Value] = []
    error: CodeError | None = None
    for combination in product(*sets):
        try:
            results.append(function(*combination))
        except CodeError as problem:
            error = problem
    if not results:
        raise error or CodeError("no alternative is possible")
    if error and doubts is not None:
        doubts.append(str(error))
    return choose(results, *[value for value in values if isinstance(value, Choice)])


MAX_PARTS = 1_000_000
"""Parts of one value that are compared; a value that doubles itself thirty times has more."""


def plain(value: Value) -> Any:
    """The value without places, for comparing: unknowns are equal where they are the same unknown. Raises ``TooLarge``."""
    left = MAX_PARTS

    def strip(value: Value) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLarge
        if isinstance(value, Scalar):
            return value.value
        if isinstance(value, Sequence):
            return ("set" if value.is_set else "list", tuple(strip(item) for item in value.items))
        if isinstance(value, Mapping):
            entries = tuple((key, strip(item)) for key, item in sorted(value.entries.items()))
            return ("map", entries) if value.is_settled else ("map", entries, tuple(sorted(value.uncertain)), value.is_partial)
        if isinstance(value, Choice):
            return ("one of", tuple(strip(option) for option in value.options))
        if isinstance(value, Unknown):
            return ("unknown", value.reason, value.detail)
        return ("object", value.label if isinstance(value, Lazy) else "")

    return strip(value)

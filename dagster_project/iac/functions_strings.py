"""Terraform's functions for strings."""

from __future__ import annotations

import re
from collections.abc import Callable

from dagster_project.iac.types import sequence_items, to_number, to_string
from dagster_project.iac.values import CodeError, Open, Scalar, Sequence, Unknown, Value, computed, put_together, unknown

_VERB = re.compile(r"%(?:%|(-?0?\d{0,3}(?:\.\d{1,2})?)([sdvqtfg]))")
_FOREIGN_REGEX = re.compile(r"\[\[:|\\[pPzQCX]|\(\?[<!=]|\(\?P[=>]|\(\?<|\\[1-9]")
"""Patterns that Go's and Python's engines read differently."""

_BACKTRACKING = re.compile(r"[+*}]\)*[+*{]|\*.*\*.*\*|\+.*\+.*\+")
"""Patterns on which Python's engine may take for ever, and Go's does not: repetitions of repetitions, and many of them."""

_MAX_PATTERN = 200
_MAX_SUBJECT = 2_000
_MAX_PLAIN = 1_000_000


def _text(value: Value) -> str:
    text = to_string(value).value
    if text is None:
        raise CodeError("a string is null")
    return text


def _kept(result: str, source: Value, *others: Value) -> Scalar:
    """The source itself where the function changed nothing: what is written there comes out."""
    if isinstance(source, Scalar) and source.value == result and isinstance(source.value, str):
        return source
    return computed(result, source, *others)


def _same_or(function: Callable[[str], str]) -> Callable[[Value], Value]:
    return lambda value: _kept(function(_text(value)), value)


def _made(function: Callable[..., object]) -> Callable[..., Value]:
    return lambda *values: computed(function(*map(_text, values)), *values)


def _split(separator: Value, value: Value) -> Value:
    text = _text(value)
    pieces = text.split(_text(separator)) if _text(separator) else list(text)
    if len(pieces) == 1:
        return Sequence(control=value.control, items=(to_string(value),))
    return Sequence(items=tuple(computed(piece, value, separator) for piece in pieces))


def _join(separator: Value, *lists: Value) -> Value:
    items = [item for value in lists for item in sequence_items(value)]
    if any(not isinstance(item, Scalar) for item in items):
        between = [part for item in items for part in (separator, item)][1:]
        return put_together("an element of a list that is joined", between)
    if len(items) == 1 and isinstance(items[0].value, str):  # type: ignore[attr-defined]
        return items[0]
    return computed(_text(separator).join(_text(item) for item in items), separator, *lists)


def _format(pattern: Value, *values: Value) -> Value:
    text = _text(pattern)
    if text == "%s" and len(values) == 1:
        return to_string(values[0])
    if any(isinstance(value, Unknown) for value in values):
        return _formatted_in_part(text, pattern, values)
    place = 0

    def fill(found: re.Match[str]) -> str:
        nonlocal place
        flags, verb = found.groups()
        if verb is None:
            return "%"
        if place >= len(values):
            raise CodeError("format() has too few values")
        value = values[place]
        place += 1
        if not isinstance(value, Scalar):
            raise Open("a value of format()")
        if verb in "dfg":
            number = to_number(value).value
            return f"%{flags}{verb}" % (int(number) if verb == "d" else number)
        if verb == "q":
            return '"' + _text(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        if verb == "v" and not isinstance(value.value, str | bool | None) and not 0 <= value.value < _MAX_PLAIN:
            # %v shows large numbers in another way.
            raise Open("a number in format()")
        return f"%{flags}s" % _text(value)

    filled = _VERB.sub(fill, text)
    if place != len(values) or "%" in _VERB.sub("", text):
        return unknown("format() with other verbs", pattern, *values)
    return computed(filled, pattern, *values)


def _formatted_in_part(text: str, pattern: Value, values: tuple[Value, ...]) -> Value:
    """What is known of a text some of whose values are not: the text between the verbs, where they are plain ones."""
    between = text.split("%s")
    if len(between) != len(values) + 1 or "%" in "".join(between):
        return unknown("format() with an unknown value", pattern, *values)
    rest = [part for value, after in zip(values, between[1:], strict=True) for part in (value, Scalar(value=after))]
    return put_together("format() with an unknown value", [Scalar(value=between[0]), *rest], pattern)


def _formatlist(pattern: Value, *values: Value) -> Value:
    lists = [value.items for value in values if isinstance(value, Sequence)]
    length = max((len(items) for items in lists), default=1)
    rows = [
        _format(pattern, *(value.items[place] if isinstance(value, Sequence) else value for value in values))
        for place in range(length)
    ]
    return Sequence(items=tuple(rows))


def _substr(value: Value, offset: Value, length: Value) -> Value:
    text, start, count = _text(value), int(to_number(offset).value), int(to_number(length).value)
    start = start + len(text) if start < 0 else start
    return computed(text[start:] if count < 0 else text[start : start + count], value, offset, length)


def _replace(value: Value, wanted: Value, other: Value) -> Value:
    text, find = _text(value), _text(wanted)
    if len(find) > 1 and find[0] == find[-1] == "/":
        pattern = _pattern(find[1:-1])
        if pattern is None or "$" in _text(other) or len(text) > _MAX_SUBJECT:
            return unknown("a regular expression", value, wanted, other)
        return computed(pattern.sub(_text(other).replace("\\", "\\\\"), text), value, wanted, other)
    return computed(text.replace(find, _text(other)), value, wanted, other)


def _pattern(text: str) -> re.Pattern[str] | None:
    if _FOREIGN_REGEX.search(text) or _BACKTRACKING.search(text) or len(text) > _MAX_PATTERN:
        return None
    try:
        return re.compile(text, re.ASCII)
    except re.error:
        return None


def _regex(pattern: Value, value: Value) -> Value:
    compiled = _pattern(_text(pattern))
    if compiled is None or compiled.groupindex or len(_text(value)) > _MAX_SUBJECT:
        return unknown("a regular expression", pattern, value)
    found = compiled.search(_text(value))
    if not found:
        raise CodeError("regex() without a match")
    if compiled.groups:
        return Sequence(items=tuple(computed(group, pattern, value) for group in found.groups()))
    return computed(found.group(), pattern, value)


def _regexall(pattern: Value, value: Value) -> Value:
    compiled = _pattern(_text(pattern))
    if compiled is None or compiled.groups or len(_text(value)) > _MAX_SUBJECT:
        return unknown("a regular expression", pattern, value)
    return Sequence(
        flow=computed(None, pattern, value).flow,
        items=tuple(computed(found.group(), pattern, value) for found in compiled.finditer(_text(value))),
    )


def _trim(value: Value, cut: Value) -> Value:
    return computed(_text(value).strip(_text(cut)), value, cut)


def _parseint(value: Value, base: Value) -> Value:
    try:
        number = int(_text(value), int(to_number(base).value))
    except ValueError:
        raise CodeError("parseint() of a text that is no number") from None
    return computed(number, value, base)


def _title(text: str) -> str:
    return re.sub(r"(^|[^\w'])(\w)", lambda found: found.group(1) + found.group(2).upper(), text)


STRINGS: dict[str, Callable[..., Value]] = {
    "lower": _same_or(str.lower),
    "upper": _same_or(str.upper),
    "trimspace": _same_or(str.strip),
    "chomp": _same_or(lambda text: text.rstrip("\r\n")),
    "title": _made(_title),
    "strrev": _made(lambda text: text[::-1]),
    "trim": _trim,
    "trimprefix": _made(str.removeprefix),
    "trimsuffix": _made(str.removesuffix),
    "startswith": _made(str.startswith),
    "endswith": _made(str.endswith),
    "strcontains": _made(lambda text, part: part in text),
    "basename": _made(lambda text: text.rstrip("/").rpartition("/")[2] or "."),
    "dirname": _made(lambda text: text.rpartition("/")[0] or "."),
    "split": _split,
    "join": _join,
    "format": _format,
    "formatlist": _formatlist,
    "substr": _substr,
    "replace": _replace,
    "regex": _regex,
    "regexall": _regexall,
    "parseint": _parseint,
}

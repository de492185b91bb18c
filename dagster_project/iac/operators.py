"""Terraform's operators, over values without alternatives."""

from __future__ import annotations

from collections.abc import Callable

from dagster_project.iac.types import to_bool, to_number
from dagster_project.iac.values import CodeError, Lazy, Scalar, Unknown, Value, computed, is_null, unknown


def negated(value: Value) -> Value:
    """``!value``."""
    return value if isinstance(value, Unknown) else computed(not to_bool(value).value, value)


def _equal(left: Value, right: Value) -> Value:
    """Scalars of different types are not equal, but one may have been converted on its way here: 1 and "1" stay open. Whether
    collections are equal depends on whether they are lists or tuples."""
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        if left.text == right.text and _typed(left) != _typed(right):
            return unknown("whether a number or bool equals its text", left, right)
        return computed(_typed(left) == _typed(right), left, right)
    is_beside_null = (is_null(left) or is_null(right)) and not isinstance(left, Unknown) and not isinstance(right, Unknown)
    return computed(False, left, right) if is_beside_null else unknown("a comparison", left, right)


def _typed(value: Scalar) -> tuple[bool, bool, object]:
    # True == 1 in Python, and not in Terraform.
    return (isinstance(value.value, bool), isinstance(value.value, str), value.value)


def _arithmetic(operate: Callable[[float, float], object]) -> Callable[[Value, Value], Value]:
    def compute(left: Value, right: Value) -> Value:
        if isinstance(left, Unknown | Lazy) or isinstance(right, Unknown | Lazy):
            return unknown("a number", left, right)
        first, second = to_number(left).value, to_number(right).value
        if first is None or second is None:
            raise CodeError("a number is null")
        try:
            result = operate(first, second)
        except (ZeroDivisionError, OverflowError):
            # Terraform has an infinity, and goes on with it.
            return unknown("a division by zero", left, right)
        if isinstance(result, float) and result.is_integer():
            result = int(result)
        if isinstance(result, int | float) and not isinstance(result, bool) and len(repr(result)) > _MAX_DIGITS:
            # Terraform computes with 512 bits, and shows more digits.
            return unknown("a number with many digits", left, right)
        return computed(result, left, right)

    return compute


_MAX_DIGITS = 14
OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "==": _equal,
    "!=": lambda left, right: negated(_equal(left, right)),
    "+": _arithmetic(lambda a, b: a + b),
    "-": _arithmetic(lambda a, b: a - b),
    "*": _arithmetic(lambda a, b: a * b),
    "/": _arithmetic(lambda a, b: a / b),
    "%": _arithmetic(lambda a, b: abs(a) % abs(b) * (1 if a >= 0 else -1)),
    "<": _arithmetic(lambda a, b: a < b),
    "<=": _arithmetic(lambda a, b: a <= b),
    ">": _arithmetic(lambda a, b: a > b),
    ">=": _arithmetic(lambda a, b: a >= b),
}

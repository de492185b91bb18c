"""Headline numbers as they are printed: with the table, the day and the definition that each can be traced to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from dagster_project.domain.night_numbers import COUNT, MINUTES, NIGHT_NUMBERS, PERCENT, NightNumber
from dagster_project.reporting.savings_views import Answers
from dagster_project.reporting.words import UNKNOWN, duration, money, percent, thousands


@dataclass(frozen=True)
class Figure:
    """A number. ``told`` is what it is, for whoever points at it; ``name`` is empty where it leads to no definition."""

    name: str
    title: str
    text: str
    told: str = ""
    definition: str = ""
    tables: tuple[str, ...] = ()
    note: str = ""


class Figures:
    """The numbers of a night by name; what the night has not is unknown and leads nowhere."""

    def __init__(self, answers: Answers, day: date, money: Callable[[float], str] = money) -> None:
        self._answers = answers
        self._day = day
        self._money = money

    def __call__(self, name: str, note: str = "") -> Figure:
        """One number; ``note`` is what else there is to say of it."""
        number = NIGHT_NUMBERS[name]
        if name not in self._answers.numbers:
            return Figure("", number.title, UNKNOWN, note=note)
        tables = " and ".join(number.tables) if len(number.tables) < 3 else ", ".join(number.tables)
        noun = "Table" if len(number.tables) == 1 else "Tables"
        told = f"{number.title}, {number.unit}. {noun} {tables}, {self._day}. {number.definition}"
        return Figure(name, number.title, self.text(name), told, number.definition, number.tables, note)

    def value(self, name: str) -> float | None:
        """The number itself; None where it is not known."""
        return self._answers.numbers.get(name)

    def text(self, name: str) -> str:
        """The number as it is printed."""
        return self._printed(NIGHT_NUMBERS[name], self.value(name))

    def all(self) -> list[Figure]:
        """Every number that the night has, in the order of the registry."""
        return [self(name) for name in NIGHT_NUMBERS if name in self._answers.numbers]

    def delta(self, name: str) -> str | None:
        """How a number differs from that of the night before, as a sentence; None where nothing is known or nothing differs."""
        found = self._difference(name)
        if found is None:
            return None
        is_more, told = found
        return f"{told} {'more' if is_more else 'less'} than on {self._answers.before_day}."

    def change(self, name: str) -> str | None:
        """The same as a number with its sign."""
        found = self._difference(name)
        return None if found is None else ("+" if found[0] else "\N{MINUS SIGN}") + found[1]

    def _difference(self, name: str) -> tuple[bool, str] | None:
        """Whether a number is more than that of the night before, and by how much; None where it reads the same."""
        now, before = self.value(name), self._answers.before.get(name)
        number = NIGHT_NUMBERS[name]
        if now is None or before is None or self._printed(number, now) == self._printed(number, before):
            return None
        return now > before, self._printed(number, abs(now - before))

    def _printed(self, number: NightNumber, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        if number.unit == COUNT:
            return thousands(round(value))
        if number.unit == PERCENT:
            return percent(value)
        return duration(value) if number.unit == MINUTES else self._money(value)

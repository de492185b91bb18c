"""Values that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dagster_project.iac.values import Cycle


class Once:
    """Makes a value for each key, once. Asking for one while it is being made is a cycle; what fails is tried again."""

    def __init__(self, label: str = "") -> None:
        self._label = label
        self._made: dict[tuple[str, ...], Any] = {}
        self._open: set[tuple[str, ...]] = set()

    def __call__(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """The value of a key. Raises ``Cycle``."""
        if key in self._made:
            return self._made[key]
        if key in self._open:
            raise Cycle(self._label + ".".join(key))
        self._open.add(key)
        try:
            self._made[key] = make()
        finally:
            self._open.discard(key)
        return self._made[key]

"""Telling a person how far long work has come: a live line on a terminal, plain lines elsewhere, nothing in a service."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO


class Progress(Protocol):
    """What long work reports to."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def update(self, label: str, done: float, total: float) -> None:
        """How far ``label`` has come; equal numbers mean that it is finished."""

    def close(self) -> None:
        """Gives the stream back as it was, also where work was interrupted."""


class Silent:
    """Reports to nobody: inside the Dagster daemon, and in tests."""

    def say(self, text: str) -> None:
        """Says nothing."""

    def update(self, label: str, done: float, total: float) -> None:
        """Says nothing."""

    def close(self) -> None:
        """Has nothing to give back."""


class Lines:
    """Plain lines for logs: each tenth of the work once."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._told: dict[str, int] = {}

    def say(self, text: str) -> None:
        """Writes the line."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def update(self, label: str, done: float, total: float) -> None:
        """Writes a line whenever another tenth is done."""
        tenth = int(10 * done / total) if total else 10
        if self._told.get(label) != tenth:
            self._told[label] = tenth
            self.say(f"{label}: {tenth * 10} %")

    def close(self) -> None:
        """Has nothing to give back: every line is complete."""


class Terminal:
    """One live line per label, through rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """Prints the line above the live ones."""
        self._progress.console.print(text, markup=False, highlight=False)

    def update(self, label: str, done: float, total: float) -> None:
        """Moves the bar; the live display ends with the last unfinished label."""
        if label not in self._tasks:
            self._progress.start()
            self._tasks[label] = self._progress.add_task(label, total=total)
        self._progress.update(self._tasks[label], completed=done, total=total)
        if done >= total:
            self._progress.remove_task(self._tasks.pop(label))
            if not self._tasks:
                self._progress.stop()

    def close(self) -> None:
        """Removes the bars of unfinished labels and shows the cursor again, which a live display hides."""
        if self._tasks:
            for task in self._tasks.values():
                self._progress.remove_task(task)
            self._tasks.clear()
            self._progress.stop()


def progress_for(stream: TextIO) -> Progress:
    """The form that suits a stream: live on a terminal, lines elsewhere."""
    return Terminal() if stream.isatty() else Lines(stream)

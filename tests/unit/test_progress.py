"""Whoever is told of progress leaves the terminal as it was, also when the work is interrupted."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dagster_project.commands import options
from dagster_project.progress import Lines, Silent, Terminal

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Terminal, Screen]]:
    """Progress on a terminal that standard error goes to from then on, and what it shows."""

    def opened() -> tuple[Terminal, Screen]:
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        screen = Screen()
        monkeypatch.setattr("sys.stderr", screen)
        return Terminal(), screen

    return opened


def is_cursor_hidden(screen: Screen) -> bool:
    text = screen.getvalue()
    return text.rfind(HIDE) > text.rfind(SHOW)


def test_the_cursor_is_back_when_work_is_interrupted(terminal: Callable[[], tuple[Terminal, Screen]]) -> None:
    progress, screen = terminal()
    progress.update("Reading", 1, 10)
    assert is_cursor_hidden(screen)
    progress.close()
    assert not is_cursor_hidden(screen)


def test_closing_twice_or_without_work_writes_nothing(terminal: Callable[[], tuple[Terminal, Screen]]) -> None:
    progress, screen = terminal()
    progress.close()
    assert screen.getvalue() == ""
    progress.update("Reading", 10, 10)
    before = screen.getvalue()
    progress.close()
    assert screen.getvalue() == before


def test_work_may_go_on_after_closing(terminal: Callable[[], tuple[Terminal, Screen]]) -> None:
    progress, screen = terminal()
    progress.update("Reading", 1, 10)
    progress.close()
    progress.update("Reading", 2, 10)
    assert is_cursor_hidden(screen)
    progress.update("Reading", 10, 10)
    assert not is_cursor_hidden(screen)


def test_lines_and_silence_have_nothing_to_give_back() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.update("Reading", 1, 10)
    lines.close()
    Silent().close()
    assert stream.getvalue() == "Reading: 10 %\n"


@pytest.mark.parametrize("end", [None, KeyboardInterrupt, RuntimeError])
def test_a_command_closes_its_progress_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: type[BaseException] | None
) -> None:
    closed = []

    class Watched(Silent):
        def close(self) -> None:
            closed.append(True)

    @click.command()
    def work() -> None:
        options.runtime()
        assert closed == []
        if end is not None:
            raise end

    monkeypatch.setattr(options, "progress_for", lambda stream: Watched())
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path))
    monkeypatch.delenv("NIGHTSHIFT_CONFIG", raising=False)
    CliRunner().invoke(work)
    assert closed == [True]

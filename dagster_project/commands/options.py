"""What several commands take and need: a day, and a run's surroundings."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import Any

import click

from dagster_project.errors import UnknownDay
from dagster_project.pipeline.runtime import Runtime, runtime_of
from dagster_project.progress import progress_for
from dagster_project.settings import load_settings


class Day(click.ParamType):
    """A UTC day, as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise UnknownDay(f"{value} is no day; write it as YYYY-MM-DD, such as 2025-03-09.") from None


def runtime() -> Runtime:
    """The surroundings of a command: settings of the environment, and progress on stderr until the command ends. In the demo's
    home they are the demo's."""
    progress = progress_for(sys.stderr)
    click.get_current_context().call_on_close(progress.close)
    return runtime_of(load_settings(), progress)


def checked_day(runtime: Runtime, day: date | None) -> date:
    """The day to work on: the newest one that is over, unless told. Raises ``UnknownDay`` for one that cannot be."""
    settings, newest = runtime.settings, (runtime.now - timedelta(days=1)).date()
    if day is None:
        return newest
    if day > newest:
        raise UnknownDay(f"{day} is not over yet in UTC; the newest day is {newest}.")
    if day < settings.first_day:
        raise UnknownDay(f"{day} lies before first_day ({settings.first_day}); lower that setting to work on it.")
    return day

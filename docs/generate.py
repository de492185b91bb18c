"""Writes the reference pages from the code: settings, commands, tables, reason codes. A test compares them with what is here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dagster_project.cli import COMMANDS, cli
from dagster_project.domain.night_numbers import NIGHT_NUMBERS
from dagster_project.domain.reasons import REASONS
from dagster_project.iac.verdicts import REASON_CODES
from dagster_project.lake.report_tables import SAVINGS_COLUMNS
from dagster_project.lake.tables import TABLES
from dagster_project.settings import ENVIRONMENT, Settings

FOLDER = Path(__file__).resolve().parent


def settings_page() -> str:
    """Every field with its default, bounds and description."""
    lines = [
        "# Settings",
        "",
        "Defaults, then the TOML file that `NIGHTSHIFT_CONFIG` names, then the environment: "
        + ", ".join(f"`{name}`" for name in ENVIRONMENT)
        + ". A value outside of its bounds stops the command with exit code 2.",
        "",
        "```toml",
        "# nightshift.toml",
        "[rightsizing]",
        "max_cpu_p995_pct = 70",
        "",
        "[source.tables]",
        'utilization = "metrics_5m"   # the contract\'s table is called so in your database',
        "",
        "[source.columns.utilization]",
        'cpu_avg = "cpu_percent"',
        "```",
        "",
        "## Top level",
        "",
        *_table(Settings),
    ]
    for name, field in Settings.model_fields.items():
        model = _model_of(field)
        if model is not None:
            lines += ["", f"## `{_heading(field, name)}`", "", field.description or "", "", *_table(model)]
            lines += _below(model, name)
    return "\n".join(lines) + "\n"


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a section, or of a list of them."""
    candidates = [field.annotation, *get_args(field.annotation)]
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


def _heading(field: FieldInfo, path: str) -> str:
    return f"[[{path}]]" if get_args(field.annotation) else f"[{path}]"


def _below(model: type[BaseModel], path: str) -> Iterator[str]:
    """Sections inside of a section."""
    for name, field in model.model_fields.items():
        inner = _model_of(field)
        if inner is not None:
            yield from ("", f"### `{_heading(field, f'{path}.{name}')}`", "", field.description or "", "", *_table(inner))
            yield from _below(inner, f"{path}.{name}")


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| field | default | bounds | what it is |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        if _model_of(field) is not None:
            continue
        yield f"| `{name}` | {_default(field)} | {_bounds(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if field.is_required():
        return "required"
    if value is None or value in ({}, ()):
        return "–"
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    found = {type(item).__name__: item for item in field.metadata}
    low = getattr(found.get("Ge"), "ge", None)
    above = getattr(found.get("Gt"), "gt", None)
    high = getattr(found.get("Le"), "le", None)
    if low is None and above is None and high is None:
        return "–"
    lower = f"{low}" if low is not None else f"> {above}" if above is not None else ""
    return f"{lower} … {high}"


def commands_page() -> str:
    """The --help of every command."""
    lines = ["# Commands", "", "Exit codes: 0 done, 1 the work failed or a check does not hold, 2 bad input or configuration."]
    context = click.Context(cli, info_name="nightshift", terminal_width=110, **cli.context_settings)
    lines += ["", "```text", cli.get_help(context).rstrip(), "```"]
    for name in COMMANDS:
        lines += _command_help(cli.get_command(context, name), name, context)
    return "\n".join(lines) + "\n"


def _command_help(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=110, terminal_width=110)
    yield from ("", f"## {context.command_path}", "", "```text", command.get_help(context).rstrip(), "```")
    for below, inner in getattr(command, "commands", {}).items():
        yield from _command_help(inner, below, context)


def tables_page() -> str:
    """Every table of the lake, and the reason codes of verdicts."""
    lines = [
        "# Tables of the lake",
        "",
        "One Parquet file a day below `warehouse/<table>/day=YYYY-MM-DD/`. Times are naive UTC. Percentages are of the size that "
        "the resource had; money is USD a month (730 h) on demand.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", table.description, "", f"Grain: {', '.join(f'`{name}`' for name in table.grain)}."]
        lines += ["", "| column | type |", "|---|---|", *(f"| `{name}` | {kind} |" for name, kind in table.columns.items())]
    lines += [
        "",
        "## Reason codes",
        "",
        "Every verdict has one; `deciding_value`, `deciding_limit` and `deciding_text` fill its sentence.",
        "",
        "| code | meaning | sentence |",
        "|---|---|---|",
        *(f"| `{reason.code}` | {reason.title} | {reason.sentence} |" for reason in REASONS.values()),
        "",
        "## Percentiles",
        "",
        "A day's histogram has 301 logarithmic bins. A percentile of any window is found by adding days. It is within 1 % of the",
        "exact one for percentages from 1 % to 400 %, and within 4 % for bytes from 1 kB and for counts from 1 on; at or below",
        "that floor it is within half the floor. Counts, minima and maxima are exact, means to 1/65536 of a unit.",
    ]
    return "\n".join(lines) + "\n"


def iac_reasons_page() -> str:
    """The reason codes of infrastructure code."""
    lines = [
        "# Reason codes of infrastructure code",
        "",
        "What `nightshift iac` answers, by [status](iac.md). `{detail}` is filled in.",
        "",
        "| status | code | sentence |",
        "|---|---|---|",
        *(f"| `{reason.status}` | `{reason.code}` | {reason.sentence} |" for reason in REASON_CODES.values()),
    ]
    return "\n".join(lines) + "\n"


def numbers_page() -> str:
    """The headline numbers of a night, and the columns of the files for finance."""
    lines = [
        "# Numbers and columns",
        "",
        "What stands in the [report](report.md) and its files, and where it comes from. Money is USD a month of 730 hours unless",
        "the unit says otherwise. An empty value is not known; it is never nothing.",
        "",
        "## Headline numbers",
        "",
        "One row a night of the table [`night_numbers`](tables.md#night_numbers), for trends.",
        "",
        "| name | number | unit | tables | definition |",
        "|---|---|---|---|---|",
        *(
            f"| `{each.name}` | {each.title} | {each.unit} | "
            f"{', '.join(f'`{name}`' for name in each.tables)} | {each.definition} |"
            for each in NIGHT_NUMBERS.values()
        ),
        "",
        "## savings.csv and savings.parquet",
        "",
        "One row for each change, of the table [`savings`](tables.md#savings), with the day before it. Both hold the same rows;",
        "in the CSV a text that a spreadsheet would take for a formula begins with an apostrophe, and money has two decimals.",
        "",
        "| column | type | what it is |",
        "|---|---|---|",
        "| `day` | DATE | The night that the file is of. |",
        *(f"| `{name}` | {kind} | {meaning} |" for name, (kind, meaning) in SAVINGS_COLUMNS.items()),
    ]
    return "\n".join(lines) + "\n"


PAGES = {
    "settings.md": settings_page,
    "cli.md": commands_page,
    "tables.md": tables_page,
    "iac-reasons.md": iac_reasons_page,
    "numbers.md": numbers_page,
}


def main() -> None:
    """Writes the pages beside this file."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()

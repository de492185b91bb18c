"""The SQL of the product, read from ``sql/``: every statement says in its header what it is for.

    -- purpose: one sentence
    -- grain: columns that identify a row
    -- reads: relations that must exist when it runs
    -- params: $names that must be given

The header is checked against the text when it is loaded, so that it cannot drift from the statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from dagster_project.bundle import bundled
from dagster_project.errors import LakeError

_HEADER = re.compile(r"^-- (purpose|grain|reads|params):\s*(.*)$", re.MULTILINE)
_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")


@dataclass(frozen=True)
class Statement:
    """One SQL file. ``name`` is its path below ``sql/`` without the ending, such as ``marts/utilization_daily``."""

    name: str
    purpose: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    params: tuple[str, ...]
    text: str


@cache
def statement(name: str) -> Statement:
    """Loads ``sql/<name>.sql``; raises ``LakeError`` where its header is missing or does not fit its text."""
    path = bundled("sql") / f"{name}.sql"
    if not path.is_file():
        raise LakeError(f"The statement {name} is not part of this installation; install Nightshift again.")
    text = path.read_text(encoding="utf-8")
    header = dict(_HEADER.findall(text))
    if set(header) != {"purpose", "grain", "reads", "params"}:
        raise LakeError(f"sql/{name}.sql needs the header lines purpose, grain, reads and params.")
    body = re.sub(r"^--.*$", "", text, flags=re.MULTILINE).strip().rstrip(";")
    params = _names(header["params"])
    used = set(_PARAMETER.findall(body))
    if used != set(params):
        raise LakeError(f"sql/{name}.sql declares the parameters {sorted(params)} and uses {sorted(used)}.")
    return Statement(name, header["purpose"], _names(header["grain"]), _names(header["reads"]), params, body)


def statements_in(folder: str) -> tuple[Statement, ...]:
    """Every statement of a folder below ``sql/``, by name."""
    return tuple(statement(f"{folder}/{path.stem}") for path in sorted((bundled("sql") / folder).glob("*.sql")))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip() not in ("", "-"))

"""What the Dagster UI says of each asset to somebody who sees it for the first time: ``templates/assets.md``."""

import re
from functools import cache

from dagster_project.bundle import bundled
from dagster_project.lake.table import Table

_HEADING = re.compile(r"^## (\w+)$", re.MULTILINE)


def described(table: Table) -> str:
    """The asset's text, in Markdown, and the contract of its table below it."""
    text = told_of(table.name)
    return f"{text}\n\n**The table.** {table.description}" if text else table.description


def told_of(asset: str) -> str:
    """The asset's text alone; empty where it has none."""
    return texts().get(asset, "")


@cache
def texts() -> dict[str, str]:
    """Every text by its asset, without the line breaks of the file."""
    _, *parts = _HEADING.split((bundled("templates") / "assets.md").read_text(encoding="utf-8"))
    return {name: re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip()) for name, text in zip(parts[::2], parts[1::2], strict=True)}

"""Names of database engines as the RDS API writes them (``Engine`` of DescribeDBInstances)."""

from __future__ import annotations

import re

# "aurora" alone was the name of Aurora with MySQL 5.6.
_OTHER_NAMES = {"postgresql": "postgres", "aurora": "aurora-mysql", "aurora-postgres": "aurora-postgresql"}
_API_NAMES = re.compile(
    r"postgres|mysql|mariadb|aurora-(mysql|postgresql)|db2-(ae|se)"
    r"|(custom-)?(oracle-(ee|se|se1|se2)(-cdb)?|sqlserver-(ee|se|ex|web|dev|dev-ee))"
)


def engine_of(text: str | None) -> str | None:
    """The API's name of an engine that may be written as a price list writes it: ``Aurora PostgreSQL`` is ``aurora-postgresql``.

    None for what names no engine. ``Oracle`` and ``SQL Server`` without an edition name none: editions differ in price by more
    than sizes do.
    """
    name = re.sub(r"[\s_-]+", "-", (text or "").strip().lower())
    name = _OTHER_NAMES.get(name, name)
    return name if _API_NAMES.fullmatch(name) else None

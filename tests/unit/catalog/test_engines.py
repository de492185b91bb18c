"""Engines are called as the RDS API calls them, or not at all."""

from __future__ import annotations

import pytest

from dagster_project.catalog.engines import engine_of


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("PostgreSQL", "postgres"),
        ("postgres", "postgres"),
        (" MySQL ", "mysql"),
        ("MariaDB", "mariadb"),
        ("Aurora MySQL", "aurora-mysql"),
        ("aurora", "aurora-mysql"),
        ("Aurora PostgreSQL", "aurora-postgresql"),
        ("aurora-postgresql", "aurora-postgresql"),
        ("oracle-se2", "oracle-se2"),
        ("oracle-ee-cdb", "oracle-ee-cdb"),
        ("custom-oracle-ee", "custom-oracle-ee"),
        ("sqlserver-ex", "sqlserver-ex"),
        ("db2-ae", "db2-ae"),
    ],
)
def test_an_engine_has_one_name(text: str, engine: str) -> None:
    assert engine_of(text) == engine
    assert engine_of(engine) == engine


@pytest.mark.parametrize("text", ["Oracle", "SQL Server", "oracle", "", None, "postgres; drop", "mongodb", "oracle-xe"])
def test_what_names_no_engine_or_no_edition_is_unknown(text: str | None) -> None:
    assert engine_of(text) is None

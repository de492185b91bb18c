"""What PostgreSQL refuses or drops becomes a sentence that names the server, and neither the user nor the password."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import asyncpg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_project.errors import AccessDenied, ContractError, NightshiftError, SettingsError, SourceUnavailable
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import postgres
from tests.conftest import query

USER, PASSWORD = "guarded_reader", "s3cret-pässword"
TRIES = 500
"""Connections after which a server that was told to read its rules again must have done so."""


def run(dsn: str, sql: str = "select 1", *, statement_timeout_seconds: float = 30, attempts: int = 1) -> object:
    """The first value of a statement over a connection of the product."""

    async def once() -> object:
        connection = await postgres.open_connection(
            dsn,
            timeout_seconds=5,
            attempts=attempts,
            statement_timeout_seconds=statement_timeout_seconds,
            variable="NIGHTSHIFT_DSN",
        )
        try:
            with postgres.explained(dsn, "NIGHTSHIFT_DSN"):
                return await connection.fetchval(sql)
        finally:
            await connection.close(timeout=5)

    return asyncio.run(once())


def said(kind: type[NightshiftError], dsn: str, sql: str = "select 1", *, statement_timeout_seconds: float = 30) -> str:
    """The text of the error that a statement ends with; it never tells who asked."""
    with pytest.raises(kind) as caught:
        run(dsn, sql, statement_timeout_seconds=statement_timeout_seconds)
    text = str(caught.value)
    assert PASSWORD not in text
    assert USER not in text
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return text


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def guarded(server: str) -> Iterator[str]:
    """DSN of the session's server without a user: ``USER`` has to give a password there, everybody else does not."""

    def rules(lines: list[str]) -> None:
        (old,) = query(server, "select pg_conf_load_time() as at")
        values = ", ".join("('" + line.replace("'", "''") + "')" for line in lines)
        (path,) = query(server, "select current_setting('hba_file') as file")
        query(server, f"copy (values {values}) to '{path['file']}'")
        query(server, "select pg_reload_conf()")
        assert any(query(server, "select pg_conf_load_time() > $1 as is_read", old["at"])[0]["is_read"] for _ in range(TRIES))

    found = query(server, "select regexp_split_to_table(pg_read_file(current_setting('hba_file')), '\n') as line")
    ordinary = [row["line"] for row in found if row["line"].strip() and not row["line"].startswith("#")]
    query(server, f"create role {USER} login password '{PASSWORD}'")
    rules([f"local all {USER} scram-sha-256", f"host all {USER} all scram-sha-256", *ordinary])
    yield server
    rules(ordinary)
    query(server, f"drop role {USER}")


def as_user(server: str, password: str) -> str:
    """The server's DSN with a user and a password of its own."""
    host = server.partition("host=")[2]
    return f"postgresql:///postgres?{urlencode({'host': host, 'user': USER, 'password': password}, safe='/')}"


def test_a_statement_runs_in_utc_under_the_name_of_the_product(dsn: str) -> None:
    assert run(dsn, "select current_setting('TimeZone') || ' ' || current_setting('application_name')") == "UTC nightshift"


def test_a_port_where_nothing_listens_is_named_with_its_database(unused_port: int) -> None:
    text = said(SourceUnavailable, f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{unused_port}/engine")
    assert text.startswith(f"PostgreSQL at 127.0.0.1:{unused_port}/engine did not answer after 1 attempt (")
    assert text.endswith("check that it is running and reachable, and NIGHTSHIFT_DSN.")


def test_a_socket_that_is_not_there_is_unavailable(tmp_path: object) -> None:
    text = said(SourceUnavailable, f"postgresql://{USER}:{PASSWORD}@/engine?host={tmp_path}")
    assert f"PostgreSQL at {tmp_path}/engine did not answer" in text


def test_the_right_password_is_let_in(guarded: str) -> None:
    assert run(as_user(guarded, PASSWORD), "select current_user::text") == USER


def test_a_wrong_password_is_refused_at_once_without_being_repeated(guarded: str) -> None:
    text = said(AccessDenied, as_user(guarded, f"{PASSWORD}-wrong"))
    assert text.endswith("refused the user or password; correct NIGHTSHIFT_DSN.")


def test_a_user_that_does_not_exist_is_refused(guarded: str) -> None:
    text = said(AccessDenied, as_user(guarded, PASSWORD).replace(USER, f"{USER}_unknown"))
    assert text.endswith("refused the user or password; correct NIGHTSHIFT_DSN.")


def test_a_database_that_does_not_exist_is_named(server: str) -> None:
    text = said(AccessDenied, server.replace("/postgres?", "/nowhere?"))
    assert "/nowhere has no such database; correct NIGHTSHIFT_DSN." in text


def test_a_table_that_the_user_may_not_read_is_named(guarded: str) -> None:
    query(guarded, "create table private_things (a integer)")
    try:
        text = said(AccessDenied, as_user(guarded, PASSWORD), "select a from private_things")
    finally:
        query(guarded, "drop table private_things")
    assert text.endswith("permission denied for table private_things; grant that right to the user of NIGHTSHIFT_DSN.")


def test_a_database_that_the_user_may_not_enter_is_a_refusal(guarded: str, dsn: str, execute: Callable[..., None]) -> None:
    database = query(dsn, "select current_database() as name")[0]["name"]
    execute(f"revoke connect on database {database} from public")
    said(AccessDenied, as_user(guarded, PASSWORD).replace("/postgres?", f"/{database}?"))


def test_a_user_with_too_many_connections_is_not_named(guarded: str) -> None:
    query(guarded, f"alter role {USER} connection limit 0")
    try:
        said(SourceUnavailable, as_user(guarded, PASSWORD))
    finally:
        query(guarded, f"alter role {USER} connection limit -1")


def test_a_statement_that_runs_too_long_says_which_setting_and_which_index(dsn: str) -> None:
    text = said(SourceUnavailable, dsn, "select count(*) from generate_series(1, 1000000000)", statement_timeout_seconds=0.02)
    assert "cancelled a statement that ran too long; raise source.statement_timeout_seconds" in text


def test_a_connection_that_breaks_off_says_that_nothing_is_half_written(dsn: str) -> None:
    text = said(SourceUnavailable, dsn, "select pg_terminate_backend(pg_backend_pid())")
    assert " broke off (" in text
    assert text.endswith("run again, nothing was half-written.")


def test_a_table_that_vanished_meanwhile_is_a_matter_of_the_schema(dsn: str) -> None:
    text = said(ContractError, dsn, "select * from vanished")
    assert 'relation "vanished" does not exist; the schema changed while the run was reading it.' in text


@pytest.mark.parametrize(
    "dsn",
    [
        f"mysql://{USER}:{PASSWORD}@db/engine",
        f"postgresql://{USER}:{PASSWORD}@db:port/engine",
        f"{USER}:{PASSWORD}",
        f"host=db password={PASSWORD}",
    ],
)
def test_a_dsn_that_cannot_be_read_is_not_repeated(dsn: str) -> None:
    text = said(SettingsError, dsn)
    assert text == "NIGHTSHIFT_DSN cannot be read as a DSN; it looks like postgresql://user:password@host:5432/database."


@pytest.mark.parametrize(
    ("dsn", "where"),
    [
        (f"postgresql://{USER}:{PASSWORD}@db.example.com:5433/engine?sslmode=require", "db.example.com:5433/engine"),
        (f"postgresql://{USER}:{PASSWORD}@db.example.com", "db.example.com/postgres"),
        ("postgresql:///engine?host=/run/postgresql", "/run/postgresql/engine"),
        ("postgresql:///engine", "localhost/engine"),
        (f"postgresql://{USER}:{PASSWORD}@%2Frun%2Fpostgresql/engine", "/run/postgresql/engine"),
        (f"postgresql://{USER}:{PASSWORD}@db:port/engine", "the configured DSN"),
        (f"postgresql://{USER}:{PASSWORD}@[db/engine", "the configured DSN"),
        ("postgresql://app:48/Secretpw@host/prod", "the configured DSN"),
        ("postgresql://app:48#Secretpw@host/prod", "the configured DSN"),
        ("postgresql://app:48?Secretpw@host/prod", "the configured DSN"),
        ("postgresql://app:48?host=Secretpw@host/prod", "the configured DSN"),
        (f"mysql://{USER}:{PASSWORD}@db/engine", "the configured DSN"),
        (f"host=db user={USER} password={PASSWORD}", "the configured DSN"),
        (f"{USER}:{PASSWORD}", "the configured DSN"),
        (f"postgresql:{USER}:{PASSWORD}", "the configured DSN"),
    ],
)
def test_a_server_is_described_by_host_port_and_database(dsn: str, where: str) -> None:
    assert postgres.describe(dsn) == where


@given(user=st.text(), password=st.text())
@example(user="app", password="48/Secretpw")
@example(user="app", password="48?host=Secretpw")
@example(user="app/48", password="p@ss#[word]")
@example(user="app", password="[::1]/@:5432")
def test_nothing_but_the_server_is_shown_whatever_user_and_password_hold_unescaped(user: str, password: str) -> None:
    where = postgres.describe(f"postgresql://{user}:{password}@db.example.com:5433/engine")
    assert where in {"db.example.com:5433/engine", "the configured DSN"}


@given(password=st.text())
@example(password="48&host=Secretpw")
@example(password="48#Secretpw")
def test_nothing_but_the_server_is_shown_where_the_password_is_an_option(password: str) -> None:
    where = postgres.describe(f"postgresql:///engine?host=/run/postgresql&user=app&password={password}")
    assert where in {"/run/postgresql/engine", "the configured DSN"}


def test_a_connection_is_tried_again_with_growing_pauses(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(postgres.asyncio, "sleep", pause)
    with pytest.raises(SourceUnavailable, match="did not answer after 4 attempts"):
        run(f"postgresql://127.0.0.1:{unused_port}/engine", attempts=4)
    assert pauses == [0.5, 1.0, 2.0]


def test_a_refusal_is_not_tried_again(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(seconds: float) -> None:
        raise AssertionError(f"paused for {seconds} s")

    monkeypatch.setattr(postgres.asyncio, "sleep", pause)
    with pytest.raises(AccessDenied):
        run(server.replace("/postgres?", "/nowhere?"), attempts=3)


def test_errors_of_a_statement_s_own_text_are_left_as_they_are(dsn: str) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        run(dsn, "selekt 1")


def test_a_replica_for_nightshifts_own_tables_is_said_to_be_one(runtime: Runtime, execute: Callable[..., None], dsn: str) -> None:
    async def write() -> None:
        async with runtime.state() as connection:
            await connection.execute("set default_transaction_read_only = on")
            await connection.execute("create table mine (id integer)")

    with pytest.raises(AccessDenied, match=r"is read-only .* set NIGHTSHIFT_STATE_DSN"):
        asyncio.run(write())

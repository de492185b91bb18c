"""Connections to PostgreSQL: a timeout, a bounded retry, and errors that name the server but never a password."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from dagster_project.errors import AccessDenied, ContractError, SettingsError, SourceUnavailable

MINIMUM_VERSION = 14
_FIRST_RETRY_SECONDS = 0.5


def describe(dsn: str) -> str:
    """Server, port and database of a DSN, without user, password or options.

    "the configured DSN" where it is not certain which part is which: text that is shown might then be a secret.
    """
    unclear = "the configured DSN"
    try:
        parts = urlsplit(dsn)
        hosts = [parts.hostname] if parts.hostname else parse_qs(parts.query).get("host", ["localhost"])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return unclear
    if parts.scheme not in ("postgresql", "postgres") or "://" not in dsn or len(hosts) != 1:
        return unclear
    # A /, ? or # that is not escaped ends the part that has user and password: the rest of them, up to the @, comes after it.
    if any("@" in part for part in (parts.path, parts.query, parts.fragment)):
        return unclear
    return f"{unquote(hosts[0])}{port}/{unquote(parts.path.lstrip('/')) or 'postgres'}"


async def open_connection(
    dsn: str, *, timeout_seconds: float, attempts: int, statement_timeout_seconds: float, variable: str
) -> asyncpg.Connection:
    """A connection in UTC; the caller closes it.

    Raises ``AccessDenied`` (password, database or rights), ``SettingsError`` (a DSN that cannot be read, a server that is
    too old) or, after ``attempts`` tries with growing pauses, ``SourceUnavailable``. ``variable`` is the setting that
    messages name.
    """
    where = describe(dsn)
    for attempt in range(1, attempts + 1):
        try:
            connection = await asyncpg.connect(
                dsn,
                timeout=timeout_seconds,
                server_settings={
                    "application_name": "nightshift",
                    "TimeZone": "UTC",
                    "statement_timeout": str(int(statement_timeout_seconds * 1000)),
                },
            )
            break
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError):
            raise AccessDenied(f"PostgreSQL at {where} refused the user or password; correct {variable}.") from None
        except asyncpg.InsufficientPrivilegeError:
            raise AccessDenied(
                f"PostgreSQL at {where} does not let this user in; grant CONNECT, or correct {variable}."
            ) from None
        except asyncpg.InvalidCatalogNameError:
            raise AccessDenied(f"PostgreSQL at {where} has no such database; correct {variable}.") from None
        except (asyncpg.InterfaceError, ValueError):  # asyncpg's own text may quote the DSN
            raise SettingsError(
                f"{variable} cannot be read as a DSN; it looks like postgresql://user:password@host:5432/database."
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            if attempt == attempts:
                raise SourceUnavailable(
                    f"PostgreSQL at {where} did not answer after {attempts} attempt{'s' * (attempts > 1)} ({_reason(error)}); "
                    f"check that it is running and reachable, and {variable}."
                ) from None
            await asyncio.sleep(_FIRST_RETRY_SECONDS * 2 ** (attempt - 1))
    version = connection.get_server_version().major
    if version < MINIMUM_VERSION:
        await connection.close(timeout=timeout_seconds)
        raise SettingsError(f"PostgreSQL at {where} is version {version}; Nightshift needs {MINIMUM_VERSION} or newer.")
    return connection


@contextmanager
def explained(dsn: str, variable: str) -> Iterator[None]:
    """Turns PostgreSQL's errors of a running statement into ours."""
    where = describe(dsn)
    try:
        yield
    except asyncpg.QueryCanceledError:
        raise SourceUnavailable(
            f"PostgreSQL at {where} cancelled a statement that ran too long; raise source.statement_timeout_seconds, "
            "or give the table an index on its time column."
        ) from None
    except asyncpg.ReadOnlySQLTransactionError:
        raise AccessDenied(
            f"PostgreSQL at {where} is read-only (a replica?), and Nightshift writes its own tables there; "
            "set NIGHTSHIFT_STATE_DSN to a database that can be written."
        ) from None
    except asyncpg.InsufficientPrivilegeError as error:
        raise AccessDenied(f"PostgreSQL at {where}: {error.message}; grant that right to the user of {variable}.") from None
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise ContractError(f"PostgreSQL at {where}: {error.message}; the schema changed while the run was reading it.") from None
    except asyncpg.DataError as error:
        raise ContractError(
            f"PostgreSQL at {where} holds a value that cannot be read as the contract's type ({_reason(error)}); "
            "correct it, or map the table to a view that leaves it out."
        ) from None
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.OperatorInterventionError,
        OSError,
    ) as error:
        raise SourceUnavailable(
            f"The connection to PostgreSQL at {where} broke off ({_reason(error)}); run again, nothing was half-written."
        ) from None


def _reason(error: BaseException) -> str:
    """What went wrong, without PostgreSQL's own text, which may name users or quote values."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return "too many connections"
    if isinstance(error, asyncpg.PostgresError):
        return f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    return getattr(error, "strerror", None) or type(error).__name__

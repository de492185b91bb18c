"""RDS instances."""

from __future__ import annotations

from typing import Any

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import permissions, read, write
from dagster_project.domain.applying.cloud import AVAILABLE, Database
from dagster_project.errors import CloudRefused

DESCRIBE = read("rds", "DescribeDBInstances", purpose=purposes.LOOKING)
# Service Authorization Reference, Amazon RDS, ModifyDBInstance: option, parameter and subnet groups are asked for only where a
# request names them. No condition says what is changed: this is a right to every setting of a database with the tag.
MODIFY = write("rds", "ModifyDBInstance", "rds:*:*:db:*", purpose=purposes.DATABASES)
READS, WRITES = (DESCRIBE,), (MODIFY,)
PERMISSIONS = permissions(*READS, *WRITES)

_ABSENT = "DBInstanceNotFound"


def database(connection: Connection, identifier: str) -> Database | None:
    """The database as it is now; None where there is none."""
    seen = _seen(connection, identifier)
    return _told(identifier, seen) if seen else None


def set_class(connection: Connection, identifier: str, instance_class: str) -> None:
    """Gives a database another class, at once.

    At once brings in whatever else waits for the maintenance window, an upgrade of the engine say, so that a database with such
    changes is refused.
    """
    seen = _seen(connection, identifier)
    if seen:
        now = _told(identifier, seen)
        others = sorted(set(_pending(seen)) - {"DBInstanceClass"})
        if now.instance_class == instance_class and now.pending_class is None:
            return
        if now.pending_class == instance_class and now.status != AVAILABLE:  # it was asked for, and is being brought in
            return
        if others:
            raise CloudRefused(
                f"The database {identifier} has other changes waiting ({', '.join(others)}), which a class that is set at once "
                "would bring in too; let them be brought in or take them back first."
            )
    connection.ask(
        MODIFY,
        f"the database {identifier}",
        DBInstanceIdentifier=identifier,
        DBInstanceClass=instance_class,
        ApplyImmediately=True,
    )


def _seen(connection: Connection, identifier: str) -> dict[str, Any] | None:
    found = connection.find(DESCRIBE, f"the database {identifier}", _ABSENT, DBInstanceIdentifier=identifier)
    for each in (found or {}).get("DBInstances", []):
        seen: dict[str, Any] = each
        return seen
    return None


def _pending(seen: dict[str, Any]) -> dict[str, Any]:
    """What waits: names and values, of which the values may be secrets."""
    return {name: value for name, value in seen.get("PendingModifiedValues", {}).items() if value not in (None, [], {})}


def _told(identifier: str, seen: dict[str, Any]) -> Database:
    return Database(identifier, seen["DBInstanceClass"], seen["DBInstanceStatus"], _pending(seen).get("DBInstanceClass"))

"""Databases that a test puts into AWS, and sees there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.aws.inside import Inside
from tests.aws.overlay import LONG_AGO, tag_list
from tests.aws.wire import Json

_VERSIONS = {
    "postgres": "16.3",
    "mysql": "8.0.39",
    "aurora-postgresql": "16.4",
    "aurora-mysql": "8.0.mysql_aurora.3.07.1",
}
_AURORA_GIB = 1
"""What AWS says of the storage of an Aurora instance, which has none of its own."""


class Databases(Inside):
    """RDS."""

    def database(
        self,
        identifier: str = "orders",
        instance_class: str = "db.r6g.xlarge",
        *,
        engine: str = "postgres",
        multi_az: bool = False,
        storage_gib: int = 20,
        storage_type: str = "gp2",
        iops: int | None = None,
        throughput: int | None = None,
        cluster: str | None = None,
        replica_of: str | None = None,
        tags: Mapping[str, str] | None = None,
        created_at: datetime = LONG_AGO,
        **details: Any,
    ) -> str:
        """A database; its identifier. One of an Aurora ``engine`` is of a ``cluster``, which is named after it if nothing else is
        said. ``throughput`` is in MiB/s; ``details`` are members of its description, as AWS names them."""
        is_aurora = engine.startswith("aurora")
        known = {
            "Engine": engine,
            "EngineVersion": _VERSIONS.get(engine),
            "MultiAZ": multi_az,
            "AllocatedStorage": _AURORA_GIB if is_aurora else storage_gib,
            "StorageType": "aurora" if is_aurora else storage_type,
            "Iops": iops,
            "StorageThroughput": throughput,
            "DBClusterIdentifier": cluster or (f"{identifier}-cluster" if is_aurora else None),
            "ReadReplicaSourceDBInstanceIdentifier": replica_of,
            "TagList": tag_list(tags),
            "InstanceCreateTime": created_at,
            **details,
        }
        self._call(
            "rds",
            "CreateDBInstance",
            DBInstanceIdentifier=identifier,
            DBInstanceClass=instance_class,
            Engine="postgres",
            AllocatedStorage=storage_gib,
            MasterUsername="admin",
            MasterUserPassword="made-up-password",
        )
        with self._hub.lock:
            self._place.databases.note(identifier, {name: value for name, value in known.items() if value is not None})
        return identifier

    def describe_database(self, identifier: str, **details: Any) -> None:
        """Members of a database's description that are so from now on, as AWS names them."""
        with self._hub.lock:
            self._place.databases.note(identifier, details)

    def leave_pending(self, identifier: str, **values: Any) -> None:
        """Changes of a database that wait for its maintenance window."""
        with self._hub.lock:
            self._place.databases.leave_pending(identifier, values)

    def seen_database(self, identifier: str) -> Json:
        """A database as AWS describes it."""
        with self._hub.lock:
            return self._place.databases.seen(identifier)

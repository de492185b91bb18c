"""RDS instances that take their time: a class is pending until it is brought in, and brings in whatever else is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.aws.backend import Backend
from tests.aws.dials import Dials
from tests.aws.refusals import no_capacity
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

_CLASS = re.compile(r"db\.[a-z0-9-]+\.[a-z0-9]+")


@dataclass
class Change:
    """What waits of a database. Where it was asked for at once, ``coming`` are the statuses that are yet to be seen until it is
    there."""

    pending: Json = field(default_factory=dict)
    is_at_once: bool = False
    status: str = "available"
    coming: list[str] = field(default_factory=list)


class Databases:
    """What moto does not know of its databases."""

    def __init__(self, backend: Backend, dials: Dials) -> None:
        self._backend = backend
        self._dials = dials
        self._changes: dict[str, Change] = {}

    def seen(self, identifier: str) -> Json:
        """A database as it is. Raises ``Refusal`` where there is none."""
        found = self._backend.call("rds", "DescribeDBInstances", DBInstanceIdentifier=identifier)
        database: Json = found["DBInstances"][0]
        change = self._changes.get(identifier, Change())
        database["PendingModifiedValues"] = dict(change.pending)
        database["DBInstanceStatus"] = change.status
        return database

    def look(self, identifier: str) -> Json:
        """As ``seen``, after time went on."""
        change = self._changes.get(identifier)
        if change and change.is_at_once:
            if change.coming:
                change.status = change.coming.pop(0)
            else:
                self._finish(identifier, change)
        return self.seen(identifier)

    def leave_pending(self, identifier: str, values: Json) -> None:
        """Changes that wait for the maintenance window."""
        self._changes.setdefault(identifier, Change()).pending.update(values)

    def begin(self, identifier: str, instance_class: str, *, at_once: bool) -> bool:
        """Asks for a class; whether that changed anything."""
        change = self._changes.setdefault(identifier, Change())
        before = (dict(change.pending), change.is_at_once)
        if self.seen(identifier)["DBInstanceClass"] == instance_class:
            change.pending.pop("DBInstanceClass", None)
        else:
            change.pending["DBInstanceClass"] = instance_class
        if at_once and change.pending and not change.is_at_once:
            change.is_at_once = True
            change.coming = ["available"] * self._dials.before_modifying + ["modifying"] * self._dials.modifying
        return before != (change.pending, change.is_at_once)

    def _finish(self, identifier: str, change: Change) -> None:
        self._backend.call("rds", "ModifyDBInstance", DBInstanceIdentifier=identifier, ApplyImmediately=True, **change.pending)
        del self._changes[identifier]


@handles("rds", "DescribeDBInstances")
def describe(call: Call) -> Json:
    call.takes("DBInstanceIdentifier")
    return {"DBInstances": [call.place.databases.look(call.parameters["DBInstanceIdentifier"])]}


@handles("rds", "ModifyDBInstance")
def modify(call: Call) -> Json:
    call.takes("DBInstanceIdentifier", "DBInstanceClass", "ApplyImmediately")
    identifier, wanted = call.parameters["DBInstanceIdentifier"], call.parameters["DBInstanceClass"]
    databases = call.place.databases
    found = databases.seen(identifier)
    if found["DBInstanceStatus"] != "available":
        raise Refusal(400, "InvalidDBInstanceState", "Database instance is not in available state.")
    if not _CLASS.fullmatch(wanted):
        raise Refusal(400, "InvalidParameterValue", f"Invalid DB Instance class: {wanted}")
    if wanted in call.hub.dials.exhausted and wanted != found["DBInstanceClass"]:
        raise no_capacity("rds", wanted)
    call.is_change = databases.begin(identifier, wanted, at_once=call.parameters.get("ApplyImmediately", False))
    return {"DBInstance": databases.seen(identifier)}

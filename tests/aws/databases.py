"""RDS instances that take their time: a class is pending until it is brought in, and brings in whatever else is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.aws.backend import Backend
from tests.aws.dials import Dials
from tests.aws.overlay import over
from tests.aws.pages import page, size_of
from tests.aws.refusals import no_capacity
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

INVALID_MARKER = (400, "InvalidParameterValue", "The marker is not valid.")
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
        self._details: dict[str, Json] = {}

    def note(self, identifier: str, details: Json) -> None:
        """What a test says of a database."""
        self._details[identifier] = over(self._details.get(identifier, {}), details)

    def seen(self, identifier: str) -> Json:
        """A database as it is. Raises ``Refusal`` where there is none."""
        return self._told(self._backend.call("rds", "DescribeDBInstances", DBInstanceIdentifier=identifier)["DBInstances"][0])

    def all(self) -> list[Json]:
        """All databases as they are."""
        return [self._told(each) for each in self._backend.listed("rds", "DescribeDBInstances")["DBInstances"]]

    def _told(self, database: Json) -> Json:
        identifier = database["DBInstanceIdentifier"]
        told = over(database, self._details.get(identifier, {}))
        change = self._changes.get(identifier)
        if change is None:
            return {**told, "PendingModifiedValues": {}}
        status = told["DBInstanceStatus"] if change.status == "available" else change.status
        return {**told, "PendingModifiedValues": dict(change.pending), "DBInstanceStatus": status}

    def look(self, identifier: str) -> Json:
        """As ``seen``, after time went on."""
        self.pass_time(identifier)
        return self.seen(identifier)

    def pass_time(self, *identifiers: str) -> None:
        """Time goes on for some databases, or for all."""
        for each in identifiers or [*self._changes]:
            change = self._changes.get(each)
            if change and change.is_at_once and change.coming:
                change.status = change.coming.pop(0)
            elif change and change.is_at_once:
                self._finish(each, change)

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
        # What was brought in is no longer what the test said.
        self.note(identifier, dict.fromkeys(change.pending))


@handles("rds", "DescribeDBInstances")
def describe(call: Call) -> Json:
    call.takes("DBInstanceIdentifier", "MaxRecords", "Marker")
    databases = call.place.databases
    size = size_of(call, "MaxRecords", 20, 100, 100)
    if "DBInstanceIdentifier" in call.parameters:
        return {"DBInstances": [databases.look(call.parameters["DBInstanceIdentifier"])]}
    if "Marker" not in call.parameters:
        databases.pass_time()
    found, rest = page(call, databases.all(), lambda each: str(each["DBInstanceIdentifier"]), size, INVALID_MARKER, "Marker")
    return {"DBInstances": found, **rest}


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

"""AWS as the cloud of a saga."""

from __future__ import annotations

from types import TracebackType

from dagster_project import clock as wall
from dagster_project.actions.aws import databases, groups, machines, refreshes, templates
from dagster_project.clock import Clock
from dagster_project.connections.aws import connection
from dagster_project.connections.aws.connection import ATTEMPTS, TIMEOUT_SECONDS, Connection
from dagster_project.connections.aws.operations import conditional, permissions
from dagster_project.domain.applying.cloud import Database, Group, Machine
from dagster_project.domain.inventory import native_name

MODULES = (connection, databases, groups, machines, refreshes, templates)
READ_PERMISSIONS = permissions(*(each for module in MODULES for each in module.READS))
"""What looking needs; ``sts:AssumeRole`` only where a role is given."""
WRITE_PERMISSIONS = permissions(*(each for module in MODULES for each in module.WRITES))
"""What changing needs, beyond looking."""
CONDITIONAL_PERMISSIONS = conditional(*(each for module in MODULES for each in module.WRITES))
"""What changing needs of some resources, each right with where it is needed."""
PERMISSIONS = READ_PERMISSIONS + WRITE_PERMISSIONS


class AwsCloud:
    """One region of one account; it is a ``Cloud``. ``AccessDenied`` is raised where credentials or rights are refused.

    It holds connections: use it as a context, or close it.
    """

    def __init__(
        self,
        *,
        region: str,
        account_id: str | None = None,
        role_arn: str | None = None,
        external_id: str | None = None,
        endpoint_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        clock: Clock = wall,
    ) -> None:
        """Sends nothing yet. Credentials are found where boto3 finds them; ``role_arn`` is assumed with them, where given.
        Those of another account than ``account_id`` are refused."""
        self._connection = Connection(
            region=region,
            account_id=account_id,
            role_arn=role_arn,
            external_id=external_id,
            endpoint_url=endpoint_url,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            at=clock,
        )

    def __enter__(self) -> AwsCloud:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._connection.close()

    def machine(self, resource_id: str) -> Machine | None:
        """The EC2 instance as it is now; None where there is none."""
        return machines.machine(self._connection, resource_id)

    def stop(self, resource_id: str) -> None:
        """Stops an instance; one that stops or has stopped already stays so."""
        machines.stop(self._connection, resource_id)

    def start(self, resource_id: str) -> None:
        """Starts an instance; one that runs or starts already stays so."""
        machines.start(self._connection, resource_id)

    def set_type(self, resource_id: str, instance_type: str) -> None:
        """Gives a stopped instance another type."""
        machines.set_type(self._connection, resource_id, instance_type)

    def group(self, name: str) -> Group | None:
        """The Auto Scaling group as it is now; None where there is none."""
        return groups.group(self._connection, native_name(name))

    def set_group_size(self, name: str, min_size: int, desired: int) -> None:
        """Sets the minimum and the number of members that a group keeps."""
        groups.set_size(self._connection, native_name(name), min_size, desired)

    def add_template_version(self, template_id: str, source_version: str, instance_type: str, token: str) -> str:
        """A version of a launch template with another type; returns its number. The same ``token`` gives the same version."""
        return templates.add_version(self._connection, template_id, source_version, instance_type, token)

    def use_template(self, name: str, template_id: str, version: str) -> None:
        """Lets a group launch members from a version of a launch template; those that run stay as they are."""
        groups.use_template(self._connection, native_name(name), template_id, version)

    def start_refresh(self, name: str, min_healthy_pct: int, warmup_seconds: int) -> None:
        """Replaces a group's members by ones of its present template, keeping a share of them in service."""
        refreshes.start(self._connection, native_name(name), min_healthy_pct, warmup_seconds)

    def cancel_refresh(self, name: str) -> None:
        """Stops a refresh that is under way; where there is none, nothing is done."""
        refreshes.cancel(self._connection, native_name(name))

    def database(self, identifier: str) -> Database | None:
        """The RDS instance as it is now; None where there is none."""
        return databases.database(self._connection, native_name(identifier))

    def set_class(self, identifier: str, instance_class: str) -> None:
        """Gives a database another class, at once."""
        databases.set_class(self._connection, native_name(identifier), instance_class)

"""The demo on AWS: two accounts on moto's server, read, judged and changed over real HTTP, with nothing in the database but the
decision audit."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import polars as pl

from dagster_project.catalog.shapes import SHIPPED
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import write
from dagster_project.demo.aws_fleet import DAYS, EMERGENCY, FLEET, OTHER, OWN, REGIONS, ROLE, Machine, curves
from dagster_project.demo.moto_server import MotoServer, moto_server
from dagster_project.domain.approvals.model import PENDING, AskedChange
from dagster_project.domain.rightsizing.dimensions import MEMORY
from dagster_project.errors import InputError
from dagster_project.pipeline.approval_answers import requests_by_resource
from dagster_project.pipeline.approvers import user_of_this_process
from dagster_project.pipeline.clouds import cloud_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.settings import ApplySettings, ApprovalSettings, ProposalSettings
from dagster_project.settings_acting import Approver, MaintenanceWindow
from dagster_project.settings_aws import AwsAccount, AwsSettings
from dagster_project.sources import contract_tables

RUN = write("ec2", "RunInstances")
TEMPLATE = write("ec2", "CreateLaunchTemplate")
GROUP = write("autoscaling", "CreateAutoScalingGroup")
DATABASE = write("rds", "CreateDBInstance")

_FOLDER = "aws-demo"
_IMAGE = "ami-0123456789abcdef0"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_EC2_METADATA_DISABLED": "true"}
_ACCOUNTS = {machine.name: machine.account for machine in FLEET}
Ids = dict[str, str]
"""What AWS calls each machine of the fleet."""


@dataclass(frozen=True)
class AwsDemo:
    """The demo while it runs: the surroundings of its night, and what AWS calls each machine of the fleet."""

    runtime: Runtime
    ids: Ids


@contextmanager
def aws_demo(runtime: Runtime) -> Iterator[AwsDemo]:
    """Two accounts on moto's server and an empty home below the own one; what an earlier demo left there is removed.

    Raises ``InputError`` where a DSN is set, and ``SettingsError`` where moto is not installed.
    """
    if runtime.settings.dsn is not None:
        raise InputError("The demo works on the embedded PostgreSQL only; unset NIGHTSHIFT_DSN for it.")
    home = runtime.settings.home / _FOLDER
    shutil.rmtree(home, ignore_errors=True)
    begin = datetime.combine(runtime.now.astimezone(UTC).date() - timedelta(days=DAYS), time(), UTC)
    with _signed_in(), moto_server(begin) as server:
        ids = {name: own for account in REGIONS for name, own in _build(server, account, begin).items()}
        settings = runtime.settings.model_copy(update={"home": home, "reports": home / "reports", **_settings(server.url)})
        there = replace(runtime, settings=settings, event_sources=lambda _: ())
        asyncio.run(_audit(there, ids[EMERGENCY]))
        yield AwsDemo(there, ids)


def waiting_requests(demo: AwsDemo) -> list[str]:
    """The requests that wait for an approval and are about the account that may be changed."""
    mine = {name for machine, name in demo.ids.items() if _ACCOUNTS[machine] == OWN}
    found = in_state(demo.runtime, requests_by_resource)
    return [row["request_id"] for name, row in sorted(found.items()) if row["request_state"] == PENDING and name in mine]


def what_aws_has(runtime: Runtime, change: AskedChange) -> str:
    """The value that AWS has of what a change is about."""
    cloud = cloud_of(runtime, change.account_id, change.region)
    if change.resource_type == "rds_instance":
        database = cloud.database(change.resource_id)
        return database.instance_class if database else "nothing"
    if change.resource_type == "autoscaling_group":
        group = cloud.group(change.resource_id)
        return f"{group.template_type}, at least {group.min_size} members" if group else "nothing"
    machine = cloud.machine(change.resource_id)
    return f"{machine.instance_type}, {machine.state}" if machine else "nothing"


def _settings(url: str) -> dict[str, Any]:
    login = user_of_this_process()
    accounts = (
        AwsAccount(id=OWN, regions=(REGIONS[OWN],), may_change=True),
        AwsAccount(id=OTHER, regions=(REGIONS[OTHER],), role_arn=ROLE),
    )
    return {
        "aws": AwsSettings(accounts=accounts, endpoint_url=url, second_opinion=False, attempts=2),
        "proposals": ProposalSettings(mode="apply"),
        "approvals": ApprovalSettings(approvers=(Approver(email=f"{login}@example.com", login=login),)),
        "apply": ApplySettings(windows=(MaintenanceWindow(begins=time(), ends=time()),), poll_seconds=1, soak_hours=0),
    }


@contextmanager
def _signed_in() -> Iterator[None]:
    """moto takes any credentials; those of the user are not sent to it."""
    before = {name: os.environ.get(name) for name in (*_CREDENTIALS, "AWS_PROFILE", "AWS_SESSION_TOKEN")}
    os.environ.update(_CREDENTIALS)
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _build(server: MotoServer, account: str, begin: datetime) -> Ids:
    region = REGIONS[account]
    role = ROLE if account == OTHER else None
    connection = Connection(region=region, account_id=account, role_arn=role, endpoint_url=server.url)
    mine = [machine for machine in FLEET if machine.account == account]
    ids = {machine.name: _made(connection, region, machine) for machine in mine}
    connection.close()
    server.set_back(account, region, begin - timedelta(days=30))
    for machine in mine:
        _measure(server, account, region, machine, ids[machine.name])
    return ids


def _made(connection: Connection, region: str, machine: Machine) -> str:
    """Makes a machine of the fleet; returns what AWS calls it."""
    tags = [{"Key": key, "Value": value} for key, value in {"Name": machine.name, **machine.tags}.items()]
    if machine.kind == "database":
        connection.ask(
            DATABASE,
            machine.name,
            DBInstanceIdentifier=machine.name,
            DBInstanceClass=machine.size,
            Engine="postgres",
            AllocatedStorage=100,
            MasterUsername="demo",
            MasterUserPassword="demo-password",
            Tags=tags,
        )
        return machine.name
    if machine.kind == "group":
        data = {"ImageId": _IMAGE, "InstanceType": machine.size}
        of_group = {"ResourceId": machine.name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
        made = connection.ask(TEMPLATE, machine.name, LaunchTemplateName=machine.name, LaunchTemplateData=data)
        connection.ask(
            GROUP,
            machine.name,
            AutoScalingGroupName=machine.name,
            MinSize=machine.members,
            MaxSize=2 * machine.members,
            DesiredCapacity=machine.members,
            AvailabilityZones=[f"{region}{zone}" for zone in "abc"],
            LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
            Tags=[{**tag, **of_group} for tag in tags],
        )
        return machine.name
    market = {"InstanceMarketOptions": {"MarketType": "spot"}} if machine.is_spot else {}
    made = connection.ask(
        RUN,
        machine.name,
        ImageId=_IMAGE,
        InstanceType=machine.size,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        **market,
    )
    return str(made["Instances"][0]["InstanceId"])


def _measure(server: MotoServer, account: str, region: str, machine: Machine, name: str) -> None:
    shapes = SHIPPED.rds_shapes(None, None) if machine.kind == "database" else SHIPPED.ec2_shapes(None)
    told = curves(machine, float(shapes.capacity[shapes.number_of(machine.size), MEMORY]))
    key = {"database": "DBInstanceIdentifier", "group": "AutoScalingGroupName", "instance": "InstanceId"}[machine.kind]
    own = {"mem_used_percent": "CWAgent", "GroupInServiceInstances": "AWS/AutoScaling"}
    for metric, statistics in told.items():
        namespace = own.get(metric, "AWS/RDS" if machine.kind == "database" else "AWS/EC2")
        server.measure(account, region, namespace, {key: name}, {metric: statistics})


async def _audit(runtime: Runtime, scaled_up: str) -> None:
    """The decision engine's database: one emergency and ordinary work before it, and no incident. What there is and what it does
    is not in it."""
    noon = datetime.combine(runtime.now.astimezone(UTC).date() - timedelta(days=4), time(12), UTC).replace(tzinfo=None)
    rows = [
        ("d-1", noon - timedelta(days=40), "catalog-api", "restart", "succeeded", False),
        ("d-2", noon, scaled_up, "scale_up", "succeeded", False),
    ]
    columns = ("decision_id", "decision_time", "target", "action_type", "outcome", "dry_run")
    async with runtime.connect() as connection:
        await contract_tables.create_tables(connection)
        await connection.execute("drop table resources, utilization")
        await contract_tables.append(connection, "decision_audit", pl.DataFrame(rows, schema=columns, orient="row"))

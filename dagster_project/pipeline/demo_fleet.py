"""Fills the embedded PostgreSQL with the demo fleet."""

from __future__ import annotations

import asyncio

from dagster_project.demo import fleet, infrastructure
from dagster_project.errors import InputError
from dagster_project.pipeline.load_files import DEMO_ORIGIN
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import contract_tables


def fill_demo(runtime: Runtime) -> int:
    """Writes the demo fleet unless it is there already; returns the samples written.

    Raises ``InputError`` where a DSN is set, or the home holds other data: the demo never writes into somebody's database.
    """
    if runtime.settings.dsn is not None:
        raise InputError("The demo works on the embedded PostgreSQL only; unset NIGHTSHIFT_DSN for it.")
    return asyncio.run(_fill(runtime))


def write_demo_code(runtime: Runtime) -> None:
    """Writes the demo fleet's infrastructure code into the home, unless it is there."""
    code = infrastructure.build_infrastructure(fleet.build_fleet().tables["resources"])
    infrastructure.write_infrastructure(code, runtime.settings.home / "demo")


async def _fill(runtime: Runtime) -> int:
    origin = f"{DEMO_ORIGIN}, seed {fleet.DEMO_SEED}, to {fleet.DEMO_LAST_DAY}"
    async with runtime.connect() as connection:
        if await contract_tables.origin(connection) == origin:
            return 0
        if await contract_tables.count(connection, "resources"):
            raise InputError("This home holds other data than the demo's; set NIGHTSHIFT_HOME to another folder for the demo.")
        demo = fleet.build_fleet()
        samples = 0
        async with connection.transaction():
            await contract_tables.create_tables(connection)
            for table, frame in demo.tables.items():
                await contract_tables.append(connection, table, frame)
            total = demo.tables["resources"].height
            for frame in demo.utilization():
                samples += await contract_tables.append(connection, "utilization", frame)
                done = demo.tables["resources"]["resource_id"].search_sorted(frame["resource_id"][-1]) + 1
                runtime.progress.update("Filling the demo database", int(done), total)
            runtime.progress.update("Filling the demo database", total, total)
            await contract_tables.note_origin(connection, origin)
        await connection.execute("analyze")
    return samples

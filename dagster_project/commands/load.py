"""``nightshift load``."""

from __future__ import annotations

from pathlib import Path

import click

from dagster_project.commands.options import runtime


@click.command()
@click.option("--utilization", required=True, metavar="GLOB", help="Parquet files of samples; quote the pattern.")
@click.option("--resources", required=True, type=click.Path(path_type=Path), help="Parquet file of resources.")
@click.option("--decisions", type=click.Path(path_type=Path), help="Parquet file of decisions.")
def command(utilization: str, resources: Path, decisions: Path | None) -> None:
    """Fill a database from Parquet exports, so that nights can run on them.

    \b
    Utilization: resource_id, ts (UTC), cpu_pct; optionally mem_used_pct, cpu_max_pct, mem_max_pct, net_in_bytes,
      net_out_bytes, disk_read_bytes, disk_write_bytes, vcpu (0 = off), mem_gib. Null = unknown.
    Resources: resource_id, instance_type, region, vcpu, mem_gib, memory_known, tags (JSON text).
    Decisions: decision_id, decision_time, target, action_type, policy_id, policy_version, outcome.

    Without NIGHTSHIFT_DSN the embedded PostgreSQL of NIGHTSHIFT_HOME is filled. What is there already for the same
    resources and span is replaced. Everything is loaded, or nothing.
    """
    from dagster_project.pipeline.load_files import load_files

    loaded = load_files(runtime(), utilization, resources, decisions)
    click.echo(f"Loaded {loaded.resources:,} resources, {loaded.samples:,} samples and {loaded.decisions:,} decisions.")
    if loaded.off:
        click.echo(f"{loaded.off:,} rows say that the machine was off (no vCPU); they are gaps, not idleness.")
    if loaded.unlisted:
        click.echo(f"{loaded.unlisted:,} rows belong to resources that the resources file does not list; they were left out.")
    if loaded.last_day:
        click.echo(f"Samples from {loaded.first_day} to {loaded.last_day}. Next: nightshift nightly --day {loaded.last_day}")

"""One inventory out of two: what the decision engine's database lists, and what AWS does.

A row of the database is the same resource as one of AWS where name and kind are equal, and account and region too as far as the
database says them. What the database says counts; AWS fills in what it does not say. Three exceptions, all on the safe side: what
only one of them knows to be spot, managed, a group's member or on other tenancy is that, a size of which they say different
things is not known, and one that AWS was seen to change since the database's last change is no older than that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from dagster_project.domain.inventory import qualified
from dagster_project.lake.frames import schema
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.ledger import RejectedGroup

DATABASE, AWS, BOTH = "database", "aws", "both"
CONTRADICTIONS = ("ambiguous_place", "sources_disagree")
"""Reasons of rows that are not set aside, and of which something is not believed."""
_FILLED = ("account_id", "region", "units", "service", "team", "environment", "created_at")
Place = tuple[str, str, str, str]
"""Account, region, kind and AWS's name of a resource."""


def merged(
    database: pl.DataFrame, aws: pl.DataFrame, previous: pl.DataFrame | None, source: str
) -> tuple[pl.DataFrame, list[RejectedGroup]]:
    """The inventory of a day, and what of it contradicts itself. ``previous`` are rows of inventories of earlier days, the last
    ones last: a resource keeps the id that it had there, and no other one gets it. ``aws`` has the columns of
    ``aws_resources``."""
    rows = aws.select("account_id", "region", "resource_type", "native_id").to_dicts()
    ids, ambiguous = _ids(database, rows, _known_ids(previous))
    named = aws.with_columns(pl.Series("resource_id", ids, dtype=pl.String))
    named = _with_groups(named)
    said = [RejectedGroup(source, CONTRADICTIONS[0], name, "account_id", 1, None, "") for name in ambiguous]
    joined = database.join(named, on="resource_id", how="full", coalesce=True, suffix="_aws")
    in_database, in_aws = joined["origin"].is_not_null(), joined["read_on_aws"].is_not_null()
    both = in_database & in_aws
    is_torn = both & (joined["instance_type"] != joined["instance_type_aws"]).fill_null(False)
    for row in joined.filter(is_torn).sort("resource_id").iter_rows(named=True):
        told = f"{row['instance_type']}, and {row['instance_type_aws']} in AWS"
        said.append(RejectedGroup(source, CONTRADICTIONS[1], row["resource_id"], "instance_type", 1, None, told))

    def first(name: str) -> pl.Expr:
        return pl.coalesce(name, f"{name}_aws").alias(name)

    def unless(name: str, usual: str) -> pl.Expr:
        """What is not usual, where either says so. A database that says nothing of it says the usual."""
        ours, theirs = pl.col(name), pl.col(f"{name}_aws")
        return pl.when(ours.is_null() | ((ours == usual) & theirs.is_not_null())).then(theirs).otherwise(ours).alias(name)

    merged_rows = joined.with_columns(
        pl.coalesce("resource_type", "resource_type_aws").alias("resource_type"),
        pl.when(pl.Series(is_torn))
        .then(None)
        .otherwise(pl.coalesce("instance_type", "instance_type_aws"))
        .alias("instance_type"),
        unless("platform", "linux"),
        unless("tenancy", "default"),
        unless("lifecycle", "on-demand"),
        first("asg_name"),
        first("managed_by"),
        *(first(name) for name in _FILLED),
        # A change that the database tells of after the last reading of another size is the one that was seen.
        pl.when((pl.col("config_changed_at").dt.date() > pl.col("differed_on")).fill_null(pl.col("differed_on").is_null()))
        .then(pl.coalesce("config_changed_at", "config_changed_at_aws"))
        .otherwise(pl.max_horizontal("config_changed_at", "config_changed_at_aws"))
        .alias("config_changed_at"),
        _documents("tags"),
        _documents("config"),
        pl.when(pl.Series(both)).then(pl.lit(BOTH)).when(pl.Series(in_aws)).then(pl.lit(AWS)).otherwise("origin").alias("origin"),
        pl.when(pl.col("native_id_aws") != pl.col("resource_id")).then("native_id_aws").alias("native_id"),
        pl.col("read_on_aws").alias("read_on"),
    )
    return merged_rows.select(list(schema(RESOURCE_INVENTORY))), said


def _known_ids(previous: pl.DataFrame | None) -> Mapping[Place, str]:
    if previous is None:
        return {}
    rows = previous.filter(pl.col("read_on").is_not_null()).select(
        "account_id", "region", "resource_type", pl.coalesce("native_id", "resource_id"), "resource_id"
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows.iter_rows()}


def _ids(database: pl.DataFrame, rows: list[dict[str, Any]], known: Mapping[Place, str]) -> tuple[list[str], list[str]]:
    """What each row of AWS is called, and which rows of the database may be any of several in AWS."""
    said = database.select("resource_id", "resource_type", "account_id", "region").to_dicts()
    listed = {row["resource_id"]: row for row in said}
    candidates: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if _is_same(listed.get(row["native_id"]), row):
            candidates.setdefault(row["native_id"], []).append(number)
    matched = {mine[0]: name for name, mine in candidates.items() if len(mine) == 1}
    # Readings under a name go on to count: they must not become another one's.
    held = {*known.values()}
    taken = set(listed)
    ids: list[str | None] = []
    for number, row in enumerate(rows):
        before = known.get(place_of(row))
        found = matched.get(number) or (before if before not in taken else None)
        ids.append(found)
        taken |= {found} if found else set()
    wanted = Counter(row["native_id"] for row, found in zip(rows, ids, strict=True) if found is None)
    named = []
    for row, found in zip(rows, ids, strict=True):
        name = row["native_id"]
        is_alone = wanted[name] == 1 and name not in taken and name not in held
        named.append(found or (name if is_alone else qualified(*place_of(row))))
    return named, sorted(name for name, mine in candidates.items() if len(mine) > 1)


def place_of(row: Mapping[str, Any]) -> Place:
    """Where AWS has a resource, and what it calls it there."""
    return row["account_id"], row["region"], row["resource_type"], row["native_id"]


def _is_same(listed: Mapping[str, Any] | None, row: Mapping[str, Any]) -> bool:
    return (
        listed is not None
        and listed["resource_type"] == row["resource_type"]
        and listed["account_id"] in (None, row["account_id"])
        and listed["region"] in (None, row["region"])
    )


def _with_groups(named: pl.DataFrame) -> pl.DataFrame:
    """Members name their group as the inventory calls it."""
    groups = named.filter(pl.col("resource_type") == "autoscaling_group").select(
        "account_id", "region", pl.col("native_id").alias("asg_name"), pl.col("resource_id").alias("group_id")
    )
    joined = named.join(groups, on=["account_id", "region", "asg_name"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("group_id", "asg_name").alias("asg_name")).drop("group_id")


def _documents(name: str) -> pl.Expr:
    """Two JSON objects as one: the second one's keys where the first has none."""

    def both(pair: dict[str, str | None]) -> str | None:
        ours, theirs = pair[name], pair[f"{name}_aws"]
        if ours is None or theirs is None:
            return ours if theirs is None else theirs
        own = json.loads(ours)
        if not isinstance(own, dict):
            return theirs  # what is no object says nothing
        union = {**json.loads(theirs), **{key: value for key, value in own.items() if value is not None}}
        return json.dumps(union, sort_keys=True, ensure_ascii=False, separators=(", ", ": "))

    return pl.struct(name, f"{name}_aws").map_elements(both, return_dtype=pl.String).alias(name)

"""A catalog of round numbers, and evidence that speaks for a smaller size unless a test says otherwise.

Every general family has the sizes of ``SIZES`` and, for each vCPU, 1 Gbit/s, 1,000 Mbit/s and 5,000 IOPS. The families that
may not stand in for another one are all cheaper than those that may, so that a missing check takes one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.domain.rightsizing.verdict import Verdict, decide

NAN = float("nan")
SIZES = {"medium": 1, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
_INTERFACES = {1: 2, 2: 3, 4: 4, 8: 4, 16: 8}
_VOLUMES = {1: 8, 2: 10, 4: 20, 8: 20, 16: 28}
X86, ARM = "x86_64", "arm64"
NITRO, XEN = "nitro/required/required", "xen/supported/unsupported"

# Family: (GiB and USD an hour for each vCPU, sizes, what is different about it).
_FAMILIES: dict[str, tuple[float, float, Sequence[str], dict[str, Any]]] = {
    "m9z": (4, 0.10, ["xlarge"], {}),  # like m9.xlarge in everything but its name
    "c9": (2, 0.08, list(SIZES), {}),
    "m9": (4, 0.10, list(SIZES), {}),
    "r9": (8, 0.12, list(SIZES), {}),
    "m9g": (4, 0.01, list(SIZES), {"architecture": ARM}),
    "t9": (4, 0.06, ["medium", "large", "xlarge", "2xlarge"], {"burst_baseline_pct": 20.0}),
    "m9d": (4, 0.02, list(SIZES), {"local_disk_gb": 100.0}),
    "m9gpu": (4, 0.02, ["large", "xlarge", "2xlarge"], {"is_accelerated": True}),
    "c9u": (2, 0.03, ["large", "xlarge", "2xlarge"], {"disk": NAN}),
    "m9x": (4, 0.02, list(SIZES), {"driver": XEN}),
    "m3": (4, 0.02, list(SIZES), {"is_current_generation": False}),
    "m9-flex": (4, 0.02, list(SIZES), {}),
    "x9": (16, 0.02, ["large", "xlarge"], {}),
}
_ODD = (
    {"name": "m9.metal", "family": "m9", "vcpu": 16, "memory": 64.0, "usd": 1.50, "is_bare_metal": True},
    {"name": "m9.3xlarge", "family": "m9", "vcpu": 12, "memory": 48.0, "usd": NAN},
)


def _catalog() -> Shapes:
    rows = [
        {
            "name": f"{family}.{size}",
            "family": family,
            "vcpu": SIZES[size],
            "memory": gib * SIZES[size],
            "usd": usd * SIZES[size],
            **different,
            "local_disk_gb": different.get("local_disk_gb", 0.0) * SIZES[size],
        }
        for family, (gib, usd, sizes, different) in _FAMILIES.items()
        for size in sizes
    ]
    rows += [dict(row) for row in _ODD]

    def column(name: str, default: Any) -> Any:
        return [row.get(name, default) for row in rows]

    return Shapes(
        names=column("name", None),
        families=column("family", None),
        architectures=column("architecture", X86),
        drivers=column("driver", NITRO),
        capacity=np.array(
            [
                [
                    row["vcpu"],
                    row["memory"],
                    row["vcpu"],
                    row.get("disk", 1000.0) * row["vcpu"],
                    row.get("disk", 5000.0) * row["vcpu"],
                ]
                for row in rows
            ],
            dtype=np.float64,
        ),
        usd_per_hour=np.array(column("usd", None)),
        interfaces=np.array([_INTERFACES.get(row["vcpu"], 8) for row in rows], dtype=np.float64),
        volumes=np.array([_VOLUMES.get(row["vcpu"], 28) for row in rows], dtype=np.float64),
        local_disk_gb=np.array(column("local_disk_gb", 0.0)),
        burst_baseline_pct=np.array(column("burst_baseline_pct", NAN)),
        is_current_generation=np.array(column("is_current_generation", True)),
        is_bare_metal=np.array(column("is_bare_metal", False)),
        is_accelerated=np.array(column("is_accelerated", False)),
    )


CATALOG = _catalog()

FAMILY = Rules(target="family")
"""With m9 alone, the size below m9.4xlarge is m9.2xlarge: 8 vCPU, 32 GiB, 8 Gbit/s, 8,000 Mbit/s, 40,000 IOPS, 584 USD."""

HEALTHY: dict[str, Any] = {
    "size": "m9.4xlarge",  # 16 vCPU, 64 GiB, 1,168 USD a month
    "peak": {CPU: 3.0, MEMORY: 12.0, NETWORK: 1.0, DISK: 1000.0, IOPS: 4000.0},
    "cpu_p995": 2.4,
    "memory_ever": 12.5,
    "history_hours": 672.0,
    "coverage_pct": 100.0,
    "recent_coverage_pct": 100.0,
    "days_since_change": 60.0,
    "slo_name": "availability",
    "slo_budget_left_pct": 80.0,
    "interfaces": 1.0,
    "volumes": 2.0,
}
"""What m9.xlarge holds (and m9.large does not): a proposal that saves 876 USD a month."""


def sizes_changed(shapes: Shapes, name: str, **values: Any) -> Shapes:
    """A catalog in which one size has other values; ``capacity`` is given by dimension."""
    number = shapes.number_of(name)
    changed = {}
    for column, value in values.items():
        array = np.array(getattr(shapes, column))
        if column == "capacity":
            for dimension, amount in value.items():
                array[number, dimension] = amount
        else:
            array[number] = value
        changed[column] = array if isinstance(getattr(shapes, column), np.ndarray) else array.tolist()
    return replace(shapes, **changed)


def slice_of(shapes: Shapes, places: Sequence[int]) -> Shapes:
    """Some sizes of a catalog, in the order of ``places``."""
    taken = {}
    for column in fields(shapes):
        values = getattr(shapes, column.name)
        taken[column.name] = (
            values[list(places)] if isinstance(values, np.ndarray) else [values[i] for i in places if len(values)]
        )
    return Shapes(**taken)


def evidence_of(*rows: Mapping[str, Any], shapes: Shapes = CATALOG) -> Evidence:
    """Rows of ``HEALTHY`` with overrides: ``size`` and ``previous`` by name; columns of dimensions as a dictionary."""
    full = [{**HEALTHY, "resource_id": f"r{number}", **row} for number, row in enumerate(rows)]
    columns: dict[str, Any] = {"present": np.array([shapes.number_of(row["size"]) for row in full], dtype=np.int64)}
    columns["present_name"] = [row["size"] for row in full]
    if any("previous" in row for row in full):
        columns["previous_target"] = np.array([shapes.number_of(row.get("previous")) for row in full], dtype=np.int64)
    for column in fields(Evidence):
        if column.name in columns or not any(column.name in row for row in full):
            continue
        default = column.metadata.get("default", NAN)
        width = column.metadata.get("width", len(DIMENSIONS) if column.name == "peak" else 0)
        values: list[Any] = []
        for row in full:
            value = row.get(column.name, default)
            if width:
                said = value if isinstance(value, Mapping) else {}
                usual = HEALTHY.get(column.name, {})
                value = [said.get(dimension, usual.get(dimension, default)) for dimension in range(width)]
            values.append(value)
        is_text = column.name in ("resource_id", "cpu_load") or default is None or isinstance(default, str)
        columns[column.name] = values if is_text else np.array(values, dtype=type(default))
    if "pool" in columns:
        columns["pool"] = columns["pool"].astype(np.int64)
    return Evidence(**columns)


def verdicts_of(*rows: Mapping[str, Any], rules: Rules = FAMILY, shapes: Shapes = CATALOG) -> list[Verdict]:
    return decide(evidence_of(*rows, shapes=shapes), shapes, rules)


def verdict_of(rules: Rules = FAMILY, shapes: Shapes = CATALOG, **overrides: Any) -> Verdict:
    """The verdict of one row."""
    (verdict,) = verdicts_of(overrides, rules=rules, shapes=shapes)
    return verdict

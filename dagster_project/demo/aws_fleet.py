"""The little fleet of the demo on AWS: two accounts, and a resource for each thing that a reader should see.

Everything follows from the name of a resource: no clock and no shared generator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

DAYS = 8
SLOTS = DAYS * 288
OWN, OTHER = "123456789012", "222222222222"
ROLE = f"arn:aws:iam::{OTHER}:role/nightshift"
REGIONS = {OWN: "eu-west-1", OTHER: "us-east-1"}
EMERGENCY = "search-1"
"""The machine that the decision engine scaled up in an emergency."""
_GIB = 1024**3


@dataclass(frozen=True)
class Machine:
    """A resource: ``kind`` is instance, group or database; ``cpu_pct`` and ``memory_pct`` are about how busy it is (memory None:
    not measured)."""

    name: str
    kind: str
    size: str
    account: str
    cpu_pct: float
    memory_pct: float | None
    tags: dict[str, str] = field(default_factory=dict)
    members: int = 1
    is_spot: bool = False


def _owned(service: str, team: str, environment: str = "staging", **more: str) -> dict[str, str]:
    return {"service": service, "team": team, "environment": environment, **more}


FLEET: tuple[Machine, ...] = (
    Machine("admin-1", "instance", "m5.2xlarge", OWN, 8, 22, _owned("admin-console", "identity")),
    Machine("catalog-1", "instance", "c5.2xlarge", OWN, 74, 48, _owned("catalog-api", "shop", "prod")),
    Machine("coupon-1", "instance", "r5.2xlarge", OWN, 9, None, _owned("coupon-api", "shop")),
    Machine(EMERGENCY, "instance", "m5.2xlarge", OWN, 11, 24, _owned("search-api", "search", "prod")),
    Machine("batch-1", "instance", "c5.4xlarge", OWN, 6, 15, _owned("batch-scoring", "data"), is_spot=True),
    Machine("node-1", "instance", "m5.4xlarge", OWN, 7, 20, _owned("platform", "platform", **{"eks:cluster-name": "main"})),
    Machine("checkout-web", "group", "m5.xlarge", OWN, 41, 38, _owned("checkout-api", "checkout", "prod"), members=3),
    Machine("orders", "database", "db.r5.2xlarge", OWN, 9, 30, _owned("order-api", "checkout", "prod")),
    Machine("report-1", "instance", "m6i.2xlarge", OTHER, 10, 26, _owned("report-builder", "data")),
    Machine("media-1", "instance", "m5.xlarge", OTHER, 52, 61, _owned("media-api", "media", "prod")),
)

Curves = dict[str, NDArray[np.float64]]


def curves(machine: Machine, memory_gib: float) -> dict[str, Curves]:
    """What CloudWatch knows of a resource: by metric, each statistic over ``SLOTS`` periods of five minutes."""
    generator = np.random.Generator(
        np.random.PCG64(int.from_bytes(blake2b(machine.name.encode(), digest_size=8).digest(), "big"))
    )
    hours = np.arange(SLOTS) / 12
    day = 0.75 + 0.25 * np.sin((hours - 9) / 24 * 2 * np.pi)
    cpu = np.clip(machine.cpu_pct * day * generator.uniform(0.9, 1.1, SLOTS), 0.1, 99)
    busiest = np.clip(cpu * generator.uniform(1.05, 1.25, SLOTS), 0.1, 100)
    traffic = cpu * 4e5 * generator.uniform(0.8, 1.2, SLOTS)
    found: dict[str, Curves] = {"CPUUtilization": {"Average": cpu, "Maximum": busiest}}
    if machine.kind == "database":
        rates = {"NetworkReceiveThroughput": 1.0, "NetworkTransmitThroughput": 1.4, "ReadThroughput": 0.3, "WriteThroughput": 0.2}
        found |= {name: {"Average": traffic / 300 * share} for name, share in rates.items()}
        found |= {name: {"Average": cpu * share} for name, share in {"ReadIOPS": 3.0, "WriteIOPS": 2.0}.items()}
        free = memory_gib * _GIB * (1 - (machine.memory_pct or 0) / 100 * generator.uniform(0.98, 1.0, SLOTS))
        return found | {"FreeableMemory": {"Average": free, "Minimum": free * 0.99}}
    volumes = {
        "NetworkIn": 1.0, "NetworkOut": 1.3, "EBSReadBytes": 0.2, "EBSWriteBytes": 0.4, "EBSReadOps": 1e-5, "EBSWriteOps": 2e-5,
    }  # fmt: skip
    # A minute's most is what the busiest member of a group had.
    found |= {name: {"Sum": traffic * share, "Maximum": traffic * share / 4} for name, share in volumes.items()}
    if machine.memory_pct is not None:
        used = np.minimum(machine.memory_pct * generator.uniform(0.97, 1.03, SLOTS), 100)
        found["mem_used_percent"] = {"Average": used, "Maximum": np.minimum(used * 1.02, 100)}
    if machine.kind == "group":
        found["GroupInServiceInstances"] = {"Maximum": np.full(SLOTS, float(machine.members))}
    return found

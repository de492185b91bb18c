"""What a machine is sized by: five dimensions, each in a physical unit, in one order everywhere."""

from __future__ import annotations

from dataclasses import dataclass

CPU, MEMORY, NETWORK, DISK, IOPS = range(5)


@dataclass(frozen=True)
class Dimension:
    """One dimension of size. ``busy_code`` is the reason code when a smaller size lacks it."""

    name: str
    unit: str
    label: str
    busy_code: str


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("cpu", "vCPU", "CPU", "keep_busy_cpu"),
    Dimension("memory", "GiB", "Memory", "keep_busy_memory"),
    Dimension("network", "Gbit/s", "Network", "keep_busy_network"),
    Dimension("disk", "Mbit/s", "Disk", "keep_busy_ebs"),
    Dimension("iops", "IOPS", "Disk operations", "keep_busy_ebs"),
)

"""What a cloud sells in a region on a day: instance types, and what instance types and database classes are listed at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_UNITS_OF_XLARGE = 8.0
_UNITS = {"nano": 0.25, "micro": 0.5, "small": 1.0, "medium": 2.0, "large": 4.0, "xlarge": _UNITS_OF_XLARGE}
_XLARGE = re.compile(r"([1-9]\d*)xlarge")


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What a size is, with a field for each column of the catalog that AWS describes; None where AWS does not say."""

    instance_type: str
    family: str
    size: str
    size_units: float | None
    vcpu: int
    memory_gib: float
    arch: str
    cpu_manufacturer: str | None
    network_baseline_gbps: float | None
    network_peak_gbps: float | None
    max_enis: int | None
    ebs_baseline_mbps: int | None
    ebs_max_mbps: int | None
    ebs_baseline_iops: int | None
    ebs_max_iops: int | None
    ebs_max_attachments: int | None
    nvme_support: str | None
    ena_support: str | None
    instance_storage_gb: int | None
    burstable: bool
    current_generation: bool
    bare_metal: bool
    hypervisor: str | None
    gpus: int | None
    virtualization: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A size in a price list: ``usd_per_hour`` are the prices that it has there, ascending and each once; one is a price, several
    are none. ``engine`` is None for EC2; the size of a database class is None where the list does not say it, or says several."""

    name: str
    usd_per_hour: tuple[float, ...]
    engine: str | None = None
    vcpu: int | None = None
    memory_gib: float | None = None
    is_current: bool | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """What is sold in a region. ``offered`` are the instance types that can be had there; ``left_out`` counts by reason
    what AWS told and is not taken over, ``notes`` are sentences on what is left out."""

    region: str
    types: tuple[InstanceType, ...]
    offered: frozenset[str]
    instances: tuple[Listed, ...]
    databases: tuple[Listed, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def size_units(size: str) -> float | None:
    """How large a size is among those of its family, large = 4; None where that is not sold by size, such as bare metal."""
    if size in _UNITS:
        return _UNITS[size]
    found = _XLARGE.fullmatch(size)
    return _UNITS_OF_XLARGE * int(found[1]) if found else None

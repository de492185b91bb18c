"""Reserved Instances and Savings Plans: what each of them pays for, whatever runs.

A reservation pays for one size, or for normalised units of a family where AWS spreads it over sizes; a plan pays for dollars an
hour. What is not known of one is None, and makes unknown what it may pay for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

EC2_RESERVED, RDS_RESERVED = "ec2_reserved", "rds_reserved"
EC2_PLAN, COMPUTE_PLAN, DATABASE_PLAN = "ec2_instance_plan", "compute_plan", "database_plan"
RESERVED = (EC2_RESERVED, RDS_RESERVED)

LINUX, DEFAULT_TENANCY = "linux", "default"
_PLATFORMS = (("windows", "windows"), ("red hat", "rhel"), ("rhel", "rhel"), ("suse", "suse"), ("linux", LINUX))
_SMALL = {"nano": 0.25, "micro": 0.5, "small": 1.0, "medium": 2.0, "large": 4.0, "xlarge": 8.0}
_SIZE = re.compile(r"(?:db\.)?[a-z][a-z0-9-]*\.(?:(?P<small>[a-z]+)|(?P<times>\d+)xlarge|metal-(?P<metal>\d+)xl)")
# EC2 User Guide, "How Reserved Instances are applied": accelerators, HPC and high-memory sizes are reserved one by one.
_ONE_BY_ONE = re.compile(r"(g[4-9]|gr\d|p[5-9]|inf\d|trn\d|hpc\d|u7)")
_SPREAD_ENGINES = re.compile(r"(mysql|mariadb|postgres|aurora-mysql|aurora-postgresql)$")
MULTI_AZ_UNITS = 2
"""A Multi-AZ database (one standby) uses twice the units of a Single-AZ one, and so does a reservation for one."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """One active Reserved Instance, reserved database, or Savings Plan.

    ``region`` is None where it pays in every region. ``units`` are normalised ones of all that is reserved; ``usd_per_hour`` is
    what is paid for the whole of it an hour, with what was paid up front spread over its term; of a plan it is the commitment.
    Times are naive UTC.
    """

    commitment_id: str
    account_id: str
    kind: str
    region: str | None = None
    family: str | None = None
    instance_type: str | None = None
    platform: str | None = None
    tenancy: str | None = None
    engine: str | None = None
    is_multi_az: bool | None = None
    is_size_flexible: bool | None = None
    availability_zone: str | None = None
    offering_class: str | None = None
    reserved: int | None = None
    units: float | None = None
    usd_per_hour: float | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """What one size-flexible reservation is spread over. ``payer`` is an account, or what stands for all that share; ``product``
    is a platform with its tenancy, or a database engine."""

    payer: str
    region: str
    family: str
    product: str


@dataclass(frozen=True, slots=True)
class Use:
    """What runs, or would run, in a pool: ``size`` is what a reservation of one size must match, ``units`` are normalised;
    ``list_usd_per_hour`` is None without a price."""

    pool: Pool
    size: str
    units: float
    list_usd_per_hour: float | None = None


def size_units(instance_type: str) -> float | None:
    """Normalised units of a size: nano 0.25, …, large 4, xlarge 8, and eight times N of an Nxlarge. None for a name that does not
    say its size (``m5.metal``, classes of Oracle with more memory)."""
    found = _SIZE.fullmatch(instance_type)
    if found is None:
        return None
    times = found["times"] or found["metal"]
    return 8.0 * int(times) if times else _SMALL.get(found["small"])


def family_of(instance_type: str) -> str:
    """``m5`` of ``m5.large``, ``db.r6g`` of ``db.r6g.xlarge``."""
    parts = instance_type.split(".")
    return ".".join(parts[:2]) if parts[0] == "db" else parts[0]


def platform_of(text: str | None) -> str:
    """What AWS bills a machine for, from what it or an inventory calls the platform; Linux where nothing is said."""
    words = (text or LINUX).lower()
    return next((name for word, name in _PLATFORMS if word in words), words)


def is_spread(instance_type: str, platform: str, tenancy: str) -> bool:
    """Whether AWS spreads a regional Reserved Instance over the sizes of its family: Linux, shared hardware, no accelerator."""
    return platform == LINUX and tenancy == DEFAULT_TENANCY and not _ONE_BY_ONE.match(family_of(instance_type))


def is_spread_engine(engine: str, license_words: str = "") -> bool:
    """Whether AWS spreads a reserved database over the classes of its family; of Oracle and Db2 only with an own licence."""
    if engine.startswith(("oracle", "db2")):
        return "byol" in license_words
    return bool(_SPREAD_ENGINES.match(engine))


def machine_use(
    payer: str, region: str, instance_type: str, platform: str | None, tenancy: str | None, count: float, usd: float | None = None
) -> Use | None:
    """What ``count`` machines of a type use, ``usd`` an hour at list; None where the type does not say its size."""
    units = size_units(instance_type)
    if units is None:
        return None
    product = f"{platform_of(platform)}/{tenancy or DEFAULT_TENANCY}"
    return Use(Pool(payer, region, family_of(instance_type), product), instance_type, units * count, usd)


def database_use(
    payer: str, region: str, instance_class: str, engine: str, count: float, *, has_standby: bool, usd: float | None = None
) -> Use | None:
    """What ``count`` databases of a class use, ``usd`` an hour at list; None where the class does not say its size."""
    units = size_units(instance_class)
    if units is None:
        return None
    pool = Pool(payer, region, family_of(instance_class), engine)
    times = MULTI_AZ_UNITS if has_standby else 1
    return Use(pool, f"{instance_class} Multi-AZ" if has_standby else instance_class, units * count * times, usd)


def reserved_use(commitment: Commitment, payer: str) -> Use | None:
    """What a reservation pays for, as a use of its pool; None where that is not known."""
    if commitment.instance_type is None or commitment.region is None or commitment.reserved is None:
        return None
    if commitment.kind == EC2_RESERVED:
        return machine_use(
            payer,
            commitment.region,
            commitment.instance_type,
            commitment.platform,
            commitment.tenancy,
            commitment.reserved,
        )
    return database_use(
        payer,
        commitment.region,
        commitment.instance_type,
        commitment.engine or "",
        commitment.reserved,
        has_standby=bool(commitment.is_multi_az),
    )


def active(commitments: Iterable[Commitment], at: datetime) -> list[Commitment]:
    """Those that pay at a moment (naive UTC), by id."""
    running = (
        each
        for each in commitments
        if (each.starts_at is None or each.starts_at <= at) and (each.ends_at is None or each.ends_at > at)
    )
    return sorted(running, key=lambda each: each.commitment_id)

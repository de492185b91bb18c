"""What a charge is for: the running of a machine of a certain size, or something else that is billed under it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

HOURS = frozenset({"hour", "hours", "hrs", "hr", "h"})
"""Units of quantities that count hours of one machine. vCPU-Hours, ACU-Hours and LCU-Hours count something else."""

_SIZE = r"(?:db\.)?[a-z][a-z0-9-]*\.(?:nano|micro|small|medium|large|\d*xlarge|metal(?:-\d+xl)?)"
_ANY_SIZE = re.compile(rf"(?<![\w.-])({_SIZE})(?![\w.-])", re.IGNORECASE)
# EU-BoxUsage:m5.large, SpotUsage:c5.xlarge, EU-InstanceUsage:db.r5.large, Multi-AZUsage:db.m5.large; HeavyUsage is what a
# Reserved Instance costs each hour, which is bought and not run.
_USAGE = re.compile(
    rf"(?:^|[-_])(?:BoxUsage|SpotUsage|DedicatedUsage|HostBoxUsage|ReservedHostUsage|InstanceUsage|InstanceUsageIOOptimized|"
    rf"Multi-AZUsage|Multi-AZClusterUsage|MirrorUsage)(?::({_SIZE}))?$",
    re.IGNORECASE,
)
# $0.34 per On Demand Linux c5.2xlarge Instance Hour; USD 0.023 per db.t3.micro Single-AZ instance hour (or partial hour) running
# MySQL; and not: $0.00 for 175 Mbps per t3a.small instance-hour, which is the network of its volumes.
# Of an hour that a Reserved Instance pays for: Linux/UNIX (Amazon VPC), m5.large reserved instance applied.
_TOLD = re.compile(
    r"\binstance[ -]hour|\b(?:on[ -]demand|spot|reserved)\b.*\binstance\b.*\bhour|\breserved instance applied\b", re.IGNORECASE
)
_NOT_TOLD = re.compile(r"\b[mg]bps\b|\bextended support\b|\bcpu credit|\bsoftware\b|\bmarketplace\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meter:
    """What a provider says that a charge is for. Texts are None where it says nothing; ``usage_type`` is AWS's own column
    (``x_UsageType``), ``sku_meter`` and ``sku_details`` (JSON) are those of FOCUS 1.1."""

    unit: str | None
    description: str | None
    usage_type: str | None = None
    sku_meter: str | None = None
    sku_details: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """Whether a charge is for hours of a machine, and of which size (None: the bill does not say)."""

    is_running: bool
    size: str | None = None


NOT_RUNNING = Running(False)


def running(meter: Meter) -> Running:
    """What a usage charge is for. Without hours as its unit it is never the running of a machine."""
    if meter.unit is None or meter.unit.strip().lower() not in HOURS:
        return NOT_RUNNING
    for text in (meter.usage_type, meter.sku_meter):
        if text is None:
            continue
        found = _USAGE.search(text.strip())
        if found:
            return Running(True, _lower(found[1]) or _size(meter))
        if text is meter.usage_type:
            return NOT_RUNNING  # AWS's own column says what it is, and that is something else
    told = meter.description or ""
    if _TOLD.search(told) and not _NOT_TOLD.search(told):
        return Running(True, _size(meter))
    return NOT_RUNNING


def _size(meter: Meter) -> str | None:
    if meter.sku_details:
        try:
            details = json.loads(meter.sku_details)
        except ValueError:
            details = None
        named = details.get("InstanceType") if isinstance(details, dict) else None
        if isinstance(named, str) and _ANY_SIZE.fullmatch(named.strip()):
            return named.strip().lower()
    found = _ANY_SIZE.search(meter.description or "")
    return _lower(found[1]) if found else None


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None

"""Instance types of a region as EC2 describes them, and which of them it offers there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.connections.aws.purposes import TYPES
from dagster_project.domain.sold import InstanceType, size_units

DESCRIBE = read("ec2", "DescribeInstanceTypes", purpose=TYPES, probe={"MaxResults": 5})
OFFERINGS = read("ec2", "DescribeInstanceTypeOfferings", purpose=TYPES, probe={"LocationType": "region", "MaxResults": 5})
READS = (DESCRIBE, OFFERINGS)
PERMISSIONS = permissions(*READS)

_TYPES_PER_PAGE, _OFFERINGS_PER_PAGE = 100, 1000
_NAME = re.compile(r"([a-z][a-z0-9-]*)\.([a-z0-9-]+)")
_ARCHITECTURES = frozenset({"i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"})
_MIB_PER_GIB = 1024
Json = dict[str, Any]


def read_types(connection: Connection, region: str) -> tuple[list[InstanceType], list[str]]:
    """The types of a region by name, and in a sentence each those that are left out. Raises what ``Connection.ask`` does."""
    types: dict[str, InstanceType] = {}
    left_out = []
    for page in connection.pages(DESCRIBE, f"instance types of {region}", MaxResults=_TYPES_PER_PAGE):
        for told in page.get("InstanceTypes", ()):
            problem = _problem(told)
            if problem is None:
                types[told["InstanceType"]] = _instance_type(told)
            else:
                left_out.append(f"{told.get('InstanceType') or 'A type without a name'} in {region} {problem}; it is left out.")
    return [types[name] for name in sorted(types)], sorted(left_out)


def read_offered(connection: Connection, region: str) -> frozenset[str]:
    """The names of the types that can be had in a region. Raises what ``Connection.ask`` does."""
    pages = connection.pages(
        OFFERINGS, f"instance types on offer in {region}", LocationType="region", MaxResults=_OFFERINGS_PER_PAGE
    )
    return frozenset(each["InstanceType"] for page in pages for each in page.get("InstanceTypeOfferings", ()))


def _problem(told: Json) -> str | None:
    """What is wrong with the description of a type, as the middle of a sentence."""
    if not _NAME.fullmatch(told.get("InstanceType", "")):
        return "has a name that no size has"
    if not told.get("VCpuInfo", {}).get("DefaultVCpus", 0) > 0:
        return "has no vCPU"
    if not told.get("MemoryInfo", {}).get("SizeInMiB", 0) > 0:
        return "has no memory"
    architectures = told.get("ProcessorInfo", {}).get("SupportedArchitectures", [])
    if not architectures or not _ARCHITECTURES.issuperset(architectures):
        return f"has the architecture {', '.join(architectures) or 'of nothing'}, which is not known"
    if not told.get("SupportedVirtualizationTypes"):
        return "does not say what it virtualizes"
    # A type that might be burstable or metal must not pass for one that is not.
    unsaid = [name for name in ("BareMetal", "BurstablePerformanceSupported", "CurrentGeneration") if name not in told]
    return f"does not say {', '.join(unsaid)}" if unsaid else None


def _instance_type(told: Json) -> InstanceType:
    name = told["InstanceType"]
    family, size = name.split(".")
    network, ebs = told.get("NetworkInfo", {}), told.get("EbsInfo", {})
    optimized = ebs.get("EbsOptimizedInfo", {})
    return InstanceType(
        instance_type=name,
        family=family,
        size=size,
        size_units=size_units(size),
        vcpu=told["VCpuInfo"]["DefaultVCpus"],
        memory_gib=told["MemoryInfo"]["SizeInMiB"] / _MIB_PER_GIB,
        arch=",".join(told["ProcessorInfo"]["SupportedArchitectures"]),
        cpu_manufacturer=told["ProcessorInfo"].get("Manufacturer"),
        network_baseline_gbps=_sum(network.get("NetworkCards", ()), "BaselineBandwidthInGbps"),
        network_peak_gbps=_sum(network.get("NetworkCards", ()), "PeakBandwidthInGbps"),
        max_enis=network.get("MaximumNetworkInterfaces"),
        ebs_baseline_mbps=_above_zero(optimized, "BaselineBandwidthInMbps"),
        ebs_max_mbps=_above_zero(optimized, "MaximumBandwidthInMbps"),
        ebs_baseline_iops=_above_zero(optimized, "BaselineIops"),
        ebs_max_iops=_above_zero(optimized, "MaximumIops"),
        ebs_max_attachments=ebs.get("MaximumEbsAttachments"),
        nvme_support=ebs.get("NvmeSupport"),
        ena_support=network.get("EnaSupport"),
        instance_storage_gb=told.get("InstanceStorageInfo", {}).get("TotalSizeInGB"),
        burstable=told["BurstablePerformanceSupported"],
        current_generation=told["CurrentGeneration"],
        bare_metal=told["BareMetal"],
        hypervisor=told.get("Hypervisor"),
        # Of a fraction of one AWS counts none.
        gpus=sum(each.get("Count", 0) for each in told.get("GpuInfo", {}).get("Gpus", ())) or None,
        virtualization=",".join(told["SupportedVirtualizationTypes"]),
    )


def _sum(cards: Sequence[Json], name: str) -> float | None:
    """What all network cards have together; None where one does not say it."""
    values = [each.get(name) for each in cards]
    known = [value for value in values if value is not None and value > 0]
    return float(sum(known)) if known and len(known) == len(values) else None


def _above_zero(told: Json, name: str) -> int | None:
    value = told.get(name)
    return value if value is not None and value > 0 else None

"""The utilization metrics: their name in the lake, their column in the contract, and how they are binned."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.domain.layouts import COUNTS, PERCENT, VOLUME, Layout


@dataclass(frozen=True)
class Metric:
    """One measured quantity of a five-minute sample.

    ``name`` is its column in ``utilization_samples`` and its value in the ``metric`` columns; ``contract_column`` is the
    column of the decision engine's table ``utilization``.
    """

    name: str
    contract_column: str
    layout: Layout
    label: str

    @property
    def is_volume(self) -> bool:
        """Whether it is a sum over the interval, which a shorter interval has less of."""
        return self.name.startswith(("net_", "disk_"))


METRICS: tuple[Metric, ...] = (
    Metric("cpu_avg_pct", "cpu_avg", PERCENT, "CPU, average"),
    Metric("cpu_max_pct", "cpu_max", PERCENT, "CPU, highest in the interval"),
    Metric("mem_avg_pct", "mem_avg", PERCENT, "Memory, average"),
    Metric("mem_max_pct", "mem_max", PERCENT, "Memory, highest in the interval"),
    Metric("net_in_bytes", "net_in_bytes", VOLUME, "Network in"),
    Metric("net_out_bytes", "net_out_bytes", VOLUME, "Network out"),
    Metric("disk_read_bytes", "disk_read_bytes", VOLUME, "Disk read"),
    Metric("disk_write_bytes", "disk_write_bytes", VOLUME, "Disk write"),
    Metric("disk_read_ops", "disk_read_ops", COUNTS, "Disk read operations"),
    Metric("disk_write_ops", "disk_write_ops", COUNTS, "Disk write operations"),
    Metric("cpu_credit_balance", "cpu_credit_balance", COUNTS, "CPU credit balance"),
    Metric("in_service", "in_service", COUNTS, "Members in service"),
)

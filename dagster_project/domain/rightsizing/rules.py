"""The thresholds of a verdict: what a smaller size must hold, and what its savings must be worth."""

from __future__ import annotations

from dataclasses import dataclass

TARGETS = ("cheapest", "family", "one-step")


@dataclass(frozen=True)
class Rules:
    """Thresholds, each with its unit in its name. ``docs/rightsizing.md`` gives the reason and the measurement of each."""

    target: str = "cheapest"
    min_history_hours: float = 30
    min_coverage_pct: float = 90
    min_recent_coverage_pct: float = 75
    max_cpu_p995_pct: float = 80
    max_cpu_peak_pct: float = 100
    max_single_vcpu_peak_pct: float = 90
    max_memory_peak_pct: float = 90
    saturated_cpu_pct: float = 95
    change_veto_days: float = 7
    emergency_veto_days: float = 28
    idle_peak_pct: float = 10
    idle_pool_members: int = 5
    never_used_peak_pct: float = 5
    never_used_pool_members: int = 3
    idle_floor_pct: float = 50
    idle_floor_vcpu: float = 2
    min_slo_budget_left_pct: float = 10
    min_savings_usd_month: float = 5
    incident_cost_usd: float = 0
    restart_cost_usd: float = 0
    hysteresis_pct: float = 0

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"target is {self.target!r}, and one of {', '.join(TARGETS)} is needed")

"""A synthetic fleet of any size, as arrays: days that look like days, not like noise.

Each resource has a floor, a peak, an hour and a width of its own; weekends are quieter, a tenth runs a nightly backup,
and noise is multiplicative. One resource in ten is a group: it has members in service, and a credit balance.
Everything follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERCENTAGES = ("cpu_avg_pct", "cpu_max_pct", "mem_avg_pct", "mem_max_pct")
SERVICES = 200
_SPECIAL = 10  # one in so many resources has credits and members
_TYPES = ("m5.xlarge", "m5.2xlarge", "m6i.2xlarge", "c5.2xlarge", "c6i.xlarge", "r5.xlarge", "m7g.xlarge")
_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2")


@dataclass(frozen=True)
class SyntheticFleet:
    """``resources`` resources, numbered in the order of their ids."""

    resources: int
    seed: int = 7

    @property
    def ids(self) -> list[str]:
        """EC2-like ids of 19 characters, ascending."""
        return [f"i-{number:05x}{number * 0x9E3779B97F4A7C15 % 2**48:012x}" for number in range(self.resources)]

    def is_special(self) -> NDArray[np.bool_]:
        """Resources with a credit balance and members in service."""
        return np.arange(self.resources) % _SPECIAL == 0

    def inventory(self) -> pl.DataFrame:
        """The columns of ``resource_inventory`` that verdicts read; the others are absent."""
        number = np.arange(self.resources)
        kinds = np.where(self.is_special(), "autoscaling_group", "ec2_instance")
        return pl.DataFrame(
            {
                "resource_id": self.ids,
                "resource_type": kinds,
                "instance_type": np.array(_TYPES)[number // _SPECIAL % len(_TYPES)],
                "region": np.array(_REGIONS)[number % len(_REGIONS)],
                "units": np.where(self.is_special(), 4, 1),
                "service": [f"service-{value:03}" for value in number % SERVICES],
                "team": [f"team-{value:02}" for value in number % 25],
                "environment": np.array(["prod", "prod", "staging", "dev"])[number % 4],
                "tags": "{}",
                "config": "{}",
            }
        )

    def values(self, day: date, minutes: Floats, part: slice) -> dict[str, Floats]:
        """Metrics of the resources in ``part`` at ``minutes`` of a day, each (resources, minutes); NaN = not measured.

        Percentages have two decimals; bytes, operations and members are whole.
        """
        own = np.random.default_rng([self.seed, 0]).random((8, self.resources))[:, part, None]
        rng = np.random.default_rng([self.seed, day.toordinal(), part.start or 0, int(minutes[0])])
        shape = (own.shape[1], len(minutes))
        hour = minutes / 60
        weekday = 1.0 if day.weekday() < 5 else 0.3 + 0.6 * own[5]
        floor, top = 1.5 + 10 * own[0] ** 2, 5 + 75 * own[1] ** 2.5
        cpu = floor + top * weekday * np.exp(-0.5 * ((hour - 11 - 6 * own[2]) / (2 + 3 * own[3])) ** 2)
        cpu = cpu + np.where(own[4] < 0.1, 25.0, 0.0) * ((hour >= 1) & (hour < 2))
        cpu = np.minimum(cpu * np.exp(0.15 * rng.standard_normal(shape)), 98.0)
        cpu_max = np.minimum(cpu * (1.1 + 0.15 * np.abs(rng.standard_normal(shape))) + 0.3, 100.0)
        memory = np.minimum(15 + 60 * own[6] + 0.2 * cpu + 0.8 * rng.standard_normal(shape), 97.0)
        sent = 4e6 * (0.5 + 8 * own[7]) * cpu * np.exp(0.2 * rng.standard_normal(shape))
        operations = (900 + 120 * cpu) * (0.8 + 0.4 * rng.random(shape))
        special = self.is_special()[part, None]
        return {
            "cpu_avg_pct": cpu.round(2),
            "cpu_max_pct": cpu_max.round(2),
            "mem_avg_pct": memory.round(2),
            "mem_max_pct": (memory + 0.5).round(2),
            "net_in_bytes": (0.4 * sent).round(),
            "net_out_bytes": sent.round(),
            "disk_read_bytes": (operations * 5734).round(),
            "disk_write_bytes": (operations * 7987).round(),
            "disk_read_ops": (operations * 0.35).round(),
            "disk_write_ops": (operations * 0.65).round(),
            "cpu_credit_balance": np.where(special, (576 - 3 * cpu).clip(0).round(2), np.nan),
            "in_service": np.where(special, np.round(2 + cpu / 20), np.nan),
        }


def times(day: date, minutes: Floats) -> NDArray[np.datetime64]:
    """Moments of a day in microseconds; ``minutes`` may have halves."""
    return np.datetime64(day, "us") + (minutes * 60_000_000).astype("timedelta64[us]")


def decisions(day: date, count: int, ids: list[str], seed: int = 7) -> pl.DataFrame:
    """A day of decisions: one in twenty is a scale-up that happened, the others are routine or did not succeed."""
    rng = np.random.default_rng([seed, day.toordinal()])
    start = datetime.combine(day, time())
    is_emergency = np.arange(count) % 20 == 0
    actions = np.array(["scale_down", "notify", "no_action"])[rng.integers(0, 3, count)]
    outcomes = np.array(["succeeded", "skipped", "failed"])[rng.integers(0, 3, count)]
    return pl.DataFrame(
        {
            "decision_id": [f"{day:%Y%m%d}-{number:06}" for number in range(count)],
            "decision_at": [start + timedelta(seconds=float(second)) for second in np.sort(rng.random(count)) * 86_399],
            "target": [ids[number] for number in rng.integers(0, len(ids), count)],
            "action_type": np.where(is_emergency, "scale_up", actions),
            "policy_id": "pol-cpu-emergency",
            "outcome": np.where(is_emergency, "succeeded", outcomes),
            "is_dry_run": False,
        }
    )

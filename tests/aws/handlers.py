"""The modules that answer requests: each registers its handlers when it is imported. A new one is added here, by name."""

from __future__ import annotations

import importlib

MODULES = (
    "commitments",
    "databases",
    "groups",
    "history",
    "instance_types",
    "machines",
    "metric_data",
    "metrics",
    "opinions",
    "planned",
    "pricing",
    "refreshes",
    "regions",
    "sessions",
    "templates",
    "volumes",
)


def load() -> None:
    """Imports all of them."""
    for name in MODULES:
        importlib.import_module(f"tests.aws.{name}")

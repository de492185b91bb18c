"""What ``nightshift doctor`` says of billing files: whether they are there, and can be read."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.pipeline.billing import readable_bills
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.words import counted


def bills(runtime: Runtime) -> Iterator[tuple[str, bool, str]]:
    """Subject, whether it is fine, and a sentence: one for all files that can be read, and one for each that cannot; none where
    no file is named."""
    patterns = runtime.settings.billing.focus
    if not patterns:
        return
    fine, problems = readable_bills(patterns)
    if fine:
        yield "bills", True, f"{counted(len(fine), 'FOCUS file')} up to {fine[-1].name}"
    for problem in problems:
        yield "bills", False, problem

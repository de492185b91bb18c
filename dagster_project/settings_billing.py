"""Settings of billing files in the FOCUS format: where they are, and how they are compared."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from dagster_project.settings_acting import Section


class BillingSettings(Section):
    """Bills in the FOCUS format (1.0 to 1.2), beside which our prices are put. docs/billing.md tells what becomes of them."""

    focus: tuple[str, ...] = Field(
        (),
        description="Local FOCUS exports, files or patterns such as exports/**/*.csv.gz: .csv, .csv.gz, .parquet. None: no bill.",
    )
    window_days: int = Field(
        28, ge=1, le=92, description="Days of charges that are compared, the last of them the night's own (days)."
    )
    tolerance_pct: float = Field(2, ge=0, le=50, description="Difference up to which two prices agree (percent of the larger).")

    @field_validator("focus")
    @classmethod
    def _are_named(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if any(not pattern.strip() for pattern in patterns):
            raise ValueError("each entry must name a file or a pattern")
        return patterns

    def absolute(self) -> BillingSettings:
        """The same with patterns that hold from any folder: those given are relative to the one that the command runs in."""
        return self.model_copy(update={"focus": tuple(str(Path(each).expanduser().absolute()) for each in self.focus)})

"""One settings model, with unit, bounds, default and description for every field.

Values come from the defaults, then the TOML file that ``NIGHTSHIFT_CONFIG`` names, then the environment.
``docs/settings.md`` is generated from this model.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from dagster_project.errors import SettingsError

ENVIRONMENT = {
    "NIGHTSHIFT_HOME": "home",
    "NIGHTSHIFT_REPORTS": "reports",
    "NIGHTSHIFT_DSN": "dsn",
    "NIGHTSHIFT_STATE_DSN": "state_dsn",
}

Percent = Annotated[float, Field(gt=0, le=100)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSettings(_Section):
    """How the decision engine's database is read."""

    schema_name: str = Field("public", description="Schema that holds the contract tables.")
    tables: dict[str, str] = Field(
        default_factory=dict,
        description="Contract table → its name in your database, where it differs; of an optional table, an empty name = none.",
    )
    columns: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Contract table → contract column → its name in your database."
    )
    connect_timeout_seconds: float = Field(10, ge=1, le=120, description="Time allowed for opening a connection.")
    statement_timeout_seconds: float = Field(1800, ge=1, le=86400, description="Time allowed for one extract.")
    connect_attempts: int = Field(3, ge=1, le=10, description="Attempts to connect before the run gives up.")
    late_days: int = Field(
        2, ge=0, le=28, description="Days before the night's own whose samples are counted again, and read again where more came."
    )
    spill_buckets: int = Field(
        64, ge=1, le=512, description="Files that a day is spread over while it is sorted; more = less memory."
    )
    max_utilization_pct: float = Field(
        1000,
        ge=100,
        le=100000,
        description="CPU and memory readings above this percentage are rejected as impossible.",
    )


class RightsizingSettings(_Section):
    """What a smaller size must hold, and what vetoes it. docs/rightsizing.md gives the reason and measurement of each."""

    target: Literal["one-step", "family", "cheapest"] = Field(
        "one-step",
        description="How far one proposal may go: the next smaller size of the family, the smallest of the family that holds, "
        "or the cheapest size of any general-purpose family that holds.",
    )
    lookback_days: int = Field(28, ge=7, le=90, description="Days of history that guard a verdict, beside the last seven.")
    memory_record_days: int = Field(
        90, ge=7, le=400, description="Days over which the highest memory is remembered; it must fit whatever the look-back says."
    )
    min_history_hours: float = Field(30, ge=1, le=168, description="Hours of samples without which there is no verdict.")
    min_coverage_pct: Percent = Field(
        90, description="Share of the samples that must be there, of the look-back since its first sample."
    )
    min_recent_coverage_pct: Percent = Field(75, description="Share of the last seven days' samples that must be there.")
    max_cpu_p995_pct: Percent = Field(80, description="CPU P99.5 allowed on the smaller size (percent of it).")
    max_cpu_peak_pct: Percent = Field(100, description="Highest CPU sample of the look-back allowed on the smaller size.")
    max_single_vcpu_peak_pct: Percent = Field(
        90, description="The same for a size with one vCPU, which has none left when one thread is busy."
    )
    max_memory_peak_pct: Percent = Field(90, description="Highest memory sample of the look-back allowed on it.")
    emergency_veto_days: int = Field(
        28, ge=1, le=90, description="An emergency scale-up within so many days vetoes a smaller size."
    )
    saturated_cpu_pct: Percent = Field(
        95, description="CPU peak of the present size from which on a machine counts as saturated: what it needs is not known."
    )
    change_veto_days: int = Field(7, ge=1, le=90, description="A change of size within so many days vetoes another.")
    idle_peak_pct: float = Field(
        10, ge=0, le=100, description="CPU peak under which machines of one service and size count as an idle pool."
    )
    idle_pool_members: int = Field(5, ge=2, le=10000, description="So many of them make a pool.")
    never_used_peak_pct: float = Field(5, ge=0, le=100, description="The same for machines of one size, whatever their service.")
    never_used_pool_members: int = Field(3, ge=2, le=10000, description="So many of them make a pool.")
    idle_floor_pct: Percent = Field(50, description="Share of its present size that a machine in an idle pool keeps.")
    min_slo_budget_left_pct: float = Field(
        10, ge=0, le=100, description="Error budget that a service must have left for its resources to be touched."
    )
    min_savings_usd_month: float = Field(5, ge=0, le=100000, description="Smaller savings are not proposed (USD a month).")
    incident_cost_usd: float = Field(
        25, ge=0, le=10_000_000, description="What a week in which demand exceeds the smaller size costs on average (USD)."
    )
    restart_cost_usd: float = Field(12, ge=0, le=1_000_000, description="What the restart for a change costs (USD, once).")
    hysteresis_pct: float = Field(
        5, ge=0, le=50, description="Margin by which a size smaller than last night's must hold, so that noise flips nothing."
    )
    max_service_share_pct: Percent = Field(50, description="Share of a service's resources that may be proposed in one night.")
    min_service_changes: int = Field(3, ge=1, le=1000, description="So many of a service may be proposed whatever its share.")
    forecast: bool = Field(
        True, description="Forecast the peaks of resources on their way up (needs the extra 'forecast'; says so without it)."
    )
    kill_switch: bool = Field(False, description="While true nothing is proposed at all.")
    excluded_tags: tuple[str, ...] = Field(
        ("nightshift:exclude",),
        description="A resource with one of these tags is never proposed, unless the tag's value is 'false'.",
    )


class RetentionSettings(_Section):
    """What ``nightshift prune`` keeps, in days back from the newest partition."""

    samples_days: int = Field(35, ge=28, le=3650, description="Days of raw samples (utilization_samples).")
    tables_days: int = Field(400, ge=35, le=3650, description="Days of every other lake table.")
    reports_days: int = Field(400, ge=1, le=3650, description="Days of reports; not more than tables_days.")

    @model_validator(mode="after")
    def _reports_have_their_tables(self) -> RetentionSettings:
        # Whose report it is, is known by the verdicts of its day.
        if self.reports_days > self.tables_days:
            raise ValueError("reports_days must not be more than tables_days")
        return self


class ReportSettings(_Section):
    """What the morning report shows."""

    top_proposals: int = Field(20, ge=1, le=200, description="Proposals shown with their seven-day chart.")


class Settings(_Section):
    """Everything that a run can be told."""

    home: Path = Field(
        Path(".nightshift"),
        description="Folder for what runs need: embedded PostgreSQL, Dagster home, warehouse, outbox. NIGHTSHIFT_HOME.",
    )
    reports: Path = Field(Path("reports"), description="Folder for the reports. NIGHTSHIFT_REPORTS.")
    dsn: SecretStr | None = Field(
        None,
        description="The decision engine's PostgreSQL (14 or newer); without it an embedded one is used. NIGHTSHIFT_DSN.",
    )
    state_dsn: SecretStr | None = Field(
        None, description="PostgreSQL for Nightshift's own tables; default: the same as dsn. NIGHTSHIFT_STATE_DSN."
    )
    first_day: date = Field(date(2013, 1, 1), description="First day that can be worked on or back-filled.")
    source: SourceSettings = Field(default_factory=SourceSettings, description=SourceSettings.__doc__)
    rightsizing: RightsizingSettings = Field(default_factory=RightsizingSettings, description=RightsizingSettings.__doc__)
    retention: RetentionSettings = Field(default_factory=RetentionSettings, description=RetentionSettings.__doc__)
    report: ReportSettings = Field(default_factory=ReportSettings, description=ReportSettings.__doc__)

    @property
    def warehouse(self) -> Path:
        """Root of the lake's Parquet partitions."""
        return self.home / "warehouse"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder."""
        return self.home / "dagster"

    @property
    def embedded_postgres(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.home / "postgres"


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process.

    Raises ``SettingsError`` with every field that does not fit; a secret's value is never in the message.
    """
    values: dict[str, Any] = {}
    config = environ.get("NIGHTSHIFT_CONFIG")
    if config:
        values = _read_toml(Path(config))
    for variable, field in ENVIRONMENT.items():
        if environ.get(variable):
            values[field] = environ[variable]
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error, config)) from None
    # Absolute from here on: Dagster's daemon and UI run code from folders of their own.
    return settings.model_copy(
        update={"home": settings.home.expanduser().absolute(), "reports": settings.reports.expanduser().absolute()}
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} that NIGHTSHIFT_CONFIG names cannot be read ({error.strerror}); "
            "create it or unset the variable."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not valid TOML ({error}); mend that line.") from None


def _explain(error: ValidationError, config: str | None) -> str:
    where = f"the settings file {config} or the environment" if config else "the environment"
    problems = "; ".join(
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].lower()}" for item in error.errors(include_input=False)
    )
    return f"Settings from {where} do not fit ({problems}); docs/settings.md lists every field with its bounds."

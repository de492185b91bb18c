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
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator

from dagster_project.errors import SettingsError
from dagster_project.settings_acting import PUBLISHED, ApplySettings, ApprovalSettings, Percent, Section, SlackSettings
from dagster_project.settings_action_items import ActionItemSettings
from dagster_project.settings_aws import AwsSettings
from dagster_project.settings_billing import BillingSettings
from dagster_project.settings_incidents import IncidentSettings
from dagster_project.settings_prices import PriceSettings

ENVIRONMENT = {
    "NIGHTSHIFT_HOME": "home",
    "NIGHTSHIFT_REPORTS": "reports",
    "NIGHTSHIFT_DSN": "dsn",
    "NIGHTSHIFT_STATE_DSN": "state_dsn",
    "NIGHTSHIFT_GITHUB_TOKEN": "github.token",
    "NIGHTSHIFT_GITHUB_APP_KEY": "github.app_key",
    "NIGHTSHIFT_KILL_SWITCH": "proposals.kill_switch",
    "NIGHTSHIFT_SLACK_TOKEN": "slack.token",
    "NIGHTSHIFT_SLACK_APP_TOKEN": "slack.app_token",
    "NIGHTSHIFT_SLACK_SIGNING_SECRET": "slack.signing_secret",
}

Mode = Literal["report_only", "propose", "apply"]


class SourceSettings(Section):
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


class RightsizingSettings(Section):
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
    min_headroom_pct: float = Field(
        0, ge=0, le=200, description="Percent by which the demand of every service counts for more than it was. docs/outcomes.md."
    )
    max_headroom_pct: float = Field(
        50, ge=0, le=200, description="The most that a service's headroom may grow to after regrets (percent of its demand)."
    )
    headroom_step_pct: float = Field(
        20, ge=0, le=100, description="What a regret adds to the headroom of its service (percentage points)."
    )
    headroom_release_pct: float = Field(
        5,
        ge=0,
        le=100,
        description="What a change that was fine for 28 days takes off it, unless the service had a regret in that time "
        "(percentage points).",
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

    @model_validator(mode="after")
    def _headroom_has_room(self) -> RightsizingSettings:
        if self.min_headroom_pct > self.max_headroom_pct:
            raise ValueError("min_headroom_pct must not be more than max_headroom_pct")
        return self


class RetentionSettings(Section):
    """What ``nightshift prune`` keeps, in days back from the newest partition."""

    samples_days: int = Field(35, ge=28, le=3650, description="Days of raw samples (utilization_samples, aws_samples).")
    tables_days: int = Field(400, ge=35, le=3650, description="Days of every other lake table.")
    evidence_days: int = Field(
        1100, ge=35, le=3650, description="Days of captured evidence of incidents, which no source gives a second time."
    )
    reports_days: int = Field(400, ge=1, le=3650, description="Days of reports; not more than tables_days.")

    outbox_days: int = Field(35, ge=1, le=3650, description="Days of what was put into the outbox.")

    @model_validator(mode="after")
    def _reports_have_their_tables(self) -> RetentionSettings:
        # Whose report it is, is known by the verdicts of its day.
        if self.reports_days > self.tables_days:
            raise ValueError("reports_days must not be more than tables_days")
        return self


class ModeRule(Section):
    """What may be done to the resources of a service or an environment. A field that is left out matches all."""

    mode: Mode = Field(description="report_only, propose or apply.")
    service: str | None = Field(None, description="Service that the rule is for.")
    environment: str | None = Field(None, description="Environment that the rule is for.")


class ProposalSettings(Section):
    """What becomes of a verdict that says propose. docs/proposals.md tells how a proposal lives."""

    mode: Mode = Field(
        "report_only",
        description="report_only: nothing is opened; propose: pull requests are; apply: approved changes may be made too.",
    )
    modes: tuple[ModeRule, ...] = Field(
        (), description="Exceptions by service and environment, in order; the first that matches a resource counts."
    )
    kill_switch: bool = Field(
        False,
        description="While true nothing outside is written, whatever the modes say. NIGHTSHIFT_KILL_SWITCH. "
        "A file kill_switch in the home does the same, at once.",
    )
    max_items: int = Field(5, ge=1, le=20, description="Edited lines in one pull request.")
    max_open: int = Field(10, ge=0, le=200, description="Open pull requests of one repository.")
    max_new_per_night: int = Field(3, ge=0, le=200, description="Pull requests that one night opens in one repository.")
    rejection_days: int = Field(
        180,
        ge=1,
        le=3650,
        description="Days for which a rejected resource is not proposed, whatever its numbers say; "
        "afterwards only if its evidence has changed.",
    )
    stale_evidence_days: int = Field(
        2, ge=0, le=28, description="Days for which an open pull request may be without enough evidence before it is closed."
    )
    not_applied_days: int = Field(
        7, ge=1, le=365, description="Days after a merge from which on a change that is not live is listed as not applied."
    )


class GithubSettings(Section):
    """How GitHub is reached: with a token, or as a GitHub App. Without either, pull requests go to the outbox."""

    base_url: str = Field(
        "https://api.github.com",
        pattern=r"^https?://[^\s@]+$",
        description="API of GitHub, or of GitHub Enterprise (https://HOST/api/v3).",
    )
    token: SecretStr | None = Field(
        None, description="Personal access token (contents, issues, pull requests: write). NIGHTSHIFT_GITHUB_TOKEN."
    )
    app_id: int | None = Field(None, ge=1, le=10**12, description="Number of the GitHub App.")
    app_key: SecretStr | None = Field(None, description="The App's private key, as PEM. NIGHTSHIFT_GITHUB_APP_KEY.")
    app_key_file: Path | None = Field(None, description="File with the App's private key, instead of app_key.")
    timeout_seconds: int = Field(30, ge=1, le=300, description="Time allowed for one answer.")
    attempts: int = Field(3, ge=1, le=10, description="Attempts for one request.")
    longest_wait_seconds: float = Field(
        120,
        ge=0,
        le=3600,
        description="Longest wait that a limit may ask for; with a longer one the rest waits for the next night.",
    )
    seconds_between_writes: float = Field(1, ge=1, le=60, description="Pause between two writes.")
    max_writes_per_minute: int = Field(60, ge=1, le=80, description="Writes in any minute.")
    max_writes_per_night: int = Field(450, ge=1, le=500, description="Writes of one night; GitHub takes 500 an hour.")

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> GithubSettings:
        has_key = self.app_key is not None or self.app_key_file is not None
        if has_key != (self.app_id is not None):
            raise ValueError("a GitHub App needs both app_id and its key (app_key or app_key_file)")
        if self.token is not None and self.app_id is not None:
            raise ValueError("set either token or app_id, not both")
        return self

    @model_validator(mode="after")
    def _token_is_not_sent_in_the_clear(self) -> GithubSettings:
        if self.base_url.startswith("http:") and urlsplit(self.base_url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("base_url must begin with https:// (a token is sent to it)")
        return self

    @property
    def has_credentials(self) -> bool:
        """Whether GitHub may be asked at all."""
        return self.token is not None or self.app_id is not None


class RootSettings(Section):
    """One root module of a repository, with the state that says which resources are its own."""

    path: str = Field(description="Folder of the root module, or of the Terragrunt unit, in the repository.")
    state: str = Field(
        description="Its Terraform state: a file ('terraform state pull' or 'terraform show -json'), or s3://bucket/key."
    )
    workspace: str | None = Field(None, description="Value of terraform.workspace; without it, unknown.")
    var_files: tuple[str, ...] = Field((), description="Variable files as given to terraform, in the same order.")


class RepositorySettings(Section):
    """A repository of infrastructure code."""

    name: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name.")
    base: str | None = Field(None, description="Branch that pull requests are against; default: the repository's own default.")
    checkout: Path | None = Field(
        None, description="A checkout of that branch on this machine; without it, the head of the branch is fetched from GitHub."
    )
    roots: tuple[RootSettings, ...] = Field(min_length=1, description="Its root modules.")
    labels: tuple[str, ...] = Field(
        ("nightshift",), max_length=50, description="Labels of its pull requests and dashboard issue."
    )
    reviewers: bool = Field(True, description="Ask the code owners of the edited files for a review.")
    has_dashboard: bool = Field(True, description="Keep one issue that lists what is open, rejected, or cannot be edited.")


class ReportSettings(Section):
    """What the morning report shows."""

    top_proposals: int = Field(20, ge=1, le=200, description="Proposals shown with their seven-day chart.")
    max_resource_pages: int = Field(
        5000,
        ge=0,
        le=200_000,
        description="Resources that get a page of their own in a night, those worth most first; the others are in savings.csv.",
    )
    url: str | None = Field(
        None,
        pattern=PUBLISHED,
        description="Where the folder of reports is published, for links to it in pull requests, Slack and the Dagster UI.",
    )


class Settings(Section):
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
    prices: PriceSettings = Field(default_factory=PriceSettings, description=PriceSettings.__doc__)
    billing: BillingSettings = Field(default_factory=BillingSettings, description=BillingSettings.__doc__)
    retention: RetentionSettings = Field(default_factory=RetentionSettings, description=RetentionSettings.__doc__)
    incidents: IncidentSettings = Field(default_factory=IncidentSettings, description=IncidentSettings.__doc__)
    actions: ActionItemSettings = Field(default_factory=ActionItemSettings, description=ActionItemSettings.__doc__)
    report: ReportSettings = Field(default_factory=ReportSettings, description=ReportSettings.__doc__)
    proposals: ProposalSettings = Field(default_factory=ProposalSettings, description=ProposalSettings.__doc__)
    approvals: ApprovalSettings = Field(default_factory=ApprovalSettings, description=ApprovalSettings.__doc__)
    apply: ApplySettings = Field(default_factory=ApplySettings, description=ApplySettings.__doc__)
    slack: SlackSettings = Field(default_factory=SlackSettings, description=SlackSettings.__doc__)
    aws: AwsSettings = Field(default_factory=AwsSettings, description=AwsSettings.__doc__)
    github: GithubSettings = Field(default_factory=GithubSettings, description=GithubSettings.__doc__)
    repositories: tuple[RepositorySettings, ...] = Field((), description="Repositories of infrastructure code.")

    @model_validator(mode="after")
    def _repositories_are_named_once(self) -> Settings:
        names = [each.name.lower() for each in self.repositories]
        if len(set(names)) < len(names):
            raise ValueError("each repository may be listed once, with all of its roots")
        return self

    @property
    def report_url(self) -> str | None:
        """Where the folder of reports is published; None where nobody said."""
        return self.report.url or self.slack.report_url

    @property
    def is_stopped(self) -> bool:
        """Whether a kill switch is on: in the settings, or a file ``kill_switch`` in the home, which also stops a night that
        runs."""
        return self.proposals.kill_switch or self.rightsizing.kill_switch or (self.home / "kill_switch").exists()

    @property
    def outbox(self) -> Path:
        """What would have been sent, where it was not allowed or possible to send it."""
        return self.home / "outbox"

    @property
    def snapshots(self) -> Path:
        """Fetched heads of the repositories."""
        return self.home / "repositories"

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
            section, _, name = field.rpartition(".")
            target = values.setdefault(section, {}) if section else values
            if isinstance(target, dict):  # what else it may be is refused below
                target[name] = environ[variable]
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error, config)) from None
    # Absolute from here on: Dagster's daemon and UI run code from folders of their own.
    return settings.model_copy(
        update={
            "home": settings.home.expanduser().absolute(),
            "reports": settings.reports.expanduser().absolute(),
            "billing": settings.billing.absolute(),
        }
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

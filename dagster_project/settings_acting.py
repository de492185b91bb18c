"""Settings of what changes the outside world after an approval: who approves, when and how far it is applied, Slack.

``Section`` is what every section of the settings is made of.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Percent = Annotated[float, Field(gt=0, le=100)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PUBLISHED = r"^https?://[^\s/@?#<>|()\"'`\\]+(?:/[^\s/?#<>|()\"'`\\]+)*$"
"""An address below which pages lie: others are appended to it, and it is sent to GitHub and Slack. It has no query, no user or
password, no slash at its end, and nothing that ends a link of either."""
_EMAIL = r"^[^@\s]+@[^@\s]+$"
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class Section(BaseModel):
    """One section: frozen, and without names that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Approver(Section):
    """Somebody who may approve. The e-mail address is who they are, wherever they answer from."""

    email: str = Field(pattern=_EMAIL, description="E-mail address; of two approvals it tells whether two people gave them.")
    slack: str | None = Field(
        None, pattern=r"^[UW][A-Z0-9]{2,}$", description="Slack user id; without it, by the address in their Slack profile."
    )
    github: str | None = Field(None, description="Login on GitHub; without it they cannot answer there.")
    login: str | None = Field(None, description="User of the machine that 'nightshift proposals approve' runs on.")


class ApprovalSettings(Section):
    """Who is asked before a change that no pull request makes, and how long an answer holds."""

    approvers: tuple[Approver, ...] = Field((), description="People who may approve.")
    slack_group: str | None = Field(
        None, pattern=r"^S[A-Z0-9]{2,}$", description="Slack user group whose members may approve too; looked up at every click."
    )
    low: int = Field(1, ge=1, le=10, description="People who must approve a change of low risk.")
    medium: int = Field(1, ge=1, le=10, description="The same for medium risk.")
    high: int = Field(2, ge=1, le=10, description="The same for high risk.")
    high_risk_beyond_slack: bool = Field(
        True, description="One approval of high risk must come from GitHub or the command line: a Slack session outlives MFA."
    )
    answer_hours: float = Field(72, ge=1, le=720, description="Hours after which a request that nobody answered expires.")
    valid_hours: float = Field(168, ge=1, le=720, description="Hours for which an approval may wait to be applied.")
    teams: tuple[str, ...] = Field(
        (),
        description="Teams that are asked in Slack even where code sets the size. The code must then be changed by hand, or "
        "the next apply of it takes the change back.",
    )
    repository: str | None = Field(
        None,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="owner/name of a repository in which each request is a pull request too, so that a review answers it; "
        "nothing is ever merged there.",
    )
    max_changes: int = Field(5, ge=1, le=20, description="Resources in one request.")
    max_open: int = Field(10, ge=0, le=200, description="Requests that wait at a time.")
    max_new_per_night: int = Field(5, ge=0, le=200, description="Requests that one night opens.")

    @model_validator(mode="after")
    def _approvers_are_told_apart(self) -> ApprovalSettings:
        for name in ("email", "slack", "github", "login"):
            values = [value.lower() for each in self.approvers if (value := getattr(each, name)) is not None]
            if len(set(values)) < len(values):
                raise ValueError(f"two approvers have the same {name}")
        # A member of the group is known by their profile's address: listed under another one they would be two people.
        if self.slack_group is not None and any(each.slack is None for each in self.approvers):
            raise ValueError("with slack_group, every approver needs their slack id")
        return self


class MaintenanceWindow(Section):
    """Hours in which approved changes may be made. Without any window for a service and environment nothing is changed there."""

    begins: time = Field(description="First minute, on the wall clock of the zone.")
    ends: time = Field(description="First minute that is no longer in it; not after begins = of the next day.")
    days: tuple[Weekday, ...] = Field(
        ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1, description="Days on which it begins."
    )
    zone: str = Field("UTC", description="Time zone, such as Europe/Berlin.")
    service: str | None = Field(None, description="Service that it is for; default: all.")
    environment: str | None = Field(None, description="Environment that it is for; default: all.")

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{name} is no time zone; write one such as Europe/Berlin") from None
        return name

    @field_validator("begins", "ends")
    @classmethod
    def _has_no_zone(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("name the zone in 'zone', not in the time")
        return value


class ApplySettings(Section):
    """How far approved changes are made at a time. docs/approvals.md tells each gate."""

    windows: tuple[MaintenanceWindow, ...] = Field((), description="Maintenance windows; none = nothing is ever applied.")
    max_fleet_share_pct: Percent = Field(
        20, description="Share of a service's members in one environment that is touched within five minutes (one at least)."
    )
    max_service_share_pct: Percent = Field(50, description="Share of a service's resources that is changed within 24 hours.")
    min_service_changes: int = Field(3, ge=1, le=1000, description="So many of a service may be, whatever its share.")
    max_executions_per_night: int = Field(10, ge=0, le=500, description="Changes within 24 hours, of all services.")
    max_attempts: int = Field(2, ge=1, le=10, description="Times within a week that a change is tried which does not succeed.")
    cooldown_hours: float = Field(72, ge=0, le=2160, description="Hours after a change of a resource before the next.")
    rollout: tuple[tuple[str, ...], ...] = Field(
        (("dev", "development", "sandbox"), ("test", "qa"), ("staging", "stage", "preview")),
        description="Environments in the order in which a service is changed there; those that are not listed come last.",
    )
    soak_hours: float = Field(24, ge=0, le=720, description="Hours that a change must have lived in an earlier environment.")
    max_evidence_age_hours: float = Field(
        36, ge=24, le=168, description="Hours since the end of the day whose verdict an apply stands on."
    )
    poll_seconds: float = Field(15, ge=1, le=300, description="Pause between two looks at a change that is under way.")
    max_run_minutes: float = Field(50, ge=1, le=720, description="Time after which a run leaves the rest to the next one.")


class SlackSettings(Section):
    """How Slack is reached. Without a token, messages go to the outbox."""

    base_url: str = Field(
        "https://slack.com/api/", pattern=r"^https?://[^\s@]+/$", description="Web API, with a slash at its end."
    )
    token: SecretStr | None = Field(None, description="Bot token (xoxb-…). NIGHTSHIFT_SLACK_TOKEN.")
    app_token: SecretStr | None = Field(None, description="App-level token (xapp-…) for Socket Mode. NIGHTSHIFT_SLACK_APP_TOKEN.")
    signing_secret: SecretStr | None = Field(
        None, description="Signing secret, for the HTTP endpoint. NIGHTSHIFT_SLACK_SIGNING_SECRET."
    )
    channel: str | None = Field(
        None, pattern=r"^[CGD][A-Z0-9]{2,}$", description="Id of the channel for teams without their own."
    )
    channels: dict[str, str] = Field(default_factory=dict, description="Team → id of its channel.")
    report_url: str | None = Field(None, pattern=PUBLISHED, description="The same as report.url, which comes first.")
    timeout_seconds: int = Field(15, ge=1, le=120, description="Time allowed for one answer.")
    attempts: int = Field(3, ge=1, le=10, description="Attempts for one request that only reads, or that Slack refused for now.")
    longest_wait_seconds: float = Field(60, ge=0, le=600, description="Longest wait that a rate limit may ask for.")

    @model_validator(mode="after")
    def _token_is_not_sent_in_the_clear(self) -> SlackSettings:
        if self.base_url.startswith("http:") and urlsplit(self.base_url).hostname not in _THIS_MACHINE:
            raise ValueError("base_url must begin with https:// (a token is sent to it)")
        return self

    def channel_of(self, team: str | None) -> str | None:
        """Where a team is told; None where nobody said."""
        return self.channels.get(team or "", self.channel)

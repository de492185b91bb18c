"""Settings of what is made of incidents: evidence, metrics, cost, documents."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from dagster_project.settings_acting import Section, Weekday


class SupportHours(Section):
    """When people are there; the clock ``support_hours`` counts these hours alone."""

    zone: str = Field("UTC", description="Time zone, such as Europe/London.")
    days: tuple[Weekday, ...] = Field(("mon", "tue", "wed", "thu", "fri"), min_length=1, description="Days of the week.")
    starts: time = Field(time(9), description="First hour of the day.")
    ends: time = Field(time(17), description="End of the day.")

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value} is no time zone that this machine knows; write it like Europe/London") from None
        return value

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> SupportHours:
        if self.starts >= self.ends:
            raise ValueError("ends must be later than starts; write 23:59:59 for midnight")
        return self


class CostSettings(Section):
    """What an incident costs, where your own tables do not say it. Each as low, expected and high."""

    responder_usd_hour: tuple[float, float, float] = Field(
        (80, 120, 180), description="What an hour of somebody who responds costs (USD: low, expected, high)."
    )
    responders: tuple[float, float, float] = Field(
        (1, 2, 4), description="People who respond, where no evidence tells how many (low, expected, high)."
    )
    lost_share: tuple[float, float, float] = Field(
        (0.3, 0.7, 1.0), description="Share of the failed requests' value that is lost and not made up for later."
    )
    sla_credit_share: tuple[float, float, float] = Field(
        (0.0, 0.0, 0.0), description="Credits for broken agreements, as a share of the value that failed."
    )

    @field_validator("responder_usd_hour", "responders", "lost_share", "sla_credit_share")
    @classmethod
    def _is_ordered(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if not 0 <= value[0] <= value[1] <= value[2]:
            raise ValueError("low, expected and high must not be negative and must be in this order")
        return value


class IncidentSettings(Section):
    """Incidents and their postmortems. docs/incidents.md tells how they are made."""

    zone: str = Field("UTC", description="Time zone of imported times that say none, such as Europe/London.")
    period_days: int = Field(90, ge=7, le=730, description="Days of a period; each is compared with the one before it.")
    document_days: int = Field(
        120, ge=1, le=3650, description="Days after its end for which the document of an incident is still kept up to date."
    )
    max_documents: int = Field(
        100, ge=1, le=10_000, description="Documents that one night writes, the newest incidents first; the others come later."
    )
    lead_minutes: int = Field(
        90, ge=0, le=1440, description="Minutes before an incident from which on events may belong to its timeline."
    )
    undeclared_decisions: int = Field(
        3, ge=2, le=1000, description="Emergency decisions about one service that make an undeclared incident."
    )
    undeclared_minutes: int = Field(30, ge=1, le=1440, description="Minutes within which they must lie.")
    silence_minutes: int = Field(
        15, ge=1, le=1440, description="Minutes without any event between detection and mitigation that are shown as silent."
    )
    names: tuple[str, ...] = Field((), description="Further names of people that must not be shown.")
    name_salt: str = Field("nightshift", min_length=1, description="What the stable pseudonyms of people are made with.")
    repository: str | None = Field(
        None,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="Repository that postmortems are proposed to, as pull requests; it must not be one of infrastructure code.",
    )
    folder: str = Field("postmortems", pattern=r"^[\w.-]+(/[\w.-]+)*$", description="Folder in that repository.")
    support_hours: SupportHours = Field(default_factory=SupportHours, description=SupportHours.__doc__)
    cost: CostSettings = Field(default_factory=CostSettings, description=CostSettings.__doc__)

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        return SupportHours(zone=value).zone

"""Settings of action items: when they are due, where their issues are, who is reminded and when."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from dagster_project.settings_acting import Section
from dagster_project.settings_incidents import SupportHours

_REPOSITORY = r"^[\w.-]+/[\w.-]+$"


class Person(Section):
    """Somebody who owns action items. Without an entry, an owner's name stands as it is, and their team's channel is told."""

    name: str = Field(min_length=1, description="How they are written as an owner.")
    also: tuple[str, ...] = Field((), description="Other ways in which they are written.")
    github: str | None = Field(None, description="Login on GitHub; issues are assigned to it.")
    slack: str | None = Field(None, pattern=r"^[UW][A-Z0-9]{2,}$", description="Slack user id; their digest is a direct message.")
    team: str | None = Field(None, description="Team that they belong to.")
    zone: str | None = Field(None, description="Time zone, such as Europe/London; default: actions.hours.zone.")

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, value: str | None) -> str | None:
        return None if value is None else SupportHours(zone=value).zone


class ActionItemSettings(Section):
    """Action items: due dates, issues, reminders. docs/action-items.md tells how they are followed."""

    sev1_days: int = Field(15, ge=1, le=365, description="Days for an item of a Sev-1 incident, where nobody gave a date.")
    sev2_days: int = Field(30, ge=1, le=365, description="The same for Sev-2.")
    other_days: int = Field(56, ge=1, le=730, description="The same for every other severity.")
    repository: str | None = Field(
        None, pattern=_REPOSITORY, description="owner/name of the repository in which issues are opened; without it none are."
    )
    team_repositories: dict[str, str] = Field(default_factory=dict, description="Team → its own repository for that.")
    followed: tuple[str, ...] = Field(
        (), description="Further repositories whose issues may be linked; what is not listed is a link and no more."
    )
    labels: tuple[str, ...] = Field(("action-item",), max_length=20, description="Labels of every issue that is opened.")
    in_progress_labels: tuple[str, ...] = Field(
        ("in progress", "in-progress", "doing", "wip"), description="Labels that say that somebody is at it."
    )
    closing_bots: tuple[str, ...] = Field(
        ("github-merge-queue[bot]", "mergify[bot]"),
        description="Bots whose closing of an issue means that it is done. What another bot closes without a commit is lost.",
    )
    stale_labels: tuple[str, ...] = Field(
        ("stale",), description="Labels of issues that nobody answers; what is closed with one, without a commit, is lost."
    )
    has_milestones: bool = Field(True, description="Put issues into a milestone for the month in which they are due.")
    max_new_per_night: int = Field(20, ge=0, le=400, description="Issues that one run opens.")
    max_reads_per_night: int = Field(3000, ge=10, le=14_000, description="Requests that one run may read with.")
    reminders: bool = Field(False, description="Send reminders in Slack; otherwise they lie in the outbox.")
    hours: SupportHours = Field(default_factory=SupportHours, description="When people may be reminded.")
    people: tuple[Person, ...] = Field((), description="Owners, and how they are reached.")
    leads: dict[str, str] = Field(
        default_factory=dict, description="Team → its lead, who is told of what is overdue for two weeks."
    )

    @field_validator("team_repositories", "followed")
    @classmethod
    def _are_repositories(cls, value: dict[str, str] | tuple[str, ...]) -> dict[str, str] | tuple[str, ...]:
        for name in value.values() if isinstance(value, dict) else value:
            if name.count("/") != 1 or not all(part.strip() for part in name.split("/")):
                raise ValueError(f"{name} is no repository; write it as owner/name")
        return value

    @model_validator(mode="after")
    def _people_are_told_apart(self) -> ActionItemSettings:
        # By each of them somebody is known: the login of one may be no name of another one.
        each = [{name.casefold() for name in (one.name, *one.also, one.github) if name} for one in self.people]
        if len(set().union(*each)) < sum(map(len, each)):
            raise ValueError("two people have the same name or login")
        return self

    @property
    def repositories(self) -> tuple[str, ...]:
        """Every repository whose issues are read, each once."""
        named = (self.repository, *sorted(self.team_repositories.values()), *self.followed)
        return tuple({name.casefold(): name for name in named if name is not None}.values())

    def place_of(self, team: str | None) -> str | None:
        """Where the issue of an item of a team is opened; None where nobody said."""
        return self.team_repositories.get(team or "", self.repository)

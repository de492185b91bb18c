"""Who owns action items: names as sources write them, logins, teams, and where each is written to."""

from __future__ import annotations

import re
from datetime import time

from dagster_project.domain.action_items.model import Item
from dagster_project.domain.action_items.reminders import WorkingHours
from dagster_project.settings import Settings
from dagster_project.settings_action_items import Person

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEAM = re.compile(r"[ _-]team$", re.IGNORECASE)
NOBODY = "(no owner)"


class People:
    """The owners of the settings, by every name that they have. ``teams``: teams that are known."""

    def __init__(self, settings: Settings, teams: frozenset[str] = frozenset()) -> None:
        self._settings = settings
        self._teams = teams | frozenset(settings.slack.channels) | frozenset(settings.actions.leads)
        self._named: dict[str, Person] = {}
        for person in settings.actions.people:
            for name in (person.name, *person.also, *((person.github,) if person.github else ())):
                self._named.setdefault(name.casefold(), person)

    def person(self, owner: str | None) -> Person | None:
        """The person that an owner's name, or a login with an @, means."""
        return self._named.get((owner or "").strip().removeprefix("@").casefold())

    def name(self, owner: str) -> str:
        """An owner by the one name that the settings have for them; "payments-team" is the team payments, where there is one."""
        person = self.person(owner)
        if person is not None:
            return person.name
        stem = _TEAM.sub("", owner)
        return stem if stem in self._teams else owner

    def login_of(self, owner: str | None) -> str | None:
        """Their login on GitHub."""
        person = self.person(owner)
        return None if person is None else person.github

    def team_of(self, item: Item, service_team: str | None) -> str | None:
        """The team that answers for an item: its own, its owner's, the owner where that is a team, or the service's."""
        person = self.person(item.owner)
        if item.team or (person is not None and person.team):
            return item.team or (person.team if person is not None else None)
        owner = self.name(item.owner) if item.owner is not None else None
        is_team = owner is not None and (owner in self._teams or _TEAM.search(owner) is not None)
        return owner if is_team else service_team

    def recipient_of(self, item: Item, team: str | None) -> str:
        """Whose digest tells of an item: its owner's, of one without an owner its team's lead's, or its team's."""
        if item.owner is not None:
            return self.name(item.owner)
        lead = self._settings.actions.leads.get(team or "")
        return self.name(lead) if lead is not None else team or NOBODY

    def lead_of(self, team: str | None) -> str | None:
        """Who is told of what is long overdue in a team: its lead, or where none is named the team itself."""
        lead = self._settings.actions.leads.get(team or "")
        return self.name(lead) if lead is not None else team

    def channel_of(self, recipient: str) -> tuple[str | None, str | None]:
        """(Slack user, channel) of a recipient: a direct message where their id is known, else their team's channel."""
        person = self.person(recipient)
        if person is not None and person.slack is not None:
            return person.slack, None
        team = recipient if person is None else person.team
        return None, self._settings.slack.channel_of(team)

    def hours_of(self, recipient: str) -> WorkingHours:
        """When a recipient may be written to."""
        person, hours = self.person(recipient), self._settings.actions.hours
        zone = person.zone if person is not None and person.zone is not None else hours.zone
        starts, ends = (time(each.hour, each.minute, each.second) for each in (hours.starts, hours.ends))
        return WorkingHours(zone, starts, ends, frozenset(_DAYS.index(day) for day in hours.days))

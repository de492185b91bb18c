"""Who may approve, at this moment: the settings' list, and the members of a Slack user group."""

from __future__ import annotations

import os
import pwd

from dagster_project.domain.approvals.machine import Policy
from dagster_project.domain.approvals.model import COMMAND_LINE, GITHUB, Actor
from dagster_project.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """How many must approve, by the settings."""
    rules = settings.approvals
    needed = {"low": rules.low, "medium": rules.medium, "high": rules.high}
    return Policy(needed, rules.answer_hours, rules.valid_hours, rules.high_risk_beyond_slack)


def user_of_this_process() -> str:
    """The name of the user that this process runs as. The environment is not asked: there anybody can be anybody."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def at_machine(settings: Settings, login: str) -> Actor:
    """The user of a machine: who they are is what the settings say of that user, and nothing that they could say themselves."""
    found = next((each for each in settings.approvals.approvers if _same(each.login, login)), None)
    return Actor(login, COMMAND_LINE, found.email.lower() if found else None, found is not None)


def on_github(settings: Settings, login: str) -> Actor:
    """Somebody on GitHub."""
    found = next((each for each in settings.approvals.approvers if _same(each.github, login)), None)
    return Actor(f"@{login}", GITHUB, found.email.lower() if found else None, found is not None)


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()

"""The listeners for Slack's clicks, as the settings allow them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dagster_project.actions.migrations import migrate
from dagster_project.actions.slack.endpoint import HttpListener, SocketListener
from dagster_project.connections.slack import Slack
from dagster_project.errors import InputError, SettingsError
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.slack_answers import Answered, interact
from dagster_project.pipeline.state import in_state

Renew = Callable[[], Runtime]
"""Gives the surroundings of this moment, with the settings as they are now."""


def socket_listener(runtime: Runtime, renew: Renew | None = None) -> SocketListener:
    """A listener over Socket Mode, not connected yet. Raises ``SettingsError`` where a token is missing."""
    settings = runtime.settings.slack
    if settings.token is None or settings.app_token is None:
        raise SettingsError(
            "Socket Mode needs the bot token and the app-level token; set NIGHTSHIFT_SLACK_TOKEN and NIGHTSHIFT_SLACK_APP_TOKEN, "
            "or listen with --http."
        )
    in_state(runtime, migrate)
    slack = Slack(settings, runtime.at)
    token = settings.app_token.get_secret_value()
    return SocketListener(slack, token, _each_in_its_present(runtime, renew), runtime.progress.say)


def http_listener(runtime: Runtime, host: str, port: int, renew: Renew | None = None) -> HttpListener:
    """A listener for HTTP requests. Raises ``SettingsError`` where a secret is missing, ``InputError`` where it cannot listen."""
    settings = runtime.settings.slack
    if settings.token is None or settings.signing_secret is None:
        raise SettingsError(
            "The HTTP endpoint needs the bot token and the signing secret; set NIGHTSHIFT_SLACK_TOKEN and "
            "NIGHTSHIFT_SLACK_SIGNING_SECRET."
        )
    in_state(runtime, migrate)
    secret = settings.signing_secret.get_secret_value()
    if not host.isascii():
        raise InputError(f"Cannot listen on {host}:{port} (write the name in ASCII); choose another address.")
    try:
        return HttpListener(host, port, secret, _each_in_its_present(runtime, renew), runtime.progress.say, runtime.at)
    except OSError as error:
        raise InputError(f"Cannot listen on {host}:{port} ({error.strerror}); choose another address.") from None


def _each_in_its_present(runtime: Runtime, renew: Renew | None) -> Callable[[Mapping[str, Any]], Answered]:
    """Works on each interaction at the moment at which it comes, under the settings of that moment: who was taken off the list of
    approvers is none any more, and a database that was away is asked anew."""

    def work(payload: Mapping[str, Any]) -> Answered:
        present = renew() if renew is not None else replace(runtime, now=runtime.at.now(), failures=[], _unreachable={})
        return interact(present, payload)

    return work

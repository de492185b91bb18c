"""What ``nightshift doctor`` says of what acts outside: approvals and applying, issues and reminders of action items."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.actions.aws.cloud import AwsCloud
from dagster_project.actions.github.repository import GithubRepository
from dagster_project.connections.github import Connection
from dagster_project.connections.slack import REMINDER_SCOPES, SCOPES, Slack
from dagster_project.domain.proposals.model import APPLY
from dagster_project.errors import NightshiftError
from dagster_project.pipeline.repositories import pace_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount

_PROBE = "nightshift-doctor-looks-for-nothing"


def acting(runtime: Runtime) -> Iterator[tuple[str, bool, str]]:
    """Subject, whether it is fine, and a sentence, for each thing that stands between a verdict and an applied change; nothing
    where no mode is ``apply``."""
    settings = runtime.settings
    if APPLY not in {settings.proposals.mode, *(rule.mode for rule in settings.proposals.modes)}:
        return
    people = len(settings.approvals.approvers)
    group = f", and the members of {settings.approvals.slack_group}" if settings.approvals.slack_group else ""
    if people or group:
        needed = settings.approvals.high
        is_enough = bool(group) or people >= needed
        short = "" if is_enough else f"; a change of high risk needs {needed}"
        yield "approvers", is_enough, f"{people} in the settings{group}{short}"
    else:
        yield "approvers", False, "None in the settings: nothing can be approved. Add approvals.approvers."
    windows = len(settings.apply.windows)
    told = f"{windows} in the settings" if windows else "None in the settings: nothing is ever applied. Add apply.windows."
    yield "maintenance windows", bool(windows), told
    yield _slack(runtime)
    if runtime.clouds is not None:
        yield "cloud", True, "the demo's own"
        return
    changed = [account for account in settings.aws.accounts if account.may_change]
    if not changed:
        yield "aws", False, "No account in the settings may be changed: nothing can be applied. Set may_change in aws.accounts."
    for account in changed:
        yield _account(runtime, account)


def following(runtime: Runtime) -> Iterator[tuple[str, bool, str]]:
    """The same for what follows action items: the repositories of their issues, and reminders."""
    settings = runtime.settings
    places = settings.actions.repositories
    if places and not settings.github.has_credentials:
        yield "action items", False, "No credentials for GitHub; issues lie in the outbox. Set NIGHTSHIFT_GITHUB_TOKEN or an App."
    for place in places if settings.github.has_credentials else ():
        yield _issues(runtime, place)
    if settings.actions.reminders and settings.slack.token is None:
        scopes = ", ".join(REMINDER_SCOPES)
        yield "reminders", False, f"No Slack token; digests lie in the outbox. Set NIGHTSHIFT_SLACK_TOKEN ({scopes})."
    elif settings.actions.reminders:
        try:
            yield "reminders", True, f"as {Slack(settings.slack, runtime.at).who()}"
        except NightshiftError as error:
            yield "reminders", False, str(error)


def _issues(runtime: Runtime, place: str) -> tuple[str, bool, str]:
    subject = f"issues of {place}"
    try:
        github = GithubRepository(Connection(runtime.settings.github, place, pace_of(runtime)))
        about = github.about()
    except NightshiftError as error:
        return subject, False, str(error)
    if not about.has_issues or about.is_archived:
        return subject, False, "its issues are switched off" if not about.has_issues else "it is archived"
    rights = "may be written to" if about.may_write else "may not be written to; give the account that right"
    return subject, about.may_write, f"as {github.login}: {rights}"


def _slack(runtime: Runtime) -> tuple[str, bool, str]:
    settings = runtime.settings.slack
    if settings.token is None:
        scopes = ", ".join(SCOPES)
        told = f"No token; requests go to the outbox, and are answered without Slack. Set NIGHTSHIFT_SLACK_TOKEN ({scopes})."
        return "slack", False, told
    try:
        who = Slack(settings, runtime.at).who()
    except NightshiftError as error:
        return "slack", False, str(error)
    if settings.channel is None and not settings.channels:
        return "slack", False, f"as {who}, and no channel is set; set slack.channel."
    ways = [
        name for name, secret in (("Socket Mode", settings.app_token), ("HTTP", settings.signing_secret)) if secret is not None
    ]
    clicks = f"clicks over {' or '.join(ways)}" if ways else "nobody listens to clicks; set NIGHTSHIFT_SLACK_APP_TOKEN"
    return "slack", bool(ways), f"as {who}; {clicks}"


def _account(runtime: Runtime, account: AwsAccount) -> tuple[str, bool, str]:
    settings, role_arn = runtime.settings.aws, account.apply_role_arn or account.role_arn
    try:
        with AwsCloud(
            region=account.home_region,
            account_id=account.id,
            role_arn=role_arn,
            external_id=account.external_id,
            endpoint_url=settings.endpoint_url,
            timeout_seconds=settings.timeout_seconds,
            attempts=settings.attempts,
            clock=runtime.at,
        ) as cloud:
            # What is looked for is not there; that AWS says so shows that it may be asked.
            cloud.group(_PROBE)
            cloud.database(_PROBE)
    except NightshiftError as error:
        return f"changes in {account.id}", False, str(error)
    told = f"may be looked at, as {role_arn or 'the own credentials'}; of changes only making one shows whether it is allowed"
    return f"changes in {account.id}", True, told

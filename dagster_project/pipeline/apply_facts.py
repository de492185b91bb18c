"""What the gates are told: the fleet and its neighbours from the newest night, and the evidence of this moment.

What cannot be found out is told as unknown, and the gates say no to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dagster_project.domain.applying.gates import Asked, Limits, neighbours_of, rollout_rank
from dagster_project.domain.applying.saga import Saga
from dagster_project.domain.applying.windows import Window
from dagster_project.domain.approvals.model import AskedChange, PlanKey, Request, key_of
from dagster_project.domain.proposals.memory import Answer, first_forbidding, is_material, told
from dagster_project.domain.proposals.model import APPLY, Change
from dagster_project.errors import NightshiftError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import PROPOSALS, RESOURCE_INVENTORY, SERVICE_DEPENDENCIES
from dagster_project.pipeline.ingest_records import INVENTORY
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.proposals import APPROVAL, mode_of_service, read_proposals
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.sources.present import decided_since, open_incident
from dagster_project.statements import statement

EVERYTHING = ("*", "all", "global")
"""What the engine calls a target that is all of them."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest night that has proposals: what it proposed, what there was, and which service stands on which. ``day`` is None
    where there was no night yet; ``dependencies`` is None where the database does not say, and
    ``knows_changes`` is False where it does not say when a resource was changed."""

    day: date | None
    proposed: dict[str, tuple[Change, dict[str, Any]]]
    inventory: dict[str, dict[str, Any]]
    dependencies: dict[str, frozenset[str]] | None
    knows_changes: bool = False

    def fleet_size(self, service: str | None, environment: str | None) -> int | None:
        """Members of a service in an environment; None where one of them does not say how many it has."""
        units = [row["units"] for row in self._of(service) if _same(row["environment"], environment)]
        return None if not units or None in units else sum(units)

    def service_size(self, service: str | None) -> int | None:
        """Resources of a service."""
        return len(self._of(service)) or None

    def _of(self, service: str | None) -> list[dict[str, Any]]:
        # A member stands for itself only where its group is not listed: otherwise it would count twice.
        return [
            row
            for row in self.inventory.values()
            if service is not None and _same(row["service"], service) and row["asg_name"] not in self.inventory
        ]

    def neighbours(self, service: str | None) -> frozenset[str] | None:
        """The services of the call chains through one."""
        if service is None or self.dependencies is None:
            return None
        return frozenset(name.lower() for name in neighbours_of(service.lower(), self.dependencies))


def read_newest(runtime: Runtime) -> Newest:
    """The newest night of this home."""
    lake = runtime.lake
    days = lake.days(PROPOSALS)
    if not days:
        return Newest(None, {}, {}, None)
    day = days[-1]
    with open_engine(lake) as engine:
        engine.view(PROPOSALS, [day])
        proposed = {change.resource_id: (change, row) for change, _, row in read_proposals(engine)}
        engine.view(RESOURCE_INVENTORY, [day])
        inventory = {row["resource_id"]: row for row in engine.rows(statement("reports/fleet_members"))}
        dependencies: dict[str, frozenset[str]] | None = None
        listed = load_of(lake, INVENTORY, day)
        load = load_of(lake, SERVICE_DEPENDENCIES.name, day)
        if load is not None and load.status not in ("absent", "failed"):
            engine.view(SERVICE_DEPENDENCIES, [day])
            dependencies = {}
            for row in engine.rows(statement("reports/hard_dependencies")):
                name = row["service"].lower()
                dependencies[name] = dependencies.get(name, frozenset()) | {row["depends_on"].lower()}
    knows_changes = listed is not None and "config_changed_at" not in listed.missing_columns.split(", ")
    return Newest(day, proposed, inventory, dependencies, knows_changes)


def still_newest(runtime: Runtime, newest: Newest) -> Newest:
    """The newest night, read anew where another one has come since."""
    days = runtime.lake.days(PROPOSALS)
    return newest if not days or days[-1] == newest.day else read_newest(runtime)


def limits_of(settings: Settings) -> Limits:
    """The limits that the settings set."""
    rules = settings.apply
    return Limits(
        windows=tuple(
            Window(each.begins, each.ends, frozenset(each.days), each.zone, each.service, each.environment)
            for each in rules.windows
        ),
        max_fleet_share_pct=rules.max_fleet_share_pct,
        max_service_share_pct=rules.max_service_share_pct,
        min_service_changes=rules.min_service_changes,
        max_executions_per_night=rules.max_executions_per_night,
        max_attempts=rules.max_attempts,
        cooldown=timedelta(hours=rules.cooldown_hours),
        rollout=tuple(frozenset(name.lower() for name in names) for names in rules.rollout),
        soak=timedelta(hours=rules.soak_hours),
    )


async def asked_of(
    runtime: Runtime,
    newest: Newest,
    saga: Saga,
    request: Request,
    requests: Sequence[Request],
    answers: Sequence[Answer],
    own_recent: int,
    now: datetime,
) -> Asked:
    """What a saga asks the gates, as things stand now. ``requests`` are those that are live, ``answers`` what people said of the
    resource."""
    settings = runtime.settings
    key = request.plan.key
    change = next(change for change in request.plan.changes if change.resource_id == saga.resource_id)
    limits = limits_of(settings)
    rank = rollout_rank(key.environment, limits)
    earlier = [
        each.request_id
        for each in requests
        if each.request_id != request.request_id
        and _same(each.plan.key.service, key.service)
        and rollout_rank(each.plan.key.environment, limits) < rank
    ]
    row = newest.inventory.get(saga.resource_id)
    changed_at = row["config_changed_at"].replace(tzinfo=UTC) if row and row["config_changed_at"] else None
    return Asked(
        execution_id=saga.execution_id,
        resource_id=saga.resource_id,
        service=key.service,
        environment=key.environment,
        members=saga.members,
        is_stopped=settings.is_stopped,
        mode=mode_of_service(key.service, key.environment, settings.proposals),
        fleet_size=newest.fleet_size(key.service, key.environment),
        service_size=newest.service_size(key.service),
        neighbours=newest.neighbours(key.service),
        changed_at=changed_at,
        is_changed_known=row is not None and newest.knows_changes,
        evidence=await evidence_against(runtime, newest, change, key, answers, now),
        earlier_open=earlier,
        own_recent=own_recent,
        is_rollback=key.is_rollback,
    )


async def evidence_against(
    runtime: Runtime, newest: Newest, change: AskedChange, key: PlanKey, answers: Sequence[Answer], now: datetime
) -> str | None:
    """What speaks against a change by the evidence of now; None where the newest verdict still asks for exactly this, at the same
    risk and in the same way, nobody has said no to it, nothing was decided since that needed the capacity, and its service has no
    open incident. What gives capacity back waits for neither of the last two."""
    if newest.day is None:
        return "No night has run in this home, so that no evidence speaks for it."
    end = datetime.combine(newest.day + timedelta(days=1), time(), UTC)
    if now - end > timedelta(hours=runtime.settings.apply.max_evidence_age_hours):
        return f"The newest verdict is of {newest.day}, and that is too old to act on; run the night first."
    found = newest.proposed.get(change.resource_id)
    if found is None:
        return f"It is not proposed any more on {newest.day}."
    against = _proposal_against(newest, change, key, *found)
    if against is not None:
        return against
    proposal = found[0]
    answer = first_forbidding(answers, proposal, now.date(), runtime.settings.proposals.rejection_days)
    if answer is not None:
        return f"Somebody said no to it: {told(answer)}."
    if proposal.is_rollback:
        return None  # that the engine acts, and that an incident is open, is why it goes back
    return await _present_against(runtime, newest, change.resource_id, key.service, end, now)


def _proposal_against(newest: Newest, change: AskedChange, key: PlanKey, proposal: Change, row: Mapping[str, Any]) -> str | None:
    """What of the newest proposal is not what was approved."""
    day = newest.day
    if (proposal.attribute, proposal.before, proposal.after) != (change.attribute, change.before, change.after):
        return f"On {day} something else is proposed: {proposal.attribute} {proposal.before} -> {proposal.after}."
    if is_material(change.evidence, proposal.evidence):
        return f"Its evidence has changed since it was approved; look at what is proposed on {day}."
    if key_of(proposal) != key:
        return f"On {day} its service, environment, owner or risk is another one than was approved."
    if row["route"] != APPROVAL:
        return f"On {day} it goes another way than an approval: {row['route']}."
    if row["mode"] != APPLY:
        return f"On {day} its mode is {row['mode']}, not apply."
    if row["held_back"]:
        return f"It is held back: {row['held_back']}"
    resource = newest.inventory.get(change.resource_id, {})
    if (resource.get("account_id"), resource.get("region")) != (change.account_id, change.region):
        return f"On {day} it is in another account or region than was approved."
    return None


async def _present_against(
    runtime: Runtime, newest: Newest, resource_id: str, service: str | None, since: datetime, now: datetime
) -> str | None:
    """What the decision engine's database says at this moment. What it cannot say is a no."""
    resource = newest.inventory.get(resource_id, {})
    members = [name for name, row in newest.inventory.items() if row["asg_name"] == resource_id]
    names = [resource_id, *members, *(name for name in (resource.get("asg_name"), service) if name), *EVERYTHING]
    try:
        async with runtime.source() as (connection, contract):
            if not contract.has("incidents") or "service" in contract.missing("incidents"):
                return "Whether an incident of its service is open is not known: the database has no incidents of services."
            decision = await decided_since(connection, contract, names, since)
            incident = await open_incident(connection, contract, service, now) if service else None
    except NightshiftError as error:
        return f"What happened since the night is not known: {error}"
    if decision is not None:
        return f"The decision engine acted since the night: {decision}."
    if incident is not None:
        return f"An incident of its service is open: {incident}."
    return None


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").lower() == (other or "").lower()

"""A small world for proposals: machines with their Terraform code on a GitHub, and nights over them.

Every machine runs at the size that its line in the code says until somebody merges; ``apply`` makes the merged code live. A
night writes the day's verdicts into the lake and runs the three steps of proposals as the nightly job does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.proposals.model import BRANCH_PREFIX
from dagster_project.domain.rightsizing.groups import PROPOSE_MINIMUM
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import PROPOSALS, PULL_REQUESTS, RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.proposals import propose, snapshot_answers
from dagster_project.pipeline.pull_requests import publish, read_answers
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import GithubSettings, ProposalSettings, RepositorySettings, RootSettings, Settings
from tests.github import GitHubServer, People

FIRST_DAY = date(2025, 3, 9)
REPOSITORY = "acme/infra"
TOKEN = "ghp_" + "s3cr3t" * 6
BOT = "nightshift-bot"
STATE_SECRET = "hunter2-in-the-state"
ROOT = "envs/prod"


class Clock:
    """A clock that passes when somebody waits, and a little at every look."""

    def __init__(self, start: datetime) -> None:
        self.at = start
        self.slept: list[float] = []

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=10)
        return self.at

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass
class Machine:
    """A machine, and what tonight's evidence says of it. Without a ``target`` nothing is proposed, for ``reason``."""

    name: str
    live: str = "m5.2xlarge"
    target: str | None = "m5.xlarge"
    reason: str = "keep_busy_cpu"
    team: str | None = "payments"
    environment: str | None = "staging"
    service: str = "payment-api"
    demand: float = 1.0
    savings: float = 140.0
    exceedance: float = 1.0
    replayed: int = 0
    is_listed: bool = True
    units: int | None = 1
    kind: str = "ec2_instance"
    minimum: tuple[int, int] | None = None

    def verdict(self) -> dict[str, Any]:
        proposes = self.target is not None
        code = "propose_smaller_size" if proposes else self.reason
        if self.minimum is not None and proposes:
            code = PROPOSE_MINIMUM
        return {
            "resource_id": self.name, "resource_type": self.kind, "service": self.service, "team": self.team,
            "environment": self.environment, "region": "us-east-1", "units": 1, "verdict": code.partition("_")[0],
            "reason_code": code, "deciding_value": 20.0, "deciding_limit": 80.0, "deciding_text": self.target or "m5.large",
            "current_type": self.live, "candidate_type": self.target, "target_type": None if self.minimum else self.target,
            "target_minimum_size": self.minimum[1] if self.minimum else None,
            "current_usd_month": 280.0, "candidate_usd_month": 280.0 - self.savings, "savings_usd_month": self.savings,
            "stake_usd_month": self.savings, "expected_usd_month": self.savings - 10, "exceedance_pct": self.exceedance,
            "price_quality": "listed", "price_source": "a price list", "price_as_of": "2025-01-01", "coverage_pct": 100.0,
            "history_hours": 672.0, "lookback_days": 28, "cpu_basis": "maximum", "cpu_p995_pct": 9.0, "cpu_peak_pct": 12.0,
            "cpu_average_peak_pct": 10.0, "memory_basis": "maximum", "memory_peak_pct": 20.0, "memory_ever_pct": 20.0,
            "cpu_ratio": 2.0, "memory_ratio": 2.0, "required_vcpu": self.demand, "required_memory_gib": 4.0,
            "required_network_gbps": 0.1, "required_disk_mbps": 10.0, "required_disk_iops": 50.0, "candidate_vcpu": 4.0,
            "candidate_memory_gib": 16.0, "candidate_network_gbps": 1.25, "candidate_disk_mbps": 1000.0,
            "candidate_disk_iops": 6000.0, "replayed_events": self.replayed, "emergencies": 0, "fingerprint": "f" * 16,
        }  # fmt: skip

    def inventory(self) -> dict[str, Any]:
        return {
            "resource_id": self.name, "resource_type": self.kind, "instance_type": self.live, "region": "us-east-1",
            "units": self.units, "service": self.service, "team": self.team, "environment": self.environment, "tags": "{}",
            "config": json.dumps({"min_size": self.minimum[0]}) if self.minimum else "{}",
        }  # fmt: skip


def code_of(machines: Mapping[str, Machine]) -> dict[str, bytes]:
    """One file for each machine, so that people can change one without touching another."""
    block = 'resource "aws_instance" "%s" {\n  instance_type = "%s" # sized\n}\n'
    blocks = {f"{ROOT}/{each.name}.tf": block % (_label(each.name), each.live) for each in machines.values()}
    return {
        f"{ROOT}/backend.tf": b'terraform {\n  backend "s3" {}\n}\n',
        ".github/CODEOWNERS": b"* @acme/platform\n/envs/prod/ @alice @acme/payments\n",
        **{path: text.encode() for path, text in blocks.items()},
    }


def state_of(machines: Mapping[str, Machine]) -> str:
    resources = [
        {
            "mode": "managed",
            "type": "aws_instance",
            "name": _label(each.name),
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": {"id": each.name, "instance_type": each.live, "user_data": STATE_SECRET}}],
        }
        for each in machines.values()
    ]
    secret = {"id": STATE_SECRET, "result": STATE_SECRET}
    resources.append({"mode": "managed", "type": "random_password", "name": "p", "instances": [{"attributes": secret}]})
    return json.dumps(
        {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {}, "resources": resources}
    )


def _label(name: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", name.lower())


@dataclass
class World:
    """Machines, their code on a GitHub, and the home of a Nightshift."""

    server: GitHubServer
    clock: Clock
    folder: Path
    dsn: str
    machines: dict[str, Machine]
    rules: dict[str, Any] = field(default_factory=dict)
    github: dict[str, Any] = field(default_factory=dict)
    day: date = FIRST_DAY
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.add_token(TOKEN, login=BOT)
        self.people: People = self.server.create_repository(REPOSITORY, code_of(self.machines))
        self.people.add_collaborator(BOT, "write")
        self.people.add_collaborator("alice", "write")
        self.people.add_collaborator("bob", "admin")
        self.people.add_collaborator("mallory", "read")
        self.people.add_team("payments")
        self.people.add_team("platform")
        self.state = self.folder / "prod.tfstate"
        self.write_state()

    def write_state(self) -> None:
        self.state.parent.mkdir(parents=True, exist_ok=True)
        self.state.write_text(state_of(self.machines), encoding="utf-8")

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.folder / "home",
            reports=self.folder / "reports",
            dsn=self.dsn,
            proposals=ProposalSettings(**{"mode": "propose", **self.rules}),
            github=GithubSettings(**{"base_url": self.server.url, "token": TOKEN, "timeout_seconds": 1, **self.github}),
            repositories=(RepositorySettings(name=REPOSITORY, roots=(RootSettings(path=ROOT, state=str(self.state)),)),),
        )

    def runtime(self, **changes: Any) -> Runtime:
        """A run in the night after the day."""
        night = datetime.combine(self.day + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=2)
        self.clock.at = max(self.clock.at, night)
        return replace(Runtime(self.settings, now=self.clock.at, at=self.clock), **changes)

    def write_evidence(self, runtime: Runtime) -> None:
        listed = [each for each in self.machines.values() if each.is_listed]
        for table, rows in (
            (RIGHTSIZING_VERDICTS, [each.verdict() for each in listed]),
            (RESOURCE_INVENTORY, [each.inventory() for each in listed]),
        ):
            write_frame(runtime.lake, table, self.day, pl.DataFrame(rows, schema=schema(table)))

    def night(self, **changes: Any) -> list[dict[str, Any]]:
        """Runs the night of the day; returns the rows of ``pull_requests``. ``problems`` are what it said had failed."""
        runtime = self.runtime(**changes)
        self.write_evidence(runtime)
        self.problems = read_answers(runtime, self.day)
        snapshot_answers(runtime, self.day)
        propose(runtime, self.day)
        _, problems = publish(runtime, self.day)
        self.problems += problems
        return self.table(PULL_REQUESTS)

    def table(self, table: Any) -> list[dict[str, Any]]:
        return pl.read_parquet(self.settings.warehouse / table.name / f"day={self.day}" / "part-0.parquet").to_dicts()

    def proposals(self) -> dict[str, dict[str, Any]]:
        return {row["resource_id"]: row for row in self.table(PROPOSALS)}

    def tomorrow(self) -> None:
        self.day += timedelta(days=1)

    def noon(self) -> None:
        """People act in the day, between two nights."""
        self.clock.at += timedelta(hours=10)

    def apply(self) -> None:
        """What the team's pipeline does: the sizes of the main branch become live."""
        for each in self.machines.values():
            found = re.search(rb'instance_type = "([^"]+)"', self.people.file("main", f"{ROOT}/{each.name}.tf"))
            assert found is not None
            each.live = found.group(1).decode()
        self.write_state()

    def pulls(self, state: str = "open") -> list[Any]:
        """Nightshift's pull requests."""
        return [pull for pull in self.people.pulls(state) if _branch(pull).startswith(BRANCH_PREFIX)]

    def writes(self) -> list[tuple[str, str]]:
        return [(each.method, each.path) for each in self.server.writes()]


def _branch(pull: Any) -> str:
    return pull.pull.head


def machines(*names: str, **changes: Any) -> dict[str, Machine]:
    return {name: Machine(name, **changes) for name in names}

"""A repository of postmortems on a GitHub, the documents of some incidents, and nights that propose them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.incidents.merging import marked
from dagster_project.pipeline.postmortem_pulls import Proposed, propose_postmortems
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import GithubSettings, IncidentSettings, ProposalSettings, Settings
from tests.github import GitHubServer, People
from tests.proposal_builders import BOT, TOKEN, Clock

REPOSITORY = "acme/postmortems"
DAY = date(2025, 3, 9)
INCIDENT = "INC-1042"


def document(timeline: str = "10:00 it began", incident_id: str = INCIDENT, title: str = "Payments failed", **more: str) -> str:
    """A generated document: a header, a timeline, further sections by name, and one section for people."""
    sections = {"header": f"# {incident_id}: {title}", "timeline": f"## Timeline\n\n{timeline}", **more}
    lessons = "## Lessons\n\n_What do we know now?_\n"
    return "\n".join([*(marked(name, text) for name, text in sections.items()), lessons])


@dataclass
class World:
    """Nights over the repository. Settings of each part may be changed between them."""

    server: GitHubServer
    people: People
    dsn: str
    home: Path
    clock: Clock
    day: date = DAY
    incidents: dict[str, Any] = field(default_factory=dict)
    github: dict[str, Any] = field(default_factory=dict)
    proposals: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"postmortems/{INCIDENT}.md"

    @property
    def branch(self) -> str:
        return f"nightshift-postmortems/{INCIDENT}"

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.home,
            dsn=self.dsn,
            incidents=IncidentSettings(**{"repository": REPOSITORY, **self.incidents}),
            github=GithubSettings(**{"base_url": self.server.url, "token": TOKEN, "timeout_seconds": 1, **self.github}),
            proposals=ProposalSettings(**self.proposals),
            **self.more,
        )

    def night(self, *generated: str, day: date | None = None, **changes: Any) -> dict[str, Proposed]:
        """Proposes documents in the night after the day, by the incidents that their headings name, and goes on to the next."""
        at = datetime.combine(self.day + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=2)
        self.clock.at = max(self.clock.at, at)
        runtime = replace(Runtime(self.settings, now=at, at=self.clock), **changes)
        found = propose_postmortems(runtime, day or self.day, {_incident_of(each): each for each in generated})
        self.day += timedelta(days=1)
        return found

    def proposed(self, generated: str) -> Proposed:
        """What a night makes of one document."""
        (found,) = self.night(generated).values()
        return found

    def file(self, ref: str) -> str:
        return self.people.file(ref, self.path).decode()

    def edit(self, ref: str, before: str, after: str) -> str:
        """Somebody changes a word of the document."""
        text = self.file(ref)
        assert text.count(before) == 1, text
        return self.people.push("ana", ref, {self.path: text.replace(before, after).encode()})

    def writes(self) -> int:
        return len(self.server.writes())

    def url(self, number: int) -> str:
        return f"{self.server.url.removesuffix('/api/v3')}/{REPOSITORY}/pull/{number}"

    def pulls(self, state: str = "open") -> list[int]:
        return [each.number for each in self.people.pulls(state)]


def _incident_of(generated: str) -> str:
    return generated.split("# ", 1)[1].partition(": ")[0]


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        server.add_token(TOKEN, login=BOT)
        yield server
    assert server.unexpected == []


@pytest.fixture
def world(github: GitHubServer, dsn: str, tmp_path: Path) -> World:
    people = github.create_repository(REPOSITORY, {"README.md": b"What went wrong.\n"})
    people.add_collaborator(BOT, "write")
    people.add_collaborator("ana", "write")
    return World(github, people, dsn, tmp_path / "home", Clock(datetime(2025, 3, 10, 2, tzinfo=UTC)))

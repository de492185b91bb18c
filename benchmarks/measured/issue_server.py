"""A GitHub with many issues, in a process of its own: ``python -m benchmarks.measured.issue_server COUNT OPEN``.

Prints its address when it is there, and stops when its input ends. Every line that it reads closes so many issues, as people do
between two nights, and is answered when that is done.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from dagster_project.actions.github.issue_tracker import mark_text
from dagster_project.pipeline.action_item_sync import mark_of
from tests.github import GitHubServer, Seed

REPOSITORY, TOKEN, BOT = "acme/ops", "ghp_" + "benchmark" * 4, "nightshift-bot"
OPENED = datetime(2025, 1, 1, tzinfo=UTC)


def name_of(number: int) -> str:
    """The item whose issue has a number; those that are open come first."""
    return f"ACT-{number:06d}"


def main() -> None:
    count, still_open = int(sys.argv[1]), int(sys.argv[2])
    with GitHubServer() as server:
        server.add_token(TOKEN, login=BOT)
        people = server.create_repository(REPOSITORY)
        for login in (BOT, "alice"):
            people.add_collaborator(login, "write")
        people.seed_issues(BOT, (_seed(number, still_open) for number in range(1, count + 1)))
        print(server.url, flush=True)
        closed = 0
        for line in sys.stdin:
            for _ in range(int(line)):
                closed += 1
                people.close("alice", closed, "completed")
            print("done", flush=True)


def _seed(number: int, still_open: int) -> Seed:
    name = name_of(number)
    state = "open" if number <= still_open else "closed"
    body = f"What is to be done of {name}, and why.\n\n{mark_text(mark_of(name))}"
    labels = ("action-item", "type: prevent")
    return Seed(f"Cap the connections of {name}", body, labels=labels, state=state, created_at=OPENED, updated_at=OPENED)


if __name__ == "__main__":
    main()

"""A process that applies and is killed on the way, by the kernel and at a place that a test counts out."""

from __future__ import annotations

import os
import pickle
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster_project.actions import apply_store, approval_store, outcome_store
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.approval_builders import Approvals, FakeCloud
from tests.forking import FORKS
from tests.proposal_builders import Clock

_NOTES: dict[Any, tuple[str, ...]] = {
    apply_store: ("begin", "pass_gates", "begin_step", "end_step", "turn", "end"),
    approval_store: ("advance",),
    outcome_store: ("note_applied",),
}
_KEPT = ("types", "states", "sick", "groups", "databases", "slow", "calls", "_left")


@dataclass
class _Seams:
    """Counts the places at which a process may be killed, and kills it at one of them."""

    cloud: FakeCloud
    path: Path
    left: int

    def __call__(self, when: str, call: str) -> None:
        save(self.cloud, self.path)
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, module: Any, name: str) -> None:
        note = getattr(module, name)

        async def noted(*arguments: Any, **options: Any) -> Any:
            self("before", name)
            found = await note(*arguments, **options)
            self("after", name)
            return found

        setattr(module, name, noted)


def save(cloud: FakeCloud, path: Path) -> None:
    """Keeps a cloud in a file, so that what was done to it outlives the process."""
    path.write_bytes(pickle.dumps({name: getattr(cloud, name) for name in _KEPT}))


def load(path: Path) -> FakeCloud:
    """The cloud of a file."""
    cloud = FakeCloud()
    for name, value in pickle.loads(path.read_bytes()).items():  # noqa: S301 - written above
        setattr(cloud, name, value)
    return cloud


def applied_until_killed(world: Approvals, path: Path, fatal: int) -> bool:
    """Applies in a process of its own that is killed at the ``fatal``-th place; whether it was."""
    save(world.cloud, path)
    child = FORKS.Process(target=_apply, args=(world.settings.model_dump(), world.clock.at, path, fatal))
    child.start()
    child.join(120)
    assert child.exitcode in (0, -signal.SIGKILL), child.exitcode
    world.cloud = load(path)
    return child.exitcode != 0


def _apply(settings: dict[str, Any], now: datetime, path: Path, fatal: int) -> None:
    clock, cloud = Clock(now), load(path)
    seams = _Seams(cloud, path, fatal)
    cloud.hook = seams
    for module, names in _NOTES.items():
        for name in names:
            seams.around(module, name)
    apply_approved(Runtime(Settings(**settings), now=now, at=clock, clouds=lambda account_id, region: cloud))
    save(cloud, path)

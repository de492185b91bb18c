"""Pull requests that are not sent: what the first nights would open, as files of the outbox."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dagster_project.actions import proposal_store as store
from dagster_project.actions.github.repository import blob_id
from dagster_project.actions.outbox import Parcel, patch_of
from dagster_project.domain.proposals.model import Group
from dagster_project.domain.proposals.payload import payload_of, to_json
from dagster_project.domain.proposals.reconcile import Create, Limits, Tonight, Wait, reconcile
from dagster_project.errors import InputError
from dagster_project.pipeline.evening import Evening, sorted_out
from dagster_project.pipeline.pull_request_rows import FAILED, OUTBOX, Row, together, waiting
from dagster_project.pipeline.pull_request_texts import words_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RepositorySettings


def in_outbox(
    runtime: Runtime, evening: Evening, settings: RepositorySettings, answers: store.Answers
) -> tuple[list[Row], list[Parcel]]:
    """What the first nights would open, as files."""
    failed = [problem for problem in evening.code.problems if problem.startswith((f"{settings.name}: ", f"{settings.name}, "))]
    items, _, _ = sorted_out(runtime, evening, settings, answers, {}, may_act=False)
    rules = runtime.settings.proposals
    base = next((root.snapshot.base for root in evening.code.roots if root.snapshot.settings.name == settings.name), "")
    tonight = Tonight(evening.day, base, items, {}, {}, {})
    limits = Limits(rules.max_items, rules.max_open, rules.max_open, rules.stale_evidence_days)
    actions = reconcile(tonight, [], [], limits)
    groups = [action.group for action in actions if isinstance(action, Create)]
    rows = [waiting(settings.name, Wait(group.key, group.items, _folder_of(group)), OUTBOX) for group in groups]
    rows += [waiting(settings.name, wait) for wait in together([each for each in actions if isinstance(each, Wait)])]
    rows += [Row(settings.name, "", FAILED, detail=problem.partition(": ")[2]) for problem in failed]
    return rows, parcels_of(runtime, evening, settings, groups)


def parcels_of(runtime: Runtime, evening: Evening, settings: RepositorySettings, groups: Sequence[Group]) -> list[Parcel]:
    """The files of groups; of one that cannot be made, a file that says why."""
    parcels = []
    for group in groups:
        snapshot = next(root.snapshot for root in evening.code.roots if root.snapshot.settings.name == settings.name)
        try:
            after = evening.code.contents(group)
            before = {path: evening.code.original(group, path) for path in after}
        except (InputError, OSError) as error:
            parcels.append(Parcel(_folder_of(group), {"refused.txt": f"{error}\n".encode()}))
            continue
        payload = payload_of(group, snapshot.sha or "", {path: blob_id(data) for path, data in before.items()})
        text = words_of(runtime, evening.day, settings, snapshot.folder, group, payload, ())
        if text is None:
            parcels.append(Parcel(_folder_of(group), {"refused.txt": b"Its text would be longer than GitHub takes.\n"}))
            continue
        request = {
            "repository": group.key.repository,
            "title": text.title,
            "head": group.key.branch,
            "base": group.key.base,
            "draft": text.is_draft,
            "labels": text.labels,
            "reviewers": text.people,
            "team_reviewers": text.teams,
            "commit_message": text.commit_message,
            "proposal": json.loads(to_json(payload)),
        }
        files = {
            "body.md": text.body.encode(),
            "change.patch": patch_of(before, after),
            "payload.json": (json.dumps(request, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(),
        }
        parcels.append(Parcel(_folder_of(group), files))
    return parcels


def _folder_of(group: Group) -> str:
    return f"{group.key.repository.replace('/', '__')}--{group.key.branch.rpartition('/')[2]}"

"""The dashboard issue of a repository: what is open, what waits, what was rejected, and what cannot be edited."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

import asyncpg

from dagster_project.actions import proposal_store as store
from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.memory import Answer, first_holding, told
from dagster_project.domain.proposals.model import Change
from dagster_project.domain.proposals.pulls import PullRecord
from dagster_project.domain.proposals.reconcile import Wait
from dagster_project.pipeline.pull_request_rows import GOES_BACK
from dagster_project.pipeline.pull_request_sync import Synced, is_of
from dagster_project.pipeline.repositories import Remote
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.pull_request import DASHBOARD_MARK, DASHBOARD_TITLE, dashboard_of
from dagster_project.reporting.pull_request_views import DashboardEntry, DashboardText
from dagster_project.settings import ProposalSettings


async def keep_dashboard(
    runtime: Runtime,
    connection: asyncpg.Connection,
    remote: Remote,
    synced: Synced,
    records: Sequence[PullRecord],
    waits: Sequence[Wait],
    refused: Sequence[tuple[Change, str]],
    ours: Collection[str],
    day: date,
) -> None:
    """Brings the dashboard up to date, where it differs; opens it when there is something to tell. One that somebody closed is
    left alone. ``ours`` are the resources that this repository sets."""
    days = runtime.settings.proposals.rejection_days
    # What was said in another repository stands on its own dashboard; what was said on the command line, where its code is.
    answers = {
        name: answer
        for name, those in (await store.standing_answers(connection)).items()
        if (answer := first_holding([each for each in those if is_of(each, remote.settings.name)], day, days)) is not None
        and ("#" in answer.source or name in ours)
    }
    text = _text(records, waits, refused, answers, day, runtime.settings.proposals)
    body = dashboard_of(text)
    number = synced.marks.dashboard
    issue = remote.github.issue(number, DASHBOARD_MARK) if number is not None else None
    if issue is None:
        if text == _EMPTY:
            return
        issue = remote.github.open_issue(DASHBOARD_TITLE, body, remote.settings.labels, DASHBOARD_MARK)
        synced.marks = replace(synced.marks, dashboard=issue.number)
        await store.note_marks(connection, remote.settings.name, synced.marks)
    if issue.is_open and issue.body.replace("\r\n", "\n") != body:
        remote.github.edit_issue(issue.number, body)


_EMPTY = DashboardText((), (), (), (), (), ())


def _text(
    records: Sequence[PullRecord],
    waits: Sequence[Wait],
    refused: Sequence[tuple[Change, str]],
    answers: Mapping[str, Answer],
    day: date,
    settings: ProposalSettings,
) -> DashboardText:
    is_late = [
        record
        for record in records
        if record.state == pulls.MERGED
        and (record.merged_at is None or (day - record.merged_at.date()).days >= settings.not_applied_days)
    ]
    waiting = sorted(
        (change.resource_id, wait.why, change.savings_usd_month)
        for wait in waits
        for item in wait.items
        for change in item.changes
    )
    return DashboardText(
        open=tuple(_pull(record) for record in records if record.state == pulls.OPEN and not record.frozen_sha),
        frozen=tuple(_pull(record) for record in records if record.state == pulls.OPEN and record.frozen_sha),
        waiting=tuple(DashboardEntry(name, None, why, saving) for name, why, saving in waiting),
        rejected=tuple(DashboardEntry(name, None, told(answer)) for name, answer in sorted(answers.items())),
        not_applied=tuple(_pull(record) for record in is_late),
        refused=tuple(
            DashboardEntry(change.resource_id, None, sentence, change.savings_usd_month)
            for change, sentence in sorted(refused, key=lambda each: each[0].resource_id)
        ),
    )


def _pull(record: PullRecord) -> DashboardEntry:
    resources = record.payload.resource_ids
    shown = ", ".join(resources[:5]) + (f" and {len(resources) - 5} more" if len(resources) > 5 else "")
    what = f"{GOES_BACK}: {shown}" if record.payload.key.is_rollback else shown
    return DashboardEntry(record.payload.key.root, record.number, what, record.payload.savings_usd_month)

"""The words of pull requests and of the dashboard, from the lake's evidence: what the templates are given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from codeowners import CodeOwners

from dagster_project.actions.github.publisher import Text
from dagster_project.domain.proposals.model import LOW, ROLLBACK, Group, Item
from dagster_project.domain.proposals.payload import Payload, to_comment
from dagster_project.lake.engine import open_engine
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, UTILIZATION_SAMPLES
from dagster_project.pipeline.cash_report import cash_sentences
from dagster_project.pipeline.proposal_views import proposal_views
from dagster_project.pipeline.report_place import proposal_url
from dagster_project.pipeline.rollup import RECENT_DAYS
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.reporting.pull_request import body_of, commit_message_of, title_of
from dagster_project.reporting.pull_request_views import EditedLine, PullRequestText, RollbackLine, RollbackText
from dagster_project.reporting.views import Proposal
from dagster_project.settings import RepositorySettings
from dagster_project.statements import statement

_OWNER_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in its order; the first one counts."""
_COMMENT = re.compile(r"(?:^|\s)#.*")
_MOST_REVIEWERS = 15
"""GitHub takes no more of each kind."""

_CODE_ONLY = "It changes code. Nothing in production changes before your own pipeline applies it; Nightshift applies nothing."
_WATCHED = "Nightshift watches the inventory, and says so on the dashboard when a merged change does not become live."
_EFFECTS = {
    ("ec2_instance", "instance_type"): (
        "Applying it stops the machine and starts it again at the new size: it is away for minutes, and a public address that is "
        "not an Elastic IP changes."
    ),
    ("autoscaling_group", "instance_type"): (
        "Applying it changes the launch template only. Nothing that runs changes: new members start at the new size, and the "
        "others stay until an instance refresh."
    ),
    ("autoscaling_group", "min_size"): "Applying it lets the group run with fewer members when it is quiet. Nothing restarts.",
    ("rds_instance", "instance_class"): (
        "Applying it changes the class in the next maintenance window, or at once where the code sets apply_immediately. The "
        "database is away while it restarts; with a standby, for the time of a failover."
    ),
}
_BACK = {
    ("ec2_instance", "instance_type"): "The machine stops and starts once more.",
    (
        "autoscaling_group",
        "instance_type",
    ): "Members that were started meanwhile keep the smaller size until an instance refresh.",
    ("autoscaling_group", "min_size"): "The group starts members up to the old minimum at once.",
    ("rds_instance", "instance_class"): "The database restarts once more, in its maintenance window or at once.",
}


def words_of(
    runtime: Runtime,
    day: date,
    settings: RepositorySettings,
    folder: Path,
    group: Group,
    payload: Payload,
    dropped: Sequence[str],
) -> Text | None:
    """The pull request of a group; None where its body would be too long for GitHub."""
    is_rollback = group.key.is_rollback
    if is_rollback:
        text = rollback_text_of(group, payload, dropped, is_discounted=runtime.settings.prices.has_discounts)
    else:
        text = text_of(runtime, day, group, payload, dropped)
    body = body_of(text)
    if body is None:
        return None
    people, teams = owners_of(folder, sorted({item.file for item in group.items})) if settings.reviewers else ((), ())
    labels = (*settings.labels, f"risk: {group.key.risk}", *([ROLLBACK] if is_rollback else []))
    return Text(title_of(text), body, commit_message_of(text), group.key.risk != LOW, labels, people, teams)


def rollback_text_of(group: Group, payload: Payload, dropped: Sequence[str], *, is_discounted: bool = False) -> RollbackText:
    """What the template of a pull request that goes back is given: why, and what it costs."""
    kinds = sorted({(change.resource_type, change.attribute) for item in group.items for change in item.changes})
    return RollbackText(
        root=_root_of(group),
        owner=group.key.owner,
        lines=tuple(
            RollbackLine(
                file=item.file,
                line=item.line,
                attribute=item.changes[0].attribute,
                before=item.before,
                after=item.after,
                costs_usd_month=-item.savings_usd_month,
                reasons=tuple((change.resource_id, " ".join(change.risk_reasons)) for change in item.changes),
                notes=item.notes,
                other_plans=item.other_plans,
            )
            for item in group.items
        ),
        costs_usd_month=-group.savings_usd_month,
        effects=(_CODE_ONLY, *(_BACK[kind] for kind in kinds if kind in _BACK), _WATCHED),
        dropped=tuple(dropped),
        payload=to_comment(payload),
        is_discounted=is_discounted,
    )


def _root_of(group: Group) -> str:
    return group.key.root if not group.key.workspace else f"{group.key.root} ({group.key.workspace})"


def text_of(runtime: Runtime, day: date, group: Group, payload: Payload, dropped: Sequence[str]) -> PullRequestText:
    """What the template is given."""
    changes = [change for item in group.items for change in item.changes]
    kinds = sorted({(change.resource_type, change.attribute) for change in changes})
    reasons: dict[str, list[str]] = {}
    for change in changes:
        for reason in change.risk_reasons:
            reasons.setdefault(reason, []).append(change.resource_id)
    with open_engine(runtime.lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [day])
        engine.view(UTILIZATION_SAMPLES, days_up_to(day, RECENT_DAYS))
        # Once for the group: each question reads a week of the fleet's samples.
        names = sorted({name for item in group.items for name in item.resource_ids})
        rows = engine.rows(statement("reports/verdicts_of"), {"resource_ids": names})
        views = {each.resource_id: each for each in proposal_views(engine, rows, day, runtime.settings.rightsizing)}
        closest = {row["resource_id"]: _closest(row) for row in rows}
        lines = tuple(_line(item, views, closest) for item in group.items)
        cash = cash_sentences(engine, sorted({change.resource_id for change in changes}))
    return PullRequestText(
        root=_root_of(group),
        owner=group.key.owner,
        risk=group.key.risk,
        risk_reasons=tuple(_of(names, len(changes), reason) for reason, names in reasons.items()),
        is_draft=group.key.risk != LOW,
        lines=lines,
        savings_usd_month=group.savings_usd_month,
        effects=(
            _CODE_ONLY,
            *(_EFFECTS[kind] for kind in kinds if kind in _EFFECTS),
            _WATCHED,
        ),
        rollback=(
            "Revert this pull request and apply: the old sizes stand in the diff.",
            *(_BACK[kind] for kind in kinds if kind in _BACK),
        ),
        dropped=tuple(dropped),
        payload=to_comment(payload),
        is_discounted=runtime.settings.prices.has_discounts,
        cash=cash,
        page_url=proposal_url(runtime.settings, group.key.digest),
    )


def _of(names: Sequence[str], of: int, reason: str) -> str:
    """A reason with the resources that it is about, where it is not about all of them."""
    if len(names) == of:
        return reason
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}: {reason}"


def _line(item: Item, views: Mapping[str, Proposal], closest: Mapping[str, str]) -> EditedLine:
    mine = [name for name in item.resource_ids if name in views]
    return EditedLine(
        file=item.file,
        line=item.line,
        attribute=item.changes[0].attribute,
        before=item.before,
        after=item.after,
        resource_ids=item.resource_ids,
        proposals=tuple(views[name] for name in mine),
        closest_events=tuple(closest[name] for name in mine),
        notes=item.notes,
        other_plans=item.other_plans,
    )


def _closest(row: Mapping[str, Any]) -> str:
    """The binding past event with its number; empty where there was none."""
    if row["closest_event"] is None or row["closest_event_pct"] is None:
        return ""
    return f"{row['closest_event']} would have used {row['closest_event_pct']:.0f} % of the new size"


def _is_pattern(line: str) -> bool:
    """Whether a line is one that GitHub heeds; it skips others, and the library stops at them."""
    try:
        CodeOwners(line)
    except (ValueError, re.error):
        return False
    return True


def owners_of(folder: Path, files: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Code owners of files, as logins of people and short names of teams."""
    people: set[str] = set()
    teams: set[str] = set()
    for name in _OWNER_FILES:
        path = folder / name
        if not path.is_file() or path.is_symlink():
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        owners = CodeOwners("\n".join(filter(_is_pattern, (_COMMENT.sub("", line) for line in lines))))
        for file in files:
            for kind, owner in owners.of(file):
                if kind == "USERNAME":
                    people.add(owner.removeprefix("@"))
                elif kind == "TEAM":
                    teams.add(owner.rpartition("/")[2])
        break
    return tuple(sorted(people)[:_MOST_REVIEWERS]), tuple(sorted(teams)[:_MOST_REVIEWERS])

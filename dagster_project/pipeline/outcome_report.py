"""What the report and the command line say of applied changes: what became of each, what was learned, how far chances hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.domain.outcomes.calibration import Bucket, Watched, calibrate, calibration_sentences
from dagster_project.domain.outcomes.learning import regret_sentence
from dagster_project.domain.outcomes.model import MIN_SIZE, Outcome
from dagster_project.errors import NightshiftError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import PROPOSAL_OUTCOMES, PROPOSALS, SERVICE_HEADROOM
from dagster_project.pipeline.outcome_rows import outcome_from
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.views import CalibrationLine, HeadroomLine, OutcomeLine, Outcomes
from dagster_project.reporting.words import counted, money
from dagster_project.statements import statement

CALIBRATED_DAYS = 365
"""How far back chances that were stated are compared with what happened."""
_ROUTES = {
    "pull_request": "by a pull request",
    "approval": "by an approval",
    "by_hand": "by hand, because no edit of code can make it",
}
REGRETTED, WENT_BACK = "regret", "went back"
_NOTHING = "No change that was proposed has been applied in the last five weeks."


def outcomes_in_report(lake: Lake, day: date) -> Outcomes:
    """The section of the day's report; empty where its night noted nothing."""
    buckets = _buckets(lake, day)
    with open_engine(lake) as engine:
        engine.view(SERVICE_HEADROOM, [day])
        headrooms = engine.rows(statement("reports/headroom_changes"), {"day": day})
    lines = outcome_lines(lake, day)
    return Outcomes(
        sentence=_sentence(lines),
        lines=tuple(lines),
        headrooms=tuple(HeadroomLine(**row) for row in headrooms),
        calibration=tuple(_calibration_line(bucket) for bucket in buckets),
        calibration_sentences=calibration_sentences(buckets),
    )


def outcome_lines(lake: Lake, day: date) -> list[OutcomeLine]:
    """What became of each change, regrets first."""
    with open_engine(lake) as engine:
        engine.view(PROPOSAL_OUTCOMES, [day])
        engine.view(PROPOSALS, [day])
        outcomes = [outcome_from(row) for row in engine.rows(statement("reports/outcomes_of_day"))]
        backs = {
            (row["resource_id"], row["attribute"]): row
            for row in engine.rows(statement("reports/all_proposals"))
            if row["verdict_code"] == "rollback_after_emergency"
        }
    return [_line(each, backs.get((each.change.resource_id, each.change.attribute))) for each in outcomes]


def _sentence(lines: Sequence[OutcomeLine]) -> str:
    """What all changes together were to save, and what they do. What went back is part of what its change saves no more."""
    if not lines:
        return _NOTHING
    live = [line for line in lines if line.applied_on is not None and line.state != WENT_BACK]
    known = [line for line in live if line.realized_usd_month is not None]
    estimated = math.fsum(line.estimated_usd_month for line in known)
    realized = math.fsum(line.realized_usd_month or 0.0 for line in known)
    regrets = sum(line.state == REGRETTED for line in live)
    unknown = f" Of {len(live) - len(known)} it is not known what they save." if len(known) < len(live) else ""
    return (
        f"{counted(len(live), 'change').capitalize()} became live, {counted(regrets, 'regret')}. "
        f"{money(estimated)} a month was estimated for them, and {money(realized)} is what they save as of the day.{unknown}"
    )


def _line(outcome: Outcome, back: Mapping[str, Any] | None) -> OutcomeLine:
    change = outcome.change
    members = " members at least" if change.attribute == MIN_SIZE else ""
    is_back = back is not None and back["value_before"] == change.value_after and not outcome.is_reversed
    state, detail = _told(outcome)
    return OutcomeLine(
        resource_id=change.resource_id,
        service=change.service,
        change=f"{change.value_before} → {change.value_after}{members}",
        source=change.source,
        applied_on=outcome.applied_on,
        estimated_usd_month=change.estimated_usd_month,
        realized_usd_month=outcome.realized_usd_month,
        checks=(outcome.check_1, outcome.check_7, outcome.check_28),
        state=state,
        detail=" ".join(part for part in (detail, _back_sentence(back) if is_back and back else "") if part),
    )


def _told(outcome: Outcome) -> tuple[str, str]:
    """What a change is in one word, and in sentences."""
    change, told = outcome.change, []
    if outcome.applied_on is None:
        return "not live", f"It was noted on {change.noted_on}, and no inventory shows it yet."
    if outcome.regret:
        state = REGRETTED
        told.append(f"{regret_sentence(outcome)}.")
        if outcome.is_reversed and outcome.regret_on != outcome.reversed_on:
            told.append(f"It was taken back on {outcome.reversed_on}.")
    elif change.is_rollback:
        state = WENT_BACK
    elif outcome.incidents:
        state = "suspect"
    elif outcome.regret is False:
        state = "fine"
    elif outcome.superseded_on is not None:
        state = "superseded"
    else:
        state = "unknown" if outcome.check_28 else "watched"
    if outcome.superseded_on is not None:
        told.append(f"{change.value_after} gave way to a further step on {outcome.superseded_on}.")
    if outcome.incidents and not change.is_rollback:
        told.append(f"{counted(outcome.incidents, 'incident')} of {change.service} began since; that is no proof.")
    if "unknown" in (outcome.check_1, outcome.check_7, outcome.check_28) and outcome.superseded_on is None:
        told.append("Too few samples are there to tell.")
    return state, " ".join(told)


def _back_sentence(back: Mapping[str, Any]) -> str:
    costs = f"{money(-back['savings_usd_month'])} a month more"
    if back["held_back"]:
        return f"It is not taken back ({costs}): {back['held_back']}"
    return f"It is to go back to {back['value_after']} ({costs}), {_ROUTES[back['route']]}."


def _buckets(lake: Lake, day: date) -> tuple[Bucket, ...]:
    days = [each for each in lake.days(PROPOSAL_OUTCOMES) if 0 <= (day - each).days < CALIBRATED_DAYS]
    with open_engine(lake) as engine:
        engine.view(PROPOSAL_OUTCOMES, days)
        rows = engine.rows(statement("reports/stated_chances"))
    return calibrate(Watched(row["stated_exceedance_pct"], row["weeks_observed"], row["weeks_exceeded"]) for row in rows)


def _calibration_line(bucket: Bucket) -> CalibrationLine:
    return CalibrationLine(
        label=bucket.label,
        changes=bucket.changes,
        weeks=bucket.weeks,
        exceeded=bucket.exceeded,
        stated_pct=bucket.stated_pct,
        exceeded_pct=bucket.exceeded_pct,
        low_pct=bucket.low_pct,
        high_pct=bucket.high_pct,
    )


@dataclass(frozen=True, slots=True)
class ListedOutcome:
    """One applied change for the command line: the line of the report, and the table's row."""

    line: OutcomeLine
    row: Mapping[str, Any]

    def to_json(self) -> str:
        return json.dumps(self.row, ensure_ascii=False, default=str)


def listed_outcomes(runtime: Runtime, day: date | None) -> tuple[date, Sequence[ListedOutcome]]:
    """The applied changes of a day, by default of the newest night, regrets first. Raises ``MissingPartition`` for a day that
    never ran."""
    days = runtime.lake.days(PROPOSAL_OUTCOMES)
    if day is None and not days:
        raise NightshiftError("No night has run in this home yet; run 'nightshift nightly' or 'nightshift demo' first.")
    chosen = day or days[-1]
    runtime.lake.require(PROPOSAL_OUTCOMES, chosen)
    with open_engine(runtime.lake) as engine:
        engine.view(PROPOSAL_OUTCOMES, [chosen])
        rows = engine.rows(statement("reports/outcomes_of_day"))
    shown = [{name: row[name] for name in PROPOSAL_OUTCOMES.columns} for row in rows]
    return chosen, [ListedOutcome(line, row) for line, row in zip(outcome_lines(runtime.lake, chosen), shown, strict=True)]

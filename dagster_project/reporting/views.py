"""What a page is rendered from: frozen values, already computed, in reading order.

Templates lay these out and compute nothing. Money is USD per month (730 h) as it is paid unless a name says otherwise;
times are naive UTC; shares and utilization are percent (0..100).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from dagster_project.reporting.action_item_views import ActionItems
from dagster_project.reporting.aws_coverage_views import AwsCoverage
from dagster_project.reporting.billing_views import Billing
from dagster_project.reporting.incident_views import Incidents
from dagster_project.reporting.savings_views import Answers, SavingsSection
from dagster_project.reporting.second_opinion_views import SecondOpinion


@dataclass(frozen=True)
class VerdictCount:
    """How many resources ended in one verdict, and the money behind it (what a smaller size would save)."""

    verdict: str  # propose | keep | refuse | insufficient
    resources: int
    usd_month: float


@dataclass(frozen=True)
class ReasonCount:
    """One reason code of the verdicts that propose nothing. The money is None where no price says what is at stake."""

    verdict: str
    reason_code: str
    title: str
    resources: int
    usd_month_at_stake: float | None
    example_resource_id: str
    example_sentence: str
    example_page: str | None = None


@dataclass(frozen=True)
class EvidenceLine:
    """One number that a proposal stands on: observed now, projected on the smaller size, and the limit there."""

    label: str
    observed: str
    projected: str
    limit: str


@dataclass(frozen=True)
class DemandChart:
    """Seven days of hourly maxima, in percent of the present size; ``None`` is a gap (off, or no data).

    ``target_limit_pct`` is where the smaller size would be full, on the same scale. ``memory_pct`` is empty
    where memory is not measured.
    """

    starts_at: datetime
    hours: int
    cpu_pct: tuple[float | None, ...]
    memory_pct: tuple[float | None, ...]
    target_cpu_limit_pct: float
    target_memory_limit_pct: float | None


@dataclass(frozen=True)
class Proposal:
    """One resource that is safe to shrink. ``cash_note`` says how much of it commitments go on being paid for, ``page`` is its
    own page relative to the report, and ``stage`` how far it has come, with ``stage_note`` as its reason."""

    resource_id: str
    resource_type: str
    service: str | None
    team: str | None
    environment: str | None
    region: str
    current_type: str
    target_type: str
    units: int
    current_usd_month: float
    target_usd_month: float
    savings_usd_month: float
    price_note: str
    sentence: str
    evidence: tuple[EvidenceLine, ...]
    chart: DemandChart
    cash_note: str | None = None
    page: str | None = None
    stage: str = "identified"
    stage_note: str = ""


@dataclass(frozen=True)
class MetricCoverage:
    """How much of one metric the last seven days hold, over the resources of the inventory."""

    metric: str
    label: str
    resources_measured: int
    resources: int
    mean_coverage_pct: float


@dataclass(frozen=True)
class SourceLoad:
    """One line of the load ledger."""

    source: str
    status: str  # complete | partial | empty | failed
    rows_read: int
    rows_written: int
    rows_rejected: int
    watermark_at: datetime | None


@dataclass(frozen=True)
class RejectedRows:
    """Rows that could not be right and were set aside, by source and reason."""

    source: str
    reason: str
    rows: int
    resources: int


@dataclass(frozen=True)
class PullRequestLine:
    """What stands of one pull request, or of a group that has none. ``number`` is 0 and ``url`` None where there is none."""

    state: str  # open | frozen | merged | applied | closed | rejected | waiting | outbox | planned | failed | …
    repository: str
    number: int
    url: str | None
    root: str | None
    owner: str | None
    risk: str | None
    resources: int
    usd_month: float
    detail: str
    is_new: bool  # opened by this night
    page: str | None = None


@dataclass(frozen=True)
class ApprovalLine:
    """What stands of one approval request, or of a group that is not asked for (``request_id`` None). ``detail`` is what a
    request lacks, or why it ended."""

    request_id: str | None
    state: str  # pending | approved | executing | executed | rejected | snoozed | expired | withdrawn | planned | waiting | …
    service: str | None
    environment: str | None
    owner: str
    risk: str
    resources: int
    usd_month: float
    detail: str
    approved_by: str
    is_new: bool  # opened by this night
    page: str | None = None


@dataclass(frozen=True)
class Uneditable:
    """Proposals that no edit of code can make, for one reason."""

    reason_code: str
    resources: int
    usd_month: float
    example_resource_id: str
    example_sentence: str


@dataclass(frozen=True)
class OutcomeLine:
    """What became of one applied change. ``checks`` are those after 1, 7 and 28 days: fine, regret or unknown, None where one is
    not due. ``realized_usd_month`` is None where it is not known."""

    resource_id: str
    service: str | None
    change: str
    source: str
    applied_on: date | None
    estimated_usd_month: float
    realized_usd_month: float | None
    checks: tuple[str | None, str | None, str | None]
    state: str  # regret | suspect | fine | watched | unknown | superseded | went back | not live
    detail: str


@dataclass(frozen=True)
class HeadroomLine:
    """A service whose headroom changed on the day, and why; in percent of its demand."""

    service: str
    headroom_pct: float
    previous_pct: float
    reason: str


@dataclass(frozen=True)
class CalibrationLine:
    """Changes whose stated chances (percent a week) are alike, and in how many of the weeks watched something exceeded. The last
    three are None without a week, and so is the mean of what was stated."""

    label: str
    changes: int
    weeks: int
    exceeded: int
    stated_pct: float | None
    exceeded_pct: float | None
    low_pct: float | None
    high_pct: float | None


@dataclass(frozen=True)
class Outcomes:
    """What became of applied changes, regrets first; what was learned on the day; and how far stated chances hold. ``sentence``
    tells of all together."""

    sentence: str = "No change that was proposed has been applied in the last five weeks."
    lines: tuple[OutcomeLine, ...] = ()
    headrooms: tuple[HeadroomLine, ...] = ()
    calibration: tuple[CalibrationLine, ...] = ()
    calibration_sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class NightReport:
    """Everything that the page of one night says. ``stability`` tells how many proposals changed since the last verdict,
    ``decisions`` which decisions count as emergencies and which do not; None where there is nothing to tell. ``acted`` says what
    the night did outside, ``price_basis`` at which prices money is, ``cash`` how much of the savings is paid less at once
    (nothing without commitments and discounts). ``answers`` are the numbers of the first screen, ``changes`` those of
    rules since the night before, None where there is none to compare with.
    ``pages_left_out`` counts resources that have no page of their own."""

    day: date
    resources: int
    priced_resources: int
    fleet_usd_month: float
    samples: int
    history_days: int
    lookback_days: int
    savings_usd_month: float
    proposals_total: int
    waiting_usd_month: float
    waiting_resources: int
    verdicts: tuple[VerdictCount, ...]
    proposals: tuple[Proposal, ...]
    reasons: tuple[ReasonCount, ...]
    coverage: tuple[MetricCoverage, ...]
    missing_evidence: tuple[str, ...]
    loads: tuple[SourceLoad, ...]
    rejected: tuple[RejectedRows, ...]
    price_provenance: tuple[str, ...]
    rules: tuple[str, ...]
    version: str
    stability: str | None = None
    decisions: str | None = None
    acted: str = "Report only: nothing was changed."
    pull_requests: tuple[PullRequestLine, ...] = ()
    uneditable: tuple[Uneditable, ...] = ()
    approvals: tuple[ApprovalLine, ...] = ()
    outcomes: Outcomes = Outcomes()
    incidents: Incidents = field(default_factory=Incidents)
    action_items: ActionItems = field(default_factory=ActionItems)
    price_basis: str = "at list price"
    cash: tuple[str, ...] = ()
    second_opinion: SecondOpinion | None = None
    aws: AwsCoverage | None = None
    answers: Answers = field(default_factory=Answers)
    savings: SavingsSection = field(default_factory=SavingsSection)
    changes: tuple[str, ...] | None = None
    pages_left_out: int = 0
    billing: Billing | None = None

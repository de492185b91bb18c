"""An approval request as a pull request: its title and its body, as Markdown that GitHub renders."""

from __future__ import annotations

from datetime import UTC

from dagster_project.domain.approvals.model import Request
from dagster_project.reporting.pull_request import MAX_BODY, MAX_TITLE
from dagster_project.reporting.templates import markdown_templates
from dagster_project.reporting.words import clean, counted


def question_title(request: Request) -> str:
    """One line: how many, whose, where."""
    key = request.plan.key
    verb = "Give back capacity to" if key.is_rollback else "Approve: shrink"
    where = f"{key.service or 'an unknown service'} in {key.environment or 'an unknown environment'}"
    return f"{verb} {counted(len(request.plan.changes), 'resource')} of {clean(where)}"[:MAX_TITLE]


def question_body(request: Request) -> str:
    """What is asked, why it is safe, and how to answer."""
    key = request.plan.key
    body = (
        markdown_templates()
        .get_template("approval_pull.md.j2")
        .render(
            changes=request.plan.changes,
            service=key.service or "unknown",
            environment=key.environment or "unknown",
            risk=key.risk,
            savings_usd_month=request.plan.savings_usd_month,
            until=request.expires_at.astimezone(UTC).replace(tzinfo=None),
            request_id=request.request_id,
            revision=request.revision,
        )
    )
    return body[:MAX_BODY]

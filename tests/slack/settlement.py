"""What an app's answer to an interaction does: a modal closes, shows errors, changes, or stays because the answer was none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.slack.answers import Refusal
from tests.slack.handlers_views import place, replace
from tests.slack.interactions import Interaction
from tests.slack.modals import check_modal
from tests.slack.models import View
from tests.slack.workspace import Workspace

DEADLINE = timedelta(seconds=3)
"""How long Slack waits for an answer."""


class BadAnswer(Exception):
    """An answer that Slack would not understand."""


def settle(workspace: Workspace, interaction: Interaction, answer: Any, since: datetime) -> None:
    """Carries out an answer (None and an empty object are the empty one) to what was sent at a moment."""
    if workspace.clock.now() - since > DEADLINE:
        interaction.outcome = "late"
        return
    try:
        interaction.outcome = _carry_out(workspace, interaction, answer or {})
    except BadAnswer as problem:
        interaction.outcome, interaction.problem = "failed", str(problem)
        workspace.unexpected.append(f"answer to {interaction.kind}: {problem}")


def _carry_out(workspace: Workspace, interaction: Interaction, answer: Any) -> str:
    if not isinstance(answer, dict):
        raise BadAnswer("is no object")
    view = interaction.view
    if view is None:
        if answer:
            raise BadAnswer("only a submission is answered with more than an acknowledgement")
        return "done"
    if view.id not in workspace.views:
        return "failed"  # The modal is closed by now, so nobody sees the answer.
    if not answer:
        del workspace.views[view.id]  # One that it was opened over is seen again.
        return "closed"
    action = answer.get("response_action")
    known = {"errors": {"response_action", "errors"}, "clear": {"response_action"}}.get(action, {"response_action", "view"})
    if action not in ("errors", "clear", "update", "push"):
        raise BadAnswer(f"unknown response_action {action!r}")
    if {*answer} != known:
        raise BadAnswer(f"{action} has the fields {', '.join(sorted(known))}, not {', '.join(sorted(answer))}")
    _act(workspace, view, action, answer)
    return action


def _act(workspace: Workspace, view: View, action: str, answer: dict[str, Any]) -> None:
    if action == "errors":
        view.errors = _check_errors(view, answer["errors"])
    elif action == "clear":
        workspace.close_views(view.root_id)
    else:
        try:
            check_modal(answer["view"])
        except Refusal as refusal:
            raise BadAnswer(f"{action}: {refusal.answer.content}") from None
        if action == "update":
            replace(workspace, view, answer["view"])
        else:
            place(workspace, view.app, view.user, answer["view"], over=view)


def _check_errors(view: View, errors: Any) -> dict[str, str]:
    if not isinstance(errors, dict) or not errors:
        raise BadAnswer("errors is no object with something in it")
    strangers = sorted({*errors} - {*view.inputs})
    if strangers:
        raise BadAnswer(f"errors for what is no input block: {', '.join(strangers)}")
    if not all(isinstance(each, str) and each.strip() for each in errors.values()):
        raise BadAnswer("an error is no text")
    return errors

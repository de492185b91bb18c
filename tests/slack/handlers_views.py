"""Modals: opening them before the person who acted, and changing them."""

from __future__ import annotations

from typing import Any

from tests.slack import shapes
from tests.slack.answers import Answer, Refusal, invalid_arguments, ok
from tests.slack.arguments import structure, text
from tests.slack.methods import Call, method
from tests.slack.modals import check_modal, complete_modal
from tests.slack.models import App, View
from tests.slack.workspace import Workspace

VIEW = {"view": structure("invalid_arguments")}


@method("views.open", required={"trigger_id": text, **VIEW})
def open_view(call: Call) -> Answer:
    """A view that is refused leaves the trigger as it is."""
    call.workspace.triggers.find(call["trigger_id"])
    check_modal(call["view"])
    _check_external_id(call.workspace, call["view"], None)
    user = call.workspace.triggers.exchange(call["trigger_id"])
    return ok(view=shapes.view(place(call.workspace, call.app, user, call["view"])))


@method("views.update", required=VIEW, optional={"view_id": text, "external_id": text, "hash": text})
def update_view(call: Call) -> Answer:
    found = _find(call)
    check_modal(call["view"])
    if "hash" in call and call["hash"] != found.hash:
        raise Refusal("hash_conflict")
    _check_external_id(call.workspace, call["view"], found)
    replace(call.workspace, found, call["view"])
    return ok(view=shapes.view(found))


def place(workspace: Workspace, app: App, user: str, content: dict[str, Any], over: View | None = None) -> View:
    """Opens a modal before a person, on its own or over another one."""
    view_id = workspace.new_id("V")
    content = complete_modal(content, workspace.new_block_id)
    root = over.root_id if over else view_id
    view = View(view_id, user, app, content, _new_hash(workspace), root, over.id if over else None)
    workspace.views[view_id] = view
    return view


def replace(workspace: Workspace, view: View, content: dict[str, Any]) -> None:
    """Shows other content in a modal that is open."""
    view.content, view.hash = complete_modal(content, workspace.new_block_id), _new_hash(workspace)
    view.errors = {}


def _new_hash(workspace: Workspace) -> str:
    return f"{workspace.new_ts().partition('.')[0]}.{workspace.new_block_id()}"


def _find(call: Call) -> View:
    if "view_id" not in call and "external_id" not in call:
        raise invalid_arguments("missing required field: view_id")
    for view in call.workspace.views.values():
        is_meant = view.id == call.get("view_id") if "view_id" in call else view.content["external_id"] == call["external_id"]
        if is_meant and view.app is call.app:
            return view
    raise Refusal("not_found")


def _check_external_id(workspace: Workspace, content: dict[str, Any], itself: View | None) -> None:
    given = content.get("external_id")
    if given and any(each.content["external_id"] == given for each in workspace.views.values() if each is not itself):
        raise Refusal("duplicate_external_id")

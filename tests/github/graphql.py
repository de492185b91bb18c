"""The one mutation that is served: ``updateRefs``, which moves several refs or none."""

from __future__ import annotations

import re
from typing import Any

from tests.github.acts import Acts, RefError
from tests.github.answers import Answer, Refusal
from tests.github.checks import check_fields, flag, list_of, mapping, maybe, sha, text
from tests.github.graphql_language import BadQuery, Operation, Selection, parse
from tests.github.models import Repository
from tests.github.objects import ZERO
from tests.github.routing import Call, route
from tests.github.views import moment


def is_mutation(body: Any) -> bool:
    query = body.get("query") if isinstance(body, dict) else None
    return isinstance(query, str) and re.match(r"(\s|,|#[^\n]*\n)*mutation\b", query) is not None


@route("POST", "/graphql")
def execute(call: Call) -> Answer:
    try:
        given = check_fields("Query", call.body, {"query": text}, {"variables": maybe(mapping), "operationName": maybe(text)})
        operation = parse(given["query"], given.get("variables") or {})
        selection = _only_update_refs(operation)
        update = _update(selection.arguments)
    except (BadQuery, Refusal) as problem:
        what = problem.answer.content["errors"] if isinstance(problem, Refusal) else str(problem)
        call.hub.unexpected.append(f"POST /graphql: {what}")
        return Answer(200, {"errors": [{"message": str(what), "locations": [{"line": 1, "column": 1}]}]})
    return _update_refs(call, selection, update)


def _only_update_refs(operation: Operation) -> Selection:
    if operation.kind != "mutation":
        raise BadQuery("Only mutations are served")
    if len(operation.selections) != 1 or operation.selections[0].name != "updateRefs":
        names = ", ".join(each.name for each in operation.selections)
        raise BadQuery(f"Only the mutation updateRefs is served, not {names}")
    selection = operation.selections[0]
    unknown = {each.name for each in selection.selections} - {"clientMutationId", "__typename"}
    if unknown:
        raise BadQuery(f"Field '{sorted(unknown)[0]}' doesn't exist on type 'UpdateRefsPayload'")
    if not selection.selections:
        raise BadQuery("Field must have selections (field 'updateRefs' returns UpdateRefsPayload but has no selections.)")
    return selection


def _update(arguments: dict[str, Any]) -> dict[str, Any]:
    given = check_fields("Mutation", arguments, {"input": mapping})["input"]
    update = check_fields(
        "UpdateRefsInput", given, {"repositoryId": text, "refUpdates": list_of(mapping)}, {"clientMutationId": maybe(text)}
    )
    for each in update["refUpdates"]:
        check_fields("RefUpdate", each, {"name": text, "afterOid": sha}, {"beforeOid": maybe(sha), "force": maybe(flag)})
    return update


def _update_refs(call: Call, selection: Selection, update: dict[str, Any]) -> Answer:
    token = call.actor.token
    repositories = call.hub.repositories.values()
    repository = next((each for each in repositories if each.node_id == update["repositoryId"]), None)
    assert token
    login = token.user.login
    if repository is None or not (token.app.covers(repository.full_name) if token.app else repository.allows(login, "read")):
        message = f"Could not resolve to a node with the global id of '{update['repositoryId']}'"
        return _failure(selection, message, "NOT_FOUND")
    may_write = token.permissions.get("contents") == "write" if token.app else repository.allows(login, "write")
    if not may_write or repository.is_archived:
        kind = "integration" if token.app else "personal access token"
        return _failure(selection, f"Resource not accessible by {kind}", "FORBIDDEN")
    try:
        _apply(Acts(repository, call.actor.user, call.now, call.hub.numbers, call.actor.app), repository, update["refUpdates"])
    except RefError:
        # GitHub does not say what was wrong.
        message = (
            f"Something went wrong while executing your query on {moment(call.now)}. "
            "Please include `4D5E:1A2B:3C4D5E:6F7081:67CE4A80` when reporting this issue."
        )
        return Answer(200, {"data": {selection.key: None}, "errors": [{"message": message}]})
    values = {"clientMutationId": update.get("clientMutationId"), "__typename": "UpdateRefsPayload"}
    return Answer(200, {"data": {selection.key: {each.key: values[each.name] for each in selection.selections}}})


def _apply(acts: Acts, repository: Repository, updates: list[dict[str, Any]]) -> None:
    """Checks every update against what is there, then does all of them."""
    names = [each["name"] for each in updates]
    if not names or len(set(names)) < len(names):
        raise RefError("A ref is named twice, or none is")
    moves = []
    for each in updates:
        old = repository.refs.get(each["name"])
        new = None if each["afterOid"] == ZERO else each["afterOid"]
        before = each.get("beforeOid")
        if before is not None and before != (old or ZERO):
            raise RefError(f"{each['name']} is not at {before}")
        if old is None and new is None:
            raise RefError(f"{each['name']} does not exist")
        acts.check_ref(each["name"], old, new, force=bool(each.get("force")))
        moves.append((each["name"], new))
    for name, new in moves:
        acts.move_ref(name, new)


def _failure(selection: Selection, message: str, kind: str) -> Answer:
    error = {"type": kind, "path": [selection.key], "locations": [{"line": 1, "column": 1}], "message": message}
    return Answer(200, {"data": {selection.key: None}, "errors": [error]})

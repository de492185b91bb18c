"""Deployments and what became of them."""

from __future__ import annotations

from tests.github.answers import Answer, not_found
from tests.github.checks import text
from tests.github.models import Deployment, DeploymentStatus
from tests.github.routing import PAGES, Call, route
from tests.github.views import moment

DEPLOYMENTS = "/repos/{owner}/{repo}/deployments"


@route("GET", DEPLOYMENTS, "deployments", query={**PAGES, "environment": text, "ref": text, "sha": text, "task": text})
def list_deployments(call: Call) -> Answer:
    """The newest first."""
    found = sorted(call.repository.deployments.values(), key=lambda each: each.id, reverse=True)
    return call.pages(found, lambda each: _deployment(call, each))


@route("GET", DEPLOYMENTS + "/{number#}/statuses", "deployments", query=PAGES)
def list_statuses(call: Call) -> Answer:
    """The newest first."""
    found = call.repository.deployments.get(int(call.names["number"]))
    if found is None:
        raise not_found()
    return call.pages([*reversed(found.statuses)], lambda each: _status(call, found, each))


def _deployment(call: Call, each: Deployment) -> dict[str, object]:
    url = f"{call.hub.views.repository_url(call.repository)}/deployments/{each.id}"
    return {
        "url": url,
        "id": each.id,
        "sha": each.sha,
        "ref": each.ref,
        "task": each.task,
        "payload": {},
        "original_environment": each.environment,
        "environment": each.environment,
        "description": None,
        "creator": call.hub.views.user(each.creator),
        "created_at": moment(each.created_at),
        "updated_at": moment(each.created_at),
        "statuses_url": f"{url}/statuses",
        "transient_environment": False,
        "production_environment": each.environment == "production",
    }


def _status(call: Call, deployment: Deployment, each: DeploymentStatus) -> dict[str, object]:
    url = f"{call.hub.views.repository_url(call.repository)}/deployments/{deployment.id}"
    return {
        "url": f"{url}/statuses/{each.id}",
        "id": each.id,
        "state": each.state,
        "creator": call.hub.views.user(each.creator),
        "description": each.description,
        "environment": deployment.environment,
        "target_url": "",
        "created_at": moment(each.created_at),
        "updated_at": moment(each.created_at),
        "deployment_url": url,
        "environment_url": "",
        "log_url": "",
    }

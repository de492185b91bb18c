"""Answers and refusals in GitHub's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
DOCUMENTATION = "https://docs.github.com/rest"
LIMITS_URL = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
LOCKING_URL = "https://docs.github.com/articles/locking-conversations/"
REDIRECTS_URL = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"
SECONDARY_LIMITS_URL = (
    "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)
SECONDARY_LIMIT = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)


@dataclass(frozen=True)
class Answer:
    """An answer: JSON unless ``raw`` stands there instead."""

    status: int
    content: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.status in (204, 302, 304) else json.dumps(self.content, separators=(",", ":")).encode()


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(
        self, status: int, message: str, errors: list[Json] | None = None, url: str = DOCUMENTATION, **headers: str
    ) -> None:
        super().__init__(message)
        content: dict[str, Json] = {"message": message}
        if errors is not None:
            content["errors"] = errors
        content |= {"documentation_url": url, "status": str(status)}
        self.answer = Answer(status, content, {name.replace("_", "-"): value for name, value in headers.items()})


def invalid(*errors: dict[str, Any]) -> Refusal:
    """The 422 of fields that will not do."""
    return Refusal(422, "Validation Failed", list(errors))


def custom(resource: str, field_name: str, message: str) -> Refusal:
    """The 422 of a rule that GitHub words for itself."""
    return invalid({"resource": resource, "code": "custom", "field": field_name, "message": message})


def not_found() -> Refusal:
    return Refusal(404, "Not Found")


def gone(message: str) -> Refusal:
    return Refusal(410, message)


def issues_disabled() -> Refusal:
    return gone("Issues are disabled for this repo")


def moved(location: str) -> Refusal:
    """The 301 that leads to where something is now."""
    refusal = Refusal(301, "Moved Permanently", url=REDIRECTS_URL, Location=location)
    refusal.answer.content["url"] = location
    return refusal


def bad_credentials() -> Refusal:
    return Refusal(401, "Bad credentials")


def secondary_limit(retry_after: int | None = None) -> Refusal:
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    return Refusal(403, SECONDARY_LIMIT, url=SECONDARY_LIMITS_URL, **headers)

"""Answers and refusals in Slack's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Any


@dataclass(frozen=True)
class Answer:
    """An answer: JSON unless ``raw`` stands there instead."""

    content: Json = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def body(self) -> bytes:
        return json.dumps(self.content, separators=(",", ":")).encode() if self.raw is None else self.raw


class Refusal(Exception):
    """A request that is answered with an error; ``problems`` are sentences that say where it is wrong."""

    def __init__(
        self,
        error: str,
        problems: Sequence[str] = (),
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **extra: Json,
    ) -> None:
        super().__init__(error)
        self.error = error
        content: dict[str, Json] = {"ok": False, "error": error, **extra}
        if problems:
            content["errors"] = list(problems)
            content["response_metadata"] = {"messages": [f"[ERROR] {each}" for each in problems]}
        self.answer = Answer(content, status, headers or {})


def ok(**content: Json) -> Answer:
    return Answer({"ok": True, **content})


def invalid_arguments(*problems: str) -> Refusal:
    return Refusal("invalid_arguments", problems)


def ratelimited(seconds: int) -> Refusal:
    """Too many requests: the only error that Slack does not tell with status 200."""
    return Refusal("ratelimited", status=429, headers={"Retry-After": str(seconds)})

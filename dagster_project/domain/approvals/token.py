"""What a button carries: which request in which revision, and a signature that tells our values from made-up ones."""

from __future__ import annotations

import hashlib
import hmac
import re

_VALUE = re.compile(r"(apr-[0-9a-f]{12})\.(\d{1,9})\.([0-9a-f]{64})\.([0-9a-f]{64})")


def signed(key: bytes, request_id: str, revision: int, plan_digest: str) -> str:
    """The value of a button: request, revision and plan with their HMAC-SHA256; some 160 characters of 2,000."""
    text = f"{request_id}.{revision}.{plan_digest}"
    return f"{text}.{_mac(key, text)}"


def read(key: bytes, value: str) -> tuple[str, int, str] | None:
    """Request, revision and plan digest of a value; None where we did not sign it."""
    found = _VALUE.fullmatch(value)
    if found is None or not hmac.compare_digest(found.group(4), _mac(key, value.rpartition(".")[0])):
        return None
    return found.group(1), int(found.group(2)), found.group(3)


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

"""Names under which values are secret: of fields in a payload, of variables of an environment, of parameters of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Anywhere in a name, for names are written together: masterUserPwd, DB_PASSWORD, x-api-key, apikey.
_PARTS = (
    "password", "passwd", "passphrase", "passcode", "passwort", "pwd", "secret", "credential", "privatekey", "accesskey",
    "apikey", "encryptionkey", "signingkey", "sharedkey", "masterkey", "authkey", "deploykey", "licensekey",
    "accountkey", "sessionkey", "authorization", "connectionstring", "userdata", "token", "cookie", "bearer", "webhook",
)  # fmt: skip
# Only as a word of its own: "pass" is in "passed", "auth" in "author".
_WORDS = frozenset({"pass", "pw", "auth", "pat", "creds", "cred", "dsn", "otp", "passkey", "jwt", "sas", "hmac"})
# What is told about a secret and is none: passwordPolicy, token_count, secretArn.
_ABOUT = frozenset(
    {
        "arn", "name", "length", "age", "count", "policy", "type", "version", "expiry", "expires", "expiration", "at", "date",
        "ttl", "enabled", "required", "status", "limit", "max", "min", "used", "method", "mode", "provider", "strategy",
    }
)  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMES, _VALUES = ("name", "key"), ("value", "val")


def is_secret_name(name: str) -> bool:
    """Whether what has this name is secret: ``DB_PASSWORD``, ``masterUserPwd``, ``x-api-key``; not ``token_count``."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or words[-2:] == ["key", "id"]:
        return False
    together = "".join(words)
    return not _WORDS.isdisjoint(words) or any(part in together for part in _PARTS)


def secret_fields(fields: Mapping[Any, Any]) -> frozenset[Any]:
    """The names of a mapping whose values are secret. ``{"name": "DB_PASSWORD", "value": …}`` names its value as well.

    Truth values and what is empty tell nothing, and neither does the number of tokens.
    """
    named = any(_ends(name, _NAMES) and isinstance(each, str) and is_secret_name(each) for name, each in fields.items())
    return frozenset(
        name
        for name, each in fields.items()
        if _can_be_secret(str(name), each) and (is_secret_name(str(name)) or (named and _ends(name, _VALUES)))
    )


def _can_be_secret(name: str, value: Any) -> bool:
    is_number = isinstance(value, int | float)
    return value not in (None, "", [], {}) and not isinstance(value, bool) and not (is_number and "token" in name.lower())


def _ends(name: Any, endings: tuple[str, ...]) -> bool:
    return str(name).lower().endswith(endings)

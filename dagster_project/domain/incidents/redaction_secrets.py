"""Secrets in text: what they look like, and what is put in their place.

Every pattern is linear: it starts where a word starts, and repetitions that may fail are bounded or cannot overlap with what
follows them. Ids that are no secrets (hashes, ARNs, instance and trace ids, permalinks) stay.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from dagster_project.domain.incidents import redaction_labelled as labelled
from dagster_project.domain.incidents.redaction_names import is_secret_name, secret_fields
from dagster_project.domain.incidents.redaction_pem import private_keys_removed
from dagster_project.domain.incidents.redaction_tables import secret_columns_removed
from dagster_project.domain.incidents.redaction_words import entropy, looks_random, looks_secret

__all__ = ["is_secret_name", "secret_fields", "secrets_removed"]

_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?P<key>(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9]))"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|gl(?:pat|dt|rt|cbt|ptt|agent)-[\w-]{16,}"
    r"|xox[abceoprs](?:\.[a-z]{3,4})?-[A-Za-z0-9.-]{8,}|xapp-\d-[A-Za-z0-9-]{8,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|dckr_(?:pat|oat)_[\w-]{20,}"
    r"|sk-(?:ant-|proj-)?[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|SK[0-9a-f]{32}(?![0-9a-f])"
    r"|hv[sbr]\.[\w-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{20,}"
    r"|gls[ac]_\w{20,}|glc_[\w+/=-]{20,}|do[oprt]_v1_[a-f0-9]{32,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}"
    r"|lin_api_\w{20,}|ATATT3x[\w=-]{20,}|pdus\+_\w{16,}|PMAK-[\w-]{20,}|NRAK-\w{20,}|dapi[a-f0-9]{32}"
    r"|\d{8,10}:AA[\w-]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{30,}"
    r")"
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?")
_WEBHOOKS = re.compile(
    r"https?://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w-]{1,63}\.webhook\.office\.com)/[\w/@=+.-]+",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"""(?<![\w-])(?:(?:proxy-)?authorization|x-(?:api-key|auth-token|vault-token|amz-security-token)|(?:set-)?cookie)"""
    r"""(?P<link>["']?[ \t]{0,8}[:=][ \t]{0,8}["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)[ \t]{1,8})?)"""
    r"""(?P<bare>[^\s"'`,<>|)\]}]{1,4000}(?:; ?[^\s"'`,;<>|)\]}=]{1,100}=[^\s"'`,;<>|)\]}]{1,4000}){0,50})""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?<![\w-])(?:bearer|basic)[ \t]{1,8}(?P<bare>[\w.~+/-]{12,4000}={0,2})", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"""(?<![\w.?&-])(?P<head>[A-Za-z][\w.-]{1,60})["']?[ \t]{0,4}[=:][ \t]{0,4}["']?"""
    r"(?P<bare>[A-Za-z0-9+/_-]{24,}={0,2})(?![\w+/=.-])"
)
# A secret access key of AWS without its name beside it.
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
# Not the digest of an image: image:tag@sha256:…
_URL_USER = re.compile(r"(?<=://)(?!(?:git|ssh)@)[^\s/\"'<>`\[\]]{1,400}@(?!sha\d)")
# A password with a slash in it; what begins with digits is a port and a path.
_URL_USER_WITH_SLASH = re.compile(
    r"(?<=://)[^\s/:@\"'<>`\[\]?#]{0,100}:(?!\d{1,5}[/?#])[^\s@\"'<>`\[\]]{1,400}@(?!sha\d)(?=[\w.-])"
)
_URL_USER_ENCODED = re.compile(r"(?<=%3a%2f%2f)(?:(?!%2f|%3f|%23|%40)[^\s&\"'<>`/?#\[\]]){1,400}%40", re.IGNORECASE)
_ENCODED = re.compile(r"(?<![\w+/=.-])[\w+/-]{20,}={0,2}(?![\w+/=-])", re.ASCII)
_QUERY = re.compile(
    r"(?P<head>(?:[?&]|&amp;)(?:x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig|"
    r"(?:access|id|refresh|auth|session|reset|invite)?_?token|auth|key|api_?key|code|secret|client_secret|password|passwd|pwd|"
    r"awsaccesskeyid|sas|hmac)=)(?!\[)[^\s&#\"'<>`)\]|]{1,4000}",
    re.IGNORECASE,
)
_MINIMUM_ENTROPY_OF_AWS = 4.2
_MOST_SLASHES_OF_AWS = 4


def secrets_removed(text: str) -> str:
    """``text`` with tokens, keys, passwords, credentials and signatures replaced by words in brackets. Idempotent."""
    lower = text.lower()
    text = private_keys_removed(text) if "-----" in text else text
    text = secret_columns_removed(text) if "|" in text and "-" in text else text
    for pattern, needles, replacement in _STEPS:
        if not needles or any(needle in lower for needle in needles):
            text = pattern.sub(replacement, text)
    return text


def _without_token_of_header(found: re.Match[str]) -> str:
    has_scheme = re.search(r"bearer|basic|token|digest|negotiate|apikey", found["link"], re.IGNORECASE)
    return labelled.replaced(found, "token") if has_scheme or looks_secret(found["bare"]) else found[0]


def _without_bearer(found: re.Match[str]) -> str:
    return labelled.replaced(found, "token") if looks_secret(found["bare"]) else found[0]


def _without_password_of_command(found: re.Match[str]) -> str:
    return labelled.replaced(found, "password")


def _without_assigned(found: re.Match[str]) -> str:
    is_public = labelled.is_public_name(found["head"]) or not looks_random(found["bare"])
    return found[0] if is_public else labelled.replaced(found, "secret")


def _without_aws_secret(found: re.Match[str]) -> str:
    value = found[0]
    is_random = looks_random(value) and entropy(value) >= _MINIMUM_ENTROPY_OF_AWS and value.count("/") <= _MOST_SLASHES_OF_AWS
    return "[secret removed]" if is_random else value


def _without_encoded(found: re.Match[str]) -> str:
    """A text in base64 that holds a secret is one. What it decodes to is shorter, so this ends."""
    value = found[0].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return found[0]
    is_text = all(character.isprintable() or character.isspace() for character in decoded)
    return "[secret removed]" if is_text and secrets_removed(decoded) != decoded else found[0]


# In this order; a pattern is tried only where one of the needles occurs, for most texts hold no secret.
_STEPS: tuple[tuple[re.Pattern[str], tuple[str, ...], str | Callable[[re.Match[str]], str]], ...] = (
    (_WEBHOOKS, ("hook",), "[webhook removed]"),
    (_TOKENS, (), lambda found: "[access key removed]" if found["key"] else "[token removed]"),
    (_JWT, ("eyj",), "[token removed]"),
    (_ENCODED, (), _without_encoded),
    (_QUERY, ("?", "&"), lambda found: f"{found['head']}[signature removed]"),
    (_URL_USER, ("://",), "[credentials removed]@"),
    (_URL_USER_WITH_SLASH, ("://",), "[credentials removed]@"),
    (_URL_USER_ENCODED, ("%3a%2f%2f",), "[credentials removed]%40"),
    (_HEADER, ("authorization", "x-", "cookie"), _without_token_of_header),
    (_BEARER, ("bearer", "basic"), _without_bearer),
    (labelled.ARGUMENT, ("--",), lambda found: labelled.replaced(found, "secret")),
    (labelled.USER_ARGUMENT, ("-u", "--"), labelled.without_user_password),
    (labelled.COMMAND, ("sshpass", "redis", "ldap", "docker", "sqlcmd", "requirepass"), _without_password_of_command),
    (labelled.MYSQL, ("mysql", "mariadb"), _without_password_of_command),
    (labelled.SQL, ("password", "identified"), _without_password_of_command),
    (labelled.PASSWORD, ("pass", "pwd", "pw"), labelled.without_password),
    (labelled.SECRET, ("secret", "token", "credential", "key"), labelled.without_secret),
    (labelled.KEY_ALONE, ("secret", "token", "key"), labelled.without_key_alone),
    (_ASSIGNED, ("=", ":"), _without_assigned),
    (_AWS_SECRET, (), _without_aws_secret),
)

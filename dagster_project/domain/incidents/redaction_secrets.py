"""Secrets in text: what they look like, and what is put in their place.

Every pattern is linear: it starts where a word starts, and repetitions that may fail are bounded or cannot overlap with what
follows them. Ids that are no secrets (hashes, ARNs, instance and trace ids, permalinks) stay.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable

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
    r"https://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w-]{1,63}\.webhook\.office\.com)/[\w/@=+.-]+"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BEGINS, _PEM_END = "-----BEGIN ", "-----END "
_PEM_BODY = re.compile(r"(?:(?:\s|\\[nr])*(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]*|[A-Za-z0-9+/]{16,}+={0,2}))*")

# Values that name a secret without being it: variables, templates, placeholders, ARNs, addresses, constants.
_REFERENCE = re.compile(
    r"[\[$%{<*…]|\(|(?:arn:|https?://|vault:|ssm:|var\.|local\.|data\.|module\.|env\.|os\.environ|secrets?\.)"
    r"|(?:true|false|null|none|nil|undefined|required|optional|missing|empty|changed|unchanged|yes|no|x{3,}|redacted)(?!\w)",
    re.IGNORECASE,
)
_VALUE = r"""(?:"(?P<double>[^"\n]{1,400})"|'(?P<single>[^'\n]{1,400})'|(?P<bare>[^\s"'`,;<>|)\]}]{1,4000}))"""
_HEADER = re.compile(
    r"""(?<![\w-])(?P<head>(?:proxy-)?authorization|x-(?:api-key|auth-token|vault-token|amz-security-token)|(?:set-)?cookie)"""
    r"""(?P<link>["']?[ \t]{0,8}[:=][ \t]{0,8}["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)[ \t]{1,8})?)"""
    r"""(?P<bare>[^\s"'`,<>|)\]}]{1,4000}(?:; ?[^\s"'`,;<>|)\]}=]{1,100}=[^\s"'`,;<>|)\]}]{1,4000}){0,50})""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?<![\w-])(?P<head>bearer|basic)(?P<link>[ \t]{1,8})(?P<bare>[\w.~+/-]{12,4000}={0,2})", re.IGNORECASE)
_PASSWORD = re.compile(
    r"""(?P<head>pass(?:word|wd|phrase|code)|(?<![a-z])pwd|(?<![a-z])pass)(?P<suffix>[\w.-]{0,24})"""
    r"""(?P<link>["'`]?(?:[ \t]{0,8}(?:=>|:=|[=:])[ \t]{0,8}|[ \t]{1,8}(?:is|was)[ \t]{1,8})`?)""" + _VALUE,
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"""(?P<head>secret|token|credential|(?:api|access|private|account|encryption|signing|shared|master|auth|deploy|license)"""
    r"""[_-]?key)(?P<suffix>[\w.-]{0,24})"""
    r"""(?P<link>["'`]?(?:[ \t]{0,8}(?:=>|:=|[=:])[ \t]{0,8}|[ \t]{1,8}(?:is|was)[ \t]{1,8})`?)""" + _VALUE,
    re.IGNORECASE,
)
_ARGUMENT = re.compile(
    r"(?<![\w-])(?P<head>--(?:password|passwd|token|secret|api-key|access-key))(?P<link>[ \t]{1,4})" + _VALUE, re.IGNORECASE
)
_ASSIGNED = re.compile(
    r"""(?<![\w.?&-])(?P<head>[A-Za-z][\w.-]{1,60})(?P<link>["']?[ \t]{0,4}[=:][ \t]{0,4}["']?)"""
    r"(?P<bare>[A-Za-z0-9+/_-]{24,}={0,2})(?![\w+/=.-])"
)
# A secret access key of AWS without its name beside it.
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
_URL_USER = re.compile(r"(?<=://)(?!(?:git|ssh)@)[^\s/\"'<>`\[\]]{1,400}@")
_QUERY = re.compile(
    r"(?P<head>(?:[?&]|&amp;)(?:x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig|"
    r"(?:access|id|refresh|auth|session|reset|invite)?_?token|auth|key|api_?key|code|secret|client_secret|password|passwd|pwd|"
    r"awsaccesskeyid|sas|hmac)=)(?!\[)[^\s&#\"'<>`)\]|]{1,4000}",
    re.IGNORECASE,
)
# Names of values that look random and are public.
_PUBLIC_NAME = re.compile(
    r"trace|span|commit|sha|digest|hash|checksum|integrity|etag|arn|(?:^|[_.-])id$|Id$|image|url|uri|path|file|version|cursor|ami|"
    r"bucket|serial|fingerprint|md5|request|session_?name|host|name$|archive",
    re.IGNORECASE,
)
# What follows "password:" or "the password was" in a sentence and is none.
_PROSE = re.compile(
    r"(?:[a-z]+(?:ed|ing)|the|an?|it|its|we|they|you|he|she|this|that|these|there|not|no|never|only|also|already|still|too|now|then|"
    r"was|is|were|has|had|have|and|or|for|in|on|of|to|by|with|from|must|should|can|could|will|would|may|same|new|old|wrong|correct|"
    r"right|weak|strong|safe|unsafe|valid|invalid|known|unknown|hidden|reset|set|policy|gone|written|shown|seen|taken|sent|found|"
    r"kept|put|made|lost|stolen|public|visible|readable|part|one|all|what|which|where|when|why|how)[.!?]?",
    re.IGNORECASE,
)
_MINIMUM_ENTROPY = 3.7
_MINIMUM_ENTROPY_OF_AWS = 4.2


def secrets_removed(text: str) -> str:
    """``text`` with tokens, keys, passwords, credentials and signatures replaced by words in brackets. Idempotent."""
    lower = text.lower()
    text = _without_pem(text) if _PEM_BEGINS in text else text
    for pattern, needles, replacement in _STEPS:
        if not needles or any(needle in lower for needle in needles):
            text = pattern.sub(replacement, text)
    return text


def looks_random(value: str) -> bool:
    """Whether a value is made of several kinds of characters in no order: not a word, a number, a hex hash or a path."""
    kinds = [any(c.islower() for c in value), any(c.isupper() for c in value), any(c.isdigit() for c in value)]
    return all(kinds) and not _is_hex(value) and _entropy(value) >= _MINIMUM_ENTROPY and not _is_made_of_words(value)


def _without_pem(text: str) -> str:
    pieces, position, has_ends = [], 0, True
    for start in _PEM.finditer(text):
        if start.start() < position:
            continue
        end = text.find(_PEM_END, start.end()) if has_ends else -1
        has_ends = end >= 0
        stop = text.find("-----", end + len(_PEM_END)) if has_ends else -1
        body = _PEM_BODY.match(text, start.end())
        pieces += [text[position : start.start()], "[private key removed]"]
        position = stop + 5 if stop >= 0 else body.end() if body else start.end()
    return "".join([*pieces, text[position:]])


def _replaced(found: re.Match[str], what: str, *, is_certain: bool) -> str:
    groups = found.groupdict()
    value = groups.get("double") or groups.get("single") or groups.get("bare") or ""
    if _REFERENCE.match(value) or not (is_certain or _looks_secret(value)):
        return found[0]
    quote = '"' if groups.get("double") else "'" if groups.get("single") else ""
    return f"{found['head']}{groups.get('suffix') or ''}{found['link']}{quote}[{what} removed]{quote}"


def _has_scheme(found: re.Match[str]) -> bool:
    return bool(re.search(r"bearer|basic|token|digest|negotiate|apikey", found["link"], re.IGNORECASE))


def _without_password(found: re.Match[str]) -> str:
    is_loose = "=" not in found["link"] and found["bare"] is not None
    is_prose = is_loose and _PROSE.fullmatch(found["bare"]) and (_goes_on(found) or ":" not in found["link"])
    return _replaced(found, "password", is_certain=not is_prose)


def _without_secret(found: re.Match[str]) -> str:
    value = found["double"] or found["single"] or found["bare"]
    if re.fullmatch(r"[\d.,]+", value) or _PUBLIC_NAME.search(found["suffix"]):
        return found[0]
    is_assigned = "=" in found["link"] and len(value) >= 6
    return _replaced(found, "secret", is_certain=is_assigned and not (found["suffix"].startswith("s") and value.isalpha()))


def _without_assigned(found: re.Match[str]) -> str:
    if _PUBLIC_NAME.search(found["head"]) or not looks_random(found["bare"]):
        return found[0]
    return _replaced(found, "secret", is_certain=True)


def _goes_on(found: re.Match[str]) -> bool:
    """Whether further words follow on the line: "password: it was changed" tells no password."""
    rest = found.string[found.end() : found.end() + 40].split("\n")[0]
    return bool(re.match(r"[ \t]+\w|,[ \t]+\w", rest))


def _looks_secret(value: str) -> bool:
    if len(value) < 6 or _is_made_of_words(value):
        return False
    has_digit = any(c.isdigit() for c in value)
    has_letter = any(c.isalpha() for c in value)
    return has_digit and has_letter and not re.fullmatch(r"v?\d+(?:[.:-]\d+)*[a-z]{0,3}", value)


def _is_made_of_words(value: str) -> bool:
    """``payment-api_retries``, ``src/main/App.java``: pieces that are words or numbers."""
    pieces = [piece for piece in re.split(r"[/_.:+-]", value) if piece]
    return len(pieces) > 1 and all(
        re.fullmatch(r"[A-Z]?[a-z]{1,20}(?:[A-Z][a-z]{1,20}){0,5}|[A-Z]{1,20}|\d{1,14}", p) for p in pieces
    )


def _is_hex(value: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F-]+", value) is not None


def _is_aws_secret(value: str) -> bool:
    return looks_random(value) and _entropy(value) >= _MINIMUM_ENTROPY_OF_AWS and value.count("/") <= 4


def _entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


# In this order; a pattern is tried only where one of the needles occurs, for most texts hold no secret.
_STEPS: tuple[tuple[re.Pattern[str], tuple[str, ...], str | Callable[[re.Match[str]], str]], ...] = (
    (_WEBHOOKS, ("hook",), "[webhook removed]"),
    (_TOKENS, (), lambda found: "[access key removed]" if found["key"] else "[token removed]"),
    (_JWT, ("eyj",), "[token removed]"),
    (_QUERY, ("?", "&"), lambda found: f"{found['head']}[signature removed]"),
    (_URL_USER, ("://",), "[credentials removed]@"),
    (_HEADER, ("authorization", "x-", "cookie"), lambda found: _replaced(found, "token", is_certain=_has_scheme(found))),
    (_BEARER, ("bearer", "basic"), lambda found: _replaced(found, "token", is_certain=False)),
    (_ARGUMENT, ("--",), lambda found: _replaced(found, "secret", is_certain=True)),
    (_PASSWORD, ("pass", "pwd"), _without_password),
    (_SECRET, ("secret", "token", "credential", "key"), _without_secret),
    (_ASSIGNED, ("=", ":"), _without_assigned),
    (_AWS_SECRET, (), lambda found: "[secret removed]" if _is_aws_secret(found[0]) else found[0]),
)

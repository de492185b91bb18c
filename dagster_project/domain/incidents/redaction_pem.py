"""Private keys in PEM, whole or cut off, in a quotation of a chat or in a JSON text."""

from __future__ import annotations

import re

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", re.IGNORECASE)
_END = re.compile(r"-----END [A-Z0-9 ]{0,60}-----", re.IGNORECASE)
# Before each line of a quotation stands ">", which Slack writes as "&gt;", or "|".
_BODY = re.compile(
    r"(?:(?:\s|\\[nr]|>|\||&gt;)*"
    r"(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]*"
    r"|(?:[A-Za-z0-9+/]{16,}+={0,2}|[A-Za-z0-9+/]{1,15}(?:==|=(?![\"'])))(?![\w=-])))*"
)


def private_keys_removed(text: str) -> str:
    """``text`` without private keys; one without an end goes as far as what looks like a key."""
    pieces, position, has_ends = [], 0, True
    for start in _BEGIN.finditer(text):
        if start.start() < position:
            continue
        end = _END.search(text, start.end()) if has_ends else None
        has_ends = end is not None
        body = end or _BODY.match(text, start.end())
        pieces += [text[position : start.start()], "[private key removed]"]
        position = body.end() if body else start.end()
    return "".join([*pieces, text[position:]])

"""What a value is made of: a word of a sentence, the name of a variable, or characters that look like a secret."""

from __future__ import annotations

import math
import re
from collections import Counter

# Variables, templates, placeholders, ARNs, addresses, constants.
_REFERENCE = re.compile(
    r"[\[$%{<*…]|\(|(?:arn:|https?://|vault:|ssm:|var\.|local\.|data\.|module\.|env\.|os\.environ|secrets?\.)"
    r"|(?:true|false|null|none|nil|undefined|required|optional|missing|empty|changed|unchanged|yes|no|x{3,}|redacted)(?!\w)",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"(?:[a-z]+(?:ed|ing)|the|an?|it|its|we|they|you|he|she|this|that|these|there|not|no|never|only|also|already|still|too|now|then|"
    r"was|is|were|has|had|have|and|or|for|in|on|of|to|by|with|from|at|must|should|can|could|will|would|may|same|new|old|wrong|right|"
    r"correct|weak|strong|strict|safe|unsafe|secure|insecure|valid|invalid|known|unknown|hidden|reset|set|policy|gone|written|shown|"
    r"seen|taken|sent|found|kept|put|made|lost|stolen|public|visible|readable|part|one|all|what|which|where|when|why|how|short|long|"
    r"late|stale|fine|okay|good|bad|broken|simple|complex|unique|random|different|identical|something|plain|plaintext|default|out|up|"
    r"off|just|longer|shorter|always|as|being|been|blank|our|their|my|your|so|very|easy|hard|due|back|per|owner|team|unclear|n/a|tbd)"
    r"[.!?]?",
    re.IGNORECASE,
)
_MINIMUM_ENTROPY = 3.7
_SHORTEST = 6


def is_reference(value: str) -> bool:
    """Whether a value names a secret without being it: ``$TOKEN``, ``${{ secrets.X }}``, ``arn:…``, ``null``, ``[… removed]``."""
    return _REFERENCE.match(value) is not None


def is_prose(value: str) -> bool:
    """Whether a value is a word that follows "the password was" in a sentence and is none."""
    return _PROSE.fullmatch(value) is not None


def is_hex(value: str) -> bool:
    """Whether a value is a hexadecimal number, with hyphens or without."""
    return re.fullmatch(r"[0-9a-fA-F-]+", value) is not None


def looks_random(value: str) -> bool:
    """Whether a value is made of several kinds of characters in no order: not a word, a number, a hex hash or a path."""
    kinds = [any(c.islower() for c in value), any(c.isupper() for c in value), any(c.isdigit() for c in value)]
    return all(kinds) and not is_hex(value) and entropy(value) >= _MINIMUM_ENTROPY and not is_made_of_words(value)


def looks_secret(value: str) -> bool:
    """Whether a value has letters and digits and is neither made of words nor a version or a duration."""
    if len(value) < _SHORTEST or is_made_of_words(value):
        return False
    has_digit = any(c.isdigit() for c in value)
    has_letter = any(c.isalpha() for c in value)
    return has_digit and has_letter and not re.fullmatch(r"v?\d+(?:[.:-]\d+)*[a-z]{0,3}", value)


def is_made_of_words(value: str) -> bool:
    """``payment-api_retries``, ``src/main/App.java``: pieces that are words or numbers."""
    pieces = [piece for piece in re.split(r"[/_.:+-]", value) if piece]
    return len(pieces) > 1 and all(
        re.fullmatch(r"[A-Z]?[a-z]{1,20}(?:[A-Z][a-z]{1,20}){0,5}|[A-Z]{1,20}|\d{1,14}", p) for p in pieces
    )


def entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())

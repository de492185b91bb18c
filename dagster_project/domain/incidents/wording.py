"""Wording that blames: hinted at, never blocked. What people did made sense to them then; the text should say why."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PEOPLE = (
    r"(?:s?he|they|you|we|I|nobody|no one|somebody|someone|everyone|engineer-[0-9a-f]{4}|[a-z]+(?:-[a-z]+)*-[0-9a-f]{4}|"
    r"(?:the|an?|our|on-call|this|that|second|primary)\s(?:[\w-]+\s){0,2}(?:engineer|developer|operator|team|admin|user|person|"
    r"colleague|manager|lead|responder|commander|author|reviewer|employee|contractor|dba|sre))"
)
_RULES: tuple[tuple[str, str], ...] = (
    (rf"\b{_PEOPLE}\s(?:really\s)?(?:should|could|ought to|must)(?:\s?n[o']t|n't)?\s(?:not\s)?(?:just\s)?have\s"
     r"(?!an?\b|the\b|to\b|some\b|more\b|no\b|any\b|our\b|their\b|in\b)\w+",
     "Say what was known and visible at that moment, instead of what might have been done."),
    (rf"\bif\s(?:only\s)?{_PEOPLE}\shad(?:\s?n[o']t|n't)?\b",
     "Say what happened and why it made sense, instead of what would have happened otherwise."),
    (r"\b(?:human|operator|user|pilot)\serror\b", "Say what made the action seem right, and what let it through."),
    (r"\b(?:root\s)?cause\s(?:was|is)\s(?:that\s)?(?:a\smistake\sby\s)?" + _PEOPLE,
     "Name conditions that contributed, not a person."),
    (r"\b(?:careless(?:ly|ness)?|negligen(?:t|tly|ce)|reckless(?:ly|ness)?|sloppy|sloppily|incompetent|incompetence|lazy|laziness|"
     r"stupid(?:ly|ity)?|clueless|dumb|irresponsible|unprofessional)\b",
     "Describe the action and its circumstances without judging the person."),
    (rf"\b{_PEOPLE}\s(?:\w+ly\s)?(?:failed|neglected|didn't bother|did not bother|refused)\sto\b",
     "Say what was done instead, and what made it the likely choice."),
    (r"\bforg[eo]t(?:ten|s)?\sto\b|\b(?:had|has|have|was|were)\s(?:been\s)?forgotten\b",
     "Say what the process relied on people to remember, and what could remember it for them."),
    (rf"\b{_PEOPLE}\s(?:ignored|disregarded|violated|broke)\s(?:the|an?|our|all|this|that)\b",
     "Say what the signal looked like from where the people stood."),
    (r"\b(?:at|to be|is to|are to|was to|were to|'s to)\s(?:fault|blame)\b|\bblam(?:e|es|ed|ing)\s(?!less)\w+|"
     r"\bfault\sof\s" + _PEOPLE,
     "Ask how it could happen, instead of who did it."),
    (r"\b(?:should|ought to)\s(?:have\s)?know(?:n)?\sbetter\b|\bobvious\s(?:mistake|error)\b|\bsimply\sforgot\b|"
     r"\bcommon\ssense\b", "What is obvious afterwards was one of many possibilities before; say which others there were."),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), suggestion) for pattern, suggestion in _RULES)
_LONGEST_LINE = 5000


@dataclass(frozen=True, slots=True)
class Hint:
    """Wording on a line (counted from 1) that blames, and what to write instead."""

    line: int
    phrase: str
    suggestion: str


def hints(text: str) -> tuple[Hint, ...]:
    """Wording of ``text`` that blames people, in order. Code, quotes and comments are left alone."""
    found: list[Hint] = []
    is_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code and not line.lstrip().startswith((">", "<!--", "    ")):
            found += _hints_of_line(number, re.sub(r"`[^`]*`", "", line[:_LONGEST_LINE]))
    return tuple(found)


def _hints_of_line(number: int, line: str) -> list[Hint]:
    matches = [(m.start(), m.end(), suggestion) for pattern, suggestion in _COMPILED for m in pattern.finditer(line)]
    kept: list[Hint] = []
    last_end = -1
    for start, end, suggestion in sorted(matches, key=lambda match: (match[0], -match[1])):
        if start >= last_end:
            kept.append(Hint(number, line[start:end].strip(), suggestion))
            last_end = end
    return kept

"""Which phase words speak of: labels ("First detected"), and rows of a timeline ("Incident declared", "**Recovery:** …")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

_LABELS = (
    ("impact_started", r"(?:fault|impact|outage|incident|issue|problem|disruption|degradation|failure|event)?\s*"
     r"(?:occur(?:s|red)?|beg[ai]ns?|begun|start(?:s|ed)?|onset)|start of (?:the )?(?:impact|outage|incident|issue)"),
    ("detected", r"(?:fault|issue|problem|incident)?\s*(?:detected|detection|discovered|discovery|noticed|alerted)"
     r"|first (?:alert|report)|team (?:became |made )?(?:aware|alerted|notified)"),
    ("acknowledged", r"(?:alert |incident |page )?acknowledged|acknowledgement|responded|response started|engaged"),
    ("declared", r"(?:incident|outage)?\s*(?:declared|declaration|raised|opened)"),
    ("identified", r"(?:root cause|cause|issue|fault|problem)?\s*(?:identified|found|diagnosed)|diagnosis"),
    ("mitigated", r"(?:incident|issue|impact|fault)?\s*(?:mitigated|mitigation|stabili[sz]ed|contained)"),
    ("resolved", r"(?:incident|issue|fault|problem|outage)?\s*(?:resolved|resolution)|incident (?:ends?|ended|over)"),
    ("impact_ended", r"(?:incident|fault|service|services|issue|outage|impact|system)?\s*(?:repaired|recovered|recovery|restored"
     r"|ends?|ended|over)|end of (?:the )?(?:impact|outage|incident|issue)|service restoration"),
    ("closed", r"(?:incident|ticket)?\s*closed"),
)  # fmt: skip
_LABEL_PATTERNS = tuple((phase, re.compile(pattern, re.IGNORECASE)) for phase, pattern in _LABELS)
_NOISE = re.compile(
    r"^(?:status|date|time|the|first|customer|user|when)\b[:\s]*|\b(?:at|on|time|date|was|is|has been|been)\b|[*_`:()|]", re.I
)

_INCIDENT = r"(?:incident|inc|outage|sev[- ]?\d(?: ticket)?|p\d(?: ticket)?)"
_ROWS = (
    ("resolved", 0.9, rf"\b{_INCIDENT}\b(?: (?!not\b)\w+){{0,3}}? (?:declared |marked )?(?:as )?resolved\b|\(resolved\)"
     r"|\bmarked as resolved\b|\bresolved the incident\b|^\W*resolved\W*$|\bincident (?:is )?(?:over|ends|ended)\b"
     r"|\bissue(?: is)? (?:now )?(?:fully )?resolved\b|\ball clear\b"),
    ("closed", 0.9, rf"\b{_INCIDENT}(?: is| was)? closed\b|\bclosed (?:the )?incident\b"),
    ("declared", 0.9, rf"\b{_INCIDENT}(?: is| was| has been)? (?:declared|raised|opened|created)\b(?! (?:as )?resolved)"
     rf"|\bincident begins\b|\bdeclar(?:ed|es|ing) (?:this |it )?(?:as )?(?:an? )?{_INCIDENT}\b"
     rf"|\b(?:raised|opened) an? {_INCIDENT}\b"),
    ("impact_ended", 0.9, rf"\b{_INCIDENT}(?: is| was)? repaired\b|\(resolved\)|\b(?:impact|outage) (?:has )?(?:ended|ends)\b"),
    ("impact_started", 0.9, r"\((?:problem|impact|outage|incident) (?:started|starts|began)\)"
     r"|\b(?:impact|outage) (?:starts|started|begins|began)\b"),
    ("acknowledged", 0.8, r"\back(?:nowledge[sd]?)\b"),
    ("identified", 0.8, r"\b(?:root )?cause (?:was |is )?(?:identified|discovered|found)\b"
     r"|\bidentified (?:that|the (?:issue|cause|root|problem))\b"
     r"|\b(?:issue|problem|culprit) (?:is |was )?identified\b"),
    ("mitigated", 0.8, r"\bmitigated\b|\bmitigation (?:applied|completed?|in place)\b"),
)  # fmt: skip
_ROW_PATTERNS = tuple((phase, sure, re.compile(pattern, re.IGNORECASE)) for phase, sure, pattern in _ROWS)
# The bold label of a row stands first, or after its time.
_BOLD = re.compile(r"^(?:[^A-Za-z*_]|[AaPp]\.?[Mm]\b|UTC\b|T(?=\d)|Z\b){0,40}(?:\*\*|__)([^*_\n]{3,60}?):?(?:\*\*|__)")
_BROKEN = re.compile(
    r"\bexpire[sd]?\b|\bdown\b|\bfail(?:s|ed|ing|ure)?\b|(?<!avoid )\bbr(?:oke|eaking|oken)\b|\bdisrupt"
    r"|\bunavailable\b|\bdegraded\b|"
    r"\bstop(?:s|ped)\b|\bcrash|\bunhealthy\b|NotReady\b|\bdestroyed\b|\bdeleted\b|\b[45]\d\d\b"
    r"|\btime(?:d)?[ -]?outs?\b|\boutage\b|"
    r"\berrors?\b|\bculprit\b|\bnot work",
    re.IGNORECASE,
)
_NOTICED = re.compile(
    r"\balert(?:s|ed)?\b|\balarm|\breport(?:s|ed|ing)?\b|\bnotic(?:e|ed|ing)\b|\bdetect|\bdiscover|\bnotif|\bpaged\b|\bticket\b|"
    r"\bwarning\b",
    re.IGNORECASE,
)
_WORKS = re.compile(
    r"\b(?:service|services|cluster|everything|systems?|traffic|logs?)\b[^.]{0,40}\b(?:restored|recovered|operational"
    r"|healthy|fine|normal)|"
    r"\brestored\b|\bback (?:to (?:\w+ ){0,2}(?:normal|work|ok|operational)|up|online)\b|\bworking (?:as|again)\b"
    r"|\b(?:as|is) (?:intended|expected)\b|\bverified (?:operational|working)|"
    r"\bconfirmed working\b|\ball healthy\b|\bit works\b|\bhub online\b",
    re.IGNORECASE,
)

# What makes of a phase that is spoken of one that did not come, or has not yet. It counts before the words of the phase, in their
# clause: "mitigated without a restart" is mitigated.
_NOT_BEFORE = re.compile(
    r"\b(?:not|never|cannot|without|until|till|unless|if|whether|nobody|no[ -]one|hardly|nor|neither)\b|n['’]t\b"
    r"|\b(?:unable|fail(?:s|ed|ing)?|trying|tried|hoping) to\b",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\b(?:hop(?:e|es|ed|ing|efully)|(?<!as )expect(?:s|ed|ing)?|soon(?:er)?)\b(?! (?:as|after)\b)"
    r"|(?<!see )(?<!check )(?<!checking )(?<!know )(?<!verify )(?<!test )(?<!ask )\bif\b|\?\s*$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;:,|\n]|[.!](?=\s|$)|(?<=\?)|[()–—]|\s-\s|\b(?:but|however|although|though|then)\b", re.IGNORECASE)
_OPEN = re.compile(r"[\s:|–-]*(?:not (?:yet|possible)\b|never\b|none\b|n/?a\b|tb[cd]\b|pending\b|no\W*$)", re.IGNORECASE)
_MOST_MENTIONS = 20
_FAR = 200


@dataclass(frozen=True, slots=True)
class Word:
    """A phase that a row speaks of. ``method``: timeline_word (it says so) or timeline_order (it is the first, or the last, that
    tells of a break, a notice or a recovery); ``confidence``: 0..1."""

    phase: str
    method: str
    confidence: float


def phase_of_label(label: str) -> str | None:
    """The phase that a label names ("Incident declared:", "Fault occurs", "Status: Resolved at"), or None."""
    if len(label) > 80:
        return None
    text = label
    for _ in range(3):
        text = _NOISE.sub(" ", text).strip(" -–—.,")
    text = " ".join(text.split())
    return next((phase for phase, pattern in _LABEL_PATTERNS if text and pattern.fullmatch(text)), None)


def words_of(text: str) -> tuple[Word, ...]:
    """The phases that a row of a timeline says in words."""
    start = text[:2_000]
    bold = _BOLD.match(start)
    labelled = phase_of_label(bold[1]) if bold else None
    found = {phase: Word(phase, "timeline_word", sure) for phase, sure, pattern in _ROW_PATTERNS if _says(start, pattern)}
    if bold and labelled and _OPEN.match(start, bold.end()):
        return tuple(word for phase, word in found.items() if phase != labelled)
    # "INCIDENT BEGINS" in a timeline is when somebody declared it.
    if labelled and not (labelled == "impact_started" and "declared" in found):
        found[labelled] = Word(labelled, "timeline_word", 0.95)
    return tuple(found.values())


def _says(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether a text says somewhere that a phase came: neither that it did not, nor that it may."""
    return any(_came(text, found) for found in islice(pattern.finditer(text), _MOST_MENTIONS))


def _came(text: str, found: re.Match[str]) -> bool:
    before = _CLAUSE.split(text[max(0, found.start() - _FAR) : found.start()])[-1]
    after = _CLAUSE.split(text[found.end() : found.end() + _FAR], maxsplit=1)[0]
    return not _NOT_BEFORE.search(f"{before} {found[0]}") and not _NOT_YET.search(f"{before} {found[0]} {after}")


def tells_of_break(text: str) -> bool:
    """Whether a row tells that something broke."""
    return bool(_BROKEN.search(text[:2_000]))


def tells_of_notice(text: str) -> bool:
    """Whether a row tells that somebody or something noticed."""
    return bool(_NOTICED.search(text[:2_000]))


def tells_of_recovery(text: str) -> bool:
    """Whether a row tells that it works again."""
    start = text[:2_000]
    return bool(_WORKS.search(start)) and not re.search(r"\bnot (?:working|restored|healthy)|\bstill\b", start, re.IGNORECASE)

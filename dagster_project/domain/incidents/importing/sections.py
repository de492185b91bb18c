"""Which section of a postmortem each block belongs to, by headings and by labels such as "**Impact**:"."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.domain.incidents.importing.blocks import Block, plain
from dagster_project.domain.incidents.importing.moments import leading

_NAMES = (
    ("key_events", r"key (?:events|times|timestamps|dates)|incident times"),
    ("timeline", r"(?:[\w-]+ ){0,2}time ?lines?(?: of events)?|chronology|sequence of events|log of events"
     r"|incident log|what happened when"),
    ("action_items", r"(?:[\w-]+ ){0,2}(?:action(?:s| items?| points?)|follow[ -]?ups?|next steps|tasks|todos?|tickets)"
     r"(?: \w+){0,3}|(?:follow[ -]?up|remediation|corrective|preventative|preventive|review|recommended|proposed) [\w -]+|"
     r"remediations?|recommendations|improvements|(?:how (?:do|will|can) we )?prevent(?:ion|ing)?(?: (?:it|this|recurrence).*)?"),
    ("stats", r"stat(?:s|istics)|metrics|incident metrics|kpis"),
    ("summary", r"(?:(?:executive|incident|high[ -]level|issue) )?(?:summary|overview|synopsis|abstract)|tl;?dr|what happened|"
     r"description|leadup|lead-up"),
    ("background", r"background"),
    ("context", r"context"),
    ("impact", r"(?:[\w-]+ )?impact(?: (?:assessment|on [\w ]+))?|scope|affected (?:services|users|customers)|who was affected"),
    ("contributing_factors", r"(?:contributing|causal) (?:factors?|causes?|conditions?).*"
     r"|(?:root )?causes?(?: analysis)?|triggers?|rca|"
     r"five whys|5 whys|faults?|why did (?:it|this) happen"),
    ("detection", r"detection|identified|how (?:was it|did we) (?:detect|notice).*|discovery"),
    ("response", r"(?:incident )?response|response (?:summary|effort)"),
    ("resolution", r"resolution|mitigation|recovery|repair|remediation|fix|resolution and recovery|(?:mitigation"
     r"|recovery) steps"),
    ("went_well", r"(?:what )?(?:went|worked) (?:well|right)|what (?:went|worked|did we do) (?:well|right).*|the good|positives"),
    ("went_wrong", r"(?:what )?(?:went|did) (?:wrong|poorly|badly)|what (?:went|did|didn['’]?t|did not|could).*|the bad|"
     r"areas? (?:for|of) improvement"),
    ("lucky", r"(?:where|how) (?:we|did we) got? lucky|luck|lucky"),
    ("lessons", r"lessons?(?: learn(?:ed|t))?|learnings?|takeaways?|what did we learn.*|retrospective|discussion"),
    ("attendees", r"att?endees|participants|authors?|responders?|people involved|involved|credits|owners?"),
    ("links", r"(?:supporting )?(?:links|references|resources|documents|appendix|supporting information|related .*)"),
)  # fmt: skip
_CANONICAL = tuple((name, re.compile(rf"(?:the )?(?:{pattern})", re.IGNORECASE)) for name, pattern in _NAMES)
_LABEL = re.compile(
    r"^(?P<bold>\*\*|__)?\s*(?P<name>[A-Za-z][\w '’/&;,()-]{1,60}?)\s*:?\s*(?(bold)(?:\*\*|__)|)\s*(?P<colon>:?)\s*(?P<rest>.*)$"
)
_CLOSED_LABELS = frozenset({"timeline", "action_items", "key_events"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A block in its section. ``text`` is the block's without the label that opens a section."""

    section: str
    block: Block
    text: str


@dataclass(frozen=True, slots=True)
class Sections:
    """All blocks in their sections; ``title`` is the first heading, None where that is a section already."""

    placed: tuple[Placed, ...]
    title: str | None
    texts: dict[str, str]


def canonical(heading: str) -> str | None:
    """The canonical name of a section's heading, None where it is none that is known."""
    name = re.sub(r"\s*\([^)]*\)|[?:!.*_`#]+", "", plain(heading)).strip()
    name = re.sub(r"^\d+(?:\.\d+)*\s+", "", name)
    return next((known for known, pattern in _CANONICAL if pattern.fullmatch(name)), None)


def is_moment(heading: str) -> bool:
    """Whether a heading is a day or a time, which opens no section but dates what follows."""
    text = plain(heading)
    written = leading(text)
    return written is not None and (written.clock is not None or not text[written.end :].strip(" :-–—.,()"))


def sections_of(blocks: Sequence[Block], source: str) -> Sections:
    """The blocks in their sections, and each section's Markdown as it stands in ``source``."""
    placed: list[Placed] = []
    marks: list[tuple[int, str, str]] = [(0, "preamble", "")]
    section, depth, title = "preamble", 0, None
    for block in blocks:
        text = block.text
        if block.kind == "heading" and not is_moment(text):
            named = canonical(text)
            if title is None and named is None and section == "preamble":
                title = plain(text)
                marks.append((block.line, section, ""))
            elif named or depth == 0 or block.level <= depth:
                section, depth = named or _slug(text), block.level
                marks.append((block.line, section, ""))
        elif opened := _label(block, section):
            section, text = opened
            marks.append((block.line, section, text))
        placed.append(Placed(section, block, text))
    return Sections(tuple(placed), title, _texts(marks, source.split("\n")))


def _label(block: Block, section: str) -> tuple[str, str] | None:
    """(section, what follows on the line) where a line opens a section: "**Impact**:", or "Impact:" outside of lists of rows."""
    if block.kind not in ("item", "text") or not block.starts or len(block.text) > 2_000:
        return None
    found = _LABEL.match(block.text)
    if found is None or not (found["bold"] or found["colon"] or re.match(r"[A-Za-z][^:]{1,60}:", block.text)):
        return None
    named = canonical(found["name"])
    is_bold = found["bold"] is not None
    if named is None or (not is_bold and (section in _CLOSED_LABELS or block.level > 0)):
        return None
    rest = found["rest"]
    written = leading(plain(rest)) if rest else None
    # "Detection: 12:05" and "**Mitigation** 2020-01-01 10:00" are moments of phases, not sections.
    is_phase = written is not None and written.start < 4 and not plain(rest)[written.end :].strip(" .")
    return None if is_phase else (named, rest)


def _slug(text: str) -> str:
    return re.sub(r"\W+", "_", plain(text).lower()).strip("_")[:60] or "untitled"


def _texts(marks: list[tuple[int, str, str]], lines: list[str]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for (line, section, rest), (following, *_) in zip(marks, [*marks[1:], (len(lines) + 1, "", "")], strict=True):
        body = textwrap.dedent("\n".join(lines[line : following - 1])).strip()
        whole = "\n".join(part for part in (rest.strip(), body) if part)
        if whole and not (section == "preamble" and line == 0):
            texts.setdefault(section, []).append(whole)
    return {section: "\n\n".join(parts) for section, parts in texts.items()}

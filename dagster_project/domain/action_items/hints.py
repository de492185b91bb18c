"""Hints on how an action item is worded: it starts with a verb, has a finish line, one owner and a date. Hints never block."""

from __future__ import annotations

import re

from dagster_project.domain.incidents.model import ActionItem

_WORD = re.compile(r"[a-z]+")
_VERBS = frozenset(
    _WORD.findall("""
    add adjust agree alert allow analyse analyze announce apply ask assess audit automate avoid backfill block build buy
    cache cap change check clarify clean clear close collect communicate compare configure confirm consider consolidate
    contact continue coordinate correct cover create curate cut decide decommission decouple define delete deploy deprecate
    describe design detect determine disable discuss document draft drain drop enable encrypt enforce ensure escalate
    evaluate examine expand explore export expose extend fail figure finalise finalize find finish fix follow force format
    gate gather generate get give grant guard harden have hide hold identify implement improve include increase inform
    install instrument integrate introduce investigate isolate keep kill label learn let limit link list lock log look lower
    maintain make measure merge migrate mitigate model monitor move notify observe open optimise optimize order organise
    organize page patch pin plan practice practise prepare prevent prioritise prioritize probe protect prove provide publish
    push put quantify queue raise rate reach read rebalance rebuild reconsider record recover redeploy redesign reduce
    refactor refine refuse rehearse reject release remind remove rename repair repeat replace report reproduce request
    require research reset resize resolve restart restore restrict retire retry return review revise revisit revoke rewrite
    roll rotate run scale schedule scope script secure see send separate serve set share shed show simplify simulate slow
    split stagger standardise standardize start stop store streamline stress subscribe support surface switch take teach
    tell test think throttle tighten time track train trial trigger troubleshoot try tune turn understand unify update
    upgrade upload use validate verify wait warn watch work write
    """)
)
_VAGUE_VERBS = frozenset(
    ("consider", "continue", "discuss", "explore", "improve", "investigate", "look", "monitor", "revisit", "think", "understand")
)
_FINISH = re.compile(
    r"\d|\b(?:until|so that|such that|before|after|when|whenever|every|each|all|no longer|never|at least|at most|below|above|per"
    r"|documented|merged|deployed|done when)\b"
    r"|->|%"
)
_VAGUE = re.compile(r"\b(?:better|more|properly|as needed|if possible|asap|soon|etc|and so on|in general|overall|robust)\b")
_SEVERAL = re.compile(r",|/|&|\band\b|\+")


def action_hints(item: ActionItem) -> tuple[str, ...]:
    """Sentences on what an action item lacks; none where nothing does."""
    hints = (_verb_hint(item.title), _finish_hint(item.title), _owner_hint(item.owner), _due_hint(item))
    return tuple(hint for hint in hints if hint)


def _verb_hint(title: str) -> str | None:
    first = _first_word(title)
    if not first:
        return "It says nothing."
    if not first.isascii():
        return None  # in another language, of which no verb is known here
    return None if first in _VERBS else f"It starts with '{first}'; start with what is to be done, such as Add, Limit or Alert."


def _finish_hint(title: str) -> str | None:
    text = title.lower()
    vague = _VAGUE.search(text)
    if vague and not re.search(r"\d", text):
        return f"'{vague.group()}' has no finish line; say by what anybody sees that it is done."
    if _first_word(title) in _VAGUE_VERBS and not _FINISH.search(text):
        return f"'{_first_word(title)}' can go on for ever; say what will be there when it is done."
    return None


def _owner_hint(owner: str | None) -> str | None:
    if owner is None or not owner.strip():
        return "It has no owner; name one."
    if _SEVERAL.search(owner.lower()):
        return f"It has several owners ({owner.strip()}); name one who answers for it."
    return None


def _due_hint(item: ActionItem) -> str | None:
    return "It has no due date." if item.due_on is None else None


def _first_word(title: str) -> str:
    # An imported item may begin with a mark, such as "[x]" or "**".
    found = re.search(r"[^\W\d_](?:[^\W\d_]|['-])*", re.sub(r"^\s*(?:\[[ xX]?\]|[*_`-]+|\d+[.)])\s*", "", title).lower())
    return found.group().partition("-")[0] if found else ""

"""Given names and surnames, and the words around them that tell a person from a word, a place or a product."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("given_names.txt")

_ROLES = """
    on-call oncall call team sre lead leads engineer engineering developer platform support service bot ops operations admin
    administrator root system user users security database infra infrastructure manager commander responder reporter owner
    nobody everyone channel here group noreply no-reply help info contact alerts alert notifications notify ci cd build deploy
    release automation github gitlab terraform jenkins argocd flux actions dependabot renovate pipeline cron scheduler lambda
    aws azure google datadog pagerduty opsgenie slack statuspage nightshift engine senior staff principal vp cto ceo head
    director payments checkout api web data backend frontend network storage devops squad guild desk office hello sales billing
    all dev prod incident incidents is postmaster webmaster monitoring ec2-user ubuntu git hostmaster abuse
"""
ROLE_WORDS = frozenset(_ROLES.split())
"""Words of which the names of roles, teams and machines are made; such an actor is no person's name."""

_ORDINARY = """
    january february march april may june july august september october november december monday tuesday wednesday thursday
    friday saturday sunday github gitlab git slack aws azure amazon google kubernetes docker linux windows terraform grafana
    prometheus kafka kibana traefik nginx helm jenkins redis postgres postgresql mysql mongo mongodb elastic elasticsearch
    api dns tls ssl ec2 rds eks cloud platform service services server servers cluster clusters node nodes pod pods database
    team teams support engineer engineers engineering security incident incidents alarm alarms alert alerts status page update
    updates deployment deployments pipeline pipelines production staging environment environments version release region zone
    personal access token tokens key keys secret secrets ticket issue issues request requests action actions item items time
    timeline summary impact resolution review context also then however and the this that there they we it he she you not no
    is was has had did does will can could should would when while after before during from with for all some another please
    manager lead leads commander owner user users member members customer customers operator ops inc ltd gmbh llc corp street road
    university institute bank ci cd bot api db labs studio group networks systems software technologies bay day days week
    confirmed reported noticed started found fixed created merged deployed raised restarted removed added
"""
NOT_SURNAMES = frozenset(_ORDINARY.split())
"""Capitalised words after a name that are no surname."""

BEFORE_PERSON = re.compile(
    r"(?:\b(?:by|from|with|to|thanks|thank you|cc|and|told|asks?|asked|asking|pings?|pinged|paged|called|contacted|contacting|"
    r"messaged|helped|promoted|hi|hey|hello|dear|cheers|colleague|engineer|developer|(?-i:Mrs?|Ms|Dr)\.?),?\s+|\(|"
    r"\b(?:ic|incident commander|commander|owner|author|authors|reporter|reported by|approved by|assignee|lead|scribe|attendees|"
    r"participants|responders?|from|by|who)\W{0,6}:\W{0,6})$",
    re.IGNORECASE,
)
BEFORE_PERSON_STRICTLY = re.compile(
    r"(?:\b(?:thanks(?: to)?|thank you|cc|told|asked|asking|pinged|paged|contacted|messaged|promoted|hi|hey|dear|cheers|"
    r"(?:talk|talked|talking|spoke|speak|speaking|meeting|chat|call) (?:with|to)|colleague|engineer|(?-i:Mrs?|Ms|Dr)\.?),?\s+|"
    r"\b(?:ic|incident commander|commander|author|authors|reporter|reported by|approved by|assignee|scribe|attendees|"
    r"participants|responders?)\W{0,6}:\W{0,6})$",
    re.IGNORECASE,
)
# After these, a capitalised word is a person even if no lexicon knows it.
BEFORE_NAME = re.compile(
    r"(?:\b(?-i:Mrs?|Ms|Dr)\.?\s+|\bassigned to\s+|"
    r"\b(?:ic|incident commander|commander|author|reporter|reported by|approved by|assignee|"
    r"scribe)\W{0,6}:\W{0,6})$",
    re.IGNORECASE,
)
_ADVERB = r"(?:\s+(?:also|then|later|had|has|already|quickly|now|just|first|manually|again))?\s+"
_THINKING = (
    r"sa(?:id|ys)|asks?|asked|mentions?|mentioned|th(?:inks|ought)|suggest(?:s|ed)|replie[sd]|wonder(?:s|ed)|tries|tried|"
    r"apologi[sz]e[sd]|volunteer(?:s|ed)|believe[sd]|remember(?:s|ed)|told|tells|attempt(?:s|ed)|agree[sd]|was paged|is paged|"
    r"came online|went (?:home|offline)|picked up|took over|handed over|and I|"
    r"is (?:looking|checking|investigating|paged|on (?:it|call))"
)
AFTER_THINKER = re.compile(_ADVERB + rf"(?:{_THINKING})\b")
AFTER_PERSON = re.compile(
    _ADVERB + rf"(?:{_THINKING}|report(?:s|ed)|notice[sd]|confirm(?:s|ed)|acknowledge[sd]|share[sd]|join(?:s|ed)|ping(?:s|ed)|"
    r"page[sd]|write[s]|wrote|push(?:es|ed)|merge[sd]|deploy(?:s|ed)|f(?:inds|ound)|discover(?:s|ed)|investigate[sd]|start(?:s|ed)|"
    r"check(?:s|ed)|escalate[sd]|call(?:s|ed)?|raise[sd]|revoke[sd]|roll(?:s|ed) back|restart(?:s|ed)|declare[sd]|identifie[sd]|"
    r"observe[sd]|approve[sd]|has access|had access|here|will (?:look|check|take|join|do|handle)|and)\b"
)
AFTER_SYSTEM = re.compile(
    r"(?:\s+|-)(?:clusters?|services?|pipelines?|databases?|nodes?|namespaces?|servers?|environments?|hubs?|bots?|apis?|dbs?|apps?|"
    r"versions?|v?\d+\.\d|replicas?|instances?|dashboards?|queues?|topics?|packages?|pods?|containers?|deployments?|operators?|proxy|"
    r"controllers?|CI|Inc|Ltd|Labs|Cloud|Server|Bank|University|Institute|Street|API|DB)\b"
)
PLACE_WORDS = frozenset({"san", "santa", "saint", "port", "mount", "fort", "lake"})
BEFORE_PLACE = re.compile(r"\b(?:San|Santa|Saint|St\.?|Port|Mount|Fort|Lake|New|North|South|East|West|Hurricane|Storm)\s+$")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """``common`` names stand for a person wherever they stand capitalised; ``rare`` ones need one context in a text; ``words``
    are ordinary words, places or products as well and need a context each time."""

    common: frozenset[str]
    rare: frozenset[str]
    words: frozenset[str]
    surnames: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with the package; all of it in lower case."""
    lines = [line for line in _FILE.read_text(encoding="utf-8").split("\n") if line and not line.startswith("#")]
    marked = {mark: frozenset(line[:-2] for line in lines if line.endswith(f" {mark}")) for mark in "~?"}
    return Lexicon(
        common=frozenset(line for line in lines if line.isalpha()),
        rare=marked["~"],
        words=marked["?"],
        surnames=frozenset(line[1:] for line in lines if line.startswith("+")),
    )

"""What must not be shown is taken out: secrets, contacts, and names of people, who become roles with a stable short hash.

Private, loopback and link-local addresses stay, for they help to understand what happened and lead to nobody; public addresses of
machines may be those of customers and go. Ordinary links, hashes, ARNs, ids of instances and traces stay.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable

from dagster_project.domain.incidents.redaction_lexicon import AFTER_SYSTEM, NOT_SURNAMES, ROLE_WORDS, lexicon
from dagster_project.domain.incidents.redaction_logins import Logins
from dagster_project.domain.incidents.redaction_people import Directory, PersonSpan, people_in
from dagster_project.domain.incidents.redaction_secrets import secrets_removed

__all__ = ["Redactor", "secrets_removed"]

_URL = re.compile(r"(?<![\w])[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s<>\"'`)\]|]+")
# In a link "@" may be written "%40", and what stands before may end in an escape: mail%3Dpriya%40example.com.
_EMAIL = re.compile(
    r"(?:(?<![\w.+%-])|(?<=%[0-9A-Fa-f]{2}))\w[\w.+'-]{0,63}(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![\w-])"
)
# What stands after "]@" is the host of a link whose credentials were removed.
_HANDLE = re.compile(r"(?<![\w/.@`:\]-])@[A-Za-z][\w-]{1,38}(?:\.[\w-]{1,38}){0,3}(?![\w/@(])")
_CHAT_USER = re.compile(r"<@(?P<id>[UW][A-Z0-9]{5,20})(?:\|[^>\n]{0,80})?>|\[~(?P<name>[\w.-]{2,60})\]")
_PHONE = re.compile(
    r"(?<![\w.+:/-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}|\(\d{3}\) ?\d{3}-\d{4}|"
    r"\d{3}-\d{3}-\d{4}|0\d{2,4} \d{3,4} \d{3,4})(?![\w:/-]|\.\d)"
)
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:.])")
_PSEUDONYM = re.compile(r"[a-z]+(?:-[a-z]+)*-[0-9a-f]{4}")
# How a person's word on a time is told, whose login it begins with.
_SET_BY = re.compile(r"(?<!\S)(?P<login>[^\s\[\]]{1,64})(?= set it on \d{4}-\d{2}-\d{2}: )")
_VERSION_BEFORE = re.compile(r"(?:\bv|version|release)\W{0,3}$", re.IGNORECASE)
_SYSTEM_USERS = frozenset({"git", "ubuntu", "ec2-user", "root", "hg", "svn", "centos", "admin"})
_HASH_DIGITS = 4


class Redactor:
    """Takes secrets, contacts and people out of texts.

    ``names`` are people who are known (full names, e-mail addresses, handles; names of roles and machines among them are
    ignored); ``salt`` makes the pseudonyms: the same salt and person give the same one everywhere.
    """

    def __init__(self, names: Iterable[str] = (), salt: str = "nightshift") -> None:
        self._salt = salt
        self._names = tuple(sorted({name for name in map(_full_name, names) if name}))
        self._directory = Directory(self._names)
        self._logins = Logins(self._names)

    def with_people_of(self, texts: Iterable[str]) -> Redactor:
        """A redactor that knows the full names in ``texts`` too, so that a first name in one text is the person of another."""
        cleaned = [secrets_removed(text) for text in texts]
        found = {span.name for text in cleaned for span in self._people(text)}
        found |= {_full_name(mail[0].replace("%40", "@")) for text in cleaned for mail in _EMAIL.finditer(text)}
        return Redactor((*self._names, *(name for name in found if " " in name)), self._salt)

    def text(self, text: str) -> str:
        """``text`` without secrets, contacts and names. Idempotent; everything else is kept as it is."""
        text = secrets_removed(text)
        text = _EMAIL.sub(self._email, text)
        text = _CHAT_USER.sub(lambda found: self._handle(found["id"] or found["name"]) or found[0], text)
        text = _SET_BY.sub(lambda found: self._handle(found["login"]) or found["login"], text)
        text = self._without_logins(text, self._logins)
        text = _outside_links(text, lambda part: _PHONE.sub(_phone, _HANDLE.sub(self._mention, part)))
        text = _IPV4.sub(_address, text)
        text = _IPV6.sub(_address, text)
        people = self._people(text)
        new = sorted({span.name for span in people if " " in span.name} - self._directory.full.keys())
        local = Directory((*self._names, *new)) if new else self._directory
        pieces, position = [], 0
        for span in people:
            pieces += [text[position : span.start], self._pseudonym(local.full.get(span.name, span.name))]
            position = span.end
        return self._without_logins("".join([*pieces, text[position:]]), Logins(new))

    def person(self, name: str | None, role: str = "engineer") -> str:
        """A person as role and hash (``commander-3f2a``); the name of a role or machine as it is; ``unknown`` for None."""
        if name is None or not name.strip():
            return "unknown"
        if _is_role(name) or _PSEUDONYM.fullmatch(name.strip()):
            return secrets_removed(name.strip())
        return self._pseudonym(self._known(name), role)

    def _people(self, text: str) -> list[PersonSpan]:
        return people_in(text, self._directory, [found.span() for found in _URL.finditer(text)])

    def _pseudonym(self, key: str, role: str = "engineer") -> str:
        digest = hashlib.sha256("\0".join((self._salt, key)).encode()).hexdigest()
        return f"{role}-{digest[:_HASH_DIGITS]}"

    def _without_logins(self, text: str, logins: Logins) -> str:
        pieces, position = [], 0
        for span in logins.spans(text):
            pieces += [text[position : span.start], self._pseudonym(self._directory.full.get(span.name, span.name))]
            position = span.end
        return "".join([*pieces, text[position:]])

    def _known(self, name: str) -> str:
        key = _full_name(name) or name.strip().casefold()
        return self._directory.full.get(key, key)

    def _email(self, found: re.Match[str]) -> str:
        address = found[0].replace("%40", "@")
        local = address.partition("@")[0]
        if local in _SYSTEM_USERS:
            return found[0]
        return "[e-mail removed]" if _is_role(local) else self._pseudonym(self._known(address))

    def _mention(self, found: re.Match[str]) -> str:
        name = found[0][1:].rstrip(".-")
        return (self._handle(name) or f"@{name}") + found[0][1 + len(name) :]

    def _handle(self, name: str) -> str | None:
        return None if _is_role(name) or _PSEUDONYM.fullmatch(name) else self._pseudonym(self._known(name))


def _full_name(name: str) -> str:
    """``Rosie Brigham <rosie@…>``, ``rosie.brigham@…``, ``rosie-brigham``, ``AROA…:rosie.brigham``, ``Brigham, Rosie`` as
    ``rosie brigham``; "" for roles."""
    text = re.sub(r"<[^>]*>|\([^)]*\)", " ", name).strip() or name.strip("<> ")
    text = text.lstrip("@").partition("@")[0]
    text = text if re.search(r"\s", text) else re.split(r"[:/\\]", text)[-1]
    last, comma, first = text.partition(",")
    text = f"{first} {last}" if comma else text
    words = [word for word in re.split(r"[\s._+]+", text.casefold()) if word.strip("0123456789")]
    if not words or _is_role(text):
        return ""
    return " ".join(words if len(words) > 1 else _hyphenated(words[0]))


def _hyphenated(word: str) -> list[str]:
    """The two names in ``dave-lindqvist``. ``anne-marie`` and ``fraud-detector`` are one word each."""
    first, _, last = word.partition("-")
    known = lexicon()
    has_given_name = first in known.common or first in known.rare
    is_system = last in NOT_SURNAMES or last in ROLE_WORDS or AFTER_SYSTEM.match(f"-{last}")
    return [first, last] if has_given_name and last.isalpha() and last not in known.common and not is_system else [word]


def _is_role(name: str) -> bool:
    """Whether all that is written is the name of a role, team or machine: ``payments-on-call``, ``github-actions[bot]``."""
    text = name.strip().lstrip("@").casefold()
    words = [word for word in re.split(r"[^\w]+|_", text) if word]
    names = lexicon()
    if not words or "[bot]" in text or text in ROLE_WORDS:
        return True
    has_role = bool(ROLE_WORDS & set(words)) or "on-call" in text
    return has_role and not any(word in names.common for word in words)


def _outside_links(text: str, change: Callable[[str], str]) -> str:
    pieces, position = [], 0
    for link in _URL.finditer(text):
        pieces += [change(text[position : link.start()]), link[0]]
        position = link.end()
    return "".join([*pieces, change(text[position:])])


def _phone(found: re.Match[str]) -> str:
    digits = sum(c.isdigit() for c in found[0])
    return "[phone number removed]" if 9 <= digits <= 15 else found[0]


def _address(found: re.Match[str]) -> str:
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    is_version = _VERSION_BEFORE.search(found.string[max(found.start() - 12, 0) : found.start()])
    return "[address removed]" if address.is_global and not is_version else found[0]

"""Known people as programs write them: ``priya.nair``, ``priya_nair``, ``pnair``; in links, ARNs, branches and channels too."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dagster_project.domain.incidents.redaction_lexicon import NOT_SURNAMES, ROLE_WORDS, lexicon

# What a link escapes is no part of the word after it: user%3Dpriya.
_WORD = re.compile(r"%[0-9A-Fa-f]{2}|(?P<word>[^\W\d_]+)")
_NUMBER = re.compile(r"\d{0,4}(?![^\W_])")
_BETWEEN = re.compile(r"[._+-]|%20|%2[eE]")
_MOST_WORDS = 5
_LONGEST_BETWEEN = 3
# Shorter ones written together are too often a word: "time" is no Tim E.
_SHORTEST_TOGETHER, _SHORTEST_WITH_INITIAL, _SHORTEST = 6, 5, 4

# Where any name is a user's, an ordinary word too.
_BEFORE_LOGIN = re.compile(
    r"(?:\b(?:users?|team|people)/|~|\b(?:user|login|author|actor|assignee|username)[=:] ?"
    r"|(?:AccessKey|LoginProfile|User|Policy) of )$",
    re.IGNORECASE,
)
_BEFORE = 20

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoginSpan:
    """A login in a text: ``text[start:end]``; ``name`` is whose it is, as the directory has it."""

    start: int
    end: int
    name: str


class Logins:
    """The logins of known people. ``names`` are in lower case, as the directory has them; a login that two people could have is
    that of a third, for it is not shown either."""

    def __init__(self, names: Iterable[str]) -> None:
        names = tuple(names)
        self._of = _owners(names)
        self._alone = {(_key(name),): name for name in names if name.isalpha()}
        self._firsts = frozenset(words[0] for words in (*self._of, *self._alone))

    def spans(self, text: str) -> Iterator[LoginSpan]:
        """Where ``text`` has a login, in order, without overlaps; an "@" before it belongs to it."""
        if not self._firsts:
            return
        words = [found for found in _WORD.finditer(text) if found["word"]]
        position = 0
        while position < len(words):
            count = self._login_at(text, words, position) if _key(words[position][0]) in self._firsts else 0
            if count:
                yield self._span(text, words[position : position + count])
            position += count or 1

    def _login_at(self, text: str, words: list[re.Match[str]], position: int) -> int:
        """How many words from here on are a login; 0: none."""
        if _is_end_of_number(text, words[position].start()):
            return 0
        run = words[position : position + _MOST_WORDS]
        joined = next((n for n, (a, b) in enumerate(pairwise(run), start=1) if not _are_joined(text, a, b)), len(run))
        # A capitalised word alone is looked at as a name in a sentence, with its surname.
        for count in range(joined, 1 if run[0][0].istitle() else 0, -1):
            if self._owner(text, run[:count]) and _NUMBER.match(text, run[count - 1].end()):
                return count
        return 0

    def _owner(self, text: str, run: list[re.Match[str]]) -> str | None:
        login = tuple(_key(word[0]) for word in run)
        start = run[0].start()
        is_user = login in self._alone and _BEFORE_LOGIN.search(text[max(start - _BEFORE, 0) : start])
        return self._of.get(login) or (self._alone[login] if is_user else None)

    def _span(self, text: str, run: list[re.Match[str]]) -> LoginSpan:
        start = run[0].start()
        number = _NUMBER.match(text, run[-1].end())
        end = number.end() if number else run[-1].end()
        return LoginSpan(start - (text[start - 1 : start] == "@"), end, self._owner(text, run) or "")


def _is_end_of_number(text: str, start: int) -> bool:
    """Whether digits that are no escape of a link stand right before."""
    return start > 0 and text[start - 1].isdigit() and not (start > 2 and text[start - 3] == "%")


def _are_joined(text: str, one: re.Match[str], next_one: re.Match[str]) -> bool:
    length = next_one.start() - one.end()
    return length <= _LONGEST_BETWEEN and _BETWEEN.fullmatch(text, one.end(), next_one.start()) is not None


def _key(word: str) -> str:
    """Lower case without accents, as logins are written."""
    if word.isascii():
        return word.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def _owners(names: Iterable[str]) -> Mapping[Words, str]:
    owners: dict[Words, set[str]] = {}
    for name in names:
        for login in _logins_of(name):
            owners.setdefault(login, set()).add(name)
    # A person known by a login alone is not a second one beside the full name.
    clear = {login: {each for each in found if " " in each} or found for login, found in owners.items()}
    return {login: next(iter(found)) if len(found) == 1 else " ".join(login) for login, found in clear.items()}


def _logins_of(name: str) -> set[Words]:
    words = tuple(_key(found[0]) for found in _WORD.finditer(name.replace("'", "").replace("’", "")) if found["word"])
    if " " not in name or len(words) < 2:
        return {words} if len(words) == 1 and _is_login(words[0]) else set()
    first, last = words[0], words[-1]
    found = {words, (first, last), (last, first)}
    if len(last) >= _SHORTEST:
        found |= {(first[0], last), *_together(first[0] + last, _SHORTEST_WITH_INITIAL)}
    found |= _together(first + last, _SHORTEST_TOGETHER) | _together("".join(words), _SHORTEST_TOGETHER)
    return found | (_together(first + last[0], _SHORTEST_TOGETHER) if first not in lexicon().words else set())


def _together(login: str, shortest: int) -> set[Words]:
    return {(login,)} if len(login) >= shortest and not _is_word(login) and not _is_a_name(login) else set()


def _is_word(word: str) -> bool:
    return word in lexicon().words or word in NOT_SURNAMES or word in ROLE_WORDS


def _is_a_name(word: str) -> bool:
    return word in lexicon().common or word in lexicon().rare or word in lexicon().surnames


def _is_login(word: str) -> bool:
    """Whether a single word is a person's login wherever it stands, and not the word of a sentence or the name of a machine: a
    given name, alone or with a letter after it (``tomaszk``), or a surname after a letter (``jdoe``)."""
    if _is_word(word) or len(word) < _SHORTEST:
        return False
    known = lexicon()
    given = word in known.common | known.rare or word[:-1] in known.common
    with_initial = len(word) >= _SHORTEST_TOGETHER and (word[:-1] in known.rare or word[1:] in known.surnames)
    return given or with_initial

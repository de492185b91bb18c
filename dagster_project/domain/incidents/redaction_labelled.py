"""Secrets that stand beside what they are: ``password: x``, ``| password | x |``, ``IDENTIFIED BY 'x'``, ``mysql -px``.

Every pattern is linear: it starts at a word, and each repetition in it is bounded.
"""

from __future__ import annotations

import re

from dagster_project.domain.incidents.redaction_words import (
    is_hex,
    is_made_of_words,
    is_prose,
    is_reference,
    looks_random,
    looks_secret,
)

# Emphasis, code and quotation marks around a word, as chats, Markdown, HTML and JSON inside of JSON write them.
_MARKS = r"""(?:[*_~`"']|\\{1,3}["']|</?[a-zA-Z]{1,10}>){0,4}"""
_OF = r"(?:[ \t]{1,3}\([^()\n]{1,30}\)|[ \t]{1,3}(?:for|of|to|on|in|at)(?:[ \t]{1,2}[\w.@/-]{1,40}){1,4}?)?"
_LINK = (
    r"(?P<link>[ \t]{0,8}(?:=>|:=|[=:：])(?:[ \t]{0,8}(?P<line>[*_~]{0,3}(?:[ \t]{0,4}\r?\n[ \t>]{0,8}){1,2}(?:```\s{1,4})?)"
    r"|[ \t]{0,8})|[ \t]{1,8}(?:is|was)(?:[ \t]{1,3}(?:now|still|(?:re)?set[ \t]to|changed[ \t]to))?[ \t]{1,8}"
    r"|(?P<loose>[ \t]{1,8}(?:->|→|–|—|-)[ \t]{1,8}|[ \t]{1,4}(?=[`\"'])|[ \t]{0,2}\r?\n[ \t>]{0,8})"
    r"|(?P<cell>[ \t]{0,40}\|[ \t]{0,40}))"
)
_QUOTED = r"""(?P<open>\\{0,3}["']|`{1,3})(?!(?P=open))(?P<quoted>[^\n]{1,400}?)(?P=open)"""
_BARE = r"""(?P<bare>[^\s"'`,;<>|)\]}]{1,4000})"""
_NOT_EMPTY = r"""(?!(?:\\{0,3}"){2}(?!")|''(?!'))"""
_VALUE = rf"(?:[*_~]{{1,3}}[ \t]{{0,4}})?(?:{_QUOTED}|{_NOT_EMPTY}{_MARKS}[ \t]{{0,4}}{_BARE})"
_KEY = r"(?:api|access|private|account|encryption|signing|shared|master|auth|deploy|license)[ _-]?key"

PASSWORD = re.compile(
    r"(?:pass(?:wor[dt]|wd|phrase|code)|(?<![a-z])(?:pwd|pw(?![a-z])|(?P<short>pass)(?![a-z])))"
    rf"(?P<suffix>[\w.-]{{0,24}})(?P<marks>{_MARKS}){_OF}{_MARKS}{_LINK}{_VALUE}",
    re.IGNORECASE,
)
SECRET = re.compile(
    rf"(?:secret|token|credential|{_KEY})(?P<suffix>[\w.-]{{0,24}})(?P<marks>{_MARKS}){_OF}{_MARKS}{_LINK}{_VALUE}", re.IGNORECASE
)
KEY_ALONE = re.compile(rf"(?:secret|token|{_KEY})[ \t]{{1,3}}{_MARKS}(?P<bare>[\w-]{{20,400}})(?![\w-])", re.IGNORECASE)
ARGUMENT = re.compile(
    r"(?<![\w-])--(?:[a-z]{1,20}-){0,3}(?:password|passwd|pass|token|secret|api-?key|access-key|secret-key)[ \t]{1,4}" + _VALUE,
    re.IGNORECASE,
)
# PASSWORD 'x', PASSWORD('x'), IDENTIFIED BY 'x': in a sentence nothing stands quoted there. Without quotes in capitals only.
SQL = re.compile(
    r"(?:\bpassword[ \t]{0,4}\(?[ \t]{0,4}|\bidentified[ \t]{1,4}(?:with[ \t]{1,4}\S{1,40}[ \t]{1,4})?(?:by|as)[ \t]{1,4}"
    r"(?:password[ \t]{1,4})?)(?P<open>\\{0,3}')(?!(?P=open))(?P<quoted>[^\n]{1,400}?)(?P=open)"
    r"|(?-i:\bIDENTIFIED[ \t]{1,4}BY[ \t]{1,4})\"?(?P<bare>[^\s\"'`,;<>|)\]}]{1,400})",
    re.IGNORECASE,
)
USER_ARGUMENT = re.compile(
    r"(?<![\w-])(?:-u|-U|--user|--proxy-user)(?:[ \t]{1,4}|=|(?<=-u))[\"']?(?P<user>[\w.@%+-]{1,64}):(?P<bare>[^\s\"'`]{1,400})"
)
COMMAND = re.compile(
    r"\b(?:sshpass[ \t]{1,4}-p|redis-cli\b[^\n|;&]{0,200}?[ \t](?:-a|--pass)"
    r"|ldap(?:search|modify|add|delete)\b[^\n|;&]{0,200}?[ \t]-w|docker[ \t]{1,4}login\b[^\n|;&]{0,200}?[ \t]-p"
    r"|sqlcmd\b[^\n|;&]{0,200}?[ \t]-P|requirepass)"
    r"[ \t]{0,4}[\"']?(?P<bare>[^\s\"'`]{1,400})"
)
# With a space the next word is the database.
MYSQL = re.compile(
    r"\b(?:mysql(?:dump|admin|import|show|check)?|mariadb)\b[^\n|;&]{0,200}?[ \t]-p[\"']?(?P<bare>[^\s\"'`]{1,400})"
)
_END_OF_ROW = re.compile(r"[*_~`\"']{0,4}[ \t]{0,40}\|?[ \t]*(?:\r?\n(?![ \t>]*\|[ \t]*:?-)|\Z)")
_END_OF_LINE = re.compile(r"(?:\\?[*_~`\"',;)\]}]){0,8}[ \t]*(?:\r?\n|\Z)")
_MOST_WORDS_OF_A_CELL = 2
# Names of values that look random and are public.
_PUBLIC_NAME = re.compile(
    r"trace|span|commit|sha|digest|hash|checksum|integrity|etag|arn|(?:^|[_.-])id$|Id$|image|url|uri|path|file|version|cursor|ami|"
    r"bucket|serial|fingerprint|md5|request|session_?name|host|name$|archive",
    re.IGNORECASE,
)


def replaced(found: re.Match[str], what: str) -> str:
    """The match with words in brackets for its value; as it was where that only names a secret, such as a variable."""
    name = _name_of_value(found)
    start, end = (at - found.start() for at in found.span(name))
    return found[0] if is_reference(found[name]) else f"{found[0][:start]}[{what} removed]{found[0][end:]}"


def without_password(found: re.Match[str]) -> str:
    """A match of ``PASSWORD`` without it, where the value is one and not a word of the sentence."""
    return replaced(found, "password") if _is_password(found) else found[0]


def without_secret(found: re.Match[str]) -> str:
    """A match of ``SECRET`` without it; ids, counts and words stay."""
    value, link = found[_name_of_value(found)], found["link"]
    if re.fullmatch(r"[\d.,]+", value) or is_public_name(found["suffix"]) or not _stands_right(found, value):
        return found[0]
    is_plural_count = found["suffix"].startswith("s") and value.isalpha()
    is_assigned = "=" in link and len(value) >= 6 and not is_plural_count
    is_json = _is_json(found) and not found["suffix"] and re.fullmatch(r"\S{8,}", value) and not is_made_of_words(value)
    return replaced(found, "secret") if is_assigned or is_json or looks_secret(value) else found[0]


def without_key_alone(found: re.Match[str]) -> str:
    """A match of ``KEY_ALONE`` without the key: only what looks random or is a long hex number is taken for one."""
    value = found["bare"]
    is_key = looks_random(value) or (is_hex(value) and len(value) >= 32)
    return replaced(found, "secret") if is_key else found[0]


def without_user_password(found: re.Match[str]) -> str:
    """A match of ``USER_ARGUMENT`` without the password; ``-u 1000:1000`` and ``-u node:node`` are a user and a group."""
    is_group = found["bare"].isdigit() or found["bare"] == found["user"]
    return found[0] if is_group else replaced(found, "password")


def is_public_name(name: str) -> bool:
    """Whether values of this name look random and are public: hashes, ids of traces, addresses."""
    return _PUBLIC_NAME.search(name) is not None


def _name_of_value(found: re.Match[str]) -> str:
    return "quoted" if found.groupdict().get("quoted") else "bare"


def _is_json(found: re.Match[str]) -> bool:
    return found["quoted"] is not None and found["marks"].endswith(('"', "'"))


def _is_password(found: re.Match[str]) -> bool:
    value = found[_name_of_value(found)]
    if not _stands_right(found, value):
        return False
    if found["short"] and re.fullmatch(r"\d{1,3}%?", value):
        return False
    is_words = "=" not in found["link"] and found["quoted"] is None and is_prose(value)
    return not (is_words and (_goes_on(found) or not re.search("[:：]", found["link"])))


def _stands_right(found: re.Match[str], value: str) -> bool:
    """Whether the place of the value can be that of a secret, where the place alone does not say so."""
    if found["loose"]:
        is_one_word = not re.search(r"\s", value) and value[0] not in "-#"
        return is_one_word and looks_secret(value) and ("\n" not in found["loose"] or _ends_line(found))
    if found["cell"]:
        return looks_secret(value) or (not is_prose(value) and _ends_row(found))
    if found["line"]:
        is_language = found["bare"] is not None and found.string.endswith("```", 0, found.start("bare"))
        is_other = is_language or value.endswith((":", "=")) or value[0] in "-#" or is_prose(value)
        return not is_other and (_ends_line(found) or looks_secret(value))
    return True


def _ends_line(found: re.Match[str]) -> bool:
    return found["quoted"] is not None or _END_OF_LINE.match(found.string, found.end()) is not None


def _ends_row(found: re.Match[str]) -> bool:
    """Whether the row is only a name and the value: not the row of headings, nor "Rotate the DB password | team"."""
    label = found.string[max(found.start() - 200, 0) : found.start()].rpartition("\n")[2].strip("> \t|*_`")
    is_name = "|" not in label and len(label.split()) <= _MOST_WORDS_OF_A_CELL
    return is_name and _END_OF_ROW.match(found.string, found.end()) is not None


def _goes_on(found: re.Match[str]) -> bool:
    """Whether further words follow on the line: "password: it was changed" tells no password."""
    rest = found.string[found.end() : found.end() + 40].split("\n")[0]
    return bool(re.match(r"[ \t]+\w|,[ \t]+\w", rest))

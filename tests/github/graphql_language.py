"""As much of the GraphQL language as it takes to read an operation with its variables."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

_IGNORED = r"(?:[\s,\ufeff]|#[^\n]*)*"
_STRING, _NAME, _NUMBER = r'"(?:[^"\\\n]|\\.)*"', r"[_A-Za-z]\w*", r"-?\d+(?:\.\d+)?"
_TOKEN = re.compile(rf"{_IGNORED}(?:(?P<token>{_STRING}|{_NAME}|{_NUMBER}|[!$():=\[\]{{}}])|(?P<end>$))")


class BadQuery(ValueError):
    """A query that cannot be read or is not served."""


@dataclass(frozen=True)
class Selection:
    """A field that is asked for; ``key`` is its name in the answer."""

    name: str
    key: str
    arguments: dict[str, Any] = field(default_factory=dict)
    selections: list[Selection] = field(default_factory=list)


@dataclass(frozen=True)
class Operation:
    kind: str
    selections: list[Selection]


def parse(query: str, variables: dict[str, Any]) -> Operation:
    """The one operation of a query, its variables put in."""
    return _Parser(query, variables).operation()


class _Parser:
    def __init__(self, query: str, variables: dict[str, Any]) -> None:
        self.tokens, at = [], 0
        while at <= len(query):
            found = _TOKEN.match(query, at)
            if found is None:
                raise BadQuery(f"Parse error on {query[at : at + 20]!r}")
            if found["token"] is None:
                break
            self.tokens.append(found["token"])
            at = found.end()
        self.variables, self.given, self.used = dict(variables), set(variables), set[str]()

    def operation(self) -> Operation:
        kind = "query" if self.peek() == "{" else self.name()
        if kind not in ("query", "mutation"):
            raise BadQuery(f"Expected an operation, got {kind}")
        if self.peek() not in ("{", "("):
            self.name()
        declared = self.declarations() if self.take_if("(") else set()
        selections = self.selection_set()
        if self.tokens:
            raise BadQuery(f"Expected one operation, got {self.tokens[0]} after it")
        if unknown := self.used - declared or self.given - declared or declared - self.used:
            raise BadQuery(f"Variable ${sorted(unknown)[0]} is not declared, or is not used")
        return Operation(kind, selections)

    def declarations(self) -> set[str]:
        declared = set()
        while not self.take_if(")"):
            self.take("$")
            name = self.name()
            declared.add(name)
            self.take(":")
            is_needed = self.type_is_required()
            if self.take_if("="):
                default = self.value()
                self.variables.setdefault(name, default)
            elif is_needed and self.variables.get(name) is None:
                raise BadQuery(f"Variable ${name} was provided invalid value")
        return declared

    def type_is_required(self) -> bool:
        if self.take_if("["):
            self.type_is_required()
            self.take("]")
        else:
            self.name()
        return self.take_if("!")

    def selection_set(self) -> list[Selection]:
        self.take("{")
        found = []
        while not self.take_if("}"):
            key = name = self.name()
            if self.take_if(":"):
                name = self.name()
            arguments = self.pairs(")") if self.take_if("(") else {}
            found.append(Selection(name, key, arguments, self.selection_set() if self.peek() == "{" else []))
        return found

    def pairs(self, end: str) -> dict[str, Any]:
        found = {}
        while not self.take_if(end):
            name = self.name()
            self.take(":")
            if self.peek() == "$" and self.tokens[1] not in self.variables:
                # A variable without a value is as if the field were not there.
                self.take("$")
                self.used.add(self.name())
            else:
                found[name] = self.value()
        return found

    def value(self) -> Any:
        token = self.next()
        if token == "$":
            name = self.name()
            self.used.add(name)
            return self.variables.get(name)
        if token == "{":
            return self.pairs("}")
        if token == "[":
            found = []
            while not self.take_if("]"):
                found.append(self.value())
            return found
        if token in ("true", "false", "null") or token[0] in '"-0123456789':
            return json.loads(token)
        raise BadQuery(f"Expected a value, got {token}")

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def next(self) -> str:
        if not self.tokens:
            raise BadQuery("Unexpected end of the query")
        return self.tokens.pop(0)

    def take(self, wanted: str) -> None:
        if (token := self.next()) != wanted:
            raise BadQuery(f"Expected {wanted}, got {token}")

    def take_if(self, wanted: str) -> bool:
        if self.peek() != wanted:
            return False
        self.next()
        return True

    def name(self) -> str:
        token = self.next()
        if not re.fullmatch(_NAME, token):
            raise BadQuery(f"Expected a name, got {token}")
        return token

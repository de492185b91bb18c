"""JSON with the place of every value, by tree-sitter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import tree_sitter_json
from tree_sitter import Language, Node, Parser

from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence, Span, Value

_PARSER = Parser(Language(tree_sitter_json.language()))
_MAX_DEPTH = 200
_EXPONENT = re.compile(rb"(?<=[0-9])([eE])\+(?=[0-9])")

_CONSTANTS = {"true": True, "false": False, "null": None}


def parse_json(data: bytes) -> Node:
    """The document's one value. Raises ``CodeError`` where the bytes are no JSON."""
    root = _PARSER.parse(data).root_node
    if root.has_error:
        # The grammar does not know 1e+2. A zero keeps every place, and the value.
        root = _PARSER.parse(_EXPONENT.sub(rb"\g<1>0", data)).root_node
    if root.has_error or root.named_child_count != 1 or (b"/" in data and _has_comment(root)):
        raise CodeError("it is not valid JSON")
    return root.named_children[0]


def _has_comment(root: Node) -> bool:
    pending = [root]
    while pending:
        node = pending.pop()
        if node.type == "comment":
            return True
        pending += node.named_children
    return False


def decode_json(file: str, data: bytes) -> Value:
    """The value of a JSON file, every scalar and key with its place. Raises ``CodeError`` where it is no JSON."""
    return _value(parse_json(data), file, lambda node: _scalar(node, file), 0)


def _value(node: Node, file: str, scalar: Callable[[Node], Scalar], depth: int) -> Value:
    if depth > _MAX_DEPTH:
        raise CodeError(f"it is nested deeper than {_MAX_DEPTH} levels")
    if node.type == "object":
        entries: dict[str, Value] = {}
        keys: dict[str, Scalar] = {}
        for key_node, value_node in members(node):
            key = scalar(key_node)
            entries[key.value] = _value(value_node, file, scalar, depth + 1)
            keys[key.value] = key
        return Mapping(entries=entries, keys=keys)
    if node.type == "array":
        return Sequence(items=tuple(_value(item, file, scalar, depth + 1) for item in elements(node)))
    return scalar(node)


def members(node: Node) -> list[tuple[Node, Node]]:
    """Keys and values of an object, in order."""
    return [
        (pair.child_by_field_name("key"), pair.child_by_field_name("value"))
        for pair in node.named_children
        if pair.type == "pair"
    ]


def elements(node: Node) -> list[Node]:
    """The values of an array, in order."""
    return node.named_children


def string_of(node: Node) -> str:
    """A string node's text with its escapes resolved. Raises ``CodeError`` for a broken escape."""
    try:
        text: str = json.loads(node.text)
        text.encode("utf-8")
    except ValueError:
        raise CodeError("it has a string that is not valid JSON") from None
    return text


def number_of(node: Node) -> int | float:
    """A number node's value. Raises ``CodeError`` where it is none."""
    try:
        return json.loads(node.text)
    except ValueError:
        raise CodeError("it has a number that is not valid JSON") from None


def _scalar(node: Node, file: str) -> Scalar:
    if node.type == "string":
        return Scalar(value=string_of(node), origin=Span(file, node.start_byte + 1, node.end_byte - 1))
    value = number_of(node) if node.type == "number" else _CONSTANTS[node.type]
    return Scalar(value=value, origin=Span(file, node.start_byte, node.end_byte))

"""HCL's JSON notation (``.tf.json``), read into the same shapes as the native one.

Strings are templates. What Terraform's schema tells apart, an attribute and a nested block, looks the same in JSON: a body
gives either, as it is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial

from tree_sitter import Node

from dagster_project.iac.hcl import parse_expression, parse_template
from dagster_project.iac.json_documents import elements, members, number_of, parse_json, string_of
from dagster_project.iac.syntax import Block, Body, Expression, Literal, ObjectOf, TupleOf
from dagster_project.iac.values import CodeError, Scalar, Span

_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1, "provider": 1}
_PLAIN = ("locals", "terraform", "moved", "removed", "import", "check")
_ESCAPE = re.compile(rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.)")
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse_hcl_json(file: str, data: bytes) -> Body:
    """The body of a file, its top-level blocks in order. Raises ``CodeError`` where it is not valid."""
    root = parse_json(data)
    body = Body(file)
    for holder in _objects(root):
        for key, value in members(holder):
            name = string_of(key)
            if name in _LABELS:
                body.blocks += _labelled(file, data, name, value, _LABELS[name], ())
            elif name in _PLAIN:
                body.blocks += [Block(name, (), _body(file, data, node)) for node in _objects(value)]
    return body


def _objects(node: Node) -> list[Node]:
    """An object, or the objects of an array. Raises ``CodeError`` for anything else."""
    found = elements(node) if node.type == "array" else [node]
    if any(each.type != "object" for each in found):
        raise CodeError("an object is expected where something else stands")
    return found


def _labelled(file: str, data: bytes, type_: str, node: Node, left: int, labels: tuple[str, ...]) -> Iterator[Block]:
    for holder in _objects(node):
        if not left:
            if any(string_of(key) == "dynamic" for key, _ in members(holder)):
                raise CodeError("dynamic blocks in JSON are not followed")
            body = _body(file, data, holder)
            if type_ == "variable":
                _read_type(body, file, data, holder)
            yield Block(type_, labels, body)
            continue
        for key, value in members(holder):
            if string_of(key) != "//":
                yield from _labelled(file, data, type_, value, left - 1, (*labels, string_of(key)))


def _read_type(body: Body, file: str, data: bytes, node: Node) -> None:
    """A variable's type is an expression in a string."""
    for key, value in members(node):
        if string_of(key) == "type" and value.type == "string":
            quoted, places = _unescaped(data, value)
            body.parsed["type"] = partial(parse_expression, file, quoted[1:-1], places[1:-1])


def _body(file: str, data: bytes, node: Node) -> Body:
    nodes = {string_of(key): value for key, value in members(node) if string_of(key) != "//"}

    def nested(name: str) -> list[Body] | None:
        try:
            return [_body(file, data, each) for each in _objects(nodes[name])]
        except CodeError:
            return None

    return Body(file, {name: partial(_expression, file, data, value) for name, value in nodes.items()}, nested_from=nested)


def _expression(file: str, data: bytes, node: Node) -> Expression:
    if node.type == "object":
        return ObjectOf(tuple((_expression(file, data, key), _expression(file, data, value)) for key, value in members(node)))
    if node.type == "array":
        return TupleOf(tuple(_expression(file, data, item) for item in elements(node)))
    if node.type == "string":
        return _string(file, data, node)
    value = number_of(node) if node.type == "number" else _CONSTANTS[node.type]
    return Literal(Scalar(value=value, origin=Span(file, node.start_byte, node.end_byte)))


def _string(file: str, data: bytes, node: Node) -> Expression:
    text = string_of(node)
    span = Span(file, node.start_byte + 1, node.end_byte - 1)
    if "${" not in text and "%{" not in text:
        return Literal(Scalar(value=text, origin=span))
    quoted, places = _unescaped(data, node)
    return parse_template(file, quoted[1:-1], places[1:-1])


def _unescaped(data: bytes, node: Node) -> tuple[bytes, list[int]]:
    """A string without JSON's escapes but in quotes, and where each of its bytes stands in the file."""
    text, places, at = b"", [], node.start_byte
    string_of(node)
    while at < node.end_byte:
        escape = _ESCAPE.match(data, at, node.end_byte)
        piece = json.loads(b'"' + escape.group() + b'"').encode("utf-8") if escape else data[at : at + 1]
        text += piece
        places += [at] * len(piece)
        at = escape.end() if escape else at + 1
    return text, [*places, at]

"""HCL's native notation, parsed by tree-sitter into the shapes of ``syntax``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, takewhile

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

from dagster_project.iac.syntax import (
    Attribute,
    Binary,
    Block,
    Body,
    Call,
    Conditional,
    Expression,
    For,
    Index,
    Literal,
    Name,
    ObjectOf,
    Opaque,
    Splat,
    Step,
    Template,
    Traversal,
    TupleOf,
    Unary,
)
from dagster_project.iac.values import CodeError, DocumentText, Run, Scalar, Span

_PARSER = Parser(Language(tree_sitter_hcl.language()))
_BINARY = frozenset(("||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"))
_ESCAPE = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|\$\$\{|%%\{|\\')
_EXPONENT = re.compile(rb"(?<![\w.\"])[0-9]+[eE][+-]?[0-9]+(?![\w.])|(?<![\w.\"])[0-9]+\.[0-9]+[eE][+-]?[0-9]+(?![\w.])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_COMMENT = re.compile(rb"(?:#|//)[^\n]*|/\*.*?\*/", re.DOTALL)
_END = b"NIGHTSHIFT_TEMPLATE_END"
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_MAX_DEPTH = 150

BOM = b"\xef\xbb\xbf"


def parse_hcl(file: str, data: bytes) -> Body:
    """The body of a file. Raises ``CodeError`` where the bytes are no HCL."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise CodeError("it is not UTF-8") from None
    if _LONE_RETURN.search(data):
        raise CodeError("it has a carriage return that ends no line")
    # The grammar knows no byte order mark; blanks of the same length keep every place.
    text = b"   " + data[3:] if data.startswith(BOM) else data
    return _Reader(file, text, lambda place: place).body(_root(text))


def parse_template(file: str, content: bytes, places: list[int]) -> Expression:
    """A template that stands in a file of another kind, as a string there. ``places`` are where each of its bytes, and its
    end, stand in that file. Quotes and backslashes in it mean themselves. Raises ``CodeError``."""
    opening = b"a=<<" + _END + b"\n"
    text = opening + content + b"\n" + _END + b"\n"
    last = len(places) - 1
    reader = _Reader(file, text, lambda place: places[min(max(place - len(opening), 0), last)])
    root = _root(text)
    return reader.template(root, len(opening), len(opening) + len(content))


def parse_expression(file: str, source: bytes, places: list[int]) -> Expression:
    """An expression that stands in a file of another kind, as a string there. Raises ``CodeError``."""
    text = b"a=(" + source + b")\n"
    reader = _Reader(file, text, lambda place: places[min(max(place - 3, 0), len(places) - 1)])
    return reader.body(_root(text)).expression("a") or Opaque("an expression")


def _root(text: bytes) -> Node:
    root = _PARSER.parse(text).root_node
    if root.has_error:
        # The grammar does not know 1e2. Digits of the same length keep every place; words are read from the text itself.
        other = _PARSER.parse(_EXPONENT.sub(lambda found: b"0" * len(found.group()), text)).root_node
        if other.has_error:
            raise CodeError(f"line {_first_error_line(root)} is not valid HCL")
        root = other
    if any(child.type == "object" for child in root.named_children):
        raise CodeError("it is an object and no body")
    return root


def _first_error_line(root: Node) -> int:
    stack = [root]
    lines = []
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            lines.append(node.start_point[0] + 1)
        stack.extend(child for child in node.children if child.has_error or child.is_missing)
    return min(lines, default=1)


def unescape(text: str) -> str:
    """A quoted string's text with its escapes resolved. Raises ``CodeError`` for an unknown escape."""
    if "\\" not in text and "{" not in text:
        return text

    def resolve(found: re.Match[str]) -> str:
        letter, short, long = found.groups()
        if letter:
            return _ESCAPED[letter]
        if short or long:
            try:
                return chr(int(short or long, 16))
            except (ValueError, OverflowError):
                raise CodeError("a string has an escape for no character") from None
        if found.group() == "\\":
            raise CodeError("a string has an unknown escape")
        return found.group()[1:]

    return _ESCAPE.sub(resolve, text)


class _Reader:
    """Turns nodes of a text into syntax. ``place`` tells where a byte of the text stands in the file."""

    def __init__(self, file: str, text: bytes, place: Callable[[int], int]) -> None:
        self._file = file
        self._text = text
        self._place = place
        self._depth = 0
        self._is_bracketed = False

    def body(self, node: Node) -> Body:
        """The body of the file, or of a block. The grammar takes any blank for a newline; HCL does not."""
        body = Body(self._file)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise CodeError(f"blocks are nested deeper than {_MAX_DEPTH} levels")
        holder = next((child for child in node.named_children if child.type == "body"), None)
        items = [child for child in holder.named_children if child.type in ("attribute", "block")] if holder else []
        self._require_lines(node, items)
        for child in items:
            if child.type == "attribute":
                parts = [part for part in child.children if part.type != "comment"]
                self._require_one_line(parts)
                name = self._word(parts[0])
                if name in body.parsed:
                    raise CodeError(f"the attribute {name} is set twice in one block")
                body.parsed[name] = partial(self._fresh, parts[-1])
            else:
                parts = [part for part in child.children if part.type in ("identifier", "string_lit", "block_start")]
                self._require_one_line(parts)
                words = [self._word(part) if part.type == "identifier" else self._label(part) for part in parts[:-1]]
                body.blocks.append(Block(words[0], tuple(words[1:]), self.body(child)))
        self._depth -= 1
        return body

    def _require_lines(self, node: Node, items: list[Node]) -> None:
        """Each item of a body ends its line. A block on one line holds one attribute, or nothing."""
        for before, after in pairwise(items):
            if not self._has_newline(before.end_byte, after.start_byte):
                raise CodeError(f"line {before.end_point[0] + 1} goes on after its end")
        start = next((child for child in node.children if child.type == "block_start"), None)
        end = next((child for child in node.children if child.type == "block_end"), None)
        if not items or start is None or end is None:
            return
        opens = self._has_newline(start.end_byte, items[0].start_byte)
        closes = self._has_newline(items[-1].end_byte, end.start_byte)
        is_single = len(items) == 1 and items[0].type == "attribute"
        if opens != closes or not (opens or is_single):
            raise CodeError(f"the block of line {start.start_point[0] + 1} is not closed as it is opened")

    def _has_newline(self, start: int, end: int) -> bool:
        # A heredoc's end takes its newline with it.
        return b"\n" in self._text[start:end] or self._text[start - 1 : start] == b"\n"

    def _require_one_line(self, nodes: list[Node]) -> None:
        """Outside of brackets no newline stands between the parts of an expression or a block's head."""
        for before, after in pairwise(nodes):
            if b"\n" in self._text[before.end_byte : after.start_byte]:
                raise CodeError(f"line {before.end_point[0] + 1} ends too early")

    def _fresh(self, node: Node) -> Expression:
        self._depth = 0
        self._is_bracketed = False
        return self._expression(node)

    def _bracketed(self, node: Node, is_bracketed: bool = True) -> Expression:
        """An expression inside of brackets, where newlines are blanks; in an object's braces they are not."""
        before, self._is_bracketed = self._is_bracketed, is_bracketed
        try:
            return self._expression(node)
        finally:
            self._is_bracketed = before

    def _word(self, node: Node) -> str:
        return self._text[node.start_byte : node.end_byte].decode("utf-8")

    def _span(self, start: int, end: int) -> Span:
        return Span(self._file, self._place(start), self._place(end))

    def _string(self, node: Node) -> Scalar:
        start, end = node.children[0].end_byte, node.children[-1].start_byte
        return Scalar(value=self._unescaped(start, end), origin=self._span(start, end))

    def _label(self, node: Node) -> str:
        if b"${" in node.text or b"%{" in node.text:
            raise CodeError("a label of a block is a template")
        return self._string(node).value

    def _unescaped(self, start: int, end: int) -> str:
        raw = self._text[start:end]
        if b"\n" in raw:
            raise CodeError("a quoted string goes over several lines")
        return unescape(raw.decode("utf-8"))

    def _expression(self, node: Node) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise CodeError(f"an expression is nested deeper than {_MAX_DEPTH} levels")
        try:
            return self._sequence([child for child in node.children if child.type != "comment"])
        finally:
            self._depth -= 1

    def _sequence(self, nodes: list[Node]) -> Expression:
        """A primary expression and the steps from it."""
        if not self._is_bracketed:
            self._require_one_line(nodes[2:] if nodes[0].type == "(" else nodes)
        if nodes[0].type == "(":
            base, rest = self._bracketed(nodes[1]), nodes[3:]
        else:
            base, rest = self._primary(nodes[0]), nodes[1:]
        steps = tuple(step for node in rest for step in self._steps(node))
        return Traversal(base, steps) if steps else base

    def _primary(self, node: Node) -> Expression:
        reader = _PRIMARIES.get(node.type)
        return reader(self, node) if reader else Opaque(f"the expression {node.type}")

    def _steps(self, node: Node) -> Iterator[Step]:
        if node.type == "get_attr":
            if not self._is_bracketed:
                self._require_one_line(node.children)
            yield Attribute(self._word(node.named_children[-1]))
        elif node.type == "index":
            index = node.named_children[0]
            if index.type == "legacy_index":
                yield Index(Literal(Scalar(value=int(self._word(index)[1:].strip()))))
            else:
                yield Index(self._bracketed(index.named_children[0]))
        elif node.type == "splat":
            splat = node.named_children[0]
            if not self._is_bracketed:
                self._require_one_line(splat.children)
            inner = [step for child in splat.named_children for step in self._steps(child)]
            # After .* an index is taken of the result, after [*] of every element.
            each = inner if splat.type == "full_splat" else list(takewhile(lambda step: isinstance(step, Attribute), inner))
            yield Splat(tuple(each))  # type: ignore[arg-type]
            yield from inner[len(each) :]
        else:
            raise CodeError(f"an expression goes on with {node.type}")

    def _literal(self, node: Node) -> Expression:
        kind = node.named_children[0]
        if kind.type == "string_lit":
            return Literal(self._string(kind))
        word = self._word(kind)
        origin = self._span(kind.start_byte, kind.end_byte)
        if kind.type == "numeric_lit":
            return Literal(Scalar(value=number(word), origin=origin))
        return Literal(Scalar(value={"true": True, "false": False, "null": None}[word], origin=origin))

    def _template(self, node: Node) -> Expression:
        quoted = node.named_children[0]
        if quoted.type == "heredoc_template":
            return self._heredoc(quoted)
        return self._parts(quoted, quoted.children[0].end_byte, quoted.children[-1].start_byte, self._unescaped)

    def template(self, root: Node, start: int, end: int) -> Expression:
        """The heredoc that is the only attribute of a text, without its last newline."""
        node = root
        while node.type != "heredoc_template":
            node = node.named_children[-1]
        return self._parts(node, start, end, self._verbatim)

    def _heredoc(self, node: Node) -> Expression:
        words = [child for child in node.children if child.type == "heredoc_identifier"]
        start = self._text.find(b"\n", words[0].end_byte) + 1
        if self._text[words[0].end_byte : start] not in (b"\n", b"\r\n"):
            raise CodeError("a heredoc's opening line goes on")
        end = self._text.rfind(b"\n", start - 1, words[-1].start_byte) + 1
        is_indented = self._word(node.children[0]) == "<<-"
        if any(child.type.startswith("template_") and child.type != "template_literal" for child in node.children):
            # Blanks are cut from an indented one line by line; its text is not put together here.
            inside = Opaque("an indented heredoc with interpolations", self._inside(node))
            return inside if is_indented else self._parts(node, start, end, self._verbatim)
        lines = self._text[start:end].splitlines(keepends=True)
        indent = 0
        if is_indented:
            indent = min((len(line) - len(line.lstrip(b" \t")) for line in lines if line.strip()), default=0)
        text, runs, at = b"", [], start
        for line in lines:
            cut = min(indent, len(line) - len(line.lstrip(b" \t")))
            runs.append(Run(len(text), self._place(at + cut)))
            text += line[cut:]
            at += len(line)
        flow = frozenset((self._span(start, end),))
        if b"$${" in text or b"%%{" in text:
            return Literal(Scalar(flow=flow, value=text.decode("utf-8").replace("$${", "${").replace("%%{", "%{")))
        return Literal(DocumentText(flow=flow, value=text.decode("utf-8"), file=self._file, runs=tuple(runs) or (Run(0, 0),)))

    def _verbatim(self, start: int, end: int) -> str:
        return self._text[start:end].decode("utf-8").replace("$${", "${").replace("%%{", "%{")

    def _parts(self, node: Node, start: int, end: int, read: Callable[[int, int], str]) -> Expression:
        """Literal text is taken between the interpolations: the grammar leaves blanks at its edges out."""
        if any(child.type == "template_directive" for child in node.named_children):
            return Opaque("a template with directives", self._inside(node))
        parts: list[Expression] = []
        at = start
        is_stripping = False
        for child in node.named_children:
            if child.type != "template_interpolation":
                continue
            strips = [part.type == "strip_marker" for part in child.children]
            self._text_part(parts, at, child.start_byte, read, is_stripping, strips[1])
            inner = [part for part in child.named_children if part.type == "expression"]
            if not inner:
                raise CodeError("an interpolation is empty")
            parts.append(self._bracketed(inner[0]))
            at, is_stripping = child.end_byte, strips[-2]
        self._text_part(parts, at, end, read, is_stripping, False)
        return Template(tuple(parts))

    def _text_part(
        self, parts: list[Expression], start: int, end: int, read: Callable[[int, int], str], strip_left: bool, strip_right: bool
    ) -> None:
        text = read(start, end)
        text = text.lstrip() if strip_left else text
        text = text.rstrip() if strip_right else text
        if not text:
            return
        # The text's own bytes are part of the string, so that they are known to flow into it.
        parts.append(Literal(Scalar(value=text, flow=frozenset((self._span(start, end),)))))

    def _inside(self, node: Node) -> tuple[Expression, ...]:
        found: list[Expression] = []
        for child in node.named_children:
            if child.type == "expression":
                found.append(self._bracketed(child))
            else:
                found += self._inside(child)
        return tuple(found)

    def _name(self, node: Node) -> Expression:
        return Name(self._word(node))

    def _collection(self, node: Node) -> Expression:
        inner = node.named_children[0]
        if inner.type == "tuple":
            return TupleOf(tuple(self._bracketed(item) for item in inner.named_children if item.type == "expression"))
        items = []
        elements = [child for child in inner.named_children if child.type == "object_elem"]
        for before, after in pairwise([inner.children[0], *elements]):
            between = _COMMENT.sub(b"", self._text[before.end_byte : after.start_byte])
            if b"," in between and (before is inner.children[0] or b"\n" in between.partition(b",")[0]):
                raise CodeError(f"line {after.start_point[0] + 1} has a comma where an element is expected")
        for before, after in pairwise(elements):
            has_comma = b"," in _COMMENT.sub(b"", self._text[before.end_byte : after.start_byte])
            if not has_comma and not self._has_newline(before.end_byte, after.start_byte):
                raise CodeError(f"line {before.end_point[0] + 1} has two elements without a comma")
        for element in elements:
            key, value = [part for part in element.named_children if part.type == "expression"]
            self._require_one_line([key, value])
            items.append((self._key(key), self._bracketed(value, False)))
        return ObjectOf(tuple(items))

    def _key(self, node: Node) -> Expression:
        """A bare word is a literal key, and so is a number; anything else is evaluated."""
        only = node.children[0] if len(node.children) == 1 else None
        is_word = only is not None and only.type == "variable_expr"
        is_constant = only is not None and only.type == "literal_value" and only.named_children[0].type != "string_lit"
        if is_word or is_constant:
            return Literal(Scalar(value=self._word(node), origin=self._span(node.start_byte, node.end_byte)))
        return self._bracketed(node, False)

    def _for(self, node: Node) -> Expression:
        inner = node.named_children[0]
        intro = next(child for child in inner.named_children if child.type == "for_intro")
        condition = next((child for child in inner.named_children if child.type == "for_cond"), None)
        for word, after in (*pairwise(intro.children), *(pairwise(condition.children) if condition else ())):
            if word.type in ("for", "in", "if") and word.end_byte == after.start_byte and after.text[:1].isalnum():
                raise CodeError(f"line {word.start_point[0] + 1} has no blank after {word.type}")
        names = [self._word(child) for child in intro.named_children if child.type == "identifier"]
        collection = next(child for child in intro.named_children if child.type == "expression")
        results = [self._bracketed(child) for child in inner.named_children if child.type == "expression"]
        return For(
            names[0] if len(names) == 2 else None,
            names[-1],
            self._bracketed(collection),
            results[0] if len(results) == 2 else None,
            results[-1],
            self._bracketed(condition.named_children[-1]) if condition else None,
            any(child.type == "ellipsis" for child in inner.named_children),
        )

    def _call(self, node: Node) -> Expression:
        self._require_one_line(node.children[:2])
        holder = next((child for child in node.named_children if child.type == "function_arguments"), None)
        given = holder.named_children if holder else []
        return Call(
            self._word(node.named_children[0]),
            tuple(self._bracketed(child) for child in given if child.type == "expression"),
            any(child.type == "ellipsis" for child in given),
        )

    def _conditional(self, node: Node) -> Expression:
        """The grammar reads ``a ? b : c ? d : e`` from the left; Terraform reads it from the right."""
        parts = _branches(node)
        if not self._is_bracketed:
            self._require_one_line(parts)
        *pairs, last = [self._expression(part) for part in parts]
        result = last
        for condition, then in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
            result = Conditional(condition, then, result)
        return result

    def _operation(self, node: Node) -> Expression:
        inner = node.named_children[0]
        nodes = [child for child in inner.children if child.type != "comment"]
        if not self._is_bracketed:
            self._require_one_line(nodes)
        if inner.type == "unary_operation":
            return Unary(nodes[0].type, self._sequence(nodes[1:]))
        place = next(at for at, child in enumerate(nodes) if not child.is_named and child.type in _BINARY)
        return Binary(nodes[place].type, self._sequence(nodes[:place]), self._sequence(nodes[place + 1 :]))


def _branches(node: Node) -> list[Node]:
    """Condition and branch in turn, and the last branch, of a chain of conditionals without parentheses."""
    condition, then, otherwise = (child for child in node.named_children if child.type == "expression")
    inner = condition.children[0]
    is_chain = inner.type == "conditional" and condition.child_count == 1
    return [*(_branches(inner) if is_chain else [condition]), then, otherwise]


def number(word: str) -> int | float:
    """A number's value. Raises ``CodeError`` where the word is none."""
    if not _NUMBER.fullmatch(word):
        raise CodeError(f"{word} is no number")
    return int(word) if word.lstrip("+-").isdigit() else float(word)


_PRIMARIES = {
    "literal_value": _Reader._literal,
    "template_expr": _Reader._template,
    "variable_expr": _Reader._name,
    "collection_value": _Reader._collection,
    "for_expr": _Reader._for,
    "function_call": _Reader._call,
    "conditional": _Reader._conditional,
    "operation": _Reader._operation,
}

"""YAML with the place of every value, by PyYAML's composer.

The document is never dumped again: editing changes the bytes of one scalar. Scalars are resolved as Terraform's yamldecode
does (YAML 1.2's core types and the merge key); an anchor's value and its aliases have one place.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence, Span, Value, unknown

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_PROPERTIES = re.compile(rb"(?:[&!]\S*\s+)*")
"""An anchor and a tag before a scalar; its mark begins at them."""
_MAX_DEPTH = 200
_RESOLVER = yaml.resolver.Resolver()
_WORDS = {**dict.fromkeys(("y", "yes", "on", "true"), True), **dict.fromkeys(("n", "no", "off", "false"), False)}
_ODD = re.compile(
    r"[-+]?0[xob]?[0-9a-f_]+|[-+]?[0-9][0-9_.]*_[0-9_.]*|[-+]?\.(?:inf|nan)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|y|n|yes|no|on|off",
    re.IGNORECASE | re.DOTALL,
)
"""Plain scalars that decoders disagree on; their value is left unknown."""


TagReader = Callable[[str, Value], Value]
"""What a tag of its own makes of the value behind it."""


def decode_yaml(file: str, data: bytes, read_tag: TagReader | None = None) -> Value:
    """The value of a YAML file's one document. Raises ``CodeError`` where it is no YAML or several documents."""
    node, offsets = _compose(data)
    if node is None:
        raise CodeError("it is empty")
    return _Decoder(file, data, offsets, read_tag).value(node)


def _compose(data: bytes) -> tuple[yaml.Node | None, list[int] | None]:
    """The document's root node, and the byte offset of each character (None where all are ASCII). Raises ``CodeError``."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise CodeError("it is not UTF-8") from None
    if text.startswith("\ufeff"):
        text = " " + text[1:]
        offsets = _offsets("\ufeff" + text[1:])
    else:
        offsets = None if text.isascii() else _offsets(text)
    try:
        _require_depth(text)
        nodes = list(yaml.compose_all(text, Loader=_LOADER))
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise CodeError(f"it is not valid YAML ({problem})") from None
    if len(nodes) > 1:
        raise CodeError("it holds several YAML documents")
    return (nodes[0] if nodes else None), offsets


def _require_depth(text: str) -> None:
    """Events come one after the other; composing them goes as deep as the document, and beyond the machine's stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise CodeError(f"it is nested deeper than {_MAX_DEPTH} levels")


def _offsets(text: str) -> list[int]:
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode("utf-8")))
    return offsets


def _place_of(node: yaml.ScalarNode, file: str, data: bytes, offsets: list[int] | None) -> Span | None:
    """The bytes of a scalar without its quotes; None of a block scalar or an empty one, which has no bytes of its own."""
    start, end = node.start_mark.index, node.end_mark.index
    if offsets:
        start, end = offsets[start], offsets[end]
    if node.style in ("'", '"'):
        quote = node.style.encode()
        start = _PROPERTIES.match(data, start, end).end()  # type: ignore[union-attr]
        is_whole = data[start : start + 1] == quote == data[end - 1 : end] and end - start > 1
        return Span(file, start + 1, end - 1) if is_whole else None
    if node.style or start == end:
        return None
    start += _PROPERTIES.match(data, start, end).end() - start  # type: ignore[union-attr]
    raw = data[start:end]
    return Span(file, end - len(raw.lstrip()), start + len(raw.rstrip())) if raw.strip() == node.value.encode() else None


class _Decoder:
    def __init__(self, file: str, data: bytes, offsets: list[int] | None, read_tag: TagReader | None) -> None:
        self._read_tag = read_tag
        self._file = file
        self._data = data
        self._offsets = offsets
        self._done: dict[int, Value] = {}
        self._open: set[int] = set()

    def value(self, node: yaml.Node) -> Value:
        if id(node) in self._done:
            return self._done[id(node)]
        if id(node) in self._open:
            raise CodeError("an alias refers to what it stands in")
        self._open.add(id(node))
        has_tag = self._read_tag is not None and node.tag.startswith("!")
        if isinstance(node, yaml.MappingNode):
            result = self._mapping(node)
        elif isinstance(node, yaml.SequenceNode):
            result = Sequence(items=tuple(self.value(item) for item in node.value))
        else:
            result = self._plain_or_quoted(node) if has_tag else self._scalar(node)
        if has_tag and self._read_tag:
            result = self._read_tag(node.tag, result)
        self._open.discard(id(node))
        self._done[id(node)] = result
        return result

    def _mapping(self, node: yaml.MappingNode) -> Value:
        """Terraform decodes in order: a merge key replaces what stands before it."""
        entries: dict[str, Value] = {}
        keys: dict[str, Scalar] = {}
        odd: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise CodeError("a key is no scalar")
            if key_node.value == "<<":
                base = self.value(value_node)
                if not isinstance(base, Mapping):
                    raise CodeError("a merge key holds no mapping")
                odd |= base.uncertain
                entries |= base.entries
                keys |= {name: base.key(name) for name in base.entries}
                continue
            key = self._key(key_node)
            if key is None:
                # Its value may stand at another key than the one that is written.
                odd.add(key_node.value)
                entries[key_node.value] = self.value(value_node)
                continue
            entries[key.value] = self.value(value_node)
            keys[key.value] = key
        return Mapping(entries=entries, keys=keys, uncertain=frozenset(odd), is_partial=bool(odd))

    def _key(self, node: yaml.ScalarNode) -> Scalar | None:
        """A key is decoded as any scalar, and then is a string: y is "true". None of one that decoders disagree on."""
        place = _place_of(node, self._file, self._data, self._offsets)
        if node.style or self._read_tag:
            return Scalar(value=node.value, origin=place)
        if node.value.lower() in _WORDS:
            return Scalar(value="true" if _WORDS[node.value.lower()] else "false")
        value = self._plain(node.value, place)
        is_itself = isinstance(value, Scalar) and value.text == node.value
        return Scalar(value=node.value, origin=place) if is_itself else None

    def _plain_or_quoted(self, node: yaml.ScalarNode) -> Value:
        return Scalar(value=node.value, origin=_place_of(node, self._file, self._data, self._offsets))

    def _scalar(self, node: yaml.ScalarNode) -> Value:
        place = _place_of(node, self._file, self._data, self._offsets)
        if node.tag not in _TAGS:
            return unknown(f"YAML's tag {node.tag}")
        if node.style or self._is_told_to_be_text(node):
            return Scalar(value=node.value, origin=place)
        return self._plain(node.value, place)

    @staticmethod
    def _is_told_to_be_text(node: yaml.ScalarNode) -> bool:
        """Whether a tag says that a plain scalar is a string, although it looks like something else."""
        implied = _RESOLVER.resolve(yaml.ScalarNode, node.value, (True, False))
        return node.tag == "tag:yaml.org,2002:str" != implied

    def _plain(self, text: str, place: Span | None) -> Value:
        if text in _CONSTANTS:
            return Scalar(value=_CONSTANTS[text], origin=place)
        if _ODD.fullmatch(text):
            return unknown(f"YAML's {text}, which decoders read differently")
        if _INTEGER.fullmatch(text):
            return Scalar(value=int(text), origin=place)
        if _FLOAT.fullmatch(text):
            return Scalar(value=float(text), origin=place)
        return Scalar(value=text, origin=place)


_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "value")}

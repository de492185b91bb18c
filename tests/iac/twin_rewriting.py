"""A repository of Terraform rewritten so that the real `terraform plan` evaluates it without a provider.

How a resource is rewritten:
- `resource "aws_x" "n"` becomes `resource "terraform_data" "aws_x__n"`; count, for_each and depends_on stay; lifecycle, provider,
  provisioner and connection go; other arguments and blocks go into `input`: blocks as lists of objects, dynamic blocks as `for`
  expressions inside `concat`. Data sources become `terraform_data.data__aws_x__n`.
- A reference to an argument that stands in the block reads `.input`, one to any other attribute is unknown (`jsondecode` of the
  unknown id, which has the type "anything").
- Resource blocks of override files are merged here, by Terraform's rules (an argument replaces an argument, blocks of a type
  replace all blocks of that type); override files' variables, locals and modules are left to Terraform.
- terraform, provider, moved, import, removed and check blocks go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

import tree_sitter
import tree_sitter_hcl

SEPARATOR: Final = "__"
DROPPED_BLOCKS: Final = frozenset({"terraform", "provider", "moved", "import", "removed", "check"})
"""Top-level blocks of which a plan without provider and state knows nothing."""
DROPPED_IN_RESOURCES: Final = frozenset({"lifecycle", "provisioner", "connection"})
META_ARGUMENTS: Final = frozenset({"count", "for_each", "depends_on"})
NO_RESOURCE: Final = frozenset({"var", "local", "module", "each", "count", "self", "path", "terraform", "terraform_data"})
COMPUTED: Final = ("id", "arn", "name", "identifier", "endpoint", "address", "latest_version", "private_ip", "public_ip")
"""Attributes that an object of a whole resource (`values(aws_instance.web)`) has even where the block does not set them."""


class TwinError(Exception):
    """The twin does not speak."""


class Unsupported(TwinError):
    """The repository holds what the twin cannot express."""


class PlanFailed(TwinError):
    """Terraform refused the configuration; the text is Terraform's own."""


_PARSER: Final = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))
Node = tree_sitter.Node


@dataclass(slots=True)
class _Resource:
    """A resource or data block with what overrides made of it: finished text by argument and by block type."""

    data: bool
    kind: str
    name: str
    meta: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def twin(self) -> str:
        return SEPARATOR.join(["data", self.kind, self.name] if self.data else [self.kind, self.name])

    def override(self, other: _Resource) -> None:
        self.meta.update(other.meta)
        for name, text in other.arguments.items():
            self.blocks.pop(name, None)
            self.arguments[name] = text
        for name, items in other.blocks.items():
            self.arguments.pop(name, None)
            self.blocks[name] = items

    def text(self) -> str:
        lines = [f'resource "terraform_data" "{self.twin}" {{']
        lines += [f"{name} = {text}" for name, text in self.meta.items()]
        lines.append("input = {")
        lines += [f'"{name}" = {text}' for name, text in self.arguments.items()]
        lines += [f'"{name}" = {_list_of_blocks(items)}' for name, items in self.blocks.items()]
        return "\n".join([*lines, "}", "}"])


@dataclass(frozen=True, slots=True)
class _Known:
    """The resources of a module's folder, with the names of the arguments and blocks that their code gives."""

    arguments: Mapping[tuple[bool, str, str], frozenset[str]]
    repeated: Mapping[tuple[bool, str, str], str]


def rewrite(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """A repository's twin by path, and notes on what was dropped."""
    result: dict[str, bytes] = {}
    notes: list[str] = []
    folders: dict[str, list[str]] = {}
    for path, content in files.items():
        name = PurePosixPath(path).name
        if name.startswith("terraform.tfstate") or name == ".terraform.lock.hcl":
            continue
        if name.endswith((".tf", ".tf.json")):
            folders.setdefault(str(PurePosixPath(path).parent), []).append(path)
        else:
            result[path] = content
    for paths in folders.values():
        result.update(_rewrite_folder({path: files[path] for path in sorted(paths)}, notes))
    return result, tuple(notes)


def _is_override(path: str) -> bool:
    stem = PurePosixPath(path).name.removesuffix(".json").removesuffix(".tf")
    return stem == "override" or stem.endswith("_override")


def _rewrite_folder(files: Mapping[str, bytes], notes: list[str]) -> dict[str, bytes]:
    sources: dict[str, tuple[bytes, Node]] = {}
    documents: dict[str, Any] = {}
    for path, content in files.items():
        if path.endswith(".json"):
            documents[path] = _json_document(path, content)
        else:
            sources[path] = content, _parse(path, content)
    known = _known(sources.values(), documents.values())

    resources: dict[tuple[bool, str, str], _Resource] = {}
    homes: dict[tuple[bool, str, str], str] = {}
    overrides: list[_Resource] = []
    result: dict[str, bytes] = {}
    for path, (content, tree) in sources.items():
        pieces: list[tuple[int, int, str]] = []
        for block in _blocks(tree):
            kind, labels = _head(block)
            if kind == "ephemeral":
                raise Unsupported(f"{path}: ephemeral resources")
            if kind in DROPPED_BLOCKS:
                pieces.append((block.start_byte, block.end_byte, ""))
            elif kind in {"resource", "data"} and labels[0] != "terraform_data" and len(labels) == 2:
                resource = _resource(kind == "data", labels, block, content, known, notes)
                key = (resource.data, resource.kind, resource.name)
                pieces.append((block.start_byte, block.end_byte, "" if _is_override(path) else f"\0{len(homes)}\0"))
                if _is_override(path):
                    overrides.append(resource)
                elif key in resources:
                    raise PlanFailed(f"{path}: Duplicate resource {resource.kind}.{resource.name}")
                else:
                    pieces[-1] = (block.start_byte, block.end_byte, f"\0{len(homes)}\0")
                    resources[key] = resource
                    homes[key] = pieces[-1][2]
            else:
                pieces += _reference_edits(block, content, known, depends=False)
                pieces += _providers_edits(kind, block)
        result[path] = _apply(content, pieces)
    for path, document in documents.items():
        twin = _json_twin(path, document, known, resources if not _is_override(path) else None, overrides)
        result[path] = json.dumps(twin, indent=1).encode()
    for resource in overrides:
        key = (resource.data, resource.kind, resource.name)
        if key not in resources:
            raise PlanFailed(f"Missing base resource {resource.kind}.{resource.name} to override")
        resources[key].override(resource)
    json_blocks: list[str] = []
    for key, resource in resources.items():
        marker = homes.get(key)
        if marker is None:
            json_blocks.append(resource.text())
            continue
        for path, content in result.items():
            if marker.encode() in content:
                result[path] = content.replace(marker.encode(), resource.text().encode("utf-8", "surrogateescape"))
    if json_blocks:
        folder = PurePosixPath(next(iter(files))).parent
        result[str(folder / "twin_json_resources.tf")] = "\n".join(json_blocks).encode("utf-8", "surrogateescape")
    return result


def _known(sources: Iterable[tuple[bytes, Node]], documents: Iterable[Any]) -> _Known:
    arguments: dict[tuple[bool, str, str], set[str]] = {}
    repeated: dict[tuple[bool, str, str], str] = {}
    for _, tree in sources:
        for block in _blocks(tree):
            kind, labels = _head(block)
            if kind not in {"resource", "data"} or len(labels) != 2 or labels[0] == "terraform_data":
                continue
            key = (kind == "data", *labels)
            names = arguments.setdefault(key, set())
            for item in _items(block):
                name = _head(item)[0] if item.type == "block" else _attribute_name(item)
                if name == "dynamic":
                    name = _head(item)[1][0]
                if name in {"count", "for_each"} and item.type == "attribute":
                    repeated[key] = name
                names.add(name)
    for document in documents:
        for data in (False, True):
            for kind, name, body in _json_resources(document, data):
                key = (data, kind, name)
                arguments.setdefault(key, set()).update(body)
                for meta in {"count", "for_each"} & body.keys():
                    repeated[key] = meta
    meta = META_ARGUMENTS | DROPPED_IN_RESOURCES | {"provider"}
    return _Known({key: frozenset(names - meta) for key, names in arguments.items()}, repeated)


def _resource(data: bool, labels: Sequence[str], block: Node, source: bytes, known: _Known, notes: list[str]) -> _Resource:
    resource = _Resource(data, labels[0], labels[1])
    for item in _items(block):
        if item.type == "attribute":
            name = _attribute_name(item)
            if name == "provider":
                continue
            value = _expression(item)
            text = _rewritten(value, source, known, depends=name == "depends_on")
            (resource.meta if name in META_ARGUMENTS else resource.arguments)[name] = text
            continue
        kind, inner = _head(item)
        if kind in DROPPED_IN_RESOURCES:
            notes.append(f"{labels[0]}.{labels[1]}: {kind} dropped")
            continue
        name = inner[0] if kind == "dynamic" else kind
        resource.blocks.setdefault(name, []).append(_block_part(item, source, known))
    return resource


def _block_part(block: Node, source: bytes, known: _Known) -> str:
    """A nested block as an expression that is a tuple of objects: one object, or those of a dynamic block."""
    kind, labels = _head(block)
    if kind != "dynamic":
        return "[" + _object(block, source, known, labels) + "]"
    iterator, for_each, content = labels[0], "[]", "{}"
    for item in _items(block):
        if item.type == "block":
            content = _object(item, source, known, ())
        elif _attribute_name(item) == "iterator":
            iterator = _slice(_expression(item), source).strip()
        elif _attribute_name(item) == "for_each":
            for_each = _rewritten(_expression(item), source, known, depends=False)
    pairs = f"[for twin_k, twin_v in {for_each} : {{ key = twin_k, value = twin_v }}]"
    return f"[for {iterator} in {pairs} : {content}]"


def _object(block: Node, source: bytes, known: _Known, labels: Sequence[str]) -> str:
    lines = [f'"label{number}" = {json.dumps(label)}' for number, label in enumerate(labels)]
    blocks: dict[str, list[str]] = {}
    for item in _items(block):
        if item.type == "attribute":
            lines.append(f'"{_attribute_name(item)}" = {_rewritten(_expression(item), source, known, depends=False)}')
        else:
            kind, inner = _head(item)
            blocks.setdefault(inner[0] if kind == "dynamic" else kind, []).append(_block_part(item, source, known))
    lines += [f'"{name}" = {_list_of_blocks(parts)}' for name, parts in blocks.items()]
    return "{\n" + "\n".join(lines) + "\n}"


def _list_of_blocks(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else "concat(" + ", ".join(parts) + ")"


# ---------------------------------------------------------------------------------------------------------------- references


def _rewritten(node: Node, source: bytes, known: _Known, *, depends: bool) -> str:
    edits = [
        (start - node.start_byte, end - node.start_byte, text)
        for start, end, text in _reference_edits(node, source, known, depends=depends)
    ]
    return _apply(_bytes(node, source), edits).decode("utf-8", "surrogateescape")


def _reference_edits(node: Node, source: bytes, known: _Known, *, depends: bool) -> list[tuple[int, int, str]]:
    edits: list[tuple[int, int, str]] = []
    children = node.children
    skip_until = -1
    for position, child in enumerate(children):
        if child.start_byte < skip_until:
            continue
        if child.type == "variable_expr" and (found := _reference(children, position, source, known, depends)):
            edits.append(found)
            skip_until = found[1]
        else:
            edits += _reference_edits(child, source, known, depends=depends)
    return edits


def _reference(
    children: Sequence[Node], position: int, source: bytes, known: _Known, depends: bool
) -> tuple[int, int, str] | None:
    """The edit for a reference to a resource or data source that begins at a child."""
    start = children[position].start_byte
    words = [_slice(children[position], source)]
    data = words[0] == "data"
    if words[0] in NO_RESOURCE:
        return None
    following = position + 1
    for _ in range(2 if data else 1):
        if following >= len(children) or children[following].type != "get_attr":
            return None
        words.append(_attr_of(children[following], source))
        following += 1
    kind, name = words[-2:]
    key = (data, kind, name)
    if key not in known.arguments:
        return None
    target = "terraform_data." + SEPARATOR.join([*(["data"] if data else []), kind, name])
    end = children[following - 1].end_byte
    if depends:
        return start, end, target
    given = known.arguments[key]
    if following < len(children) and children[following].type == "index":
        index = children[following]
        inner = [
            (a - index.start_byte, b - index.start_byte, text)
            for a, b, text in _reference_edits(index, source, known, depends=False)
        ]
        target += _apply(_bytes(index, source), inner).decode("utf-8", "surrogateescape")
        end = index.end_byte
        following += 1
        repeated = None
    else:
        repeated = known.repeated.get(key)
    if following < len(children) and children[following].type == "get_attr":
        attribute = _attr_of(children[following], source)
        if attribute in given:
            return start, end, target + ".input"
        unknown = f"{target}.id" if attribute == "id" else f"jsondecode({target}.id).{attribute}"
        return start, children[following].end_byte, unknown
    if following < len(children) and children[following].type == "splat":
        splat = children[following].children[0]
        opening = _slice(splat.children[0], source)
        rest = splat.children[1:]
        if rest and rest[0].type == "get_attr":
            if _attr_of(rest[0], source) in given:
                return start, rest[0].start_byte, f"{target}{opening}.input"
            return start, splat.end_byte, f"{target}{opening}.id"
    return start, end, _whole(target, given, repeated)


def _whole(target: str, given: frozenset[str], repeated: str | None) -> str:
    """A whole resource as an object of its arguments and of what a provider usually computes."""

    def one(instance: str) -> str:
        computed = [f'"{name}" = {instance}.id' for name in COMPUTED if name not in given]
        return f"merge({instance}.input, {{ {', '.join(computed)} }})"

    if repeated == "for_each":
        return f"{{ for twin_k, twin_v in {target} : twin_k => {one('twin_v')} }}"
    if repeated == "count":
        return f"[ for twin_v in {target} : {one('twin_v')} ]"
    return one(target)


def _providers_edits(kind: str, block: Node) -> list[tuple[int, int, str]]:
    """A module call's `providers` name what the twin does not have."""
    if kind != "module":
        return []
    return [
        (item.start_byte, item.end_byte, "")
        for item in _items(block)
        if item.type == "attribute" and _attribute_name(item) == "providers"
    ]


# ---------------------------------------------------------------------------------------------------------------- JSON syntax


def _json_document(path: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except ValueError as problem:
        raise Unsupported(f"{path}: {problem}") from None


def _json_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _json_objects(item)


def _json_resources(document: Any, data: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for top in _json_objects(document):
        for kinds in _json_objects(top.get("data" if data else "resource", {})):
            for kind, names in kinds.items():
                for group in _json_objects(names):
                    for name, bodies in group.items():
                        for body in _json_objects(bodies):
                            yield kind, name, body


def _json_twin(
    path: str, document: Any, known: _Known, resources: dict[tuple[bool, str, str], _Resource] | None, overrides: list[_Resource]
) -> Any:
    for data in (False, True):
        for kind, name, body in _json_resources(document, data):
            resource = _Resource(data, kind, name)
            for argument, value in body.items():
                if argument in DROPPED_IN_RESOURCES or argument in {"provider", "//"}:
                    continue
                if argument == "dynamic":
                    raise Unsupported(f"{path}: dynamic blocks in JSON")
                if argument == "depends_on":
                    texts = [_json_depends(item, known) for item in value]
                    resource.meta[argument] = "[" + ", ".join(texts) + "]"
                    continue
                text = _json_expression(value, known)
                (resource.meta if argument in META_ARGUMENTS else resource.arguments)[argument] = text
            if resources is None:
                overrides.append(resource)
            elif (data, kind, name) in resources:
                raise PlanFailed(f"{path}: Duplicate resource {kind}.{name}")
            else:
                resources[data, kind, name] = resource
    tops = []
    for top in _json_objects(document):
        kept = {key: value for key, value in top.items() if key not in DROPPED_BLOCKS | {"resource", "data"}}
        tops.append({key: _json_rewritten(value, known, drop_providers=key == "module") for key, value in kept.items()})
    return tops if isinstance(document, list) else (tops[0] if tops else {})


def _json_rewritten(value: Any, known: _Known, *, drop_providers: bool = False) -> Any:
    if isinstance(value, str):
        return _json_template(value, known)
    if isinstance(value, list):
        return [_json_rewritten(item, known, drop_providers=drop_providers) for item in value]
    if isinstance(value, dict):
        items = [(key, item) for key, item in value.items() if not (drop_providers and key == "providers")]
        return {_json_template(key, known): _json_rewritten(item, known, drop_providers=drop_providers) for key, item in items}
    return value


def _json_expression(value: Any, known: _Known) -> str:
    """A JSON value as an expression of the native syntax."""
    if isinstance(value, str):
        return _quoted(_json_template(value, known))
    if isinstance(value, list):
        return "[" + ", ".join(_json_expression(item, known) for item in value) + "]"
    if isinstance(value, dict):
        items = [f"({_quoted(_json_template(key, known))}) = {_json_expression(item, known)}" for key, item in value.items()]
        return "{" + ", ".join(items) + "}"
    return json.dumps(value)


def _json_depends(item: str, known: _Known) -> str:
    source = b"x = " + item.encode()
    return _rewritten(_expression(_items(_parse("depends_on", source))[0]), source, known, depends=True)


_WRAP: Final = b"x = <<TWIN\n"


def _template(text: str) -> tuple[bytes, Node]:
    source = _WRAP + text.encode() + b"\nTWIN\n"
    return source, _parse("a JSON string", source)


def _json_template(text: str, known: _Known) -> str:
    if "${" not in text and "%{" not in text:
        return text
    source, tree = _template(text)
    edits = _reference_edits(tree, source, known, depends=False)
    return _apply(source, edits)[len(_WRAP) : -len(b"\nTWIN\n")].decode()


def _quoted(template: str) -> str:
    """A template as a quoted one: only what stands outside of interpolations is escaped."""
    _, tree = _template(template)
    inside = [
        (node.start_byte - len(_WRAP), node.end_byte - len(_WRAP))
        for node in _walk(tree)
        if node.type in {"template_interpolation", "template_directive"}
    ]
    content = template.encode()
    parts, position = [], 0
    for start, end in [*inside, (len(content), len(content))]:
        if start < position:
            continue
        literal = content[position:start].decode()
        for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            literal = literal.replace(plain, escaped)
        parts += [literal, content[start:end].decode()]
        position = end
    return '"' + "".join(parts) + '"'


# ---------------------------------------------------------------------------------------------------------------- syntax trees


def _parse(path: str, content: bytes) -> Node:
    root = _PARSER.parse(content).root_node
    if root.has_error:  # the grammar does not know 1e2: digits of the same length in its place for the tree, not for the text
        digits = re.sub(rb"(?<![\w.])\d+[eE][+-]?\d+\b", lambda match: b"1" * len(match[0]), content)
        root = _PARSER.parse(digits).root_node
    if root.has_error:
        raise Unsupported(f"{path}: tree-sitter cannot read it")
    return root


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _body(node: Node) -> Node | None:
    return next((child for child in node.children if child.type == "body"), None)


def _items(node: Node) -> list[Node]:
    body = _body(node)
    return [] if body is None else [child for child in body.children if child.type in {"attribute", "block"}]


def _blocks(tree: Node) -> list[Node]:
    return [item for item in _items(tree) if item.type == "block"]


def _head(block: Node) -> tuple[str, list[str]]:
    kind, *rest = [child for child in block.children if child.type in {"identifier", "string_lit"}]
    texts = [(node.text or b"").decode().strip('"') for node in rest]
    return (kind.text or b"").decode(), texts


def _attribute_name(attribute: Node) -> str:
    return (attribute.children[0].text or b"").decode()


def _expression(attribute: Node) -> Node:
    return next(child for child in attribute.children if child.type == "expression")


def _attr_of(node: Node, source: bytes) -> str:
    return next(_slice(child, source) for child in node.children if child.type == "identifier")


def _bytes(node: Node, source: bytes) -> bytes:
    return source[node.start_byte : node.end_byte]


def _slice(node: Node, source: bytes) -> str:
    return _bytes(node, source).decode("utf-8", "surrogateescape")


def _apply(content: bytes, edits: Iterable[tuple[int, int, str]]) -> bytes:
    for start, end, text in sorted(edits, reverse=True):
        content = content[:start] + text.encode("utf-8", "surrogateescape") + content[end:]
    return content

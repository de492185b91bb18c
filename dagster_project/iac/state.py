"""Terraform's state, read for a few attributes only.

Two shapes: the raw state of version 4, and what ``terraform show -json`` prints. State holds secrets: of a resource only its
type, id, arn, address, sizing attributes, names and tags are kept, everything else is dropped while the JSON is parsed. No
message quotes the state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster_project.errors import InputError
from dagster_project.iac.addresses import Key, child, split, with_key
from dagster_project.iac.kinds import KEPT_ATTRIBUTES, KINDS
from dagster_project.iac.values import CodeError

MAX_STATE_BYTES = 500_000_000
"""A larger state is refused rather than read into memory."""

_LAUNCH_PARTS = frozenset(
    (
        *("launch_template_specification", "launch_template_id", "launch_template_name", "version"),
        *("override", "instance_requirements"),
    )
)
_NO_JSON = object()
_STRUCTURE = frozenset(
    (
        *("version", "format_version", "resources", "instances", "attributes", "index_key", "deposed", "mode", "module", "name"),
        *("type", "values", "root_module", "child_modules", "address", "index", "deposed_key", "planned_values"),
        *("encrypted_data", "id", "arn", "tags", "launch_template"),
        *("mixed_instances_policy", "launch_configuration"),
    )
)
_KEPT = _STRUCTURE | KEPT_ATTRIBUTES | _LAUNCH_PARTS


@dataclass(frozen=True, slots=True)
class Launch:
    """What a group or an instance is launched from, as the state has it."""

    template_id: str | None = None
    template_name: str | None = None
    version: str | None = None
    configuration: str | None = None
    override_types: tuple[str, ...] = ()
    is_by_requirements: bool = False


@dataclass(frozen=True, slots=True)
class StateResource:
    """One managed resource instance. ``sizes`` hold the sizing attributes as text; of other providers ``id`` is a digest."""

    address: str
    type: str
    id: str | None
    arn: str | None = None
    names: tuple[str, ...] = ()
    sizes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    launch: Launch | None = None


class State:
    """The managed resources of a state, by address and by every name."""

    def __init__(self, resources: list[StateResource]) -> None:
        self.resources = resources
        self.by_address: dict[str, StateResource] = {each.address: each for each in resources}
        self._keys: dict[str, list[Key]] = {}
        self._by_name: dict[str, list[StateResource]] = {}
        for each in resources:
            self._note_keys(each.address)
            for name in {each.id, each.arn, each.address, *each.names} - {None}:
                self._by_name.setdefault(name or "", []).append(each)

    def _note_keys(self, address: str) -> None:
        """Every prefix of an address that has a key tells one instance of a block."""
        names = split(address)
        at = ""
        for (first, _), (name, key) in zip(names[::2], names[1::2], strict=True):
            block = child(at, f"{first}.{name}")
            keys = self._keys.setdefault(block, [])
            if key not in keys:
                keys.append(key)
            at = with_key(block, key)

    def has(self, name: str) -> bool:
        """Whether any resource is called so: by id, ARN, name or address."""
        return name in self._by_name

    def keys_of(self, block: str) -> tuple[Key, ...]:
        """Keys of the instances that the state has of a block or a module call."""
        return tuple(self._keys.get(block, ()))

    def find(self, name: str, attribute: str) -> list[StateResource]:
        """Resources that ``name`` may mean: by id, ARN, name or address.

        First those that have the attribute, then others of the kinds that Nightshift edits, then all: ids of other types may be
        plain names. A launch template or configuration gives way to a group of the same name.
        """
        known = list({id(each): each for key in (name, _digest(name)) for each in self._by_name.get(key, ())}.values())
        for is_meant in (
            lambda each: each.type in KINDS and attribute in (*KINDS[each.type].attributes, *KINDS[each.type].aliases),
            lambda each: each.type in KINDS,
            lambda each: True,
        ):
            found = [each for each in known if is_meant(each)]
            groups = [each for each in found if not each.type.startswith("aws_launch_")]
            if found:
                return groups or found
        return []


def read_state(data: bytes, name: str = "the state") -> State:
    """Reads a state's bytes. Raises ``InputError`` with one sentence where it is none, or of another version."""
    if len(data) > MAX_STATE_BYTES:
        raise InputError(f"{name} has {len(data) // 1_000_000} MB; at most {MAX_STATE_BYTES // 1_000_000} MB are read.")
    document = _decoded(data)
    if document is _NO_JSON:
        raise InputError(f"{name} is no JSON; write it with 'terraform state pull' or 'terraform show -json'.")
    if not isinstance(document, dict):
        raise InputError(f"{name} is no Terraform state; write it with 'terraform state pull' or 'terraform show -json'.")
    if "encrypted_data" in document:
        raise InputError(f"{name} is encrypted; write it in plain with 'tofu state pull'.")
    try:
        if "format_version" in document:
            return State(list(_shown(document, name)))
        return State(list(_raw(document, name)))
    except (TypeError, AttributeError, KeyError, ValueError, CodeError):
        raise InputError(f"{name} has another shape than a Terraform state; write it with 'terraform state pull'.") from None


def _decoded(data: bytes) -> Any:
    """The document, or ``_NO_JSON``. The error of the decoder holds the whole state, and must not travel with ours."""
    try:
        return json.loads(data, object_pairs_hook=_prune)
    except (ValueError, RecursionError):
        return _NO_JSON


def _prune(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Drops what is not needed as soon as it is parsed. Objects of nothing but strings may be tags and stay for now."""
    kept = {key: value for key, value in pairs if key in _KEPT}
    if len(kept) < len(pairs) and all(isinstance(value, str) and len(value) <= 256 for _, value in pairs):
        return dict(pairs)
    return kept


def _raw(document: Mapping[str, Any], name: str) -> Iterator[StateResource]:
    version = document.get("version")
    if version != 4:
        told = f"version {version}" if isinstance(version, int) else "no version"
        raise InputError(f"{name} has {told}, and version 4 is needed; write it with 'terraform state pull' of 0.12 or newer.")
    for resource in document.get("resources") or []:
        if resource["mode"] != "managed":
            continue
        block = child(resource.get("module") or "", f"{resource['type']}.{resource['name']}")
        for instance in resource.get("instances") or []:
            if not instance.get("deposed"):
                yield _resource(with_key(block, instance.get("index_key")), resource["type"], instance.get("attributes") or {})


def _shown(document: Mapping[str, Any], name: str) -> Iterator[StateResource]:
    if "planned_values" in document:
        raise InputError(f"{name} is a plan; write the state with 'terraform show -json', without a plan file.")
    values = document.get("values")
    pending = [values["root_module"]] if values else []
    while pending:
        module = pending.pop(0)
        for resource in module.get("resources") or []:
            if resource["mode"] == "managed" and not resource.get("deposed_key"):
                yield _resource(resource["address"], resource["type"], resource.get("values") or {})
        pending += module.get("child_modules") or []


def _resource(address: str, type_: str, attributes: Mapping[str, Any]) -> StateResource:
    split(address)
    kind = KINDS.get(type_)
    tags = attributes.get("tags")
    return StateResource(
        address,
        type_,
        _id(type_, _text(attributes.get("id"))),
        _text(attributes.get("arn")),
        tuple(text for name in (kind.names if kind else ()) if (text := _text(attributes.get(name)))),
        {name: text for name in (kind.attributes if kind else ()) if (text := _text(attributes.get(name)))},
        {key: value for key, value in tags.items() if isinstance(value, str)} if kind and isinstance(tags, dict) else {},
        _launch(attributes),
    )


def _id(type_: str, text: str | None) -> str | None:
    """An id; of other providers than AWS its digest, because it may be a secret: a random string's id is the string."""
    return text if text is None or type_.startswith("aws_") else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) or None


def _launch(attributes: Mapping[str, Any]) -> Launch | None:
    template = _first(attributes.get("launch_template"))
    if template:
        return Launch(_text(template.get("id")), _text(template.get("name")), _text(template.get("version")))
    policy = _first(attributes.get("mixed_instances_policy"))
    if policy:
        inner = _first(policy.get("launch_template")) or {}
        chosen = _first(inner.get("launch_template_specification")) or {}
        overrides = inner.get("override") or []
        types = tuple(text for each in overrides if (text := _text(each.get("instance_type"))))
        return Launch(
            _text(chosen.get("launch_template_id")),
            _text(chosen.get("launch_template_name")),
            _text(chosen.get("version")),
            override_types=types,
            is_by_requirements=any(each.get("instance_requirements") for each in overrides),
        )
    configuration = _text(attributes.get("launch_configuration"))
    return Launch(configuration=configuration) if configuration else None


def _first(blocks: Any) -> Mapping[str, Any] | None:
    return blocks[0] if isinstance(blocks, list) and blocks and isinstance(blocks[0], dict) else None

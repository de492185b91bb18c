"""CloudFormation's front end: a template and a stack's resource list, through the same verdicts.

A stack's resource list has no sizes, so that the live value must be given.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from dagster_project.errors import InputError
from dagster_project.iac.cloudformation_templates import Template
from dagster_project.iac.deciding import decide, line_of, text_of
from dagster_project.iac.edit import Edit, require_value, write
from dagster_project.iac.files import Files, join
from dagster_project.iac.json_documents import decode_json
from dagster_project.iac.literals import replaced
from dagster_project.iac.values import (
    NULL,
    CodeError,
    Mapping,
    Scalar,
    Sequence,
    Span,
    TooLarge,
    Value,
    flows,
    is_null,
    unknown,
)
from dagster_project.iac.verdicts import EDITABLE, REASON_CODES, REFUSED, SHARED, Location, Refusal, few

KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "AWS::EC2::Instance": {"instance_type": ("InstanceType",)},
    "AWS::EC2::LaunchTemplate": {"instance_type": ("LaunchTemplateData", "InstanceType")},
    "AWS::AutoScaling::LaunchConfiguration": {"instance_type": ("InstanceType",)},
    "AWS::AutoScaling::AutoScalingGroup": {
        "min_size": ("MinSize",),
        "max_size": ("MaxSize",),
        "desired_capacity": ("DesiredCapacity",),
    },
    "AWS::RDS::DBInstance": {
        "instance_class": ("DBInstanceClass",),
        "instance_type": ("DBInstanceClass",),
        "allocated_storage": ("AllocatedStorage",),
        "storage_type": ("StorageType",),
        "iops": ("Iops",),
    },
    "AWS::EC2::Volume": {"size": ("Size",), "type": ("VolumeType",), "iops": ("Iops",), "throughput": ("Throughput",)},
}
_ALIASES = {("AWS::RDS::DBInstance", "instance_type"): "instance_class"}
_LAUNCHERS = ("AWS::EC2::Instance", "AWS::AutoScaling::AutoScalingGroup")
_KEPT_PARAMETER = "A stack that is updated keeps its parameters' values; give the new one when it is deployed."


class Stack:
    """A template with the resources of one stack of it. ``given`` are parameters of parameter files, by name."""

    def __init__(self, files: Files, path: str, listed: dict[str, str], given: dict[str, Value]) -> None:
        self._files = files
        self._path = path
        self._listed = listed
        self._given = given
        self._template = Template.read(files, path, given)

    @classmethod
    def open(cls, files: Files, path: str, resources: bytes, name: str, parameter_files: tuple[str, ...]) -> Stack:
        """Raises ``InputError`` where the template, the resource list or a parameter file cannot be read."""
        given: dict[str, Value] = {}
        for each in parameter_files:
            given |= _parameters(files, each)
        return cls(files, path, _resource_list(resources, name), given)

    def locate(self, resource: str, attribute: str, live: str | None) -> Location:
        """The literal's place, or why there is none. Raises ``InputError`` without a live value."""
        if live is None:
            raise InputError("A stack's resource list has no sizes; give the live value with --live.")
        try:
            return self._located(resource, attribute, live)
        except Refusal as refusal:
            status = REASON_CODES[refusal.reason_code].status
            return Location(status, refusal.reason_code, refusal.detail, resource, attribute)
        except (RecursionError, TooLarge):
            return Location(REFUSED, "unparseable", "it is nested too deep, or too large", resource, attribute)

    def _located(self, resource: str, attribute: str, live: str) -> Location:
        logical = self._logical_id(resource)
        if any(name.startswith("Fn::") for name in self._template.resources):
            raise Refusal("unsupported_file", f"{self._path} makes resources with Fn::ForEach")
        launcher = logical
        if attribute == "instance_type" and self._template.type_of(logical) in _LAUNCHERS:
            logical = self._template.launched_from(logical)
        paths = KINDS.get(self._template.type_of(logical))
        if paths is None:
            raise Refusal("unsupported_kind", self._template.type_of(logical))
        if attribute not in paths:
            type_, names = self._template.type_of(logical), ", ".join(paths)
            raise InputError(f"{type_} has no sizing attribute {attribute}; choose one of {names}.")
        attribute = _ALIASES.get((self._template.type_of(logical), attribute), attribute)
        value = self._template.property(logical, paths[attribute])
        if value is None or is_null(value):
            raise Refusal("attribute_not_in_code", f"{'.'.join(paths[attribute])} of {logical}")
        literal, reason = decide(self._files, value, live)
        span = literal.origin or Span("", 0, 0)
        if self._template.decides_resources(span):
            raise Refusal("changes_addresses")
        affects = self._template.fed_by(span)
        users = self._template.users_of(logical)
        location = Location(
            EDITABLE, reason, "", resource, attribute, logical, launcher, span.file, span.start, span.end,
            line_of(self._files, span), text_of(self._files, span), live, affects, launched_by=users,
            notes=(_KEPT_PARAMETER,) if self._template.is_parameter(span) else (),
        )  # fmt: skip
        rest = [each for each in affects if each != logical]
        if rest:
            return replace(location, status=SHARED, reason_code="shared_literal", detail=few(rest))
        others = [each for each in users if each != launcher]
        if others:
            return replace(location, status=SHARED, reason_code="shared_launch_template", detail=few(others))
        return location

    def _logical_id(self, resource: str) -> str:
        found = sorted(logical for logical, physical in self._listed.items() if resource in (physical, logical))
        if not found:
            raise Refusal("not_in_state")
        if len(found) > 1:
            raise Refusal("duplicate_id", ", ".join(found))
        if found[0] not in self._template.resources:
            raise Refusal("address_not_in_code", found[0])
        return found[0]

    def edit(self, resource: str, attribute: str, live: str | None, to: str, *, allow_shared: bool) -> Edit:
        """Changes the literal's bytes where the verdict allows it and the template then says what was announced."""
        location = self.locate(resource, attribute, live)
        require_value(location, to)
        if location.span is None or not (location.status == EDITABLE or (location.status == SHARED and allow_shared)):
            return Edit(location, False)
        file = self._files.read(location.span.file)
        contents = {location.span.file: replaced(file.data if file else b"", [(location.span, to)])}
        if not self._template.allows(location.span, to):
            return Edit(replace(location, status=REFUSED, reason_code="fails_validation", detail="AllowedValues"), False)
        problem = self._difference(contents, location, to)
        if problem:
            return Edit(replace(location, status=REFUSED, reason_code="changes_more", detail=problem), False)
        write(self._files, contents)
        return Edit(location, True)

    def _difference(self, contents: dict[str, bytes], location: Location, to: str) -> str | None:
        files = self._files.with_changes(contents)
        try:
            given = {name: value for path in self._parameter_files() for name, value in _parameters(files, path).items()}
            after = Template.read(files, self._path, {**self._given, **given})
        except InputError as error:
            return str(error)
        changed = {name for name in self._template.resources if self._template.plain(name) != after.plain(name)}
        if set(after.resources) != set(self._template.resources) or not changed <= set(location.affects):
            return ", ".join(sorted(changed - set(location.affects))) or "the resources themselves"
        value = after.property(location.address or "", KINDS[after.type_of(location.address or "")][location.attribute])
        options = getattr(value, "options", (value,))
        return None if any(isinstance(each, Scalar) and each.text == to for each in options) else f"it would not become {to}"

    def _parameter_files(self) -> set[str]:
        return {place.file for value in self._given.values() for place in flows((value,))}


def _resource_list(data: bytes, name: str) -> dict[str, str]:
    """Physical id by logical id, of what describe-stack-resources or list-stack-resources prints."""
    try:
        document = json.loads(data)
        rows: list[Any] = document if isinstance(document, list) else []
        if isinstance(document, dict):
            rows = document.get("StackResources") or document.get("StackResourceSummaries") or []
        found = {str(row["LogicalResourceId"]): str(row.get("PhysicalResourceId", "")) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = {}
    if not found:
        raise InputError(f"{name} lists no stack resources; write it with 'aws cloudformation describe-stack-resources'.")
    return found


def _parameters(files: Files, path: str) -> dict[str, Value]:
    """Values of a parameter file: a list of ParameterKey and ParameterValue, or an object."""
    file = files.read(join(".", path))
    try:
        value = decode_json(path, file.data) if file else NULL
    except CodeError as error:
        raise InputError(f"The parameter file {path} cannot be read: {error}.") from None
    if isinstance(value, Mapping):
        inner = value.entries.get("Parameters")
        return dict(inner.entries) if isinstance(inner, Mapping) else dict(value.entries)
    found: dict[str, Value] = {}
    for row in value.items if isinstance(value, Sequence) else ():
        key = row.entries.get("ParameterKey") if isinstance(row, Mapping) else None
        if isinstance(row, Mapping) and isinstance(key, Scalar):
            found[str(key.value)] = row.entries.get("ParameterValue", unknown(f"the previous value of {key.value}"))
    if not found:
        raise InputError(f"The parameter file {path} has no parameters; write it as CloudFormation's JSON.")
    return found

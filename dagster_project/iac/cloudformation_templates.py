"""CloudFormation's templates: their resources, evaluated with the parameters that are given.

Understood: Ref, FindInMap, If with its conditions, Sub of one name; every other function is unknown, and what stands in it flows
into the unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dagster_project.errors import InputError
from dagster_project.iac.elements import index
from dagster_project.iac.files import Files
from dagster_project.iac.json_documents import decode_json
from dagster_project.iac.values import (
    NOWHERE,
    NULL,
    CodeError,
    Mapping,
    Places,
    Scalar,
    Sequence,
    Span,
    Unknown,
    Value,
    choose,
    computed,
    controls,
    flows,
    for_each_choice,
    is_open,
    plain,
    unknown,
)
from dagster_project.iac.verdicts import Refusal
from dagster_project.iac.yaml_documents import decode_yaml

_SPECIFICATIONS = (("LaunchTemplate",), ("MixedInstancesPolicy", "LaunchTemplate", "LaunchTemplateSpecification"))
_TEMPLATE_NAMES = ("LaunchTemplateId", "LaunchTemplateName")
_SUB_OF_ONE = re.compile(r"\$\{([A-Za-z0-9]+)\}")


@dataclass(slots=True)
class Template:
    """A template's resources, evaluated with the parameters that are given."""

    document: Mapping
    given: dict[str, Value]

    @classmethod
    def read(cls, files: Files, path: str, given: dict[str, Value]) -> Template:
        """Raises ``InputError`` where the file is no template."""
        return cls(_decoded(files, path), given)

    @property
    def resources(self) -> dict[str, Value]:
        return self._section("Resources")

    def _section(self, name: str) -> dict[str, Value]:
        value = self.document.entries.get(name)
        return value.entries if isinstance(value, Mapping) else {}

    def type_of(self, logical: str) -> str:
        resource = self.resources[logical]
        type_ = resource.entries.get("Type", NULL) if isinstance(resource, Mapping) else NULL
        return (type_.text if isinstance(type_, Scalar) else None) or "no type"

    def property(self, logical: str, path: tuple[str, ...]) -> Value | None:
        """The evaluated property; None where it is not set."""
        value: Value = self._properties(logical)
        for name in path:
            if isinstance(value, Unknown):
                return value
            if not isinstance(value, Mapping) or name not in value.entries:
                return None
            value = value.entries[name]
        return value

    def _properties(self, logical: str) -> Value:
        resource = self.resources[logical]
        found = resource.entries.get("Properties") if isinstance(resource, Mapping) else None
        return self._value(found) if found else Mapping(entries={})

    def launched_from(self, logical: str) -> str:
        """The template that a group or an instance is launched from; itself where it names its own type."""
        if self.property(logical, ("InstanceType",)) is not None:
            return logical
        if self.property(logical, ("MixedInstancesPolicy", "LaunchTemplate", "Overrides")) is not None:
            raise Refusal("several_instance_types", logical)
        target = self._launch_reference(logical)
        if target is None:
            raise Refusal("launch_template_elsewhere", logical)
        version = next((found for path in _SPECIFICATIONS if (found := self._written(logical, (*path, "Version")))), None)
        known = next((found for path in _SPECIFICATIONS if (found := self.property(logical, (*path, "Version")))), None)
        pinned = self._pinned(known if isinstance(known, Scalar) else version) if version else None
        if pinned:
            raise Refusal("pinned_launch_template", pinned)
        return target

    @staticmethod
    def _pinned(version: Value) -> str | None:
        if isinstance(version, Scalar):
            return version.text if (version.text or "").isdigit() or version.text == "$Default" else None
        attribute = version.entries.get("Fn::GetAtt") if isinstance(version, Mapping) else None
        names = attribute.items if isinstance(attribute, Sequence) else [attribute]
        last = names[-1].text if names and isinstance(names[-1], Scalar) else None
        return "$Default" if (last or "").endswith("DefaultVersionNumber") else None

    def _written(self, logical: str, path: tuple[str, ...]) -> Value | None:
        """A property as it is written, not evaluated."""
        resource = self.resources[logical]
        value = resource.entries.get("Properties") if isinstance(resource, Mapping) else None
        for name in path:
            value = value.entries.get(name) if isinstance(value, Mapping) else None
        return value

    def _launch_reference(self, logical: str) -> str | None:
        for path in (*((*each, name) for each in _SPECIFICATIONS for name in _TEMPLATE_NAMES), ("LaunchConfigurationName",)):
            value = self._written(logical, path)
            if not isinstance(value, Mapping):
                continue
            reference, text = value.entries.get("Ref"), value.entries.get("Fn::Sub")
            name = reference.text if isinstance(reference, Scalar) else None
            found = _SUB_OF_ONE.fullmatch((text.text if isinstance(text, Scalar) else None) or "")
            name = found.group(1) if found else name
            if name in self.resources:
                return name
        return None

    def users_of(self, logical: str) -> tuple[str, ...]:
        """Resources that are launched from a template."""
        return tuple(sorted(name for name in self.resources if self._launch_reference(name) == logical))

    def fed_by(self, span: Span) -> tuple[str, ...]:
        """Resources into which a literal flows, with their metadata and all."""
        return tuple(sorted(name for name in self.resources if span in self._places(name)))

    def _places(self, logical: str) -> Places:
        value = self._value(self.resources[logical])
        return flows((value,)) | (controls((value,)) if is_open(value) else NOWHERE)

    def decides_resources(self, span: Span) -> bool:
        """Whether a literal has a say in a condition of a resource, and so in whether it is there."""
        for resource in self.resources.values():
            name = resource.entries.get("Condition") if isinstance(resource, Mapping) else None
            if name is not None and span in flows((condition := self._condition(name),)) | controls((condition,)):
                return True
        return False

    def allows(self, span: Span, to: str) -> bool:
        """Whether the parameter of which a literal is the value may have another one."""
        for name, parameter in self._section("Parameters").items():
            entries = parameter.entries if isinstance(parameter, Mapping) else {}
            allowed, values = entries.get("AllowedValues"), (entries.get("Default", NULL), self.given.get(name, NULL))
            if isinstance(allowed, Sequence) and span in flows(values):
                return any(isinstance(item, Scalar) and item.text == to for item in allowed.items)
        return True

    def plain(self, logical: str) -> object:
        """A resource, evaluated, for comparing."""
        return plain(self._value(self.resources[logical])) if logical in self.resources else None

    def is_parameter(self, span: Span) -> bool:
        """Whether a literal is a parameter's default."""
        return any(span in flows((value,)) for value in self._section("Parameters").values())

    def _value(self, value: Value) -> Value:
        if isinstance(value, Sequence):
            return Sequence(items=tuple(self._value(item) for item in value.items))
        if not isinstance(value, Mapping):
            return value
        if len(value.entries) == 1:
            ((name, argument),) = value.entries.items()
            if name == "Ref" or name.startswith("Fn::"):
                try:
                    return _INTRINSICS.get(name, _unknown_function)(self, argument)
                except CodeError as error:
                    return unknown(str(error), argument)
        return Mapping(entries={key: self._value(item) for key, item in value.entries.items()})

    def _ref(self, argument: Value) -> Value:
        name = argument.text if isinstance(argument, Scalar) else None
        if name in self.given:
            return self.given[name]
        parameter = self._section("Parameters").get(name or "")
        default = parameter.entries.get("Default") if isinstance(parameter, Mapping) else None
        return default if default is not None else unknown(f"Ref {name}")

    def _find_in_map(self, argument: Value) -> Value:
        if not isinstance(argument, Sequence) or len(argument.items) < 3:
            raise CodeError("FindInMap needs a map and two keys")
        table: Value = self.document.entries.get("Mappings", NULL)
        for key in argument.items[:3]:
            table = index(table, self._value(key))
        return table

    def _if(self, argument: Value) -> Value:
        if not isinstance(argument, Sequence) or len(argument.items) != 3:
            raise CodeError("If needs a condition and two values")
        condition = self._condition(argument.items[0])
        branches = argument.items[1:]
        if isinstance(condition, Scalar):
            branches = (branches[0] if condition.value else branches[1],)
        return choose([self._value(branch) for branch in branches], condition)

    def _condition(self, value: Value, within: tuple[str, ...] = ()) -> Value:
        if isinstance(value, Scalar) and isinstance(value.value, str):
            declared = self._section("Conditions").get(value.value)
            is_cycle = value.value in within
            if declared is None or is_cycle:
                return unknown(f"the condition {value.value}", reason="cycle" if is_cycle else "unknown_value")
            return self._condition(declared, (*within, value.value))
        if not isinstance(value, Mapping) or len(value.entries) != 1:
            return unknown("a condition", value)
        ((name, argument),) = value.entries.items()
        if name == "Condition":
            return self._condition(argument, within)
        items = argument.items if isinstance(argument, Sequence) else ()
        if name == "Fn::Equals" and len(items) == 2:
            return for_each_choice(_equal, [self._value(item) for item in items])
        parts = [self._condition(item, within) for item in items]
        if not parts or any(not isinstance(part, Scalar) for part in parts) or name not in ("Fn::And", "Fn::Or", "Fn::Not"):
            return unknown("a condition", *parts)
        truths = [bool(part.value) for part in parts]  # type: ignore[attr-defined]
        return computed(all(truths) if name == "Fn::And" else any(truths) if name == "Fn::Or" else not truths[0], *parts)

    def _sub(self, argument: Value) -> Value:
        """One name alone is its value; a text with names is unknown, and all that they stand for flows into it."""
        given = argument.items if isinstance(argument, Sequence) else (argument,)
        text = given[0].text if given and isinstance(given[0], Scalar) else None
        found = _SUB_OF_ONE.fullmatch(text or "")
        if found and len(given) == 1:
            return self._ref(Scalar(value=found.group(1)))
        names = _SUB_OF_ONE.findall(text or "")
        return unknown("Fn::Sub", *(self._value(each) for each in given), *(self._ref(Scalar(value=name)) for name in names))


def _equal(left: Value, right: Value) -> Value:
    if not isinstance(left, Scalar) or not isinstance(right, Scalar):
        return unknown("a comparison", left, right)
    return computed(left.text == right.text, left, right)


def _unknown_function(template: Template, argument: Value) -> Value:
    return unknown("a function", template._value(argument))


_INTRINSICS: dict[str, Callable[[Template, Value], Value]] = {
    "Ref": Template._ref,
    "Fn::FindInMap": Template._find_in_map,
    "Fn::If": Template._if,
    "Fn::Sub": Template._sub,
}


def _decoded(files: Files, path: str) -> Mapping:
    file = files.read(path)
    if file is None:
        raise InputError(f"There is no template {path}; name one of the repository with --root.")
    if file.is_encrypted:
        raise InputError(f"The template {path} is encrypted; decrypt it first.")
    try:
        is_json = file.data.lstrip().startswith(b"{")
        value = decode_json(path, file.data) if is_json else decode_yaml(path, file.data, _tag)
    except CodeError as error:
        raise InputError(f"The template {path} cannot be read: {error}.") from None
    if not isinstance(value, Mapping) or not isinstance(value.entries.get("Resources"), Mapping):
        raise InputError(f"The template {path} has no Resources; name a CloudFormation template with --root.")
    return value


def _tag(tag: str, value: Value) -> Value:
    name = tag.lstrip("!")
    return Mapping(entries={name if name in ("Ref", "Condition") else f"Fn::{name}": value})

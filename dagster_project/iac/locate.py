"""Finds the one literal that sets a sizing attribute of a live resource, or says why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed

from dagster_project.errors import InputError
from dagster_project.iac.deciding import decide, line_of, text_of
from dagster_project.iac.files import Forbidden
from dagster_project.iac.instances import Instance
from dagster_project.iac.kinds import KINDS, NUMBERS
from dagster_project.iac.literals import changed_files, with_changes
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan, Root, covers, deep_recursion
from dagster_project.iac.state import State, StateResource
from dagster_project.iac.values import NULL, Scalar, Sequence, Span, TooLarge, Unknown, Value, flows, is_null
from dagster_project.iac.verdicts import EDITABLE, REASON_CODES, REFUSED, SHARED, Location, Refusal, few

_DEFAULT_VERSION = "The code names no version of the launch template; the default one is used, and an edit does not move it."
_LAUNCH_ARGUMENTS = frozenset(("all", "launch_template", "launch_configuration", "mixed_instances_policy"))
_TEMPLATES = ("aws_launch_template", "aws_launch_configuration")
_OVERRIDES = ("mixed_instances_policy", "launch_template", "override", "instance_type")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: an attribute of a live resource (its id, arn, name or address). ``live`` is its value now, where
    something fresher than the state knows it."""

    resource: str
    attribute: str
    live: str | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    """An attribute of one address, with the value that it has: for a group, of what it launches."""

    resource: StateResource
    attribute: str
    path: tuple[str, ...]
    live: str
    launched_by: tuple[str, ...] = ()


def locate(repository: Repository, plan: Plan, state: State, question: Question) -> Location:
    """The literal's place, or the reason why there is none. Raises ``InputError`` for an attribute that is never edited."""
    try:
        with deep_recursion():
            return _Search(repository, repository.root(plan, state), question).location()
    except Refusal as refusal:
        status = REASON_CODES[refusal.reason_code].status
        return Location(status, refusal.reason_code, refusal.detail, question.resource, question.attribute)
    except Forbidden as forbidden:
        return Location(REFUSED, forbidden.reason, forbidden.path, question.resource, question.attribute)
    except (RecursionError, TooLarge):
        return Location(REFUSED, "unparseable", "it is nested too deep, or too large", question.resource, question.attribute)


class _Search:
    def __init__(self, repository: Repository, root: Root, question: Question) -> None:
        self._repository = repository
        self._root = root
        self._state = root.state
        self._question = question
        self._notes: list[str] = []
        self._asked: str | None = None

    def location(self) -> Location:
        target = self._target()
        if self._question.live is not None and self._question.live != target.live:
            raise Refusal("drift", f"The state says {target.live}, and {self._question.live} is live")
        return self._placed(target, self._found(target))

    # From the live resource to an address.

    def _target(self) -> _Target:
        matches = self._state.find(self._question.resource, self._question.attribute)
        if not matches:
            raise Refusal("not_in_state")
        if len(matches) > 1:
            raise Refusal("duplicate_id", ", ".join(sorted(each.address for each in matches)))
        resource = matches[0]
        self._asked = self._root.moved(resource.address)
        kind = KINDS.get(resource.type)
        if kind is None:
            raise Refusal("unsupported_kind", resource.type)
        if resource.type == "aws_spot_instance_request":
            raise Refusal("spot_request")
        attribute = kind.aliases.get(self._question.attribute, self._question.attribute)
        if attribute not in kind.attributes:
            told = ", ".join((*kind.attributes, *kind.aliases))
            raise InputError(f"{resource.type} has no sizing attribute {self._question.attribute}; choose one of {told}.")
        if attribute == "instance_type" and resource.launch and not self._sets(resource, (attribute,)):
            return self._launched(resource)
        users = self._users(resource) if resource.type in _TEMPLATES else ()
        return self._own(resource, attribute, users)

    def _own(self, resource: StateResource, attribute: str, launched_by: tuple[str, ...] = ()) -> _Target:
        live = resource.sizes.get(attribute)
        if live is None:
            raise Refusal("no_live_value", attribute)
        return _Target(resource, attribute, (attribute,), live, launched_by)

    def _sets(self, resource: StateResource, path: tuple[str, ...]) -> bool:
        instance = self._root.instances.get(self._root.moved(resource.address))
        value = instance.value(path) if instance else None
        return value is not None and not is_null(value)

    def _launched(self, resource: StateResource) -> _Target:
        """A group's type is its template's, or its one override's."""
        launch = resource.launch
        assert launch is not None  # noqa: S101 - asked for before
        ignored = self._instance(resource).ignored() & _LAUNCH_ARGUMENTS
        if ignored:
            raise Refusal("ignore_changes", f"{resource.address} ({', '.join(sorted(ignored))})")
        if launch.is_by_requirements:
            raise Refusal("attribute_based_type")
        if len(launch.override_types) > 1:
            raise Refusal("several_instance_types", ", ".join(launch.override_types))
        if launch.override_types:
            return _Target(resource, "instance_type", _OVERRIDES, launch.override_types[0])
        template = self._template(resource)
        self._refuse_pinned(resource, template)
        return self._own(template, "instance_type", self._users(template))

    def _users(self, template: StateResource) -> tuple[str, ...]:
        """What is launched from a template or a configuration, by the state and by the code."""
        users = {
            each.address
            for each in self._state.resources
            if each.launch and not each.launch.override_types and self._is_launched_from(each, template)
        }
        users |= {
            address
            for address in self._root.users_of(self._root.moved(template.address))
            if (known := self._state.by_address.get(address)) is not None and known.launch is None
        }
        return tuple(sorted(users))

    def _template(self, resource: StateResource) -> StateResource:
        found = [each for each in self._state.resources if self._is_launched_from(resource, each)]
        launch = resource.launch
        told = launch.template_id or launch.template_name or launch.configuration or "nothing"  # type: ignore[union-attr]
        if not found:
            raise Refusal("launch_template_elsewhere", told)
        if len(found) > 1:
            raise Refusal("duplicate_id", ", ".join(sorted(each.address for each in found)))
        return found[0]

    @staticmethod
    def _is_launched_from(user: StateResource, template: StateResource) -> bool:
        launch = user.launch
        if launch is None:
            return False
        names = tuple(filter(None, (template.id, *template.names)))
        if template.type == "aws_launch_template":
            return (launch.template_id or launch.template_name) in names
        return template.type == "aws_launch_configuration" and launch.configuration in names

    def _refuse_pinned(self, resource: StateResource, template: StateResource) -> None:
        """A group that does not follow its template's latest version would not notice an edit. The state has a number either
        way; whether it is followed is to be seen in the code."""
        if template.type != "aws_launch_template":
            return
        version = self._version(self._instance(resource))
        if isinstance(version, Scalar) and (version.text or "").isdigit():
            raise Refusal("pinned_launch_template", version.text or "")
        is_default = isinstance(version, Scalar) and version.text == "$Default"
        is_default = is_default or (isinstance(version, Unknown) and version.detail.endswith(".default_version"))
        if is_default and not self._moves_default(template):
            raise Refusal("pinned_launch_template", "$Default")
        if is_null(version) and not self._moves_default(template):
            self._notes.append(_DEFAULT_VERSION)

    @staticmethod
    def _version(instance: Instance) -> Value:
        """The version of the template that the code names; null where it names none."""
        for path in (
            ("launch_template", "version"),
            ("mixed_instances_policy", "launch_template", "launch_template_specification", "version"),
        ):
            value = instance.value(path)
            if isinstance(value, Sequence) and value.items:
                return value.items[0]
            if value is not None:
                return value
        return NULL

    def _moves_default(self, template: StateResource) -> bool:
        value = self._instance(template).value(("update_default_version",))
        return isinstance(value, Scalar) and value.value in (True, "true")

    def _instance(self, resource: StateResource) -> Instance:
        instance = self._root.instances.get(self._root.moved(resource.address))
        if instance is None:
            self._refuse_problems()
            self._refuse_absent(resource.address)
            raise Refusal("address_not_in_code", resource.address)
        return instance

    def _refuse_absent(self, address: str) -> None:
        for call in self._root.absent:
            if address.startswith((call.address + ".", call.address + "[")):
                raise Refusal(call.reason, call.detail)

    def _refuse_problems(self) -> None:
        for reason, detail in self._root.problems:
            raise Refusal(reason, detail)

    # From an address to a literal.

    def _found(self, target: _Target) -> tuple[Scalar, str]:
        """The literal, and the reason code of having found it."""
        instance = self._instance(target.resource)
        self._refuse_problems()
        value = instance.value(target.path)
        name = f"{target.path[0]} of {target.resource.address}"
        if value is None or is_null(value):
            if instance.body.nested("instance_requirements"):
                raise Refusal("attribute_based_type")
            raise Refusal("attribute_not_in_code", f"{target.attribute} of {target.resource.address}")
        if instance.ignored() & {"all", target.path[0]}:
            raise Refusal("ignore_changes", name)
        if len(target.path) > 1:
            if isinstance(value, Unknown):
                raise Refusal(value.reason, value.detail)
            if not isinstance(value, Sequence) or len(value.items) != 1:
                raise Refusal("several_instance_types", target.resource.address)
            value = value.items[0]
        return decide(self._root.files, value, target.live)

    # From a literal to what it feeds.

    def _placed(self, target: _Target, found: tuple[Scalar, str]) -> Location:
        literal, reason = found
        span = literal.origin
        assert span is not None  # noqa: S101 - decide() refuses values without a place
        address = self._root.moved(target.resource.address)
        affects = self._root.fed_by(span)
        affects = tuple(sorted({*affects, *self._root.delayed_by(affects)}))
        text, line = text_of(self._root.files, span), line_of(self._root.files, span)
        location = Location(
            EDITABLE,
            reason,
            "",
            self._question.resource,
            target.attribute,
            address,
            self._asked,
            span.file,
            span.start,
            span.end,
            line,
            text,
            target.live,
            affects,
            launched_by=target.launched_by,
            notes=tuple(self._notes),
        )
        decides = self._root.decides_addresses(span)
        if decides is None or (decides and self._changes_addresses(location, target)):
            raise Refusal("changes_addresses")
        if not self._root.plan.var_files and self._root.unit is None:
            elsewhere = self._repository.other_sources(self._root, address, target.path, target.live, span)
            if elsewhere:
                raise Refusal("unlisted_var_file", ", ".join(elsewhere))
        others = self._repository.fed_in_other_roots(self._root, span)
        notes = [*location.notes, *self._warnings(span)]
        location = changed(location, notes=tuple(notes))
        location = changed(location, other_roots=others, other_plans=self._repository.fed_in_other_plans(self._root, span))
        rest = [each for each in affects if each != address]
        if rest:
            return changed(location, status=SHARED, reason_code="shared_literal", detail=few(rest))
        users = [each for each in target.launched_by if each != location.resource_address and self._asked != address]
        if users:
            return changed(location, status=SHARED, reason_code="shared_launch_template", detail=few(users))
        if others:
            return changed(location, status=SHARED, reason_code="shared_by_roots", detail=few(others))
        return location

    def _warnings(self, span: Span) -> list[str]:
        """What may change elsewhere, and no evaluation of this root can show."""
        outputs = [name for name, value in self._root.outputs.items() if any(covers(place, span) for place in flows((value,)))]
        return [f"It is part of the output {name}, which others may read." for name in outputs]

    def _changes_addresses(self, location: Location, target: _Target) -> bool:
        """Tries another value of the literal, and looks whether the same resources are there."""
        probe = str(int(target.live) + 1) if target.attribute in NUMBERS else f"{target.live}x"
        other = with_changes(self._root, changed_files(self._root, [(location.span or Span("", 0, 0), probe)]))
        return set(other.instances) != set(self._root.instances)

"""Changes the bytes of literals, and nothing that was not announced.

Changes of one root are made together or not at all. They are made in memory first, and the whole root is evaluated again:
only where the same resources are there, no address changed beyond those announced, and every target has its new value from
its old place, the files are replaced.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dagster_project.errors import InputError
from dagster_project.iac.files import Files
from dagster_project.iac.kinds import NUMBERS, VALUES
from dagster_project.iac.literals import changed_files, with_changes
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan, Root, deep_recursion
from dagster_project.iac.state import State
from dagster_project.iac.values import Choice, Scalar, Span, TooLarge, alternatives, flows, plain
from dagster_project.iac.verdicts import EDITABLE, REFUSED, SHARED, Location


@dataclass(frozen=True, slots=True)
class Change:
    """What an attribute of a live resource shall be."""

    question: Question
    to: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The outcome for one change. A verdict that forbids it leaves ``is_edited`` false."""

    location: Location
    is_edited: bool


@dataclass(frozen=True, slots=True)
class Edits:
    """All outcomes in the order of the changes, and the new ``contents`` of files by path; empty where nothing is edited."""

    outcomes: tuple[Edit, ...]
    contents: Mapping[str, bytes]


def prepare(repository: Repository, plan: Plan, state: State, changes: Sequence[Change], *, allow_shared: bool = False) -> Edits:
    """Finds and changes the literals in memory. A literal that feeds several addresses is changed where each of them is to
    have the same new value, or with ``allow_shared``. Raises ``InputError`` for a value that the attribute cannot have."""
    asked = [_Asked(change, locate(repository, plan, state, change.question)) for change in changes]
    for each in asked:
        require_value(each.location, each.change.to)
    by_literal: dict[Span, list[_Asked]] = {}
    for each in asked:
        by_literal.setdefault(each.span, []).append(each)
    for same in by_literal.values():
        if len({each.change.to for each in same}) > 1:
            for each in same:
                if each.location.span is not None:
                    each.location = _refused(each.location, "changes_more", "two changes want other values of one literal")
    if not all(_is_allowed(each.location, by_literal[each.span], allow_shared) for each in asked):
        return Edits(tuple(Edit(each.location, False) for each in asked), {})
    root = repository.root(plan, state)
    contents = changed_files(root, {each.span: each.change.to for each in asked}.items())
    try:
        problem = _difference(root, with_changes(root, contents), asked)
    except (RecursionError, TooLarge):
        problem = ("unparseable", "it is nested too deep, or too large")
    if problem:
        return Edits(tuple(Edit(_refused(each.location, *problem), False) for each in asked), {})
    return Edits(tuple(Edit(each.location, True) for each in asked), contents)


def is_covered(location: Location, same: Sequence[Location]) -> bool:
    """Whether every address that a literal feeds is meant to change, ``same`` being all that is asked of that literal."""
    if location.status == EDITABLE:
        return True
    if location.status != SHARED or location.other_roots:
        return False
    meant = {address for other in same for address in (other.address, other.resource_address)}
    return set(location.affects) | set(location.launched_by) <= meant


def _refused(location: Location, reason_code: str, detail: str) -> Location:
    return replace(location, status=REFUSED, reason_code=reason_code, detail=detail)


@dataclass(slots=True)
class _Asked:
    """A change with the place that was found for it."""

    change: Change
    location: Location

    @property
    def span(self) -> Span:
        return self.location.span or Span("", 0, 0)


def _is_allowed(location: Location, same: Sequence[_Asked], allow_shared: bool) -> bool:
    """Whether a literal may be changed, ``same`` being all that is asked of it."""
    if location.status == SHARED and allow_shared:
        return True
    return is_covered(location, [each.location for each in same])


def require_value(location: Location, to: str) -> None:
    """Raises ``InputError`` for a value that an attribute cannot have, or has already."""
    pattern = VALUES.get(location.attribute)
    if pattern is not None and not re.fullmatch(pattern, to):
        what = "a whole number" if location.attribute in NUMBERS else "a value as AWS writes it"
        raise InputError(f"{location.attribute} cannot be {to!r}; --to takes {what}.")
    if location.value == to:
        raise InputError(f"{location.attribute} of {location.resource} is {to} already; choose another value with --to.")


def write(files: Files, contents: Mapping[str, bytes]) -> None:
    """Replaces files, each in one step, keeping their modes; all of them or none. Raises ``InputError`` where one was changed in
    the meantime or cannot be written.

    What was read of the repository is then old: open it anew for further questions.
    """
    folder = files.root
    for path in contents:
        before = files.read(path)
        is_itself = os.path.realpath(folder / path) == str(folder / path)
        if before is None or not is_itself or _bytes(folder / path) != before.data:
            raise InputError(f"The file {path} was changed while it was being edited; nothing was written, run again.")
    drafts: dict[Path, Path] = {}
    replaced: list[str] = []
    try:
        for path, data in sorted(contents.items()):
            drafts[folder / path] = _draft(folder / path, data)
        for target, draft in drafts.items():
            draft.replace(target)
            replaced.append(target.relative_to(folder).as_posix())
    except OSError as error:
        for path in replaced:
            before = files.read(path)
            if before is not None:
                _draft(folder / path, before.data).replace(folder / path)
        raise InputError(f"The repository cannot be written ({error.strerror}); make it writable.") from None
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _draft(target: Path, data: bytes) -> Path:
    """A file beside another, with its mode, that can take its place in one step."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".nightshift-")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(target.stat().st_mode & 0o7777)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _difference(before: Root, after: Root, asked: Sequence[_Asked]) -> tuple[str, str] | None:
    """Why the edited root is not what was announced: a reason code and its detail; None where it is."""
    with deep_recursion():
        for reason, detail in after.problems:
            return reason, detail
        if set(before.instances) != set(after.instances):
            return "changes_addresses", ""
        failing = sorted(after.failing_checks() - before.failing_checks())
        if failing:
            return "fails_validation", ", ".join(failing)
        announced = {address for each in asked for address in each.location.affects}
        beyond = sorted(_changed_addresses(before, after, {each.span for each in asked}) - announced)
        if beyond:
            return "changes_more", ", ".join(beyond)
        for each in asked:
            if not _has_value(after, each):
                return "changes_more", f"{each.location.address} would not become {each.change.to}"
    return None


def _changed_addresses(before: Root, after: Root, spans: set[Span]) -> set[str]:
    changed = set()
    for address, instance in before.instances.items():
        was, will = dict(instance.everything()), dict(after.instances[address].everything())
        if was.keys() != will.keys():
            changed.add(address)
            continue
        for name, value in was.items():
            if plain(value) == plain(will[name]):
                continue
            # Of alternatives only those count that the live value leaves.
            if isinstance(value, Choice) and not spans & flows(before.likely(instance, name, value)):
                continue
            changed.add(address)
    calls = {call.address: tuple(map(plain, call.values)) for call in after.absent}
    return changed | {call.address for call in before.absent if tuple(map(plain, call.values)) != calls.get(call.address)}


def _has_value(after: Root, asked: _Asked) -> bool:
    values = [
        option
        for name, value in after.instances[asked.location.address or ""].everything()
        if name.rpartition(".")[2] == asked.location.attribute
        for option in alternatives(value)
    ]
    return any(
        isinstance(option, Scalar) and option.text == asked.change.to and option.origin and option.origin.file == asked.span.file
        for option in values
    )

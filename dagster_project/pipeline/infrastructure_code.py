"""The repositories of infrastructure code as a night sees them: which root has a resource, which literal sets its size, and what
the files would be with another value there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dagster_project.domain.inventory import is_qualified, native_name
from dagster_project.domain.proposals.grouping import Place
from dagster_project.domain.proposals.model import Change, Group
from dagster_project.errors import InputError, NightshiftError
from dagster_project.iac.edit import Change as Asked
from dagster_project.iac.edit import is_covered, prepare, require_value
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import MAX_STATE_BYTES, State, read_state
from dagster_project.iac.verdicts import EDITABLE, REFUSED, SHARED, Location
from dagster_project.settings import RepositorySettings, RootSettings
from dagster_project.sources import terraform_states

NO_REPOSITORY = "no_repository"
NOT_MANAGED = "not_in_state"
SEVERAL_STATES = "several_states"
UNREADABLE = "root_unreadable"
REFUSED_VALUE = "refused_value"
_UNMANAGED = "No state of the repositories in the settings has it."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a repository on its base branch. ``sha`` is None where the commit is not known (a checkout without Git)."""

    settings: RepositorySettings
    folder: Path
    base: str
    sha: str | None


@dataclass(frozen=True, slots=True)
class Located:
    """Where the size of a resource is set, or why it cannot be edited there."""

    code: str
    sentence: str
    place: Place | None = None
    snapshot: Snapshot | None = None


@dataclass(slots=True)
class _Root:
    snapshot: Snapshot
    settings: RootSettings
    repository: Repository
    plan: Plan
    state: State


@dataclass(slots=True)
class CodeBase:
    """All roots of all repositories, opened once. ``problems`` are sentences about what could not be opened."""

    roots: list[_Root] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _unreadable: bool = False

    @classmethod
    def open(cls, snapshots: Sequence[Snapshot]) -> CodeBase:
        """Opens what can be opened: one root that cannot be read must not hide the others."""
        found = cls()
        for snapshot in snapshots:
            try:
                repository = Repository.open(snapshot.folder)
            except NightshiftError as error:
                found.fail(f"{snapshot.settings.name}: {error}")
                continue
            for root in snapshot.settings.roots:
                try:
                    plan = _plan(repository, root)
                    state = read_state(terraform_states.read(root.state, MAX_STATE_BYTES), f"The state {root.state}")
                except NightshiftError as error:
                    found.fail(f"{snapshot.settings.name}, {root.path}: {error}")
                    continue
                found.roots.append(_Root(snapshot, root, repository, plan, state))
        return found

    def fail(self, problem: str) -> None:
        """Notes what could not be opened. From then on it is not known that a resource is managed nowhere."""
        self.problems.append(problem)
        self._unreadable = True

    def locate(self, changes: Sequence[Change]) -> dict[str, Located]:
        """For each change, by resource, its literal; only where all that the literal feeds changes in the same way."""
        found: dict[str, Located] = {}
        by_root: dict[int, list[Change]] = {}
        for change in changes:
            name = native_name(change.resource_id)
            having = [number for number, root in enumerate(self.roots) if root.state.has(name)]
            if having and is_qualified(change.resource_id):
                found[change.resource_id] = Located(
                    SEVERAL_STATES, f"Other regions or accounts have a {name} too, and a state does not say which one it has."
                )
            elif len(having) == 1:
                by_root.setdefault(having[0], []).append(change)
            elif having:
                names = ", ".join(
                    f"{self.roots[number].snapshot.settings.name} {self.roots[number].plan.root}" for number in having
                )
                found[change.resource_id] = Located(SEVERAL_STATES, f"Several states have it: {names}.")
            elif self._unreadable:
                # It may be managed by the root that could not be read; nobody must be asked to change it by hand.
                found[change.resource_id] = Located(
                    UNREADABLE, "A repository or state could not be read; it may be managed there."
                )
            else:
                found[change.resource_id] = Located(NOT_MANAGED if self.roots else NO_REPOSITORY, _UNMANAGED)
        for number, mine in sorted(by_root.items()):
            found |= _located(self.roots[number], mine)
        return found

    def contents(self, group: Group) -> Mapping[str, bytes]:
        """The new bytes of the files of a group, by path. Raises ``InputError`` where the edit is refused after all."""
        root = self._root_of(group)
        asked = [_asked(change) for item in group.items for change in item.changes]
        edits = prepare(root.repository, root.plan, root.state, asked)
        refused = next((each.location for each in edits.outcomes if not each.is_edited), None)
        if refused is not None:
            raise InputError(f"{refused.resource} cannot be edited together with its group: {refused.sentence}")
        return edits.contents

    def original(self, group: Group, path: str) -> bytes:
        """The bytes of a file as they are on the base. Raises ``InputError`` or ``OSError``."""
        return (self._root_of(group).snapshot.folder / path).read_bytes()

    def _root_of(self, group: Group) -> _Root:
        key = group.key
        for each in self.roots:
            is_it = (each.snapshot.settings.name, each.plan.root, each.plan.workspace or "") == (
                key.repository,
                key.root,
                key.workspace,
            )
            if is_it and all(each.state.has(name) for name in group.resource_ids):
                return each
        raise InputError("its code or state could not be read tonight")


def _plan(repository: Repository, root: RootSettings) -> Plan:
    """The root's plan. Paths of the settings are relative to the repository, those of variable files also to the root."""
    top = repository.files.root
    folder = Path(root.path).as_posix().strip("/") or "."
    if not (top / folder).is_dir():
        raise InputError(f"there is no folder {root.path} in the repository; correct the setting.")
    files = []
    for name in root.var_files:
        found = [path for path in (Path(folder) / name, Path(name)) if (top / path).is_file()]
        if not found:
            raise InputError(f"there is no variable file {name}; correct the setting.")
        files.append(Path(*[part for part in found[0].parts if part != "."]).as_posix())
    return Plan(folder, root.workspace, tuple(files))


def _asked(change: Change) -> Asked:
    return Asked(Question(change.resource_id, change.attribute, change.before), change.after)


def _located(root: _Root, changes: Sequence[Change]) -> dict[str, Located]:
    locations: dict[str, Location] = {}
    refused: dict[str, Located] = {}
    for change in changes:
        try:
            location = locate(root.repository, root.plan, root.state, _asked(change).question)
            require_value(location, change.after)
            locations[change.resource_id] = location
        except InputError as error:
            refused[change.resource_id] = Located(REFUSED_VALUE, str(error), snapshot=root.snapshot)
    changes = [change for change in changes if change.resource_id in locations]
    # All that is asked of one literal must be the same, and be all that it feeds.
    by_literal: dict[tuple[str, int], list[Change]] = {}
    for change in changes:
        span = locations[change.resource_id].span
        if span is not None:
            by_literal.setdefault((span.file, span.start), []).append(change)
    bundles: list[list[Change]] = []
    for literal in sorted(by_literal):
        together = by_literal[literal]
        same = [locations[change.resource_id] for change in together]
        if len({change.after for change in together}) > 1:
            for change in together:
                locations[change.resource_id] = replace(
                    locations[change.resource_id],
                    status=REFUSED,
                    reason_code="changes_more",
                    detail="other resources with the same literal are to get another size",
                )
        elif all(is_covered(each, same) for each in same):
            bundles.append(together)
    for change, location in _refused_edits(root, bundles):
        locations[change.resource_id] = location
    editable = {change.resource_id for bundle in bundles for change in bundle}
    return refused | {
        name: _answer(root, location, name in editable and location.status in (EDITABLE, SHARED))
        for name, location in locations.items()
    }


def _refused_edits(root: _Root, bundles: list[list[Change]]) -> list[tuple[Change, Location]]:
    """Changes whose edit is refused when it is made in memory. All at once first: evaluating a root is the costly part; where
    that fails, halves of them."""
    if not bundles:
        return []
    changes = [change for bundle in bundles for change in bundle]
    outcomes = prepare(root.repository, root.plan, root.state, [_asked(change) for change in changes]).outcomes
    if all(each.is_edited for each in outcomes):
        return []
    if len(bundles) == 1:
        return [(change, each.location) for change, each in zip(changes, outcomes, strict=True)]
    middle = len(bundles) // 2
    return _refused_edits(root, bundles[:middle]) + _refused_edits(root, bundles[middle:])


def _answer(root: _Root, location: Location, is_editable: bool) -> Located:
    if not is_editable or location.span is None or location.line is None:
        return Located(location.reason_code, location.sentence, snapshot=root.snapshot)
    place = Place(
        repository=root.snapshot.settings.name,
        base=root.snapshot.base,
        root=root.plan.root,
        workspace=root.plan.workspace or "",
        file=location.span.file,
        start_byte=location.span.start,
        line=location.line,
        address=location.resource_address or location.address or "",
        notes=location.notes,
        other_plans=location.other_plans,
    )
    return Located(location.reason_code, location.sentence, place, root.snapshot)

"""The two front ends, Terraform and CloudFormation, behind one face."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from dagster_project.iac.cloudformation import Stack
from dagster_project.iac.edit import Change, Edit, prepare, write
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.paths import file_of, plan_of
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import State, read_state
from dagster_project.iac.verdicts import Location

_TEMPLATES = (".yaml", ".yml", ".json", ".template")


class Front(Protocol):
    """Answers questions about one root or one stack."""

    def locate(self, resource: str, attribute: str, live: str | None) -> Location:
        """The literal's place, or why there is none."""
        ...

    def edit(self, resource: str, attribute: str, live: str | None, to: str, *, allow_shared: bool) -> Edit:
        """Changes the literal's bytes where the verdict allows it."""
        ...


def open_front(repo: str, root: str, state: bytes, state_name: str, workspace: str | None, var_files: tuple[str, ...]) -> Front:
    """Terraform where ``root`` is a folder, CloudFormation where it is a template. Raises ``InputError``."""
    repository = Repository.open(Path(repo))
    if root.endswith(_TEMPLATES):
        parameter_files = tuple(file_of(repository, each, "--var-file") for each in var_files)
        return Stack.open(repository.files, file_of(repository, root, "--root"), state, state_name, parameter_files)
    return _Terraform(repository, plan_of(repository, root, workspace, var_files), read_state(state, state_name))


class _Terraform:
    def __init__(self, repository: Repository, plan: Plan, state: State) -> None:
        self._repository = repository
        self._plan = plan
        self._state = state

    def locate(self, resource: str, attribute: str, live: str | None) -> Location:
        return locate(self._repository, self._plan, self._state, Question(resource, attribute, live))

    def edit(self, resource: str, attribute: str, live: str | None, to: str, *, allow_shared: bool) -> Edit:
        change = Change(Question(resource, attribute, live), to)
        edits = prepare(self._repository, self._plan, self._state, [change], allow_shared=allow_shared)
        write(self._repository.files, edits.contents)
        return edits.outcomes[0]

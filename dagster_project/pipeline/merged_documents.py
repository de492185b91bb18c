"""Postmortems as they stand in the repository that they are proposed to, where people edit them after the merge."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dagster_project.actions.github.repository import GithubRepository
from dagster_project.connections.github import Connection
from dagster_project.domain.file_names import file_name
from dagster_project.errors import InputError
from dagster_project.pipeline.postmortem_drafts import MAX_DOCUMENT
from dagster_project.pipeline.repositories import pace_of
from dagster_project.pipeline.runtime import Runtime


@dataclass(frozen=True, slots=True)
class MergedDocument:
    """A document on the default branch; ``sha`` tells one content from every other."""

    incident_id: str
    text: str
    sha: str


def merged_documents(
    runtime: Runtime, repository: str, incident_ids: Collection[str], read: Mapping[str, str]
) -> Iterator[MergedDocument]:
    """Documents of incidents on the default branch that are not as they were when they were last read (incident → ``sha``).

    A night without news costs six requests. Raises ``NightshiftError`` where the repository cannot be read.
    """
    github = GithubRepository(Connection(runtime.settings.github, repository, pace_of(runtime)))
    branch = github.about().default_branch
    head = github.head(branch)
    if head is None:
        return  # nothing was ever pushed
    folder = runtime.settings.incidents.folder
    paths = {f"{folder}/{file_name(each)}.md": each for each in incident_ids}
    for path, entry in sorted(github.entries(github.commit(head).tree_sha, paths).items()):
        if entry.sha == read.get(paths[path]):
            continue
        try:
            text = github.content(path, entry, MAX_DOCUMENT).decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{path} in {repository} is not UTF-8; save it as UTF-8, and its action items are read.") from None
        yield MergedDocument(paths[path], text, entry.sha)

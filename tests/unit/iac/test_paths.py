"""What a person may write for a root and its files: absolute, or relative to where they are, to the repository or to the root."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.errors import InputError
from dagster_project.iac.paths import file_of, plan_of, read_bytes
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from tests.unit.iac.builders import written

FILES = {
    "main.tf": "",
    "live/prod/main.tf": "",
    "live/prod/prod.tfvars": "",
    "live/shared.tfvars": "",
    "common.tfvars": "",
    "stack.yaml": "",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository of ``FILES``, with a folder outside as the working directory."""
    written(tmp_path / "repository", FILES)
    (tmp_path / "outside").mkdir()
    monkeypatch.chdir(tmp_path / "outside")
    return Repository.open(tmp_path / "repository")


def refused(repository: Repository, root: str, *var_files: str) -> str:
    with pytest.raises(InputError) as caught:
        plan_of(repository, root, None, var_files)
    return str(caught.value)


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("live/prod", "live/prod"),
        ("./live/prod/", "live/prod"),
        ("live/../live/prod", "live/prod"),
        ("../repository/live/prod", "live/prod"),
        (".", "."),
        ("", "."),
    ],
)
def test_a_root_is_relative_to_the_working_directory_or_to_the_repository(
    repository: Repository, root: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if root in (".", ""):
        monkeypatch.chdir(repository.files.root)
    assert plan_of(repository, root, None, ()) == Plan(expected)


def test_a_root_may_be_absolute(repository: Repository) -> None:
    assert plan_of(repository, str(repository.files.root / "live/prod"), "prod", ()) == Plan("live/prod", "prod")
    assert plan_of(repository, str(repository.files.root), None, ()) == Plan(".")


def test_a_root_is_seen_from_the_working_directory_inside_the_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.files.root / "live")
    assert plan_of(repository, "prod", None, ("shared.tfvars",)) == Plan("live/prod", None, ("live/shared.tfvars",))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("prod.tfvars", "live/prod/prod.tfvars"),
        ("../shared.tfvars", "live/shared.tfvars"),
        ("live/shared.tfvars", "live/shared.tfvars"),
        ("common.tfvars", "common.tfvars"),
        ("../../common.tfvars", "common.tfvars"),
        ("live/prod/prod.tfvars", "live/prod/prod.tfvars"),
        ("../repository/common.tfvars", "common.tfvars"),
    ],
)
def test_a_variable_file_is_relative_to_the_root_the_working_directory_or_the_repository(
    repository: Repository, file: str, expected: str
) -> None:
    assert plan_of(repository, "live/prod", None, (file,)).var_files == (expected,)
    absolute = str(repository.files.root / expected)
    assert plan_of(repository, "live/prod", None, (absolute,)).var_files == (expected,)


def test_variable_files_keep_their_order(repository: Repository) -> None:
    plan = plan_of(repository, "live/prod", None, ("common.tfvars", "prod.tfvars", "../shared.tfvars", "prod.tfvars"))
    assert plan.var_files == ("common.tfvars", "live/prod/prod.tfvars", "live/shared.tfvars", "live/prod/prod.tfvars")


def test_a_link_means_the_file_that_it_leads_to(repository: Repository) -> None:
    (repository.files.root / "alias").symlink_to("live/prod", target_is_directory=True)
    (repository.files.root / "live/prod/link.tfvars").symlink_to("../shared.tfvars")
    assert plan_of(repository, "alias", None, ("link.tfvars",)) == Plan("live/prod", None, ("live/shared.tfvars",))


def test_a_repository_that_is_reached_through_a_link_is_the_same(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "link").symlink_to("repository", target_is_directory=True)
    assert plan_of(Repository.open(tmp_path / "link"), str(tmp_path / "link/live/prod"), None, ()) == Plan("live/prod")


def test_a_root_that_could_be_two_folders_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repository.files.root
    (top / "live/live/prod").mkdir(parents=True)
    monkeypatch.chdir(top / "live")
    assert refused(repository, "live/prod") == (
        f"live/prod may mean {top}/live/live/prod or {top}/live/prod; write the absolute path for --root."
    )
    assert plan_of(repository, str(top / "live/prod"), None, ()) == Plan("live/prod")


def test_a_variable_file_that_could_be_two_is_refused(repository: Repository) -> None:
    top = repository.files.root
    (top / "prod.tfvars").write_bytes(b"")
    assert refused(repository, "live/prod", "prod.tfvars") == (
        f"prod.tfvars may mean {top}/live/prod/prod.tfvars or {top}/prod.tfvars; write the absolute path for --var-file."
    )


def test_two_names_of_one_file_are_no_doubt(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository.files.root / "live/prod")
    assert plan_of(repository, "live/prod", None, ("prod.tfvars",)) == Plan("live/prod", None, ("live/prod/prod.tfvars",))
    monkeypatch.chdir(repository.files.root)
    assert plan_of(repository, ".", None, ("common.tfvars",)) == Plan(".", None, ("common.tfvars",))


def test_a_dot_is_the_working_directory_and_not_the_repository_around_it(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.files.root / "live/prod")
    assert plan_of(repository, ".", None, ()) == Plan("live/prod")


@pytest.mark.parametrize("root", ["absent", "main.tf", "live/prod/main.tf", "/absent", "../outside/absent", "a\nb"])
def test_a_root_that_is_no_folder_is_refused(repository: Repository, root: str) -> None:
    assert refused(repository, root) == f"There is no folder {root}; name with --root one that exists in the repository."


@pytest.mark.parametrize("file", ["absent.tfvars", "live", "/absent.tfvars"])
def test_a_variable_file_that_is_none_is_refused(repository: Repository, file: str) -> None:
    assert refused(repository, "live/prod", file) == (
        f"There is no file {file}; name with --var-file one that exists in the repository."
    )


def test_what_lies_outside_is_refused(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "outside/x").mkdir()
    (tmp_path / "outside/x.tfvars").write_bytes(b"")
    top = repository.files.root
    for root in ("x", str(tmp_path / "outside/x"), "..", "/"):
        assert refused(repository, root) == f"{root} lies outside of the repository {top}; name a folder in it with --root."
    assert refused(repository, "live/prod", "x.tfvars") == (
        f"x.tfvars lies outside of the repository {top}; name a file in it with --var-file."
    )


def test_a_link_that_leads_outside_is_refused(tmp_path: Path, repository: Repository) -> None:
    (repository.files.root / "link").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert refused(repository, "link").startswith("link lies outside of the repository ")


def test_a_folder_beside_the_repository_whose_name_begins_alike_is_outside(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "repository2").mkdir()
    assert refused(repository, "../repository2").startswith("../repository2 lies outside of the repository ")


def test_of_two_meanings_the_one_inside_the_repository_counts(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "outside/live/prod").mkdir(parents=True)
    assert plan_of(repository, "live/prod", None, ()) == Plan("live/prod")


def test_a_template_is_a_file_of_the_repository(repository: Repository) -> None:
    assert file_of(repository, "stack.yaml", "--root") == "stack.yaml"
    assert file_of(repository, str(repository.files.root / "stack.yaml"), "--root") == "stack.yaml"
    with pytest.raises(InputError) as caught:
        file_of(repository, "absent.yaml", "--root")
    assert str(caught.value) == "There is no file absent.yaml; name with --root one that exists in the repository."


def test_a_state_may_lie_anywhere_and_one_that_cannot_be_read_is_told(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "outside/s.json").write_bytes(b"{}")
    assert read_bytes("s.json", "--state") == b"{}"
    with pytest.raises(InputError) as caught:
        read_bytes("absent.json", "--state")
    assert str(caught.value) == (
        "The file absent.json cannot be read (No such file or directory); name with --state one that can."
    )
    with pytest.raises(InputError) as caught:
        read_bytes(str(tmp_path), "--state")
    assert str(caught.value) == f"The file {tmp_path} cannot be read (Is a directory); name with --state one that can."


@pytest.mark.parametrize("length", [300, 5_000])
def test_a_name_longer_than_any_file_has_is_refused_and_no_crash(repository: Repository, length: int) -> None:
    assert refused(repository, "x" * length).startswith("There is no folder xxx")
    assert refused(repository, "live/prod", "x" * length).startswith("There is no file xxx")
    with pytest.raises(InputError, match="File name too long"):
        read_bytes("x" * length, "--state")

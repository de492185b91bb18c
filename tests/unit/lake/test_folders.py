"""Folders of pages are replaced as a whole, by one writer at a time, and nothing of a killed one stays or is lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dagster_project.errors import AccessDenied
from dagster_project.lake.folders import put_files, replace_folder


def contents(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text() for each in folder.rglob("*") if each.is_file()}


def test_writers_of_the_same_folders_wait_for_each_other(tmp_path: Path) -> None:
    def write(number: int) -> int:
        return replace_folder(tmp_path / f"pages{number % 2}", [(f"{name}.html", str(number)) for name in range(5)])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(200))) == {5}
    found = contents(tmp_path)
    assert len(found) == 10
    assert {len({text for name, text in found.items() if name.startswith(f"pages{number}")}) for number in (0, 1)} == {1}


def test_what_a_killed_writer_moved_away_is_put_back_where_nothing_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / ".pages.abc.old").mkdir()
    (tmp_path / ".pages.abc.old/a.html").write_text("old")
    (tmp_path / ".pages.xyz").mkdir()
    (tmp_path / ".pages.xyz/b.html").write_text("half")

    def broken() -> Iterator[tuple[str, str]]:
        yield "a.html", "new"
        raise ValueError

    with pytest.raises(ValueError):
        replace_folder(tmp_path / "pages", broken())
    assert contents(tmp_path) == {"pages/a.html": "old"}
    assert replace_folder(tmp_path / "pages", [("c.html", "new")]) == 1
    assert contents(tmp_path) == {"pages/c.html": "new"}


def test_files_that_are_put_may_depend_on_those_that_are_there(tmp_path: Path) -> None:
    def later(number: int) -> Iterator[tuple[str, str]]:
        page = tmp_path / "pages/a"
        if not page.is_file() or int(page.read_text()) < number:
            yield "a", str(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put_files(tmp_path / "pages", later(number)), [*range(1, 60), 99, *range(1, 60)]))
    assert contents(tmp_path) == {"pages/a": "99"}


def test_a_folder_that_may_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for write in (replace_folder, put_files):
        with pytest.raises(AccessDenied):
            write(tmp_path / "file/pages", [("a", "a")])

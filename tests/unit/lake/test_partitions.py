"""Partitions are replaced as a whole or not at all, and nothing of a killed run stays behind."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from dagster_project.errors import AccessDenied, LakeError, MissingPartition
from dagster_project.lake.partitions import Lake, replace_file, require_writable
from dagster_project.lake.tables import LOAD_LEDGER, RESOURCE_INVENTORY

DAY = date(2025, 3, 9)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "warehouse")


def put(lake: Lake, content: bytes, day: date = DAY, part: str = "part-0") -> None:
    with lake.replacing(RESOURCE_INVENTORY, day, part) as draft:
        draft.write_bytes(content)


def test_a_partition_is_a_hive_folder_with_one_file(lake: Lake) -> None:
    put(lake, b"new")
    assert lake.path(RESOURCE_INVENTORY, DAY) == lake.root / "resource_inventory" / "day=2025-03-09" / "part-0.parquet"
    assert lake.require(RESOURCE_INVENTORY, DAY).read_bytes() == b"new"


def test_the_old_partition_is_there_until_the_block_ends(lake: Lake) -> None:
    put(lake, b"old")
    with lake.replacing(RESOURCE_INVENTORY, DAY) as draft:
        draft.write_bytes(b"new")
        assert lake.require(RESOURCE_INVENTORY, DAY).read_bytes() == b"old"
    assert lake.require(RESOURCE_INVENTORY, DAY).read_bytes() == b"new"


def test_an_error_in_the_block_keeps_the_old_bytes_and_leaves_no_draft(lake: Lake) -> None:
    put(lake, b"old")
    with pytest.raises(ZeroDivisionError), lake.replacing(RESOURCE_INVENTORY, DAY) as draft:
        draft.write_bytes(b"half")
        raise ZeroDivisionError
    assert lake.require(RESOURCE_INVENTORY, DAY).read_bytes() == b"old"
    assert [file.name for file in lake.root.rglob("*") if file.is_file()] == ["part-0.parquet"]


def test_an_error_before_the_first_partition_leaves_none(lake: Lake) -> None:
    with pytest.raises(ZeroDivisionError), lake.replacing(RESOURCE_INVENTORY, DAY):
        raise ZeroDivisionError
    assert not lake.has(RESOURCE_INVENTORY, DAY)
    assert lake.days(RESOURCE_INVENTORY) == []


def test_a_writer_that_writes_nothing_is_told_so(lake: Lake) -> None:
    put(lake, b"old")
    with (
        pytest.raises(LakeError, match="resource_inventory for 2025-03-09 was not written"),
        lake.replacing(RESOURCE_INVENTORY, DAY),
    ):
        pass
    assert lake.require(RESOURCE_INVENTORY, DAY).read_bytes() == b"old"


def test_two_sources_of_a_day_do_not_replace_each_other(lake: Lake) -> None:
    put(lake, b"one", part="utilization")
    put(lake, b"two", part="resources")
    assert [file.stem for file in lake.files(RESOURCE_INVENTORY, [DAY])] == ["resources", "utilization"]
    assert not lake.has(RESOURCE_INVENTORY, DAY)
    assert lake.has(RESOURCE_INVENTORY, DAY, "utilization")


def test_days_are_those_with_a_file_in_order(lake: Lake) -> None:
    for day in (date(2025, 3, 9), date(2024, 12, 31), date(2025, 1, 1)):
        put(lake, b"x", day)
    (lake.root / "resource_inventory" / "day=2025-02-02").mkdir()
    assert lake.days(RESOURCE_INVENTORY) == [date(2024, 12, 31), date(2025, 1, 1), date(2025, 3, 9)]
    assert lake.days(LOAD_LEDGER) == []


def test_a_partition_that_is_missing_says_which_run_makes_it(lake: Lake) -> None:
    with pytest.raises(
        MissingPartition, match="resource_inventory has no partition for 2025-03-09; run 'nightshift nightly --day"
    ):
        lake.require(RESOURCE_INVENTORY, DAY)


def test_dropping_a_day_frees_its_bytes_and_no_other_day(lake: Lake) -> None:
    put(lake, b"12345")
    put(lake, b"12345", date(2025, 3, 8))
    assert lake.drop(RESOURCE_INVENTORY, DAY) == 5
    assert lake.days(RESOURCE_INVENTORY) == [date(2025, 3, 8)]


def test_scratch_is_gone_after_its_block_even_after_an_error(lake: Lake) -> None:
    with pytest.raises(ZeroDivisionError), lake.scratch() as folder:
        (folder / "big").write_bytes(b"x")
        raise ZeroDivisionError
    assert not folder.exists()


def test_scratch_inside_scratch_is_not_swept(lake: Lake) -> None:
    with lake.scratch() as outer:
        with lake.scratch() as inner:
            assert outer.is_dir()
            assert inner != outer
        assert outer.is_dir()


@contextmanager
def another_process(lake: Lake) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that holds a scratch folder until it is killed."""
    program = (
        "import sys; from pathlib import Path; from dagster_project.lake.partitions import Lake\n"
        "with Lake(Path(sys.argv[1])).scratch() as folder:\n"
        "    (folder / 'spill').write_bytes(b'x'); print(folder, flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(lake.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    try:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def test_the_scratch_of_a_process_that_lives_is_left_alone_and_that_of_a_dead_one_is_swept(lake: Lake) -> None:
    with another_process(lake) as (process, folder):
        with lake.scratch():
            assert (folder / "spill").is_file()
        process.kill()
        process.wait()
        assert (folder / "spill").is_file()
        with lake.scratch():
            assert not folder.exists()


def test_a_scratch_folder_whose_process_died_before_it_locked_it_is_swept(lake: Lake) -> None:
    """Folders are created and locked behind one gate, so an unlocked one has no owner."""
    stillborn = lake.root / ".scratch" / "tmp-stillborn"
    stillborn.mkdir(parents=True)
    with lake.scratch():
        assert not stillborn.exists()


def test_scratch_is_no_table(lake: Lake) -> None:
    with lake.scratch() as folder:
        (folder / "part-0.parquet").write_bytes(b"x")
        assert lake.files(RESOURCE_INVENTORY, [DAY]) == []


def test_a_warehouse_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_bytes(b"")
    lake = Lake(tmp_path / "a-file" / "warehouse")
    with pytest.raises(AccessDenied, match=r"Cannot write to .*a-file/warehouse \(.+\); make it writable") as caught:
        put(lake, b"x")
    assert caught.value.exit_code == 2


def test_a_table_folder_that_cannot_be_written_is_named(lake: Lake) -> None:
    lake.root.mkdir(parents=True)
    (lake.root / "resource_inventory").write_bytes(b"in the way")
    with pytest.raises(AccessDenied, match=r"Cannot write to .*resource_inventory/day=2025-03-09"):
        put(lake, b"x")


def test_a_file_is_replaced_as_a_whole_and_readable_by_others(tmp_path: Path) -> None:
    target = tmp_path / "reports" / "report.md"
    replace_file(target, b"old")
    replace_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in target.parent.iterdir()] == ["report.md"]


def test_the_draft_of_a_dead_writer_is_removed_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    dead, living, newborn = (tmp_path / f".report.md.{name}" for name in ("dead", "living", "newborn"))
    other = tmp_path / ".verdicts.csv.dead"
    for file in (dead, living, other):
        file.write_bytes(b"half")
    newborn.write_bytes(b"")
    with living.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        replace_file(tmp_path / "report.md", b"new")
    assert {file.name for file in tmp_path.iterdir()} == {"report.md", living.name, newborn.name, other.name}


def test_a_file_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_bytes(b"")
    with pytest.raises(AccessDenied, match=r"Cannot write to .*a-file/reports"):
        replace_file(tmp_path / "a-file" / "reports" / "report.md", b"new")


def test_whether_a_folder_can_be_written_to_is_told_without_making_it(tmp_path: Path) -> None:
    require_writable(tmp_path / "deep" / "er")
    assert not (tmp_path / "deep").exists()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        AccessDenied, match=r"^Cannot write to .*/file \(Not a directory\); make it writable"
    ):
        require_writable(tmp_path / "file" / "reports")

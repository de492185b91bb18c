"""Partitions on disk: ``<root>/<table>/day=YYYY-MM-DD/<part>.parquet``, each replaced atomically.

A writer fills a file in a scratch folder of the same tree and renames it into place, so a reader sees the old partition or
the new one and never a half. There are no locks between writers of different days. A writer that is killed leaves its
scratch folder behind; the next one removes it, because the lock on it died with its process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from dagster_project.errors import AccessDenied, LakeError, MissingPartition
from dagster_project.lake.tables import Table

PART = "part-0"
_SCRATCH = ".scratch"


class Lake:
    """The Parquet partitions below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, table: Table, day: date, part: str = PART) -> Path:
        """Where a partition's file is, whether or not it exists. ``part`` names a source where several share a day."""
        return self.root / table.name / f"day={day.isoformat()}" / f"{part}.parquet"

    def has(self, table: Table, day: date, part: str = PART) -> bool:
        """Whether the partition exists."""
        return self.path(table, day, part).is_file()

    def require(self, table: Table, day: date) -> Path:
        """The partition's file; raises ``MissingPartition`` where there is none."""
        path = self.path(table, day)
        if not path.is_file():
            raise MissingPartition(table.name, day)
        return path

    def files(self, table: Table, days: Iterable[date]) -> list[Path]:
        """Files of those of ``days`` that have a partition, in order."""
        return [file for day in days for file in sorted(self.path(table, day).parent.glob("[!.]*.parquet"))]

    def days(self, table: Table) -> list[date]:
        """Days that have a partition, ascending."""
        folders = (self.root / table.name).glob("day=*/[!.]*.parquet")
        return sorted({date.fromisoformat(file.parent.name.removeprefix("day=")) for file in folders})

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder inside the lake's tree, removed at the end; leftovers of killed runs are removed first."""
        base = self.root / _SCRATCH
        try:
            base.mkdir(parents=True, exist_ok=True)
            # One at a time: a folder must not be swept between its creation and its lock.
            gate = os.open(base, os.O_RDONLY)
            try:
                fcntl.flock(gate, fcntl.LOCK_EX)
                _sweep(base)
                folder = Path(tempfile.mkdtemp(dir=base))
                lock = _lock(folder)
            finally:
                os.close(gate)
        except OSError as error:
            raise unwritable(self.root, error) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)

    @contextmanager
    def replacing(self, table: Table, day: date, part: str = PART) -> Iterator[Path]:
        """Yields a path to write a new partition to; it takes the old one's place when the block ends without an error."""
        target = self.path(table, day, part)
        with self.scratch() as folder:
            draft = folder / target.name
            yield draft
            try:
                flush(draft)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(draft, target)  # noqa: PTH105 - the one call whose atomicity matters is named as such
                flush(target.parent)
            except FileNotFoundError:
                raise LakeError(f"{table.name} for {day} was not written: the writer produced no file.") from None
            except OSError as error:
                raise unwritable(target.parent, error) from None

    def drop(self, table: Table, day: date) -> int:
        """Removes a day of a table; returns the bytes that were freed."""
        folder = self.path(table, day).parent
        freed = sum(file.stat().st_size for file in folder.glob("*"))
        shutil.rmtree(folder)
        return freed


def replace_file(target: Path, content: bytes) -> None:
    """Writes a file atomically, for what is no partition (pages of a report); drafts of killed writers are removed."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{target.name}."
        for leftover in target.parent.glob(f"{prefix}*"):
            _remove_if_abandoned(leftover)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=prefix, delete=False) as draft:
            fcntl.flock(draft, fcntl.LOCK_EX)
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).chmod(0o644)
            os.replace(draft.name, target)  # noqa: PTH105 - the one call whose atomicity matters is named as such
    except OSError as error:
        raise unwritable(target.parent, error) from None


def _remove_if_abandoned(draft: Path) -> None:
    """Removes a draft on which nobody holds a lock: its writer is dead."""
    try:
        handle = draft.open("rb")
    except FileNotFoundError:
        return  # its writer lives, and has just put it in its place
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        # An empty one may belong to a writer that has not locked it yet, and takes no room.
        if draft.exists() and handle.read(1):
            draft.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Raises ``AccessDenied`` where nothing can be written to a folder, or where it cannot be made. Nothing is made."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise unwritable(there, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not os.access(there, os.W_OK | os.X_OK):
        raise unwritable(there, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def unwritable(folder: Path, error: OSError) -> AccessDenied:
    """What to raise where a folder cannot be written to: says which, why, and what to do."""
    return AccessDenied(
        f"Cannot write to {folder} ({error.strerror or error}); make it writable for this user, "
        "or point NIGHTSHIFT_HOME or NIGHTSHIFT_REPORTS somewhere else."
    )


def _lock(folder: Path) -> int | None:
    """An exclusive lock that dies with this process, or None where another process holds it."""
    try:
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:  # its owner removed the folder meanwhile
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _sweep(base: Path) -> None:
    """Removes scratch folders whose process is gone."""
    for folder in base.iterdir():
        if folder.is_dir() and (handle := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


def flush(path: Path) -> None:
    """Waits until a file, or what a folder lists, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

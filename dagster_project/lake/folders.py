"""Folders of pages: replaced as a whole, so that no stale page stays among those that belong together, and brought up to date by
one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.lake.partitions import unwritable

_OLD = ".old"


def replace_folder(target: Path, files: Iterable[tuple[str, str]]) -> int:
    """Fills a folder with exactly these files (name, text) and puts it in the place of the old one; returns how many there are.

    Readers see the old folder or the new one, but for the moment between two renames. Raises ``AccessDenied`` where that is not
    possible; the old folder stays then, and so it does where ``files`` raises. Writers of the same folder wait for each other;
    leftovers of killed ones are removed, or put back where they are all that is left.
    """
    with one_at_a_time(target.parent):
        try:
            _sweep(target)
            draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
            try:
                # What can be written again needs not be forced to the disk: that takes longer than to render it.
                count = _fill(draft, files)
                draft.chmod(0o755)
                if target.exists():
                    old = draft.with_name(f"{draft.name}{_OLD}")
                    target.rename(old)
                    draft.rename(target)
                    shutil.rmtree(old)
                else:
                    draft.rename(target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as error:
            raise unwritable(target.parent, error) from None
    return count


def put_files(folder: Path, files: Iterable[tuple[str, str]]) -> int:
    """Writes files (name, text) beside those that a folder has, each of them atomically; returns how many. ``files`` may look at
    the folder: nobody else changes it meanwhile. Raises ``AccessDenied`` where that is not possible."""
    with one_at_a_time(folder):
        try:
            # Of a killed writer: it has the name of this one.
            draft = folder / ".draft"
            count = 0
            for name, text in files:
                draft.write_text(text, encoding="utf-8")
                draft.replace(folder / name)
                count += 1
        except OSError as error:
            raise unwritable(folder, error) from None
    return count


def _fill(folder: Path, files: Iterable[tuple[str, str]]) -> int:
    count = 0
    for name, text in files:
        (folder / name).write_text(text, encoding="utf-8")
        count += 1
    return count


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Waits until nobody else is in such a block for the same folder, which is made where it is missing: what is made in the
    block of what lies there is never older than what another process made. The lock dies with its process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sweep(target: Path) -> None:
    """Removes what killed writers left. The lock of the folder is held: no writer that lives has a draft."""
    for leftover in sorted(target.parent.glob(f".{target.name}.*")):
        if leftover.name.endswith(_OLD) and not target.exists():
            leftover.rename(target)
        else:
            shutil.rmtree(leftover, ignore_errors=True)

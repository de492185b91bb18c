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


def replace_folder(target: Path, files: Iterable[tuple[str, str]]) -> int:
    """Fills a folder with exactly these files (name, text) and puts it in the place of the old one; returns how many there are.

    Readers see the old folder or the new one, but for the moment between two renames. Raises ``AccessDenied`` where that is not
    possible; the old folder stays then, and so it does where ``files`` raises. Leftovers of killed writers are removed.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        lock = os.open(draft, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # What can be written again needs not be forced to the disk: that takes longer than to render it.
            count = 0
            for name, text in files:
                (draft / name).write_text(text, encoding="utf-8")
                count += 1
            draft.chmod(0o755)
            if target.exists():
                old = draft.with_name(f"{draft.name}.old")
                target.rename(old)
                draft.rename(target)
                shutil.rmtree(old)
            else:
                draft.rename(target)
        finally:
            os.close(lock)
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise unwritable(target.parent, error) from None
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
    """Removes drafts on which nobody holds a lock: their writers are dead."""
    for leftover in target.parent.glob(f".{target.name}.*"):
        lock = os.open(leftover, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)

"""Folders that are replaced as a whole: pages of a report that belong together, so that no stale one stays among them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable
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

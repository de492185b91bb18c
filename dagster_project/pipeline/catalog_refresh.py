"""``nightshift catalog refresh``: a new catalog out of what AWS says now, unless so much is lost that it may be a mistake."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from threading import Lock

import polars as pl

from dagster_project.catalog.diff import diff
from dagster_project.catalog.merged import merged
from dagster_project.catalog.shapes import Catalog
from dagster_project.catalog.store import DIFF, ROOT, next_folder
from dagster_project.domain.catalog_changes import Diff
from dagster_project.domain.sold import Sold
from dagster_project.errors import AccessDenied, InputError, NightshiftError
from dagster_project.lake.partitions import Lake, flush
from dagster_project.lake.tables import RESOURCE_INVENTORY
from dagster_project.pipeline.aws_scopes import live_scopes
from dagster_project.pipeline.catalog_sources import PARTS, Asked, asked_of, read_region
from dagster_project.pipeline.demo_world import is_demo
from dagster_project.pipeline.runtime import Runtime

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_READING = "Reading what AWS sells"


@dataclass(frozen=True)
class Refreshed:
    """What became of a refresh. ``folder`` is the new catalog's; None: there is none. ``failed`` says by region why it was not
    read; ``diff`` is None where none was."""

    day: date
    diff: Diff | None
    folder: Path | None
    failed: dict[str, str]

    @property
    def is_refused(self) -> bool:
        """Whether regions were read and not taken over."""
        return self.diff is not None and self.folder is None


def refresh(runtime: Runtime, regions: Sequence[str] = (), *, accept: bool = False) -> Refreshed:
    """Makes the catalog of today (UTC) of some regions, those in use unless told otherwise; all others stay as they are.

    A region that fails stays, too. What loses or moves too much is not made, unless it is accepted. Raises ``InputError`` for
    regions that cannot be, and where there are none.
    """
    if is_demo(runtime.settings):
        raise InputError("The demo has the shipped catalog, and no AWS to ask; refresh the catalog of a home of your own.")
    day = runtime.now.astimezone(UTC).date()
    with _alone(runtime.settings.home / ROOT):
        wanted, failed = _wanted(runtime, regions)
        asked, unasked = asked_of(runtime, wanted)
        failed |= unasked
        sold = _read(runtime, asked, failed)
        if not sold:
            return Refreshed(day, None, None, failed)
        return _made(runtime, sold, day, failed, accept=accept)


def regions_in_use(runtime: Runtime) -> list[str]:
    """The regions of the newest inventory, and those that are read from AWS."""
    found = {scope.region for scope in live_scopes(runtime).live}
    days = runtime.lake.days(RESOURCE_INVENTORY)
    for file in runtime.lake.files(RESOURCE_INVENTORY, days[-1:]):
        found |= set(pl.read_parquet(file, columns=["region"], hive_partitioning=False)["region"].drop_nulls())
    return sorted(each for each in found if _REGION.fullmatch(each))


def _wanted(runtime: Runtime, regions: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The regions to read, and why others that are in use cannot be, by region or account."""
    for each in regions:
        if not _REGION.fullmatch(each):
            raise InputError(f"{each} is no region of AWS; write it as eu-west-1.")
    if regions:
        return sorted(set(regions)), {}
    wanted = regions_in_use(runtime)
    # What another account tells of a region is enough.
    unread = {
        each.region or f"account {each.account_id}": each.reason
        for each in live_scopes(runtime).unread
        if each.region not in wanted
    }
    if not wanted and not unread:
        raise InputError(
            "No region is in use: no account of aws.accounts has regions, and there is no inventory yet. Say which with --region."
        )
    return wanted, unread


def _read(runtime: Runtime, asked: Sequence[Asked], failed: dict[str, str]) -> list[Sold]:
    """What is sold in each region; why one was not read is put into ``failed``."""
    progress, guard, total = runtime.progress, Lock(), len(PARTS) * len(asked)
    done = 0

    def advance(parts: int = 1) -> None:
        nonlocal done
        with guard:
            done += parts
            if parts:
                progress.update(_READING, done, total)

    def one(each: Asked) -> Sold | None:
        read = 0

        def part() -> None:
            nonlocal read
            read += 1
            advance()

        try:
            found = read_region(each, part)
        except NightshiftError as error:
            failed[each.region] = str(error)
            return None
        finally:
            advance(len(PARTS) - read)
        progress.say(
            f"{each.region}: {len(found.offered):,} instance types, {len(found.instances):,} of them and "
            f"{len(found.databases):,} database classes and engines with a price."
        )
        return found

    progress.update(_READING, 0, total)
    try:
        with ThreadPoolExecutor(runtime.settings.aws.scopes_at_once, thread_name_prefix="catalog") as pool:
            return [found for found in pool.map(one, asked) if found is not None]
    finally:
        for each in asked:
            each.close()


def _made(runtime: Runtime, sold: Sequence[Sold], day: date, failed: dict[str, str], *, accept: bool) -> Refreshed:
    home = runtime.settings.home
    earlier = runtime.catalog(day)
    tables = merged(earlier, sold, day)
    with Lake(home / ROOT).scratch() as scratch:
        draft = scratch / "draft"
        draft.mkdir()
        tables.write(draft)
        found = diff(earlier, Catalog(draft, day), [each.region for each in sold], day, tables.notes)
        if found.objections and not accept:
            return Refreshed(day, found, None, failed)
        (draft / DIFF).write_text(found.to_json(failed=failed, accepted=bool(found.objections)) + "\n", encoding="utf-8")
        target = next_folder(home, day)
        _put(draft, target)
    return Refreshed(day, found, target, failed)


def _put(draft: Path, target: Path) -> None:
    """Gives a whole folder its name, when all of it is on the disk."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path in (*sorted(draft.iterdir()), draft):
            flush(path)
        draft.rename(target)
        flush(target.parent)
    except OSError as error:
        raise AccessDenied(f"Cannot write to {target.parent} ({error.strerror}); make it writable for this user.") from None


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One refresh of a home at a time: the second one would not know what the first one made."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise AccessDenied(f"Cannot write to {root} ({error.strerror}); make it writable for this user.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NightshiftError(f"Another refresh of {root} is under way; wait for its end.") from None
        yield
    finally:
        os.close(handle)

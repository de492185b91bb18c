"""The files of a repository at one commit, fetched as GitHub's tar archive into a folder that is kept for the next night."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from dagster_project.actions.github.repository import GithubRepository
from dagster_project.errors import AccessDenied, GithubError

MAX_ARCHIVE_BYTES = 2_000_000_000
"""Unpacked; more is no repository of infrastructure code."""
_KEPT = 2
_CHUNK = 1 << 20


def fetch(repository: GithubRepository, sha: str, folder: Path, *, timeout_seconds: float, allow_http: bool = False) -> Path:
    """The folder with the files of a commit; fetched once, and put in place only when it is whole.

    Links that lead out of it, devices and paths above it are refused. The bytes are those of ``git archive``, which attributes
    may have changed: what is to be edited is compared with its Git id before it is committed. Raises ``GithubError``.
    """
    home = folder / repository.name.replace("/", "__").lower()
    target = home / sha
    if target.is_dir():
        return target
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=home, prefix=".draft-"))
    except OSError as error:
        raise AccessDenied(f"Cannot write to {home} ({error.strerror}); make it writable, or set NIGHTSHIFT_HOME.") from None
    try:
        packed = draft / "archive.tar.gz"
        _download(repository, sha, packed, timeout_seconds, allow_http)
        files = draft / "files"
        _unpack(packed, files, repository.name)
        try:
            files.replace(target)
        except OSError:
            if not target.is_dir():  # another run may have put it there meanwhile
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _forget_older(home, target)
    return target


def _download(repository: GithubRepository, sha: str, packed: Path, timeout_seconds: float, allow_http: bool) -> None:
    address = repository.archive_address(sha)
    if not address.startswith("https://") and not (allow_http and address.startswith("http://")):
        raise GithubError(f"GitHub offers the files of {repository.name} without encryption; nothing was fetched.")
    try:
        # The address holds a token of its own: ours is not sent along, and no error repeats the address.
        with urllib.request.urlopen(address, timeout=timeout_seconds) as answer, packed.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file, _CHUNK)
            return
    except HTTPError as error:
        error.close()
    except (OSError, HTTPException, ValueError):
        pass
    # Not inside of the handlers: their errors hold the address.
    raise GithubError(f"The files of {repository.name} at {sha[:12]} could not be fetched; they are tried again.")


def _unpack(packed: Path, files: Path, name: str) -> None:
    """Unpacks what is below the archive's one top folder."""
    files.mkdir()
    unpacked = 0
    try:
        with tarfile.open(packed, "r:gz") as archive:
            for member in archive:
                inner = re.sub(r"^[^/]+/?", "", member.name, count=1)
                unpacked += member.size
                if unpacked > MAX_ARCHIVE_BYTES:
                    raise GithubError(f"{name} has more than {MAX_ARCHIVE_BYTES // 10**9} GB of files; name a checkout of it.")
                if inner and (member.isfile() or member.isdir() or member.issym()):
                    archive.extract(member.replace(name=inner), files, filter="data")
    except tarfile.FilterError:
        raise GithubError(f"The archive of {name} has a link or path that leads out of it; name a checkout of it.") from None
    except (tarfile.TarError, OSError, EOFError):
        raise GithubError(f"The archive of {name} cannot be unpacked; the next night tries again.") from None


def _forget_older(home: Path, newest: Path) -> None:
    """Removes all but the last snapshots, and drafts that a run left a day ago."""
    os.utime(newest)
    now = newest.stat().st_mtime
    folders = sorted(home.iterdir(), key=lambda each: -each.stat().st_mtime)
    drafts = [each for each in folders if each.name.startswith(".") and each.stat().st_mtime < now - 86_400]
    snapshots = [each for each in folders if not each.name.startswith(".")]
    for folder in [*drafts, *snapshots[_KEPT:]]:
        shutil.rmtree(folder, ignore_errors=True)

"""Source archives: a tree as the tar.gz that GitHub makes of it."""

from __future__ import annotations

import gzip
import io
import tarfile

from tests.github.objects import EXECUTABLE, FILE, FOLDER, SYMLINK, Commit, ObjectStore


def tarball(store: ObjectStore, commit: Commit, owner: str, name: str) -> bytes:
    """The files of a commit below one folder, ``owner-name-<7 digits of the SHA>/``."""
    top = f"{owner}-{name}-{commit.sha[:7]}"
    at = int(commit.committer.at.timestamp())
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=at) as packed,
        # git archive notes the commit in a header of the whole archive.
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": commit.sha}) as tar,
    ):
        tar.addfile(_member(top, tarfile.DIRTYPE, 0o775, at))
        for path, entry in store.walk(commit.tree):
            data = store.blobs.get(entry.sha, b"")
            if entry.mode in (FILE, EXECUTABLE):
                member = _member(f"{top}/{path}", tarfile.REGTYPE, 0o775 if entry.mode == EXECUTABLE else 0o664, at)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            elif entry.mode == SYMLINK:
                member = _member(f"{top}/{path}", tarfile.SYMTYPE, 0o777, at)
                member.linkname = data.decode()
                tar.addfile(member)
            else:  # A submodule is an empty folder.
                assert entry.mode == FOLDER or entry.type == "commit"
                tar.addfile(_member(f"{top}/{path}", tarfile.DIRTYPE, 0o775, at))
    return buffer.getvalue()


def _member(name: str, kind: bytes, mode: int, at: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.mtime = kind, mode, at
    member.uname = member.gname = "root"
    return member

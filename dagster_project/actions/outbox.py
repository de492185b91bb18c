"""What would have been sent, as files: of a pull request its text, a patch that ``git apply`` takes, and its payload; of a Slack
message its payload."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.errors import AccessDenied

_PLAIN = frozenset(range(0x20, 0x7F)) - {ord('"'), ord("\\")}
_CONTEXT_LINES = 3
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One pull request or message: the name of its folder, and its files by name."""

    name: str
    files: Mapping[str, bytes]


def write_outbox(outbox: Path, day: date, parcels: Sequence[Parcel], kind: str = "pull_requests") -> Path:
    """Replaces the day's folder of a kind (pull_requests, slack) as a whole; returns it.

    Raises ``AccessDenied`` where it cannot be written.
    """
    target = outbox / day.isoformat() / kind
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
        try:
            for parcel in parcels:
                folder = draft / parcel.name
                folder.mkdir()
                for name, data in sorted(parcel.files.items()):
                    (folder / name).write_bytes(data)
            draft.chmod(0o755)
            if target.exists():
                shutil.rmtree(target)
            os.replace(draft, target)  # noqa: PTH105 - the one call that puts it in place
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise AccessDenied(f"Cannot write to {outbox} ({error.strerror}); make it writable, or set NIGHTSHIFT_HOME.") from None
    return target


def folder_of(name: str) -> str:
    """A name as a folder's, or a part of one: names of people and teams may hold anything, and must not meet."""
    return name if _PLAIN_NAME.fullmatch(name) else f"_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def message_parcel(folder: str, channel: str | None, text: str, blocks: Sequence[Mapping[str, Any]]) -> Parcel:
    """A Slack message as what ``chat.postMessage`` takes."""
    payload = {"channel": channel, "text": text, "blocks": blocks}
    return Parcel(folder, {"message.json": (json.dumps(payload, indent=2, ensure_ascii=False) + "\n").encode()})


def patch_of(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """The difference of files as Git writes it, byte by byte: line ends, missing last newlines and odd names are kept."""
    return b"".join(_file_patch(path, before[path], data) for path, data in sorted(after.items()) if data != before[path])


def _file_patch(path: str, before: bytes, after: bytes) -> bytes:
    # One character for each byte: difflib takes texts, and only line feeds end lines in Git.
    was, will = (data.decode("latin-1").split("\n") for data in (before, after))
    lines = difflib.unified_diff(_ended(was), _ended(will), _quoted("a/" + path), _quoted("b/" + path), n=_CONTEXT_LINES)
    body = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return f"diff --git {_quoted('a/' + path)} {_quoted('b/' + path)}\n{body}".encode("latin-1")


def _ended(lines: list[str]) -> list[str]:
    """Lines with their ends; what follows the last line feed is a line without one."""
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _quoted(path: str) -> str:
    """A path as Git writes it in a patch: quoted, with octal escapes, where it has other than plain characters."""
    data = path.encode("utf-8", "surrogateescape")
    if all(byte in _PLAIN for byte in data):
        return path
    return '"' + "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in data) + '"'

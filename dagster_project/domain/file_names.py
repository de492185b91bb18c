"""What files are called that are named after something: documents of incidents, pages of resources, teams, proposals."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)\d")


def file_name(incident_id: str) -> str:
    """An incident's id as the name of a file, without its suffix. What could lead elsewhere becomes dashes and a digest, so that
    no two meet."""
    if _PLAIN.fullmatch(incident_id):
        return incident_id
    return _with_digest(incident_id)


def page_name(name: str) -> str:
    """A name that anybody may choose (a tag, a group) as that of a page, without its suffix: ``file_name``, but no two meet where
    a file system takes ``A`` and ``a`` for the same either, and none is a device of Windows."""
    if name == name.lower() and not _DEVICE.fullmatch(name):
        return file_name(name)
    return _with_digest(name).lower()


def _with_digest(name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_UNSAFE.sub('-', name).strip('-')[:60]}-{digest}"

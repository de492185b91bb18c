"""What the file of an incident's document is called."""

from __future__ import annotations

import hashlib
import re

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def file_name(incident_id: str) -> str:
    """An incident's id as the name of a file, without its suffix. What could lead elsewhere becomes dashes and a digest, so that
    no two meet."""
    if _PLAIN.fullmatch(incident_id):
        return incident_id
    digest = hashlib.sha256(incident_id.encode()).hexdigest()[:8]
    return f"{_UNSAFE.sub('-', incident_id).strip('-')[:60]}-{digest}"

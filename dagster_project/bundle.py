"""Where the data files that belong to the package are: ``sql/`` and ``templates/``.

In a checkout they are folders beside the package, where people edit them; in an installed wheel they are inside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled(name: str) -> Path:
    """The folder ``name`` (``sql`` or ``templates``) that ships with this package."""
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name

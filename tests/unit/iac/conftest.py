"""What the tests of infrastructure code share: a repository in a folder of its own, and rights that root does not step over."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.iac.builders import Checkout

_CAPABILITY_VERSION = 0x20080522
_OVERRIDES = ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Checkout]:
    """Makes a repository of the test's own from texts with markers."""
    return lambda files, live=None, **kwargs: Checkout(tmp_path / "checkout", files, live or {}, **kwargs)


@pytest.fixture
def rights_hold() -> Iterator[None]:
    """File modes bind root too, as they bind everybody else: the capabilities to step over them are laid down meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    before = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    lowered = (ctypes.c_uint32 * 6)(*before)
    lowered[0] &= _OVERRIDES & 0xFFFFFFFF
    assert libc.capset(header, lowered) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0

"""One measurement = one fresh Python process: its wall time, its peak memory, and what the measured function returned.

The clock runs from the call to its return: imports and the interpreter's start are outside of it. Linux hands the peak
of the starting process on to its children, so this module and the subjects that use it import nothing large.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
_MARK = "measurement: "
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


@dataclass(frozen=True)
class Measurement:
    """``seconds`` of wall time, ``peak_mb`` of resident memory (10^6 bytes) and the function's own ``result``."""

    seconds: float
    peak_mb: float
    result: Any


@dataclass(frozen=True)
class Contender:
    """A function of ``benchmarks.measured``, as "module:function", with its arguments (JSON values)."""

    function: str
    arguments: Mapping[str, Any]


def measure(function: str, **arguments: Any) -> Measurement:
    """Calls ``benchmarks.measured.<module>:<function>`` in a process of its own.

    Raises ``RuntimeError`` with what the process wrote to stderr where it fails.
    """
    command = [sys.executable, "-m", "benchmarks.measure", function, json.dumps(arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    lines = [line.removeprefix(_MARK) for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not lines:
        raise RuntimeError(f"{function} failed:\n{done.stderr}")
    return Measurement(**json.loads(lines[-1]))


def alternate(contenders: Mapping[str, Contender], repeat: int) -> dict[str, list[Measurement]]:
    """Measures all contenders in turn, ``repeat`` times: A, B, A, B. A disturbance then falls on all of them."""
    found: dict[str, list[Measurement]] = {name: [] for name in contenders}
    for number in range(1, repeat + 1):
        for name, contender in contenders.items():
            one = measure(contender.function, **contender.arguments)
            found[name].append(one)
            print(f"  {number}/{repeat} {name}: {one.seconds:.2f} s, {one.peak_mb:.0f} MB", file=sys.stderr, flush=True)
    return found


def _main(function: str, arguments: str) -> None:
    module, _, name = function.partition(":")
    call = getattr(import_module(f"benchmarks.measured.{module}"), name)
    values = json.loads(arguments)
    started = time.perf_counter()
    result = call(**values)
    seconds = time.perf_counter() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES / 1e6
    print(_MARK + json.dumps({"seconds": seconds, "peak_mb": peak_mb, "result": result}))


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""Dagster's webserver and its daemon over a home of a test, as ``make ui`` starts them, and gone after it whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from urllib3 import PoolManager
from urllib3.util import Retry

from dagster_project.defs.instance import open_instance
from dagster_project.settings import load_settings

REPOSITORY = Path(__file__).parents[2]
_STARTED = "Serving dagster-webserver on"
_SECONDS = 60
# The daemon looks for back-fills every half a minute; nothing but the waiting is different when it looks more often.
_DAEMON = """
import sys
import dagster._daemon.controller as controller
controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
from dagster._daemon.cli import main
sys.argv = ["dagster-daemon", "run", "-w", "workspace.yaml"]
main()
"""


@contextmanager
def dagster_ui(environment: Mapping[str, str]) -> Iterator[str]:
    """The address of a UI over the home that ``environment`` names; its daemon runs beside it."""
    settings = load_settings(environment)
    with open_instance(settings):
        pass  # it is made here, because two processes that make it at once spoil it
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NIGHTSHIFT_", "DAGSTER_"))}
    given = {**clean, **environment, "DAGSTER_HOME": str(settings.dagster_home), "PYTHONPATH": str(REPOSITORY)}
    port = _free_port()
    with ExitStack() as stack:
        arguments = ["-m", "dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
        stack.enter_context(_running(arguments, given, until=_STARTED))
        stack.enter_context(_running(["-c", _DAEMON], given))
        address = f"http://127.0.0.1:{port}"
        # It says that it serves before it listens.
        patient = Retry(connect=_SECONDS, backoff_factor=0.1, backoff_max=1)
        with PoolManager(retries=patient, timeout=_SECONDS) as client:
            assert client.request("GET", f"{address}/server_info").status == 200
        yield address


@contextmanager
def _running(arguments: Sequence[str], environment: Mapping[str, str], until: str | None = None) -> Iterator[None]:
    """A process with all that it starts, in a group of its own; entered once it has printed ``until``."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed: list[str] = []
    started = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            printed.append(line)
            if until is not None and until in line:
                started.set()
        started.set()  # it ended, and whoever waits is told below

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        if until is not None:
            assert started.wait(_SECONDS) and process.poll() is None, f"It did not start:\n{''.join(printed[-30:])}"
        yield
    finally:
        _end(process)
        reader.join(_SECONDS)
        if process.stdout:
            process.stdout.close()


def _end(process: subprocess.Popen) -> None:
    """Asks the group to end, and makes what is left of it."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
            process.wait(10)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

"""The system's Chromium, on a thread of its own.

Playwright's synchronous interface keeps an event loop running on the thread that it was started on, and ``asyncio.run``, which
this project calls everywhere, refuses to run there. So Chromium has a thread, and a test that asks for it runs on that thread.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "No browser: tests of pages are skipped. Install Chromium (.ci/run does so on Debian), "
    "or name its program in NIGHTSHIFT_CHROMIUM."
)
P = ParamSpec("P")
T = TypeVar("T")


def executable() -> str | None:
    """Path of the program, or None where there is none; what NIGHTSHIFT_CHROMIUM names comes first, and alone."""
    named = os.environ.get("NIGHTSHIFT_CHROMIUM")
    names = [named] if named else NAMES
    return next(filter(None, map(shutil.which, names)), None)


class Chromium:
    """A running browser; ``run`` calls a function on its thread, where alone it may be used."""

    def __init__(self, thread: ThreadPoolExecutor, browser: Browser) -> None:
        self._thread = thread
        self.browser = browser

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._thread.submit(call, *args, **kwargs).result()


@contextmanager
def running(program: str) -> Iterator[Chromium]:
    """Starts the browser, and ends it with all of its processes."""
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox does not work for root, as which containers run.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with ThreadPoolExecutor(1, thread_name_prefix="chromium") as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result()
        try:
            browser = thread.submit(lambda: playwright.chromium.launch(executable_path=program, args=flags)).result()
            try:
                yield Chromium(thread, browser)
            finally:
                thread.submit(browser.close).result()
        finally:
            thread.submit(playwright.stop).result()

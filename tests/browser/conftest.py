"""One Chromium for each process that runs tests of pages, and pages that are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser.chromium import MISSING, Chromium, executable, running
from tests.browser.watched import Watch

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

DESKTOP, PHONE = 1280, 390
HEIGHTS = {DESKTOP: 900, PHONE: 844}
OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser; skips where there is none."""
    program = executable()
    if program is None:
        pytest.skip(MISSING)
    with running(program) as started:
        yield started


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that asks for Chromium, through whichever fixture, on Chromium's thread."""
    chromium = pyfuncitem.funcargs.get("chromium")
    if chromium is None:
        return None
    chromium.run(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames})
    return True


@pytest.fixture
def open_page(chromium: Chromium) -> Iterator[OpenPage]:
    """Opens a file or an address, as in ``open_page(path, scheme="dark", width=PHONE, media="print")``.

    Each page has a context of its own. At the end of the test all must have been quiet: no error on the console, nothing raised,
    no request that failed, and none to anybody but ``origins``, such as ("http://127.0.0.1:3000",).
    """
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def open_page(
        place: Path | str,
        *,
        scheme: Literal["light", "dark"] = "light",
        width: int = DESKTOP,
        media: Literal["screen", "print"] = "screen",
        origins: tuple[str, ...] = (),
    ) -> Page:
        context = chromium.browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            is_mobile=width == PHONE,
            reduced_motion="reduce",
            service_workers="block",
            locale="en-GB",
            timezone_id="UTC",
        )
        contexts.append(context)
        watches.append(Watch(origins))
        watches[-1].follow(context)
        page = context.new_page()
        page.emulate_media(media=media)
        page.goto(place.resolve().as_uri() if isinstance(place, Path) else place)
        return page

    yield open_page
    for context in contexts:
        chromium.run(context.close)
    for watch in watches:
        watch.assert_quiet()

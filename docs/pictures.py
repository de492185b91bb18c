"""Takes the pictures of the README from what the demo really wrote: ``python -m docs.pictures`` (some five minutes).

A home of its own runs the demo, the five nights before it, an approval, and the night after it; Chromium photographs its pages.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import MISSING, executable

FOLDER = Path(__file__).with_name("images")
NIGHTS = ("2025-03-04", "2025-03-05", "2025-03-06", "2025-03-07", "2025-03-08", "2025-03-09")
PICTURES = {
    "report.png": ("2025-03-10/index.html", 1280, 1330),
    "nights.png": ("index.html", 1280, 1000),
    "resource.png": ("2025-03-10/resources/i-00ed111455b57f82d.html", 1280, 1180),
}
COLOURS = 200


def main() -> None:
    """Writes the pictures beside the docs."""
    program = executable()
    if program is None:
        raise SystemExit(MISSING)
    with tempfile.TemporaryDirectory(prefix="pictures-") as root, sync_playwright() as playwright:
        reports = _nights(Path(root))
        with playwright.chromium.launch(executable_path=program, args=["--no-sandbox"] if os.getuid() == 0 else []) as browser:
            for name, (page, width, height) in PICTURES.items():
                (FOLDER / name).write_bytes(_photograph(browser, reports / page, width, height))
                sys.stdout.write(f"docs/images/{name}\n")


def _nights(root: Path) -> Path:
    """A home with a week of nights, one of whose requests was approved and applied; returns its reports."""
    environment = {**os.environ, "NIGHTSHIFT_HOME": str(root / "home"), "NIGHTSHIFT_REPORTS": str(root / "reports")}

    def nightshift(*arguments: str) -> str:
        command = [sys.executable, "-m", "dagster_project", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own

    asked = nightshift("demo")
    for night in NIGHTS:
        nightshift("nightly", "--day", night)
    for request in re.findall(r"approve (apr-\w+)  \([^)]* (?:low|medium) risk", asked):
        nightshift("proposals", "approve", request)
    nightshift("demo")
    return root / "reports"


def _photograph(browser: Browser, page: Path, width: int, height: int) -> bytes:
    view = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light", locale="en-GB", timezone_id="UTC")
    view.goto(page.as_uri())
    picture = Image.open(io.BytesIO(view.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    view.close()
    small = io.BytesIO()
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main()

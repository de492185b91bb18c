"""What a page looks like, against a picture that was kept.

Pixels are never the same in two versions of Chromium, or with two versions of a font. So pictures are kept at a third of their
size and compared by the mean colour of tiles of 48 by 48 pixels of the page, two lines of text: where a letter stands does not
matter then, but that there is text does. Rows of tiles are aligned first, as a diff aligns lines, because a word that wraps
elsewhere moves all that follows. What is left is told apart by its shape: another font differs in tiles here and there, a broken
layout in a patch.

Measured on the postmortem and the report, at both widths. Letters a tenth of a pixel further apart, which wrap many a line
elsewhere: 2 % of all tiles and a quarter of any patch differ; another family of the same width: 3 % and half a patch. A chart
without its bars, a table that is gone, sections that overlap: 70 % of a patch and more. No style sheet: 19 % of all tiles.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from playwright.sync_api import Locator, Page

FOLDER = Path(__file__).with_name("snapshots")
HEIGHT = 6000
"""Pixels of a page that are looked at, from its top: a picture of more would not stay small."""
SHRINK, TILE = 3, 16
TOLERANCE = 16
"""Of 255: by how much a tile's colour may differ. A paragraph's tile is some 30 darker than an empty one."""
PATCH = 4
"""Tiles along one side of a patch: 192 pixels of the page."""
OF_PATCH, OF_ALL = 0.6, 0.08
"""Shares of tiles that may differ: of the patch that differs most, and of the picture."""
GAP = 0.5
"""What it costs to leave out a row of tiles when rows are aligned; a row costs the share of its tiles that differ."""
COLOURS = 32
BYTES = 100_000
FONTS = '"Liberation Sans", Arial, Arimo, Helvetica, sans-serif'
"""Letters of the same widths, one of which is on nearly every machine; what a system calls its own font is not on two."""


@dataclass(frozen=True)
class Difference:
    """Shares of tiles that differ, and where on the page (in pixels) the patch lies that differs most."""

    of_all: float
    of_patch: float
    x: int
    y: int

    @property
    def is_broken(self) -> bool:
        return self.of_all > OF_ALL or self.of_patch > OF_PATCH

    def __str__(self) -> str:
        return (
            f"{self.of_all:.1%} of the picture differs (at most {OF_ALL:.0%} may), and {self.of_patch:.0%} of the patch "
            f"at {self.x}, {self.y} (at most {OF_PATCH:.0%} may)"
        )


def assert_looks_like(view: Page | Locator, name: str, *, height: int = HEIGHT) -> None:
    """The page, or the element, looks as in ``snapshots/<name>.png``, down to ``height`` pixels.

    NIGHTSHIFT_UPDATE_GOLDEN=1 rewrites the picture; the difference is for the reviewer. What differs lies beside it, as
    ``<name>.actual.png``.
    """
    actual = _shrunk(_photograph(view, height))
    path, seen = FOLDER / f"{name}.png", FOLDER / f"{name}.actual.png"
    if os.environ.get("NIGHTSHIFT_UPDATE_GOLDEN"):
        path.write_bytes(small_png(actual))
    seen.unlink(missing_ok=True)
    if not path.exists():
        seen.write_bytes(small_png(actual))
        raise AssertionError(f"There is no picture {path.name}; look at {seen}, then rewrite with NIGHTSHIFT_UPDATE_GOLDEN=1.")
    assert path.stat().st_size <= BYTES, f"{path.name} has more than {BYTES} bytes; give a smaller height, or a part of the page."
    difference = difference_of(_opened(path), actual)
    if difference.is_broken:
        seen.write_bytes(small_png(actual))
        raise AssertionError(f"It does not look like {path.name}: {difference}. See {seen}.")


def difference_of(expected: Image, actual: Image) -> Difference:
    """How two pictures differ that were shrunk already."""
    differs = _aligned(_tiles(expected), _tiles(actual))
    high, wide = (min(PATCH, size) for size in differs.shape)
    sums = np.pad(differs.astype(float).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    patches = (sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]) / (high * wide)
    row, column = np.unravel_index(patches.argmax(), patches.shape)
    side = SHRINK * TILE
    return Difference(float(differs.mean()), float(patches.max()), int(column) * side, int(row) * side)


def small_png(picture: Image) -> bytes:
    """A picture in few colours."""
    from PIL.Image import Dither

    kept = io.BytesIO()
    picture.quantize(COLOURS, dither=Dither.NONE).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _photograph(view: Page | Locator, height: int) -> Image:
    page = getattr(view, "page", view)
    # By the object model: a policy of the page's own may forbid it further style sheets.
    page.evaluate("fonts => document.body.style.setProperty('font-family', fonts, 'important')", FONTS)
    if view is not page:
        return _opened(io.BytesIO(view.screenshot(animations="disabled")), height)
    width, whole = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": width, "height": min(whole, height)}
    return _opened(io.BytesIO(page.screenshot(full_page=True, clip=clip, animations="disabled")))


def _opened(file: Path | io.BytesIO, height: int | None = None) -> Image:
    from PIL.Image import open as open_picture

    with open_picture(file) as picture:
        whole = picture.convert("RGB")
    return whole.crop((0, 0, whole.width, min(whole.height, height or whole.height)))


def _shrunk(picture: Image) -> Image:
    return picture.reduce(SHRINK)


def _tiles(picture: Image) -> np.ndarray:
    """Mean colours: rows, columns, three."""
    pixels = np.asarray(picture, dtype=np.float32)
    height, width = pixels.shape[:2]
    pixels = np.pad(pixels, ((0, -height % TILE), (0, -width % TILE), (0, 0)), mode="edge")
    return pixels.reshape(pixels.shape[0] // TILE, TILE, pixels.shape[1] // TILE, TILE, 3).mean((1, 3))


def _aligned(expected: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Which tiles differ, row by row of the cheapest alignment; all of a row that only one of the pictures has."""
    columns = max(expected.shape[1], actual.shape[1])
    if expected.shape[1] != actual.shape[1]:
        return np.ones((max(len(expected), len(actual)), columns), bool)
    differs = np.abs(expected[:, None] - actual[None]).max(-1) > TOLERANCE
    costs = differs.mean(-1)
    rows, others = costs.shape
    best = np.zeros((rows + 1, others + 1))
    best[:, 0], best[0] = np.arange(rows + 1) * GAP, np.arange(others + 1) * GAP
    for i in range(1, rows + 1):
        for j in range(1, others + 1):
            best[i, j] = min(best[i - 1, j - 1] + costs[i - 1, j - 1], best[i - 1, j] + GAP, best[i, j - 1] + GAP)
    i, j, found = rows, others, []
    while i or j:
        if i and j and best[i, j] == best[i - 1, j - 1] + costs[i - 1, j - 1]:
            i, j = i - 1, j - 1
            found.append(differs[i, j])
            continue
        i, j = (i - 1, j) if i and best[i, j] == best[i - 1, j] + GAP else (i, j - 1)
        found.append(np.ones(columns, bool))
    return np.array(found[::-1])

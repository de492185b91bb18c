"""What axe-core has to say of a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""WCAG 2.0 to 2.2, levels A and AA, and axe's own advice, such as one main landmark and headings in order."""


def violations(page: Page, *, within: str | None = None) -> list[dict[str, Any]]:
    """Violations of ``TAGS``, in the whole page or in the element that the CSS selector ``within`` finds."""
    page.evaluate(_axe())
    # Without preload axe asks for no style sheet of a page's, which a page's own policy would refuse; no rule here needs it.
    options = {"runOnly": {"type": "tag", "values": list(TAGS)}, "resultTypes": ["violations"], "preload": False}
    found = page.evaluate("([root, options]) => axe.run(root ?? document, options)", [within, options])
    return found["violations"]


def assert_accessible(page: Page, *, within: str | None = None) -> None:
    """No violation; a failure tells each rule with the elements that break it and what mends them."""
    lines = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n"
        + "\n".join(
            f"  {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}" for node in rule["nodes"][:5]
        )
        + (f"\n  and {len(rule['nodes']) - 5} more" if len(rule["nodes"]) > 5 else "")
        for rule in violations(page, within=within)
    ]
    assert not lines, f"{page.url} is not accessible\n" + "\n".join(lines)


@cache
def _axe() -> str:
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

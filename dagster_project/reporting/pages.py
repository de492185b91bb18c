"""Pages beside the report: resources, proposals, teams and services, and the addresses that never change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache

from jinja2 import Template

from dagster_project import __version__
from dagster_project.reporting.page_views import GroupPage, ProposalPage, ResourcePage
from dagster_project.reporting.templates import html_templates

STYLE = "report.css"
"""The style sheet that pages share; the report itself has it inside."""


def style_sheet() -> str:
    """The text of the style sheet."""
    return html_templates().get_template("report.css.j2").render()


def resource_pages(pages: Iterable[ResourcePage], day: date) -> Iterator[tuple[str, str]]:
    """File names and texts, one for each resource."""
    return ((f"{page.slug}.html", _render("page_resource.html.j2", page, day)) for page in pages)


def proposal_pages(pages: Iterable[ProposalPage], day: date) -> Iterator[tuple[str, str]]:
    """File names and texts, one for each pull request or approval request."""
    return ((f"{page.slug}.html", _render("page_proposal.html.j2", page, day)) for page in pages)


def group_pages(pages: Iterable[GroupPage], day: date) -> Iterator[tuple[str, str]]:
    """File names and texts, one for each team or service."""
    return ((f"{page.slug}.html", _render("page_group.html.j2", page, day)) for page in pages)


def moved_page(title: str, address: str) -> str:
    """A page that leads on to ``address``, relative to itself: what is linked from outside stays where it is."""
    return html_templates().get_template("page_moved.html.j2").render(title=title, address=address)


def _render(template: str, page: object, day: date) -> str:
    return _template(template).render(page=page, day=day, version=__version__)


@cache
def _template(name: str) -> Template:
    return html_templates().get_template(name)

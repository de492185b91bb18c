"""What the documentation shows is true: generated pages are fresh, commands exist, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from dagster_project.cli import COMMANDS, cli
from dagster_project.domain.incidents.anomalies import CODES
from dagster_project.domain.incidents.doubt import DOUBTFUL
from dagster_project.settings import load_settings
from docs.generate import PAGES

ROOT = Path(__file__).parents[2]
PROSE = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    """`make docs` writes them."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_is_documented() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"nightshift {name}" not in readme and f"make {name}" not in readme] == []


def shown_commands() -> list[str]:
    lines = []
    for page in PROSE:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
            lines += [line.removeprefix("$ ").split(" #")[0].strip() for line in block.splitlines() if line.startswith("$ ")]
    return lines


@pytest.mark.parametrize("line", [line for line in shown_commands() if line.startswith("nightshift ")])
def test_a_command_that_is_shown_parses(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    context = click.Context(cli, info_name="nightshift", **cli.context_settings)
    command = cli.get_command(context, name)
    assert command is not None, line
    if isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(name, arguments, parent=context)


def test_every_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    shown = {line.split()[1] for line in shown_commands() if line.startswith("make ")}
    assert shown and shown <= targets


def test_every_setting_has_a_description() -> None:
    from pydantic import BaseModel

    from dagster_project.settings import Settings

    def models(model: type[BaseModel]):
        yield model
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from models(field.annotation)

    assert [
        f"{model.__name__}.{name}"
        for model in models(Settings)
        for name, field in model.model_fields.items()
        if not field.description
    ] == []


def shown_settings() -> list[tuple[str, str]]:
    pages = ((page.name, page.read_text(encoding="utf-8")) for page in PROSE)
    return [(name, block) for name, text in pages for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)]


@pytest.mark.parametrize(("page", "block"), [each for each in shown_settings() if "# nightshift.toml" in each[1]])
def test_settings_that_are_shown_are_accepted(page: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "nightshift.toml").write_text(block, encoding="utf-8")
    load_settings({"NIGHTSHIFT_CONFIG": str(tmp_path / "nightshift.toml")})


def test_the_settings_of_proposals_are_shown() -> None:
    assert "proposals.md" in {page for page, block in shown_settings() if "# nightshift.toml" in block}


def test_every_way_in_which_a_time_can_look_wrong_is_documented() -> None:
    text = (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (yes|no) \|$", text, flags=re.MULTILINE)
    assert rows == [(code, words, "no" if code in DOUBTFUL else "yes") for code, words in CODES.items()]

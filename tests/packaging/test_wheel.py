"""The built wheel, installed somewhere else, has everything that it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked into an empty folder, away from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = folder.glob("nightshift-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_sql_templates_and_the_catalog_are_inside(installed: Path) -> None:
    package = installed / "dagster_project"
    for folder in ("sql", "templates"):
        shipped = {str(path.relative_to(package / "_bundled" / folder)) for path in (package / "_bundled" / folder).rglob("*.*")}
        assert shipped == {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*.*")}
    assert (package / "catalog" / "ec2_prices.parquet").stat().st_size > 10_000
    assert not list(installed.glob("tests*")), "tests do not ship"


def test_a_night_runs_from_the_wheel(installed: Path, fleet_dsn: str, tmp_path: Path) -> None:
    program = (
        "import sys, dagster_project; from dagster_project.cli import main;"
        f"assert dagster_project.__file__.startswith({str(installed)!r}), dagster_project.__file__;"
        "sys.argv = ['nightshift', 'nightly', '--day', '2025-03-09']; main()"
    )
    outcome = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")},
            "PYTHONPATH": str(installed),
            "NIGHTSHIFT_DSN": fleet_dsn,
            "NIGHTSHIFT_HOME": str(tmp_path / "home"),
            "NIGHTSHIFT_REPORTS": str(tmp_path / "reports"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "reports" / "2025-03-09" / "index.html").exists()


def test_the_locks_hold_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index" not in text and "--find-links" not in text


def test_every_dependency_is_locked() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(items: list[str]) -> set[str]:
        return {re.split(r"[<>=\[; ]", item)[0].lower() for item in items}

    def locked(lock: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9_.-]+)", (ROOT / lock).read_text(), flags=re.MULTILINE))

    extras = dict(project["optional-dependencies"])
    # The tests need it too, and nothing else that is installed for running does.
    assert names(extras.pop("aws-demo")) <= locked("requirements-dev.lock")
    assert names([*project["dependencies"], *(item for extra in extras.values() for item in extra)]) <= locked(
        "requirements.lock"
    )

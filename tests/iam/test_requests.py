"""No request is made past the declared operations, so that the policy has all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import dagster_project
from dagster_project.connections.aws.operations import Operation
from dagster_project.pipeline import iam_policy

PACKAGE = Path(dagster_project.__file__).parent
DECLARING = "dagster_project.connections.aws.operations"
SIGNING = {"connections/aws/sign_in.py", "sources/terraform_states.py"}
"""Where clients are made. States are read with the credentials of the run: ``iam-policy --own`` has their objects."""
ELSEWHERE = {"connections/aws/connection.py", "pipeline/demo_aws.py"}
"""Declares what is no request to an account that is read: signing in, and filling the demo's own server."""
SDKS = {"boto3", "botocore.session", "botocore.client", "create_client", "get_session"}
ASKING = {"ask", "pages", "find"}


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "_bundled" not in path.parts)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """Modules, and names in them."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def name_of(module: str) -> str:
    return "dagster_project." + module.removesuffix(".py").replace("/", ".")


def calls(module: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call))


def is_declaration(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("read", "write", "Operation")


USING = [
    module for module in modules() if DECLARING in imported(module) or "dagster_project.sources.aws_scopes" in imported(module)
]
DECLARES = [module for module in modules() if {f"{DECLARING}.read", f"{DECLARING}.write"} & imported(module)]


def test_there_are_modules_to_look_at() -> None:
    assert len(USING) > 10
    assert len(DECLARES) > 10


def test_nobody_else_makes_a_client() -> None:
    def used(module: str) -> set[str]:
        return imported(module) | {node.attr for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}

    assert {module for module in modules() if SDKS & used(module)} == SIGNING
    sign_in = "dagster_project.connections.aws.sign_in"
    assert [module for module in modules() if sign_in in imported(module)] == ["connections/aws/connection.py"]


@pytest.mark.parametrize("module", [module for module in DECLARES if module not in ELSEWHERE])
def test_operations_are_declared_where_the_policy_is_made_of_them(module: str) -> None:
    """By ``NAME = read(...)`` at the top of a module that is below those that are walked."""
    of = import_module(name_of(module))
    assigned = [node for node in tree(module).body if isinstance(node, ast.Assign) and is_declaration(node.value)]
    assert len(assigned) == sum(is_declaration(node) for node in ast.walk(tree(module)))
    declared = {getattr(of, target.id) for node in assigned for target in node.targets if isinstance(target, ast.Name)}
    assert declared and declared <= {*iam_policy.reading(), *iam_policy.changing()}


def test_operations_are_made_by_read_and_write_only() -> None:
    makers = {m for m in modules() for node in calls(m) if isinstance(node.func, ast.Name) and node.func.id == "Operation"}
    assert makers == {"connections/aws/operations.py"}


@pytest.mark.parametrize("module", [module for module in USING if not module.startswith("connections/")])
def test_every_request_names_a_declared_operation(module: str) -> None:
    of = vars(import_module(name_of(module)))
    parameters = {
        each.arg
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef)
        for each in (*node.args.args, *node.args.kwonlyargs)
        if each.annotation is not None and ast.unparse(each.annotation) == "Operation"
    }
    for node in calls(module):
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in ASKING:
            continue
        if not ast.unparse(node.func.value).endswith("connection"):
            continue
        asked = node.args[0]
        is_given = isinstance(asked, ast.Name) and asked.id in parameters
        value = None if is_given else eval(ast.unparse(asked), dict(of))  # noqa: S307 - our own source
        assert is_given or isinstance(value, Operation), f"{module}:{node.lineno}"

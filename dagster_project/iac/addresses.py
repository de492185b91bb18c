"""Addresses of resource instances as Terraform writes them: ``module.app["a.b"].aws_instance.web[0]``."""

from __future__ import annotations

from dagster_project.iac.values import CodeError

Key = str | int | None


def with_key(address: str, key: Key) -> str:
    """The address of the instance ``key`` of what ``address`` names."""
    if key is None:
        return address
    return f"{address}[{key}]" if isinstance(key, int) else f"{address}[{quoted(key)}]"


def quoted(key: str) -> str:
    """A string key as Terraform prints it."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def child(module: str, name: str) -> str:
    """The address of ``name`` inside the module instance ``module``; the root's is empty."""
    return f"{module}.{name}" if module else name


def split(address: str) -> list[tuple[str, Key]]:
    """The names between an address's dots, each with its key. Raises ``CodeError`` for what is no address."""
    found: list[tuple[str, Key]] = []
    at = 0
    while at < len(address):
        end = at
        while end < len(address) and address[end] not in ".[":
            end += 1
        name, key = address[at:end], None
        if not name:
            raise CodeError(f"{address} is no address")
        if end < len(address) and address[end] == "[":
            key, end = _key(address, end)
        if end < len(address) and address[end] != ".":
            raise CodeError(f"{address} is no address")
        found.append((name, key))
        at = end + 1
    return found


def _key(address: str, start: int) -> tuple[Key, int]:
    if address[start + 1 : start + 2] != '"':
        end = address.find("]", start)
        word = address[start + 1 : end]
        if end < 0 or not word.isdigit():
            raise CodeError(f"{address} is no address")
        return int(word), end + 1
    at, text = start + 2, ""
    while at < len(address) and address[at] != '"':
        if address[at] == "\\":
            text += {"n": "\n", "r": "\r", "t": "\t"}.get(address[at + 1 : at + 2], address[at + 1 : at + 2])
            at += 2
        elif address.startswith(("$${", "%%{"), at):
            text += address[at + 1 : at + 3]
            at += 3
        else:
            text += address[at]
            at += 1
    if address[at : at + 2] != '"]':
        raise CodeError(f"{address} is no address")
    return text, at + 2

"""Specifications of the editor as data: `cases/*.toml`, one file per feature, each holding several `[[case]]`.

    [[case]]
    name = "a variable's default"       # unique among all files
    root = "env/prod"                   # root module's folder; "." where it is left out
    workspace = "prod"                  # the editor knows the workspace only where it stands here
    var_files = ["../prod.tfvars"]      # relative to root, in the order of the command line
    crlf = true                         # every text file ends its lines with CRLF
    bom = true                          # every .tf and .tfvars begins with a byte order mark
    oracle = false                      # Terraform's twin cannot judge this one,
    oracle_why = "..."                  # because of this
    oracle_workspace = "prod"           # what Terraform is told although the editor does not know it
    oracle_variables = { env = "prod" }
    [case.files]                        # the repository; `«a:m5.large»` is the marker "a": the bytes m5.large
    "main.tf" = '''...'''               # (a basic string "..." where a file needs control characters)
    [case.hex]                          # files that are no text
    [case.links]                        # symbolic links: path -> target, relative to the link's folder or absolute
    [case.state]                        # address -> attributes; `deposed = {...}` adds a deposed object at the address
    "aws_instance.web[\"a.b\"]" = { id = "i-1", instance_type = "m5.large" }
    [[case.ask]]
    resource = "i-1"                    # the id that the cloud knows
    attribute = "instance_type"
    to = "m5.medium"
    status = "editable"
    reason_code = "literal"
    at = "a"                            # editable and shared only
    affects = ["aws_instance.web"]      # addresses of the root's configuration of which Terraform's plan changes
    uses = ["aws_autoscaling_group.w"]  # addresses that change without Terraform's plan telling: users of a launch template
    decides = "aws_launch_template.w"   # where the asked value stands for Terraform: the resource's address if left out
    path = "a[0].b"                     # and in which argument: the attribute if left out
    live = "m5.large"                   # the live value where the state has none at `decides` and `path`
    proof = "a"                         # changes_addresses only: editing this marker changes the set of addresses

A literal is marked without its quotes. Files are UTF-8 without further changes: what stands between the triple quotes is the
file, so a missing final newline is written as one.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

CASES: Final = Path(__file__).parent / "cases"
CASE_KEYS: Final = {
    *("name", "root", "workspace", "var_files", "crlf", "bom", "files", "hex", "links", "state", "ask"),
    *("oracle", "oracle_why", "oracle_workspace", "oracle_variables"),
}
ASK_KEYS: Final = {
    *("resource", "attribute", "to", "status", "reason_code", "at", "affects", "uses"),
    *("decides", "path", "live", "proof"),
}
REASONS: Final[Mapping[str, frozenset[str]]] = {
    "editable": frozenset({"literal", "chosen_by_live_value"}),
    "shared": frozenset({"shared_literal", "shared_by_roots", "shared_launch_template"}),
    "ambiguous": frozenset(
        {"several_candidates", "unknown_alternative", "duplicate_id", "unlisted_var_file", "several_instance_types"}
    ),
    "not_found": frozenset({"not_in_state", "no_live_value", "address_not_in_code", "attribute_not_in_code", "drift"}),
    "refused": frozenset(
        {
            *("encrypted", "generated", "ignore_changes", "composite_string", "other_repository", "remote_module"),
            *("outside_repository", "changes_addresses", "spot_request", "unsupported_kind", "unknown_value", "unparseable"),
            *("missing_module", "cycle", "pinned_launch_template", "launch_template_elsewhere"),
            *("attribute_based_type", "unsupported_file"),
        }
    ),
}


class BadCase(Exception):
    """A case file contradicts itself."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the editor and the expected answer."""

    resource: str
    attribute: str
    to: str | int | float
    status: str
    reason_code: str
    at: Span | None
    affects: tuple[str, ...]
    uses: tuple[str, ...]
    decides: str | None
    path: str
    live: Any
    proof: Span | None


@dataclass(frozen=True, slots=True)
class Case:
    """A repository, its state and the questions about it."""

    feature: str
    name: str
    root: str
    workspace: str | None
    var_files: tuple[str, ...]
    oracle: bool
    oracle_why: str
    oracle_workspace: str | None
    oracle_variables: Mapping[str, Any]
    files: Mapping[str, bytes]
    links: Mapping[str, str]
    markers: Mapping[str, Span]
    live: Mapping[str, Mapping[str, Any]]
    state: bytes
    asks: tuple[Ask, ...]

    def __str__(self) -> str:
        return f"{self.feature}: {self.name}"

    def write(self, folder: Path) -> None:
        """The repository as a folder, links and all."""
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for path, target in self.links.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(target)

    def followed(self, files: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
        """The files with a copy at each link that leads to one of them, or to a folder of them."""
        result = dict(self.files if files is None else files)
        for link, target in self.links.items():
            real = _normal(PurePosixPath(link).parent / target)
            for path, content in list(result.items()):
                if path == real:
                    result[link] = content
                elif path.startswith(real + "/"):
                    result[link + path.removeprefix(real)] = content
        return result

    def edited(self, span: Span, to: str | float) -> dict[str, bytes]:
        """The files after an edit."""
        content = self.files[span.path]
        return {**self.files, span.path: content[: span.start] + str(to).encode() + content[span.end :]}


@cache
def cases() -> tuple[Case, ...]:
    """Every case of every file, in the files' order."""
    found = tuple(case for path in sorted(CASES.glob("*.toml")) for case in load(path))
    names = [str(case) for case in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise BadCase(f"cases of the same name: {sorted(doubled)}")
    return found


def load(path: Path) -> list[Case]:
    """The cases of one file."""
    return [_case(path.stem, table) for table in tomllib.loads(path.read_text(encoding="utf-8"))["case"]]


def _case(feature: str, table: Mapping[str, Any]) -> Case:
    where = f"{feature}: {table['name']}"
    if surplus := table.keys() - CASE_KEYS:
        raise BadCase(f"{where}: {sorted(surplus)}")
    files: dict[str, bytes] = {path: bytes.fromhex(text) for path, text in table.get("hex", {}).items()}
    markers: dict[str, Span] = {}
    for path, text in table.get("files", {}).items():
        if table.get("crlf"):
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        if table.get("bom") and path.endswith((".tf", ".tfvars")):
            text = "\ufeff" + text
        files[path], spans = strip_markers(path, text)
        if doubled := markers.keys() & spans.keys():
            raise BadCase(f"{where}: markers of the same name: {sorted(doubled)}")
        markers |= spans
    live = table.get("state", {})
    asks = tuple(_ask(f"{where}, ask {number}", ask, markers, live) for number, ask in enumerate(table["ask"], start=1))
    if unused := markers.keys() - {name for ask in table["ask"] for name in (ask.get("at"), ask.get("proof")) if name}:
        raise BadCase(f"{where}: nobody asks for markers {sorted(unused)}")
    oracle = table.get("oracle", True)
    if not oracle and not table.get("oracle_why"):
        raise BadCase(f"{where}: oracle_why is missing")
    return Case(
        feature=feature,
        name=table["name"],
        root=table.get("root", "."),
        workspace=table.get("workspace"),
        var_files=tuple(table.get("var_files", ())),
        oracle=oracle,
        oracle_why=table.get("oracle_why", ""),
        oracle_workspace=table.get("oracle_workspace", table.get("workspace")),
        oracle_variables=table.get("oracle_variables", {}),
        files=files,
        links=table.get("links", {}),
        markers=markers,
        live=live,
        state=state(live),
        asks=asks,
    )


def _ask(where: str, table: Mapping[str, Any], markers: Mapping[str, Span], live: Mapping[str, Mapping[str, Any]]) -> Ask:
    if surplus := table.keys() - ASK_KEYS:
        raise BadCase(f"{where}: {sorted(surplus)}")
    status, reason = table["status"], table["reason_code"]
    if reason not in REASONS.get(status, ()):
        raise BadCase(f"{where}: {status} {reason}")
    answered = status in {"editable", "shared"}
    if answered != ("at" in table) or answered != ("affects" in table):
        raise BadCase(f"{where}: at and affects belong to what is editable or shared")
    owners = [address for address, attributes in live.items() if table["resource"] in _ids(attributes) and not _is_data(address)]
    return Ask(
        resource=table["resource"],
        attribute=table["attribute"],
        to=table["to"],
        status=status,
        reason_code=reason,
        at=markers[table["at"]] if answered else None,
        affects=tuple(sorted(table.get("affects", ()))),
        uses=tuple(sorted(table.get("uses", ()))),
        decides=table.get("decides", owners[0] if owners else None),
        path=table.get("path", table["attribute"]),
        live=table.get("live", live.get(owners[0], {}).get(table["attribute"]) if owners else None),
        proof=markers[table["proof"]] if "proof" in table else None,
    )


def _ids(attributes: Mapping[str, Any]) -> set[Any]:
    return {attributes.get("id"), attributes.get("identifier"), attributes.get("spot_instance_id")} - {None}


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


# ---------------------------------------------------------------------------------------------------------------- markers

_MARKER: Final = re.compile("«(\\w+):([^»]*)»")


def strip_markers(path: str, text: str) -> tuple[bytes, dict[str, Span]]:
    """A file's bytes without markers, and the bytes that each marker stood around."""
    content = bytearray()
    spans: dict[str, Span] = {}
    position = 0
    for match in _MARKER.finditer(text):
        content += text[position : match.start()].encode()
        start = len(content)
        content += match[2].encode()
        if match[1] in spans:
            raise BadCase(f"{path}: marker {match[1]} stands twice")
        spans[match[1]] = Span(path, start, len(content))
        position = match.end()
    content += text[position:].encode()
    if "«".encode() in content or "»".encode() in content:
        raise BadCase(f"{path}: a marker without a name")
    return bytes(content), spans


# ---------------------------------------------------------------------------------------------------------------- state

_STEP: Final = re.compile(r'\.?(?P<name>[^.\[\]"]+)(?:\[(?:(?P<number>\d+)|(?P<key>"(?:[^"\\]|\\.)*"))\])?')
Step = tuple[str, int | str | None]


def steps(address: str) -> list[Step]:
    """An address's names with their instance keys: [("module", None), ("app", "a.b"), ("aws_instance", None), ("web", 0)]."""
    found: list[Step] = []
    position = 0
    while position < len(address):
        match = _STEP.match(address, position)
        if match is None:
            raise BadCase(f"no address: {address}")
        key: int | str | None = int(match["number"]) if match["number"] else None
        if match["key"]:
            key = json.loads(match["key"]).replace("$${", "${").replace("%%{", "%{")
        found.append((match["name"], key))
        position = match.end()
    return found


def _is_data(address: str) -> bool:
    return "data" in [name for name, _ in steps(address)][::2]


@dataclass(frozen=True, slots=True)
class Address:
    """A state's address in parts."""

    module: str | None
    mode: str
    kind: str
    name: str
    key: int | str | None


def address_parts(address: str) -> Address:
    """An address as a state file writes it: the module as a text, the key as it is."""
    found = steps(address)
    (kind, _), (name, key) = found[-2:]
    before = found[:-2]
    mode = "managed"
    if before and len(before) % 2 and before[-1] == ("data", None):
        mode, before = "data", before[:-1]
    text = address[: address.rindex(f"data.{kind}.{name}" if mode == "data" else f"{kind}.{name}")].rstrip(".")
    return Address(text or None if before else None, mode, kind, name, key)


def state(live: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Terraform's state file, version 4, with what a real one holds beside the sizes: secrets among them."""
    resources: dict[tuple[str | None, str, str, str], dict[str, Any]] = {}
    for address, attributes in live.items():
        parts = address_parts(address)
        resource = resources.setdefault(
            (parts.module, parts.mode, parts.kind, parts.name),
            {
                **({"module": parts.module} if parts.module else {}),
                "mode": parts.mode,
                "type": parts.kind,
                "name": parts.name,
                "provider": _provider(parts.kind),
                "instances": [],
            },
        )
        resource["instances"] += _instances(parts, dict(attributes))
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 17,
        "lineage": "3f0c1c1e-5a55-4f2a-9d3e-0d8c2f1b7a11",
        "outputs": {"admin_password": {"value": "hunter2", "type": "string", "sensitive": True}},
        "resources": list(resources.values()),
        "check_results": None,
    }
    return json.dumps(document, indent=2).encode()


def _provider(kind: str) -> str:
    name = kind.partition("_")[0]
    return f'provider["registry.terraform.io/hashicorp/{name}"]'


def _instances(parts: Address, attributes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    deposed = attributes.pop("deposed", None)
    yield _instance(parts, attributes)
    if deposed is not None:
        yield {**_instance(parts, deposed), "deposed": "00c0ffee"}


def _instance(parts: Address, attributes: Mapping[str, Any]) -> dict[str, Any]:
    junk = {
        "arn": f"arn:aws:{parts.kind}:eu-west-1:123456789012:x/{attributes.get('id', '')}",
        "password": "hunter2",
        "user_data": "c2VjcmV0IHRva2VuOiBodW50ZXIy",
        "tags": {"Name": parts.name, "Token": "hunter2"},
        "timeouts": None,
    }
    return {
        **({} if parts.key is None else {"index_key": parts.key}),
        "schema_version": 1,
        "attributes": {**junk, **attributes},
        "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]],
        "private": "bnVsbA==",
        "dependencies": [],
    }

"""Terraform's functions that read files, and those that decode what was read."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Functions
from dataclasses import dataclass, field, replace
from itertools import takewhile

from dagster_project.iac.csv_documents import decode_csv
from dagster_project.iac.files import Files, Forbidden, SourceFile, join, normal
from dagster_project.iac.json_documents import decode_json
from dagster_project.iac.types import to_string
from dagster_project.iac.values import (
    NOWHERE,
    CodeError,
    DocumentText,
    Mapping,
    Places,
    Scalar,
    Sequence,
    Span,
    TooLarge,
    Unknown,
    Value,
    computed,
    unknown,
)
from dagster_project.iac.yaml_documents import decode_yaml


@dataclass(slots=True)
class Budget:
    """Steps of an evaluation, and instances that it makes, until it is given up. Real roots take some hundred thousand steps."""

    steps: int = 2_000_000
    instances: int = 50_000

    def step(self) -> None:
        """Takes one step. Raises ``TooLarge``."""
        self.steps -= 1
        if self.steps < 0:
            raise TooLarge

    def instance(self) -> None:
        """Makes one instance. Raises ``TooLarge``."""
        self.instances -= 1
        if self.instances < 0:
            raise TooLarge


@dataclass(frozen=True, slots=True)
class FileContext:
    """What functions read: ``files`` of the repository, with relative paths as seen from ``folder``.

    ``read`` collects the paths that were asked for; ``further`` are functions that only stand in this place; ``budget`` is
    what an evaluation may still take.
    """

    files: Files
    folder: str
    read: set[str]
    further: Functions[str, Callable[..., Value]] = field(default_factory=dict)
    budget: Budget = field(default_factory=lambda: Budget())


_MAX_DEPTH = 40
_MAX_BRACES = 3
_PATH_DEPTH = 3


def open_file(context: FileContext, path: Value) -> SourceFile | Unknown:
    """The file that a path names, or why it is unknown. Raises ``CodeError`` where there is none."""
    text = to_string(path).value
    if text is None:
        raise CodeError("the path of a file is null")
    try:
        found = context.files.read(join(context.folder, text))
    except Forbidden as error:
        return unknown(f"the file {text}, which lies outside of the repository", path, reason=error.reason)
    if found is None:
        raise CodeError(f"there is no file {text}")
    context.read.add(found.path)
    if found.is_encrypted:
        return unknown(f"the encrypted file {found.path}", path, reason="encrypted")
    return found


def possible_files(context: FileContext, pieces: tuple[str | None, ...]) -> tuple[list[str], bool]:
    """Files that a path may name of which not every piece is known (None), as paths seen from the context's folder; and
    whether it can be no other: an unknown folder may be any."""
    known = "".join(takewhile(lambda piece: piece is not None, pieces))  # type: ignore[arg-type]
    base = known.rpartition("/")[0]
    folder = normal(join(context.folder, base or "."))
    if folder is None or pieces[0] is None:
        return [], False
    written = "".join("\0" if piece is None else piece for piece in pieces)
    pattern = re.compile("".join(".*" if piece is None else re.escape(piece) for piece in pieces), re.DOTALL)
    try:
        names = sorted(_below(context.files, folder, "", _PATH_DEPTH))
    except Forbidden:
        return [], False
    paths = [f"{base}/{name}" if base else name for name in names]
    return [path for path in paths if pattern.fullmatch(path)], "\0" not in written.rpartition("/")[0]


def _file(context: FileContext, path: Value) -> Value:
    found = open_file(context, path)
    if isinstance(found, Unknown):
        return found
    try:
        text = found.data.decode("utf-8")
    except UnicodeDecodeError:
        raise CodeError(f"the file {found.path} is not UTF-8") from None
    return DocumentText(flow=frozenset((_whole(found),)), control=computed(None, path).flow, value=text, file=found.path)


def _whole(file: SourceFile) -> Span:
    return Span(file.path, 0, len(file.data))


def _fileexists(context: FileContext, path: Value) -> Value:
    text = to_string(path).value
    try:
        return computed(context.files.read(join(context.folder, text or "")) is not None, path)
    except Forbidden as error:
        return unknown(f"the file {text}, which lies outside of the repository", path, reason=error.reason)


def _filehash(context: FileContext, path: Value, *others: Value) -> Value:
    found = open_file(context, path)
    if isinstance(found, Unknown):
        return found
    content = Scalar(flow=frozenset((_whole(found),)))
    return unknown(f"what is made from the file {found.path}", content, path, *others)


def _fileset(context: FileContext, folder: Value, pattern: Value) -> Value:
    base, glob = normal(join(context.folder, to_string(folder).value or ".")), to_string(pattern).value or ""
    if base is None:
        return unknown("files outside of the repository", folder, pattern, reason="other_repository")
    if glob.count("{") > _MAX_BRACES:
        return unknown("a pattern with many alternatives", folder, pattern)
    wanted = [re.compile(_glob(each)) for each in _braces(glob)]
    try:
        names = sorted(_below(context.files, base, "", 0 if "/" not in glob and "**" not in glob else _MAX_DEPTH))
    except Forbidden as error:
        return unknown("files outside of the repository", folder, pattern, reason=error.reason)
    found = [name for name in names if any(each.fullmatch(name) for each in wanted)]
    return Sequence(control=computed(None, folder, pattern).flow, items=tuple(Scalar(value=name) for name in found), is_set=True)


def _below(files: Files, base: str, prefix: str, depth: int) -> list[str]:
    folder = join(base, prefix.rstrip("/")) if prefix else base
    found = [prefix + name for name in files.names(folder)]
    if depth:
        for name in files.folders(folder):
            found += _below(files, base, f"{prefix}{name}/", depth - 1)
    return found


def _braces(glob: str) -> list[str]:
    found = re.search(r"\{([^{}]*)\}", glob)
    if not found:
        return [glob]
    return [each for part in found.group(1).split(",") for each in _braces(glob[: found.start()] + part + glob[found.end() :])]


def _glob(glob: str) -> str:
    pieces = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob):
        pieces.append({"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece) or re.escape(piece))
    return "".join(pieces)


def _decoder(decode: Callable[[str, bytes], Value]) -> Callable[..., Value]:
    def decoded(context: FileContext, text: Value) -> Value:
        content = to_string(text).value
        if content is None:
            raise CodeError("the text to decode is null")
        value = decode("", content.encode("utf-8"))
        if isinstance(text, DocumentText):
            return _placed(value, text.place, text.flow_of, text)
        made = computed(None, text)
        source = replace(made, control=made.control | made.flow)
        return _placed(value, lambda span: None, lambda span: source.flow, source)

    return decoded


def _placed(value: Value, place: Callable[[Span], Span | None], flow_of: Callable[[Span], Places], source: Scalar) -> Value:
    """What was decoded from a text, with the places that it has in a file, or what flows into it where it has none.
    What an alias repeats stays one object."""
    done: dict[int, Value] = {}

    def put(value: Value) -> Value:
        if isinstance(value, Scalar):
            if value.origin is None:
                return Scalar(flow=source.flow, control=source.control, value=value.value)
            origin = place(value.origin)
            flow = NOWHERE if origin else flow_of(value.origin)
            return Scalar(flow=flow, control=source.control, value=value.value, origin=origin)
        if id(value) not in done:
            if isinstance(value, Sequence):
                done[id(value)] = Sequence(control=source.control, items=tuple(put(item) for item in value.items))
            elif isinstance(value, Mapping):
                entries = {key: put(item) for key, item in value.entries.items()}
                keys = {key: put(item) for key, item in (value.keys or {}).items()}
                done[id(value)] = replace(value, control=source.control, entries=entries, keys=keys)
            else:
                done[id(value)] = replace(value, flow=source.flow, control=source.control)
        return done[id(value)]

    return put(value)


READERS = frozenset(("file", "filebase64", "filemd5", "filesha1", "filesha256", "filesha512", "templatefile"))
"""Functions whose first argument is the path of a file that they read."""

FILES: dict[str, Callable[..., Value]] = {
    "file": _file,
    "fileexists": _fileexists,
    "fileset": _fileset,
    "jsondecode": _decoder(decode_json),
    "yamldecode": _decoder(decode_yaml),
    "csvdecode": _decoder(decode_csv),
    **dict.fromkeys(
        ("filebase64", "filemd5", "filesha1", "filesha256", "filesha512", "filebase64sha256", "filebase64sha512"),
        _filehash,
    ),
}

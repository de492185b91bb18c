"""Git's object store: blobs, trees and commits under the SHA-1s that git itself would give them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

FILE, EXECUTABLE, SYMLINK, FOLDER, SUBMODULE = "100644", "100755", "120000", "040000", "160000"
TYPES = {FILE: "blob", EXECUTABLE: "blob", SYMLINK: "blob", FOLDER: "tree", SUBMODULE: "commit"}
ZERO = "0" * 40

_SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\nd2ViLWZsb3c=\n-----END PGP SIGNATURE-----"


class BadTree(ValueError):
    """Entries that do not make a tree."""


@dataclass(frozen=True)
class Entry:
    """What stands under a name in a tree."""

    mode: str
    sha: str

    @property
    def type(self) -> str:
        return TYPES[self.mode]


@dataclass(frozen=True)
class Signature:
    """Who wrote a commit, and when."""

    name: str
    email: str
    at: datetime

    def line(self) -> str:
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} {self.at.strftime('%z')[:5]}"


@dataclass(frozen=True)
class Commit:
    """A commit as it is stored."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: Signature
    committer: Signature
    is_signed: bool = False


def object_sha(kind: str, data: bytes) -> str:
    """The SHA-1 of an object, as ``git hash-object`` says it."""
    return hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(data), data), usedforsecurity=False).hexdigest()


class ObjectStore:
    """The objects of one repository; nothing is ever removed."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Entry]] = {}
        self.commits: dict[str, Commit] = {}

    def type_of(self, sha: str) -> str | None:
        """The type of an object, or None where there is no such object."""
        kinds = {"blob": self.blobs, "tree": self.trees, "commit": self.commits}
        return next((kind for kind, objects in kinds.items() if sha in objects), None)

    def put_blob(self, data: bytes) -> str:
        sha = object_sha("blob", data)
        self.blobs[sha] = data
        return sha

    def put_tree(self, entries: Mapping[str, Entry]) -> str:
        # Git sorts a folder as if its name ended in a slash.
        named = sorted(entries.items(), key=lambda item: (item[0] + "/" * (item[1].mode == FOLDER)).encode())
        data = b"".join(f"{entry.mode.lstrip('0')} {name}".encode() + b"\0" + bytes.fromhex(entry.sha) for name, entry in named)
        sha = object_sha("tree", data)
        self.trees[sha] = dict(named)
        return sha

    def put_commit(
        self,
        tree: str,
        parents: Iterable[str],
        message: str,
        author: Signature,
        committer: Signature | None = None,
        *,
        is_signed: bool = False,
    ) -> Commit:
        parents, committer = tuple(parents), committer or author
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author.line()}", f"committer {committer.line()}"]
        if is_signed:
            lines.append("gpgsig " + _SIGNATURE.replace("\n", "\n "))
        sha = object_sha("commit", ("\n".join(lines) + "\n\n" + message).encode())
        commit = Commit(sha, tree, parents, message, author, committer, is_signed)
        self.commits[sha] = commit
        return commit

    def put_files(self, files: Mapping[str, Entry]) -> str:
        """Stores the trees of files that are given by their whole paths, and says the root's SHA."""
        here: dict[str, Entry] = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        if clash := here.keys() & below.keys():
            raise BadTree(f"{sorted(clash)[0]} is a file and a folder")
        return self.put_tree(here | {name: Entry(FOLDER, self.put_files(inside)) for name, inside in below.items()})

    def walk(self, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Everything below a tree in git's order, folders before what is in them."""
        for name, entry in self.trees[tree].items():
            yield prefix + name, entry
            if entry.mode == FOLDER:
                yield from self.walk(entry.sha, f"{prefix}{name}/")

    def files(self, tree: str) -> dict[str, Entry]:
        """What is no folder, by its whole path."""
        return {path: entry for path, entry in self.walk(tree) if entry.mode != FOLDER}

    def find(self, tree: str, path: str) -> Entry | None:
        """What stands at a path; the root itself at the empty one."""
        entry: Entry | None = Entry(FOLDER, tree)
        for name in path.split("/") if path else ():
            if entry is None or entry.mode != FOLDER:
                return None
            entry = self.trees[entry.sha].get(name)
        return entry

    def change_tree(self, base: str | None, changes: Iterable[tuple[str, Entry | None]]) -> str:
        """A tree like ``base`` with other entries, and without those that are None."""
        files = self.files(base) if base else {}
        for path, entry in changes:
            gone = [each for each in files if each == path or each.startswith(f"{path}/")]
            if entry is None and not gone:
                raise BadTree(f"{path} is not in the base tree")
            for each in gone:
                del files[each]
            if entry is None:
                continue
            # A file where a folder is needed gives way to it.
            for parent in [each for each in files if path.startswith(f"{each}/")]:
                del files[parent]
            if entry.mode == FOLDER:
                files |= {f"{path}/{inner}": each for inner, each in self.files(entry.sha).items()}
            else:
                files[path] = entry
        return self.put_files(files)

    def ancestors(self, sha: str) -> list[str]:
        """A commit and all that it builds on: children before parents, the youngest first where both orders will do."""
        reachable: dict[str, int] = {sha: 0}
        found = [sha]
        for each in found:
            for parent in self.commits[each].parents:
                if parent not in reachable:
                    reachable[parent] = 0
                    found.append(parent)
                reachable[parent] += 1
        ready, ordered = [sha], []
        while ready:
            ready.sort(key=lambda each: self.commits[each].committer.at)
            ordered.append(ready.pop())
            for parent in self.commits[ordered[-1]].parents:
                reachable[parent] -= 1
                if not reachable[parent]:
                    ready.append(parent)
        return ordered

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether ``new`` builds on ``old``, or is it."""
        return old in self.ancestors(new)

    def merge_base(self, one: str, other: str) -> str | None:
        known = set(self.ancestors(other))
        return next((sha for sha in self.ancestors(one) if sha in known), None)

    def between(self, base: str, head: str) -> list[str]:
        """The commits of ``head`` that ``base`` lacks, the oldest first."""
        known = set(self.ancestors(base))
        return [sha for sha in reversed(self.ancestors(head)) if sha not in known]


def utc(at: datetime) -> datetime:
    """A moment to the second, as git keeps it."""
    return at.astimezone(UTC).replace(microsecond=0)

"""Patches that Git takes byte by byte, and a day's folder that is there as a whole or as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagster_project.actions.outbox import Parcel, patch_of, write_outbox
from dagster_project.errors import AccessDenied

DAY = date(2025, 3, 10)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="There is no git to apply patches with.")

LINES = st.sampled_from(
    [
        b"", b"a", b"b", b"  indented", b"\ttab\t", b"trailing  ", b"\r", b"crlf\r", b"\xff\xfe\x80", "größe 名".encode(),
        b"x" * 3000, b"--- a/main.tf", b"+++ b/main.tf", b"@@ -1,2 +1,2 @@", b"diff --git a/x b/x",
        b"\\ No newline at end of file", b"-minus", b"+plus",
        b"\x0b\x0c\x1c\x85", b"-- ", b"index 0000000..1111111 100644", b"rename from x",
        b"GIT binary patch",
        "\u2028\u2029".encode(),
    ]
)  # fmt: skip
TEXTS = st.builds(lambda lines, end: b"\n".join(lines) + end, st.lists(LINES, max_size=12), st.sampled_from([b"", b"\n"]))
BYTES = TEXTS | st.binary(max_size=60)
NAMES = st.sampled_from(
    [
        "main.tf", "a b.tf", " a", "a ", 'quo"te.tf', "back\\slash.tf", "tab\there", "größe.tf", "名前.tf", "new\nline", "-dash",
        "a.tf b/a.tf", "per%cent", "'single'", "$(id)", "~", "#hash", "\x7f\x01", "emoji 😀", "b/a b.tf", "\\303\\274",
    ]
)  # fmt: skip
PATHS = st.lists(NAMES, min_size=1, max_size=2).map("/".join)


class Git:
    """One repository, whose files are those of an example."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.folder.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        self._git("init", "--quiet")

    def _git(self, *arguments: str, data: bytes = b"") -> None:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=data, capture_output=True, env=self.environment, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace") + data.decode(errors="replace")

    def applied(self, before: Mapping[str, bytes], patch: bytes) -> dict[str, bytes]:
        """The files after a patch."""
        for each in self.folder.iterdir():
            if each.name != ".git":
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        for path, data in before.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        self._git("apply", "--whitespace=nowarn", "-", data=patch)
        there = [each for each in self.folder.rglob("*") if each.is_file() and ".git" not in each.relative_to(self.folder).parts]
        return {each.relative_to(self.folder).as_posix(): each.read_bytes() for each in there}


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path)


def has_no_conflict(paths: list[str]) -> bool:
    """Whether no file is another one's folder."""
    return not any(one != other and other.startswith(one + "/") for one in paths for other in paths)


@needs_git
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(PATHS, st.tuples(BYTES, BYTES), min_size=1, max_size=3))
@example(files={"a.tf": (b"", b"x")})
@example(files={"a.tf": (b"", b"x\n")})
@example(files={"a.tf": (b"x\n", b"x")})
@example(files={"a.tf": (b"x", b"x\n")})
@example(files={"a.tf": (b"\n", b"")})
@example(files={"a.tf": (b"a\r\nb\r\n", b"a\r\nc\r\n")})
@example(files={"a.tf": (b"a\rb\n", b"a\rc\n")})
@example(files={"a b.tf": (b"x\n", b"y\n"), "a\tb.tf": (b"x", b"y"), 'a"b\\c.tf': (b"x\n", b"y"), "ü/名.tf": (b"x\n", b"y\n")})
def test_git_apply_gives_the_new_bytes(git: Git, files: dict[str, tuple[bytes, bytes]]) -> None:
    """Emptied files are left out: an edit of a literal leaves its file."""
    if not has_no_conflict(list(files)):
        return
    changed = {path: pair for path, pair in files.items() if pair[0] != pair[1]}
    if not changed:
        return
    before = {path: pair[0] for path, pair in changed.items()}
    after = {path: pair[1] for path, pair in changed.items()}
    assert git.applied({**before, "other.tf": b"not touched\n"}, patch_of(before, after)) == {
        **after,
        "other.tf": b"not touched\n",
    }


@needs_git
def test_one_line_in_a_large_file_is_a_small_patch_that_fits_anywhere_near(git: Git) -> None:
    lines = [b"line %d\r\n" % number for number in range(2000)]
    after = [*lines[:1000], b"another\r\n", *lines[1001:]]
    patch = patch_of({"a.tf": b"".join(lines)}, {"a.tf": b"".join(after)})
    assert patch.count(b"\n") == 12
    # Somebody has added lines above meanwhile.
    found = git.applied({"a.tf": b"above\r\n" * 5 + b"".join(lines)}, patch)
    assert found == {"a.tf": b"above\r\n" * 5 + b"".join(after)}


def test_a_patch_is_written_as_git_writes_it() -> None:
    before = b'resource "aws_instance" "a" {\n  instance_type = "m5.2xlarge" # sized\n}\n'
    patch = patch_of({"envs/prod/a.tf": before}, {"envs/prod/a.tf": before.replace(b"2xlarge", b"xlarge")})
    assert patch.decode() == (
        "diff --git a/envs/prod/a.tf b/envs/prod/a.tf\n"
        "--- a/envs/prod/a.tf\n"
        "+++ b/envs/prod/a.tf\n"
        "@@ -1,3 +1,3 @@\n"
        ' resource "aws_instance" "a" {\n'
        '-  instance_type = "m5.2xlarge" # sized\n'
        '+  instance_type = "m5.xlarge" # sized\n'
        " }\n"
    )


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("a b.tf", "a/a b.tf"),
        ('a"b.tf', '"a/a\\042b.tf"'),
        ("a\\b.tf", '"a/a\\134b.tf"'),
        ("a\tb.tf", '"a/a\\011b.tf"'),
        ("ü.tf", '"a/\\303\\274.tf"'),
        ("a\nb.tf", '"a/a\\012b.tf"'),
    ],
)
def test_odd_paths_are_quoted(path: str, quoted: str) -> None:
    patch = patch_of({path: b"x\n"}, {path: b"y\n"})
    assert patch.startswith(f"diff --git {quoted} ".encode())
    assert patch.count(b"\n") == 6


def test_files_come_in_their_order_and_without_the_others() -> None:
    before = dict.fromkeys(("b.tf", "a.tf", "c.tf"), b"x\n")
    patch = patch_of(before, {"b.tf": b"y\n", "a.tf": b"y\n"})
    assert [line for line in patch.split(b"\n") if line.startswith(b"diff")] == [
        b"diff --git a/a.tf b/a.tf", b"diff --git a/b.tf b/b.tf",
    ]  # fmt: skip
    assert patch == patch_of(dict(reversed(before.items())), {"a.tf": b"y\n", "b.tf": b"y\n"})


def test_what_did_not_change_is_not_in_the_patch() -> None:
    """Git takes no patch in which a file has a head and no lines."""
    before = {"a.tf": b"x\n", "b.tf": b"x\n"}
    assert patch_of(before, {}) == b""
    assert patch_of(before, before) == b""
    assert patch_of(before, {"a.tf": b"x\n", "b.tf": b"y\n"}) == patch_of(before, {"b.tf": b"y\n"}) != b""


def tree(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


class TestOutbox:
    ONE = Parcel("one", {"body.md": b"text\n", "change.patch": b"\xff\n"})
    TWO = Parcel("two", {"body.md": b"other\r\n"})

    def test_each_parcel_is_a_folder_of_its_files(self, tmp_path: Path) -> None:
        target = write_outbox(tmp_path / "home" / "outbox", DAY, [self.ONE, self.TWO])
        assert target == tmp_path / "home" / "outbox" / "2025-03-10" / "pull_requests"
        assert tree(target) == {"one/body.md": b"text\n", "one/change.patch": b"\xff\n", "two/body.md": b"other\r\n"}
        assert target.stat().st_mode & 0o777 == 0o755

    def test_the_days_folder_is_replaced_as_a_whole_and_other_days_stay(self, tmp_path: Path) -> None:
        write_outbox(tmp_path, date(2025, 3, 9), [self.ONE])
        write_outbox(tmp_path, DAY, [self.ONE, self.TWO])
        (tmp_path / "2025-03-10" / "notes.txt").write_bytes(b"mine")
        write_outbox(tmp_path, DAY, [self.TWO])
        assert tree(tmp_path) == {
            "2025-03-09/pull_requests/one/body.md": b"text\n",
            "2025-03-09/pull_requests/one/change.patch": b"\xff\n",
            "2025-03-10/notes.txt": b"mine",
            "2025-03-10/pull_requests/two/body.md": b"other\r\n",
        }

    def test_a_day_without_parcels_has_an_empty_folder(self, tmp_path: Path) -> None:
        write_outbox(tmp_path, DAY, [self.ONE])
        target = write_outbox(tmp_path, DAY, [])
        assert target.is_dir() and tree(tmp_path) == {}

    def test_no_draft_is_left(self, tmp_path: Path) -> None:
        for parcels in ([self.ONE], [self.TWO], []):
            write_outbox(tmp_path, DAY, parcels)
            assert [each.name for each in (tmp_path / "2025-03-10").iterdir()] == ["pull_requests"]

    @pytest.mark.parametrize(
        "parcels",
        [[ONE, ONE], [ONE, Parcel("a/b", {})], [ONE, Parcel("x" * 300, {})], [Parcel("z", {"y" * 300: b""})]],
        ids=["twice", "a path", "a long name", "a long file"],
    )
    def test_what_cannot_be_written_leaves_what_was_there(self, tmp_path: Path, parcels: list[Parcel]) -> None:
        write_outbox(tmp_path, DAY, [self.TWO])
        with pytest.raises(AccessDenied, match=r"^Cannot write to .*; make it writable, or set NIGHTSHIFT_HOME\.$"):
            write_outbox(tmp_path, DAY, parcels)
        assert tree(tmp_path) == {"2025-03-10/pull_requests/two/body.md": b"other\r\n"}
        assert [each.name for each in (tmp_path / "2025-03-10").iterdir()] == ["pull_requests"]

    def test_a_file_in_the_way_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "outbox").write_bytes(b"a file")
        with pytest.raises(AccessDenied, match="Cannot write to") as caught:
            write_outbox(tmp_path / "outbox", DAY, [self.ONE])
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
        assert tree(tmp_path) == {"outbox": b"a file"}

    @pytest.mark.skipif(os.geteuid() == 0, reason="Every folder is writable for this user.")
    def test_a_folder_that_may_not_be_written_to_is_told(self, tmp_path: Path) -> None:
        outbox = tmp_path / "outbox"
        outbox.mkdir(mode=0o555)
        with pytest.raises(AccessDenied, match="Permission denied"):
            write_outbox(outbox, DAY, [self.ONE])
        assert tree(tmp_path) == {}

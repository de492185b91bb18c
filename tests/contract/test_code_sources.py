"""Where the code and its states come from: a checkout, Terraform's states in files and in S3, and GitHub's archives."""

from __future__ import annotations

import contextlib
import gc
import gzip
import io
import os
import random
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagster_project.actions.github import archive
from dagster_project.actions.github.archive import fetch
from dagster_project.actions.github.repository import GithubRepository
from dagster_project.connections.github import Connection
from dagster_project.errors import AccessDenied, GithubError, InputError, NightshiftError, SourceUnavailable
from dagster_project.settings import GithubSettings
from dagster_project.sources.checkout import head_of
from dagster_project.sources.terraform_states import read
from tests.github import Fault, GitHubServer, People
from tests.proposal_builders import BOT, REPOSITORY, TOKEN, Clock

SECRET = "hunter2-in-the-state"
STATE = ('{"version": 4, "resources": [{"password": "' + SECRET + '"}]}').encode()
MEGABYTE = 1_000_000


def told(error: BaseException) -> str:
    """All that a log could hold of an error: its words, and those of whatever led to it."""
    words = []
    each: BaseException | None = error
    while each is not None:
        words += [str(each), repr(each), repr(each.args), repr(vars(each))]
        each = each.__cause__ or each.__context__
    return "\n".join([*words, *traceback.format_exception(error)])


# A checkout.


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit of ``main.tf``."""
    if shutil.which("git") is None:
        pytest.skip("There is no git to make a checkout with.")
    for name, value in {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "main.tf").write_bytes(b"x = 1\n")
    (folder / ".gitignore").write_bytes(b".terraform/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=First")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


class TestCheckout:
    def test_it_is_at_a_commit_and_clean(self, checkout: Path) -> None:
        head = head_of(checkout)
        assert head is not None
        assert (head.sha, head.is_clean) == (git(checkout, "rev-parse", "HEAD"), True)

    @pytest.mark.parametrize(
        ("act", "is_clean"),
        [
            (lambda folder: (folder / "main.tf").write_bytes(b"x = 2\n"), False),
            (lambda folder: (folder / "main.tf").unlink(), False),
            (lambda folder: (folder / "new.tf").write_bytes(b""), False),
            (lambda folder: [(folder / "a" / "b").mkdir(parents=True), (folder / "a" / "b" / "new.tf").touch()], False),
            (lambda folder: [(folder / "new.tf").touch(), git(folder, "add", "new.tf")], False),
            (lambda folder: (folder / "main.tf").rename(folder / "other.tf"), False),
            (lambda folder: [(folder / ".terraform").mkdir(), (folder / ".terraform" / "x").touch()], True),
            (lambda folder: (folder / "empty").mkdir(), True),
            (lambda folder: os.utime(folder / "main.tf", (1, 1)), True),
        ],
        ids=["changed", "removed", "new", "new below", "added", "renamed", "ignored", "an empty folder", "touched"],
    )
    def test_whatever_differs_from_the_commit_is_seen(
        self, checkout: Path, act: Callable[[Path], object], is_clean: bool
    ) -> None:
        act(checkout)
        head = head_of(checkout)
        assert head is not None and head.is_clean is is_clean

    def test_a_folder_within_is_at_the_same_commit(self, checkout: Path) -> None:
        (checkout / "envs").mkdir()
        head = head_of(checkout / "envs")
        assert head is not None and head.sha == git(checkout, "rev-parse", "HEAD")

    def test_a_detached_commit_is_one_too(self, checkout: Path) -> None:
        git(checkout, "checkout", "--quiet", "--detach")
        head = head_of(checkout)
        assert head is not None and head.is_clean

    def test_nothing_is_written_into_it(self, checkout: Path) -> None:
        os.utime(checkout / "main.tf", (1, 1))
        before = (checkout / ".git" / "index").read_bytes()
        head_of(checkout)
        assert (checkout / ".git" / "index").read_bytes() == before

    def test_what_it_configures_is_not_run(self, checkout: Path) -> None:
        """A checkout may have been written by others."""
        mark = checkout.parent / "was-run"
        script = checkout.parent / "script"
        script.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
        script.chmod(0o755)
        git(checkout, "config", "core.fsmonitor", str(script))
        git(checkout, "config", "core.pager", str(script))
        assert head_of(checkout) is not None
        assert not mark.exists()

    def test_a_folder_without_git_or_without_a_commit_has_none(self, checkout: Path, tmp_path: Path) -> None:
        plain = tmp_path / "plain"
        plain.mkdir()
        assert head_of(plain) is None
        git(plain, "init", "--quiet")
        assert head_of(plain) is None

    def test_without_git_there_is_none(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(checkout))
        assert head_of(checkout) is None

    @pytest.mark.parametrize("name", ["nowhere", "a-file"])
    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "a-file").touch()
        with pytest.raises(InputError) as caught:
            head_of(tmp_path / name)
        assert str(caught.value) == (
            f"There is no checkout {tmp_path / name}; correct the setting, or leave it out to have it fetched."
        )


# States in files.


class TestStateFile:
    def test_its_bytes_are_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "prod.tfstate").write_bytes(STATE)
        assert read(str(tmp_path / "prod.tfstate"), MEGABYTE) == STATE
        monkeypatch.setenv("HOME", str(tmp_path))
        assert read("~/prod.tfstate", MEGABYTE) == STATE

    def test_one_of_just_the_size_is_read_and_one_byte_more_is_not(self, tmp_path: Path) -> None:
        path = tmp_path / "prod.tfstate"
        path.write_bytes(b"x" * MEGABYTE)
        assert len(read(str(path), MEGABYTE)) == MEGABYTE
        path.write_bytes(b"x" * (MEGABYTE + 1))
        with pytest.raises(InputError) as caught:
            read(str(path), MEGABYTE)
        assert str(caught.value) == f"The state {path} has more than 1 MB; split the root."

    def test_one_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            read(str(tmp_path / "prod.tfstate"), MEGABYTE)
        assert str(caught.value) == (
            f"There is no state {tmp_path / 'prod.tfstate'}; write it with 'terraform state pull', or correct the setting."
        )
        assert not isinstance(caught.value, AccessDenied)

    def test_a_folder_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(AccessDenied, match=r"cannot be read \(Is a directory\); let this user read it\."):
            read(str(tmp_path), MEGABYTE)

    @pytest.mark.skipif(os.geteuid() == 0, reason="Every file is readable for this user.")
    def test_one_that_may_not_be_read_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "prod.tfstate"
        path.write_bytes(STATE)
        path.chmod(0)
        with pytest.raises(AccessDenied, match="Permission denied") as caught:
            read(str(path), MEGABYTE)
        assert SECRET not in told(caught.value)

    @pytest.mark.parametrize("location", ["~nobody-of-this-name/prod.tfstate", "x" * 5_000, "a\0b", ""], ids=ascii)
    def test_a_name_that_no_file_has_is_told(self, location: str) -> None:
        with pytest.raises(InputError):
            read(location, MEGABYTE)


# States in S3.


@dataclass
class Bucket:
    """What a server answers to requests for one object: one answer after the other, the last one again and again."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        return self.answers[min(len(self.requests), len(self.answers)) - 1]


DROP: tuple[int, dict[str, str], bytes] = (0, {}, b"")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """S3 on a port of this machine, for whoever signs; the pauses between attempts pass at once."""
    found = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            signed = self.headers.get("Authorization", "")
            found.requests.append((self.path, self.headers.get("Host", ""), signed.partition(",")[0]))
            if not signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") or "Signature=" not in signed:
                found.unexpected.append(f"not signed: {self.path}")
            status, headers, data = found.answer()
            if status:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), "x-amz-request-id": "R", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
            if not status or "Content-Length" in headers:
                self.close_connection = True

        def refuse(self) -> None:
            found.unexpected.append(f"{self.command} {self.path}")
            self.send_error(405)

        do_HEAD = do_PUT = do_POST = do_DELETE = refuse  # noqa: N815 - the names that the base class looks for

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):
                found.unexpected.append(traceback.format_exc())

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    found.port = server.server_port
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{found.port}",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-key-of-anybody",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    # The session of the process keeps the credentials that it found first.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    yield found
    server.shutdown()
    thread.join()
    server.server_close()
    assert found.unexpected == []


def refusal(code: str, status: int, words: str = "No.") -> tuple[int, dict[str, str], bytes]:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{words} {SECRET}</Message></Error>'
    return status, {"Content-Type": "application/xml"}, text.encode()


OK = (200, {"ETag": '"x"'}, STATE)
LOCATION = "s3://terraform/env:/prod/terraform.tfstate"
ERROR_TELLS_NOTHING = pytest.mark.parametrize(
    ("answers", "kind", "words", "requests"),
    [
        ([refusal("NoSuchKey", 404)], InputError, f"There is no state {LOCATION}; correct the setting.", 1),
        ([refusal("NoSuchBucket", 404)], InputError, f"There is no state {LOCATION}; correct the setting.", 1),
        (
            [refusal("AccessDenied", 403)],
            AccessDenied,
            f"AWS does not let this account read {LOCATION}; it needs s3:GetObject.",
            1,
        ),
        (
            [refusal("InvalidAccessKeyId", 403)],
            AccessDenied,
            f"AWS does not let this account read {LOCATION}; it needs s3:GetObject.",
            1,
        ),
        (
            [refusal("InternalError", 500)],
            SourceUnavailable,
            f"S3 refused {LOCATION} (InternalError); the next night tries again.",
            3,
        ),
        ([refusal("SlowDown", 503)], SourceUnavailable, f"S3 refused {LOCATION} (SlowDown); the next night tries again.", 3),
        ([(500, {}, b"")], SourceUnavailable, f"S3 refused {LOCATION} (500); the next night tries again.", 3),
        (
            [refusal("InvalidObjectState", 400)],
            SourceUnavailable,
            f"S3 refused {LOCATION} (InvalidObjectState); the next night tries again.",
            1,
        ),
        ([DROP], SourceUnavailable, f"S3 did not give {LOCATION} (ConnectionClosedError); the next night tries again.", 3),
        (
            [(200, {"Content-Length": "90000"}, STATE)],
            SourceUnavailable,
            f"S3 did not give {LOCATION} (",
            1,
        ),
        (
            [(200, {}, STATE + b" " * MEGABYTE)],
            InputError,
            f"The state {LOCATION} has more than 1 MB; split the root.",
            1,
        ),
    ],
    ids=[
        "no key", "no bucket", "denied", "unknown account", "500", "slow down", "500 without a word", "archived", "dropped",
        "dropped in the middle", "too large",
    ],
)  # fmt: skip


class TestStateInS3:
    def test_the_object_is_read(self, bucket: Bucket) -> None:
        bucket.answers = [OK]
        assert read(LOCATION, MEGABYTE) == STATE
        ((path, host, signed),) = bucket.requests
        assert path == "/terraform/env%3A/prod/terraform.tfstate"
        assert host == f"127.0.0.1:{bucket.port}"
        assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") and "/us-east-1/s3/aws4_request" in signed

    @pytest.mark.parametrize(
        ("location", "path"),
        [
            ("s3://terraform/a", "/terraform/a"),
            ("s3://terraform/a b/ü.tfstate", "/terraform/a%20b/%C3%BC.tfstate"),
            ("s3://my.bucket/a", "/my.bucket/a"),
        ],
    )
    def test_keys_are_taken_as_they_are_written(self, bucket: Bucket, location: str, path: str) -> None:
        bucket.answers = [OK]
        read(location, MEGABYTE)
        assert [each for each, _, _ in bucket.requests] == [path]

    @pytest.mark.parametrize("first", [refusal("InternalError", 500), refusal("SlowDown", 503), DROP], ids=["500", "503", "drop"])
    def test_what_passes_is_tried_again(self, bucket: Bucket, first: tuple[int, dict[str, str], bytes]) -> None:
        bucket.answers = [first, first, OK]
        assert read(LOCATION, MEGABYTE) == STATE
        assert len(bucket.requests) == 3

    @ERROR_TELLS_NOTHING
    def test_each_failure_is_one_sentence_without_a_byte_of_the_state(
        self,
        bucket: Bucket,
        answers: list[tuple[int, dict[str, str], bytes]],
        kind: type[NightshiftError],
        words: str,
        requests: int,
    ) -> None:
        bucket.answers = answers
        with pytest.raises(NightshiftError) as caught:
            read(LOCATION, MEGABYTE)
        assert type(caught.value) is kind
        assert str(caught.value).startswith(words)
        assert len(bucket.requests) == requests
        assert SECRET not in told(caught.value).replace(f"No. {SECRET}", "")
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        # A connection that was left open is warned about here rather than in another test.
        del caught
        gc.collect()

    def test_just_the_size_is_read(self, bucket: Bucket) -> None:
        bucket.answers = [(200, {}, b"x" * MEGABYTE)]
        assert len(read(LOCATION, MEGABYTE)) == MEGABYTE

    def test_without_credentials_nothing_is_asked(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(AccessDenied) as caught:
            read(LOCATION, MEGABYTE)
        assert str(caught.value) == (f"There are no AWS credentials to read {LOCATION} with; give some that allow s3:GetObject.")
        assert bucket.requests == []

    @pytest.mark.parametrize("location", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key"])
    def test_what_is_no_address_of_an_object_is_told(self, bucket: Bucket, location: str) -> None:
        with pytest.raises(InputError) as caught:
            read(location, MEGABYTE)
        assert str(caught.value) == f"{location} is no address of a state; write s3://bucket/key."
        assert bucket.requests == []

    def test_a_bucket_that_no_bucket_is_called_is_told(self, bucket: Bucket) -> None:
        with pytest.raises(NightshiftError):
            read("s3://under score!/key", MEGABYTE)
        assert bucket.requests == []


# Archives of GitHub.

FILES = {
    "main.tf": b'instance_type = "m5.xlarge"\r\n',
    "modules/web/web.tf": b"count = 4",
    "empty/.keep": b"",
    "größe/a b.tf": b"\xff\n",
}


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server
    assert server.unexpected == []


@pytest.fixture
def people(github: GitHubServer) -> People:
    github.add_token(TOKEN, login=BOT)
    found = github.create_repository(REPOSITORY, FILES)
    found.add_collaborator(BOT, "write")
    found.add_collaborator("alice", "write")
    return found


@pytest.fixture
def repository(github: GitHubServer, people: People) -> GithubRepository:
    settings = GithubSettings(base_url=github.url, token=TOKEN, timeout_seconds=1, attempts=1)
    return GithubRepository(Connection(settings, REPOSITORY, Clock(datetime(2025, 3, 10, 2, tzinfo=UTC))))


def head(people: People) -> str:
    found = people.head("main")
    assert found is not None
    return found


def get(repository: GithubRepository, sha: str, folder: Path) -> Path:
    return fetch(repository, sha, folder, timeout_seconds=5, allow_http=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def downloads(github: GitHubServer) -> int:
    return sum("_codeload" in each.path for each in github.log)


def assert_nothing_left(folder: Path) -> None:
    home = folder / "acme__infra"
    assert not home.exists() or list(home.iterdir()) == []


class TestArchive:
    def test_the_files_of_a_commit_are_fetched_once(
        self, github: GitHubServer, people: People, repository: GithubRepository, tmp_path: Path
    ) -> None:
        found = get(repository, head(people), tmp_path)
        assert found == tmp_path / "acme__infra" / head(people)
        assert tree(found) == FILES
        before = len(github.log)
        assert get(repository, head(people), tmp_path) == found
        assert (len(github.log) - before, downloads(github)) == (0, 1)
        assert [each.name for each in found.parent.iterdir()] == [head(people)]

    def test_links_within_it_are_kept(self, people: People, repository: GithubRepository, tmp_path: Path) -> None:
        sha = people.push("alice", "main", {"modules/web/link.tf": b"../../main.tf"}, modes={"modules/web/link.tf": "120000"})
        found = get(repository, sha, tmp_path)
        assert (found / "modules/web/link.tf").is_symlink()
        assert (found / "modules/web/link.tf").read_bytes() == FILES["main.tf"]

    def test_the_last_two_are_kept(self, people: People, repository: GithubRepository, tmp_path: Path) -> None:
        shas = [head(people)] + [people.push("alice", "main", {"main.tf": b"%d\n" % number}) for number in range(3)]
        for sha in shas:
            get(repository, sha, tmp_path)
        assert sorted(each.name for each in (tmp_path / "acme__infra").iterdir()) == sorted(shas[-2:])

    def test_drafts_of_a_run_that_was_cut_off_go_after_a_day(
        self, people: People, repository: GithubRepository, tmp_path: Path
    ) -> None:
        home = tmp_path / "acme__infra"
        for name in (".draft-old", ".draft-new"):
            (home / name / "files").mkdir(parents=True)
        two_days_ago = (home / ".draft-new").stat().st_mtime - 2 * 86_400
        os.utime(home / ".draft-old", (two_days_ago, two_days_ago))
        get(repository, head(people), tmp_path)
        assert sorted(each.name for each in home.iterdir()) == sorted([".draft-new", head(people)])

    @pytest.mark.parametrize(
        "target",
        ["../../outside", "../../../../../../../../etc/passwd", "/etc/passwd", "modules/../../x"],
        ids=["above", "far above", "absolute", "a detour"],
    )
    def test_a_link_out_of_it_is_refused(self, people: People, repository: GithubRepository, tmp_path: Path, target: str) -> None:
        sha = people.push("alice", "main", {"link.tf": target.encode()}, modes={"link.tf": "120000"})
        with pytest.raises(GithubError) as caught:
            get(repository, sha, tmp_path)
        assert str(caught.value) == ("The archive of acme/infra has a link or path that leads out of it; name a checkout of it.")
        assert_nothing_left(tmp_path)

    @pytest.mark.parametrize("kind", ["drop_before", "bad_gateway_before", "server_error", "drop_after"])
    def test_a_download_that_fails_is_told_without_its_address(
        self, github: GitHubServer, people: People, repository: GithubRepository, tmp_path: Path, kind: str
    ) -> None:
        github.faults.add(Fault("GET", "/_codeload/", kind))
        with pytest.raises(GithubError) as caught:
            get(repository, head(people), tmp_path)
        assert str(caught.value) == (
            f"The files of acme/infra at {head(people)[:12]} could not be fetched; they are tried again."
        )
        printed = "".join(traceback.format_exception(caught.value))
        assert "token=" not in printed and TOKEN not in printed and "_codeload/acme" not in printed
        assert_nothing_left(tmp_path)
        assert tree(get(repository, head(people), tmp_path)) == FILES
        # A connection that was left open is warned about here rather than in another test.
        del caught
        gc.collect()

    def test_an_address_without_encryption_is_not_followed(
        self, github: GitHubServer, people: People, repository: GithubRepository, tmp_path: Path
    ) -> None:
        with pytest.raises(GithubError) as caught:
            fetch(repository, head(people), tmp_path, timeout_seconds=5)
        assert str(caught.value) == "GitHub offers the files of acme/infra without encryption; nothing was fetched."
        assert downloads(github) == 0
        assert_nothing_left(tmp_path)

    def test_our_own_token_is_not_sent_along(
        self, github: GitHubServer, people: People, repository: GithubRepository, tmp_path: Path
    ) -> None:
        sent: list[bytes] = []
        answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        with raw_server(answer, sent) as address, pytest.raises(GithubError):
            get(elsewhere(repository, address), head(people), tmp_path)
        assert sent and sent[0].startswith(b"GET /archive?token=s3cr3t ")
        assert TOKEN.encode() not in sent[0] and b"Authorization" not in sent[0]

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"\r\n",
            b"nonsense\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nonly this",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        ],
        ids=["nothing", "a line", "nonsense", "another scheme", "cut off", "no chunk", "a long header", "many headers"],
    )
    def test_what_is_no_answer_is_told_as_one_that_failed(
        self, people: People, repository: GithubRepository, tmp_path: Path, answer: bytes
    ) -> None:
        with raw_server(answer) as address, pytest.raises(GithubError) as caught:
            get(elsewhere(repository, address), head(people), tmp_path)
        assert "could not be fetched" in str(caught.value)
        assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
        assert_nothing_left(tmp_path)

    @pytest.mark.parametrize(
        "address", ["", "not an address", "https://", "https://[", "file:///etc/passwd", "http://127.0.0.1:1/x"]
    )
    def test_what_is_no_address_is_told_too(
        self, people: People, repository: GithubRepository, tmp_path: Path, address: str
    ) -> None:
        with pytest.raises(GithubError):
            get(elsewhere(repository, address), head(people), tmp_path)
        assert_nothing_left(tmp_path)

    def test_a_truncated_archive_is_told_and_leaves_nothing(
        self, people: People, repository: GithubRepository, tmp_path: Path
    ) -> None:
        whole = packed([("top/a.tf", random.Random(1).randbytes(20_000))])
        with raw_server(ok(whole[:-5_000])) as address, pytest.raises(GithubError) as caught:
            get(elsewhere(repository, address), head(people), tmp_path)
        assert str(caught.value) == "The archive of acme/infra cannot be unpacked; the next night tries again."
        assert_nothing_left(tmp_path)

    def test_one_that_is_cut_off_on_its_way_is_told(self, people: People, repository: GithubRepository, tmp_path: Path) -> None:
        whole = packed([("top/a.tf", random.Random(1).randbytes(20_000))])
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(whole) + whole[:9_000]
        with raw_server(answer) as address, pytest.raises(GithubError):
            get(elsewhere(repository, address), head(people), tmp_path)
        assert_nothing_left(tmp_path)

    def test_a_folder_that_cannot_be_written_to_is_told(
        self, people: People, repository: GithubRepository, tmp_path: Path
    ) -> None:
        (tmp_path / "acme__infra").touch()
        with pytest.raises(AccessDenied, match=r"^Cannot write to .*; make it writable, or set NIGHTSHIFT_HOME\.$"):
            get(repository, head(people), tmp_path)


def elsewhere(repository: GithubRepository, address: str) -> GithubRepository:
    """The repository, whose archives are at another address."""
    return cast(GithubRepository, SimpleNamespace(name=repository.name, archive_address=lambda sha: address))


class raw_server:  # noqa: N801 - used as a function
    """Answers one request with some bytes, whatever they are."""

    def __init__(self, answer: bytes, received: list[bytes] | None = None) -> None:
        self._answer, self._received = answer, received
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65_536)
            if self._received is not None:
                self._received.append(request)
            connection.sendall(self._answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/archive?token=s3cr3t"

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()


def ok(data: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(data) + data


def packed(members: list[tuple[str, bytes] | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as outer, tarfile.open(fileobj=outer, mode="w") as tar:
        for each in members:
            if isinstance(each, tarfile.TarInfo):
                tar.addfile(each)
            else:
                member = tarfile.TarInfo(each[0])
                member.size = len(each[1])
                tar.addfile(member, io.BytesIO(each[1]))
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def unpacked(folder: Path, data: bytes) -> dict[str, bytes]:
    (folder / "archive.tar.gz").write_bytes(data)
    archive._unpack(folder / "archive.tar.gz", folder / "files", "acme/infra")
    return tree(folder / "files")


class TestUnpacking:
    def test_what_is_below_the_top_folder_is_unpacked(self, tmp_path: Path) -> None:
        members: list[Any] = [special("top", tarfile.DIRTYPE), ("top/a.tf", b"a"), ("top/b/c.tf", b"c"), ("stray", b"s")]
        assert unpacked(tmp_path, packed(members)) == {"a.tf": b"a", "b/c.tf": b"c"}

    @pytest.mark.parametrize(
        "members",
        [
            [("top/../../evil", b"x")],
            [("top/a/../../../evil", b"x")],
            [special("top/link", tarfile.SYMTYPE, "/etc/passwd")],
            [special("top/link", tarfile.SYMTYPE, "../../evil")],
            [special("top/link", tarfile.SYMTYPE, ".."), ("top/link/evil", b"x")],
            [special("top/a", tarfile.SYMTYPE, "b/.."), special("top/b", tarfile.SYMTYPE, ".."), ("top/a/evil", b"x")],
        ],
        ids=["path", "long path", "absolute link", "link", "through a link", "through two links"],
    )
    def test_what_leads_out_of_it_is_refused(self, tmp_path: Path, members: list[Any]) -> None:
        inside = tmp_path / "inside"
        inside.mkdir()
        with pytest.raises(GithubError, match="has a link or path that leads out of it; name a checkout of it"):
            unpacked(inside, packed(members))
        assert not (tmp_path / "evil").exists() and not (inside / "evil").exists()

    def test_an_absolute_path_stays_inside(self, tmp_path: Path) -> None:
        name = f"/{tmp_path.as_posix().strip('/')}/evil"
        with contextlib.suppress(GithubError):
            unpacked(tmp_path, packed([(name, b"x")]))
        assert not (tmp_path / "evil").exists()

    @pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE], ids=ascii)
    def test_devices_pipes_and_hard_links_are_not_made(self, tmp_path: Path, kind: bytes) -> None:
        with contextlib.suppress(GithubError):
            unpacked(tmp_path, packed([("top/a", b"a"), special("top/b", kind, "/etc/passwd")]))
        assert [each.name for each in (tmp_path / "files").iterdir()] == ["a"]

    def test_a_file_is_never_more_than_a_file(self, tmp_path: Path) -> None:
        member = tarfile.TarInfo("top/a")
        member.mode = 0o6777
        unpacked(tmp_path, packed([member]))
        assert (tmp_path / "files" / "a").stat().st_mode & 0o7022 == 0

    def test_too_much_is_refused_before_it_is_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 1_000)
        with pytest.raises(GithubError, match="has more than 0 GB of files; name a checkout of it"):
            unpacked(tmp_path, packed([("top/a", b"x" * 600), ("top/b", b"x" * 600)]))
        assert tree(tmp_path / "files") == {"a": b"x" * 600}

    @pytest.mark.parametrize("data", [b"", b"<html>", gzip.compress(b"no tar"), gzip.compress(b"x" * 600)], ids=range(4))
    def test_what_is_no_archive_is_told(self, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(GithubError, match="cannot be unpacked; the next night tries again"):
            unpacked(tmp_path, data)

    def test_any_damage_is_told_or_harmless(self, tmp_path: Path) -> None:
        """One byte after the other of an archive with something in it that does not compress."""
        whole = packed([("top/a.tf", random.Random(3).randbytes(300)), ("top/b.tf", b"b" * 3_000)])
        for place in range(len(whole)):
            folder = tmp_path / str(place)
            folder.mkdir()
            damaged = bytearray(whole)
            damaged[place] ^= 0x55
            try:
                unpacked(folder, bytes(damaged))
            except GithubError as error:
                assert str(error).startswith("The archive of acme/infra ")
            shutil.rmtree(folder)

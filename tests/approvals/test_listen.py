"""The listeners: what they let in, how they end, and that no secret leaves them."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project.actions.slack import endpoint
from dagster_project.connections.slack import Slack
from dagster_project.errors import AccessDenied, InputError, NightshiftError, SettingsError, SlackError
from dagster_project.pipeline import listening
from tests.approvals import slack_world
from tests.approvals.slack_world import PATIENCE, NewTown, SlackWorld, listening_by, new_threads
from tests.conftest import query
from tests.proposal_builders import Clock
from tests.slack import Fault, SlackServer
from tests.slack.request_url import sign

new_town = slack_world.new_town
WAYS = pytest.mark.parametrize("way", ["socket", "http"])
REPOSITORY = Path(__file__).parents[2]
LOST = (
    "The connection to Slack is lost, and tried again until it is back. "
    "Slack did not answer (RemoteDisconnected); whether it took the request is not known."
)


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """A workspace that lives in the present: so does a process of its own, and a signature is good for five minutes."""
    with SlackServer(Clock(datetime.now(UTC))) as running:
        yield running
    assert running.unexpected == []


@pytest.fixture
def town(new_town: NewTown) -> SlackWorld:
    """A workspace in which one change of low risk is asked for."""
    found = new_town()
    found.ask()
    found.deliver()
    return found


def raw(port: int, *lines: str, body: bytes = b"") -> int:
    """The status that a request of these lines gets; 0 where the connection ends without one."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionError):
            while part := connection.recv(65536):
                answer += part
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def test_only_what_slack_signed_a_moment_ago_is_worked_on(town: SlackWorld, slack: SlackServer) -> None:
    click, before = town.click(town.ana), len(slack.log)
    post = ("POST /slack/interactions HTTP/1.1", "Host: nightshift")

    def signed(body: bytes, stamp: str | None = None) -> tuple[str, ...]:
        now = stamp or str(int(slack.clock.now().timestamp()))
        names = (f"X-Slack-Request-Timestamp: {now}", f"X-Slack-Signature: {sign(slack.signing_secret, now, body)}")
        return (*post, f"Content-Length: {len(body)}", *names)

    def send(port: int, body: bytes) -> int:
        return raw(port, *signed(body), body=body)

    found: dict[str, int] = {}
    with listening_by("http", town) as listener:
        address = slack.request_url(listener.address)
        port = int(listener.address.split(":")[2].split("/")[0])
        for name, options in {
            "another secret": {"secret": "guessed"},
            "five minutes old": {"age": 301},
            "from the future": {"age": -302},
            "changed after it was signed": {"tampered": True},
            "not signed": {"unsigned": True},
        }.items():
            found[name] = address.send(click, **options).status  # type: ignore[arg-type]
        found["another path"] = slack.request_url(listener.address.replace("interactions", "events")).send(click).status
        found["no form"] = send(port, b'{"type": "block_actions"}')
        found["no payload"] = send(port, b"token=1")
        found["no JSON"] = send(port, b"payload=approve")
        found["JSON that is no object"] = send(port, b'payload=["block_actions"]')
        found["JSON without end"] = send(port, b"payload=" + b"[" * 100_000)
        found["no UTF-8"] = send(port, b"payload=\xff")
        found["no length"] = raw(port, *post)
        found["a length below nothing"] = raw(port, *post, "Content-Length: -1")
        found["a length of thousands of digits"] = raw(port, *post, f"Content-Length: {'9' * 5_000}")
        found["a million and one"] = raw(port, *post, "Content-Length: 1000001")
        found["less than its length"] = raw(port, *post, "Content-Length: 100", body=b"payload=")
        found["no number as its moment"] = raw(port, *signed(b"payload=1", "soon"), body=b"payload=1")
        found["a moment of thousands of digits"] = raw(port, *signed(b"payload=1", "9" * 5_000), body=b"payload=1")
        for method in ("GET", "PUT", "DELETE", "OPTIONS"):
            found[method] = raw(port, f"{method} /slack/interactions HTTP/1.1", "Content-Length: 0")
        found["no HTTP"] = raw(port, "hello")
    assert found == {
        "another secret": 401,
        "five minutes old": 401,
        "from the future": 401,
        "changed after it was signed": 401,
        "not signed": 401,
        "another path": 404,
        "no form": 400,
        "no payload": 400,
        "no JSON": 400,
        "JSON that is no object": 400,
        "JSON without end": 400,
        "no UTF-8": 401,
        "no length": 411,
        "a length below nothing": 411,
        "a length of thousands of digits": 413,
        "a million and one": 413,
        "less than its length": 401,
        "no number as its moment": 401,
        "a moment of thousands of digits": 401,
        "GET": 501,
        "PUT": 501,
        "DELETE": 501,
        "OPTIONS": 501,
        "no HTTP": 0,
    }
    assert (town.state, len(town.events()), len(slack.log), listener.count) == ("pending", 1, before, 0)
    assert town.told.lines == []


def test_a_request_that_somebody_listened_in_to_counts_once_more_as_nothing(town: SlackWorld, slack: SlackServer) -> None:
    with listening_by("http", town) as listener:
        address = slack.request_url(listener.address)
        assert (address.send(town.click(town.ana)).status, address.repeat().status) == (200, 200)
        listener.wait(2)
        town.world.clock.at += timedelta(minutes=6)
        assert address.repeat().status == 401
    assert [kind for kind, *_ in town.events()] == ["opened", "approval", "approved"]


@WAYS
def test_a_listener_that_is_stopped_ends_what_it_works_on_first(town: SlackWorld, slack: SlackServer, way: str) -> None:
    reached, released = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        released.wait(PATIENCE)

    slack.faults.add(Fault("users.info", "callback", callback=hold))
    click = town.click(town.ben)
    with listening_by(way, town) as listener:
        sender = threading.Thread(target=listener.offer, args=(click,))
        sender.start()
        assert reached.wait(PATIENCE)
        stopper = threading.Thread(target=listener.stop)
        stopper.start()
        stopper.join(0.4)
        assert (stopper.is_alive(), listener.count) == (True, 0)
        released.set()
        stopper.join(PATIENCE)
        assert (stopper.is_alive(), listener.count) == (False, 1)
        sender.join(PATIENCE)
    assert (click.outcome, town.state, len(town.answers(town.ben))) == ("done", "approved", 1)
    assert town.told.lines == []


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # of the SDK, where a websocket is refused
def test_a_listener_that_slack_does_not_let_in_says_why_and_leaves_no_thread(
    town: SlackWorld, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, threads = town.world.runtime(), set(threading.enumerate())

    def refused() -> tuple[type[NightshiftError], str]:
        with pytest.raises(NightshiftError) as problem:
            listening.socket_listener(runtime).start()
        assert new_threads(threads) == []
        return problem.type, str(problem.value)

    found = []
    slack.begin_outage()
    found.append(refused())
    slack.end_outage()
    with monkeypatch.context() as patched:
        patched.setattr(slack.workspace, "socket_url", slack.workspace.socket_url.replace("link", "elsewhere"))
        found.append(refused())
    slack.end_token("token_revoked", slack.app_token)
    found.append(refused())
    assert found == [
        (SlackError, "Slack did not answer (RemoteDisconnected); whether it took the request is not known."),
        (SlackError, "Slack opens no websocket; start the listener again later."),
        (AccessDenied, "Slack does not take the app-level token; set NIGHTSHIFT_SLACK_APP_TOKEN anew."),
    ]
    assert len(slack.requests("apps.connections.open")) == 3


def test_a_listener_goes_on_over_another_connection(
    town: SlackWorld, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_PING_SECONDS", 0.05)
    monkeypatch.setattr(endpoint, "_LONGEST_PAUSE", 0.01)
    with listening_by("socket", town) as listener:
        first = slack.socket.wait_for_link()
        first.disconnect("refresh_requested")
        second = slack.socket.wait_for_link(2)
        first.drop()
        slack.socket.wait_until_gone(first)
        listener.send(town.click(town.carl), on=second)
        assert town.told.lines == []
        slack.begin_outage()
        town.told.wait_for(LOST)
        slack.end_outage()
        town.told.wait_for("The connection to Slack is back.")
        slack_world.wait_for_a_link(slack)
        listener.send(town.click(town.ana))
    assert (town.state, town.told.lines) == (
        "approved",
        [LOST, "The connection to Slack is back."],
    )


def test_a_listener_that_is_stopped_while_slack_is_away_does_not_wait_for_it(
    town: SlackWorld, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Event()

    def pause(attempts: int) -> float:
        if attempts > 1:
            waits.set()
        return PATIENCE if attempts > 1 else 0

    monkeypatch.setattr(endpoint, "_PING_SECONDS", 0.05)
    monkeypatch.setattr(endpoint, "_pause_after", pause)
    with listening_by("socket", town) as listener:
        slack.begin_outage()
        assert waits.wait(PATIENCE)
        stopper = threading.Thread(target=listener.stop)
        stopper.start()
        stopper.join(PATIENCE / 2)
        assert not stopper.is_alive()
    slack.end_outage()


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "socket": ({"app_token": None}, "Socket Mode needs the bot token and the app-level token;"),
    "socket without a bot": ({"token": None}, "Socket Mode needs the bot token and the app-level token;"),
    "http": ({"signing_secret": None}, "The HTTP endpoint needs the bot token and the signing secret;"),
    "http without a bot": ({"token": None}, "The HTTP endpoint needs the bot token and the signing secret;"),
}


def test_a_connection_that_is_read_again_while_it_is_closed_holds_nobody_up(town: SlackWorld, slack: SlackServer) -> None:
    """The SDK looks for a connection ten times a second, and begins to read one for good that is closed at that very moment."""
    before = set(threading.enumerate())
    listener = listening.socket_listener(town.world.runtime(progress=town.told))
    listener.start()
    slack_world.wait_for_a_link(slack)
    client: Any = listener._client
    reader, name, close, disconnect = client.current_session_runner, client.session_id, client.close, client.disconnect
    is_found, is_gone = threading.Event(), threading.Event()

    def looks_at_its_name() -> Any:  # between finding the connection and reading it
        if threading.current_thread() is reader.thread and listener._stopping.is_set():
            is_found.set()
            is_gone.wait(PATIENCE)
        return name()

    def closes_late() -> None:
        while reader.is_alive() and not is_found.wait(0.01):
            pass
        close()

    def disconnects() -> None:
        disconnect()
        is_gone.set()

    client.session_id, client.close, client.disconnect = looks_at_its_name, closes_late, disconnects
    stopping = threading.Thread(target=listener.stop)
    stopping.start()
    stopping.join(PATIENCE)
    has_ended = not stopping.is_alive()
    client.current_session_state.terminated = True  # what follows is not held up either way
    stopping.join()
    assert has_ended
    assert new_threads(before) == []


def test_without_its_secrets_no_listener_starts(new_town: NewTown) -> None:
    town = new_town()
    for way, (settings, said) in BAD_SETTINGS.items():
        town.world.slack = town.world.slack.model_copy(
            update={"token": town.slack.bot_token, "app_token": "xapp", "signing_secret": "s", **settings}
        )
        with pytest.raises(SettingsError) as problem:
            if way.startswith("socket"):
                listening.socket_listener(town.world.runtime())
            else:
                listening.http_listener(town.world.runtime(), "127.0.0.1", 0)
        assert str(problem.value).startswith(said)
    assert town.slack.log == []


def test_an_address_that_cannot_be_listened_on_is_said(town: SlackWorld) -> None:
    said = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for host, port in (("127.0.0.1", taken.getsockname()[1]), ("192.0.2.1", 0), ("schlafmütze", 0)):
            with pytest.raises(InputError) as problem:
                listening.http_listener(town.world.runtime(), host, port)
            said.append(str(problem.value).replace(f":{port} ", ":PORT "))
    assert said[0] == "Cannot listen on 127.0.0.1:PORT (Address already in use); choose another address."
    assert said[1].startswith("Cannot listen on 192.0.2.1:PORT (Cannot assign requested address)")
    assert said[2] == "Cannot listen on schlafmütze:PORT (write the name in ASCII); choose another address."


def secrets_of(town: SlackWorld) -> list[bytes]:
    """Everything that nobody may read anywhere, in every form that somebody might write it down in."""
    (key,) = (row["key"] for row in query(town.world.dsn, "select key from nightshift.approval_key"))
    slack = town.slack
    texts = [slack.bot_token.encode(), slack.app_token.encode(), slack.signing_secret.encode(), key.hex().encode()]
    return [*texts, key, base64.b64encode(key), repr(key).encode()]


def test_no_secret_is_in_a_log_a_message_a_table_or_a_file(
    new_town: NewTown, slack: SlackServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    town, day = new_town(), slack_world.START.date()
    town.ask()
    for kind in ("drop", "html", "cut", "internal_error"):
        slack.faults.add(Fault("chat.postMessage", kind))
    said = town.deliver(day)
    slack.set_scopes(remove=["channels:history"])
    said += town.deliver(day)
    slack.set_scopes(add=["channels:history"])
    for _ in range(2):
        said += town.deliver(day)
    for way in ("socket", "http"):
        with listening_by(way, town) as listener:
            listener.send(town.click(town.carl))
            listener.send(town.click(town.ana, value="forged"))
            slack.faults.add(Fault("users.info", "drop", times=2), Fault("chat.postEphemeral", "html", times=3))
            listener.send(town.click(town.ben))
            if way == "http":
                slack.request_url(listener.address).send(town.click(town.ana), secret="guessed")
    slack.end_token("token_revoked")
    said += town.deliver(day)
    slack.end_token("token_revoked", slack.app_token)
    with pytest.raises(AccessDenied) as problem:
        listening.socket_listener(town.world.runtime(progress=town.told)).start()
    chain: list[BaseException | None] = [problem.value]
    while chain[-1] is not None:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    tables = [
        row["table_name"]
        for row in query(town.world.dsn, "select table_name from information_schema.tables where table_schema = 'nightshift'")
        if row["table_name"] != "approval_key"
    ]
    texts = {
        "log": caplog.text,
        "told": "\n".join(town.told.lines),
        "problems": "\n".join(said),
        "exceptions": "\n".join(f"{each!r} {vars(each)}" for each in chain if each is not None),
        "objects": repr([Slack(town.world.slack), town.world.settings]),
        "messages": json.dumps([slack_world.shown(each) for each in slack.messages(town.channel)] + town.answers(town.ana)),
        **{name: str([tuple(row) for row in query(town.world.dsn, f"select * from nightshift.{name}")]) for name in tables},
    }
    data = {name: text.encode() for name, text in texts.items()}
    data |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"approval_requests", "slack_messages", "approval_events"} <= data.keys()
    assert len(said) > 3
    assert len(town.told.lines) > 1
    # What the SDK would log has the texts of messages.
    assert [each.name for each in caplog.records if each.name.startswith(("nightshift", "slack_sdk"))] == []
    secrets = secrets_of(town)
    assert [name for name, content in data.items() if any(secret in content for secret in secrets)] == []


@contextmanager
def process(town: SlackWorld, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """``nightshift listen`` as a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NIGHTSHIFT_", "DAGSTER_"))}
    world = town.world
    given = {
        "PYTHONPATH": str(REPOSITORY),
        "NIGHTSHIFT_HOME": str(world.settings.home),
        "NIGHTSHIFT_REPORTS": str(world.settings.reports),
        "NIGHTSHIFT_DSN": world.dsn,
        "NIGHTSHIFT_CONFIG": str(world.folder / "nightshift.toml"),
        **environment,
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "dagster_project", "listen", *arguments],
        env={**clean, **given},
        cwd=world.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        try:
            yield running
        finally:
            running.kill()


def write_config(town: SlackWorld, *approvers: str) -> None:
    """Settings as a file, with approvers by their addresses."""
    people = "\n".join(f'[[approvals.approvers]]\nemail = "{email}"' for email in approvers)
    slack = f'[slack]\nbase_url = "{town.slack.url}"\nchannel = "{town.channel}"\n'
    (town.world.folder / "nightshift.toml").write_text(f'{slack}[proposals]\nmode = "apply"\n{people}\n', encoding="utf-8")


SECRETS: dict[str, Callable[[SlackServer], str]] = {
    "NIGHTSHIFT_SLACK_TOKEN": lambda slack: slack.bot_token,
    "NIGHTSHIFT_SLACK_APP_TOKEN": lambda slack: slack.app_token,
    "NIGHTSHIFT_SLACK_SIGNING_SECRET": lambda slack: slack.signing_secret,
}


@WAYS
def test_the_command_says_that_it_listens_works_on_clicks_and_ends_when_it_is_told_to(
    town: SlackWorld, slack: SlackServer, way: str
) -> None:
    write_config(town, "ana@example.com")
    arguments = ("--http", "127.0.0.1:0") if way == "http" else ()
    with process(town, *arguments, **{name: secret(slack) for name, secret in SECRETS.items()}) as running:
        assert running.stdout and running.stderr
        said = running.stdout.readline()
        if way == "http":
            start, _, port = said.strip().rstrip(".").rpartition(":")
            assert start == "Listening for Slack's clicks on 127.0.0.1"
            address = slack.request_url(f"http://127.0.0.1:{port}/slack/interactions")
        else:
            assert said == "Listening for Slack's clicks over Socket Mode.\n"
            slack_world.wait_for_a_link(slack)
        for count in (1, 2):
            click = town.click(town.ben)
            if way == "http":
                assert address.send(click).status == 200
            else:
                slack.socket.wait_for_ack(slack.socket.deliver(click))
            slack.wait_for_requests("chat.postEphemeral", count, timeout=PATIENCE)
            assert click.outcome == "done"
            # Who may approve is what the file says at the moment of the click.
            write_config(town, "ana@example.com", "ben@example.com")
        slack.wait_for_requests("chat.update", timeout=PATIENCE)
        running.send_signal(signal.SIGTERM)
        output, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, output, errors) == (0, "", "")
    assert (town.state, [kind for kind, *_ in town.events()]) == ("approved", ["opened", "approval", "approved"])
    assert [each.partition(";")[0] for each in town.answers(town.ben)] == [
        "ben@example.com is no approver",
        "Approved by ben@example.com",
    ]


COMPLAINTS = {
    "without tokens": ((), "Socket Mode needs the bot token and the app-level token; set NIGHTSHIFT_SLACK_TOKEN"),
    "a bad address": (("--http", "8008"), "8008 is no address; write HOST:PORT, such as 127.0.0.1:8008."),
}


@pytest.mark.parametrize("problem", COMPLAINTS)
def test_what_keeps_the_command_from_listening_is_one_sentence_and_exit_2(town: SlackWorld, problem: str) -> None:
    write_config(town)
    arguments, said = COMPLAINTS[problem]
    with process(town, *arguments) as running:
        output, errors = running.communicate(timeout=PATIENCE)
    assert (running.returncode, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"Error: {said}")

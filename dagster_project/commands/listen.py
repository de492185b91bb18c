"""``nightshift listen``."""

from __future__ import annotations

import signal
import threading
from queue import SimpleQueue

import click

from dagster_project.commands.options import runtime
from dagster_project.errors import InputError
from dagster_project.pipeline.runtime import Runtime, runtime_of
from dagster_project.settings import load_settings


@click.command()
@click.option("--http", "address", metavar="HOST:PORT", help="Listen for Slack's HTTP requests there instead of Socket Mode.")
def command(address: str | None) -> None:
    """Listen for answers in Slack: a process of its own that runs all day.

    Socket Mode needs NIGHTSHIFT_SLACK_TOKEN and NIGHTSHIFT_SLACK_APP_TOKEN, and no address that Slack can reach. With --http
    the path is /slack/interactions, and every request must carry the signature of NIGHTSHIFT_SLACK_SIGNING_SECRET; put TLS in
    front of it. Both only note answers: changes are made by the apply job. Stop it with Ctrl-C or SIGTERM.
    """
    from dagster_project.pipeline.listening import http_listener, socket_listener

    surroundings = runtime()

    def renew() -> Runtime:
        return runtime_of(load_settings(), surroundings.progress)

    # Not an Event: its lock may be held by the very thread that a signal interrupts.
    stop: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stop.put(number))
    if address is None:
        listener = socket_listener(surroundings, renew)
        listener.start()
        click.echo("Listening for Slack's clicks over Socket Mode.")
        stop.get()
        listener.stop()
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or len(port) > 5 or int(port) > 65535:
        raise InputError(f"{address} is no address; write HOST:PORT, such as 127.0.0.1:8008.")
    server = http_listener(surroundings, host.strip("[]"), int(port), renew)
    worker = threading.Thread(target=server.serve)
    worker.start()
    click.echo(f"Listening for Slack's clicks on {host}:{server.port}.")
    stop.get()
    server.stop()
    worker.join()

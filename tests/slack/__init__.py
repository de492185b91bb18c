"""A strict Slack workspace for tests, which keeps state, answers over real HTTP and speaks Socket Mode over a real websocket.

with SlackServer() as slack:
    anna = slack.add_user("anna", email="anna@example.com")
    channel = slack.add_channel("approvals", members=[anna])
    ts = WebClient(slack.bot_token, base_url=slack.url).chat_postMessage(channel=channel, text="Shrink?", blocks=...)["ts"]
    click = slack.people.click(anna, ts, channel, "approve")
    slack.socket.wait_for_ack(slack.socket.deliver(click))
"""

from tests.slack.clock import Clock
from tests.slack.faults import Fault
from tests.slack.interactions import Interaction
from tests.slack.people import People
from tests.slack.server import SlackServer

__all__ = ["Clock", "Fault", "Interaction", "People", "SlackServer"]

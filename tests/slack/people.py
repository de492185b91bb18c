"""What people do in Slack: they talk, click, fill in forms, and come and go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.slack.interactions import Interaction, block_actions, view_closed, view_submission
from tests.slack.models import Block, Message, User, View, actions_of
from tests.slack.response_urls import ResponseUrls
from tests.slack.workspace import Workspace

Json = dict[str, Any]


class People:
    """The people of a workspace. Users, channels and views are named by their identifiers.

    What they do with buttons and forms is made here, and reaches the app only when a test delivers it.
    """

    def __init__(self, workspace: Workspace, response_urls: ResponseUrls) -> None:
        self._workspace, self._response_urls = workspace, response_urls

    def click(
        self,
        user: str,
        message_ts: str,
        channel: str,
        action_id: str,
        value: str | None = None,
        *,
        block_id: str | None = None,
    ) -> Interaction:
        """Clicks a button of a message as it stands.

        With a ``value`` the click is forged, or comes from a client that still shows an older message: the button need not be
        there, nor the person be one who could click.
        """
        with self._workspace.lock:
            person, message = self._workspace.users[user], self._workspace.message(channel, message_ts)
            button = _find_button(message, action_id, block_id)
            if value is None:
                assert not person.deleted, f"{person.name} was deactivated and cannot click"
                assert button, f"The message has no button {action_id}, only {', '.join(message.action_ids) or 'none'}"
            response_url = self._response_urls.new(message, user)
            action = button or _made_up(action_id, block_id)
            if value is not None:
                action["value"] = value
            return block_actions(self._workspace, person, message, action, response_url)

    def submit(self, user: str, view_id: str, values: Mapping[str, str | None]) -> Interaction:
        """Submits a modal with a value for each input block, by block_id: a text, or the value of an option.

        What Slack's own client would not send is refused here: values for what is no input, too short or too long ones, options
        that are not offered, and required inputs without a value.
        """
        with self._workspace.lock:
            view = self._open_view(user, view_id)
            strangers = {*values} - {*view.inputs}
            assert not strangers, f"The view has no input {', '.join(sorted(strangers))}, only {', '.join(view.inputs)}"
            state = {block_id: _state(block, values.get(block_id)) for block_id, block in view.inputs.items()}
            return view_submission(self._workspace, self._workspace.users[user], view, state)

    def close(self, user: str, view_id: str) -> Interaction | None:
        """Closes a modal. The app hears of it only where the view asks for that."""
        with self._workspace.lock:
            view = self._open_view(user, view_id)
            del self._workspace.views[view_id]
            if not view.content["notify_on_close"]:
                return None
            return view_closed(self._workspace.users[user], view, is_cleared=False)

    def _open_view(self, user: str, view_id: str) -> View:
        view = self._workspace.view(view_id)
        assert view.user == user, f"The view {view_id} is open before {view.user}, not before {user}"
        assert view_id not in {each.previous_id for each in self._workspace.views.values()}, f"A view is open over {view_id}"
        return view

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Writes a message, and says its ts."""
        with self._workspace.lock:
            assert user in self._workspace.channels[channel].members, f"{user} is not in {channel}"
            now, ts = self._workspace.clock.now(), self._workspace.new_ts()
            return self._workspace.say(Message(ts, channel, user, text, [], now, thread_ts=thread_ts)).ts

    def delete(self, channel: str, ts: str) -> None:
        """Deletes a message, whoever wrote it. Above a thread a tombstone stays."""
        with self._workspace.lock:
            message = self._workspace.message(channel, ts)
            if self._workspace.channels[channel].replies(ts):
                message.is_tombstone = True
            else:
                del self._workspace.channels[channel].messages[ts]

    def edit(self, channel: str, ts: str, text: str) -> None:
        """Changes a message of a person."""
        with self._workspace.lock:
            message = self._workspace.message(channel, ts)
            message.text, message.edited = text, self._workspace.new_ts()

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Reacts to a message with an emoji."""
        with self._workspace.lock:
            self._workspace.message(channel, ts).reactions.setdefault(name, []).append(user)

    def pin(self, user: str, channel: str, ts: str) -> None:
        with self._workspace.lock:
            self._workspace.message(channel, ts).pinned = user, int(self._workspace.clock.now().timestamp())

    def join(self, user: str, channel: str) -> None:
        with self._workspace.lock:
            self._workspace.channels[channel].members.add(user)

    def leave(self, user: str, channel: str) -> None:
        with self._workspace.lock:
            self._workspace.channels[channel].members.remove(user)

    def archive(self, channel: str) -> None:
        with self._workspace.lock:
            self._workspace.channels[channel].is_archived = True

    def deactivate(self, user: str) -> None:
        """Takes a person out of the workspace and of its user groups."""
        with self._workspace.lock:
            self._workspace.users[user].deleted = True
            for group in self._workspace.groups.values():
                group.users = [each for each in group.users if each != user]

    def change_email(self, user: str, email: str | None) -> None:
        with self._workspace.lock:
            self._workspace.users[user].email = email

    def change_group(self, group: str, users: list[str]) -> None:
        with self._workspace.lock:
            self._workspace.groups[group].users = users

    def disable_group(self, group: str) -> None:
        with self._workspace.lock:
            self._workspace.groups[group].is_disabled = True

    def limit_edits(self, seconds: float) -> None:
        """Allows messages to be changed for so long after they were posted."""
        with self._workspace.lock:
            self._workspace.edit_window = timedelta(seconds=seconds)

    def user(self, user: str) -> User:
        return self._workspace.users[user]


def _find_button(message: Message, action_id: str, block_id: str | None) -> Json | None:
    """A button as its action names it."""
    found = [
        (block, element)
        for block, element in actions_of(message.blocks)
        if element["action_id"] == action_id and element["type"] == "button" and block_id in (None, block["block_id"])
    ]
    assert len(found) < 2, f"There are {len(found)} buttons {action_id}: say the block_id"
    if not found:
        return None
    block, button = found[0]
    shown = {name: button[name] for name in ("text", "value", "url", "style", "confirm") if name in button}
    return {"action_id": action_id, "block_id": block["block_id"], **shown, "type": "button"}


def _made_up(action_id: str, block_id: str | None) -> Json:
    text = {"type": "plain_text", "text": "?", "emoji": True}
    return {"action_id": action_id, "block_id": block_id or "gone", "text": text, "type": "button"}


def _state(block: Block, value: str | None) -> Json:
    """What a person put into an input, as the state of a view says it."""
    element, name = block["element"], block["block_id"]
    assert value or block.get("optional", False), f"The input {name} is required"
    kind = element["type"]
    if kind == "plain_text_input":
        low, high = element.get("min_length", 0), element.get("max_length", 3_000)
        assert value is None or low <= len(value) <= high, f"The input {name} takes {low} to {high} characters, not {len(value)}"
        return {element["action_id"]: {"type": kind, "value": value or None}}
    options = {option["value"]: option for option in element["options"]}
    assert value is None or value in options, f"The input {name} offers {', '.join(options)}, not {value}"
    return {element["action_id"]: {"type": kind, "selected_option": options[value] if value is not None else None}}

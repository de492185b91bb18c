"""What an app asks about itself: who it is, and where its socket is."""

from __future__ import annotations

from tests.slack.answers import Answer, ok
from tests.slack.methods import Call, method
from tests.slack.workspace import DOMAIN, TEAM


@method("auth.test", holder="any")
def auth_test(call: Call) -> Answer:
    if call.token.kind == "app":
        return ok(app_name=call.app.name, app_id=call.app.id)
    return ok(
        url=f"https://{DOMAIN}.slack.com/",
        team=DOMAIN.capitalize(),
        user=call.app.bot_user.name,
        team_id=TEAM,
        user_id=call.bot,
        bot_id=call.app.bot_id,
        is_enterprise_install=False,
    )


@method("apps.connections.open", scope="connections:write", holder="app")
def open_connection(call: Call) -> Answer:
    """The address of a socket, with a ticket that lets in once."""
    ticket = call.workspace.new_id("K").lower()
    call.workspace.tickets[ticket] = call.app
    return ok(url=f"{call.workspace.socket_url}?ticket={ticket}&app_id={call.app.id}")

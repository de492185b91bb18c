"""Who may sign requests: one key, and the sessions of roles that it may assume."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.aws import refusals
from tests.aws.routing import Call, handles
from tests.aws.wire import Asked, Json, Refusal

KEY = "AKIANIGHTSHIFT000001"
SECRET = "mde5NXxqkZ+0uVbYgC7R1tWfLQ8sJz/PnHiA2EoK"
"""Both made up; 20 and 40 characters, as AWS's are."""
ACCOUNT = "123456789012"
"""The account of the key."""


@dataclass(frozen=True)
class Principal:
    """Who signs with a key, and the token that belongs to it."""

    account: str
    user_id: str
    arn: str
    token: str | None


class Sessions:
    """Who is known by each key, and the roles with their external ids."""

    def __init__(self) -> None:
        self.principals = {KEY: Principal(ACCOUNT, "AIDANIGHTSHIFT", f"arn:aws:iam::{ACCOUNT}:user/nightshift", None)}
        self.roles: dict[str, str | None] = {}
        self.secrets = {SECRET}
        self._numbers = itertools.count(1)

    def open(self, role: str, name: str) -> tuple[str, str, Principal]:
        """A session of a role: its key, its secret, and who it is."""
        number = next(self._numbers)
        key, secret, token = f"ASIANIGHTSHIFT{number:06d}", f"{SECRET[:-6]}{number:06d}", f"FwoGZXIvYXdzE{number:06d}{SECRET * 4}"
        account = role.split(":")[4]
        arn = f"arn:aws:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{name}"
        self.principals[key] = Principal(account, f"AROANIGHTSHIFT:{name}", arn, token)
        self.secrets |= {secret, token}
        return key, secret, self.principals[key]

    def who(self, asked: Asked) -> Principal | None:
        """Who signed a request; None: nobody who is known."""
        found = self.principals.get(asked.key or "")
        return found if found and found.token == asked.token else None


@handles("sts", "AssumeRole")
def assume(call: Call) -> Json:
    call.takes("RoleArn", "RoleSessionName", "ExternalId")
    sessions, arn = call.hub.sessions, call.parameters["RoleArn"]
    if arn not in sessions.roles or sessions.roles[arn] != call.parameters.get("ExternalId"):
        raise Refusal(403, "AccessDenied", f"User is not authorized to perform: sts:AssumeRole on resource: {arn}")
    key, secret, who = sessions.open(arn, call.parameters["RoleSessionName"])
    expiry = datetime.now(UTC) + timedelta(seconds=call.hub.dials.session_seconds)
    given = {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": who.token, "Expiration": expiry}
    return {"Credentials": given, "AssumedRoleUser": {"AssumedRoleId": who.user_id, "Arn": who.arn}}


@handles("sts", "GetCallerIdentity")
def identity(call: Call) -> Json:
    call.takes()
    who = call.hub.sessions.who(call.asked)
    if who is None:
        raise refusals.stranger("sts")
    return {"Account": who.account, "UserId": who.user_id, "Arn": who.arn}

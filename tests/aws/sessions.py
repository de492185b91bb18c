"""Who may sign requests: one key, and the sessions of roles that it may assume."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from tests.aws.routing import Call, handles
from tests.aws.wire import Asked, Json, Refusal

KEY = "AKIANIGHTSHIFT000001"
SECRET = "mde5NXxqkZ+0uVbYgC7R1tWfLQ8sJz/PnHiA2EoK"
"""Both made up; 20 and 40 characters, as AWS's are."""
ACCOUNT = "123456789012"


class Sessions:
    """The keys that are known, each with the token that belongs to it, and the roles with their external ids."""

    def __init__(self) -> None:
        self.tokens: dict[str, str | None] = {KEY: None}
        self.roles: dict[str, str | None] = {}
        self.secrets = {SECRET}
        self._numbers = itertools.count(1)

    def open(self) -> tuple[str, str, str]:
        """A key, its secret and its token."""
        number = next(self._numbers)
        key, secret, token = f"ASIANIGHTSHIFT{number:06d}", f"{SECRET[:-6]}{number:06d}", f"FwoGZXIvYXdzE{number:06d}{SECRET * 4}"
        self.tokens[key] = token
        self.secrets |= {secret, token}
        return key, secret, token

    def check(self, asked: Asked) -> None:
        """Raises ``Refusal`` where a request is signed by nobody who is known."""
        if asked.key in self.tokens and self.tokens[asked.key] == asked.token:
            return
        if asked.service == "ec2":
            raise Refusal(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
        raise Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")


@handles("sts", "AssumeRole")
def assume(call: Call) -> Json:
    call.takes("RoleArn", "RoleSessionName", "ExternalId")
    sessions, arn = call.hub.sessions, call.parameters["RoleArn"]
    if arn not in sessions.roles or sessions.roles[arn] != call.parameters.get("ExternalId"):
        raise Refusal(403, "AccessDenied", f"User is not authorized to perform: sts:AssumeRole on resource: {arn}")
    key, secret, token = sessions.open()
    expiry = datetime.now(UTC) + timedelta(seconds=call.hub.dials.session_seconds)
    given = {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": expiry}
    who = {"AssumedRoleId": f"AROANIGHTSHIFT:{call.parameters['RoleSessionName']}", "Arn": arn}
    return {"Credentials": given, "AssumedRoleUser": who}


@handles("sts", "GetCallerIdentity")
def identity(call: Call) -> Json:
    call.takes()
    return {"Account": ACCOUNT, "UserId": "AIDANIGHTSHIFT", "Arn": f"arn:aws:iam::{ACCOUNT}:user/nightshift"}

"""One request to AWS: signed in, timed, sent again as far as that is safe, and its failure told in one sentence.

botocore's own retries are off. It repeats a write whose answer was lost, and waits by a clock that tests cannot set.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dagster_project import clock
from dagster_project.clock import Clock
from dagster_project.connections.aws.failures import (
    Expired,
    NothingDone,
    Refused,
    Throttled,
    Unanswered,
    broken,
    refused,
    unsigned,
)
from dagster_project.connections.aws.operations import Operation, permissions, read
from dagster_project.connections.aws.pace import Pace
from dagster_project.connections.aws.sign_in import SignIn, ready
from dagster_project.errors import AccessDenied, CloudError, NightshiftError

ASSUME_ROLE = read("sts", "AssumeRole")
"""Needed where a role is given, by the account that the run signs in with."""
WHO_AM_I = read("sts", "GetCallerIdentity")
"""Asked once where an account is given; every principal has the right."""
READS, WRITES = (ASSUME_ROLE, WHO_AM_I), ()
PERMISSIONS = permissions(*READS)

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 4
_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 20.0
_SESSION = "nightshift"
_random = random.SystemRandom()
Json = dict[str, Any]


@dataclass
class Tally:
    """Requests that were sent, those that were sent again among them, and how many of them AWS refused for now."""

    calls: int = 0
    throttles: int = 0


class Connection:
    """Requests to one region of one account, from any number of threads. Credentials come from where boto3 looks for them, and of
    a role, where one is given, from STS; those are renewed before they expire, and once where they are refused as expired."""

    def __init__(
        self,
        *,
        region: str,
        account_id: str | None = None,
        role_arn: str | None = None,
        external_id: str | None = None,
        endpoint_url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        connections: int = 10,
        at: Clock = clock,
        beside: Connection | None = None,
    ) -> None:
        """Sends nothing yet. ``account_id`` is the account that the credentials must be of; ``endpoint_url`` stands in for every
        service of AWS; ``timeout_seconds`` is for one attempt; ``connections`` are kept open for each service. ``beside`` is a
        connection to the same account whose sign-in is shared."""
        self._region = region
        self._account_id = account_id
        self._role_arn = role_arn
        self._external_id = external_id
        self._attempts = attempts
        self._connections = connections
        self._at = at
        self.tally = Tally()
        self._guard = threading.RLock()
        # Not the guard of the clients: one thread may hold that and wait for another that signs in and counts.
        self._counting = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._opened: list[Any] = []
        self._paces: dict[str, Pace] = {}
        self._session: Any = None
        self._version = -1
        self._is_owner = beside is None
        if beside is not None:
            self._sign_in, self._checked = beside._sign_in, beside._checked
            return
        self._sign_in = SignIn(
            region=region,
            endpoint_url=endpoint_url,
            timeout_seconds=timeout_seconds,
            assume=None if role_arn is None else self._assume,
        )
        self._checked = _Checked(is_right=account_id is None)

    def ask(self, operation: Operation, thing: str, **parameters: Any) -> Json:
        """What AWS answers. A write is sent again only where AWS says that it did nothing.

        Raises ``CapacityShortage``, ``CloudRefused``, ``CloudError`` or ``AccessDenied``; ``thing`` is what their messages name.
        """
        if not self._checked.is_right:
            self._check_account()
        return self._ask(operation, thing, parameters)

    def _ask(self, operation: Operation, thing: str, parameters: Json) -> Json:
        return self._repeated(
            operation, lambda: self._sent(lambda: self._client(operation.service), operation, thing, parameters)
        )

    def _check_account(self) -> None:
        """Names of groups and databases are the same in many accounts: nothing is asked of another one than was meant."""
        with self._checked.guard:
            if self._checked.is_right:
                return
            account = self._ask(WHO_AM_I, "the account", {})["Account"]
            if account != self._account_id:
                raise AccessDenied(
                    f"The credentials are of the account {account}, not of {self._account_id}; correct aws.accounts or its role."
                )
            self._checked.is_right = True

    def find(self, operation: Operation, thing: str, absent: str, **parameters: Any) -> Json | None:
        """As ``ask``; None where AWS refuses with the code ``absent``."""
        try:
            return self.ask(operation, thing, **parameters)
        except Refused as refusal:
            if refusal.code == absent:
                return None
            raise

    def pages(self, operation: Operation, thing: str, mark: str = "NextToken", **parameters: Any) -> Iterator[Json]:
        """Answers of a list, page by page, as far as the caller reads; ``mark`` is what its operation calls the place of the
        next page.

        Raises ``CloudError`` also where a list comes back to a page that it had: it would never end.
        """
        token: Json = {}
        had: set[str] = set()
        while True:
            answer = self.ask(operation, thing, **parameters, **token)
            yield answer
            following = answer.get(mark)
            if not following:
                return
            if following in had:
                raise CloudError(
                    f"AWS begins {operation.name} of {thing} again and again, so that it never ends; ask again later."
                )
            had.add(following)
            token = {mark: following}

    def close(self) -> None:
        """Closes what is open. The next request opens it anew."""
        with self._guard:
            for each in self._opened:
                each.close()
            self._opened.clear()
            self._clients.clear()
            self._session = None
            if self._is_owner:
                self._sign_in.close()

    def _repeated(self, operation: Operation, once: Callable[[], Json | NightshiftError]) -> Json:
        pace, is_renewed, attempt = self._pace(operation.service), False, 1
        while True:
            pace.wait()
            version = self._sign_in.version
            answer = once()
            if isinstance(answer, dict):
                pace.answered()
                return answer
            if isinstance(answer, Throttled):
                pace.refused()
                with self._counting:
                    self.tally.throttles += 1
            if isinstance(answer, Expired) and not is_renewed and operation is not ASSUME_ROLE:
                # Nothing was done; what was at hand expired early, or the role's sessions were revoked.
                is_renewed = True
                self._sign_in.renew(version)
                continue
            is_safe = isinstance(answer, NothingDone) or (isinstance(answer, Unanswered) and not operation.is_write)
            if not is_safe or attempt == self._attempts:
                raise answer
            longest = min(_LONGEST_BACKOFF_SECONDS, _BACKOFF_SECONDS * 2 ** (attempt - 1))
            self._at.sleep(longest * _random.uniform(0.5, 1.0))
            attempt += 1

    def _pace(self, service: str) -> Pace:
        with self._counting:
            return self._paces.setdefault(service, Pace(self._at))

    def _sent(self, client: Callable[[], Any], operation: Operation, thing: str, parameters: Json) -> Json | NightshiftError:
        """One attempt: an answer, or what went wrong. Nothing is raised in the handlers: botocore's errors hold what was sent.

        Raises only what went wrong with the role, which was tried often enough; nothing else was sent then.
        """
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            signed = client()
        except (ClientError, BotoCoreError, ResponseParserError, OSError, RuntimeError) as error:
            return unsigned(operation, thing, error)
        with self._counting:
            self.tally.calls += 1
        try:
            answer: Json = getattr(signed, xform_name(operation.name))(**parameters)
            # Of JSON, botocore reads a page of somebody in between as an answer that lists nothing.
            kind = answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", "")
            return broken(operation, thing, ResponseParserError()) if "html" in kind else answer
        except ClientError as error:
            return refused(operation, thing, error.response)
        except (BotoCoreError, ResponseParserError, OSError, RuntimeError) as error:
            return broken(operation, thing, error)

    def _client(self, service: str) -> Any:
        """A client that is signed in."""
        with self._guard:
            session, version = self._sign_in.session()
            if version != self._version or self._session is not session:
                # Others may still be in the middle of a request with the former ones, which are closed at the end.
                self._clients.clear()
                self._version, self._session = version, session
            if service not in self._clients:
                self._clients[service] = self._sign_in.client(session, service, self._region, self._connections)
                self._opened.append(self._clients[service])
            return ready(session, self._clients[service])

    def _assume(self, sts: Callable[[], Any]) -> Json:
        """Credentials of the role, as botocore keeps them."""
        asked = {"RoleArn": self._role_arn, "RoleSessionName": _SESSION}
        if self._external_id is not None:
            asked["ExternalId"] = self._external_id
        thing = f"the role {self._role_arn}"
        given = self._repeated(ASSUME_ROLE, lambda: self._sent(sts, ASSUME_ROLE, thing, asked))["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }


@dataclass
class _Checked:
    """Whether the credentials are known to be of the right account; connections to it share this."""

    is_right: bool

    def __post_init__(self) -> None:
        self.guard = threading.RLock()

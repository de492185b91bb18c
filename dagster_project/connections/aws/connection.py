"""One request to AWS: signed in, timed, sent again as far as that is safe, and its failure told in one sentence.

botocore's own retries are off. It repeats a write whose answer was lost, and waits by a clock that tests cannot set.
"""

from __future__ import annotations

import functools
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dagster_project import __version__, clock
from dagster_project.clock import Clock
from dagster_project.connections.aws.failures import NothingDone, Refused, Unanswered, broken, refused, unsigned
from dagster_project.connections.aws.operations import Operation, permissions, read
from dagster_project.errors import AccessDenied, NightshiftError

ASSUME_ROLE = read("sts", "AssumeRole")
"""Needed where a role is given, by the account that the run signs in with."""
WHO_AM_I = read("sts", "GetCallerIdentity")
"""Asked once where an account is given; every principal has the right."""
READS, WRITES = (ASSUME_ROLE, WHO_AM_I), ()
PERMISSIONS = permissions(*READS)

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 4
_BACKOFF_SECONDS = 1.0
_LONGEST_CONNECT_SECONDS = 10.0
_SESSION = "nightshift"
_random = random.SystemRandom()
Json = dict[str, Any]


class Connection:
    """Requests to one region of one account. Credentials come from where boto3 looks for them, and of a role, where one is given,
    from STS; those are renewed before they expire."""

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
        at: Clock = clock,
    ) -> None:
        """Sends nothing yet. ``account_id`` is the account that the credentials must be of; ``endpoint_url`` stands in for every
        service of AWS; ``timeout_seconds`` is for one attempt."""
        self._region = region
        self._account_id = account_id
        self._is_right_account = account_id is None
        self._role_arn = role_arn
        self._external_id = external_id
        self._endpoint_url = endpoint_url
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._at = at
        self._guard = threading.RLock()
        self._session: Any = None
        self._clients: list[Any] = []
        self._by_service: dict[str, Any] = {}

    def ask(self, operation: Operation, thing: str, **parameters: Any) -> Json:
        """What AWS answers. A write is sent again only where AWS says that it did nothing.

        Raises ``CapacityShortage``, ``CloudRefused``, ``CloudError`` or ``AccessDenied``; ``thing`` is what their messages name.
        """
        if not self._is_right_account:
            self._check_account()
        return self._ask(operation, thing, parameters)

    def _ask(self, operation: Operation, thing: str, parameters: Json) -> Json:
        return self._repeated(
            operation, lambda: self._sent(lambda: self._client(operation.service), operation, thing, parameters)
        )

    def _check_account(self) -> None:
        """Names of groups and databases are the same in many accounts: nothing is asked of another one than was meant."""
        account = self._ask(WHO_AM_I, "the account", {})["Account"]
        if account != self._account_id:
            raise AccessDenied(
                f"The credentials are of the account {account}, not of {self._account_id}; correct aws.accounts or its role."
            )
        self._is_right_account = True

    def find(self, operation: Operation, thing: str, absent: str, **parameters: Any) -> Json | None:
        """As ``ask``; None where AWS refuses with the code ``absent``."""
        try:
            return self.ask(operation, thing, **parameters)
        except Refused as refusal:
            if refusal.code == absent:
                return None
            raise

    def pages(self, operation: Operation, thing: str, **parameters: Any) -> Iterator[Json]:
        """Answers of a list, page by page, as far as the caller reads."""
        token: Json = {}
        while True:
            answer = self.ask(operation, thing, **parameters, **token)
            yield answer
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def close(self) -> None:
        """Closes what is open. The next request opens it anew."""
        with self._guard:
            for each in self._clients:
                each.close()
            self._clients.clear()
            self._by_service.clear()
            self._session = None

    def _repeated(self, operation: Operation, once: Callable[[], Json | NightshiftError]) -> Json:
        for attempt in range(1, self._attempts + 1):
            answer = once()
            if isinstance(answer, dict):
                return answer
            is_safe = isinstance(answer, NothingDone) or (isinstance(answer, Unanswered) and not operation.is_write)
            if not is_safe or attempt == self._attempts:
                break
            self._at.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1) * _random.uniform(0.5, 1.0))
        raise answer

    def _sent(self, client: Callable[[], Any], operation: Operation, thing: str, parameters: Json) -> Json | NightshiftError:
        """One attempt: an answer, or what went wrong. Nothing is raised in the handlers: botocore's errors hold what was sent.

        Raises only what went wrong with the role, which was tried often enough; nothing else was sent then.
        """
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            ready = client()
        except (ClientError, BotoCoreError, ResponseParserError, OSError, RuntimeError) as error:
            return unsigned(operation, thing, error)
        try:
            answer: Json = getattr(ready, xform_name(operation.name))(**parameters)
            return answer
        except ClientError as error:
            return refused(operation, thing, error.response)
        except (BotoCoreError, ResponseParserError, OSError, RuntimeError) as error:
            return broken(operation, thing, error)

    def _client(self, service: str) -> Any:
        """A client that is signed in."""
        with self._guard:
            if self._session is None:
                self._session = self._signed_in()
            if service not in self._by_service:
                self._by_service[service] = self._opened(self._session, service)
            return _ready(self._session, self._by_service[service])

    def _signed_in(self) -> Any:
        own = _session()
        if self._role_arn is None:
            return own
        from botocore.credentials import DeferredRefreshableCredentials

        assumed = _session()
        sts = self._opened(own, "sts")
        credentials = DeferredRefreshableCredentials(lambda: self._assume(lambda: _ready(own, sts)), "assume-role")
        assumed.register_component("credential_provider", _Role(credentials))
        return assumed

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

    def _opened(self, session: Any, service: str) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=min(self._timeout_seconds, _LONGEST_CONNECT_SECONDS),
            read_timeout=self._timeout_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"nightshift/{__version__}",
        )
        client = session.create_client(service, region_name=self._region, endpoint_url=self._endpoint_url, config=config)
        self._clients.append(client)
        return client


class _Role:
    """Stands where botocore looks for credentials."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        return self._credentials


def _ready(session: Any, client: Any) -> Any:
    """The client, when what it signs with is at hand: what goes wrong with that must not look as if a request was sent."""
    credentials = session.get_credentials()
    if credentials is not None:
        credentials.get_frozen_credentials()
    return client


def _session() -> Any:
    """What finds credentials and makes clients; boto3 is a face of it."""
    import botocore.session

    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    return session


@functools.cache
def _descriptions() -> Any:
    """AWS's descriptions of its services: megabytes, which a process reads once and not for each account and region."""
    from botocore.loaders import create_loader

    return create_loader()

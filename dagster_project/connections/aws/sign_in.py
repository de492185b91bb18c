"""Who signs requests: the own credentials, or those of a role, which are renewed before they expire. Regions of one account
share it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from dagster_project import __version__
from dagster_project.connections.aws.parsing import parser_factory

_LONGEST_CONNECT_SECONDS = 10.0
Json = dict[str, Any]
Assume = Callable[[Callable[[], Any]], Json]
"""Asks STS, by a client that the given function hands out, for credentials of a role as botocore keeps them."""


class SignIn:
    """The session that clients are made of. boto3 is a face of it."""

    def __init__(self, *, region: str, endpoint_url: str | None, timeout_seconds: float, assume: Assume | None) -> None:
        """``assume`` gives the credentials of a role; without it the own ones sign. STS is asked in ``region``."""
        self._region = region
        self._endpoint_url = endpoint_url
        self._timeout_seconds = timeout_seconds
        self._assume = assume
        self._guard = threading.RLock()
        self._session: Any = None
        self._sts: Any = None
        self._version = 0

    @property
    def version(self) -> int:
        """Counts how often it was begun anew."""
        return self._version

    def session(self) -> tuple[Any, int]:
        """The session, and its version."""
        with self._guard:
            if self._session is None:
                self._session = self._begun()
            return self._session, self._version

    def renew(self, version: int) -> None:
        """Begins anew, unless somebody did since ``version``: what was at hand is no longer accepted."""
        with self._guard:
            if version == self._version:
                self.close()
                self._version += 1

    def close(self) -> None:
        """Forgets the session. The next request begins one."""
        with self._guard:
            if self._sts is not None:
                self._sts.close()
            self._session = self._sts = None

    def client(self, session: Any, service: str, region: str, connections: int = 10) -> Any:
        """A client of a service in a region. botocore's own retries are off. One is made at a time: a session puts its parts
        together when the first ones are, and regions of an account share it."""
        from botocore.config import Config

        config = Config(
            connect_timeout=min(self._timeout_seconds, _LONGEST_CONNECT_SECONDS),
            read_timeout=self._timeout_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=connections,
            user_agent_extra=f"nightshift/{__version__}",
        )
        with self._guard:
            return session.create_client(service, region_name=region, endpoint_url=self._endpoint_url, config=config)

    def _begun(self) -> Any:
        own = _new_session()
        if self._assume is None:
            return own
        from botocore.credentials import DeferredRefreshableCredentials

        assume, assumed = self._assume, _new_session()
        sts = self._sts = self.client(own, "sts", self._region)
        credentials = DeferredRefreshableCredentials(lambda: assume(lambda: ready(own, sts)), "assume-role")
        assumed.register_component("credential_provider", _Role(credentials))
        return assumed


class _Role:
    """Stands where botocore looks for credentials."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        return self._credentials


def ready(session: Any, client: Any) -> Any:
    """The client, when what it signs with is at hand: what goes wrong with that must not look as if a request was sent."""
    credentials = session.get_credentials()
    if credentials is not None:
        credentials.get_frozen_credentials()
    return client


def _new_session() -> Any:
    import botocore.session

    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    session.register_component("response_parser_factory", parser_factory())
    return session


@functools.cache
def _descriptions() -> Any:
    """AWS's descriptions of its services: megabytes, which a process reads once and not for each account and region."""
    from botocore.loaders import create_loader

    return create_loader()

"""moto, asked in process: it keeps instances, groups, templates and databases, and is lax about all of them."""

from __future__ import annotations

import itertools
import os
from functools import cache
from typing import Any
from urllib.parse import urlencode

from botocore.serialize import create_serializer
from moto.backends import get_backend
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from tests.aws.wire import Json, operation_model, protocol, understand

REGION = "eu-west-1"
SERVICES = ("ec2", "autoscaling", "rds")
# moto holds what all servers of a process have under numbers of its own, so that two of them share nothing.
_numbers = itertools.count(900_000_000_001)
# Thousands of images would be read, and none is asked for.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


@cache
def _client() -> Client:
    return Client(DomainDispatcherApplication(create_backend_app))


class Backend:
    """One region of one account of moto's; nobody else uses it. moto's number of the account is never seen."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account.encode()
        self._number = str(next(_numbers))
        self._region = region
        self._listed: dict[tuple[str, str], Json] = {}

    def call(self, service: str, operation: str, **parameters: Any) -> Json:
        """The result of an operation. Raises ``Refusal``."""
        if not operation.startswith("Describe"):
            self._listed.clear()
        form = create_serializer(protocol(service)).serialize_to_request(parameters, operation_model(service, operation))
        signed_for = get_service_model(service).signing_name
        headers = {
            "Host": f"{service}.{self._region}.amazonaws.com",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=moto/20250310/{self._region}/{signed_for}/aws4_request",
            "Content-Type": "application/x-www-form-urlencoded",
            "x-moto-account-id": self._number,
        }
        with _client().post("/", data=urlencode(form["body"]), headers=headers) as answer:
            body = answer.data.replace(self._number.encode(), self._account)
            return understand(service, operation, answer.status_code, body)

    def listed(self, service: str, operation: str) -> Json:
        """The result of an operation that describes everything: kept until something changes, and not to be written to."""
        if (service, operation) not in self._listed:
            self._listed[service, operation] = self.call(service, operation)
        return self._listed[service, operation]

    def forget(self) -> None:
        """Lets go of what moto holds."""
        for name in SERVICES:
            get_backend(name).pop(self._number, None)  # type: ignore[arg-type]


def begin_anew() -> None:
    """Ids that moto makes up are the same again."""
    mock_random.seed(1)

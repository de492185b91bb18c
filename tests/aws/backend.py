"""moto, asked in process: it keeps instances, groups, templates and databases, and is lax about all of them."""

from __future__ import annotations

import itertools
import os
from typing import Any
from urllib.parse import urlencode

from botocore.serialize import create_serializer
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from tests.aws.wire import Json, operation_model, understand

REGION = "eu-west-1"
_accounts = itertools.count(111_111_111_111)


class Backend:
    """One account of moto's; nobody else uses it."""

    def __init__(self) -> None:
        # Thousands of images would be read at each reset, and none is asked for.
        os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
        self._account = str(next(_accounts))
        self._client = Client(DomainDispatcherApplication(create_backend_app))

    def call(self, service: str, operation: str, **parameters: Any) -> Json:
        """The result of an operation. Raises ``Refusal``."""
        form = create_serializer("ec2" if service == "ec2" else "query").serialize_to_request(
            parameters, operation_model(service, operation)
        )
        headers = {
            "Host": f"{service}.{REGION}.amazonaws.com",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=moto/20250310/{REGION}/{service}/aws4_request",
            "Content-Type": "application/x-www-form-urlencoded",
            "x-moto-account-id": self._account,
        }
        with self._client.post("/", data=urlencode(form["body"]), headers=headers) as answer:
            return understand(service, operation, answer.status_code, answer.data)

    def reset(self) -> None:
        """Empties the account."""
        for name in ("ec2", "autoscaling", "rds"):
            get_backend(name)[self._account].reset()

"""What goes over the wire: forms in, XML out, both as AWS's own models of its services say. What is JSON is in documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import OperationNotFoundError
from botocore.parsers import create_parser
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from tests.aws import documents

SERVICES = ("ec2", "autoscaling", "rds", "sts", *documents.SERVICES)
SIGNED_AS = {"monitoring": "cloudwatch"}
Json = dict[str, Any]


class Refusal(Exception):
    """AWS refuses, or fails."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Asked:
    """A request. ``key`` and ``token`` are what it was signed with."""

    service: str
    operation: str
    region: str
    parameters: Json
    key: str | None
    token: str | None


@dataclass(frozen=True)
class Answer:
    """What the client reads."""

    status: int
    body: bytes
    content_type: str = "text/xml"


def read(headers: Mapping[str, str], body: bytes) -> Asked:
    """A request as its parameters. Raises ``LookupError`` for services and operations that AWS does not have."""
    signed = re.search(r"Credential=([^/]+)/[0-9]{8}/([^/]+)/([^/]+)/aws4_request", headers.get("Authorization", ""))
    service = SIGNED_AS.get(signed[3], signed[3]) if signed else ""
    if not signed or service not in SERVICES:
        raise LookupError(f"a request that is not signed for {', '.join(SERVICES)}")
    token = headers.get("X-Amz-Security-Token")
    if service in documents.SERVICES:
        model = operation_model(service, documents.operation_name(headers))
        return Asked(service, model.name, signed[2], documents.parameters(model, body), signed[1], token)
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    model = operation_model(signed[3], form.get("Action", ""))
    parser = PROTOCOL_PARSERS[_protocol(signed[3])](model)
    parameters = parser.parse(
        {"values": form, "body": body, "headers": headers, "method": "POST", "url_path": "/", "url_params": {}}
    )
    return Asked(signed[3], model.name, signed[2], parameters, signed[1], token)


def answer(service: str, operation: str, result: Json) -> Answer:
    """A result as XML, or as JSON."""
    if service in documents.SERVICES:
        return Answer(200, documents.result(result), documents.CONTENT_TYPE)
    serializer = get_serializer_class(service, _protocol(service))(
        operation_model(service, operation), SerializationContext("nightshift")
    )
    body = serializer.serialize(result)["body"]
    return Answer(200, body if isinstance(body, bytes) else body.encode())


def refuse(service: str, refusal: Refusal) -> Answer:
    """A refusal as XML, or as JSON."""
    if service in documents.SERVICES:
        return Answer(refusal.status, documents.refusal(refusal.code, refusal.message), documents.CONTENT_TYPE)
    told = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{told}</Error></Errors><RequestID>nightshift</RequestID></Response>"
    else:
        side = "Sender" if refusal.status < 500 else "Receiver"
        text = f"<ErrorResponse><Error><Type>{side}</Type>{told}</Error><RequestId>nightshift</RequestId></ErrorResponse>"
    return Answer(refusal.status, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode())


def understand(service: str, operation: str, status: int, body: bytes) -> Json:
    """XML as a result. Raises ``Refusal`` where it is one."""
    parser = create_parser(_protocol(service))
    parsed = parser.parse({"status_code": status, "headers": {}, "body": body}, operation_model(service, operation).output_shape)
    parsed.pop("ResponseMetadata", None)
    if "Error" in parsed:
        raise Refusal(status, parsed["Error"]["Code"], parsed["Error"]["Message"])
    return dict(parsed)


def operation_model(service: str, operation: str) -> OperationModel:
    try:
        return get_service_model(service).operation_model(operation)
    except OperationNotFoundError:
        raise LookupError(f"{service} has no operation {operation}") from None


def _protocol(service: str) -> str:
    return "ec2" if service == "ec2" else "query"

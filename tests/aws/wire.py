"""What goes over the wire: forms in, XML out, both as AWS's own models of its services say. What is JSON is in documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
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

Json = dict[str, Any]


class Refusal(Exception):
    """AWS refuses, or fails."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Request:
    """What came over HTTP."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    path: str = "/"


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
    headers: tuple[tuple[str, str], ...] = ()


def read(request: Request, services: frozenset[str]) -> Asked:
    """A request as its parameters. Raises ``LookupError`` for services that are not among those and for operations that AWS
    does not have."""
    scope = re.search(r"Credential=([^/]+)/[0-9]{8}/([^/]+)/([^/]+)/aws4_request", request.headers.get("Authorization", ""))
    service = _signed_as(services).get(scope[3]) if scope else None
    if not scope or not service:
        raise LookupError(f"a request that is not signed for {', '.join(sorted(services))}")
    token = request.headers.get("X-Amz-Security-Token")
    operation, parameters = _READERS[protocol(service)](service, request)
    return Asked(service, operation, scope[2], parameters, scope[1], token)


def answer(service: str, operation: str, result: Json) -> Answer:
    """A result as XML, or as JSON."""
    how = protocol(service)
    if how in documents.PROTOCOLS:
        return Answer(200, documents.result(result), documents.content_type(get_service_model(service)))
    serializer = get_serializer_class(service, how)(operation_model(service, operation), SerializationContext("nightshift"))
    body = serializer.serialize(result)["body"]
    return Answer(200, body if isinstance(body, bytes) else body.encode())


def refuse(service: str, refusal: Refusal) -> Answer:
    """A refusal as XML, or as JSON."""
    if protocol(service) in documents.PROTOCOLS:
        model, body = get_service_model(service), documents.refusal(refusal.code, refusal.message)
        return Answer(refusal.status, body, documents.content_type(model), documents.refusal_headers(model, refusal.code))
    told = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{told}</Error></Errors><RequestID>nightshift</RequestID></Response>"
    else:
        side = "Sender" if refusal.status < 500 else "Receiver"
        text = f"<ErrorResponse><Error><Type>{side}</Type>{told}</Error><RequestId>nightshift</RequestId></ErrorResponse>"
    return Answer(refusal.status, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode())


def understand(service: str, operation: str, status: int, body: bytes) -> Json:
    """XML as a result. Raises ``Refusal`` where it is one."""
    parser = create_parser(protocol(service))
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


@cache
def protocol(service: str) -> str:
    """How a service is spoken to: of those that it knows, the one that botocore takes."""
    known = get_service_model(service).metadata
    offered = known.get("protocols", [known["protocol"]])
    return next(each for each in ("json", "rest-json", "query", "ec2") if each in offered)


@cache
def _signed_as(services: frozenset[str]) -> dict[str, str]:
    """Services by the names that requests to them are signed for."""
    return {get_service_model(each).signing_name: each for each in services}


def _read_form(service: str, request: Request) -> tuple[str, Json]:
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    model = operation_model(service, form.get("Action", ""))
    parser = PROTOCOL_PARSERS[protocol(service)](model)
    given = {
        "values": form,
        "body": request.body,
        "headers": request.headers,
        "method": "POST",
        "url_path": "/",
        "url_params": {},
    }
    return model.name, parser.parse({**given, "url_path": "/", "url_params": {}})


def _read_document(service: str, request: Request) -> tuple[str, Json]:
    model = operation_model(service, documents.operation_name(request.headers))
    return model.name, documents.parameters(model, request.body)


def _read_path(service: str, request: Request) -> tuple[str, Json]:
    return documents.read_path(get_service_model(service), request.method, request.path, request.body)


_READERS = {"ec2": _read_form, "query": _read_form, "json": _read_document, "rest-json": _read_path}

"""What AWS says where it refuses: EC2 has words of its own, and so have services that speak JSON."""

from __future__ import annotations

from collections.abc import Sequence

from tests.aws.wire import Refusal, protocol

_LIKE_QUERY = frozenset({"cloudwatch"})
"""Services that speak JSON and kept the words of their query protocol."""


def style(service: str) -> str:
    """Whose words a service uses: ``ec2``, ``query`` or ``json``."""
    how = protocol(service)
    return how if how in ("ec2", "query") else "query" if service in _LIKE_QUERY else "json"


def stranger(service: str) -> Refusal:
    """The key is not known, or not in that region."""
    return {
        "ec2": Refusal(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        "query": Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid."),
        "json": Refusal(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    }[style(service)]


def elsewhere(service: str, region: str) -> Refusal:
    """The request is signed for a region in which the service has no endpoint."""
    message = f"Credential should be scoped to a valid region, not '{region}'."
    return Refusal(403, "InvalidSignatureException" if style(service) == "json" else "SignatureDoesNotMatch", message)


def invalid(service: str, problems: Sequence[str]) -> Refusal:
    """A request does not keep to what the model of the service says."""
    code = "ValidationException" if style(service) == "json" else "ValidationError"
    return Refusal(400, code, f"{len(problems)} validation error(s) detected: {'; '.join(problems)}")


def denied(service: str, action: str, who: str = "User") -> Refusal:
    """A right is missing."""
    message = f"{who} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    return {
        "ec2": Refusal(403, "UnauthorizedOperation", f"You are not authorized to perform this operation. {message}"),
        "query": Refusal(403, "AccessDenied", message),
        "json": Refusal(403 if protocol(service) == "rest-json" else 400, "AccessDeniedException", message),
    }[style(service)]


def throttled(service: str) -> Refusal:
    return {
        "ec2": Refusal(503, "RequestLimitExceeded", "Request limit exceeded."),
        "query": Refusal(400, "Throttling", "Rate exceeded"),
        "json": Refusal(429 if protocol(service) == "rest-json" else 400, "ThrottlingException", "Rate exceeded"),
    }[style(service)]


def expired(service: str) -> Refusal:
    message = "The security token included in the request is expired"
    return {
        "ec2": Refusal(400, "RequestExpired", "Request has expired."),
        "query": Refusal(403, "ExpiredToken", message),
        "json": Refusal(403 if protocol(service) == "rest-json" else 400, "ExpiredTokenException", message),
    }[style(service)]


def failed(service: str) -> Refusal:
    """AWS failed."""
    code = {"ec2": "InternalError", "query": "InternalFailure", "json": "InternalServerException"}[style(service)]
    return Refusal(500, code, "An internal error has occurred")


def unavailable(service: str) -> Refusal:
    code = {"ec2": "Unavailable", "query": "ServiceUnavailable", "json": "ServiceUnavailableException"}[style(service)]
    return Refusal(503, code, "The service is unavailable. Please try again")


def no_capacity(service: str, size: str) -> Refusal:
    """AWS has none of a size; EC2 says so as if it had failed."""
    if service == "rds":
        return Refusal(400, "InsufficientDBInstanceCapacity", f"{size} is not available in the Availability Zones.")
    return Refusal(
        500, "InsufficientInstanceCapacity", f"We currently do not have sufficient {size} capacity in the Availability Zone."
    )

"""What it means when AWS refuses or does not answer, as one of our errors.

    CloudError
    ├── NothingDone        it was never reached: anything may be sent again
    │   └── Throttled      it asks to wait
    ├── Unanswered         the answer is missing or says that AWS failed: a read may be sent again, of a write it is not known
    ├── CapacityShortage
    └── CloudRefused
        └── Refused        with AWS's code
            └── NotEnrolled   the account has not opted in to the service
    AccessDenied
    ├── Denied             a right is missing
    └── Expired            the credentials were accepted once and are no longer; nothing was done

No message holds a credential: of refusals that are about credentials AWS's words are left out, because they repeat the signed
request, and of all others what looks like one. Exceptions of botocore never become a cause or context, as they hold requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dagster_project.connections.aws.operations import Operation
from dagster_project.errors import AccessDenied, CapacityShortage, CloudError, CloudRefused, InputError, NightshiftError

_CAPACITY = frozenset(
    {
        "InsufficientCapacity", "InsufficientCapacityOnHost", "InsufficientDBInstanceCapacity", "InsufficientHostCapacity",
        "InsufficientInstanceCapacity", "InsufficientReservedInstanceCapacity",
    }
)  # fmt: skip
# Codes with which AWS says that it did nothing and that the same request may be sent later.
_WAIT = frozenset(
    {
        "EC2ThrottledException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "ResourceContention",
        "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip
_SIGNED_OUT = frozenset(
    {
        "AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId",
        "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken", "MissingAuthenticationToken", "RequestExpired",
        "SignatureDoesNotMatch", "UnrecognizedClientException",
    }
)  # fmt: skip
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_DENIED = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "Blocked", "NotAuthorized", "PendingVerification",
        "UnauthorizedOperation",
    }
)  # fmt: skip
_OPT_IN = frozenset({"OptInRequired", "OptInRequiredException"})
_NOT_ENROLLED = "not enrolled"
"""Services that an account opts in to refuse others with the code of a missing right; only their words tell the difference."""
_WORDS = 300
# The id of a key has 20 letters and digits, its secret 40 of base64, a token hundreds; the words of an encoded refusal likewise.
_SECRET = re.compile(r"\bA[A-Z]{3}[A-Z0-9]{16,}\b|[A-Za-z0-9+/=_%-]{40,}")


class NothingDone(CloudError):
    """AWS asks to wait or was not reached; it did nothing."""


class Throttled(NothingDone):
    """AWS asks to wait; it did nothing."""


class Denied(AccessDenied):
    """The credentials are good, and lack a right."""


class Expired(AccessDenied):
    """What signed the request has expired; AWS did nothing."""


class Unanswered(CloudError):
    """There is no answer, or one that says that AWS failed."""


class Refused(CloudRefused):
    """AWS will not do what was asked. ``code`` is its word for why."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class NotEnrolled(Refused):
    """The account has not opted in to the service: no right that could be given would help."""


def refused(operation: Operation, thing: str, answer: Mapping[str, Any]) -> NightshiftError:
    """What AWS's refusal means; ``answer`` is botocore's reading of it."""
    code, status = _code(answer), _status(answer)
    asked = f"{operation.name} of {thing}"
    # Codes come before the status: a lack of capacity is a 500, and a limit of EC2 a 503.
    if code in _CAPACITY:
        return CapacityShortage(f"AWS has no capacity for {asked} now ({code}); try again later, or with another size.")
    if code in _WAIT or status == 429:
        return Throttled(f"AWS asks to wait with {asked} ({code}); nothing was done, and it can be asked again later.")
    if code in _SIGNED_OUT:
        kind = Expired if code in _EXPIRED else AccessDenied
        return kind(f"AWS does not accept the credentials for {asked} ({code}); renew them.")
    if code in _OPT_IN or (status < 500 and _NOT_ENROLLED in words(answer).lower()):
        return NotEnrolled(f"The account is not enrolled in what answers {asked} ({code}); enroll it there first.", code)
    if code in _DENIED or status in (401, 403):
        return Denied(f"AWS does not allow {asked} ({code or status}); {needed(operation)}.")
    if 400 <= status < 500:
        return Refused(f"AWS refused {asked} ({code}), and did nothing: {words(answer)}", code)
    return Unanswered(f"AWS failed with {code or status} at {asked}; {_what_is_known(operation)}.")


def broken(operation: Operation, thing: str, error: Exception) -> NightshiftError:
    """What it means that botocore gave up on its own; ``error`` is named by its kind only."""
    from botocore import exceptions as known

    kind = type(error).__name__
    asked = f"{operation.name} of {thing}"
    if isinstance(error, known.ParamValidationError):
        return CloudRefused(f"AWS takes no {asked} with such parameters, and nothing was asked; correct its name and sizes.")
    if isinstance(error, known.BaseEndpointResolverError | known.InvalidRegionError | known.UnknownRegionError):
        return InputError(f"{asked} cannot be asked of that region ({kind}); correct the region.")
    # Only what happens before a connection is there: TLS may break after a request was sent, too.
    if isinstance(error, known.EndpointConnectionError | known.ConnectTimeoutError | known.ProxyConnectionError):
        return NothingDone(f"AWS cannot be reached for {asked} ({kind}), and nothing was done; see the network and the region.")
    without_credentials = (
        known.NoCredentialsError, known.PartialCredentialsError, known.CredentialRetrievalError, known.UnknownCredentialError,
        known.MetadataRetrievalError, known.NoAuthTokenError, known.TokenRetrievalError, known.SSOError, known.LoginError,
        known.ProfileNotFound, known.ConfigNotFound, known.ConfigParseError, known.InvalidConfigError,
        RuntimeError,  # what was renewed had expired already
    )  # fmt: skip
    if isinstance(error, without_credentials):
        return AccessDenied(f"There are no usable AWS credentials for {asked} ({kind}); {needed(operation)}.")
    return Unanswered(f"AWS did not answer {asked} ({kind}); {_what_is_known(operation)}.")


def unsigned(operation: Operation, thing: str, error: Exception) -> NightshiftError:
    """What it means that there is nothing to sign a request with: it was not sent. Profiles may ask AWS for it on their own."""
    from botocore.exceptions import ClientError

    asked = f"{operation.name} of {thing}"
    if isinstance(error, ClientError):
        code, status = _code(error.response), _status(error.response)
        if code in _WAIT or status >= 500:
            return NothingDone(f"AWS did not sign in for {asked} ({error.operation_name}: {code}), and nothing was done.")
        why = f"{error.operation_name}: {code}"
        return AccessDenied(f"AWS refused to sign in for {asked} ({why}); see the credentials and the role of their profile.")
    failure = broken(operation, thing, error)
    if isinstance(failure, Unanswered):
        return NothingDone(f"There was no answer when signing in for {asked} ({type(error).__name__}), and nothing was done.")
    return failure


def needed(operation: Operation) -> str:
    """Which rights to give."""
    told = [f"the account needs {' and '.join(operation.permissions)}"]
    told += [f"{right} {case}" for right, case in operation.conditional]
    if any(grant.is_tagged for grant in operation.grants):
        told.append("with the policy of 'nightshift iam-policy --apply' the tag must be there")
    if operation.name == "AssumeRole":
        told.append("the role must trust it, with the external id of the settings")
    return ", and ".join(told)


def words(answer: Mapping[str, Any]) -> str:
    """AWS's own words, short, without what looks like a credential."""
    told = " ".join(str(answer.get("Error", {}).get("Message", "")).split())
    return f"{_SECRET.sub('…', told)[:_WORDS].rstrip('.') or 'no reason given'}."


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("Error", {}).get("Code", ""))


def _status(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _what_is_known(operation: Operation) -> str:
    return "it is not known whether it was done, so look before asking again" if operation.is_write else "ask again later"

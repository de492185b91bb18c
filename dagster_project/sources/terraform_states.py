"""The bytes of a Terraform state: a file, or an object in S3. It holds secrets: no error repeats any of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dagster_project.errors import AccessDenied, InputError, SourceUnavailable

_TIMEOUT_SECONDS = 30
_ATTEMPTS = 3
PERMISSIONS = ("s3:GetObject",)
"""What reading a state from S3 needs."""


def read(location: str, max_bytes: int) -> bytes:
    """Reads a state of at most ``max_bytes``.

    Raises ``InputError`` where there is none, ``AccessDenied`` where it may not be read, ``SourceUnavailable`` where S3 does not
    answer.
    """
    if location.startswith("s3://"):
        return _from_s3(location, max_bytes)
    try:
        path = Path(location).expanduser()
        if path.stat().st_size > max_bytes:
            raise InputError(f"The state {location} has more than {max_bytes // 1_000_000} MB; split the root.")
        return path.read_bytes()
    except (FileNotFoundError, ValueError, RuntimeError):  # no such file, no name of a file, no such home
        raise InputError(f"There is no state {location}; write it with 'terraform state pull', or correct the setting.") from None
    except OSError as error:
        raise AccessDenied(f"The state {location} cannot be read ({error.strerror}); let this user read it.") from None


def _from_s3(location: str, max_bytes: int) -> bytes:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    parts = urlsplit(location)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    if not bucket or not key:
        raise InputError(f"{location} is no address of a state; write s3://bucket/key.")
    config = Config(
        connect_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    refusal: Exception
    try:
        client: Any = boto3.client("s3", config=config)
        found = client.get_object(Bucket=bucket, Key=key)
        with closing(found["Body"]) as body:
            if found["ContentLength"] > max_bytes:
                raise InputError(f"The state {location} has more than {max_bytes // 1_000_000} MB; split the root.")
            data: bytes = body.read()
            return data
    except NoCredentialsError:
        refusal = AccessDenied(f"There are no AWS credentials to read {location} with; give some that allow s3:GetObject.")
    except ClientError as error:
        refusal = _told(location, error.response)
    except (BotoCoreError, OSError) as error:
        refusal = SourceUnavailable(f"S3 did not give {location} ({type(error).__name__}); the next night tries again.")
    # Not inside of the handlers: an error of a connection that broke holds what was read of the state by then.
    raise refusal


def _told(location: str, answer: Mapping[str, Any]) -> Exception:
    """What S3's refusal means."""
    code = answer.get("Error", {}).get("Code", "")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("NoSuchKey", "NoSuchBucket", "404"):
        return InputError(f"There is no state {location}; correct the setting.")
    if status in (401, 403):
        return AccessDenied(f"AWS does not let this account read {location}; it needs s3:GetObject.")
    return SourceUnavailable(f"S3 refused {location} ({code or status}); the next night tries again.")

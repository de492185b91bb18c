"""Secrets of every kind, planted anywhere, are gone; what only looks like one stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.incidents.redaction import Redactor, secrets_removed

# Made up for these tests; put together so that no scanner takes this file for a leak.
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
CLASSIC = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
FINE = "github_pat_" + "11ABCDEFG0abcdefghijkl_" + "mnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg"
SLACK = "xoxb-" + "263594206564-2343594206564-FGqddMF8t08v8N7Oq4i57vs1"
WEBHOOK = "https://hooks.slack.com/services/" + "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx8Qz9vTq\n3nJ1c2Lr8b==\n-----END RSA PRIVATE KEY-----"
CUT_PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\nAAAAAAAAABAAAB"
BARE = "Zk8Qw3rT9vLp2XcN7mBd"

# What is written, and the part of it that must not survive.
PLANTED = {
    "aws key": (f"key {AWS_KEY} was used", AWS_KEY),
    "aws secret by name": (f"aws_secret_access_key = {AWS_SECRET}", AWS_SECRET),
    "aws secret alone": (f"it printed {AWS_SECRET} and stopped", AWS_SECRET),
    "aws session token": (f"AWS_SESSION_TOKEN={BARE}{BARE}//{BARE}==", BARE),
    "github classic": (f"token {CLASSIC}.", CLASSIC),
    "github oauth": ("gho_" + "a" * 36, "gho_" + "a" * 36),
    "github fine-grained": (f"`{FINE}`", FINE),
    "gitlab": ("glpat-" + "aB3dE5fG7hI9kL1mN3oP", "glpat-aB3dE5fG7hI9kL1mN3oP"),
    "slack token": (SLACK, SLACK),
    "slack app token": ("xapp-1-A0123-456-abcdef0123456789", "abcdef0123456789"),
    "slack webhook": (f"posted to {WEBHOOK}", "XXXXXXXXXXXXXXXXXXXXXXXX"),
    "jwt": (f"cookie was {JWT}", JWT),
    "pem": (f"here:\n{PEM}\nbye", "MIIEowIBAAKCAQEAx8Qz9vTq"),
    "pem in json": (f'"key": "{PEM}"'.replace("\n", "\\n"), "MIIEowIBAAKCAQEAx8Qz9vTq"),
    "pem cut off": (CUT_PEM, "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"),
    "bearer": (f'curl -H "Authorization: Bearer {BARE}"', BARE),
    "authorization token": ("Authorization: token 0123456789abcdef0123", "0123456789abcdef0123"),
    "basic": ("authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
    "bearer alone": (f"sent bearer {BARE}", BARE),
    "api key header": (f"x-api-key: {BARE}", BARE),
    "cookie": (f"Cookie: session={BARE}; theme=dark", BARE),
    "password": ("password=hunter2", "hunter2"),
    "password in yaml": ("password: swordfish", "swordfish"),
    "password in json": ('{"db_password": "correct horse battery"}', "correct horse battery"),
    "password in prose": ("the password was hunter2", "hunter2"),
    "password argument": ("mysql --password hunter2 -h db", "hunter2"),
    "pwd": ("Server=db;Uid=app;Pwd=s3cr3t!;", "s3cr3t!"),
    "passphrase": ("passphrase='open sesame'", "open sesame"),
    "client secret": ("client_secret=abc123def456", "abc123def456"),
    "api key": ("API_KEY: 9f8e7d6c5b4a", "9f8e7d6c5b4a"),
    "token in code": ("token: `9f8e7d6c5b4a3f2e`", "9f8e7d6c5b4a3f2e"),
    "random assignment": (f"STRIPE_LIVE={BARE}4Fz1", BARE),
    "stripe": ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqLyjWDarjtT1zdp7dc"),
    "google": ("AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"),
    "npm": ("npm_" + "aB3dE5fG7hI9kL1mN3oPaB3dE5fG7hI9kL1m", "aB3dE5fG7hI9kL1mN3oP"),
    "sendgrid": ("SG." + "aB3dE5fG7hI9kL1mN3oPqR." + "aB3dE5fG7hI9kL1mN3oPaB3dE5fG7hI9kL1mN3oPqRs", "aB3dE5fG7hI9kL1mN3oPaB3"),
    "vault": ("hvs." + "CAESIJlWh7dFq2sXkz9vLp2XcN7mBd", "CAESIJlWh7dFq2sXkz9vLp2XcN7mBd"),
    "url credentials": ("postgres://app:s3cr3t@db:5432/payments", "s3cr3t"),
    "url credentials with @": ("amqp://app:p@ss@mq:5672", "p@ss"),
    "url token": ("git clone https://x-access-token@example.com/r.git", "x-access-token@"),
    "signed url": (
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=ABC%2F20250303&X-Amz-Signature=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    ),
    "sas url": ("https://acc.blob.core.windows.net/c?sv=2022&sig=Zk8Qw3rT%2BvLp2XcN7mBd%3D", "Zk8Qw3rT"),
    "azure key": (f"AccountKey={BARE}{BARE}==;EndpointSuffix=core.windows.net", BARE),
}

KEPT = (
    "commit 3f2a9c1d5e6b7a8091a2b3c4d5e6f708192a3b4c",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "digest=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "arn:aws:iam::123456789012:role/payments-deployer",
    "arn:aws:s3:::payments-receipts/2025/03/03",
    "secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:payments/db-AbCdEf",
    "i-0abc123def4567890 and vol-0123456789abcdef0",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
    "Root=1-67c5f2a1-3d9e1b7a5c8f4e2d6b0a9c71",
    "https://acme.slack.com/archives/C0123ABCD/p1712345678901234?thread_ts=1712345670.000100&cid=C0123ABCD",
    "https://github.com/acme/infra/pull/118#discussion_r1234567890",
    "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-3-upgrade#resource-aws_autoscaling_group",
    "[-H Authorization: token $TOKEN$ https://api.github.com/user]",
    "password: $DB_PASSWORD and token: ${{ secrets.DEPLOY }}",
    "the password policy changed; password: it was rotated by the job",
    "Secrets were found. Tokens: 3. The token expired.",
    "max_tokens=4096, next: token bucket of 50 per second",
    "2,847 of 3,000 connections, 47 % of requests, 08:14:40.123",
    "image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/payments:v1.42.0",
    "request-id: 9C1E7F7A-2F5D-4C1E-9B1B-2B7F3C4D5E6F",
    "src/main/java/com/example/payments/RetryPolicy2.java",
    "postgres://db.internal:5432/payments",
    "ssh://git@github.com/acme/infra.git",
)


@pytest.mark.parametrize(("text", "secret"), PLANTED.values(), ids=PLANTED)
def test_a_planted_secret_is_gone_and_the_text_says_that_something_was_removed(text: str, secret: str) -> None:
    cleaned = secrets_removed(text)

    assert secret not in cleaned
    assert re.search(r"\[[a-z -]+ removed\]", cleaned)


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text: str) -> None:
    assert secrets_removed(text) == text


@pytest.mark.parametrize(("text", "secret"), PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize(
    "frame", ["{}", "| 08:14 | {} | x |", "> {}", "`{}`", "said: {}, then left", '{{"text": "{}"}}', "a\r\n{}\r\nb"]
)
def test_a_secret_is_found_in_every_surrounding(text: str, secret: str, frame: str) -> None:
    assert secret not in Redactor().text(frame.format(text))


@settings(deadline=None)
@given(st.lists(st.sampled_from([*(text for text, _ in PLANTED.values()), *KEPT, "and", "\n", "| "]), max_size=8))
def test_removing_again_changes_nothing(parts: list[str]) -> None:
    once = secrets_removed(" ".join(parts))

    assert secrets_removed(once) == once
    assert not [secret for text, secret in PLANTED.values() if text in parts and secret in once and secret not in " ".join(KEPT)]


def test_the_header_and_the_name_of_what_was_removed_stay() -> None:
    assert secrets_removed(f'curl -H "Authorization: Bearer {BARE}" u') == 'curl -H "Authorization: Bearer [token removed]" u'
    assert secrets_removed("db_password='a b'") == "db_password='[password removed]'"
    assert secrets_removed("postgres://app:s3@db/x") == "postgres://[credentials removed]@db/x"
    assert secrets_removed(f"{AWS_KEY} {CLASSIC}") == "[access key removed] [token removed]"

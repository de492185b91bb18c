"""Secrets of every kind, planted anywhere, are gone; what only looks like one stays."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.incidents.redaction import Redactor, secrets_removed
from dagster_project.domain.incidents.redaction_secrets import is_secret_name, secret_fields

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
HEX = "0123456789abcdef" * 2
QUOTED_PEM = "> -----BEGIN RSA PRIVATE KEY-----\n> MIIEowIBAAKCAQEAx8Qz9vTq\n> 3nJ1c2Lr8b=="


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


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
    "password in bold of a chat": ("*password*: hunter2", "hunter2"),
    "password in bold of markdown": ("**Password:** hunter2", "hunter2"),
    "password in html": ("<b>password</b>: hunter2", "hunter2"),
    "password in a row": ("| password | hunter2 |", "hunter2"),
    "password on the next line": ("password:\nhunter2secret9", "hunter2secret9"),
    "password in json inside of json": ('{\\"password\\": \\"hunter2\\"}', "hunter2"),
    "password in sql": ("ALTER USER app WITH PASSWORD 'hunter2'", "hunter2"),
    "password of a new user": ("CREATE USER app IDENTIFIED BY 'hunter2'", "hunter2"),
    "password with its place": ("password (prod) = hunter2", "hunter2"),
    "password of somebody": ("password of app: hunter2", "hunter2"),
    "password for something in prose": ("the new password for the db is hunter2", "hunter2"),
    "password that was changed": ("password was changed to hunter2", "hunter2"),
    "password in code alone": ("somebody posted the password `hunter2` there", "hunter2"),
    "password after an arrow": ("password → hunter2", "hunter2"),
    "password of curl": ("curl -u admin:hunter2 https://db.internal/", "hunter2"),
    "password of mysql": ("mysql -u root -phunter2 -h db", "hunter2"),
    "password of sshpass": ("sshpass -p hunter2 ssh root@db", "hunter2"),
    "password of redis": ("redis-cli -h cache -a hunter2 ping", "hunter2"),
    "key of two words": (f"datadog api key: {HEX}", HEX),
    "key of two words alone": (f"the datadog api key {HEX} is in the log", HEX),
    "key in a row": (f"| API key | {HEX} |", HEX),
    "pem in a quotation": (QUOTED_PEM, "MIIEowIBAAKCAQEAx8Qz9vTq"),
    "pem in a quotation of slack": (QUOTED_PEM.replace(">", "&gt;"), "3nJ1c2Lr8b"),
    "pem in a quotation with bars": (QUOTED_PEM.replace(">", "|"), "3nJ1c2Lr8b"),
    "webhook without tls": (f"posted to {WEBHOOK}".replace("https", "http"), "XXXXXXXXXXXXXXXXXXXXXXXX"),
    "connection string in base64": (base64_of("postgres://app:hunter2@db.internal/x"), "cG9zdGdyZXM6Ly9hcHA6aHVudGVy"),
    "password in base64": (base64_of("DB_PASSWORD=hunter2"), "REJfUEFTU1dPUkQ9aHVudGVy"),
    "escaped url credentials": ("https://x.io/?r=https%3A%2F%2Fapp%3Ahunter2%40db", "hunter2"),
    "url credentials with a slash": ("postgres://app:hun/ter2@db.internal/x", "ter2"),
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
    "the password policy is strict; password reset emails are late; No password was leaked",
    "The password for the db is in Vault. The password was not shared, and the password is stored there",
    "key metrics: 3; primary key: id42; Passed: 42, passing: 3",
    "identified by Monitoring at 10:04",
    "Rotate the DB password | platform-team |",
    'password: ******** and password: ""',
    "docker run -u 1000:1000 alpine",
    "docker://alpine:3.18@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "http://localhost:8080/packages/@types/node",
    "the service mysql -p 3306",
    base64_of("PullRequest:1234567890"),
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


def test_the_host_stays_where_credentials_were_removed_and_is_no_person() -> None:
    assert Redactor().text("postgres://app:hunter2@db.internal/x") == "postgres://[credentials removed]@db.internal/x"
    assert Redactor().text("postgres://app:hun/ter2@db.internal/x") == "postgres://[credentials removed]@db.internal/x"
    assert Redactor().text("https%3A%2F%2Fapp%3Ahunter2%40db") == "https%3A%2F%2F[credentials removed]%40db"


def test_below_the_heading_of_a_table_secrets_go_and_the_others_stay() -> None:
    table = (
        f"| user | Password | API key |\n|---|:-:|---|\n| app | swordfish | {HEX} |\n| ops | rotated | none |\n\nswordfish | x"
    )

    assert secrets_removed(table) == (
        "| user | Password | API key |\n|---|:-:|---|\n| app | [password removed] | [secret removed] |\n"
        "| ops | rotated | none |\n\nswordfish | x"
    )


def test_a_row_of_two_cells_tells_a_password_that_is_a_word() -> None:
    assert secrets_removed("| DB password | swordfish |\n") == "| DB password | [password removed] |\n"


@pytest.mark.parametrize(
    "text",
    [
        "| Password | Owner |\n|---|---|\n| payments db | Team A |",
        "| Secret | Owner |\n|---|---|\n| payments/db | Team A |",
        "| Rotate the DB password | platform-team |",
        "password:\n- one\n- two",
        "password:\n  secretKeyRef:\n    name: db",
        "Password:\nThe team rotated it.",
        "They pass:\n```python\nx\n```",
        "Reset the password\n#451 says why",
    ],
)
def test_headings_lists_and_paragraphs_after_the_word_stay(text: str) -> None:
    assert secrets_removed(text) == text


def test_the_rest_of_a_quotation_stays_after_a_key() -> None:
    assert secrets_removed(f"{QUOTED_PEM}\n> and it was public\nbye") == "> [private key removed]\n> and it was public\nbye"


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASS", "masterUserPwd", "x-api-key", "apikey", "Authorization", "connectionString", "TOKEN", "client_secret",
     "secretAccessKey", "userData", "db.pwd", "PGPASSWORD", "auth"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["author", "passed", "key", "passwordPolicy", "minimumPasswordLength", "secretArn", "accessKeyId", "token_count", "compass",
     "user", "", "path", "secretName", "keyName"],
)  # fmt: skip
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)


def test_a_variable_that_is_called_like_a_secret_has_a_secret_value() -> None:
    assert secret_fields({"name": "DB_PASSWORD", "value": "x"}) == {"value"}
    assert secret_fields({"ParameterKey": "ApiKey", "ParameterValue": "x", "token": "y"}) == {"ParameterValue", "token"}
    assert secret_fields({"name": "REGION", "value": "x", "password": None, "max_token": 4096, "pass": True}) == set()

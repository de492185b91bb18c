"""Payloads are stored without secrets: what has a secret's name goes as a whole, whatever its value looks like."""

# ruff: noqa: DTZ001 - events are naive UTC
from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.redaction import secrets_removed
from dagster_project.pipeline.capture_staging import Staging
from dagster_project.sources.cloudtrail import _named

REMOVED = "[secret removed]"


@pytest.fixture
def stored(tmp_path: Any) -> Any:
    """What is stored of a payload."""

    def store(payload: dict[str, Any]) -> dict[str, Any]:
        staging = Staging(tmp_path, secrets_removed)
        staging.add(Event("decisions", "1", datetime(2025, 3, 9, 10), "engine", "decision", "scaled", payload=payload))
        (file,) = staging.events.files()
        found: dict[str, Any] = json.loads(pl.read_parquet(file)["payload"].item())
        return found

    return store


def test_the_name_of_a_value_says_that_it_is_secret(stored: Any) -> None:
    payload = {
        "action": {"db_password": "hunter2", "api_key": "abcdef", "env": {"TOKEN": "abc", "REGION": "eu-west-1"}},
        "parameters": {"masterUserPwd": "hunter2", "desiredCapacity": 6},
    }

    assert stored(payload) == {
        "action": {"db_password": REMOVED, "api_key": REMOVED, "env": {"TOKEN": REMOVED, "REGION": "eu-west-1"}},
        "parameters": {"masterUserPwd": REMOVED, "desiredCapacity": 6},
    }


def test_below_a_secret_name_all_goes_and_pairs_of_name_and_value_are_read(stored: Any) -> None:
    payload = {
        "credentials": {"user": "app", "word": "swordfish"},
        "environment": [{"name": "DB_PASS", "value": "swordfish"}, {"name": "REGION", "value": "eu-west-1"}],
        "pins": {"password": 1234},
    }

    assert stored(payload) == {
        "credentials": REMOVED,
        "environment": [{"name": "DB_PASS", "value": REMOVED}, {"name": "REGION", "value": "eu-west-1"}],
        "pins": {"password": REMOVED},
    }


def test_truth_values_counts_and_what_is_told_about_secrets_stay(stored: Any) -> None:
    payload = {
        "password": None,
        "passed": 3,
        "max_tokens": 4096,
        "secretArn": "arn:aws:x",
        "passwordPolicy": "strict",
        "auth": True,
    }

    assert stored(payload) == payload


def test_parameters_of_calls_that_are_secret_are_left_out() -> None:
    parameters = {
        "masterUserPassword": "hunter2", "pass": "x", "dbPwd": "x", "apiKey": "x", "authorization": "x", "connectionString": "x",
        "autoScalingGroupName": "web", "desiredCapacity": 6,
    }  # fmt: skip

    assert _named(parameters) == {"autoScalingGroupName": "web", "desiredCapacity": "6"}

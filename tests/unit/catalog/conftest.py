"""Where catalogs are refreshed in tests: an AWS that sells something, and homes whose accounts are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_aws import AwsAccount, AwsSettings
from tests.aws import AwsServer, fixtures
from tests.aws.instance_types import Offers
from tests.aws.pricing import PriceList
from tests.catalog_builders import NEW, NOW, OTHER, REGION, Seller

aws, waits = fixtures.aws, fixtures.waits


@pytest.fixture
def sell(aws: AwsServer) -> Seller:
    """What is sold; every account may have the regions of these tests."""
    aws.enable(NEW, OTHER, REGION, "us-east-1", "eu-central-1", "ap-south-1")
    return Seller(aws.of(Offers), aws.of(PriceList))


@pytest.fixture
def home(aws: AwsServer, waits: fixtures.Waits, tmp_path: Path) -> Callable[..., Runtime]:
    """A home whose accounts are read in some regions. Without accounts it has the credentials of the environment."""

    def make(*accounts: AwsAccount, folder: str = "home", now: datetime = NOW, **settings: Any) -> Runtime:
        own = AwsSettings(endpoint_url=aws.url, accounts=accounts, **settings)
        return Runtime(Settings(home=tmp_path / folder, aws=own), now=now, at=waits)

    return make

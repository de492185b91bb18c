"""Which accounts and regions may be named, and what is said of those that may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dagster_project.errors import SettingsError
from dagster_project.settings import Settings, load_settings
from dagster_project.settings_aws import HOME_REGIONS, AwsAccount, AwsSettings, partition_of

ID = "318204967715"
ROLE = f"arn:aws:iam::{ID}:role/nightshift-read"
Load = Callable[[str], Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Settings out of a file with this text."""

    def loaded(text: str) -> Settings:
        file = tmp_path / "nightshift.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings({"NIGHTSHIFT_CONFIG": str(file)})

    return loaded


def account(**fields: Any) -> AwsAccount:
    return AwsAccount.model_validate({"id": ID, **fields})


# What may be said.


def test_the_account_of_the_documentation_is_as_it_is_written(load: Load) -> None:
    text = f'[[aws.accounts]]\nid = "{ID}"\nrole_arn = "{ROLE}"\nexternal_id = "b7c1f2"\nregions = ["eu-west-1", "us-east-1"]\n'
    (found,) = load(text).aws.accounts
    assert (found.id, found.role_arn, found.external_id) == (ID, ROLE, "b7c1f2")
    assert (found.regions, found.partition, found.may_change, found.apply_role_arn) == (
        ("eu-west-1", "us-east-1"), None, False, None,
    )  # fmt: skip


def test_all_regions_are_one_word(load: Load) -> None:
    (found,) = load(f'[[aws.accounts]]\nid = "{ID}"\nregions = "all"\n').aws.accounts
    assert (found.regions, found.role_arn, found.external_id) == ("all", None, None)


def test_without_accounts_nothing_is_read_live() -> None:
    settings = AwsSettings()
    assert (settings.accounts, settings.is_live) == ((), False)
    assert (settings.timeout_seconds, settings.attempts, settings.scopes_at_once, settings.requests_at_once) == (30, 8, 4, 4)
    assert (settings.history_days, settings.late_hours, settings.memory_namespace) == (28, 3, "CWAgent")
    assert (settings.service_tags, settings.team_tags) == (("service", "app", "application"), ("team", "owner"))
    assert settings.environment_tags == ("environment", "env", "stage")
    assert (settings.endpoint_url, settings.second_opinion) == (None, True)


@pytest.mark.parametrize(
    ("accounts", "is_live"),
    [
        ([{}], False),
        ([{"regions": []}], False),
        ([{"regions": ["eu-west-1"]}], True),
        ([{"regions": "all"}], True),
        ([{}, {"id": "222222222222", "regions": "all"}], True),
    ],
)
def test_one_account_with_regions_is_enough_to_be_live(accounts: list[dict[str, Any]], is_live: bool) -> None:
    assert AwsSettings(accounts=tuple(account(**each) for each in accounts)).is_live is is_live


@pytest.mark.parametrize(
    "region", ["eu-west-1", "ap-southeast-7", "mx-central-1", "us-gov-east-1", "cn-northwest-1", "il-central-1", "me-south-10"]
)
def test_regions_have_many_shapes(region: str) -> None:
    assert account(regions=[region]).regions == (region,)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"), ("us-east-1", "aws"), ("ca-west-1", "aws"), ("cn-north-1", "aws-cn"),
        ("cn-northwest-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-gov-east-1", "aws-us-gov"),
    ],
)  # fmt: skip
def test_a_region_is_of_one_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("fields", "home"),
    [
        ({}, "us-east-1"),
        ({"regions": "all"}, "us-east-1"),
        ({"regions": ["ap-south-1", "eu-west-1"]}, "us-east-1"),
        ({"role_arn": ROLE}, "us-east-1"),
        ({"partition": "aws"}, "us-east-1"),
        ({"regions": "all", "partition": "aws-cn"}, "cn-north-1"),
        ({"regions": ["cn-northwest-1"]}, "cn-north-1"),
        ({"role_arn": f"arn:aws-cn:iam::{ID}:role/r"}, "cn-north-1"),
        ({"apply_role_arn": f"arn:aws-us-gov:iam::{ID}:role/r"}, "us-gov-west-1"),
        ({"regions": ["us-gov-east-1"], "partition": "aws-us-gov"}, "us-gov-west-1"),
    ],
)
def test_an_account_is_asked_for_its_regions_where_it_is_for_certain(fields: dict[str, Any], home: str) -> None:
    assert account(**fields).home_region == home


def test_every_home_is_in_its_own_partition() -> None:
    assert {partition_of(region): region for region in HOME_REGIONS.values()} == HOME_REGIONS


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ID}:role/aws-reserved/sso.amazonaws.com/eu-west-1/Reader_1",
        f"arn:aws:iam::{ID}:role/r+=,.@_-",
        f"arn:aws-us-gov:iam::{ID}:role/r",
    ],
)
def test_roles_may_have_paths_and_marks(arn: str) -> None:
    found = account(role_arn=arn, apply_role_arn=arn)
    assert (found.role_arn, found.apply_role_arn) == (arn, arn)


# What may not.


@pytest.mark.parametrize(
    "fields",
    [
        {"role_arn": ROLE, "regions": ["cn-north-1"]},
        {"role_arn": ROLE, "apply_role_arn": f"arn:aws-cn:iam::{ID}:role/r"},
        {"regions": ["eu-west-1", "us-gov-west-1"]},
        {"regions": ["eu-west-1"], "partition": "aws-cn"},
        {"regions": "all", "role_arn": ROLE, "partition": "aws-us-gov"},
    ],
)
def test_an_account_of_two_partitions_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=f"account {ID} has roles or regions of more than one partition"):
        account(**fields)


@pytest.mark.parametrize("field", ["role_arn", "apply_role_arn"])
def test_a_role_of_another_account_is_a_mistake(field: str) -> None:
    with pytest.raises(ValidationError, match=f"a role of account {ID} is of another account"):
        account(**{field: "arn:aws:iam::222222222222:role/r"})


def test_a_region_that_is_listed_twice_would_be_read_and_paid_for_twice() -> None:
    with pytest.raises(ValidationError, match=f"account {ID} lists a region twice"):
        account(regions=["eu-west-1", "us-east-1", "eu-west-1"])


def test_an_account_that_is_listed_twice_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="Value error, each account may be listed once"):
        AwsSettings(accounts=(account(), account(id="222222222222"), account(regions=["eu-west-1"])))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('id = "31820496771"', "aws.accounts.0.id: string should match pattern"),
        ('id = "3182049677156"', "aws.accounts.0.id: string should match pattern"),
        ('id = "31820496771x"', "aws.accounts.0.id: string should match pattern"),
        ('id = "318204967715\\n"', "aws.accounts.0.id: string should match pattern"),
        ("id = 318204967715", "aws.accounts.0.id: input should be a valid string"),
        ('role_arn = "x"', "aws.accounts.0.id: field required"),
        (f'id = "{ID}"\nrole = "{ROLE}"', "aws.accounts.0.role: extra inputs are not permitted"),
        (f'id = "{ID}"\nregions = ["all"]', "regions.tuple[constrained-str, ...].0: string should match pattern"),
        (f'id = "{ID}"\nregions = "eu-west-1"', "aws.accounts.0.regions.literal['all']: input should be 'all'"),
        (f'id = "{ID}"\nregions = "ALL"', "aws.accounts.0.regions.literal['all']: input should be 'all'"),
        (f'id = "{ID}"\npartition = "aws-iso"', "aws.accounts.0.partition: input should be 'aws', 'aws-cn' or 'aws-us-gov'"),
        (f'id = "{ID}"\nmay_change = "perhaps"', "aws.accounts.0.may_change: input should be a valid boolean"),
    ],
)
def test_a_field_of_an_account_that_does_not_fit_is_named(load: Load, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(f"[[aws.accounts]]\n{text}\n")
    message = str(caught.value)
    assert told in message
    assert message.startswith("Settings from the settings file ")
    assert message.endswith("); docs/settings.md lists every field with its bounds.")


@pytest.mark.parametrize(
    "region",
    [
        "eu-west", "eu-west-1a", "EU-west-1", "eu_west_1", "eu-1", "euw-west-1", "-west-1", "eu--1", "eu-west-", " eu-west-1",
        "eu-west-1\\n", "*", "",
    ],
)  # fmt: skip
def test_what_is_no_region_is_named_with_its_place(load: Load, region: str) -> None:
    with pytest.raises(
        SettingsError, match=r"aws\.accounts\.0\.regions\.tuple\[constrained-str, \.\.\.\]\.1: string should match"
    ):
        load(f'[[aws.accounts]]\nid = "{ID}"\nregions = ["us-east-1", "{region}"]\n')


@pytest.mark.parametrize("field", ["role_arn", "apply_role_arn"])
@pytest.mark.parametrize(
    "arn",
    [
        "nightshift-read",
        f"arn:aws:iam::{ID}:user/somebody",
        f"arn:aws:iam::{ID}:role/",
        "arn:aws:iam::1234:role/r",
        f"arn:aws:sts::{ID}:assumed-role/r/session",
        f"arn:aws-iso:iam::{ID}:role/r",
        f"xarn:aws:iam::{ID}:role/r",
        f"arn:aws:iam::{ID}:role/r r",
    ],
)
def test_what_is_no_role_is_named(load: Load, field: str, arn: str) -> None:
    with pytest.raises(SettingsError, match=rf"aws\.accounts\.0\.{field}: string should match pattern"):
        load(f'[[aws.accounts]]\nid = "{ID}"\n{field} = "{arn}"\n')


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (f'id = "{ID}"\nregions = ["eu-west-1", "cn-north-1"]', f"account {ID} has roles or regions of more than one partition"),
        (f'id = "{ID}"\nregions = ["eu-west-1", "eu-west-1"]', f"account {ID} lists a region twice"),
        (f'id = "{ID}"\nrole_arn = "arn:aws:iam::222222222222:role/r"', f"a role of account {ID} is of another account"),
    ],
)
def test_what_an_account_says_of_itself_is_told_with_its_place_and_number(load: Load, fields: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(f'[[aws.accounts]]\nid = "111111111111"\n[[aws.accounts]]\n{fields}\n')
    assert f"(aws.accounts.1: value error, {told})" in str(caught.value)


BOUNDS = {
    "timeout_seconds": (1, 300),
    "attempts": (1, 20),
    "scopes_at_once": (1, 64),
    "requests_at_once": (1, 32),
    "history_days": (1, 60),
    "late_hours": (0, 24),
}


@pytest.mark.parametrize("field", BOUNDS)
def test_numbers_have_bounds_that_belong_to_them(load: Load, field: str) -> None:
    least, most = BOUNDS[field]
    for value in (least, most):
        assert getattr(load(f"[aws]\n{field} = {value}\n").aws, field) == value
    with pytest.raises(SettingsError, match=rf"aws\.{field}: input should be greater than or equal to {least}\)"):
        load(f"[aws]\n{field} = {least - 1}\n")
    with pytest.raises(SettingsError, match=rf"aws\.{field}: input should be less than or equal to {most}\)"):
        load(f"[aws]\n{field} = {most + 1}\n")
    with pytest.raises(SettingsError, match=rf"aws\.{field}: input should be a valid integer"):
        load(f"[aws]\n{field} = 1.5\n")


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "https://vpce-1.example.com/aws"])
def test_another_endpoint_is_an_address(load: Load, url: str) -> None:
    assert load(f'[aws]\nendpoint_url = "{url}"\n').aws.endpoint_url == url


@pytest.mark.parametrize("url", ["localhost:4566", "ftp://example.com", "http://", "http://a b", " http://a", ""])
def test_what_is_no_address_is_named(load: Load, url: str) -> None:
    with pytest.raises(SettingsError, match=r"aws\.endpoint_url: string should match pattern"):
        load(f'[aws]\nendpoint_url = "{url}"\n')


def test_a_namespace_of_cloudwatch_has_a_name_of_at_most_255(load: Load) -> None:
    for fine in ("n", "n" * 255):
        assert load(f'[aws]\nmemory_namespace = "{fine}"\n').aws.memory_namespace == fine
    for wrong in ("", "n" * 256):
        with pytest.raises(SettingsError, match=r"aws\.memory_namespace: string should have at (least|most)"):
            load(f'[aws]\nmemory_namespace = "{wrong}"\n')


def test_what_nobody_knows_is_named_and_what_was_read_does_not_change() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        AwsSettings.model_validate({"region": "eu-west-1"})
    with pytest.raises(ValidationError, match="frozen"):
        AwsSettings().attempts = 3
    with pytest.raises(ValidationError, match="frozen"):
        account().id = "222222222222"

"""Settings of proposals: what is refused, what comes from the environment, and that secrets are not shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dagster_project.errors import SettingsError
from dagster_project.settings import ReportSettings, load_settings
from dagster_project.settings_acting import SlackSettings

TOKEN = "ghp_" + "x" * 36


def loaded(folder: Path, text: str, **environment: str):
    config = folder / "nightshift.toml"
    config.write_text(text, encoding="utf-8")
    return load_settings({"NIGHTSHIFT_CONFIG": str(config), **environment})


def test_the_token_and_the_switch_may_come_from_the_environment_beside_a_section(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        '[github]\nbase_url = "https://github.example.com/api/v3"\n[proposals]\nmode = "propose"\n',
        NIGHTSHIFT_GITHUB_TOKEN=TOKEN,
        NIGHTSHIFT_KILL_SWITCH="1",
    )
    assert settings.github.has_credentials
    assert settings.github.base_url == "https://github.example.com/api/v3"
    assert (settings.proposals.mode, settings.proposals.kill_switch) == ("propose", True)
    assert TOKEN not in repr(settings) + settings.model_dump_json()


def test_without_anything_said_nothing_is_opened() -> None:
    settings = load_settings({})
    assert (settings.proposals.mode, settings.proposals.modes, settings.repositories) == ("report_only", (), ())
    assert not settings.github.has_credentials


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[proposals]\nmode = "yes"\n', "proposals.mode: input should be 'report_only', 'propose' or 'apply'"),
        ("[proposals]\nmax_items = 0\n", "proposals.max_items: input should be greater than or equal to 1"),
        ("[github]\napp_id = 5\n", "a github app needs both app_id and its key"),
        ('[github]\napp_key = "k"\n', "a github app needs both app_id and its key"),
        (f'[github]\napp_id = 5\napp_key = "k"\ntoken = "{TOKEN}"\n', "set either token or app_id, not both"),
        ('[github]\nbase_url = "http://github.example.com/api/v3"\n', "base_url must begin with https://"),
        ('[github]\nbase_url = "https://user:pw@github.example.com"\n', "github.base_url: string should match pattern"),
        ("github = 5\n", "github: input should be a valid dictionary"),
        ('[[repositories]]\nname = "infra"\nroots = []\n', "repositories.0.name: string should match pattern"),
        ('[[repositories]]\nname = "acme/infra"\n', "repositories.0.roots: field required"),
        (
            '[[repositories]]\nname = "acme/infra"\nroots = [{path = ".", state = "s"}]\n'
            '[[repositories]]\nname = "ACME/infra"\nroots = [{path = ".", state = "s"}]\n',
            "each repository may be listed once",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence_without_a_secret(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        loaded(tmp_path, text, NIGHTSHIFT_GITHUB_TOKEN="" if "app_" in text else TOKEN)
    assert told in str(refusal.value)
    assert TOKEN not in str(refusal.value)


def test_a_switch_that_is_no_yes_or_no_stops_the_command(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"proposals\.kill_switch"):
        loaded(tmp_path, "", NIGHTSHIFT_KILL_SWITCH="perhaps")


@pytest.mark.parametrize("url", ["https://reports.example.com/nightshift", "http://[::1]:8000", "https://me.example.io/~a/b%20c@d"])
def test_an_address_below_which_pages_lie_is_taken(url: str) -> None:
    assert ReportSettings(url=url).url == SlackSettings(report_url=url).report_url == url


@pytest.mark.parametrize("wrong", ["/", "?token=1", "#top", "|x", ">", ")", "//x", " x", '"', "`"])
def test_an_address_to_which_no_page_can_be_appended_or_that_would_end_a_link_is_not(wrong: str) -> None:
    for url in (f"https://reports.example.com{wrong}", "https://user:secret@reports.example.com", "javascript:alert(1)"):
        with pytest.raises(ValidationError):
            ReportSettings(url=url)
        with pytest.raises(ValidationError):
            SlackSettings(report_url=url)

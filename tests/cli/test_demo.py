"""``nightshift demo`` on the embedded PostgreSQL, and the commands that a person tries next."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import duckdb
import pytest

from dagster_project.demo.fleet import build_fleet
from tests.cli.conftest import run
from tests.cli.test_bad_input import exports

DAY = "2025-03-09"


def test_the_demo_ends_with_savings_and_the_place_of_the_report(demo_home) -> None:
    home, outcome = demo_home
    assert outcome.returncode == 0, outcome.stderr
    assert "Night of 2025-03-09: 316 resources" in outcome.stdout
    assert re.search(r"59 safe to shrink +\$ +14,960 a month", outcome.stdout)
    assert f"Report: {home}/reports/{DAY}/index.html" in outcome.stdout
    assert outcome.stdout.splitlines()[-1] == "4 requests for an approval. Nightshift applied nothing."


# What a service is, not what its machines do: it has its share of the night, an open incident, open work, a spent budget.
OF_THE_SERVICE = {
    "refuse_blast_radius", "refuse_open_incident", "refuse_open_capacity_action_item", "refuse_slo_budget_low",
    "refuse_group_member",
}  # fmt: skip
SHOWN_BY_SHAPE = {
    "idle_oversized": {"propose_smaller_size"},
    "diurnal": {"propose_smaller_size", "keep_busy_cpu", "keep_busy_memory", "refuse_recent_emergency_scaleup"},
    "weekly_peak": {"keep_busy_cpu"},
    "month_end_peak": {"keep_busy_cpu"},
    "memory_bound": {"keep_busy_memory"},
    "short_spikes": {"keep_busy_cpu"},
    "ramp_up": {"keep_busy_cpu"},
    "resize_mid_window": {"refuse_recently_changed"},
    "off_at_night": {"insufficient_coverage"},
    "batch_farm": {"keep_busy_cpu"},
    "brand_new": {"insufficient_history"},
    "burst_credits": {"keep_busy_cpu"},
    "service_emergency": {"refuse_recent_emergency_scaleup"},
    "asg_emergency": {"refuse_recent_emergency_scaleup"},
    "busy": {"refuse_recent_emergency_scaleup"},
    "no_memory": {"insufficient_memory_data"},
    "sparse": {"insufficient_coverage"},
    "spot": {"refuse_spot"},
    "eks_managed": {"refuse_managed_by_orchestrator"},
    "excluded": {"refuse_excluded_by_tag"},
    "network_bound": {"keep_busy_network"},
}


def test_every_shape_of_demand_gets_the_verdict_that_it_was_made_for(demo_home) -> None:
    shape_of = build_fleet().shape_of
    table = demo_home[0] / "warehouse" / "rightsizing_verdicts" / f"day={DAY}" / "part-0.parquet"
    query = f"select resource_id, reason_code from '{table}' where resource_type in ('ec2_instance', 'autoscaling_group')"
    found: dict[str, set[str]] = {}
    for resource_id, code in duckdb.sql(query).fetchall():
        found.setdefault(shape_of[resource_id], set()).add(code)
    assert {shape: codes - OF_THE_SERVICE for shape, codes in found.items()} == SHOWN_BY_SHAPE
    assert set().union(*found.values()) > OF_THE_SERVICE


def test_progress_is_plain_lines_where_there_is_no_terminal(demo_home) -> None:
    lines = demo_home[1].stderr.splitlines()
    assert "Filling the demo database: 100 %" in lines
    assert "Reading samples: 50 %" in lines
    assert not any("\x1b" in line or "\r" in line for line in lines)
    assert not any("Warning" in line or "nanobind" in line for line in lines)


def test_running_the_demo_again_changes_no_byte_and_fills_nothing(demo_home) -> None:
    home, _ = demo_home
    pages = sorted(page for page in (home / "reports").rglob("*") if page.is_file())
    assert len([page for page in pages if page.parent.name == "postmortems"]) == 22, "eleven, each in HTML and Markdown"
    before = [hashlib.sha256(page.read_bytes()).hexdigest() for page in pages]
    outcome = run("demo", home=home)
    assert outcome.returncode == 0
    assert "The demo database is there already." in outcome.stderr
    assert [hashlib.sha256(page.read_bytes()).hexdigest() for page in pages] == before


def test_the_page_needs_no_network_and_no_script(demo_home) -> None:
    html = (demo_home[0] / "reports" / DAY / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//""", html)
    assert "<script" not in html
    assert not re.search(r"url\((?!#)", html)
    assert len(html) < 1_500_000


def test_explain_tells_one_verdict_in_a_screenful(demo_home) -> None:
    home, _ = demo_home
    outcome = run("explain", "i-0d3048f2baf02349b", home=home)
    assert outcome.returncode == 0
    assert len(outcome.stdout.splitlines()) <= 40
    assert "PROPOSE  propose_smaller_size" in outcome.stdout
    assert "m5.8xlarge, $1,249.76 a month" in outcome.stdout
    assert re.search(r"CPU P99\.5, 28 days, highest in each interval +19\.5 % +39\.0 % +80 %", outcome.stdout)


def test_explain_names_the_emergencies_that_speak_against_a_resource(demo_home) -> None:
    home, _ = demo_home
    table = home / "warehouse" / "rightsizing_verdicts" / f"day={DAY}" / "part-0.parquet"
    found = duckdb.sql(
        f"select resource_id from '{table}' where reason_code = 'refuse_recent_emergency_scaleup' "
        "and service = 'search-api' order by 1"
    ).fetchall()
    outcome = run("explain", found[0][0], "--day", DAY, home=home)
    assert "REFUSE  refuse_recent_emergency_scaleup" in outcome.stdout
    assert "search-api (service)" in outcome.stdout


def test_doctor_lives_on_the_demo_s_day_and_finds_nothing_that_is_wrong(demo_home) -> None:
    home, _ = demo_home
    outcome = run("doctor", "--json", home=home)
    findings = {item["subject"]: item for item in json.loads(outcome.stdout)}
    assert outcome.returncode == 0
    assert findings["samples"] == {"subject": "samples", "status": "ok", "detail": "2025-02-03 to 2025-03-09"}
    assert findings["approvers"]["detail"] == "1 in the settings; a change of high risk needs 2"
    assert findings["cloud"] == {"subject": "cloud", "status": "ok", "detail": "the demo's own"}
    assert findings["state"]["detail"].endswith("last night: 2025-03-09, succeeded")
    assert [name for name, item in findings.items() if item["status"] == "failed"] == []


def test_prune_says_that_nothing_is_old(demo_home) -> None:
    outcome = run("prune", home=demo_home[0])
    assert (outcome.returncode, outcome.stdout) == (0, "Nothing is older than its retention.\n")


def test_prune_deletes_by_the_settings_and_its_dry_run_does_not(demo_home, tmp_path: Path) -> None:
    home, _ = demo_home
    config = tmp_path / "nightshift.toml"
    config.write_text("[retention]\nsamples_days = 28\n")
    samples = home / "warehouse" / "utilization_samples"
    # One day before the kept ones: a copy of another day, so that the demo home stays as it was.
    stray = samples / "day=2025-02-09"
    stray.mkdir()
    (stray / "part-0.parquet").write_bytes((samples / "day=2025-02-10" / "part-0.parquet").read_bytes())
    would = run("prune", "--dry-run", home=home, NIGHTSHIFT_CONFIG=str(config))
    assert "Would delete 1 days of utilization_samples up to 2025-02-09" in would.stdout
    assert stray.exists()
    did = run("prune", home=home, NIGHTSHIFT_CONFIG=str(config))
    assert "Deleted 1 days of utilization_samples up to 2025-02-09" in did.stdout
    assert sorted(path.name for path in samples.iterdir())[0] == "day=2025-02-10"


def test_the_dagster_home_sends_no_telemetry(demo_home) -> None:
    text = (demo_home[0] / "dagster" / "dagster.yaml").read_text()
    assert re.search(r"telemetry:\n  enabled: false", text)


def test_load_refuses_to_mix_with_the_demo(demo_home, tmp_path: Path) -> None:
    outcome = run("load", *exports(tmp_path), home=demo_home[0])
    assert outcome.returncode == 2
    assert outcome.stderr.splitlines()[-1] == (
        "Error: This home holds the demo fleet; set NIGHTSHIFT_HOME to another folder for data of your own."
    )


@pytest.mark.parametrize("table", ["rightsizing_verdicts", "load_ledger", "utilization_window"])
def test_one_file_opens_the_whole_lake(demo_home, table: str) -> None:
    with duckdb.connect(str(demo_home[0] / "warehouse" / "nightshift.duckdb"), read_only=True) as connection:
        assert connection.execute(f"select count(*) from {table} where day = date '{DAY}'").fetchall()[0][0] > 0


@pytest.mark.parametrize(("form", "kind"), [("md", "md"), ("html", "html"), ("slack", "slack.json")])
def test_the_digest_that_is_printed_is_that_of_the_week_without_links_that_lead_nowhere(demo_home, form: str, kind: str) -> None:
    home, _ = demo_home
    outcome = run("digest", "--format", form, home=home)
    assert outcome.returncode == 0, outcome.stderr
    assert "$14,960 a month is safe to save" in outcome.stdout
    written = (home / "reports" / "weekly" / f"2025-W10.{kind}").read_text(encoding="utf-8")
    assert not re.search(r"\.\./2025|href=", outcome.stdout)
    assert (written == outcome.stdout) == (form == "slack")  # which has links only where the folder is published
    assert outcome.stdout.count("INC-2025-0361") == 1


def test_a_digest_needs_a_night(tmp_path: Path) -> None:
    outcome = run("digest", home=tmp_path / "home")
    assert outcome.returncode == 1
    assert outcome.stderr == "Error: No night has run in this home yet; run 'nightshift nightly' or 'nightshift demo' first.\n"

"""The demo's Terraform: the same for the same fleet, written as Terraform writes it, and true to what is live."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.demo.fleet import build_fleet
from dagster_project.demo.infrastructure import CHECKOUT, STATES, DemoInfrastructure, build_infrastructure, write_infrastructure
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import State, read_state
from dagster_project.iac.verdicts import EDITABLE, Location
from dagster_project.pipeline.pull_request_texts import owners_of

Row = dict[str, Any]
UNMANAGED = {"admin-console", "dev-workbench"}
KINDS = {"ec2_instance": "instance_type", "autoscaling_group": "instance_type", "rds_instance": "instance_class"}


class Written:
    """The demo's repository and states on a disk, and the fleet that they are of."""

    def __init__(self, home: Path) -> None:
        self.resources = build_fleet(scale=0.1).tables["resources"]
        self.demo = build_infrastructure(self.resources)
        self.home = home
        write_infrastructure(self.demo, home)
        self.repository = Repository.open(home / CHECKOUT)
        self.states: dict[str, State] = {
            root: read_state((home / STATES / f"{root}.tfstate").read_bytes()) for root in self.demo.roots
        }

    @property
    def rows(self) -> list[Row]:
        return [{**row, "config": json.loads(row["current_config"])} for row in self.resources.iter_rows(named=True)]

    def managed(self) -> list[Row]:
        """What can be proposed for and has code: no member of a group, nothing that a cluster manages."""
        return [
            row
            for row in self.rows
            if row["type"] in KINDS
            and row["service"] not in UNMANAGED
            and not row["config"].get("asg_name")
            and not row["config"].get("managed_by")
        ]

    def ask(self, row: Row, attribute: str, live: str | None) -> Location:
        root = f"envs/{row['environment']}"
        return locate(self.repository, Plan(root), self.states[root], Question(row["resource_id"], attribute, live))

    def literal(self, location: Location) -> str:
        assert location.file is not None
        data = (self.home / CHECKOUT / location.file).read_bytes()
        return data[location.start_byte : location.end_byte].decode()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("home"))


def test_the_same_fleet_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    again = build_infrastructure(build_fleet(scale=0.1).tables["resources"])
    assert again == written.demo
    assert list(again.files) == list(written.demo.files)


def test_the_order_of_its_rows_does_not_count(written: Written) -> None:
    assert build_infrastructure(written.resources.reverse()) == written.demo
    assert build_infrastructure(written.resources.sample(fraction=1.0, shuffle=True, seed=5)) == written.demo


def test_another_process_gives_the_same_bytes(written: Written) -> None:
    """Sets and hashes differ from one process to another."""
    program = (
        "import json; from dagster_project.demo.fleet import build_fleet;"
        "from dagster_project.demo.infrastructure import build_infrastructure;"
        "demo = build_infrastructure(build_fleet(scale=0.1).tables['resources']); print(json.dumps([demo.files, demo.states]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == [written.demo.files, written.demo.states]


def test_there_is_a_root_and_a_state_for_each_environment(written: Written) -> None:
    assert written.demo.roots == ("envs/dev", "envs/prod", "envs/staging")
    assert set(written.demo.states) == {f"envs/{name}" for name in written.resources["environment"].unique()}
    for root in written.demo.roots:
        assert f'key    = "{root.removeprefix("envs/")}/terraform.tfstate"' in written.demo.files[f"{root}/terraform.tf"]


def test_everything_that_can_be_proposed_for_is_found_with_its_live_value(written: Written) -> None:
    managed = written.managed()
    assert len(managed) == 45
    refused = []
    for row in managed:
        live = row["config"]["instance_type"]
        location = written.ask(row, KINDS[row["type"]], live)
        if location.status != EDITABLE:
            refused.append((row["service"], location.reason_code))
            continue
        assert (location.value, written.literal(location)) == (live, live), row["resource_id"]
    assert refused == [("notification-api", "ignore_changes")]


def test_the_minimum_of_each_group_is_found(written: Written) -> None:
    groups = [row for row in written.managed() if row["type"] == "autoscaling_group"]
    assert len(groups) == 10
    for row in groups:
        minimum = str(row["config"]["min_size"])
        location = written.ask(row, "min_size", minimum)
        assert (location.status, location.value, written.literal(location)) == (EDITABLE, minimum, minimum)


def test_sizes_are_set_in_each_of_the_ways_in_which_teams_set_them(written: Written) -> None:
    places = set()
    for row in written.managed():
        location = written.ask(row, KINDS[row["type"]], row["config"]["instance_type"])
        if location.file is not None and location.status == EDITABLE:
            line = (written.home / CHECKOUT / location.file).read_text(encoding="utf-8").splitlines()[(location.line or 1) - 1]
            words = line.split()
            places.add("json" if location.file.endswith(".json") else words[0] if words[0][0] != '"' else "local")
    assert places == {"json", "local", "instance_type", "default", "instance_class"}


def test_what_is_not_managed_has_no_code(written: Written) -> None:
    unmanaged = [row for row in written.rows if row["service"] in UNMANAGED]
    assert {row["service"] for row in unmanaged} == UNMANAGED
    everything = "\n".join([*written.demo.files.values(), *written.demo.states.values()])
    for row in unmanaged:
        assert row["resource_id"] not in everything
        if row["type"] in KINDS:
            assert written.ask(row, KINDS[row["type"]], row["config"].get("instance_type")).reason_code == "not_in_state"
    assert not any(Path(path).stem in UNMANAGED for path in written.demo.files)


def test_members_of_groups_and_disks_are_not_in_the_states(written: Written) -> None:
    managed = {row["resource_id"] for row in written.managed()}
    in_states = {
        instance["attributes"]["id"]
        for state in written.demo.states.values()
        for resource in json.loads(state)["resources"]
        for instance in resource["instances"]
        if resource["type"] != "aws_launch_template"
    }
    assert in_states == managed


def test_each_file_has_an_owner_who_may_be_asked(written: Written) -> None:
    folder = written.home / CHECKOUT
    teams = {row["service"]: row["team"] for row in written.rows}
    for path in written.demo.files:
        people, asked = owners_of(folder, [path])
        assert people == ()
        assert asked == (teams.get(Path(path).stem, "platform"),)


def test_what_is_there_already_is_not_written_over(written: Written, tmp_path: Path) -> None:
    demo = DemoInfrastructure({"envs/prod/a.tf": "new\n", "b.tf": "b\n"}, {"envs/prod": "{}"})
    mine = tmp_path / CHECKOUT / "envs" / "prod" / "a.tf"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n", encoding="utf-8")
    write_infrastructure(demo, tmp_path)
    write_infrastructure(demo, tmp_path)
    found = {each.relative_to(tmp_path).as_posix(): each.read_text("utf-8") for each in tmp_path.rglob("*") if each.is_file()}
    assert found == {
        "infrastructure/envs/prod/a.tf": "mine\n",
        "infrastructure/b.tf": "b\n",
        "states/envs/prod.tfstate": "{}",
    }


def test_machines_of_one_name_are_told_apart() -> None:
    def machine(name: str, size: str) -> Row:
        return {
            "resource_id": name, "type": "ec2_instance", "current_config": json.dumps({"instance_type": size}),
            "service": "ledger", "team": "payments", "environment": "prod", "tags": json.dumps({"Name": "ledger"}),
        }  # fmt: skip

    demo = build_infrastructure(
        pl.DataFrame([machine("i-0000000000aaaaaa", "m5.large"), machine("i-0000000000bbbbbb", "m5.xlarge")])
    )
    text = "".join(demo.files.values())
    assert text.count("ledger-aaaaaa") + text.count("ledger_aaaaaa") == 1
    assert text.count("ledger-bbbbbb") + text.count("ledger_bbbbbb") == 1


@pytest.mark.skipif(shutil.which("terraform") is None, reason="There is no terraform to ask.")
def test_it_is_written_as_terraform_writes_it(written: Written, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    config = tmp_path / "terraformrc"
    config.touch()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", "-no-color", "."],
        cwd=written.home / CHECKOUT,
        env={**environment, "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(config), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

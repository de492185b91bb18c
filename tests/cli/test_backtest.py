"""``nightshift backtest`` as a user runs it: what it prints and writes, and one sentence for every input that cannot be used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.backtest_builders import RULES, Export, decision, machine, moment, samples
from tests.cli.conftest import Nightshift
from tests.cli.test_bad_input import told


def world(folder: Path) -> Export:
    """Two idle machines, one of which was scaled up in an emergency; five weeks."""
    rows = [decision("d-1", moment(20), "web"), decision("d-2", moment(20, 60), "nobody")]
    resources = [machine(), machine("i-2", tags='{"service": "web"}')]
    return Export(folder, samples(), samples("i-2"), resources=resources, decisions=rows)


def test_what_it_prints_and_writes(nightshift: Nightshift, tmp_path: Path) -> None:
    out = tmp_path / "new" / "answers.parquet"
    outcome = nightshift("backtest", *world(tmp_path / "export").options(out))
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("8 windows of 2 resources, 2025-01-13 to 2025-02-03, look-back 28 days, target cheapest.\n")
    lines = outcome.stdout.splitlines()
    assert "       1,680 samples read" in lines
    assert "           1 decisions that do not count: unknown_target" in lines
    assert "The fleet cost $516 in the judged weeks; perfect foresight would have saved $" in outcome.stdout
    table = lines[lines.index("") + 1 :]
    assert re.split(r"  +", table[0].strip()) == [
        "rule", "down", "saved $", "captured %", "starved", "starved %", "touched %", "memory %", "flips %",
    ]  # fmt: skip
    assert [line.split()[0] for line in table[1 : 1 + len(RULES)]] == list(RULES)
    # i-1 in all four weeks, i-2 before its emergency; of three pairs of weeks each, i-2 changes its mind once.
    assert re.fullmatch(r"nightshift +6 +[\d,]+ +[\d.]+ +0 +0\.00 +0\.0 +0\.0 +16\.7", table[1].strip())
    assert f"Answers: {out}" in outcome.stdout
    assert sorted(path.name for path in out.parent.iterdir()) == [
        f"answers.{ending}" for ending in ("html", "json", "md", "parquet", "svg")
    ]
    assert "Reading history: 100 %" in outcome.stderr.splitlines()
    assert "Traceback" not in outcome.stderr
    assert pl.read_parquet(out).height == 8


def test_the_options_reach_the_rules(nightshift: Nightshift, tmp_path: Path) -> None:
    out = tmp_path / "answers.parquet"
    options = ["--target", "one-step", "--lookback-days", "14", "--rule", "seed-mean-alone"]
    config = tmp_path / "nightshift.toml"
    config.write_text("[rightsizing]\nmax_cpu_p995_pct = 20\n")
    outcome = nightshift("backtest", *world(tmp_path / "export").options(out), *options, NIGHTSHIFT_CONFIG=str(config))
    assert outcome.returncode == 0, outcome.stderr
    assert "look-back 14 days, target one-step." in outcome.stdout
    rows = pl.read_parquet(out)
    assert set(rows["reason_code"]) == {"rule_keeps"}  # the mean is 20 %, and not below
    report = json.loads(out.with_suffix(".json").read_text())
    assert report["lookback_days"] == 14
    assert report["rules"][0]["rule"] == "nightshift"
    assert report["rules"][0]["down"] == 0  # the setting allows nothing


def test_running_again_replaces_everything_with_the_same_bytes(nightshift: Nightshift, tmp_path: Path) -> None:
    out = tmp_path / "out" / "answers.parquet"
    options = world(tmp_path / "export").options(out)
    contents = []
    for _ in range(2):
        assert nightshift("backtest", *options).returncode == 0
        contents.append({path.name: path.read_bytes() for path in out.parent.iterdir()})
        assert len(contents[-1]) == 5
    assert contents[0] == contents[1]


Break = Callable[[Export], list[str]]


def column(name: str, table: str, value: object) -> Break:
    """A table with another column in it, or (None) without it."""

    def change(export: Export) -> list[str]:
        file = export.folder / f"{table}.parquet"
        rows = pl.read_parquet(file)
        rows = rows.drop(name) if value is None else rows.with_columns(pl.lit(value).alias(name))
        rows.write_parquet(file)
        return []

    return change


def file(name: str, content: bytes | None) -> Break:
    def change(export: Export) -> list[str]:
        path = export.folder / f"{name}.parquet"
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return []

    return change


def windows(*rows: tuple[str, object]) -> Break:
    def change(export: Export) -> list[str]:
        schema = {"resource_id": pl.String, "decide_at": pl.Datetime("us", "UTC")}
        pl.DataFrame(list(rows), schema=schema, orient="row").write_parquet(export.folder / "windows.parquet")
        return ["--windows", str(export.folder / "windows.parquet")]

    return change


def double(export: Export) -> list[str]:
    rows = pl.read_parquet(export.folder / "resources.parquet")
    pl.concat([rows, rows]).write_parquet(export.folder / "resources.parquet")
    return []


BROKEN: dict[str, tuple[Break, str]] = {
    "no samples": (lambda _: ["--utilization", "none_*.parquet"], "No file matches none_*.parquet; quote the pattern"),
    "a missing file": (file("resources", None), "There is no file {folder}/resources.parquet; check the path."),
    "an unreadable file": (file("decisions", b"no"), "{folder}/decisions.parquet cannot be read as Parquet; export it again."),
    "unreadable samples": (file("util_1", b"PAR1"), "{folder}/util_1.parquet cannot be read as Parquet; export it again."),
    "a missing column": (column("target", "decisions", None), "{folder}/decisions.parquet has no column target; it needs "),
    "another type": (column("vcpu", "resources", "8"), "Column vcpu of {folder}/resources.parquet is String; export it"),
    "times as text": (column("ts", "util_0", "now"), "Column ts of {folder}/util_0.parquet is String; export it as a timestamp."),
    "tags that are no JSON": (column("tags", "resources", "a=b"), "Column tags of {folder}/resources.parquet has texts that"),
    "a resource twice": (double, "{folder}/resources.parquet lists i-1 twice; leave one row for each resource."),
    "no windows": (windows(), "{folder}/windows.parquet has no windows; leave --windows out for weekly ones."),
    "a window of nothing": (windows(("i-9", moment(14))), "{folder}/windows.parquet names i-9, which the resources file"),
    "a folder as a file": (lambda e: ["--resources", str(e.folder)], "{folder} is a folder; name a file."),
    "nothing to decide": (column("resource_id", "resources", "i-9"), "{folder}/resources.parquet lists i-9 twice"),
    "no known type": (column("instance_type", "resources", "z9"), "No window can be judged: none of the resources has"),
    "a folder of samples": (lambda e: ["--utilization", str(e.folder)], "{folder} is a folder; name a file."),
    "an unknown rule": (lambda _: ["--rule", "coin"], "There is no rule coin; choose one of nightshift, seed, "),
    "another ending": (lambda _: ["--out", "answers.csv"], "answers.csv must end in .parquet: the answers go there, and the"),
    "a file as a folder": (lambda e: ["--out", f"{e.folder}/util_0.parquet/x.parquet"], "Cannot write to {folder}/util_0."),
    "an input as output": (lambda e: ["--out", f"{e.folder}/util_0.parquet"], "{folder}/util_0.parquet is one of the files"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_bad_input_is_one_sentence_and_nothing_is_written(nightshift: Nightshift, tmp_path: Path, name: str) -> None:
    change, sentence = BROKEN[name]
    export = world(tmp_path / "export")
    out = tmp_path / "out" / "answers.parquet"
    more = change(export)
    before = {path: path.read_bytes() for path in export.folder.iterdir()}
    outcome = nightshift("backtest", *export.options(out), *more)
    assert outcome.returncode == 2, outcome.stderr
    assert told(outcome).startswith(sentence.format(folder=export.folder))
    assert outcome.stdout == ""
    assert not out.parent.exists()
    assert {path: path.read_bytes() for path in export.folder.iterdir()} == before
    assert not list(tmp_path.glob("answers.*"))


@pytest.mark.parametrize("days", ["6", "91", "many"])
def test_a_look_back_out_of_bounds(nightshift: Nightshift, tmp_path: Path, days: str) -> None:
    outcome = nightshift("backtest", *world(tmp_path / "export").options(tmp_path / "a.parquet"), "--lookback-days", days)
    assert outcome.returncode == 2
    assert "--lookback-days" in outcome.stderr
    assert not (tmp_path / "a.parquet").exists()


def test_help_needs_nothing(nightshift: Nightshift) -> None:
    outcome = nightshift("backtest", "--help")
    assert outcome.returncode == 0
    for option in ("--utilization", "--resources", "--decisions", "--windows", "--lookback-days", "--target", "--out", "--rule"):
        assert option in outcome.stdout

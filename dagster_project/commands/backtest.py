"""``nightshift backtest``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dagster_project.commands.layout import table
from dagster_project.errors import InputError
from dagster_project.progress import progress_for
from dagster_project.settings import load_settings


@click.command()
@click.option("--utilization", required=True, metavar="GLOB", help="Parquet files of samples; quote the pattern.")
@click.option("--resources", required=True, type=click.Path(path_type=Path), help="Parquet file of resources.")
@click.option("--decisions", required=True, type=click.Path(path_type=Path), help="Parquet file of decisions.")
@click.option(
    "--windows", type=click.Path(path_type=Path), help="Parquet file of resource_id, decide_at. Default: weekly, from day 7 on."
)
@click.option("--lookback-days", type=click.IntRange(7, 90), default=28, show_default=True, help="How far back a rule may look.")
@click.option(
    "--target",
    type=click.Choice(["cheapest", "family", "one-step"]),
    default="cheapest",
    show_default=True,
    help="Cheapest allowed type of the architecture, smallest of the family, or one size down in it.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE.parquet", help="One row for every window.")
@click.option("--rule", default="nightshift", show_default=True, help="Whose answers go to --out: nightshift, or a peer's id.")
def command(
    utilization: str,
    resources: Path,
    decisions: Path,
    windows: Path | None,
    lookback_days: int,
    target: str,
    out: Path,
    rule: str,
) -> None:
    """Prove the rules on your own history before you trust them.

    For every window (a resource and a moment) each rule decides with the rows before that moment, and the seven days after
    it judge: what was saved, and how often the smaller size would have starved. Nightshift's rule stands beside the rules of
    the tools that people know, on the same windows.

    \b
    Utilization: resource_id, ts (UTC), cpu_pct; optionally source, mem_used_pct, cpu_max_pct, mem_max_pct, net_in_bytes,
      net_out_bytes, disk_read_bytes, disk_write_bytes (sums of the interval), vcpu (0 = off), mem_gib. Null = unknown.
    Resources: resource_id, instance_type, region, vcpu, mem_gib, memory_known, tags (JSON text; service groups machines).
    Decisions: decision_id, decision_time, target, action_type, policy_id, policy_version, outcome; optionally dry_run, event_id.

    Beside FILE.parquet (resource_id, decide_at, verdict, reason_code, current_type, target_type, savings_usd_month, evidence)
    the scores go to FILE.json, FILE.md and FILE.html, and the chart to FILE.svg. Thresholds are those of NIGHTSHIFT_CONFIG;
    what a change is worth (least savings, cost of risk) is left out, because that is judged here.

    \b
    nightshift backtest --utilization 'export/util_*.parquet' --resources export/resources.parquet \\
      --decisions export/decisions.parquet --out backtest.parquet
    """
    from dagster_project.domain.backtest.peers import PEERS
    from dagster_project.pipeline.backtest import NIGHTSHIFT, Inputs, run
    from dagster_project.pipeline.backtest_report import build, require_place, write
    from dagster_project.pipeline.verdicts import judging_rules

    names = (NIGHTSHIFT, *(peer.id for peer in PEERS))
    if rule not in names:
        raise InputError(f"There is no rule {rule}; choose one of {', '.join(names)}.")
    inputs = Inputs(utilization, resources, decisions, windows, lookback_days)
    require_place(out, inputs)
    rules = judging_rules(load_settings().rightsizing, target)
    progress = progress_for(sys.stderr)
    click.get_current_context().call_on_close(progress.close)
    trial = run(inputs, rules, PEERS, progress)
    report = build(trial, inputs, rules, PEERS, progress)
    files = write(trial, report, rule, out)
    progress.close()
    click.echo(
        f"{report.windows:,} windows of {report.resources:,} resources, {report.first_at} to {report.last_at}, "
        f"look-back {report.lookback_days} days, target {report.target}."
    )
    for line in report.counts:
        click.echo(f"  {line.rows:>10,} {line.label}")
    click.echo(
        f"The fleet cost ${report.cost_usd:,.0f} in the judged weeks; perfect foresight would have saved "
        f"${report.possible_usd:,.0f}."
    )
    click.echo("")
    for text in table(
        ("rule", "down", "saved $", "captured %", "starved", "starved %", "touched %", "memory %", "flips %"),
        [
            (
                score.rule,
                f"{score.down:,}",
                f"{score.saved_usd:,.0f}",
                _share(score.captured_pct, 1),
                f"{score.starved:,}",
                _share(score.starved_pct, 2),
                _share(score.touched_pct, 1),
                _share(score.memory_touched_pct, 1),
                _share(score.flips_pct, 1),
            )
            for score in report.rules
        ],
    ):
        click.echo(text)
    click.echo("")
    click.echo(
        f"Answers: {files.answers}\nReport:  {files.page}\n         {files.tables}\n         {files.report}\n"
        f"Chart:   {files.chart}"
    )


def _share(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"

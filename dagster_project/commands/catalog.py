"""``nightshift catalog``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from dagster_project.commands.layout import table
from dagster_project.commands.options import Day, runtime

if TYPE_CHECKING:
    from dagster_project.domain.catalog_changes import Changed, Diff, Market, Move
    from dagster_project.pipeline.catalog_answers import Shown
    from dagster_project.pipeline.catalog_refresh import Refreshed

_MOST_LINES = 12


@click.group()
def command() -> None:
    """Instance types, database classes and their on-demand prices: what sizes are judged by.

    A catalog is shipped. A refreshed one is used for its own day and later ones; a day that is run again keeps the one that
    it had. docs/catalog.md tells what is taken over from AWS, and what is not.
    """


@command.command()
@click.option(
    "--region", "regions", multiple=True, help="Only this region; may be given several times. Default: every one in use."
)
@click.option("--accept", is_flag=True, help="Take it over although many sizes or prices would be lost or moved.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
def refresh(regions: tuple[str, ...], accept: bool, is_json: bool) -> None:
    """Read instance types, what is on offer, and on-demand prices from AWS, and make a catalog of them.

    In use are the regions of the newest inventory and those that are read from AWS. A region that cannot be read keeps what it
    had. A refresh is refused when a region would lose more than 5 % of its sizes or prices, or more than 5 % of its prices would
    move by more than 30 %. Exit code 1 then, and when a region was not read.
    """
    from dagster_project.pipeline.catalog_refresh import refresh as make

    made = make(runtime(), regions, accept=accept)
    click.echo(_json(made) if is_json else "\n".join(_refreshed(made)))
    if made.failed or made.folder is None:
        click.get_current_context().exit(1)


@command.command()
@click.option("--day", type=Day(), help="The catalog that this day is judged by. Default: today (UTC).")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
def show(day: date | None, is_json: bool) -> None:
    """Show which catalog is in use: its age, its regions, and the prices that are set aside."""
    from datetime import UTC

    from dagster_project.pipeline.catalog_answers import shown

    surroundings = runtime()
    found = shown(surroundings, day or surroundings.now.astimezone(UTC).date())
    click.echo(found.to_json() if is_json else "\n".join(_shown(found)))


def _json(made: Refreshed) -> str:
    import json

    more = {"failed": made.failed, "folder": made.folder, "refused": made.is_refused}
    if made.diff is None:
        return json.dumps({"day": made.day, **more}, indent=1, sort_keys=True, default=str, ensure_ascii=False)
    return made.diff.to_json(**more)


def _refreshed(made: Refreshed) -> list[str]:
    lines = [f"{name}: {why}" for name, why in sorted(made.failed.items())]
    if made.diff is None:
        return [*lines, "No region was read; the catalog stays as it is."]
    lines += ["", *_diff(made.diff), ""] if lines else [*_diff(made.diff), ""]
    if made.folder is None:
        lines += [
            *made.diff.objections,
            "Refused; the catalog stays as it is. --accept takes over what you looked at.",
        ]
    else:
        lines.append(f"Nights from {made.day} on use {made.folder}.")
    return lines


def _diff(diff: Diff) -> list[str]:
    since = f"that of {diff.earlier}" if diff.earlier else "the shipped catalog"
    header = ("Region", "", "sizes", "new", "gone", "prices", "new", "gone", "changed", "set aside")
    lines = [f"Compared with {since}:", *table(header, [_market(each) for each in diff.markets], words=(0, 1))]
    for each in diff.markets:
        lines += _listed(f"{each.region} {each.service}, new", each.new_sizes)
        lines += _listed(f"{each.region} {each.service}, gone", each.gone_sizes)
        lines += _listed(f"{each.region} {each.service}, without a price now", each.gone_prices)
        moves = sorted(each.moved, key=lambda move: -abs(move.share))
        lines += _listed(f"{each.region} {each.service}, price", [_move(move) for move in moves])
        lines += _listed(f"{each.region} {each.service}, set aside", each.findings)
    lines += _listed("Types that the catalog lacked", diff.new_types) + _listed(
        "Types that changed", _changes(diff.changed_types)
    )
    lines += _listed("Classes that the catalog lacked", diff.new_classes)
    lines += _listed("Classes that changed", _changes(diff.changed_classes))
    return [*lines, *_listed("Not taken over", diff.notes)]


def _market(each: Market) -> tuple[str, ...]:
    counts = (
        each.sizes, len(each.new_sizes), len(each.gone_sizes), each.prices, len(each.new_prices), len(each.gone_prices),
        len(each.moved), len(each.findings),
    )  # fmt: skip
    return each.region, each.service, *(f"{count:,}" for count in counts)


def _move(move: Move) -> str:
    name = f"{move.name} {move.engine}" if move.engine else move.name
    return f"{name} {move.before:g} → {move.now:g} ({100 * move.share:+.1f} %)"


def _changes(changed: tuple[Changed, ...]) -> list[str]:
    return [f"{each.name} {each.column} {_value(each.before)} → {_value(each.now)}" for each in changed]


def _value(value: object) -> str:
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _listed(title: str, entries: list[str] | tuple[str, ...]) -> list[str]:
    """A few lines, and how many more there are; --json and the file beside the catalog have all."""
    if not entries:
        return []
    more = len(entries) - _MOST_LINES
    shown = [f"  {each}" for each in entries[:_MOST_LINES]]
    return ["", f"{title} ({len(entries):,})", *shown, *([f"  and {more:,} more (--json)"] if more > 0 else [])]


def _shown(found: Shown) -> list[str]:
    made = f"the catalog of {found.made_on}: {found.folder}" if found.made_on else "the shipped catalog."
    lines = [
        f"{found.day} is judged by {made}",
        f"{found.instance_types:,} instance types and {found.rds_classes:,} database classes.",
        "",
    ]
    rows = [
        (
            each.region,
            each.service,
            f"{each.prices:,}",
            f"{each.set_aside:,}",
            "–" if each.oldest is None else f"{each.oldest}" if each.oldest == each.newest else f"{each.oldest} … {each.newest}",
            "–" if each.age_days is None else f"{each.age_days:,} d",
        )
        for each in found.regions
    ]
    lines += table(("Region", "", "prices", "set aside", "of", "age"), rows, words=(0, 1, 4))
    return [*lines, *_listed("Set aside", found.findings)]

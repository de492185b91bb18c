"""Charts that are drawn while a page is written: the same bytes, names of their own, and no text that could do anything."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from dagster_project.reporting import report_charts, vega
from dagster_project.reporting.action_item_views import Curve
from dagster_project.reporting.incident_views import Durations
from dagster_project.reporting.savings_views import GroupSavings, Stage
from dagster_project.reporting.vega import Chart, draw
from dagster_project.reporting.views import ReasonCount
from tests.golden.sample_report import HOSTILE_NAMES, SAVINGS

# NUL to U+001F without tab and line ends, what is no character, and halves of pairs.
FORBIDDEN = [chr(code) for code in (0, 1, 8, 11, 12, 14, 27, 31, 0xFFFE, 0xFFFF)]


def group(name: str, safe: float = 3.0) -> GroupSavings:
    return GroupSavings(name, None, 1, 9.0, 1, safe, 2.0, 1.0, 0.0)


def texts(chart: Chart) -> list[str]:
    """The words of the picture for a desk."""
    root = ET.fromstring(f"<both>{draw(chart)}</both>")  # noqa: S314 - our own
    return [each.text or "" for each in root[0].iter("{http://www.w3.org/2000/svg}text")]


def test_a_chart_is_the_same_whatever_was_drawn_before_it() -> None:
    chart = report_charts.waterfall(SAVINGS.stages)
    first = draw(chart)
    draw(report_charts.by_group("teams", "team", SAVINGS.teams))
    assert draw(chart) == first


def test_names_within_pictures_are_each_its_own() -> None:
    charts = [report_charts.waterfall(SAVINGS.stages), report_charts.by_group("teams", "team", SAVINGS.teams)]
    page = "".join(map(draw, charts))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) >= 8
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)
    assert {name for names in re.findall(r'aria-labelledby="([^"]+)"', page) for name in names.split()} <= set(ids)


def test_colours_follow_the_page_and_nothing_is_loaded() -> None:
    page = draw(report_charts.by_group("teams", "team", SAVINGS.teams))
    assert not re.findall(r'(?:fill|stroke)="#', page), "a colour that is written down does not follow into the dark"
    assert {"var(--verdict-propose)", "var(--verdict-refuse)", "var(--verdict-insufficient)"} <= set(
        re.findall(r"var\([\w-]+\)", page)
    )
    assert not re.search(r"href|<image|<style|<script|@import|font-family", page)


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_a_character_that_xml_cannot_hold_ends_no_process(forbidden: str) -> None:
    assert any(
        label.startswith("a") for label in texts(report_charts.by_group("t", "team", [group(f"a{forbidden}b"), group("c")]))
    )


def test_names_are_data_and_never_fields_or_expressions() -> None:
    names = [*HOSTILE_NAMES, "a.b[c]", "datum.value", "'+alert(1)+'", '{"signal": "x"}', "\\u0041", "$value", "a\\.b"]
    drawn = texts(report_charts.by_group("t", "team", [group(name) for name in names]))
    assert len([each for each in drawn if each.startswith(("a.b[c]", "datum.value", "'+alert"))]) == 3
    assert not any(
        tag in draw(report_charts.by_group("t", "team", [group(n) for n in names])) for tag in ("<script", "<img", "<!--")
    )


def test_what_looks_like_markup_of_ours_in_a_name_stays_as_it_is() -> None:
    names = ["v1.23456", 'a class="mark"', 'url(#clip0) id="clip0"']
    assert set(names) <= set(texts(report_charts.by_group("t", "team", [group(name) for name in names])))


def test_groups_whose_names_look_alike_keep_rows_of_their_own() -> None:
    groups = [group("x" * 60 + "1", 5.0), group("x" * 60 + "2", 4.0), group("same"), group("same")]
    chart = report_charts.by_group("t", "team", groups)
    values = chart.spec(vega.WIDE)["data"]["values"]
    assert len({value["group"] for value in values}) == 4
    numbered = report_charts.by_group("t", "team", [group(name) for name in ("ab (2)", "ab", "ab")]).spec(vega.WIDE)
    assert {value["group"] for value in numbered["data"]["values"]} == {"ab (2)", "ab", "ab (3)"}


def test_a_name_that_every_object_of_the_renderer_has_does_not_empty_the_picture() -> None:
    names = ["__proto__", "constructor", "toString", "hasOwnProperty", "__defineGetter__", "valueOf", "shop"]
    drawn = texts(report_charts.by_group("t", "team", [group(name) for name in names]))
    assert set(names) <= {each.strip("\N{NO-BREAK SPACE}") for each in drawn}


def test_the_label_of_a_loss_stands_beside_its_bar() -> None:
    stages = (Stage("identified", 100.0, 2), Stage("realized", -30.0, 1, 130.0, "unknown or not as estimated"))
    values = report_charts.waterfall(stages).spec(vega.WIDE)["data"]["values"]
    assert [(row["from"], row["to"], row["label"]) for row in values] == [
        (0, 100.0, "$100"), (-30.0, 100.0, "−$130"), (-30.0, 0, "−$30"),
    ]  # fmt: skip


def test_the_waterfall_goes_up_again_where_more_is_realized_than_was_estimated() -> None:
    stages = (
        Stage("identified", 100.0, 2),
        Stage("applied", 60.0, 1, 40.0, "not live yet"),
        Stage("realized", 75.0, 1, -15.0, "more"),
    )
    values = report_charts.waterfall(stages).spec(vega.WIDE)["data"]["values"]
    assert [(row["what"], row["from"], row["to"], row["label"]) for row in values] == [
        ("Identified", 0, 100.0, "$100"),
        ("not live yet", 60.0, 100.0, "−$40"),
        ("Applied", 0, 60.0, "$60"),
        ("more", 60.0, 75.0, "$15"),
        ("Realized", 0, 75.0, "$75"),
    ]


def test_every_incident_is_a_mark_and_the_median_has_its_interval() -> None:
    found = (Durations("Time to Detect", (0.2, 4.0, 31.0), 4.0, 1.0, 31.0), Durations("Time to Mitigate", (68.0,), None))
    spec = report_charts.durations(found).spec(vega.NARROW)
    marks = [layer["data"]["values"] for layer in spec["layer"]]
    assert [(row["metric"], row["minutes"]) for row in marks[1]] == [
        ("Time to Detect", 1.0), ("Time to Detect", 4.0), ("Time to Detect", 31.0), ("Time to Mitigate", 68.0),
    ]  # fmt: skip
    assert [(row["low"], row["high"], row["label"]) for row in marks[0]] == [(1.0, 31.0, "4 min")]


def test_survival_falls_from_all_to_what_is_left() -> None:
    curve = Curve(((3, 0.9), (14, 0.5), (62, 0.22)), 120, 14.0, 38, 24)
    spec = report_charts.survival(curve).spec(vega.WIDE)
    assert [(row["age"], row["share"]) for row in spec["data"]["values"]] == [
        (0, 1.0),
        (3, 0.9),
        (14, 0.5),
        (62, 0.22),
        (120, 0.22),
    ]
    assert "half done after 14 days" in texts(report_charts.survival(curve))
    assert not any("half" in each for each in texts(report_charts.survival(replace(curve, median_days=None))))


def test_refusals_are_told_with_their_money() -> None:
    reasons = [ReasonCount("refuse", f"r{n}", f"Reason {n}", n, 1000.0 * n, "i-1", "") for n in (3, 2, 1)]
    assert {"$3.0k", "$2.0k", "$1.0k", "Reason 3"} <= set(texts(report_charts.refusals(reasons)))

"""The chart of a backtest: what has a place on it, where names stand, and that nothing leaves the picture."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.bundle import bundled
from dagster_project.reporting import backtest_chart
from dagster_project.reporting.backtest_chart import NARROW, WIDE, Axes, Box, Frame, place_labels, tradeoff_chart
from dagster_project.reporting.backtest_views import BacktestReport, RuleScore
from tests.golden.sample_backtest import BACKTEST, BARE, FLEXERA, NOTHING, OWN, hostile

SVG = "{http://www.w3.org/2000/svg}"
FRAMES = pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
REPORTS = pytest.mark.parametrize("report", [BACKTEST, BARE, hostile()], ids=["ordinary", "bare", "hostile"])
PERCENT = st.floats(0, 100, allow_nan=False)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own output


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in parsed(svg).iter(f"{SVG}text")]


def tips(svg: str) -> list[str]:
    return [title.text or "" for title in parsed(svg).iter(f"{SVG}title")][1:]


def assert_inside(svg: str) -> None:
    """Points, ends of lines and whole names are inside of the viewBox."""
    root = parsed(svg)
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    xs, ys = [], []
    for element in root.iter():
        if element.tag == f"{SVG}circle":
            xs += [float(element.attrib["cx"]) - 6, float(element.attrib["cx"]) + 6]
            ys += [float(element.attrib["cy"]) - 6, float(element.attrib["cy"]) + 6]
        if element.tag == f"{SVG}path":
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", element.attrib["d"]):
                xs.append(float(x))
                ys.append(float(y))
        if element.tag == f"{SVG}text":
            length = backtest_chart.text_width(element.text or "", is_bold="font-weight:700" in element.attrib["style"])
            x, anchor = float(element.attrib["x"]), element.attrib["text-anchor"]
            before = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * length
            xs += [x - before, x - before + length]
            ys += [float(element.attrib["y"]) - 10, float(element.attrib["y"]) + 4]
    assert min(xs) >= 0
    assert max(xs) <= width
    assert min(ys) >= 0
    assert max(ys) <= height


def crowd(points: list[tuple[float, float]]) -> list[RuleScore]:
    return [
        replace(
            FLEXERA, rule=f"peer-{i:02}", title=f"The rule of peer {i}", captured_pct=captured, starved_pct=starved,
            captured_interval=(captured * 0.9, min(captured * 1.1, 100.0)), starved_interval=(0.0, min(starved * 2, 100.0)),
        )
        for i, (captured, starved) in enumerate(points)
    ]  # fmt: skip


def named(rules: list[RuleScore]) -> dict[RuleScore, str]:
    return {rule: rule.title for rule in rules}


@FRAMES
@REPORTS
def test_it_is_xml_and_stays_inside_of_its_box(report: BacktestReport, frame: Frame) -> None:
    assert_inside(tradeoff_chart(report, frame))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(PERCENT, PERCENT), max_size=24), st.sampled_from([WIDE, NARROW]))
def test_whatever_the_values_it_stays_inside_of_its_box(points: list[tuple[float, float]], frame: Frame) -> None:
    svg = tradeoff_chart(replace(BACKTEST, rules=(OWN, *crowd(points))), frame)
    assert_inside(svg)
    assert svg == tradeoff_chart(replace(BACKTEST, rules=(OWN, *crowd(points))), frame)


@FRAMES
def test_every_rule_with_downsizes_is_a_point(frame: Frame) -> None:
    svg = tradeoff_chart(BACKTEST, frame)
    peers = [rule for rule in BACKTEST.rules if not rule.is_own and rule.starved_pct is not None]
    assert len([tip for tip in tips(svg) if "captured" in tip]) == 1 + len(peers) + len(BACKTEST.frontier)
    assert "Nightshift: captured 61.2%, starved 0.2% of 1,204 downsizes" in tips(svg)


def test_points_are_named_and_where_there_is_no_room_numbered_as_in_the_table() -> None:
    assert texts(tradeoff_chart(BACKTEST, WIDE))[-7:] == [
        "Nightshift", "flexera-cross-family", "average-30", "kubecost-28d", "aws-compute-optimizer", "persistence-28d",
        "← idle-only, 1.1%",
    ]  # fmt: skip
    assert texts(tradeoff_chart(BACKTEST, NARROW))[-7:] == ["Nightshift", "7", "6", "5", "4", "3", "← 2, 1.1%"]


def test_a_rule_that_captures_much_less_is_at_the_edge_so_that_the_others_can_be_told_apart() -> None:
    axes = Axes.around(WIDE, backtest_chart.drawn(BACKTEST.rules), BACKTEST.frontier)
    assert (axes.left_pct, axes.right_pct) == (30, 70)
    assert axes.x(1.12) == axes.x(30) == WIDE.left
    assert [rule.rule for rule in backtest_chart.cut_off(BACKTEST)] == ["idle-only"]
    careful = replace(BACKTEST.frontier[-1], captured_pct=9.0)
    assert Axes.around(WIDE, backtest_chart.drawn(BACKTEST.rules), [careful]).left_pct == 0


def test_settings_are_joined_in_their_own_order() -> None:
    back = (*BACKTEST.frontier, replace(BACKTEST.frontier[0], captured_pct=50.0))
    svg = tradeoff_chart(replace(BACKTEST, rules=(), frontier=back), WIDE)
    line = [path.attrib["d"] for path in parsed(svg).iter(f"{SVG}path") if "stroke-opacity:.45" in path.attrib["style"]]
    ends = [re.findall(r"[\d.]+ [\d.]+", d) for d in line[1:]]
    assert len(ends) == len(back) - 1
    assert all(one[1] == other[0] for one, other in pairwise(ends))


def test_a_rule_without_downsizes_is_left_off() -> None:
    assert NOTHING not in backtest_chart.drawn(BACKTEST.rules)
    assert "Keep everything" not in tradeoff_chart(BACKTEST, WIDE)


def test_a_chart_of_nothing_says_so() -> None:
    assert "No rule shrank anything." in texts(tradeoff_chart(BARE, WIDE))
    assert backtest_chart.chart_title(BARE) == "Savings captured against downsizes starved, no rules"


def test_the_scale_of_starving_shows_one_in_a_thousand_and_one_in_five() -> None:
    axes = Axes.around(WIDE, backtest_chart.drawn(BACKTEST.rules), BACKTEST.frontier)
    assert axes.top_pct == 30
    assert axes.y(0) == WIDE.bottom
    assert axes.y(30) == WIDE.top
    heights = [axes.y(tick) for tick in (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)]
    assert all(40 < lower - upper < 100 for lower, upper in pairwise(heights))
    assert [text for text in texts(tradeoff_chart(BACKTEST, WIDE)) if re.fullmatch(r"[\d.]+%", text)] == [
        *(f"{captured}%" for captured in range(30, 80, 10)), "0%", "0.1%", "0.3%", "1%", "3%", "10%", "30%",
    ]  # fmt: skip


@FRAMES
def test_names_cover_neither_each_other_nor_a_point(frame: Frame) -> None:
    near = [(50 + 3 * (i % 4), 4 + 1.5 * (i // 4)) for i in range(12)]
    rules = [OWN, *crowd(near)]
    axes = Axes.around(frame, rules, [])
    labels = place_labels(axes, named(rules), [], [])
    assert len(labels) == len(rules)
    assert not any(one.box.shared(other.box) for one, other in combinations(labels, 2))
    for label in labels:
        assert not any(label.box.shared(Box(x - 5, y - 5, x + 5, y + 5)) for x, y in map(axes.of, rules))


def test_rules_at_the_same_place_are_all_named_and_led_to_it() -> None:
    rules = crowd([(40.0, 2.0)] * 5)
    labels = place_labels(Axes.around(WIDE, rules, []), named(rules), [], [])
    assert len({label.box for label in labels}) == 5
    assert any(label.leader for label in labels)
    assert not any(one.box.shared(other.box) for one, other in combinations(labels, 2))


def test_a_name_that_is_too_long_or_too_wide_ends_in_dots() -> None:
    long, wide = (replace(FLEXERA, title=title) for title in ("x" * 500, "東" * 60))
    for label in place_labels(Axes.around(NARROW, [long, wide], []), named([long, wide]), [], []):
        assert label.text.endswith("…")
        assert label.box.x1 - label.box.x0 <= NARROW.longest_label


def test_a_segment_crosses_a_box_only_if_some_of_it_is_inside() -> None:
    box = Box(0, 0, 10, 10)
    assert box.is_crossed_by(((-5, 5), (15, 5)))
    assert box.is_crossed_by(((5, 5), (5, 6)))
    assert box.is_crossed_by(((-1, 8), (8, 15)))
    assert not box.is_crossed_by(((-5, 12), (15, 12)))
    assert not box.is_crossed_by(((-5, 5), (-1, 5)))
    assert not box.is_crossed_by(((-5, 8), (8, 21)))


def test_kinds_of_points_differ_in_more_than_colour() -> None:
    svg = tradeoff_chart(BACKTEST, WIDE)
    own = next(path for path in parsed(svg).iter(f"{SVG}path") if "Z" in path.attrib["d"])
    radii = {circle.attrib["r"] for circle in parsed(svg).iter(f"{SVG}circle")}
    assert own.attrib["d"].count("l") == 3
    assert radii == {"5.0", "3.0"}


def test_the_legend_names_only_what_is_there() -> None:
    alone = replace(BACKTEST, rules=(replace(OWN, captured_interval=None, starved_interval=None),), frontier=())
    assert texts(tradeoff_chart(alone, WIDE))[-2:] == ["Nightshift", "Nightshift"]
    assert not {"Other rules", "95% interval", "Nightshift, other thresholds"} & set(texts(tradeoff_chart(alone, WIDE)))


def test_an_image_of_it_is_dark_where_the_page_is() -> None:
    css = bundled("templates").joinpath("report.css.j2").read_text(encoding="utf-8")
    dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[1]
    style = next(parsed(tradeoff_chart(BACKTEST, WIDE)).iter(f"{SVG}style")).text or ""
    own = dict(re.findall(r"--(\w+):(#\w+)", style))
    assert set(own) == {"surface", "ink", "muted", "line", "accent"}
    assert all(f"--{name}: {colour};" in dark for name, colour in own.items())


def test_names_in_the_chart_are_only_text() -> None:
    svg = tradeoff_chart(hostile(), WIDE)
    tags = {element.tag.removeprefix(SVG) for element in parsed(svg).iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "path", "circle", "g", "text"}
    assert "<script>alert(1)</script>" in texts(svg)

"""What people write is never lost; what nobody touched is brought up to date."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.incidents.merging import marked, merge, without_markers


def document(**sections: str) -> str:
    return "\n".join([*(marked(name, text) for name, text in sections.items()), "## Lessons\n\n*What do we know now?*\n"])


OLD = document(summary="## Summary\n\nold", impact="## Impact\n\n4 h", cost="## Cost\n\n$10")
NEW = document(summary="## Summary\n\nnew", impact="## Impact\n\n4 h", cost="## Cost\n\n$12")


def test_the_first_time_everything_is_generated() -> None:
    merged = merge(OLD, None)

    assert merged.text == f"{OLD}\n<!-- nightshift:sections summary impact cost -->\n"
    assert merged.kept == ()
    assert merged.updated == ("summary", "impact", "cost")
    assert merge(OLD, " \n") == merged


def test_sections_that_nobody_edited_are_replaced() -> None:
    merged = merge(NEW, merge(OLD, None).text)

    assert merged.text == merge(NEW, None).text
    assert (merged.kept, merged.updated) == ((), ("summary", "cost"))


def test_an_edited_section_stays_as_it_is_to_the_byte() -> None:
    existing = merge(OLD, None).text.replace("old", "old, and nobody\ttold  us \r\nso")

    merged = merge(NEW, existing)

    assert "## Summary\n\nold, and nobody\ttold  us \r\nso\n" in merged.text
    assert (merged.kept, merged.updated) == (("summary",), ("cost",))


def test_text_outside_of_sections_stays_where_it_is() -> None:
    existing = (
        merge(OLD, None).text.replace("<!-- nightshift:begin cost", "Ours, before cost.\n<!-- nightshift:begin cost")
        + "\nOurs, at the end."
    )

    merged = merge(NEW, existing)

    assert merged.text == existing.replace(
        marked("summary", "## Summary\n\nold"), marked("summary", "## Summary\n\nnew")
    ).replace(marked("cost", "## Cost\n\n$10"), marked("cost", "## Cost\n\n$12"))


def test_a_section_that_was_taken_out_does_not_come_back() -> None:
    existing = merge(OLD, None).text.replace(marked("impact", "## Impact\n\n4 h"), "")

    merged = merge(NEW, existing)

    assert "Impact" not in merged.text
    assert merge(NEW, merged.text).text == merged.text


def test_text_whose_comments_were_taken_out_is_the_persons_own() -> None:
    section = marked("impact", "## Impact\n\n4 h")
    existing = merge(OLD, None).text.replace(section, without_markers(section))

    merged = merge(document(summary="s", impact="## Impact\n\n5 h", cost="c"), existing)

    assert "4 h" in merged.text and "5 h" not in merged.text


def test_a_new_section_comes_where_it_belongs() -> None:
    newer = document(summary="## Summary\n\nold", impact="## Impact\n\n4 h", engine="## Engine\n\nacted", cost="## Cost\n\n$10")

    merged = merge(newer, merge(OLD, None).text)

    assert merged.text == merge(newer, None).text
    assert merged.updated == ("engine",)


def test_a_section_that_is_generated_no_more_goes_unless_somebody_edited_it() -> None:
    existing = merge(OLD, None).text.replace("$10", "$10, says finance")

    merged = merge(document(impact="## Impact\n\n4 h"), existing)

    assert "## Summary" not in merged.text
    assert "$10, says finance" in merged.text
    assert (merged.kept, merged.updated) == (("cost",), ("summary",))
    assert "## Summary" in merge(OLD, merged.text).text


def test_other_line_ends_are_no_edit() -> None:
    merged = merge(NEW, merge(OLD, None).text.replace("\n", "\r\n"))

    assert merged.kept == ()
    assert merged.text == merge(NEW, None).text.replace("\n", "\r\n")


DAMAGES = {
    "no end": lambda text: text.replace("<!-- nightshift:end impact -->\n", "mine\n"),
    "no begin": lambda text: re.sub(r"<!-- nightshift:begin impact \w+ -->\n", "mine\n", text),
    "no digest": lambda text: re.sub(r"begin impact \w+", "begin impact", text).replace("4 h", "4 h mine"),
    "twice": lambda text: text + "mine\n" + marked("impact", "## Impact\n\n4 h"),
    "nested": lambda text: text.replace("4 h", "4 h\nmine\n" + marked("cost", "inner").rstrip("\n")),
    "swapped": lambda text: text.replace("end impact", "end x").replace("end cost", "end impact").replace("4 h", "mine"),
    "no list": lambda text: re.sub(r"<!-- nightshift:sections .*-->", "mine", text),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_comments_lose_nothing(damage: object) -> None:
    existing = damage(merge(OLD, None).text)  # type: ignore[operator]

    merged = merge(NEW, existing)

    assert all(merged.text.count(text) >= existing.count(text) for text in ("mine", "4 h"))
    assert merge(NEW, merged.text).text == merged.text


LOST = {
    "no begin": lambda text: re.sub(r"<!-- nightshift:begin summary \w+ -->\n", "", text),
    "quoted begin": lambda text: text.replace("<!-- nightshift:begin summary", "> <!-- nightshift:begin summary"),
    "quoted": lambda text: re.sub(r"(?m)^(<!-- nightshift:(?:begin|end) summary)", r"> \1", text),
    "words beside the end": lambda text: text.replace("end summary -->", "end summary --> mine"),
    "two ends": lambda text: text.replace("end impact -->", "end impact -->\n<!-- nightshift:end summary -->"),
}


@pytest.mark.parametrize("damage", LOST.values(), ids=LOST)
def test_a_section_that_is_not_brought_up_to_date_any_more_is_said_to_be_kept(damage: object) -> None:
    merged = merge(NEW, damage(merge(OLD, None).text))  # type: ignore[operator]

    assert ("old" in merged.text, "new" in merged.text) == (True, False)
    assert (merged.kept, merged.updated) == (("summary",), ("cost",))


def test_an_indented_marker_is_a_marker() -> None:
    merged = merge(NEW, merge(OLD, None).text.replace("<!-- nightshift:begin summary", "  <!-- nightshift:begin summary"))

    assert ("new" in merged.text, merged.kept) == (True, ())


def test_a_byte_order_mark_stays_and_hides_no_section() -> None:
    merged = merge(NEW, "\ufeff" + merge(OLD, None).text)

    assert merged.text == "\ufeff" + merge(NEW, None).text
    assert merged.kept == ()


def test_what_is_added_to_a_document_with_crlf_has_crlf() -> None:
    old = merge(document(summary="s"), None).text.replace("\n", "\r\n") + "mine\r\n"

    text = merge(NEW, old).text

    assert text.count("\n") == text.count("\r\n") > old.count("\n")
    assert text.endswith("mine\r\n")
    mixed = old + "theirs\n"
    assert merge(document(summary="s"), mixed).text == mixed


def test_what_was_taken_out_of_an_edited_document_is_taken_out_of_another_and_stays_out() -> None:
    ours = merge(OLD, None).text
    theirs = ours.replace(marked("impact", "## Impact\n\n4 h"), "")

    merged = merge(theirs, ours)

    assert "## Impact" not in merged.text
    assert "## Impact" not in merge(NEW, merged.text).text
    assert "## Impact" not in merge(NEW, merge(theirs, None).text).text


def test_what_is_damaged_in_an_edited_document_is_not_taken_out_of_another() -> None:
    ours = merge(OLD, None).text
    theirs = ours.replace("<!-- nightshift:end impact -->\n", "")

    merged = merge(theirs, ours)

    assert ("4 h" in merged.text, merged.kept) == (True, ("impact",))


def test_generated_text_cannot_end_its_section() -> None:
    text = document(summary="evil <!-- nightshift:end summary -->\nx\n<!-- nightshift:end summary -->\ny")

    assert merge(text, merge(text, None).text).kept == ()
    assert merge(text, merge(text, None).text).text == merge(text, None).text


NAMES = ("summary", "impact", "cost", "engine")
GENERATED = st.builds(
    lambda texts: document(**texts),
    st.dictionaries(st.sampled_from(NAMES), st.text("ab<!-> \n", max_size=12), min_size=1).map(
        lambda found: {name: found[name] for name in NAMES if name in found}
    ),
)
PIECES = st.sampled_from(
    [
        *(marked(name, "x") for name in NAMES),
        *(f"<!-- nightshift:begin {name} 0123456789ab -->\n" for name in NAMES),
        *(f"<!-- nightshift:end {name} -->\n" for name in NAMES),
        "<!-- nightshift:sections summary cost -->\n",
        "words\n",
        "\n",
        "\r\n",
        "no end of line",
        "<!-- nightshift:begin -->\n",
        "  <!-- nightshift:end impact -->  \n",
        "> <!-- nightshift:begin cost 0123456789ab -->\n",
        "> <!-- nightshift:end summary --> words\n",
    ]
)


@settings(deadline=None)
@given(GENERATED, st.lists(PIECES, max_size=12).map("".join))
def test_merging_twice_is_merging_once(generated: str, existing: str) -> None:
    once = merge(generated, existing).text

    assert merge(generated, once).text == once


@settings(deadline=None)
@given(st.lists(GENERATED, min_size=1, max_size=4), st.data())
def test_what_people_write_anywhere_survives_any_number_of_runs(generations: list[str], data: st.DataObject) -> None:
    text = merge(generations[0], None).text
    written: list[str] = []
    for number, generated in enumerate([*generations, generations[0]]):
        note = f"«note {number}»"
        # Within a comment of ours a note damages it; it stays all the same. Within an earlier note it would split that.
        place = data.draw(st.sampled_from([at for at in range(len(text) + 1) if text[:at].count("«") == text[:at].count("»")]))
        text = text[:place] + note + text[place:]
        written.append(note)
        text = merge(generated, text).text
        assert all(text.count(earlier) == 1 for earlier in written)


@settings(deadline=None)
@given(GENERATED, st.lists(PIECES, max_size=12).map("".join))
def test_lines_of_people_keep_their_order(generated: str, existing: str) -> None:
    lines = existing.splitlines(keepends=True)
    numbered = "".join(f"line {n} of ours\n{line}" for n, line in enumerate(lines))

    assert re.findall(r"line \d+ of ours", merge(generated, numbered).text) == [f"line {n} of ours" for n in range(len(lines))]

"""Replacing the bytes of literals: nothing else moves, but a trailing comment that stands in a column keeps it."""

from __future__ import annotations

import pytest

from dagster_project.iac.literals import replaced
from tests.unit.iac.builders import marked


def after(text: str, **new: str) -> str:
    """The text with new ones in its markers."""
    data, places = marked(text)
    return replaced(data, [(places[name], to) for name, to in new.items()]).decode()


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [
        ('a = "«a:m5.large»"\n', "m5.xlarge", 'a = "m5.xlarge"\n'),
        ('a = "«a:m5.large»"', "t3.nano", 'a = "t3.nano"'),
        ("«a:4»", "16", "16"),
        ('ä = "«a:m5.large»" # größer\r\n', "t3.nano", 'ä = "t3.nano" # größer\r\n'),
        ('a = "«a:m5\\u002elarge»"\n', "t3.nano", 'a = "t3.nano"\n'),
        ('a = "«a:»"\n', "t3.nano", 'a = "t3.nano"\n'),
        ("a: «a:4»\nb: 4\n", "16", "a: 16\nb: 4\n"),
    ],
)
def test_the_bytes_of_a_literal_are_replaced_and_no_others(text: str, to: str, expected: str) -> None:
    assert after(text, a=to) == expected


ABOVE = 'ami           = "ami-1"    # the image\ninstance_type = "«a:m5.large»" # the size\n'
BELOW = 'instance_type = "«a:m5.large»" # the size\nami           = "ami-1"    # the image\n'


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [
        (ABOVE, "t3.nano", 'ami           = "ami-1"    # the image\ninstance_type = "t3.nano"  # the size\n'),
        (BELOW, "t3.nano", 'instance_type = "t3.nano"  # the size\nami           = "ami-1"    # the image\n'),
        (ABOVE, "c5.large", 'ami           = "ami-1"    # the image\ninstance_type = "c5.large" # the size\n'),
        (ABOVE, "m5.24xlarge", 'ami           = "ami-1"    # the image\ninstance_type = "m5.24xlarge" # the size\n'),
        (
            'a = "«a:m5.large»"   # x\nb = "m5.xlarge"  # y\n',
            "m5.2xlarge",
            'a = "m5.2xlarge" # x\nb = "m5.xlarge"  # y\n',
        ),
        ("min = «a:2»  // x\nmax = 10 // y\n", "12", "min = 12 // x\nmax = 10 // y\n"),
        ("sizes = [«a:100»]   # x\nother = [20]    # y\n", "8", "sizes = [8]     # x\nother = [20]    # y\n"),
        ("web: «a:m5.large» # x\napi: t3.nano  # y\n", "t3.small", "web: t3.small # x\napi: t3.nano  # y\n"),
        ("web: '«a:m5.large»' # x\napi: t3.nano    # y\n", "t3.small", "web: 't3.small' # x\napi: t3.nano    # y\n"),
        ("a = «a:100» # x\nb = 20  # y", "8", "a = 8   # x\nb = 20  # y"),
        ("a = «a:8»   # x\r\nb = 200 # y\r\n", "16", "a = 16  # x\r\nb = 200 # y\r\n"),
    ],
)
def test_a_comment_in_a_neighbours_column_keeps_that_column_as_far_as_it_can(text: str, to: str, expected: str) -> None:
    assert after(text, a=to) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a = «a:100» # x\nb = 20 # y\n",
        "a = «a:100» # x\n",
        "a = «a:100» # x\n\nb = 20  # y\n",
        "a = «a:100» # x\nb = 20\n",
        "a = «a:100»\t# x\nb = 200\t# y\n",
        "a = «a:100» /* x */\nb = 200 /* y */\n",
        "a = «a:100» + 1 # x\nb = 200     # y\n",
        'a = "«a:100»# x"\nb = "200#  y"\n',
        'a = "«a:100» # x"\nb = "20"#  y\n',
        "ä = «a:100» # x\nb = 200 # y\n",
        "a = «a:100» # ä\nö = 200 # y\n",
        "a = «a:100» b\nb = 200 # y\n",
        "a = «a:100»# x\nb = 200# y\n",
    ],
)
def test_where_no_comment_stands_in_the_same_column_nothing_but_the_literal_changes(text: str) -> None:
    for to in ("8", "16", "100", "10000"):
        assert after(text, a=to) == marked(text)[0].decode().replace("100", to, 1)


def test_a_comment_with_letters_of_several_bytes_keeps_its_column_where_what_stands_before_it_is_ascii() -> None:
    assert after("a = «a:100» # größer\nb = 20  # y\n", a="8") == "a = 8   # größer\nb = 20  # y\n"


def test_several_literals_of_one_text_are_replaced_together() -> None:
    text = 'x = "«a:m5.large»"\ny = ["«b:m5.large»", "«c:c5.large»"]\nz = «d:4»'
    assert after(text, d="16", a="t3.nano", c="r5.24xlarge", b="m5.large") == (
        'x = "t3.nano"\ny = ["m5.large", "r5.24xlarge"]\nz = 16'
    )


def test_aligned_lines_that_change_together_stay_aligned() -> None:
    text = "a = «a:100» # x\nb = «b:200» # y\nc = «c:300» # z\n"
    assert after(text, a="8", b="16", c="4") == "a = 8   # x\nb = 16  # y\nc = 4   # z\n"


def test_literals_of_one_line_move_each_other_and_the_comment_once() -> None:
    text = 'a = ["«a:m5.large»", "«b:c5.large»"] # x\nb = ["m5.large", "c5.large"] # y\n'
    assert after(text, a="t3.nano", b="r5.large") == 'a = ["t3.nano", "r5.large"] # x\nb = ["m5.large", "c5.large"] # y\n'
    assert after(text, b="r5.nano") == 'a = ["m5.large", "r5.nano"]  # x\nb = ["m5.large", "c5.large"] # y\n'


def test_without_literals_the_bytes_are_the_same() -> None:
    assert replaced(b"\xef\xbb\xbfa = 1\r\n", []) == b"\xef\xbb\xbfa = 1\r\n"

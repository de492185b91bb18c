"""What a pull request says of a postmortem, whatever the postmortem says."""

from __future__ import annotations

import pytest

from dagster_project.domain.incidents.merging import merge
from dagster_project.reporting.postmortem import document, render_markdown
from dagster_project.reporting.postmortem_pull import address_of, commit_message, pull_body, pull_title, words_of
from dagster_project.reporting.postmortem_views import Postmortem
from tests.incidents.documents.sample_postmortem import hostile, payment_outage

ADDRESS = address_of("https://github.com/acme/postmortems", "nightshift-postmortems/INC-1", "docs/größe/INC-1.md")


def body_of(view: Postmortem, kept: tuple[str, ...] = (), *, is_new: bool = False) -> str:
    generated = document(render_markdown(view))
    updated = merge(generated, None).updated
    words = words_of(view.header.incident_id, generated, ADDRESS, "INC-1.md", updated, kept, is_new=is_new)
    return pull_body(words, None)


def test_each_section_is_linked_by_its_heading() -> None:
    lines = body_of(payment_outage()).splitlines()
    address = "https://github.com/acme/postmortems/blob/nightshift-postmortems/INC-1/docs/gr%C3%B6%C3%9Fe/INC-1.md"
    assert f"- [Timeline]({address}#timeline)" in lines
    assert f"- [What the decision engine did and did not do]({address}#what-the-decision-engine-did-and-did-not-do)" in lines
    assert f"- [`header`]({address})" in lines
    assert sum("`" in line for line in lines if line.startswith("- ")) == 1


def test_a_new_document_lists_no_sections() -> None:
    assert "\n- " not in body_of(payment_outage(), is_new=True)


def test_a_long_list_says_how_many_are_left_out() -> None:
    body = body_of(payment_outage(), kept=tuple(f"section-{number}" for number in range(45)))
    assert "- [`section-39`](" in body
    assert "section-40" not in body
    assert "- 5 more\n" in body


def test_the_title_names_the_incident() -> None:
    generated = document(render_markdown(payment_outage()))
    assert pull_title("INC-2025-0342", generated) == (
        "Postmortem: INC-2025-0342 Payment processing stopped: cascading retry storm"
    )


def test_without_a_heading_the_title_is_the_incident() -> None:
    assert pull_title("INC-1", "Nothing is known.") == "Postmortem: INC-1"


def test_texts_that_attack_stay_texts() -> None:
    view = hostile()
    title = pull_title(view.header.incident_id, document(render_markdown(view)))
    assert len(title) <= 200
    assert not set("@#[]\n") & set(title)
    body = body_of(view)
    assert body.count("<!-- nightshift:begin") == 1
    assert "<script" not in body


@pytest.mark.parametrize(("sections", "message"), [((), "Title"), (("impact", "cost"), "Title\n\nSections: impact, cost")])
def test_a_commit_names_the_sections_that_it_changes(sections: tuple[str, ...], message: str) -> None:
    assert commit_message("Title", sections) == message

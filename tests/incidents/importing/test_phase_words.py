"""Which phases a row of a timeline says, and which it denies, hopes for or asks about."""

from __future__ import annotations

import pytest

from dagster_project.domain.incidents.importing.phase_words import words_of


@pytest.mark.parametrize(
    "text",
    [
        "The incident could not be mitigated by a restart",
        "The page was not acknowledged; escalated",
        "Rollback did not help, impact not mitigated",
        "We hope the root cause is identified soon",
        "Is the incident resolved? Customers still see errors",
        "We couldn't acknowledge the page",
        "We couldn’t acknowledge the page",
        "Nobody acknowledged",
        "Watching until the incident is resolved",
        "Incident resolved if the queue drains",
        "Unable to see that the incident resolved",
        "We never identified the cause",
        "We expect that the incident is resolved at noon",
        "**Resolved**: not yet",
        "**Acknowledged**: no",
    ],
)
def test_what_did_not_come_is_no_phase(text: str) -> None:
    assert words_of(text) == ()


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("Jane acknowledges the page", "acknowledged"),
        ("Mitigated without loss of data", "mitigated"),
        ("Mitigated until the fix is deployed", "mitigated"),
        ("Could not be mitigated by a restart; mitigated by a rollback", "mitigated"),
        ("The fix did not work, but the impact is mitigated", "mitigated"),
        ("Issue identified, we do not know since when", "identified"),
        ("Identified that the pods were not starting", "identified"),
        ("Incident declared as soon as we noticed", "declared"),
        ("Opened an incident to see if the provider is down", "declared"),
        ("**Recovery**: not a single error any more", "impact_ended"),
    ],
)
def test_a_negation_of_something_else_denies_no_phase(text: str, phase: str) -> None:
    assert phase in [word.phase for word in words_of(text)]

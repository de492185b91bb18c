"""A night of capture: what is captured once, what becomes another version, and what the ledger says of each source."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from dagster_project.connections.slack import Slack
from dagster_project.domain.incidents.completeness import Completeness, completeness
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import AccessDenied, CloudError
from dagster_project.lake.incident_tables import CAPTURED_EVENTS
from dagster_project.pipeline import capture
from dagster_project.pipeline.capture import capture_events
from dagster_project.pipeline.capture_coverage import SOURCES, captured_stretches
from dagster_project.pipeline.capture_sources import Absent
from dagster_project.pipeline.ledger import load_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_acting import SlackSettings
from dagster_project.sources.history import Incomplete, Listed, read_each
from dagster_project.sources.slack_history import SlackHistory
from tests.incidents.capture.night import (
    DAY,
    Outside,
    after,
    captured,
    decision,
    digests,
    event,
    fill,
    incident,
    levels,
    night,
    on,
    put,
    put_incidents,
    with_sources,
)

TEN = datetime(2025, 3, 9, 10)
END = datetime(2025, 3, 10)


@pytest.fixture(autouse=True)
def tables(runtime: Runtime) -> None:
    fill(runtime, "decision_audit")


def ids(runtime: Runtime, day: Any = DAY) -> list[tuple[str, int]]:
    return [(row["source_event_id"], row["version"]) for row in captured(runtime, day)]


# The decision engine's database.


def test_decisions_around_an_incident_say_what_the_engine_did_and_did_not_do(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    put(runtime, "resource_inventory", {"resource_id": "payment-api", "service": "payment"})
    fill(
        runtime,
        "decision_audit",
        decision("a", TEN - timedelta(minutes=90), event_time=TEN - timedelta(minutes=91), metrics='{"cpu": 97.5}',
                 policy_id="p-1", policy_version=3),
        decision("b", TEN, outcome="skipped", outcome_reason="cooldown"),
        decision("c", TEN, dry_run=True, outcome=None, policy_name=None),
        decision("too-early", TEN - timedelta(minutes=91)),
        decision("last", datetime(2025, 3, 9, 11, 59, 59), target="search"),
        decision("too-late", datetime(2025, 3, 9, 12)),
    )  # fmt: skip
    load = night(runtime)["captured_decisions"]
    found = {row["source_event_id"]: row for row in captured(runtime)}
    assert {key: row["text"] for key, row in found.items()} == {
        "a": "scale_up of payment-api succeeded (CPU Emergency Scale-Up)",
        "b": "scale_up of payment-api was blocked: cooldown (CPU Emergency Scale-Up)",
        "c": "Dry run, nothing was done: scale_up of payment-api was decided, and nothing says what came of it",
        "last": "scale_up of search succeeded (CPU Emergency Scale-Up)",
    }
    assert {key: row["service"] for key, row in found.items()} == {"a": "payment", "b": "payment", "c": "payment", "last": None}
    assert json.loads(found["a"]["payload"]) == {
        "action": None, "action_type": "scale_up", "duration_ms": None, "event_at": "2025-03-09T08:29:00", "event_id": None,
        "is_dry_run": False, "metrics": {"cpu": 97.5}, "outcome": "succeeded", "outcome_reason": None, "policy_id": "p-1",
        "policy_name": "CPU Emergency Scale-Up", "policy_version": 3,
    }  # fmt: skip
    assert {(row["source"], row["lane"], row["kind"], row["version"]) for row in found.values()} == {
        ("decision_audit", "engine", "decision", 1)
    }
    assert (load.status, load.rows_read, load.rows_written, load.watermark_at) == ("complete", 4, 4, END)


def test_changes_keep_their_reference_and_their_kind(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    fill(
        runtime,
        "change_events",
        {"change_id": "d", "occurred_at": TEN, "service": "payment", "kind": "deploy", "ref": "v12", "summary": "release 12",
         "actor": "mary"},
        {"change_id": "f", "occurred_at": TEN, "service": None, "kind": "flag", "ref": "new-checkout", "summary": None,
         "actor": None},
    )  # fmt: skip
    night(runtime)
    assert [(row["kind"], row["text"], row["actor"], json.loads(row["payload"])["ref"]) for row in captured(runtime)] == [
        ("deployment", "payment: release 12", "mary", "v12"),
        ("flag", "flag new-checkout", None, "new-checkout"),
    ]


def test_service_levels_reach_three_days_back_and_are_of_the_service(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    first = TEN - timedelta(days=3)
    rows = [
        {"service": service, "name": "availability", "timestamp": at, "good": 99.0, "total": 100.0}
        for service in ("payment", "search")
        for at in (first - timedelta(minutes=1), first, TEN, datetime(2025, 3, 9, 16, 59), datetime(2025, 3, 9, 17))
    ]
    wrong = {"service": "payment", "name": "availability", "timestamp": TEN + timedelta(minutes=1), "good": 101.0, "total": 100.0}
    fill(runtime, "sli_events", *rows, wrong)
    load = night(runtime)["captured_service_levels"]
    assert [(row["service"], row["sampled_at"]) for row in levels(runtime)] == [
        ("payment", first), ("payment", TEN), ("payment", datetime(2025, 3, 9, 16, 59)),
    ]  # fmt: skip
    assert (load.rows_read, load.rows_written) == (3, 3)


def test_extra_windows_are_captured_like_those_of_incidents_and_overlaps_once(runtime: Runtime) -> None:
    fill(runtime, "decision_audit", decision("a", TEN), decision("b", datetime(2025, 2, 1, 10)))
    february, five = datetime(2025, 2, 1, 10), timedelta(minutes=5)
    windows = [(TEN, TEN), (TEN - five, TEN + five), (february, february + five)]
    assert night(runtime, extra_windows=windows)["captured_decisions"].rows_read == 2
    assert ids(runtime) == [("a", 1), ("b", 1)]


def test_service_levels_of_extra_windows_are_those_of_all_services_and_each_is_taken_once(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    services = ("payment", "search")
    fill(
        runtime,
        "sli_events",
        *({"service": each, "name": "availability", "timestamp": TEN, "good": 99.0, "total": 100.0} for each in services),
    )
    assert night(runtime, extra_windows=[(TEN, TEN + timedelta(minutes=1))])["captured_service_levels"].rows_read == 2
    assert [row["service"] for row in levels(runtime)] == ["payment", "search"]


def test_a_settled_incident_is_captured_once_and_again_when_it_changes(runtime: Runtime) -> None:
    old = incident(detected_at=datetime(2025, 3, 1, 10), resolved_at=datetime(2025, 3, 1, 11))
    put_incidents(runtime, old)
    put_incidents(runtime, old, day=after(1))
    put_incidents(runtime, {**old, "severity": "1"}, day=after(2))
    fill(runtime, "decision_audit", decision("a", datetime(2025, 3, 1, 10)))
    reads = [night(runtime, after(days))["captured_decisions"].rows_read for days in range(3)]
    assert reads == [1, 0, 1]
    assert [ids(runtime, after(days)) for days in range(3)] == [[("a", 1)], [], []]


def test_an_open_incident_and_one_that_ended_lately_are_captured_every_night(runtime: Runtime) -> None:
    ongoing = incident("open", status="investigating", resolved_at=None, detected_at=datetime(2025, 3, 1))
    late = incident("late")
    for days in range(5):
        put_incidents(runtime, ongoing, late, day=after(days))
    decisions = [decision(f"at-{day}", datetime(2025, 3, 1) + timedelta(days=day)) for day in range(13)]
    fill(runtime, "decision_audit", *decisions, decision("late", TEN))
    reads = [night(runtime, after(days))["captured_decisions"].rows_read for days in range(5)]
    # All nine days so far and the one of the other incident; then of the open one the last four days.
    assert reads == [10, 5, 5, 5, 4]


def test_a_decision_that_was_written_late_is_captured_and_a_corrected_one_is_another_version(
    runtime: Runtime, execute: Any
) -> None:
    for days in range(2):
        put_incidents(runtime, incident(), day=after(days))
    fill(runtime, "decision_audit", decision("a", TEN, outcome=None))
    night(runtime)
    fill(runtime, "decision_audit", decision("b", TEN))
    execute("update decision_audit set outcome = 'failed' where decision_id = 'a'")
    night(runtime, after(1))
    assert ids(runtime) == [("a", 1)]
    assert ids(runtime, after(1)) == [("a", 2), ("b", 1)]


def test_a_date_that_is_a_year_off_does_not_capture_a_year(runtime: Runtime) -> None:
    put_incidents(runtime, incident(detected_at=datetime(2024, 3, 9, 10)))
    fill(runtime, "decision_audit", *(decision(str(days), TEN - timedelta(days=days)) for days in range(365)))
    assert night(runtime)["captured_decisions"].rows_read == 31 + 30


@pytest.mark.parametrize("table", ["change_events", "sli_events"])
def test_a_table_that_the_database_does_not_have_is_absent(runtime: Runtime, execute: Any, table: str) -> None:
    execute(f"drop table {table}")
    put_incidents(runtime, incident())
    name = {"change_events": "captured_changes", "sli_events": "captured_service_levels"}[table]
    load = night(runtime)[name]
    assert (load.status, load.rows_read, load.error) == ("absent", 0, f"The database has no table {table}.")


def test_a_database_that_is_gone_fails_its_three_sources_and_the_others_are_read(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    source = runtime.settings.source.model_copy(update={"connect_attempts": 1, "connect_timeout_seconds": 1})
    nowhere = {"source": source, "dsn": SecretStr("postgresql://nobody@127.0.0.1:1/none")}
    gone = replace(runtime, settings=runtime.settings.model_copy(update=nowhere))
    loads = night(with_sources(gone, Outside(events=[event(1)])))
    assert [loads[name].status for name in SOURCES[:3]] == ["failed"] * 3
    assert "did not answer after 1 attempt" in loads["captured_decisions"].error
    assert ids(runtime) == [("1", 1)]


def test_where_nobody_knows_of_the_incidents_of_the_day_nothing_is_said_to_be_complete(runtime: Runtime) -> None:
    loads = {load.source: load for _, load in capture_events(runtime, DAY)}
    assert {loads[name].status for name in SOURCES[:3]} == {"failed"}
    missing = "incidents has no partition for 2025-03-09; run 'nightshift nightly --day 2025-03-09' first."
    assert loads["captured_decisions"].error == missing
    assert captured(runtime) == []


# Outside.


def test_without_credentials_every_source_is_absent_with_what_to_set(runtime: Runtime) -> None:
    loads = night(runtime)
    assert {name: (loads[name].status, loads[name].error) for name in SOURCES[3:]} == {
        "slack": ("absent", "There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN."),
        "github": ("absent", "There are no credentials of GitHub; set NIGHTSHIFT_GITHUB_TOKEN."),
        **dict.fromkeys(SOURCES[5:], ("absent", "There are no AWS accounts in the settings; add aws.accounts.")),
    }
    assert all(load_of(runtime.lake, name, DAY) == loads[name] for name in SOURCES)


def test_a_source_is_read_from_where_its_last_complete_night_ended(runtime: Runtime) -> None:
    source = Outside()
    there = with_sources(runtime, source)
    night(there)
    night(there, after(1))
    source.failure = CloudError("AWS failed.")
    night(there, after(2))
    source.failure = Incomplete("Too many.", END + timedelta(days=2, hours=6))
    assert night(there, after(3))["cloudtrail"].watermark_at == END + timedelta(days=2, hours=6)
    source.failure = None
    night(there, after(4))
    assert source.asked == [
        (END - timedelta(days=90), END),
        (END - timedelta(hours=6), END + timedelta(days=1)),
        (END + timedelta(hours=18), END + timedelta(days=2)),
        (END + timedelta(hours=18), END + timedelta(days=3)),
        (END + timedelta(days=2, hours=6), END + timedelta(days=4)),
    ]


def test_what_the_source_has_lost_meanwhile_is_not_asked_for(runtime: Runtime) -> None:
    source = Outside(keeps_days=14)
    night(with_sources(runtime, source))
    load = night(with_sources(runtime, source), after(30))["cloudtrail"]
    assert source.asked[-1][0] == load.history_from == END + timedelta(days=16)


def test_a_source_that_fails_says_so_keeps_what_it_gave_and_does_not_end_the_night(runtime: Runtime) -> None:
    failing = Outside(events=[event(1)], failure=AccessDenied("AWS does not allow LookupEvents."))
    broken = Outside(name="github", failure=ValueError("t0ken"))
    loads = night(with_sources(runtime, failing, broken, Absent("slack", "No token.")))
    names = ("cloudtrail", "github", "slack", "cloudwatch_alarms")
    told = {each.source: (each.status, each.error, each.rows_read, each.watermark_at) for each in map(loads.get, names) if each}
    assert told == {
        "cloudtrail": ("failed", "AWS does not allow LookupEvents.", 1, None),
        "github": ("failed", "ValueError while github was read; run again with --debug and report it.", 0, None),
        "slack": ("absent", "No token.", 0, None),
        "cloudwatch_alarms": ("absent", "Nothing of this run reads it.", 0, None),
    }
    assert ids(runtime) == [("1", 1)]


def test_a_day_that_is_not_the_newest_asks_nobody_and_keeps_what_was_captured(runtime: Runtime) -> None:
    source = Outside(events=[event(1)])
    there = with_sources(runtime, source)
    assert night(there)["cloudtrail"].rows_written == 1
    source.events.append(event(2))
    later = on(there, after(5))
    loads = {load.source: load for _, load in capture_events(later, DAY)}
    assert len(source.asked) == 1
    assert loads["cloudtrail"] == replace(load_of(runtime.lake, "cloudtrail", DAY), rows_written=1)
    assert (loads["cloudtrail"].status, loads["cloudtrail"].watermark_at) == ("complete", END)
    assert loads["github"].status == "absent"
    put_incidents(runtime, day=after(1))
    never = {load.source: load for _, load in capture_events(later, after(1))}["cloudtrail"]
    assert (never.status, never.error) == ("absent", "Nobody outside is asked for a day that is not the newest.")
    assert ids(runtime) == [("1", 1)]


def test_an_event_is_written_once_whatever_the_night_that_reads_it(runtime: Runtime) -> None:
    source = Outside(events=[event(1, END - timedelta(hours=1)), event(1, END - timedelta(hours=1))])
    there = with_sources(runtime, source)
    loads = [night(there, after(days))["cloudtrail"] for days in range(2)]
    assert [(load.rows_read, load.rows_written) for load in loads] == [(2, 1), (2, 0)]
    assert [ids(runtime, after(days)) for days in range(2)] == [[("1", 1)], []]


def test_a_change_is_the_next_version_and_versions_are_unique_over_all_days(runtime: Runtime) -> None:
    at = END - timedelta(hours=1)
    for days, text in enumerate(["goes on", "succeeded", "succeeded", "goes on"]):
        night(with_sources(runtime, Outside(events=[event(1, at, text)], tells_all=True)), after(days))
    assert [ids(runtime, after(days)) for days in range(4)] == [[("1", 1)], [("1", 2)], [], [("1", 3)]]


def test_what_was_listed_and_is_gone_is_a_version_that_is_deleted(runtime: Runtime) -> None:
    messages = [event(f"C1/{n}", TEN, "hello", source="slack", payload={"listed_in": "C1"}) for n in range(3)]
    everything = Listed("C1", TEN, END, frozenset(each.source_event_id for each in messages), TEN)
    source = Outside("slack", events=messages, tells_all=True, listed=[everything])
    night(with_sources(runtime, source))
    source.events = messages[:1]
    source.listed = [Listed("C1", TEN, END, frozenset({"C1/0"}), TEN)]
    night(with_sources(runtime, source), after(1))
    assert [(row["source_event_id"], row["version"], row["is_deleted"], row["text"]) for row in captured(runtime, after(1))] == [
        ("C1/1", 2, True, "hello"),
        ("C1/2", 2, True, "hello"),
    ]
    night(with_sources(runtime, source), after(2))
    assert captured(runtime, after(2)) == []


def test_what_a_source_keeps_no_longer_was_deleted_by_nobody(runtime: Runtime) -> None:
    hours = range(4)
    messages = [
        event(f"C1/{n}", TEN + timedelta(hours=n), source="slack", payload={"listed_in": "C1"}, incident_id="INC-1")
        for n in hours
    ]
    source = Outside("slack", events=messages, tells_all=True)
    night(with_sources(runtime, source))
    source.events = []
    source.listed = [Listed("C1", TEN, END, frozenset())]
    night(with_sources(runtime, source), after(40))
    assert captured(runtime, after(40)) == []
    # The list begins at noon: what is before that says nothing, what is missing after it is gone.
    source.listed = [Listed("C1", TEN, END, frozenset({"C1/2"}), TEN + timedelta(hours=2))]
    night(with_sources(runtime, source), after(41))
    assert [(row["source_event_id"], row["is_deleted"]) for row in captured(runtime, after(41))] == [("C1/3", True)]


def test_running_a_day_again_gives_the_same_bytes(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    fill(runtime, "decision_audit", decision("a", TEN), decision("b", TEN))
    fill(runtime, "sli_events", {"service": "payment", "name": "availability", "timestamp": TEN, "good": 99.0, "total": 100.0})
    there = with_sources(runtime, Outside(events=[event(n) for n in range(50)]))
    night(there)
    first = digests(runtime)
    night(there)
    assert digests(runtime) == first


def test_nothing_that_perishes_is_lost_when_a_day_is_run_again_without_its_source(runtime: Runtime) -> None:
    night(with_sources(runtime, Outside(events=[event(1)])))
    before = digests(runtime)
    for again in (Absent("cloudtrail", "No accounts."), Outside(failure=CloudError("AWS failed.")), Outside()):
        loads = night(with_sources(runtime, again))
        assert ids(runtime) == [("1", 1)]
        assert (loads["cloudtrail"].status, loads["cloudtrail"].rows_written) == ("complete", 1)
    assert len(digests(runtime)) == len(before)


def test_a_run_that_is_killed_before_its_ledger_reads_the_same_again(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Outside(events=[event(1)])
    there = with_sources(runtime, source)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(capture, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            night(there)
    assert load_of(runtime.lake, "cloudtrail", DAY) is None
    night(there)
    assert source.asked[0] == source.asked[1]
    assert ids(runtime) == [("1", 1)]


def test_a_run_that_is_killed_before_its_partition_leaves_the_old_one(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    there = with_sources(runtime, source := Outside(events=[event(1)]))
    night(there)
    before = digests(runtime)
    source.events.append(event(2))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(capture, "write_stream", killed)
        with pytest.raises(KeyboardInterrupt):
            night(there)
    assert digests(runtime) == before


def test_a_run_that_is_killed_between_its_two_partitions_ends_like_one_that_was_not(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_incidents(runtime, incident())
    fill(runtime, "decision_audit", decision("a", TEN))
    fill(runtime, "sli_events", {"service": "payment", "name": "availability", "timestamp": TEN, "good": 99.0, "total": 100.0})
    there = with_sources(runtime, Outside(events=[event(1)]))
    real = capture.write_stream

    def killed_at_the_second(lake: Any, table: Any, *rest: Any) -> int:
        if table.name != "captured_events":
            raise KeyboardInterrupt
        return real(lake, table, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(capture, "write_stream", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            night(there)
    assert ids(runtime) == [("1", 1), ("a", 1)]
    night(there)
    after_all = digests(runtime)
    night(there)
    assert digests(runtime) == after_all
    assert (len(captured(runtime)), len(levels(runtime))) == (2, 1)


def test_secrets_are_never_stored(runtime: Runtime) -> None:
    key = "AKIAIOSFODNN7EXAMPLE"
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    url = "https://deploy:hunter2secret@git.example.com/x"
    there = event(
        1, text=f"leaked {key} and {token}", url=url, actor=token, payload={"note": [key, {"deep": token, token: 1}], "n": 7}
    )
    put_incidents(runtime, incident())
    auth = json.dumps({"auth": token})
    fill(runtime, "decision_audit", decision("a", TEN, outcome="failed", outcome_reason=f"401 for {token}", payload=auth))
    night(with_sources(runtime, Outside(events=[there])))
    stored = runtime.lake.path(CAPTURED_EVENTS, DAY)
    text = pl.read_parquet(stored, hive_partitioning=False).write_json()
    assert not any(secret in text for secret in (key, token, "hunter2secret"))
    assert json.loads(captured(runtime)[0]["payload"])["n"] == 7
    assert "401 for" in text


def test_a_text_is_cleaned_by_what_the_caller_gives(runtime: Runtime) -> None:
    night(with_sources(runtime, Outside(events=[event(1, payload={"a": ["b"]})])), clean=str.upper)
    (row,) = captured(runtime)
    assert (row["text"], row["payload"]) == ("UPDATESERVICE OF SHOP", '{"A":["B"]}')


def test_what_was_captured_makes_the_evidence_complete(runtime: Runtime) -> None:
    put_incidents(runtime, incident())
    night(
        with_sources(runtime, Outside(), Outside("cloudwatch_alarms", keeps_days=14), Absent("slack", "There is no Slack token."))
    )
    found = completeness(TEN, datetime(2025, 3, 9, 11), captured_stretches(runtime.lake, DAY), END)
    assert found.shares == {
        "decisions": 1, "changes": 1, "service levels": 1, "API calls": 1, "alarms": 1, "messages": 0, "scaling": 0,
    }  # fmt: skip
    assert found.score == 75
    assert found.sentences[0] == "What was said in Slack is not known (There is no Slack token)."


def evidence(runtime: Runtime, first: datetime, day: Any = DAY) -> Completeness:
    """Of an incident of an hour."""
    return completeness(first, first + timedelta(hours=1), captured_stretches(runtime.lake, day), END)


CLOSED = "The channel #inc-1 was not read: the bot is not in it."


def test_a_channel_that_was_not_read_is_not_known_and_what_came_after_it_is(runtime: Runtime) -> None:
    closed = Outside("slack", failure=Incomplete(CLOSED, END, read_since=TEN + timedelta(hours=3)))
    load = night(with_sources(runtime, closed))["slack"]
    assert (load.status, load.history_from, load.watermark_at) == ("partial", TEN + timedelta(hours=3), END)
    found = evidence(runtime, TEN)
    assert found.shares["messages"] == 0
    assert f"What was said in Slack is not known ({CLOSED.rstrip('.')})." in found.sentences
    assert evidence(runtime, TEN + timedelta(hours=4)).shares["messages"] == 1
    # A talk of long ago is no hole in the night that could not read it.
    closed.failure = Incomplete(CLOSED, END + timedelta(days=1), read_since=TEN - timedelta(days=20))
    night(with_sources(runtime, closed), after(1))
    assert evidence(runtime, TEN + timedelta(days=1), after(1)).shares["messages"] == 1


def test_a_source_that_says_no_more_than_that_something_is_missing_covers_nothing(runtime: Runtime) -> None:
    night(with_sources(runtime, Outside("slack", failure=Incomplete(CLOSED, END))))
    assert evidence(runtime, TEN).shares["messages"] == 0


def test_without_any_channel_nothing_that_was_said_is_known(runtime: Runtime) -> None:
    silent = SlackHistory(Slack(SlackSettings(token=SecretStr("xoxb-1"))), [])
    load = night(with_sources(runtime, silent))["slack"]
    assert (load.status, load.watermark_at) == ("absent", None)
    assert load.error.startswith("There is no channel to read: no incident of the night has a slack_channel")
    assert evidence(runtime, TEN).shares["messages"] == 0


@dataclass
class Accounts(Outside):
    """Two accounts, of which one may refuse."""

    is_open: bool = False

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        self.asked.append((since, until))
        return read_each(("A", "B"), self._account)

    def _account(self, name: str) -> Iterator[Event]:
        if name == "B" and not self.is_open:
            raise AccessDenied("Account B is closed.")
        yield event(f"{name}-{len(self.asked)}")


def test_an_account_that_refuses_does_not_keep_the_others_from_going_on(runtime: Runtime) -> None:
    accounts = Accounts()
    loads = [night(with_sources(runtime, accounts), after(days))["cloudtrail"] for days in range(3)]
    assert {(load.status, load.error, load.rows_read) for load in loads} == {("partial", "Account B is closed.", 1)}
    assert [since for since, _ in accounts.asked] == [
        END - timedelta(days=90), END - timedelta(hours=6), END + timedelta(hours=18),
    ]  # fmt: skip
    found = evidence(runtime, TEN, after(2))
    assert found.shares["API calls"] == 0
    assert "The calls that changed AWS are not known (Account B is closed)." in found.sentences


def test_what_an_account_did_not_give_is_read_once_it_gives_it(runtime: Runtime) -> None:
    accounts = Accounts(is_open=True)
    night(with_sources(runtime, accounts))
    for days, is_open in enumerate((False, False, True, True, True), start=1):
        accounts.is_open = is_open
        night(with_sources(runtime, accounts), after(days))
    assert [since - END for since, _ in accounts.asked[3:]] == [
        timedelta(days=2, hours=-6), timedelta(hours=-6), timedelta(days=4, hours=-6),
    ]  # fmt: skip
    assert evidence(runtime, TEN + timedelta(days=1), after(3)).shares["API calls"] == 0
    assert evidence(runtime, TEN + timedelta(days=1), after(4)).shares["API calls"] == 1


def test_a_day_that_was_read_whole_stays_so_when_it_is_run_again_and_an_account_refuses(runtime: Runtime) -> None:
    accounts = Accounts(is_open=True)
    night(with_sources(runtime, accounts))
    accounts.is_open = False
    assert night(with_sources(runtime, accounts))["cloudtrail"].status == "complete"

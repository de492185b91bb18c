"""What people answered and how long it counts, what a pull request remembers of itself, and what comments ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.proposals.commands import ALL, Command, Misunderstood, parse
from dagster_project.domain.proposals.memory import (
    Answer,
    first_forbidding,
    first_holding,
    forbids,
    holds,
    is_material,
    told,
)
from dagster_project.domain.proposals.model import RISKS, Change, Evidence, Group, GroupKey, Item
from dagster_project.domain.proposals.payload import Payload, Remembered, from_body, from_json, payload_of, to_comment, to_json

EVIDENCE = Evidence("f" * 16, "propose_smaller_size", (1.0, 4.0, None), 1, 2)
CHANGE = Change(
    resource_id="i-1", resource_type="ec2_instance", service=None, team=None, environment=None, region=None,
    attribute="instance_type", before="m5.2xlarge", after="m5.xlarge", savings_usd_month=140.005, expected_usd_month=130.0,
    risk="low", risk_reasons=(), evidence=EVIDENCE,
)  # fmt: skip
KEY = GroupKey("acme/infra", "main", "envs/prod", "", "payments", "low")
PAYLOAD = Payload(
    KEY,
    "a" * 40,
    (("envs/prod/a.tf", "b" * 40),),
    (Remembered("i-1", "instance_type", "m5.2xlarge", "m5.xlarge", 140.0, "envs/prod/a.tf", 2, EVIDENCE),),
)
SAID_ON = datetime(2025, 3, 10, 23, 59, tzinfo=UTC)
REJECTION = Answer("i-1", "rejected", "alice", "no", "acme/infra#1:5/0", SAID_ON, None, "m5.xlarge", EVIDENCE)
SNOOZE = replace(REJECTION, kind="snoozed", until=date(2025, 3, 13))
LONG_SNOOZE = replace(SNOOZE, source="acme/infra#1:6/0", until=date(2025, 9, 1))
# Rejections that count no longer, or again: of another change, of nothing, of a later day.
STALE = replace(REJECTION, source="acme/infra#1:7/0", after="m5.large")
OF_NOTHING = replace(REJECTION, source="acme/infra#1:8/0", after=None, evidence=None)
RECENT = replace(STALE, source="acme/infra#1:9/0", answered_at=SAID_ON + timedelta(days=9))
quickly = settings(deadline=None, max_examples=80)


class TestWhatIsNews:
    @pytest.mark.parametrize(
        ("was", "now", "is_news"),
        [
            (100.0, 100.0, False),
            (100.0, 114.9, False),
            (100.0, 115.1, True),
            (114.9, 100.0, False),
            (115.1, 100.0, True),
            (1e-9, 1.149e-9, False),
            # Their quotient is no number that can be held.
            (5e-324, 1e308, True),
            (1e308, 5e-324, True),
            (1e-320, 1e-320, False),
            (None, None, False),
            (None, 100.0, True),
            (100.0, None, True),
            (0.0, 0.0, False),
            (0.0, 1e-9, True),
            (1e-9, 0.0, True),
            (-1.0, 0.0, False),
        ],
    )
    def test_a_demand_that_moved_by_more_than_fifteen_percent(self, was: float | None, now: float | None, is_news: bool) -> None:
        before, after = (replace(EVIDENCE, demand=(1.0, demand)) for demand in (was, now))
        assert is_material(before, after) is is_news

    @pytest.mark.parametrize(
        "changes",
        [{"reason_code": "propose_lower_minimum"}, {"emergencies": 0}, {"replayed_events": 3}, {"demand": (1.0, 4.0)}],
        ids=str,
    )
    def test_another_reason_other_counts_and_another_number_of_demands(self, changes: dict[str, Any]) -> None:
        assert is_material(EVIDENCE, replace(EVIDENCE, **changes))

    def test_the_fingerprint_alone_is_none(self) -> None:
        """It moves at the edges of its steps; the numbers behind it are compared."""
        assert not is_material(EVIDENCE, replace(EVIDENCE, fingerprint="0" * 16))

    @quickly
    @given(st.lists(st.tuples(*[st.none() | st.floats(0, 1e6)] * 2), max_size=5), st.integers(0, 2), st.integers(0, 2))
    def test_it_is_the_same_from_both_sides(self, demands: list[tuple[float | None, float | None]], one: int, other: int) -> None:
        before = Evidence("", "x", tuple(was for was, _ in demands), one, 0)
        after = Evidence("", "x", tuple(now for _, now in demands), other, 0)
        assert is_material(before, after) == is_material(after, before)
        assert not is_material(before, before)


class TestHowLongAnAnswerCounts:
    @pytest.mark.parametrize(
        ("day", "until", "is_held"),
        [
            (date(2025, 3, 10), date(2025, 3, 13), True),
            (date(2025, 3, 12), date(2025, 3, 13), True),
            (date(2025, 3, 13), date(2025, 3, 13), False),
            (date(2035, 1, 1), None, True),
        ],
    )
    def test_a_snooze_until_its_day(self, day: date, until: date | None, is_held: bool) -> None:
        answer = replace(SNOOZE, until=until)
        assert holds(answer, day, 180) is is_held
        # Once it is over it is over, though the evidence is the same.
        assert forbids(answer, CHANGE, day, 180) is is_held

    @pytest.mark.parametrize(("days", "is_held"), [(0, True), (9, True), (10, False), (400, False)])
    def test_a_rejection_for_its_days(self, days: int, is_held: bool) -> None:
        day = SAID_ON.date() + timedelta(days=days)
        assert holds(REJECTION, day, 10) is is_held
        # Whatever is proposed meanwhile.
        news = replace(CHANGE, after="m5.large", evidence=replace(EVIDENCE, emergencies=9))
        assert forbids(REJECTION, news, day, 10) is is_held

    @pytest.mark.parametrize(
        ("answer", "change", "is_forbidden"),
        [
            (REJECTION, CHANGE, True),
            (REJECTION, replace(CHANGE, evidence=replace(EVIDENCE, demand=(1.1, 4.0, None))), True),
            (REJECTION, replace(CHANGE, before="m5.4xlarge"), True),
            (REJECTION, replace(CHANGE, after="m5.large"), False),
            (REJECTION, replace(CHANGE, evidence=replace(EVIDENCE, demand=(1.2, 4.0, None))), False),
            (REJECTION, replace(CHANGE, evidence=replace(EVIDENCE, emergencies=2)), False),
            (replace(REJECTION, evidence=None, after=None), CHANGE, False),
        ],
        ids=["same", "moved a little", "another size now", "another target", "moved", "an emergency", "said of nothing"],
    )
    def test_a_rejection_that_is_over_counts_until_there_is_news(
        self, answer: Answer, change: Change, is_forbidden: bool
    ) -> None:
        assert forbids(answer, change, date(2026, 3, 10), 180) is is_forbidden

    @pytest.mark.parametrize(
        ("answers", "day", "holding", "forbidding"),
        [
            ((), date(2025, 3, 11), None, None),
            ((REJECTION,), date(2025, 3, 11), REJECTION, REJECTION),
            ((REJECTION, SNOOZE), date(2025, 3, 11), REJECTION, REJECTION),
            ((SNOOZE, REJECTION), date(2025, 3, 11), SNOOZE, SNOOZE),
            ((SNOOZE, REJECTION), date(2025, 3, 13), REJECTION, REJECTION),
            ((SNOOZE,), date(2025, 3, 13), None, None),
            ((STALE, LONG_SNOOZE), date(2025, 3, 21), LONG_SNOOZE, LONG_SNOOZE),
            ((STALE, SNOOZE, LONG_SNOOZE), date(2025, 3, 21), LONG_SNOOZE, LONG_SNOOZE),
            ((STALE, SNOOZE), date(2025, 3, 21), None, None),
            ((REJECTION, LONG_SNOOZE), date(2025, 3, 21), LONG_SNOOZE, REJECTION),
            ((LONG_SNOOZE, REJECTION), date(2025, 3, 21), LONG_SNOOZE, LONG_SNOOZE),
            ((REJECTION,), date(2025, 3, 21), None, REJECTION),
            ((OF_NOTHING, STALE, REJECTION), date(2025, 3, 21), None, REJECTION),
            ((REJECTION, RECENT), date(2025, 3, 21), RECENT, REJECTION),
            ((STALE, RECENT), date(2025, 3, 21), RECENT, RECENT),
        ],
        ids=[
            "none", "one", "the first of two", "the first of two snoozes", "a snooze is over", "only a snooze, over",
            "a dead rejection hides no snooze", "nor does a snooze that is over", "all are over",
            "a rejection that only speaks against this", "the other order", "only against this", "of several dead ones",
            "an old one and a newer one", "a dead one and a newer one",
        ],
    )  # fmt: skip
    def test_of_several_the_first_that_still_counts(
        self, answers: tuple[Answer, ...], day: date, holding: Answer | None, forbidding: Answer | None
    ) -> None:
        """Rejections count for ten days here, and afterwards against the same change."""
        assert first_holding(answers, day, 10) is holding
        assert first_forbidding(answers, CHANGE, day, 10) is forbidding
        assert first_forbidding(list(answers), CHANGE, day, 10) is forbidding

    def test_which_change_is_asked_about_counts_only_where_nothing_holds(self) -> None:
        news = replace(CHANGE, after="m5.large")
        day = date(2025, 3, 21)
        assert first_forbidding((REJECTION, LONG_SNOOZE), news, day, 10) is LONG_SNOOZE
        assert first_forbidding((REJECTION, SNOOZE), news, day, 10) is None
        assert first_forbidding((STALE, SNOOZE), news, day, 10) is STALE
        assert first_forbidding((REJECTION, SNOOZE), news, SAID_ON.date(), 10) is REJECTION

    @quickly
    @given(
        answers=st.lists(
            st.builds(
                replace,
                st.sampled_from([REJECTION, SNOOZE]),
                until=st.none() | st.dates(date(2025, 3, 8), date(2025, 4, 10)),
                answered_at=st.integers(-9, 22).map(lambda days: SAID_ON + timedelta(days=days)),
                after=st.sampled_from(["m5.xlarge", "m5.large", None]),
                evidence=st.sampled_from([EVIDENCE, None]),
            ),
            max_size=5,
        ),
        day=st.dates(date(2025, 3, 1), date(2025, 4, 20)),
        days=st.integers(0, 40),
    )
    def test_one_is_found_exactly_where_one_counts(self, answers: list[Answer], day: date, days: int) -> None:
        holding = [answer for answer in answers if holds(answer, day, days)]
        forbidding = [answer for answer in answers if forbids(answer, CHANGE, day, days)]
        assert first_holding(answers, day, days) is (holding[0] if holding else None)
        assert first_forbidding(answers, CHANGE, day, days) is (forbidding[0] if forbidding else None)
        # What holds whatever is proposed also speaks against this.
        assert all(answer in forbidding for answer in holding)

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (REJECTION, "rejected by alice on 2025-03-10: no"),
            (replace(REJECTION, reason=""), "rejected by alice on 2025-03-10"),
            (SNOOZE, "snoozed by alice on 2025-03-10 until 2025-03-13: no"),
            (replace(SNOOZE, reason=""), "snoozed by alice on 2025-03-10 until 2025-03-13"),
        ],
    )
    def test_it_is_told_in_a_few_words(self, answer: Answer, words: str) -> None:
        assert told(answer) == words


# Whatever can be stored: no lone surrogate, no NUL.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(
    ["-->", '"', "\\", "a-->b<!-- nightshift:proposal AAAA -->", "'", "\n", "\u2028", "😀"]
)
EVIDENCES = st.builds(
    Evidence,
    TEXT,
    TEXT,
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=5).map(tuple),
    st.integers(0, 99),
    st.integers(0, 99),
)
PAYLOADS = st.builds(
    Payload,
    st.builds(GroupKey, TEXT, TEXT, TEXT, TEXT, TEXT, st.sampled_from(RISKS)),
    TEXT,
    st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    st.lists(
        st.builds(Remembered, TEXT, TEXT, TEXT, TEXT, st.floats(0, 1e6), TEXT, st.integers(1, 10**6), EVIDENCES), max_size=3
    ).map(tuple),
)


def commented(document: Any) -> str:
    """A comment as ours, with any JSON in it."""
    text = document if isinstance(document, str) else json.dumps(document)
    return f"<!-- nightshift:proposal {base64.b64encode(text.encode()).decode()} -->"


def forged(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(to_json(PAYLOAD))
    change(document)
    return document


class TestPayload:
    def test_it_is_made_of_a_groups_changes(self) -> None:
        items = (
            Item("envs/prod/a.tf", 10, 2, "m5.2xlarge", "m5.xlarge", (CHANGE, replace(CHANGE, resource_id="i-2"))),
            Item("envs/prod/b.tf", 7, 1, "m5.2xlarge", "m5.xlarge", (replace(CHANGE, resource_id="i-3"),)),
        )
        payload = payload_of(Group(KEY, items), "a" * 40, {"envs/prod/b.tf": "c" * 40, "envs/prod/a.tf": "b" * 40})
        assert payload.base_blobs == (("envs/prod/a.tf", "b" * 40), ("envs/prod/b.tf", "c" * 40))
        assert payload.resource_ids == ("i-1", "i-2", "i-3")
        assert [(each.file, each.line, each.savings_usd_month) for each in payload.resources] == [
            ("envs/prod/a.tf", 2, 140.0), ("envs/prod/a.tf", 2, 140.0), ("envs/prod/b.tf", 1, 140.0),
        ]  # fmt: skip
        assert payload.savings_usd_month == 420.0
        assert payload.resources[0].evidence == EVIDENCE

    def test_its_text_is_the_same_for_ever(self) -> None:
        """An older pull request must be read by a newer version."""
        assert to_json(PAYLOAD) == (
            '{"base_blobs":[["envs/prod/a.tf","' + "b" * 40 + '"]],"base_sha":"' + "a" * 40 + '","key":{"base":"main","owner":'
            '"payments","repository":"acme/infra","risk":"low","root":"envs/prod","workspace":""},"resources":[{"after":'
            '"m5.xlarge","attribute":"instance_type","before":"m5.2xlarge","evidence":{"demand":[1.0,4.0,null],"emergencies":1,'
            '"fingerprint":"ffffffffffffffff","reason_code":"propose_smaller_size","replayed_events":2},"file":"envs/prod/a.tf",'
            '"line":2,"resource_id":"i-1","savings_usd_month":140.0}],"version":1}'
        )

    @quickly
    @given(payload=PAYLOADS, before=TEXT, after=TEXT)
    def test_what_is_written_is_read_again_whatever_the_names_are(self, payload: Payload, before: str, after: str) -> None:
        comment = to_comment(payload)
        assert comment.isascii() and comment.count("-->") == 1 and "\n" not in comment
        assert from_json(to_json(payload)) == payload
        if "nightshift:proposal" not in after:
            assert from_body(f"{before}\r\n{comment}\r\n{after}") == payload

    @pytest.mark.parametrize("name", ["\\u0000", "\\ud800", "\\\\u0000", "\\", '\\"', "%00", "&#0;"])
    def test_names_that_only_look_like_what_cannot_be_stored_are_kept(self, name: str) -> None:
        payload = replace(PAYLOAD, key=replace(KEY, root=name), resources=(replace(PAYLOAD.resources[0], resource_id=name),))
        assert from_body(to_comment(payload)) == payload

    def test_the_last_one_of_a_body_counts(self) -> None:
        other = replace(PAYLOAD, base_sha="c" * 40)
        assert from_body(f"{to_comment(other)} text {to_comment(PAYLOAD)}\n\nlater words") == PAYLOAD
        # One that cannot be read is not passed over for an earlier one.
        assert from_body(f"{to_comment(PAYLOAD)}\n{commented('[]')}") is None

    @pytest.mark.parametrize(
        "body",
        [
            None,
            "",
            "words",
            "<!-- nightshift:proposal -->",
            "<!-- nightshift:proposal  -->",
            "<!-- nightshift:proposal ==== -->",
            "<!-- nightshift:proposal A -->",
            "<!-- nightshift:proposal AA=A -->",
            "<!-- nightshift:proposal /w== -->",
            to_comment(PAYLOAD).removesuffix(" -->"),
            to_comment(PAYLOAD).replace("nightshift:proposal", "nightshift:Proposal"),
            to_comment(PAYLOAD)[:200] + " -->",
            commented(""),
            commented("null"),
            commented("17"),
            commented('"version"'),
            commented("[]"),
            commented("{}"),
            commented("{" * 50),
            commented({"version": 1}),
            commented(to_json(PAYLOAD)[:-1]),
        ],
        ids=range(21),
    )
    def test_what_is_damaged_is_none(self, body: str | None) -> None:
        assert from_body(body) is None

    @pytest.mark.parametrize("text", ["[" * 20_000, '{"version":1,"key":' + '{"a":' * 20_000], ids=["lists", "objects"])
    def test_what_is_nested_without_end_is_none(self, text: str) -> None:
        assert from_body(commented(text)) is None

    @pytest.mark.parametrize(
        "change",
        [
            lambda found: found.update(version=2),
            lambda found: found.update(version="1"),
            lambda found: found.pop("version"),
            lambda found: found.pop("key"),
            lambda found: found.update(key=None),
            lambda found: found.update(key=["acme/infra", "main", "envs/prod", "", "payments", "low"]),
            lambda found: found["key"].pop("risk"),
            lambda found: found["key"].update(extra="x"),
            lambda found: found.update(base_blobs=None),
            lambda found: found.update(base_blobs=[["a"]]),
            lambda found: found.update(resources=None),
            lambda found: found.update(resources=[None]),
            lambda found: found["resources"][0].pop("evidence"),
            lambda found: found["resources"][0].update(evidence=None),
            lambda found: found["resources"][0].update(extra=1),
            lambda found: found["resources"][0]["evidence"].pop("demand"),
            lambda found: found["resources"][0]["evidence"].update(demand=5),
        ],
        ids=range(17),
    )
    def test_another_version_or_shape_is_none(self, change: Callable[[dict[str, Any]], object]) -> None:
        assert from_body(commented(forged(change))) is None

    @pytest.mark.parametrize(
        "change",
        [
            lambda found: found.update(base_sha=5),
            lambda found: found.update(base_blobs=[["a", 5]]),
            lambda found: found.update(base_blobs=[[["a"], "b"]]),
            lambda found: found["key"].update(repository=None),
            lambda found: found["key"].update(root=5),
            lambda found: found["key"].update(risk=["low"]),
            lambda found: found["key"].update(risk="none of ours"),
            lambda found: found["resources"][0].update(resource_id=5),
            lambda found: found["resources"][0].update(resource_id=["i-1"]),
            lambda found: found["resources"][0].update(after=None),
            lambda found: found["resources"][0].update(savings_usd_month="140"),
            lambda found: found["resources"][0].update(line="2"),
            lambda found: found["resources"][0]["evidence"].update(demand=["1.0"]),
            lambda found: found["resources"][0]["evidence"].update(demand=[{}]),
            lambda found: found["resources"][0]["evidence"].update(emergencies="1"),
        ],
        ids=[
            "base_sha", "blob", "path", "repository", "root", "risk", "risk's name", "number", "list", "after", "savings", "line",
            "demand text", "demand object", "emergencies",
        ],
    )  # fmt: skip
    def test_values_of_other_types_are_none(self, change: Callable[[dict[str, Any]], object]) -> None:
        """They would be compared, stored and summed up: where they are read is the one place that can refuse them."""
        assert from_body(commented(forged(change))) is None

    @pytest.mark.parametrize("text", ["\ud800", "a\udc80b", "\0"], ids=ascii)
    @pytest.mark.parametrize("part", ["key", "resource"])
    def test_text_that_cannot_be_stored_is_none(self, text: str, part: str) -> None:
        """A lone surrogate has no bytes, so the group would have no digest; PostgreSQL takes no NUL."""
        if part == "key":
            document = forged(lambda found: found["key"].update(root=text))
        else:
            document = forged(lambda found: found["resources"][0].update(resource_id=text))
        assert from_body(commented(document)) is None

    @quickly
    @given(st.data())
    def test_random_damage_never_raises(self, data: st.DataObject) -> None:
        document = bytearray(to_json(PAYLOAD).encode())
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(document) - 1))
            document[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        self.is_harmless(from_body(f"<!-- nightshift:proposal {base64.b64encode(bytes(document)).decode()} -->"))
        comment = to_comment(PAYLOAD)
        place = data.draw(st.integers(0, len(comment) - 1))
        self.is_harmless(from_body(comment[:place] + data.draw(st.text(max_size=2)) + comment[place + 1 :]))

    @quickly
    @given(
        path=st.lists(st.integers(0, 20), max_size=5),
        value=st.recursive(
            st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=4,
        ),
    )
    def test_any_value_in_any_place_never_raises(self, path: list[int], value: Any) -> None:
        document: Any = json.loads(to_json(PAYLOAD))
        inner: Any = document
        for number, step in enumerate(path):
            names = sorted(inner) if isinstance(inner, dict) else list(range(len(inner)))
            name = names[step % len(names)]
            if number == len(path) - 1 or not isinstance(inner[name], dict | list) or not inner[name]:
                inner[name] = value
                break
            inner = inner[name]
        self.is_harmless(from_json(json.dumps(document)))

    @staticmethod
    def is_harmless(payload: Payload | None) -> None:
        """What a night does with a payload of a body that no record stands for."""
        if payload is None:
            return
        assert len(payload.key.digest) == 12
        assert payload.key.risk in RISKS
        assert isinstance(payload.savings_usd_month, int | float)
        assert len({*payload.resource_ids}) <= len(payload.resources)
        assert len(dict(payload.base_blobs)) <= len(payload.base_blobs)
        for each in payload.resources:
            assert is_material(each.evidence, EVIDENCE) in (True, False)
            assert f"{each.file}:{each.line}".encode()


PULL = ("i-1", "i-2")
UNKNOWN = "That is none of"
NO_REASON = "Give a reason, so that nobody has to ask again"
HOW_LONG = "Say for how long, 1d to 730d"


def snooze(days: int, reason: str = "", *names: str) -> Command:
    return Command("snooze", names, days, reason)


def reject(reason: str, *names: str) -> Command:
    return Command("reject", names, None, reason)


class TestCommands:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("/nightshift snooze 30d", snooze(30)),
            ("/nightshift snooze 30d the   sale is on", snooze(30, "the sale is on")),
            ("/nightshift snooze 3w", snooze(21)),
            ("/nightshift snooze 1d", snooze(1)),
            ("/nightshift snooze 730d", snooze(730)),
            ("/nightshift snooze 104w", snooze(728)),
            ("/nightshift SNOOZE 3D x", snooze(3, "x")),
            ("/nightshift Snooze 2W", snooze(14)),
            ("/nightshift snooze i-2 5d later", snooze(5, "later", "i-2")),
            ("/nightshift reject i-1 it is a spare", reject("it is a spare", "i-1")),
            ("/nightshift reject all no", reject("no")),
            ("/nightshift REJECT ALL no", reject("no")),
            ("/nightshift unreject i-1", Command("unreject", ("i-1",))),
            ("/nightshift unreject i-9", Command("unreject", ("i-9",))),
            ("/nightshift rebuild", Command("rebuild")),
            ("/nightshift rebuild 1A2B3C4", Command("rebuild", sha="1a2b3c4")),
            ("/nightshift rebuild " + "0f" * 20, Command("rebuild", sha="0f" * 20)),
            ("  /nightshift\tsnooze\t30d  ", snooze(30)),
            ("   /nightshift snooze 30d", snooze(30)),
            ("Not now.\r\n\r\n/nightshift snooze 30d the sale\r\n", snooze(30, "the sale")),
            ("/nightshift snooze 30d\r\nand thanks", snooze(30)),
        ],
    )
    def test_on_a_pull_request(self, text: str, found: Command) -> None:
        assert parse(text, PULL) == [found]

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("/nightshift", UNKNOWN),
            ("/nightshift help", UNKNOWN),
            ("/nightshift snoozed 3d", UNKNOWN),
            ("/nightshift snooze", HOW_LONG),
            ("/nightshift snooze 0d", HOW_LONG),
            ("/nightshift snooze 731d", HOW_LONG),
            ("/nightshift snooze 105w", HOW_LONG),
            ("/nightshift snooze i-1", HOW_LONG),
            ("/nightshift snooze i-1 reason", HOW_LONG),
            ("/nightshift snooze 30", "Name a number of days or weeks"),
            ("/nightshift snooze 30m", "Name a number of days or weeks"),
            ("/nightshift snooze -3d", "Name a number of days or weeks"),
            ("/nightshift snooze 12345d", "Name a number of days or weeks"),
            ("/nightshift snooze i-9 30d", "Name a number of days or weeks"),
            ("/nightshift reject", "Name a resource and a reason"),
            ("/nightshift reject i-1", NO_REASON),
            ("/nightshift reject all", NO_REASON),
            ("/nightshift reject i-9 no", "This pull request has no such resource"),
            ("/nightshift reject I-1 no", "This pull request has no such resource"),
            ("/nightshift unreject", "Name one resource"),
            ("/nightshift unreject i-1 i-2", "Name one resource"),
            ("/nightshift rebuild please", "`rebuild` takes nothing"),
            ("/nightshift rebuild 123456", "`rebuild` takes nothing"),
            ("/nightshift rebuild " + "0" * 41, "`rebuild` takes nothing"),
            ("/nightshift rebuild 1a2b3c4 now", "`rebuild` takes nothing"),
        ],
    )
    def test_what_is_not_understood_is_answered(self, text: str, why: str) -> None:
        (found,) = parse(text, PULL)
        assert isinstance(found, Misunderstood)
        assert found.why.startswith(why)

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("/nightshift snooze i-7 30d later", snooze(30, "later", "i-7")),
            ("/nightshift reject i-7 no", reject("no", "i-7")),
            ("/nightshift unreject i-7", Command("unreject", ("i-7",))),
            ("/nightshift snooze 30d later", "Name a resource"),
            ("/nightshift snooze", "Name a resource"),
            ("/nightshift snooze 30", HOW_LONG),
            ("/nightshift snooze i-7", HOW_LONG),
            ("/nightshift reject all no", "Name one resource"),
            ("/nightshift rebuild", "`rebuild` is said on a pull request."),
            ("/nightshift rebuild 1a2b3c4", "`rebuild` is said on a pull request."),
        ],
    )
    def test_on_the_dashboard_a_resource_must_be_named(self, text: str, found: Command | str) -> None:
        (said,) = parse(text, ())
        if isinstance(found, str):
            assert isinstance(said, Misunderstood) and said.why.startswith(found)
        else:
            assert said == found

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "thanks",
            "see /nightshift snooze 3d",
            "> /nightshift reject all no",
            "> > /nightshift reject all no",
            "- /nightshift reject all no",
            "`/nightshift reject all no`",
            "nightshift reject all no",
            "/nightshifts reject all no",
            "/Nightshift reject all no",
            "```\n/nightshift reject all no\n```",
            "```text\r\n/nightshift reject all no\r\n```\r\n",
            "~~~\n/nightshift reject all no\n~~~",
            "`````\n```\n/nightshift reject all no\n```\n`````",
            "~~~\n```\n/nightshift reject all no\n~~~\nwords",
            "```\n/nightshift reject all no\n```\nwords\n```\n/nightshift reject all no\n```",
        ],
    )
    def test_quotes_code_and_other_words_are_none(self, text: str) -> None:
        assert parse(text, PULL) == []

    @pytest.mark.parametrize(
        "text",
        [
            "```\n/nightshift reject all no",
            "words\n\n~~~\n/nightshift reject all no\n",
            "  ```\n  /nightshift reject all no\n  ```",
            "```\n/nightshift reject all no\n~~~",
            "```\n``` is no end\n/nightshift reject all no\n```",
            "    /nightshift reject all no",
            "\t/nightshift reject all no",
        ],
        ids=["open", "open ~", "indented fence", "other end", "no end", "indented", "tab"],
    )
    def test_what_is_shown_as_code_is_none_however_it_is_written(self, text: str) -> None:
        assert parse(text, PULL) == []

    @pytest.mark.parametrize(
        "text",
        [
            "```\ncode\n```\n/nightshift snooze 3d",
            "~~~\n```\n~~~\n/nightshift snooze 3d\n",
            "```inline``` first\n\n/nightshift snooze 3d\n\n```\ncode\n```",
            "> quoted\n\n/nightshift snooze 3d",
            "/nightshift snooze 3d\n```\ncode without an end",
        ],
        ids=["after", "after ~", "a span", "after a quote", "before"],
    )
    def test_what_stands_beside_code_is_one(self, text: str) -> None:
        assert parse(text, PULL) == [snooze(3)]

    def test_several_are_told_in_their_order(self) -> None:
        text = "/nightshift reject i-1 a spare\r\n/nightshift nonsense\r\n\r\nwords\r\n/nightshift snooze i-2 2w\r\n"
        first, second, third = parse(text, PULL)
        assert (first, third) == (reject("a spare", "i-1"), snooze(14, "", "i-2"))
        assert isinstance(second, Misunderstood)

    def test_a_duration_is_a_duration_whatever_resources_are_called(self) -> None:
        assert parse("/nightshift snooze 30d 5d later", ("30d", "i-1")) == [snooze(30, "5d later")]
        assert parse("/nightshift reject 30d later", ("30d", "i-1")) == [reject("later", "30d")]
        assert parse("/nightshift reject all later", (ALL, "i-1")) == [reject("later")]

    def test_a_reason_keeps_what_people_write(self) -> None:
        assert parse("/nightshift reject i-1 “no” – see #5 & `x` /nightshift", PULL) == [
            reject("“no” – see #5 & `x` /nightshift", "i-1")
        ]

    @quickly
    @given(st.text(alphabet=st.sampled_from("/nightshift `~>\r\n\tsnooze30dall"), max_size=80), st.sampled_from([PULL, ()]))
    def test_no_text_raises(self, text: str, names: tuple[str, ...]) -> None:
        for each in parse("/nightshift " + text, names):
            if isinstance(each, Command) and each.name == "snooze":
                assert each.days is not None and 1 <= each.days <= 730
            if isinstance(each, Command) and names == ():
                assert each.resource_ids != ()

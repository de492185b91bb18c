"""What a group of changes is called for ever, which changes it takes, and how risky they are."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.proposals.grouping import Place, by_worth, group_of, items_of
from dagster_project.domain.proposals.model import Change, Evidence, Group, GroupKey, Item, digest_of_branch
from dagster_project.domain.proposals.risk import risk_of

EVIDENCE = Evidence("f" * 16, "propose_smaller_size", (1.0, 4.0), 0, 0)
KEY = GroupKey("acme/infra", "main", "envs/prod", "", "payments", "low")
PLACE = Place("acme/infra", "main", "envs/prod", "", "envs/prod/a.tf", 10, 2, "aws_instance.a")
quickly = settings(deadline=None, max_examples=60)


def change(name: str = "i-1", **changes: Any) -> Change:
    made = Change(
        resource_id=name, resource_type="ec2_instance", service="payment-api", team="payments", environment="prod",
        region="us-east-1", attribute="instance_type", before="m5.2xlarge", after="m5.xlarge", savings_usd_month=140.0,
        expected_usd_month=130.0, risk="low", risk_reasons=(), evidence=EVIDENCE,
    )  # fmt: skip
    return replace(made, **changes)


def item(start_byte: int = 10, file: str = "a.tf", *changes: Change) -> Item:
    return Item(file, start_byte, 2, "m5.2xlarge", "m5.xlarge", changes or (change(),))


class TestNames:
    @pytest.mark.parametrize(
        ("changes", "branch"),
        [
            ({}, "nightshift/envs-prod-payments-low-ba93f92db25f"),
            ({"root": ".", "owner": "unowned", "risk": "medium"}, "nightshift/unowned-medium-a1d8d2d3fb50"),
            (
                {"workspace": "blue", "owner": "payments+search", "risk": "high"},
                "nightshift/envs-prod-blue-payments-search-high-d7578fcd090f",
            ),
            ({"root": "Шлях/до/коду", "owner": "équipe ☃"}, "nightshift/quipe-low-eb609349bcd4"),
            (
                {"root": "envs/" + "very-long-" * 20},
                "nightshift/envs-very-long-very-long-very-long-very-long-very-long-very-cdcfb85b83b8",
            ),
        ],
        ids=["plain", "top", "workspace", "other letters", "long"],
    )
    def test_the_branch_of_a_group_is_the_same_for_ever(self, changes: dict[str, str], branch: str) -> None:
        key = replace(KEY, **changes)
        assert (key.branch, key.digest) == (branch, branch[-12:])

    @pytest.mark.parametrize("part", ["base", "root", "workspace", "owner", "risk"])
    def test_each_part_of_the_key_counts(self, part: str) -> None:
        assert replace(KEY, **{part: "other"}).digest != KEY.digest
        # Parts do not run into each other.
        assert replace(KEY, root="ab", workspace="c").digest != replace(KEY, root="a", workspace="bc").digest

    def test_how_a_repository_is_written_does_not_count(self) -> None:
        assert replace(KEY, repository="Acme/Infra").digest == KEY.digest == "ba93f92db25f"

    HOSTILE = (
        "", ".", "..", "@{u}", "-", "--force", "x.lock", "a/b.lock", "~^:?*[\\", " ", "a b", "\t\n\r\x00\x7f", "refs/heads/main",
        "a..b", "HEAD", "@", "…", "名前", "\u202egnp", "a//b/", "é" * 300, "-" * 300, "'; rm -rf /", "$(id)", "`id`", "a\x1b[31m",
    )  # fmt: skip

    @pytest.mark.skipif(shutil.which("git") is None, reason="There is no git to ask.")
    @pytest.mark.parametrize("name", HOSTILE, ids=ascii)
    def test_git_takes_the_branch_whatever_the_names_are(self, name: str) -> None:
        branch = GroupKey("acme/infra", "main", name, name, name, "low").branch
        done = subprocess.run(["git", "check-ref-format", "--branch", branch], capture_output=True, text=True)
        assert (done.returncode, done.stdout.strip()) == (0, branch)

    @quickly
    @given(root=st.text(), workspace=st.text(), owner=st.text(), risk=st.sampled_from(["low", "medium", "high"]))
    def test_a_branch_is_short_plain_and_tells_its_group(self, root: str, workspace: str, owner: str, risk: str) -> None:
        key = GroupKey("acme/infra", "main", root, workspace, owner, risk)
        assert re.fullmatch(r"nightshift/[a-z0-9][a-z0-9-]{0,59}-[0-9a-f]{12}", key.branch)
        assert digest_of_branch(key.branch) == key.digest

    @pytest.mark.parametrize(
        ("branch", "digest"),
        [
            ("nightshift/envs-prod-low-0123456789ab", "0123456789ab"),
            ("nightshift/0123456789ab", "0123456789ab"),
            ("nightshift/-0123456789ab", "0123456789ab"),
            ("nightshift/a-0123456789ab\n", None),
            ("nightshift/a-0123456789AB", None),
            ("nightshift/a-0123456789a", None),
            ("nightshift/a-0123456789abc", None),
            ("nightshift/A-0123456789ab", None),
            ("nightshift/a/b-0123456789ab", None),
            ("nightshift/a_0123456789ab", None),
            ("Nightshift/a-0123456789ab", None),
            ("nightshift-a-0123456789ab", None),
            ("x/nightshift/a-0123456789ab", None),
            ("nightshift/", None),
            ("main", None),
            ("", None),
        ],
    )
    def test_only_branches_of_our_shape_are_ours(self, branch: str, digest: str | None) -> None:
        assert digest_of_branch(branch) == digest


class TestItems:
    def test_resources_of_one_literal_are_one_item(self) -> None:
        first = change("i-1", savings_usd_month=100.0, expected_usd_month=90.0)
        second = change("i-2", savings_usd_month=50.0, expected_usd_month=45.0, risk="medium")
        ((key, found),) = items_of([(second, replace(PLACE, address="aws_instance.a[1]")), (first, PLACE)])
        assert found.resource_ids == ("i-1", "i-2")
        assert (found.savings_usd_month, found.expected_usd_month, found.risk) == (150.0, 135.0, "medium")
        assert found.addresses == ("aws_instance.a", "aws_instance.a[1]")
        assert (found.file, found.start_byte, found.line) == ("envs/prod/a.tf", 10, 2)
        assert key == replace(KEY, risk="medium")

    def test_notes_and_other_plans_of_one_literal_are_said_once(self) -> None:
        places = [replace(PLACE, notes=("b", "a"), other_plans=("y",)), replace(PLACE, notes=("a",), other_plans=("x", "y"))]
        ((_, found),) = items_of([(change(f"i-{number}"), place) for number, place in enumerate(places)])
        assert (found.notes, found.other_plans) == (("a", "b"), ("x", "y"))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({}, {"start_byte": 11}),
            ({}, {"file": "envs/prod/b.tf"}),
            ({}, {"root": "envs/dev"}),
            ({}, {"workspace": "blue"}),
            ({}, {"repository": "acme/other"}),
            ({}, {"base": "release"}),
        ],
        ids=lambda changes: "".join(changes),
    )
    def test_another_place_is_another_item(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        found = items_of([(change("i-1"), replace(PLACE, **one)), (change("i-2"), replace(PLACE, **other))])
        assert [each.resource_ids for _, each in found] in ([("i-1",), ("i-2",)], [("i-2",), ("i-1",)])

    def test_one_literal_with_two_wishes_is_two_items(self) -> None:
        found = items_of([(change("i-1"), PLACE), (change("i-2", after="m5.large"), PLACE)])
        assert [(each.after, each.resource_ids) for _, each in found] == [("m5.large", ("i-2",)), ("m5.xlarge", ("i-1",))]

    @pytest.mark.parametrize(
        ("teams", "owner"),
        [
            (["payments"], "payments"),
            (["search", "payments", "search"], "payments+search"),
            ([None], "unowned"),
            ([None, "payments"], "payments+unowned"),
            ([""], "unowned"),
        ],
        ids=str,
    )
    def test_the_owner_joins_the_teams(self, teams: list[str | None], owner: str) -> None:
        ((key, found),) = items_of([(change(f"i-{number}", team=team), PLACE) for number, team in enumerate(teams)])
        assert (found.owner, key.owner) == (owner, owner)

    @pytest.mark.parametrize(
        ("risks", "highest"),
        [(["low"], "low"), (["low", "medium"], "medium"), (["high", "low", "medium"], "high"), (["medium", "high"], "high")],
        ids=str,
    )
    def test_the_highest_risk_counts(self, risks: list[str], highest: str) -> None:
        assert item(10, "a.tf", *(change(f"i-{number}", risk=risk) for number, risk in enumerate(risks))).risk == highest

    @quickly
    @given(
        wishes=st.lists(
            st.tuples(
                st.sampled_from(["payments", "search", None]),
                st.sampled_from(["low", "medium", "high"]),
                st.sampled_from(["envs/prod", "envs/dev"]),
                st.integers(0, 3),
                st.sampled_from(["m5.xlarge", "m5.large"]),
            ),
            max_size=12,
        ),
        seed=st.integers(),
    )
    def test_the_order_of_what_is_located_does_not_count(self, wishes: list[tuple[Any, ...]], seed: int) -> None:
        located = [
            (change(f"i-{number}", team=team, risk=risk, after=after), replace(PLACE, root=root, start_byte=start))
            for number, (team, risk, root, start, after) in enumerate(wishes)
        ]
        shuffled = list(located)
        random.Random(seed).shuffle(shuffled)
        found = items_of(located)
        assert items_of(shuffled) == found
        assert sorted(name for _, each in found for name in each.resource_ids) == sorted(each.resource_id for each, _ in located)
        for key, each in found:
            assert (key.owner, key.risk) == (each.owner, each.risk)


class TestGroups:
    def test_what_is_worth_most_is_chosen_and_told_in_the_order_of_the_code(self) -> None:
        worth = {30: 10.0, 10: 20.0, 20: 30.0, 40: 5.0}
        items = [item(start, "a.tf", change(f"i-{start}", expected_usd_month=usd)) for start, usd in worth.items()]
        group, rest = group_of(KEY, items, 2)
        assert [each.start_byte for each in group.items] == [10, 20]
        assert [each.start_byte for each in rest] == [30, 40]
        assert (group.key, group.resource_ids, group.expected_usd_month) == (KEY, ("i-10", "i-20"), 50.0)

    def test_all_of_them_fit_where_there_are_few(self) -> None:
        group, rest = group_of(KEY, [item(10), item(20)], 5)
        assert (len(group.items), rest) == (2, ())

    def test_of_equal_worth_the_place_decides(self) -> None:
        items = [item(20, "b.tf"), item(10, "b.tf"), item(90, "a.tf")]
        assert [(each.file, each.start_byte) for each in sorted(items, key=by_worth)] == [
            ("a.tf", 90),
            ("b.tf", 10),
            ("b.tf", 20),
        ]

    def test_a_group_sums_up_its_items(self) -> None:
        group = Group(KEY, (item(10, "a.tf", change("i-2"), change("i-1")), item(20, "a.tf", change("i-3"))))
        assert group.resource_ids == ("i-1", "i-2", "i-3")
        assert (group.savings_usd_month, group.expected_usd_month) == (420.0, 390.0)

    @quickly
    @given(worth=st.lists(st.sampled_from([1.0, 5.0, 9.0]), max_size=10), max_items=st.integers(1, 6), seed=st.integers())
    def test_the_order_of_items_does_not_count_and_none_is_lost(self, worth: list[float], max_items: int, seed: int) -> None:
        items = [item(10 * number, "a.tf", change(f"i-{number}", expected_usd_month=usd)) for number, usd in enumerate(worth)]
        group, rest = group_of(KEY, items, max_items)
        shuffled = list(items)
        random.Random(seed).shuffle(shuffled)
        assert group_of(KEY, shuffled, max_items) == (group, rest)
        assert len(group.items) == min(len(items), max_items)
        assert sorted((*group.items, *rest), key=by_worth) == sorted(items, key=by_worth)
        assert all(by_worth(inside) < by_worth(outside) for inside in group.items for outside in rest)


DATABASE_IN = "A database {} restarts, and what it caches is lost.".format
MACHINE_IN = "A single machine {} stops and starts; nothing takes over meanwhile.".format
WEEKS = "In {} of 100 weeks some sample would exceed the new size.".format
EVENT = "The closest past event would have used {} % of the new size.".format
NOT_KNOWN = "How likely it is that demand exceeds the new size is not known."
NO_TAG = "in an environment that no tag names"
MACHINE, GROUP, DATABASE = "ec2_instance", "autoscaling_group", "rds_instance"


class TestRisk:
    @pytest.mark.parametrize(
        ("resource_type", "attribute", "environment", "exceedance", "event", "risk", "reasons"),
        [
            (MACHINE, "instance_type", "staging", 1.0, None, "low", ()),
            (MACHINE, "instance_type", "Dev", 4.99, 89.9, "low", ()),
            (MACHINE, "instance_type", "prod", 1.0, None, "medium", (MACHINE_IN("in prod"),)),
            (MACHINE, "instance_type", None, 1.0, None, "medium", (MACHINE_IN(NO_TAG),)),
            (MACHINE, "instance_type", "", 1.0, None, "medium", (MACHINE_IN(NO_TAG),)),
            (MACHINE, "instance_type", "developers", 1.0, None, "medium", (MACHINE_IN("in developers"),)),
            (MACHINE, "instance_type", "qa", 5.0, None, "medium", (WEEKS(5),)),
            (MACHINE, "instance_type", "qa", 40.0, None, "medium", (WEEKS(40),)),
            (MACHINE, "instance_type", "prod", 9.9, None, "medium", (MACHINE_IN("in prod"), WEEKS(10))),
            (MACHINE, "instance_type", "prod", 10.0, None, "high", (MACHINE_IN("in prod"), WEEKS(10))),
            (MACHINE, "instance_type", "test", None, None, "medium", (NOT_KNOWN,)),
            (GROUP, "instance_type", "prod", 1.0, None, "low", ()),
            (GROUP, "instance_type", "prod", 12.0, None, "high", (WEEKS(12),)),
            (GROUP, "instance_type", "prod", None, None, "medium", (NOT_KNOWN,)),
            (GROUP, "instance_type", "prod", 1.0, 90.0, "medium", (EVENT(90),)),
            (GROUP, "instance_type", "prod", 0.0, 89.99, "low", ()),
            (GROUP, "min_size", "prod", None, None, "low", ()),
            (GROUP, "min_size", None, 50.0, None, "low", ()),
            (GROUP, "min_size", "prod", None, 95.4, "medium", (EVENT(95),)),
            (DATABASE, "instance_class", "sandbox", 1.0, None, "medium", (DATABASE_IN("in sandbox"),)),
            (DATABASE, "instance_class", "prod", 1.0, None, "high", (DATABASE_IN("in prod"),)),
            (DATABASE, "instance_class", None, None, 95.0, "high", (DATABASE_IN(NO_TAG), NOT_KNOWN, EVENT(95))),
        ],
    )
    def test_what_raises_the_risk_is_said(
        self,
        resource_type: str,
        attribute: str,
        environment: str | None,
        exceedance: float | None,
        event: float | None,
        risk: str,
        reasons: tuple[str, ...],
    ) -> None:
        assert risk_of(resource_type, attribute, environment, exceedance, event) == (risk, reasons)

    @pytest.mark.parametrize("name", ["dev", "development", "test", "testing", "qa", "sandbox", "staging", "stage", "preview"])
    def test_calm_environments_are_told_by_their_name(self, name: str) -> None:
        assert risk_of(MACHINE, "instance_type", name.upper(), 1.0, None) == ("low", ())

    @quickly
    @given(
        resource_type=st.sampled_from([MACHINE, GROUP, DATABASE]),
        environment=st.sampled_from([None, "prod", "dev"]),
        exceedance=st.floats(0, 100),
        more=st.floats(0, 100),
        event=st.none() | st.floats(0, 200),
    )
    def test_more_exceedance_never_lowers_the_risk(
        self, resource_type: str, environment: str | None, exceedance: float, more: float, event: float | None
    ) -> None:
        ranks = [
            ("low", "medium", "high").index(risk_of(resource_type, "instance_type", environment, pct, event)[0])
            for pct in (exceedance, exceedance + more)
        ]
        assert ranks[0] <= ranks[1]
        risk, reasons = risk_of(resource_type, "instance_type", environment, exceedance, event)
        assert (risk == "low") == (reasons == ())

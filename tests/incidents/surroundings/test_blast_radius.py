"""Who stands on the services of an incident."""

from __future__ import annotations

from dagster_project.demo.services import SERVICES, dependencies
from dagster_project.domain.incidents.blast_radius import BlastRadius, ServiceFacts, blast_radius

CHAIN = [("cart", "db", "hard"), ("shop", "cart", "hard"), ("ads", "shop", "soft"), ("mail", "ads", "hard")]


def reached(radius: BlastRadius) -> dict[str, tuple[int, bool, tuple[str, ...]]]:
    return {reach.service: (reach.hops, reach.is_hard, reach.path) for reach in radius.reaches}


def test_dependents_of_dependents_are_reached_and_one_soft_step_makes_all_behind_it_soft() -> None:
    assert reached(blast_radius(["db"], CHAIN)) == {
        "cart": (1, True, ("db", "cart")),
        "shop": (2, True, ("db", "cart", "shop")),
        "ads": (3, False, ("db", "cart", "shop", "ads")),
        "mail": (4, False, ("db", "cart", "shop", "ads", "mail")),
    }


def test_a_longer_chain_of_hard_steps_is_told_before_a_soft_short_cut() -> None:
    radius = blast_radius(["db"], [("shop", "db", "soft"), ("cart", "db", "hard"), ("shop", "cart", "hard")])
    assert reached(radius)["shop"] == (2, True, ("db", "cart", "shop"))


def test_of_paths_of_equal_length_the_first_by_name_is_told_whatever_the_order_of_the_edges() -> None:
    edges = [("top", "b", "hard"), ("b", "db", "hard"), ("top", "a", "hard"), ("a", "db", "hard")]
    assert {blast_radius(["db"], order).reaches for order in (edges, edges[::-1])} == {blast_radius(["db"], edges).reaches}
    assert reached(blast_radius(["db"], edges))["top"] == (2, True, ("db", "a", "top"))


def test_a_kind_that_nobody_wrote_down_is_hard() -> None:
    assert blast_radius(["db"], [("cart", "db", None)]).reaches[0].is_hard


def test_a_cycle_ends_and_does_not_reach_its_own_beginning() -> None:
    edges = [(row["service"], row["depends_on"], row["kind"]) for row in dependencies()]
    found = reached(blast_radius(["catalog-api"], edges))
    assert found["inventory-api"] == (1, False, ("catalog-api", "inventory-api"))
    assert found["cart-api"] == (1, True, ("catalog-api", "cart-api"))
    assert "catalog-api" not in found


def test_the_payment_database_takes_eight_services_of_the_demo_with_it() -> None:
    edges = [(row["service"], row["depends_on"], row["kind"]) for row in dependencies()]
    facts = {name: ServiceFacts(requests, value) for name, (_, _, requests, value) in SERVICES.items()}
    radius = blast_radius(["payment-db"], edges, facts)
    hard = [reach.service for reach in radius.reaches if reach.is_hard]
    assert hard == ["ledger-worker", "payment-api", "checkout-api", "invoice-api", "order-api", "subscription-api"]
    assert [reach.service for reach in radius.reaches if not reach.is_hard] == ["report-builder", "admin-console", "loyalty-api"]
    assert (
        radius.value_usd_day == 12e6 * 1.44 + 1.9e6 * 0.02 + 3.4e6 * 2.1 + 410e3 * 0.35 + 2.9e6 * 2.4 + 640e3 * 0.9 + 1.3e6 * 0.02
    )
    assert radius.unvalued == ("report-builder",)
    assert radius.sentences[0].startswith("6 services cannot do without payment-db")
    assert "without report-builder, of which it is unknown" in radius.sentences[1]


def test_a_service_that_the_map_does_not_know_stays_unknown() -> None:
    radius = blast_radius(["db", "ghost"], CHAIN)
    assert radius.unknown == ("ghost",)
    assert "The dependency map does not know ghost; which services stand on it is unknown." in radius.sentences
    nothing = blast_radius(["ghost"], CHAIN)
    assert (nothing.reaches, nothing.value_usd_day) == ((), None)
    assert len(nothing.sentences) == 1


def test_a_known_service_on_which_none_stands_is_told_as_such() -> None:
    assert blast_radius(["mail"], CHAIN).sentences == ("The dependency map names no service that stands on mail.",)


def test_no_value_is_added_up_where_none_is_known() -> None:
    radius = blast_radius(["db"], CHAIN[:1], {"cart": ServiceFacts(1_000.0, None)})
    assert (radius.value_usd_day, radius.unvalued) == (None, ("cart",))
    assert radius.reaches[0].requests_per_day == 1_000
    assert radius.sentences[-1] == "What a day of them is worth is unknown."


def test_five_thousand_services_with_fifty_thousand_edges_are_all_reached_by_shortest_paths() -> None:
    # A ring of hard edges with nine soft short cuts each: the hard way round is told, however long.
    count = 5_000
    ring = [(f"s{n:04d}", f"s{(n - 1) % count:04d}", "hard") for n in range(count)]
    cuts = [(f"s{(n + 7**k) % count:04d}", f"s{n:04d}", "soft") for n in range(count) for k in range(1, 10)]
    soft = blast_radius(["s0000"], cuts)
    assert len(blast_radius(["s0000"], ring[:100] + cuts).reaches) == count - 1
    assert max(reach.hops for reach in soft.reaches) < 20

"""Chaos experiments that an incident suggests."""

from __future__ import annotations

from dagster_project.domain.incidents.experiments import MAX_EXPERIMENTS, Learned, Refusal, experiments

OUTAGE = Learned(
    "payment-api",
    dependencies=[("payment-api", "payment-db"), ("payment-api", "fraud-detection-api")],
    refusals=[
        Refusal("payment-api", "scale_up", "cooldown"),
        Refusal("payment-api", "scale_up", "max_executions"),
        Refusal("payment-db", "scale_up", "403"),
    ],
    actions=[("payment-db", "failover")],
    signatures=["connection pool", "timeout"],
)


def test_what_the_engine_was_refused_comes_first_and_the_surest_of_it_before_the_rest() -> None:
    assert [each.name for each in experiments(OUTAGE)] == [
        "payment-api-payment-db-engine-permission",
        "payment-api-execution-limit",
        "payment-api-cooldown",
        "payment-api-connection-pool",
        "payment-api-retry-storm",
    ]


def test_each_has_a_hypothesis_a_method_an_end_and_the_fact_that_it_follows_from() -> None:
    first = experiments(OUTAGE)[0]
    assert first.target == "payment-db"
    assert first.hypothesis == (
        "The engine may carry out scale_up of payment-db, and a missing right pages somebody within 5 minutes."
    )
    assert first.method.startswith("Let the engine carry out scale_up of payment-db")
    assert first.abort == "Stop when more than 1 % of the requests of payment-api fail, or when an objective of it is breached."
    assert first.because == "The engine's scale_up of payment-db did not happen: 403."


def test_a_dependency_gives_the_latency_experiment_of_the_field() -> None:
    (found,) = experiments(Learned("payment-api", dependencies=[("payment-api", "payment-db")]))
    assert found.name == "payment-api-payment-db-latency"
    assert found.method == "Delay half of the calls from payment-api to payment-db by 200 ms for 10 minutes."


def test_kill_switch_and_lock_are_known_refusals_and_an_unknown_reason_gives_nothing() -> None:
    refusals = [Refusal("a", "scale_up", "kill_switch"), Refusal("a", "rollback", "lock"), Refusal("a", "restart", "the moon")]
    assert [each.name for each in experiments(Learned("a", refusals=refusals))] == ["a-kill-switch", "a-stale-lock"]


def test_the_same_facts_in_any_order_give_the_same_few_experiments() -> None:
    turned = Learned(
        OUTAGE.service, OUTAGE.dependencies[::-1], OUTAGE.refusals[::-1] * 2, OUTAGE.actions, OUTAGE.signatures[::-1]
    )
    assert experiments(turned) == experiments(OUTAGE)
    assert len(experiments(OUTAGE)) == MAX_EXPERIMENTS


def test_nothing_known_suggests_nothing() -> None:
    assert experiments(Learned("a")) == ()

"""Chaos experiments that an incident suggests: what to break on purpose, on a quiet day, to learn before the next one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SCHEDULE = "in a quiet hour of a working day, while the service's error budget lasts"
MAX_EXPERIMENTS = 5
_ABORT = "Stop when more than 1 % of the requests of {service} fail, or when an objective of it is breached."


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment: ``name`` in the form service-target-fault, what is expected, how it is made, when it is stopped, and which
    fact of the incident it follows from."""

    name: str
    target: str
    hypothesis: str
    method: str
    abort: str
    because: str
    schedule: str = SCHEDULE


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the decision engine did not do: ``reason`` as it wrote it down (403, cooldown, lock, kill_switch …)."""

    target: str
    action_type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What an incident showed. ``dependencies``: (service, depends_on) hard ones of the incident's services; ``actions``:
    (target, action_type) that were carried out; ``signatures``: kinds of errors, such as timeout or connection pool."""

    service: str
    dependencies: Sequence[tuple[str, str]] = ()
    refusals: Sequence[Refusal] = ()
    actions: Sequence[tuple[str, str]] = ()
    signatures: Sequence[str] = ()


def experiments(learned: Learned) -> tuple[Experiment, ...]:
    """A few experiments, the refusals of the engine first: they are surest to come again. The same facts give the same ones."""
    found: dict[str, Experiment] = {}
    for each in (*_of_refusals(learned), *_of_signatures(learned), *_of_dependencies(learned), *_of_actions(learned)):
        found.setdefault(each.name, each)
    return tuple(found.values())[:MAX_EXPERIMENTS]


def _of_refusals(learned: Learned) -> Iterable[Experiment]:
    for refusal in sorted(set(learned.refusals), key=lambda each: (_rank(each.reason), each.target, each.action_type)):
        for pattern, fault, hypothesis, method in _REFUSALS:
            if re.search(pattern, refusal.reason.lower()):
                yield _experiment(
                    learned,
                    refusal.target,
                    fault,
                    hypothesis.format(action=refusal.action_type, target=refusal.target),
                    method.format(action=refusal.action_type, target=refusal.target),
                    f"The engine's {refusal.action_type} of {refusal.target} did not happen: {refusal.reason}.",
                )
                break


def _of_signatures(learned: Learned) -> Iterable[Experiment]:
    for signature in sorted(set(learned.signatures)):
        if signature in _SIGNATURES:
            fault, hypothesis, method = _SIGNATURES[signature]
            because = f"The incident's records speak of {signature}."
            words = {"service": learned.service}
            yield _experiment(learned, learned.service, fault, hypothesis.format(**words), method.format(**words), because)


def _of_dependencies(learned: Learned) -> Iterable[Experiment]:
    for service, depends_on in sorted(set(learned.dependencies)):
        hypothesis = f"With 200 ms more latency of {depends_on}, fewer than 1 % of {service}'s requests fail and its p99 holds."
        method = f"Delay half of the calls from {service} to {depends_on} by 200 ms for 10 minutes."
        because = f"{service} cannot do without {depends_on}."
        abort = _ABORT.format(service=service)
        yield Experiment(f"{service}-{depends_on}-latency", depends_on, hypothesis, method, abort, because)


def _of_actions(learned: Learned) -> Iterable[Experiment]:
    for target, action in sorted(set(learned.actions)):
        if action in _ACTIONS:
            fault, hypothesis, method = _ACTIONS[action]
            because = f"The incident's response was {action} of {target}."
            yield _experiment(learned, target, fault, hypothesis.format(target=target), method.format(target=target), because)


def _experiment(learned: Learned, target: str, fault: str, hypothesis: str, method: str, because: str) -> Experiment:
    name = f"{target}-{fault}" if target == learned.service else f"{learned.service}-{target}-{fault}"
    return Experiment(name, target, hypothesis, method, _ABORT.format(service=learned.service), because)


def _rank(reason: str) -> int:
    return next((place for place, (pattern, *_) in enumerate(_REFUSALS) if re.search(pattern, reason.lower())), len(_REFUSALS))


# Pattern of the engine's reason, fault, hypothesis, method.
_REFUSALS = (
    (
        r"403|denied|forbidden|permission",
        "engine-permission",
        "The engine may carry out {action} of {target}, and a missing right pages somebody within 5 minutes.",
        "Let the engine carry out {action} of {target} at the smallest step, then take the right away and trigger it again.",
    ),
    (
        r"kill.?switch",
        "kill-switch",
        "While the kill switch is on, on-call learns within 5 minutes what the engine leaves undone at {target}.",
        "Throw the kill switch for 15 minutes and raise the load of {target} until the engine would choose {action}.",
    ),
    (
        r"lock",
        "stale-lock",
        "A lock that nobody gives back expires, and the engine carries out {action} of {target} within 2 minutes after.",
        "Take the engine's lock of {target}, end its holder, and trigger {action}.",
    ),
    (
        r"max_executions|limit",
        "execution-limit",
        "When the engine has used up its {action} of {target}, on-call is paged at once.",
        "Raise the load of {target} in steps until the engine refuses {action} for its limit, and time the page.",
    ),
    (
        r"cooldown",
        "cooldown",
        "{target} holds its objectives through one cooldown of {action} while the load goes on rising.",
        "Raise the load of {target} by half right after the engine's {action}, and keep it up for one cooldown.",
    ),
    (
        r"missing_metric",
        "missing-metric",
        "When a metric of {target} is missing, somebody learns within 5 minutes that the engine is blind.",
        "Stop the metrics of {target} for 10 minutes.",
    ),
)
# Signature: fault, hypothesis, method.
_SIGNATURES = {
    "connection pool": (
        "connection-pool",
        "With nine of ten connections of {service} in use, requests are shed early and nothing else fails.",
        "Hold 90 % of the connections of {service} for 10 minutes.",
    ),
    "timeout": (
        "retry-storm",
        "With a tenth of the answers of {service} delayed beyond its callers' timeout, retries add less than 10 % to its load.",
        "Delay 10 % of the answers of {service} beyond the timeout of its callers for 10 minutes.",
    ),
    "out of memory": (
        "memory-pressure",
        "When one member of {service} runs out of memory, the others serve all requests.",
        "Fill the memory of one member of {service} until it is ended.",
    ),
    "certificate": (
        "certificate-expiry",
        "A certificate of {service} that expires within 14 days is announced, and its renewal needs no restart.",
        "Give {service} a certificate that expires in an hour, in a test environment, and wait.",
    ),
    "disk full": (
        "disk-full",
        "A disk of {service} that is 95 % full is announced before writes fail.",
        "Fill a disk of one member of {service} to 95 % for 10 minutes.",
    ),
    "dns": (
        "name-resolution",
        "{service} serves from what it has cached while names cannot be resolved for a minute.",
        "Drop name resolution of one member of {service} for 60 seconds.",
    ),
    "not ready": (
        "node-loss",
        "When a node of {service} is lost, its work runs elsewhere within 5 minutes.",
        "Drain and stop one node of {service}.",
    ),
}
# Action type: fault, hypothesis, method.
_ACTIONS = {
    "failover": (
        "failover",
        "{target} fails over in under 30 seconds, and callers reconnect by themselves.",
        "Fail {target} over to its replica.",
    ),
    "rollback": (
        "bad-deployment",
        "A deployment of {target} that fails 5 % of its requests goes back by itself within 5 minutes.",
        "Deploy a version of {target} to one zone that fails 5 % of its requests.",
    ),
    "scale_up": (
        "load-step",
        "When the load of {target} doubles within a minute, its new capacity serves within 5 minutes.",
        "Double the load of {target} for 10 minutes.",
    ),
    "circuit_break": (
        "open-circuit",
        "With its circuit open, callers of {target} answer with what they have, and it closes again by itself.",
        "Open the circuit to {target} for 5 minutes.",
    ),
}

"""People become roles with a stable hash; words, services and places that are called like people stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.domain.incidents import redaction_people
from dagster_project.domain.incidents.redaction import Redactor

INCIDENTS = Path(__file__).parents[4] / "shared" / "data" / "incidents"
# Every mention of a person in the three collections, read by hand: 16 mentions of 11 people.
MENTIONS = {
    "Jan Wiberg": 1, "Emil C.": 1, "Niels Lunn": 1, "Rasmus": 1, "Willi": 1, "Rune": 1, "Tony": 2, "Mike": 1, "Rosie Brigham": 1,
    "Julia": 1, "Sarika de Bruyn": 2, "Sarika": 3,
}  # fmt: skip
ENGINEER = re.compile(r"engineer-[0-9a-f]{4}")

STAYS = (
    "Will Jenkins restart? May be. Mark the pods as unschedulable, then grant access and bill the team.",
    "Traefik, Prometheus, Kafka, Grafana Loki, Argo, Travis CI, Thanos and Jaeger were restarted.",
    "On Monday 3 March the Aurora cluster in Virginia failed over to Ireland; in April and June it had too.",
    "Chase Bank and Santa Clara called. Hurricane Maria passed San Jose.",
    "Assigned to Platform. Owner: Payments. Commander: On-call. Round Robin balancing; Branch merged; Case approved.",
    "The Julia package and the Elsa cluster were upgraded; Ruby 3.2 was not.",
    "Rob reported is not in this sentence: rob, mike and tony are lower case words here.",
    "EKS, RDS and IAM were fine. RR, PW and AN attended.",
    "https://github.com/tony/infra and https://tony.example.com/Mike stay links",
    "payment-api → fraud-detection-api, i-0abc123def4567890, Mike-cluster, kube-Tony.local",
)


@pytest.mark.parametrize("text", STAYS)
def test_words_products_places_and_links_stay(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("this is Tony's token", "this is {}'s token"),
        ("Tony’s laptop", "{}’s laptop"),
        ("17:40 - Mike attempted to revoke", "17:40 - {} attempted to revoke"),
        ("Promoted Julia to owner", "Promoted {} to owner"),
        ("Rosie Brigham had access", "{} had access"),
        ("**Tony** and _Mike_", "**{}** and _{}_"),
        ("| Tony | (Mike) |", "| {} | ({}) |"),
        ("Will said that Grant was paged", "{} said that {} was paged"),
        ("thanks Mark, and Rob Smith too", "thanks {}, and {} too"),
        ("spoke to May about it", "spoke to {} about it"),
        ("Commander: Grant", "Commander: {}"),
        ("Anne-Marie O'Brien joined", "{} joined"),
        ("Hi all, Priya here", "Hi all, {} here"),
        ("cc Agnieszka and Søren", "cc {} and {}"),
        ("assigned to Chinedu Okafor", "assigned to {}"),
        ("Incident commander: Deepika Rao", "Incident commander: {}"),
        ("Dr. Singh, Mr Brown and Ms. Patel", "Dr. {}, Mr {} and Ms. {}"),
        ("Owner: Mark Jones, Payments", "Owner: {}, Payments"),
        ("Don restarted it. Don't restart it. Tony'll do", "{} restarted it. Don't restart it. {}'ll do"),
        ("ask o'brien@corp.example", "ask {}"),
        ("from Sarika de Bruyn. Sarika shares more", "from {}. {} shares more"),
        ("mail rosie.brigham@example.com", "mail {}"),
        ("ping @rosieb please", "ping {} please"),
        ("<@U012ABCDEF> looks", "{} looks"),
    ],
)
def test_a_person_becomes_a_pseudonym(text: str, expected: str) -> None:
    cleaned = Redactor().text(text)

    assert ENGINEER.sub("{}", cleaned) == expected


def test_one_person_has_one_pseudonym_however_the_name_is_written() -> None:
    redactor = Redactor(["Rosie Brigham <rosie.brigham@example.com>", "Tony Hart"])
    text = "Rosie Brigham, Rosie, Rosie's, Brigham, @rbrigham, @rosieb, rosie.brigham@example.com, ROSIE BRIGHAM"

    found = ENGINEER.findall(redactor.text(text))

    assert len(found) == 8
    assert set(found) == {redactor.person("Rosie Brigham")} == {redactor.person("@rosie.brigham")}
    assert redactor.person("rosie.brigham@example.com", "commander") == found[0].replace("engineer", "commander")
    assert redactor.person("Tony Hart") != found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DeleteAccessKey of priya.nair", "DeleteAccessKey of {}"),
        ("arn:aws:iam::1:user/priya.nair", "arn:aws:iam::1:user/{}"),
        ("branch feature/priya.nair and priya-nair/fix", "branch feature/{} and {}/fix"),
        ("priya_nair ran it", "{} ran it"),
        ("https://x.io/?u=priya.nair%40example.com&r=a%3Dpriya.nair", "https://x.io/?u={}&r=a%3D{}"),
        (
            "https://acme.slack.com/team/priya.nair and https://github.com/priyanair",
            "https://acme.slack.com/team/{} and https://github.com/{}",
        ),
        ("#priya-nair-dm", "#{}-dm"),
        ("Priya.Nair2, p.nair, nair.priya, pnair, @priya.nair", "{}, {}, {}, {}, {}"),
        ("priya.nairobi and 3priya.nair are others", None),
    ],
)
def test_a_known_person_is_found_as_a_login_everywhere(text: str, expected: str | None) -> None:
    redactor = Redactor(["priya.nair"])

    assert redactor.text(text) == (text if expected is None else expected.replace("{}", redactor.person("Priya Nair")))


def test_a_login_with_a_hyphen_and_the_name_are_one_person() -> None:
    redactor = Redactor(["dave-lindqvist"])

    assert redactor.person("dave-lindqvist") == redactor.person("Dave Lindqvist") == redactor.person("AROAX:dave.lindqvist@x.io")
    assert len(set(ENGINEER.findall(redactor.text("Dave Lindqvist, dave-lindqvist, dlindqvist and Dave")))) == 1


def test_a_login_of_somebody_whom_the_text_names_is_theirs() -> None:
    redactor = Redactor()

    assert redactor.text("Zainab Okonkwo left; zainab.okonkwo was deleted") == "{0} left; {0} was deleted".format(
        redactor.person("Zainab Okonkwo")
    )


def test_accents_are_left_out_of_logins() -> None:
    redactor = Redactor(["Björn Åkesson"])

    assert redactor.text("user/bjorn.akesson") == f"user/{redactor.person('Björn Åkesson')}"


def test_a_login_that_two_people_could_have_is_not_shown_and_is_neither() -> None:
    redactor = Redactor(["Priya Lindqvist", "Paul Lindqvist"])

    found = redactor.text("plindqvist")

    assert ENGINEER.fullmatch(found)
    assert found not in {redactor.person("Priya Lindqvist"), redactor.person("Paul Lindqvist")}


def test_actors_that_are_called_like_words_and_machines_stay_in_texts_but_not_where_users_stand() -> None:
    redactor = Redactor(["karpenter", "fraud-detector", "worker"])

    assert redactor.text("karpenter and fraud-detector restarted a worker") == "karpenter and fraud-detector restarted a worker"
    assert redactor.text("arn:aws:iam::1:user/worker") == f"arn:aws:iam::1:user/{redactor.person('worker')}"


def test_whoever_set_a_time_is_a_person_whatever_the_login() -> None:
    redactor = Redactor()

    assert redactor.text("kskywalk set it on 2025-03-10: seen") == f"{redactor.person('kskywalk')} set it on 2025-03-10: seen"
    assert redactor.text("root set it on 2025-03-10: seen") == "root set it on 2025-03-10: seen"


def test_addresses_in_one_text_tell_of_people_in_another() -> None:
    redactor = Redactor().with_people_of(["mail xanthippe.vorderman@example.com"])

    assert redactor.text("user/xanthippe.vorderman") == f"user/{redactor.person('Xanthippe Vorderman')}"


def test_a_first_name_that_two_people_share_is_neither() -> None:
    redactor = Redactor(["Rosie Brigham", "Rosie Jones"])

    assert redactor.person("Rosie") not in {redactor.person("Rosie Brigham"), redactor.person("Rosie Jones")}


def test_a_first_name_in_one_text_is_the_person_of_another() -> None:
    redactor = Redactor().with_people_of(["Rosie Brigham had access.", "nobody here"])

    assert redactor.text("Rosie left") == f"{redactor.person('Rosie Brigham')} left"


def test_pseudonyms_are_stable_and_depend_on_the_salt() -> None:
    assert Redactor().text("Tony left") == "engineer-ca79 left"
    assert Redactor(salt="other").text("Tony left") != "engineer-ca79 left"


@pytest.mark.parametrize(
    "name", ["payments-on-call", "senior-sre", "vp-engineering", "github-actions[bot]", "root", "platform-team"]
)
def test_roles_and_machines_are_no_people(name: str) -> None:
    assert Redactor([name]).person(name) == name
    assert Redactor([name]).text(f"asked @{name} to look at the {name}") == f"asked @{name} to look at the {name}"


def test_nobody_is_unknown_and_a_pseudonym_stays_one() -> None:
    assert Redactor().person(None) == "unknown"
    assert Redactor().person("  ") == "unknown"
    assert Redactor().person("engineer-3f2a") == "engineer-3f2a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call +44 20 7946 0958 now", "call [phone number removed] now"),
        ("call (555) 123-4567", "call [phone number removed]"),
        ("mail support@example.com", "mail [e-mail removed]"),
        ("from 93.184.216.34 and 10.0.3.17", "from [address removed] and 10.0.3.17"),
        ("2606:4700:4700::1111 and fe80::1", "[address removed] and fe80::1"),
        ("version 8.8.4.4, 0.0.0.0/0, 169.254.169.254", "version 8.8.4.4, 0.0.0.0/0, 169.254.169.254"),
        ("2025-03-03 08:14:40, 1741000000, 123-456, ec2-user@host, git@github.com:acme/x.git", None),
        ("@here @channel @acme/platform-team react@18.2.0 @types/node", None),
    ],
)
def test_contacts_go_and_what_looks_like_them_stays(text: str, expected: str | None) -> None:
    assert Redactor().text(text) == (text if expected is None else expected)


def collections() -> list[Path]:
    if not INCIDENTS.is_dir():
        pytest.skip(f"no incident records in {INCIDENTS}")
    return sorted(INCIDENTS.glob("*/*.md"))


def test_the_postmortem_about_a_leak_names_nobody() -> None:
    leak = next(path for path in collections() if "secrets-leaked" in path.name).read_text(encoding="utf-8")

    cleaned = Redactor().text(leak)

    assert not re.search(r"Tony|Mike|Rosie|Brigham|Julia", cleaned)
    assert len(ENGINEER.findall(cleaned)) == 5
    assert ENGINEER.sub("", cleaned) == re.sub(r"Tony|Mike|Rosie Brigham|Julia", "", leak)


def test_in_all_records_every_person_is_found_and_nothing_else_is_changed() -> None:
    found: dict[str, int] = {}
    for path in collections():
        text = path.read_text(encoding="utf-8")
        for span in redaction_people.people_in(text, redaction_people.Directory()):
            found[text[span.start : span.end]] = found.get(text[span.start : span.end], 0) + 1
        cleaned = Redactor().text(text)
        assert Redactor().text(cleaned) == cleaned
        assert not re.search(r"\[[a-z -]+ removed\]", cleaned)  # no secret and no contact is in these records
    assert found == MENTIONS


def test_status_updates_of_a_service_name_nobody() -> None:
    path = INCIDENTS / "github_incidents.jsonl"
    if not path.exists():
        pytest.skip(f"no incident records in {INCIDENTS}")
    text = path.read_text(encoding="utf-8")

    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        "Tony Mike ",
        "Will ",
        "@a",
        "user@",
        "a@a.",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "password:",
        "a:",
        "://",
        "priya.",
        "%3D",
    ],
)
def test_work_grows_with_the_text_and_not_with_its_square(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words that are looked at, counted: each once, whatever surrounds it."""
    looked = 0
    original = redaction_people._person_at

    def counting(*arguments: object) -> tuple[int, bool]:
        nonlocal looked
        looked += 1
        return original(*arguments)

    monkeypatch.setattr(redaction_people, "_person_at", counting)
    text = unit * (40_000 // len(unit))
    Redactor().text(text)

    assert looked <= len(text) / 2 + 1

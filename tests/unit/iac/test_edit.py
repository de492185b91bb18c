"""Edits: made together or not at all, only what was announced, and never over somebody else's change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.errors import InputError
from dagster_project.iac.edit import write
from dagster_project.iac.files import Files
from dagster_project.iac.front import open_front
from tests.iac.case_files import state as raw_state
from tests.unit.iac.builders import Checkout

Make = Callable[..., Checkout]


def web(size: str, name: str = "web") -> str:
    return f'resource "aws_instance" "{name}" {{\n  instance_type = {size}\n}}\n'


def live(**sizes: str) -> dict[str, dict[str, str]]:
    return {f"aws_instance.{name}": {"id": f"i-{name}", "instance_type": size} for name, size in sizes.items()}


SHARED = {"main.tf": 'variable "size" { default = "«v:m5.large»" }\n' + web("var.size", "one") + web("var.size", "two")}


def outcomes(made: Checkout, *changes: tuple[str, str, str], **kwargs: bool) -> list[tuple[bool, str]]:
    edits = made.prepare(*changes, **kwargs)
    if not any(edit.is_edited for edit in edits.outcomes):
        assert edits.contents == {}
    return [(edit.is_edited, edit.location.reason_code) for edit in edits.outcomes]


# One change.


def test_an_edit_is_prepared_in_memory_and_nothing_is_written(checkout: Make) -> None:
    made = checkout({"main.tf": "# größer\r\n" + web('"«a:m5.large»" # m5.large')}, live(web="m5.large"))
    before, place = made.data("main.tf"), made.places["a"]
    edits = made.prepare(("i-web", "instance_type", "m5.medium"))
    assert [edit.is_edited for edit in edits.outcomes] == [True]
    assert edits.contents == {"main.tf": before[: place.start] + b"m5.medium" + before[place.end :]}
    assert made.data("main.tf") == before


def test_an_edit_that_is_written_keeps_the_mode_of_the_file(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    path = made.folder / "main.tf"
    for mode in (0o600, 0o644, 0o755, 0o444):
        path.chmod(mode)
        write(made.repository.files, {"main.tf": made.data("main.tf")})
        assert path.stat().st_mode & 0o7777 == mode
        made.reopened()


def test_the_front_end_writes_what_was_prepared_and_leaves_nothing_beside_it(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    front = open_front(str(made.folder), str(made.folder), raw_state(live(web="m5.large")), "the state", None, ())
    outcome = front.edit("i-web", "instance_type", None, "m5.medium", allow_shared=False)
    assert (outcome.is_edited, outcome.location.current, outcome.location.status) == (True, "m5.large", "editable")
    assert made.data("main.tf") == web('"m5.medium"').encode()
    assert sorted(path.name for path in made.folder.iterdir()) == ["main.tf"]


def test_a_link_stays_a_link_and_its_file_is_edited(checkout: Make) -> None:
    made = checkout(
        {"shared/sizes.tf": 'variable "size" { default = "m5.large" }\n', "live/main.tf": web("var.size")}, root="live"
    )
    (made.folder / "live/sizes.tf").symlink_to("../shared/sizes.tf")
    front = open_front(str(made.folder), str(made.folder / "live"), raw_state(live(web="m5.large")), "the state", None, ())
    assert front.edit("i-web", "instance_type", None, "m5.medium", allow_shared=False).is_edited
    assert (made.folder / "live/sizes.tf").is_symlink()
    assert made.data("shared/sizes.tf") == b'variable "size" { default = "m5.medium" }\n'


def test_what_was_edited_once_has_its_new_value_the_next_time(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    write(made.repository.files, made.prepare(("i-web", "instance_type", "m5.medium")).contents)
    assert made.reopened().verdict("i-web") == ("not_found", "drift")
    assert made.locate("i-web").sentence == "The code says m5.medium, and m5.large is live; apply or revert first."


# Several changes.


def test_changes_of_one_file_are_made_together(checkout: Make) -> None:
    text = web('"«a:m5.large»"   # x', "a") + web('"«b:m5.large»"   # x', "b")
    text += 'resource "aws_ebs_volume" "d" {\n  size = «d:100» # y\n  iops = «i:3000»\n}\n'
    volume = {"aws_ebs_volume.d": {"id": "vol-1", "size": 100, "iops": 3000}}
    made = checkout({"main.tf": text}, live(a="m5.large", b="m5.large") | volume)
    changes = [("i-b", "instance_type", "t3.nano"), ("vol-1", "size", "80"), ("i-a", "instance_type", "m5.24xlarge")]
    edits = made.prepare(*changes, ("vol-1", "iops", "4000"))
    assert [edit.location.span for edit in edits.outcomes] == [made.places[name] for name in "bdai"]
    expected = made.data("main.tf").decode()
    expected = expected.replace("m5.large", "m5.24xlarge", 1).replace("m5.large", "t3.nano", 1)
    assert edits.contents["main.tf"].decode() == expected.replace("100", "80").replace("3000", "4000")


def test_changes_of_several_files_are_made_together(checkout: Make) -> None:
    files = {
        "a.tf": web('"m5.large"', "a"),
        "b.tf": web("var.b", "b"),
        "vars.tf": 'variable "b" {}\n',
        "b.auto.tfvars": 'b = "m5.large"\n',
    }
    made = checkout(files, live(a="m5.large", b="m5.large"))
    edits = made.prepare(("i-a", "instance_type", "c5.large"), ("i-b", "instance_type", "r5.large"))
    assert edits.contents == {"a.tf": web('"c5.large"', "a").encode(), "b.auto.tfvars": b'b = "r5.large"\n'}


def test_when_one_of_several_changes_is_refused_none_is_made(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"', "a") + web("var.unknown", "b")}, live(a="m5.large", b="m5.large"))
    changes = [("i-a", "instance_type", "c5.large"), ("i-b", "instance_type", "c5.large")]
    assert outcomes(made, *changes) == [(False, "literal"), (False, "unknown_value")]
    assert outcomes(made, ("i-a", "instance_type", "c5.large"), ("i-none", "instance_type", "c5.large")) == [
        (False, "literal"),
        (False, "not_in_state"),
    ]


def test_no_changes_change_nothing(checkout: Make) -> None:
    edits = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large")).prepare()
    assert (edits.outcomes, edits.contents) == ((), {})


# Shared literals.


def test_a_shared_literal_is_not_edited_for_one_address_alone(checkout: Make) -> None:
    made = checkout(SHARED, live(one="m5.large", two="m5.large"))
    edits = made.prepare(("i-one", "instance_type", "m5.medium"))
    assert [(edit.is_edited, edit.location.status) for edit in edits.outcomes] == [(False, "shared")]
    assert edits.outcomes[0].location.affects == ("aws_instance.one", "aws_instance.two")
    assert edits.contents == {}


def test_a_shared_literal_is_edited_where_that_is_allowed(checkout: Make) -> None:
    made = checkout(SHARED, live(one="m5.large", two="m5.large"))
    edits = made.prepare(("i-one", "instance_type", "m5.medium"), allow_shared=True)
    assert [edit.is_edited for edit in edits.outcomes] == [True]
    assert edits.contents == {"main.tf": made.data("main.tf").replace(b"m5.large", b"m5.medium")}


def test_a_shared_literal_is_edited_where_all_of_its_addresses_are_to_have_the_value(checkout: Make) -> None:
    made = checkout(SHARED, live(one="m5.large", two="m5.large"))
    edits = made.prepare(("i-one", "instance_type", "m5.medium"), ("i-two", "instance_type", "m5.medium"))
    assert [edit.is_edited for edit in edits.outcomes] == [True, True]
    assert edits.contents == {"main.tf": made.data("main.tf").replace(b"m5.large", b"m5.medium")}


def test_a_shared_literal_that_a_third_address_has_too_is_not_edited_for_two(checkout: Make) -> None:
    files = {"main.tf": SHARED["main.tf"] + web("var.size", "three")}
    made = checkout(files, live(one="m5.large", two="m5.large", three="m5.large"))
    changes = [("i-one", "instance_type", "m5.medium"), ("i-two", "instance_type", "m5.medium")]
    assert outcomes(made, *changes) == [(False, "shared_literal")] * 2


@pytest.mark.parametrize("allow_shared", [False, True])
def test_two_values_for_one_literal_contradict_each_other(checkout: Make, allow_shared: bool) -> None:
    made = checkout(SHARED, live(one="m5.large", two="m5.large"))
    edits = made.prepare(
        ("i-one", "instance_type", "m5.medium"), ("i-two", "instance_type", "c5.large"), allow_shared=allow_shared
    )
    assert [(edit.is_edited, edit.location.reason_code) for edit in edits.outcomes] == [(False, "changes_more")] * 2
    assert edits.outcomes[0].location.sentence == (
        "The edit would change more than was announced: two changes want other values of one literal."
    )
    assert edits.contents == {}


def test_the_same_change_asked_twice_is_made_once(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    edits = made.prepare(("i-web", "instance_type", "m5.medium"), ("aws_instance.web", "instance_type", "m5.medium"))
    assert [edit.is_edited for edit in edits.outcomes] == [True, True]
    assert edits.contents == {"main.tf": web('"m5.medium"').encode()}


def test_what_other_roots_use_is_not_covered_by_asking_for_all_addresses_of_one(checkout: Make) -> None:
    files = {f"{root}/main.tf": 'module "m" { source = "../m" }\n' for root in ("a", "b")} | {"m/main.tf": web('"«m:m5.large»"')}
    made = checkout(files, {"module.m.aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}, root="a")
    assert outcomes(made, ("i-web", "instance_type", "m5.medium")) == [(False, "shared_by_roots")]
    assert outcomes(made, ("i-web", "instance_type", "m5.medium"), allow_shared=True) == [(True, "shared_by_roots")]


def test_a_literal_that_a_group_and_its_template_share_is_edited_once(checkout: Make) -> None:
    text = 'resource "aws_launch_template" "t" { instance_type = "«a:m5.large»" }\n'
    text += 'resource "aws_autoscaling_group" "g" {\n  min_size = 1\n  launch_template {\n'
    text += '    id = aws_launch_template.t.id\n    version = "$Latest"\n  }\n}\n'
    state = {
        "aws_launch_template.t": {"id": "lt-1", "instance_type": "m5.large"},
        "aws_autoscaling_group.g": {"id": "web", "launch_template": [{"id": "lt-1", "version": "$Latest"}]},
    }
    made = checkout({"main.tf": text}, state)
    edits = made.prepare(("web", "instance_type", "m5.medium"))
    assert [edit.is_edited for edit in edits.outcomes] == [True]
    assert edits.contents == {"main.tf": made.data("main.tf").replace(b"m5.large", b"m5.medium")}


# What would happen is looked at before anything is written.


def test_an_edit_that_would_change_another_address_by_a_condition_is_refused(checkout: Make) -> None:
    text = 'locals { size = "«a:m5.large»" }\n' + web("local.size", "one")
    text += web('local.size == "m5.large" ? "c5.large" : "t3.nano"', "two")
    made = checkout({"main.tf": text}, live(one="m5.large", two="c5.large"))
    edits = made.prepare(("i-one", "instance_type", "m5.medium"), allow_shared=True)
    assert [(edit.is_edited, edit.location.status, edit.location.reason_code) for edit in edits.outcomes] == [
        (False, "refused", "changes_more")
    ]
    assert edits.outcomes[0].location.sentence == "The edit would change more than was announced: aws_instance.two."
    assert edits.contents == {}


def test_an_edit_that_would_move_an_address_is_refused(checkout: Make) -> None:
    text = 'locals { sizes = toset(["«a:m5.large»"]) }\n'
    text += 'resource "aws_instance" "web" {\n  for_each = local.sizes\n  instance_type = each.value\n}\n'
    made = checkout({"main.tf": text}, {'aws_instance.web["m5.large"]': {"id": "i-web", "instance_type": "m5.large"}})
    assert outcomes(made, ("i-web", "instance_type", "m5.medium")) == [(False, "changes_addresses")]


def test_a_literal_that_would_not_bring_the_value_is_refused(checkout: Make) -> None:
    """A minimum that is taken of two literals: the new one is not the smaller any more."""
    text = 'resource "aws_autoscaling_group" "g" { min_size = var.n > 3 ? 3 : var.n }\nvariable "n" { default = «a:2» }\n'
    made = checkout({"main.tf": text}, {"aws_autoscaling_group.g": {"id": "g", "min_size": 2, "max_size": 9}})
    assert outcomes(made, ("g", "min_size", "3")) == [(True, "literal")]
    assert outcomes(made, ("g", "min_size", "5")) == [(False, "changes_more")]


# Values.

GROUP = 'resource "aws_autoscaling_group" "g" {\n  min_size = 1\n  max_size = 9\n}\n'
DATABASE = 'resource "aws_db_instance" "d" {\n  instance_class = "db.m5.large"\n  storage_type = "gp3"\n}\n'
AURORA = 'resource "aws_rds_cluster_instance" "c" { instance_class = "db.r6g.large" }\n'
STATE = {
    "aws_instance.web": {"id": "i-web", "instance_type": "m5.large"},
    "aws_autoscaling_group.g": {"id": "g", "min_size": 1, "max_size": 9},
    "aws_db_instance.d": {"id": "db-1", "instance_class": "db.m5.large", "storage_type": "gp3"},
    "aws_rds_cluster_instance.c": {"id": "aurora-1", "instance_class": "db.r6g.large"},
}
AS_AWS = "--to takes a value as AWS writes it."
WHOLE = "--to takes a whole number."


@pytest.mark.parametrize(
    ("resource", "attribute", "to", "told"),
    [
        ("i-web", "instance_type", "", AS_AWS),
        ("i-web", "instance_type", "m5", AS_AWS),
        ("i-web", "instance_type", "M5.large", AS_AWS),
        ("i-web", "instance_type", "m5.large ", AS_AWS),
        ("i-web", "instance_type", 'm5.large"', AS_AWS),
        ("i-web", "instance_type", "m5.large\n", AS_AWS),
        ("i-web", "instance_type", "${var.x}", AS_AWS),
        ("i-web", "instance_type", "m5.größe", AS_AWS),
        ("db-1", "instance_class", "m5.large", AS_AWS),
        ("db-1", "storage_type", "gp 3", AS_AWS),
        ("g", "min_size", "-1", WHOLE),
        ("g", "min_size", "1.0", WHOLE),
        ("g", "min_size", "01", WHOLE),
        ("g", "min_size", "two", WHOLE),
        ("g", "min_size", "", WHOLE),
        ("g", "min_size", "1234567890", WHOLE),
        ("g", "min_size", "٣", WHOLE),
    ],
)
def test_a_value_that_the_attribute_cannot_have_is_bad_input(
    checkout: Make, resource: str, attribute: str, to: str, told: str
) -> None:
    made = checkout({"main.tf": web('"m5.large"') + GROUP + DATABASE + AURORA}, STATE)
    with pytest.raises(InputError) as caught:
        made.prepare((resource, attribute, to))
    assert str(caught.value) == f"{attribute} cannot be {to!r}; {told}"


@pytest.mark.parametrize(
    ("resource", "attribute", "to"),
    [
        ("i-web", "instance_type", "u-6tb1.112xlarge"),
        ("i-web", "instance_type", "m7i-flex.large"),
        ("i-web", "instance_type", "x2iedn.metal"),
        ("g", "min_size", "0"),
        ("aurora-1", "instance_class", "db.serverless"),
        ("db-1", "instance_class", "db.x2iedn.16xlarge"),
        ("db-1", "instance_type", "db.t4g.micro"),
        ("db-1", "storage_type", "io2"),
    ],
)
def test_values_as_aws_writes_them_are_taken(checkout: Make, resource: str, attribute: str, to: str) -> None:
    made = checkout({"main.tf": web('"m5.large"') + GROUP + DATABASE + AURORA}, STATE)
    assert [edit.is_edited for edit in made.prepare((resource, attribute, to)).outcomes] == [True]


def test_the_value_that_it_has_already_is_bad_input(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"') + GROUP}, STATE)
    for resource, attribute, to in (("i-web", "instance_type", "m5.large"), ("g", "min_size", "1")):
        with pytest.raises(InputError) as caught:
            made.prepare((resource, attribute, to))
        assert str(caught.value) == f"{attribute} of {resource} is {to} already; choose another value with --to."


def test_the_value_that_it_has_already_in_other_words_is_bad_input_too(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5\\u002elarge"')}, live(web="m5.large"))
    with pytest.raises(InputError, match=r"is m5\.large already"):
        made.prepare(("i-web", "instance_type", "m5.large"))


# Writing.


def test_a_file_that_was_changed_in_the_meantime_is_left_alone_with_all_others(checkout: Make) -> None:
    files = {"a.tf": web('"m5.large"', "a"), "b.tf": web('"m5.large"', "b")}
    made = checkout(files, live(a="m5.large", b="m5.large"))
    edits = made.prepare(("i-a", "instance_type", "c5.large"), ("i-b", "instance_type", "c5.large"))
    (made.folder / "b.tf").write_text(web('"m5.large" # mine', "b"))
    with pytest.raises(InputError) as caught:
        write(made.repository.files, edits.contents)
    assert str(caught.value) == "The file b.tf was changed while it was being edited; nothing was written, run again."
    assert made.data("a.tf") == web('"m5.large"', "a").encode()
    assert made.data("b.tf") == web('"m5.large" # mine', "b").encode()


def test_a_file_that_is_gone_in_the_meantime_is_not_made_again(checkout: Make) -> None:
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    edits = made.prepare(("i-web", "instance_type", "c5.large"))
    (made.folder / "main.tf").unlink()
    with pytest.raises(InputError, match=r"The file main\.tf was changed"):
        write(made.repository.files, edits.contents)
    assert not (made.folder / "main.tf").exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left_of_the_attempt(checkout: Make, rights_hold: None) -> None:
    files = {"a/main.tf": 'module "b" { source = "../b" }\n' + web('"m5.large"', "a"), "b/main.tf": web('"m5.large"', "b")}
    state = live(a="m5.large") | {"module.b.aws_instance.b": {"id": "i-b", "instance_type": "m5.large"}}
    made = checkout(files, state, root="a")
    edits = made.prepare(("i-a", "instance_type", "c5.large"), ("i-b", "instance_type", "c5.large"))
    assert sorted(edits.contents) == ["a/main.tf", "b/main.tf"]
    (made.folder / "b").chmod(0o555)
    try:
        with pytest.raises(InputError) as caught:
            write(made.repository.files, edits.contents)
    finally:
        (made.folder / "b").chmod(0o755)
    assert str(caught.value) == "The repository cannot be written (Permission denied); make it writable."
    assert made.data("a/main.tf").decode() == files["a/main.tf"]
    assert [[path.name for path in (made.folder / name).iterdir()] for name in "ab"] == [["main.tf"], ["main.tf"]]


def test_when_the_second_of_two_files_cannot_be_replaced_the_first_is_as_before(
    checkout: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a/main.tf": 'module "b" { source = "../b" }\n' + web('"m5.large"', "a"), "b/main.tf": web('"m5.large"', "b")}
    state = live(a="m5.large") | {"module.b.aws_instance.b": {"id": "i-b", "instance_type": "m5.large"}}
    made = checkout(files, state, root="a")
    edits = made.prepare(("i-a", "instance_type", "c5.large"), ("i-b", "instance_type", "c5.large"))
    (made.folder / "a/main.tf").chmod(0o444)
    seen: list[bytes] = []
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.parent.name == "b":
            seen.append(made.data("a/main.tf"))
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(InputError) as caught:
        write(made.repository.files, edits.contents)
    assert str(caught.value) == "The repository cannot be written (No space left on device); make it writable."
    assert seen == [edits.contents["a/main.tf"]], "the first file was not replaced before the second"
    assert {path: made.data(path).decode() for path in files} == files
    assert (made.folder / "a/main.tf").stat().st_mode & 0o777 == 0o444
    assert sorted(path.name for path in made.folder.glob("*/*")) == ["main.tf", "main.tf"]


def test_a_file_that_is_read_only_in_a_folder_that_is_not_is_replaced_and_stays_read_only(
    checkout: Make, rights_hold: None
) -> None:
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    (made.folder / "main.tf").chmod(0o444)
    write(made.repository.files, made.prepare(("i-web", "instance_type", "c5.large")).contents)
    assert made.data("main.tf") == web('"c5.large"').encode()
    assert (made.folder / "main.tf").stat().st_mode & 0o777 == 0o444


def test_nothing_to_write_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    write(Files.open(tmp_path / "repository"), {})
    assert list((tmp_path / "repository").iterdir()) == []


def test_a_files_owner_of_several_names_keeps_them(checkout: Make) -> None:
    """A hard link to a file in the repository is another file afterwards: what lies outside never changes."""
    made = checkout({"main.tf": web('"m5.large"')}, live(web="m5.large"))
    outside = made.folder.parent / "outside.tf"
    os.link(made.folder / "main.tf", outside)
    write(made.repository.files, made.prepare(("i-web", "instance_type", "c5.large")).contents)
    assert (made.data("main.tf"), outside.read_bytes()) == (web('"c5.large"').encode(), web('"m5.large"').encode())


def test_a_value_that_changes_how_many_instances_there_are_is_refused_although_others_would_not(checkout: Make) -> None:
    extra = 'resource "aws_instance" "extra" {\n  count = startswith(local.size, "t") ? 1 : 0\n  instance_type = "c5.large"\n}\n'
    made = checkout({"main.tf": 'locals { size = "m5.large" }\n' + web("local.size") + extra}, live(web="m5.large"))
    assert outcomes(made, ("i-web", "instance_type", "t3.large")) == [(False, "changes_addresses")]
    assert outcomes(made, ("i-web", "instance_type", "m5.xlarge")) == [(True, "literal")]


def test_a_folder_that_became_a_link_in_the_meantime_is_not_written_through(checkout: Make, tmp_path: Path) -> None:
    made = checkout({"app/main.tf": web('"m5.large"')}, live(web="m5.large"), root="app")
    edits = made.prepare(("i-web", "instance_type", "m5.medium"))
    outside = tmp_path / "outside"
    (made.folder / "app").rename(outside)
    (made.folder / "app").symlink_to(outside)
    with pytest.raises(InputError, match=r"app/main\.tf was changed while it was being edited"):
        write(made.repository.files, edits.contents)
    assert (outside / "main.tf").read_text() == web('"m5.large"')


def test_a_validation_that_would_fail_refuses_the_edit(checkout: Make) -> None:
    rule = 'validation {\n    condition = contains(["m5.large", "m5.xlarge"], var.size)\n    error_message = "No."\n  }\n'
    declared = f'variable "size" {{\n  default = "m5.large"\n  {rule}}}\n'
    made = checkout({"main.tf": declared + web("var.size")}, live(web="m5.large"))
    edits = made.prepare(("i-web", "instance_type", "m5.medium"))
    assert edits.outcomes[0].location.sentence == "Terraform would refuse the new value: var.size."
    assert outcomes(made, ("i-web", "instance_type", "m5.xlarge")) == [(True, "literal")]


def test_a_precondition_that_would_fail_refuses_the_edit(checkout: Make) -> None:
    check = 'precondition {\n      condition = local.size != "m5.medium"\n      error_message = "No."\n    }\n'
    rule = f"lifecycle {{\n    {check}  }}\n"
    made = checkout({"main.tf": 'locals { size = "m5.large" }\n' + web(f"local.size\n  {rule}")}, live(web="m5.large"))
    assert outcomes(made, ("i-web", "instance_type", "m5.medium")) == [(False, "fails_validation")]
    assert outcomes(made, ("i-web", "instance_type", "m5.xlarge")) == [(True, "literal")]

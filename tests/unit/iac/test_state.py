"""State in its two shapes: which resources it has, what they are called, and that nothing else of it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import InputError
from dagster_project.iac import state as state_module
from dagster_project.iac.kinds import KINDS
from dagster_project.iac.state import Launch, State, StateResource, read_state

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "samples" / "terraform_state"


def instance(attributes: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {"schema_version": 1, "attributes": attributes, "private": "bnVsbA==", **further}


def block(type_: str, name: str, *instances: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": type_, "name": name, "provider": "aws", "instances": list(instances), **further}


def raw(*resources: dict[str, Any], **further: Any) -> State:
    """A state as ``terraform state pull`` writes it."""
    return read_state(json.dumps({"version": 4, "serial": 3, "resources": list(resources), **further}).encode())


def shown(root_module: dict[str, Any] | None) -> State:
    """A state as ``terraform show -json`` prints it."""
    values = {} if root_module is None else {"values": {"outputs": {}, "root_module": root_module}}
    return read_state(json.dumps({"format_version": "1.0", "terraform_version": "1.11.4", **values}).encode())


def shown_resource(address: str, type_: str, values: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "type": type_, "name": "x", "values": values, **further}


def addresses(state: State) -> list[str]:
    return [each.address for each in state.resources]


def refusal(data: bytes, name: str = "The state s.json") -> str:
    with pytest.raises(InputError) as caught:
        read_state(data, name)
    return str(caught.value)


# What a state has.


def test_a_raw_state_has_one_resource_for_each_instance_of_a_block() -> None:
    state = raw(
        block("aws_instance", "single", instance({"id": "i-1", "instance_type": "m5.large"})),
        block("aws_instance", "counted", instance({"id": "i-2"}, index_key=0), instance({"id": "i-3"}, index_key=1)),
        block("aws_instance", "keyed", instance({"id": "i-4"}, index_key="eu")),
        block("aws_instance", "inner", instance({"id": "i-5"}), module='module.app["a"].module.web[2]'),
    )
    assert addresses(state) == [
        "aws_instance.single",
        "aws_instance.counted[0]",
        "aws_instance.counted[1]",
        'aws_instance.keyed["eu"]',
        'module.app["a"].module.web[2].aws_instance.inner',
    ]
    assert state.by_address["aws_instance.single"] == StateResource(
        "aws_instance.single", "aws_instance", "i-1", sizes={"instance_type": "m5.large"}
    )


KEYS = [
    (0, "aws_instance.web[0]"),
    (12, "aws_instance.web[12]"),
    ("0", 'aws_instance.web["0"]'),
    ("a.b", 'aws_instance.web["a.b"]'),
    ('say "hi"', 'aws_instance.web["say \\"hi\\""]'),
    ("a[0]", 'aws_instance.web["a[0]"]'),
    ("c:\\d", 'aws_instance.web["c:\\\\d"]'),
    ("${x}", 'aws_instance.web["$${x}"]'),
    ("%{x}", 'aws_instance.web["%%{x}"]'),
    ("two\nlines", 'aws_instance.web["two\\nlines"]'),
    ("größe 🙂", 'aws_instance.web["größe 🙂"]'),
    ("", 'aws_instance.web[""]'),
]


@pytest.mark.parametrize(("key", "address"), KEYS)
def test_an_index_key_is_written_in_the_address_as_terraform_writes_it(key: str | int, address: str) -> None:
    state = raw(block("aws_instance", "web", instance({"id": "i-1"}, index_key=key)))
    assert addresses(state) == [address]
    assert state.keys_of("aws_instance.web") == (key,)
    assert addresses(shown({"resources": [shown_resource(address, "aws_instance", {"id": "i-1"}, index=key)]})) == [address]


@pytest.mark.parametrize(("key", "address"), KEYS)
def test_the_keys_of_a_module_call_are_read_back_from_addresses_below_it(key: str | int, address: str) -> None:
    call = address.replace("aws_instance.web", "module.web")
    state = raw(block("aws_instance", "this", instance({"id": "i-1"}), module=f"module.outer.{call}"))
    assert state.keys_of("module.outer.module.web") == (key,)
    assert state.keys_of(f"module.outer.{call}.aws_instance.this") == (None,)


def test_the_keys_of_a_block_are_those_of_its_instances_in_the_order_of_the_state() -> None:
    state = raw(
        block("aws_instance", "web", instance({"id": "i-1"}, index_key="b"), instance({"id": "i-2"}, index_key="a")),
        block("aws_instance", "one", instance({"id": "i-3"})),
        block("aws_instance", "in", instance({"id": "i-4"}), instance({"id": "i-5"}), module="module.app[1]"),
        block("aws_instance", "in", instance({"id": "i-6"}), module="module.app[0]"),
    )
    assert state.keys_of("aws_instance.web") == ("b", "a")
    assert state.keys_of("aws_instance.one") == (None,)
    assert state.keys_of("module.app") == (1, 0)
    assert state.keys_of("module.app[0].aws_instance.in") == (None,)
    assert state.keys_of("aws_instance.absent") == ()


def test_what_show_prints_has_the_resources_of_child_modules_too() -> None:
    state = shown(
        {
            "resources": [shown_resource("aws_instance.web[0]", "aws_instance", {"id": "i-1", "instance_type": "m5.large"})],
            "child_modules": [
                {
                    "address": 'module.app["x"]',
                    "resources": [shown_resource('module.app["x"].aws_instance.web', "aws_instance", {"id": "i-2"})],
                    "child_modules": [
                        {"resources": [shown_resource('module.app["x"].module.db.aws_db_instance.db', "aws_db_instance", {})]}
                    ],
                },
                {"address": "module.empty"},
            ],
        }
    )
    assert addresses(state) == [
        "aws_instance.web[0]",
        'module.app["x"].aws_instance.web',
        'module.app["x"].module.db.aws_db_instance.db',
    ]
    assert state.by_address["aws_instance.web[0]"].sizes == {"instance_type": "m5.large"}
    assert state.keys_of("module.app") == ("x",)


def test_a_state_without_resources_has_none() -> None:
    assert raw().resources == []
    assert read_state(b'{"version": 4, "resources": null}').resources == []
    assert shown(None).resources == []


def test_deposed_objects_and_data_sources_are_no_resources() -> None:
    state = raw(
        block("aws_instance", "web", instance({"id": "i-new"}), instance({"id": "i-old"}, deposed="00c0ffee")),
        block("aws_instance", "looked_up", instance({"id": "i-data"}), mode="data"),
    )
    assert [each.id for each in state.resources] == ["i-new"]
    assert found(state, "i-old") == found(state, "i-data") == []
    state = shown(
        {
            "resources": [
                shown_resource("aws_instance.web", "aws_instance", {"id": "i-new"}),
                shown_resource("aws_instance.web", "aws_instance", {"id": "i-old"}, deposed_key="00c0ffee"),
                shown_resource("data.aws_instance.web", "aws_instance", {"id": "i-data"}, mode="data"),
            ]
        }
    )
    assert [each.id for each in state.resources] == ["i-new"]


def test_a_tainted_resource_is_still_there() -> None:
    state = raw(block("aws_instance", "web", instance({"id": "i-1", "instance_type": "m5.large"}, status="tainted")))
    assert [each.sizes for each in state.find("i-1", "instance_type")] == [{"instance_type": "m5.large"}]


def test_a_resource_without_attributes_has_no_id_and_no_sizes() -> None:
    state = raw(block("aws_instance", "web", {"schema_version": 1}), block("aws_instance", "gone"))
    assert state.resources == [StateResource("aws_instance.web", "aws_instance", None)]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (100, "100"), (100.0, "100"), (1e2, "100"), (0.5, "0.5"), ("100", "100"), (2**40, "1099511627776")],
)
def test_numbers_are_kept_as_the_text_that_terraform_would_write(number: object, text: str) -> None:
    state = raw(block("aws_ebs_volume", "data", instance({"id": "vol-1", "size": number})))
    assert state.resources[0].sizes == {"size": text}


@pytest.mark.parametrize("value", [None, "", True, False, [], {}, ["m5.large"]])
def test_what_is_no_text_and_no_number_is_no_size(value: object) -> None:
    state = raw(block("aws_instance", "web", instance({"id": "i-1", "instance_type": value})))
    assert state.resources[0].sizes == {}


def test_of_a_kind_only_its_own_sizing_attributes_are_kept() -> None:
    attributes = {
        "id": "x",
        "instance_type": "m5.large",
        "size": 8,
        "min_size": 1,
        "iops": 3000,
        "type": "gp3",
        "throughput": 125,
    }
    state = raw(
        block("aws_instance", "a", instance(attributes)),
        block("aws_ebs_volume", "b", instance(attributes)),
        block("aws_s3_bucket", "c", instance(attributes)),
    )
    assert {each.type: each.sizes for each in state.resources} == {
        "aws_instance": {"instance_type": "m5.large"},
        "aws_ebs_volume": {"size": "8", "type": "gp3", "iops": "3000", "throughput": "125"},
        "aws_s3_bucket": {},
    }


def test_tags_that_are_texts_are_kept_of_the_kinds_that_are_edited() -> None:
    tags = {"Name": "web", "team": "größe"}
    state = raw(
        block("aws_instance", "a", instance({"id": "i-1", "tags": tags, "tags_all": {"x": "y"}})),
        block("aws_s3_bucket", "b", instance({"id": "b", "tags": tags})),
    )
    assert [each.tags for each in state.resources] == [{"Name": "web", "team": "größe"}, {}]


# What its resources are called.


def found(state: State, name: str, attribute: str = "instance_type") -> list[str]:
    return [each.address for each in state.find(name, attribute)]


def test_a_resource_is_called_by_its_id_its_arn_its_names_or_its_address() -> None:
    state = raw(block("aws_autoscaling_group", "web", instance({"id": "asg-1", "arn": "arn:1", "name": "front"})))
    for name in ("asg-1", "arn:1", "front", "aws_autoscaling_group.web"):
        assert found(state, name) == ["aws_autoscaling_group.web"]
    for name in ("", "asg", "web", "ASG-1", "aws_autoscaling_group"):
        assert found(state, name) == []


def test_a_kind_that_has_the_attribute_comes_before_others_that_are_edited_and_those_before_the_rest() -> None:
    state = raw(
        block("aws_iam_role", "web", instance({"id": "web"})),
        block("aws_ebs_volume", "web", instance({"id": "web"})),
        block("aws_db_instance", "web", instance({"id": "db-1", "identifier": "web"})),
    )
    assert found(state, "web", "size") == ["aws_ebs_volume.web"]
    assert found(state, "web", "instance_class") == found(state, "web", "instance_type") == ["aws_db_instance.web"]
    assert found(state, "web", "min_size") == ["aws_ebs_volume.web", "aws_db_instance.web"]
    assert found(raw(block("aws_iam_role", "web", instance({"id": "web"}))), "web") == ["aws_iam_role.web"]


def test_all_resources_of_one_name_are_found() -> None:
    state = raw(
        block("aws_instance", "one", instance({"id": "i-1"})),
        block("aws_instance", "two", instance({"id": "i-1"})),
        block("aws_autoscaling_group", "three", instance({"id": "x", "name": "i-1"})),
    )
    assert found(state, "i-1") == ["aws_instance.one", "aws_instance.two", "aws_autoscaling_group.three"]


def test_a_template_or_a_configuration_gives_way_to_a_group_of_the_same_name() -> None:
    template = block("aws_launch_template", "t", instance({"id": "lt-1", "name": "web"}))
    configuration = block("aws_launch_configuration", "c", instance({"id": "web", "name": "web"}))
    group = block("aws_autoscaling_group", "g", instance({"id": "web", "name": "web"}))
    assert found(raw(template, configuration, group), "web") == ["aws_autoscaling_group.g"]
    assert found(raw(template, configuration), "web") == ["aws_launch_template.t", "aws_launch_configuration.c"]


@pytest.mark.parametrize(
    ("type_", "attribute"),
    [
        ("aws_db_instance", "identifier"),
        ("aws_db_instance", "resource_id"),
        ("aws_rds_cluster_instance", "identifier"),
        ("aws_rds_cluster_instance", "dbi_resource_id"),
        ("aws_autoscaling_group", "name"),
        ("aws_launch_template", "name"),
        ("aws_launch_configuration", "name"),
        ("aws_spot_instance_request", "spot_instance_id"),
    ],
)
def test_an_inventory_may_call_a_resource_by_a_further_name(type_: str, attribute: str) -> None:
    state = raw(
        block(type_, "x", instance({"id": "1", attribute: "the-name"})), block("aws_instance", "y", instance({"id": "2"}))
    )
    assert found(state, "the-name") == [f"{type_}.x"]
    assert state.by_address[f"{type_}.x"].names == ("the-name",)


def test_the_name_tag_of_an_instance_is_no_name_of_it() -> None:
    state = raw(block("aws_instance", "web", instance({"id": "i-1", "name": "web", "tags": {"Name": "web"}})))
    assert found(state, "web") == []


# What is launched from what.


def launch_of(type_: str, **attributes: Any) -> Launch | None:
    return raw(block(type_, "x", instance({"id": "1", **attributes}))).resources[0].launch


def test_a_group_or_an_instance_is_launched_from_a_template() -> None:
    template = {"id": "lt-1", "name": "web", "version": "$Latest"}
    expected = Launch("lt-1", "web", "$Latest")
    assert launch_of("aws_autoscaling_group", launch_template=[template]) == expected
    assert launch_of("aws_instance", launch_template=[template]) == expected
    assert launch_of("aws_autoscaling_group", launch_template=[{**template, "version": 7}]) == Launch("lt-1", "web", "7")
    assert launch_of("aws_eks_node_group", launch_template=[template]) == expected
    assert launch_of("aws_ebs_volume") is None
    assert launch_of("aws_autoscaling_group", launch_template=[], mixed_instances_policy=[]) is None


def test_a_group_is_launched_from_a_configuration() -> None:
    assert launch_of("aws_autoscaling_group", launch_configuration="lc-1") == Launch(configuration="lc-1")
    assert launch_of("aws_autoscaling_group", launch_configuration="") is None


def test_a_mixed_group_is_launched_from_a_template_with_overrides() -> None:
    chosen = {"launch_template_id": "lt-1", "launch_template_name": "web", "version": "3"}
    overrides = [{"instance_type": "m5.large", "weighted_capacity": "2"}, {"instance_type": "m5a.large"}, {"instance_type": ""}]
    policy = {"launch_template": [{"launch_template_specification": [chosen], "override": overrides}]}
    assert launch_of("aws_autoscaling_group", mixed_instances_policy=[policy]) == Launch(
        "lt-1", "web", "3", override_types=("m5.large", "m5a.large")
    )
    policy = {"launch_template": [{"launch_template_specification": [chosen], "override": []}]}
    assert launch_of("aws_autoscaling_group", mixed_instances_policy=[policy]) == Launch("lt-1", "web", "3")


def test_a_group_may_choose_its_types_by_requirements() -> None:
    override = {"instance_type": "", "instance_requirements": [{"memory_mib": [{"min": 4096}]}]}
    policy = {"launch_template": [{"launch_template_specification": [{"launch_template_id": "lt-1"}], "override": [override]}]}
    launch = launch_of("aws_autoscaling_group", mixed_instances_policy=[policy])
    assert launch == Launch("lt-1", is_by_requirements=True)


# That no secret of it is kept.


def reachable(thing: object, seen: set[int]) -> Iterator[object]:
    """Everything that an object leads to."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield thing
    inside: list[object] = []
    if isinstance(thing, dict):
        inside += [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inside += list(thing)
    inside += [getattr(thing, name) for name in getattr(type(thing), "__slots__", ())]
    inside += list(getattr(thing, "__dict__", {}).values())
    for each in inside:
        yield from reachable(each, seen)


def texts_in(state: State) -> list[str]:
    return [each for each in reachable(state, set()) if isinstance(each, str)]


SECRET = "hunter2"
SECRETS: dict[str, Any] = {
    "password": SECRET,
    "user_data": SECRET,
    "master_password": SECRET,
    "connection": {"password": SECRET, "host": SECRET},
    "environment": [{"variables": {"TOKEN": SECRET, "deep": [SECRET, {"x": [SECRET]}]}}],
    "ingress": [{"description": SECRET}],
    SECRET: SECRET,
    "tags_all": {"Token": SECRET},
    "timeouts": {"create": SECRET},
    "metadata_options": {"name": SECRET, "id": SECRET, "tags": {"a": SECRET}, "instance_type": SECRET, "version": SECRET},
    "block": [{"name": SECRET, "arn": SECRET, "type": SECRET}],
}
TYPES = ["aws_instance", "aws_autoscaling_group", "aws_db_instance", "aws_launch_template", "aws_secretsmanager_secret_version"]


@pytest.mark.parametrize("type_", TYPES)
def test_nothing_secret_of_a_raw_state_can_be_reached(type_: str) -> None:
    sizes = {"id": "x-1", "instance_type": "m5.large", "tags": {"Name": "web"}, "launch_template": [{"id": "lt", **SECRETS}]}
    state = raw(
        block(type_, "x", instance({**SECRETS, **sizes}, private=SECRET, sensitive_attributes=[SECRET], dependencies=[SECRET])),
        outputs={"password": {"value": SECRET, "type": "string", "sensitive": True}},
        lineage=SECRET,
        check_results=[{"object_kind": SECRET, "name": SECRET}],
    )
    assert "x-1" in texts_in(state)
    assert [text for text in texts_in(state) if SECRET in text] == []


@pytest.mark.parametrize("type_", TYPES)
def test_nothing_secret_of_what_show_prints_can_be_reached(type_: str) -> None:
    values = {**SECRETS, "id": "x-1", "instance_type": "m5.large"}
    resource = shown_resource(f"{type_}.x", type_, values, sensitive_values={"password": SECRET}, depends_on=[SECRET])
    state = read_state(
        json.dumps(
            {
                "format_version": "1.0",
                "checks": [{"address": {"name": SECRET}}],
                "values": {
                    "outputs": {"password": {"value": SECRET, "sensitive": True}},
                    "root_module": {"resources": [resource], "child_modules": [{"resources": [], "note": SECRET}]},
                },
            }
        ).encode()
    )
    assert "x-1" in texts_in(state)
    assert [text for text in texts_in(state) if SECRET in text] == []


@pytest.mark.parametrize(
    "type_", ["random_password", "random_string", "tls_private_key", "vault_generic_secret", "null_resource"]
)
def test_the_id_of_another_provider_may_be_a_secret_and_is_not_kept(type_: str) -> None:
    state = raw(block(type_, "x", instance({"id": SECRET, "result": SECRET, "tags": {"a": SECRET}})))
    assert [text for text in texts_in(state) if SECRET in text] == []
    assert found(state, SECRET) == [f"{type_}.x"]
    assert found(state, "hunter3") == []


def test_an_attribute_of_a_kind_that_is_never_edited_leaves_id_arn_and_address_only() -> None:
    attributes = {"id": "db-password", "arn": "arn:1", "name": SECRET, "tags": {"t": SECRET}, "version": SECRET, "type": SECRET}
    state = raw(block("aws_ssm_parameter", "x", instance(attributes)))
    assert set(texts_in(state)) - {"aws_ssm_parameter.x"} == {"aws_ssm_parameter", "db-password", "arn:1"}


# What is no state.

RAW = "write it with 'terraform state pull' or 'terraform show -json'."
SHAPE = "The state s.json has another shape than a Terraform state; write it with 'terraform state pull'."


@pytest.mark.parametrize(
    "data", [b"", b"hunter2", b"{", b'{"version": 4, "resources": [hunter2]}', b"\xff\xfe\x00", b"[" * 100_000]
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    assert refusal(data) == f"The state s.json is no JSON; {RAW}"


@pytest.mark.parametrize("data", [b"[]", b'["hunter2"]', b'"hunter2"', b"4", b"null"])
def test_json_that_is_no_object_is_refused(data: bytes) -> None:
    assert refusal(data) == f"The state s.json is no Terraform state; {RAW}"


@pytest.mark.parametrize(
    ("version", "told"),
    [("3", "version 3"), ("5", "version 5"), ('"4"', "no version"), ("null", "no version"), ("4.5", "no version")],
)
def test_another_version_is_refused(version: str, told: str) -> None:
    data = f'{{"version": {version}, "modules": [{{"path": ["hunter2"]}}]}}'.encode()
    assert refusal(data) == (
        f"The state s.json has {told}, and version 4 is needed; write it with 'terraform state pull' of 0.12 or newer."
    )


def test_an_object_without_a_version_is_refused() -> None:
    assert refusal(b'{"hunter2": {"x": 1}}').startswith("The state s.json has no version, and version 4 is needed")


def test_an_encrypted_state_is_refused() -> None:
    document = {"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "hunter2", "encryption_version": "v0"}
    assert refusal(json.dumps(document).encode()) == "The state s.json is encrypted; write it in plain with 'tofu state pull'."


def test_a_plan_is_refused() -> None:
    plan = {"format_version": "1.2", "planned_values": {"root_module": {}}, "resource_changes": [], "prior_state": {}}
    assert refusal(json.dumps(plan).encode()) == (
        "The state s.json is a plan; write the state with 'terraform show -json', without a plan file."
    )


def test_a_state_larger_than_the_limit_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "MAX_STATE_BYTES", 3_000_000)
    assert refusal(b"x" * 4_000_000) == "The state s.json has 4 MB; at most 3 MB are read."


WRONG_SHAPES = [
    {"resources": 4},
    {"resources": "hunter2"},
    {"resources": ["hunter2"]},
    {"resources": [None]},
    {"resources": [{}]},
    {"resources": [{"mode": "managed"}]},
    {"resources": [{"mode": "managed", "type": "aws_instance"}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "instances": 7}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "instances": ["hunter2"]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "instances": [{"attributes": "hunter2"}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "", "instances": [{}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "module": "..", "instances": [{}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "module": 'module.a["', "instances": [{}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "module": "module", "instances": [{}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "module": 3, "instances": [{}]}]},
    {"resources": [{"mode": "managed", "type": ["hunter2"], "name": "x", "instances": [{}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "instances": [{"index_key": ["hunter2"]}]}]},
    {"resources": [{"mode": "managed", "type": "aws_instance", "name": "x", "instances": [{"index_key": 1.5}]}]},
]


@pytest.mark.parametrize("document", WRONG_SHAPES, ids=lambda document: json.dumps(document)[14:110])
def test_a_document_of_another_shape_is_refused_in_one_sentence(document: dict[str, Any]) -> None:
    assert refusal(json.dumps({"version": 4, **document}).encode()) == SHAPE


@pytest.mark.parametrize(
    "values",
    [
        {"root_module": {"resources": [{"mode": "managed"}]}},
        {"root_module": {"resources": ["hunter2"]}},
        {"root_module": "hunter2"},
        "hunter2",
        {"root_module": {"child_modules": [4]}},
        {"root_module": {"resources": [{"mode": "managed", "address": "hunter2[", "type": "aws_instance"}]}},
        {"root_module": {"resources": [{"mode": "managed", "address": "aws_instance", "type": "aws_instance"}]}},
    ],
    ids=lambda values: json.dumps(values)[:90],
)
def test_what_show_prints_in_another_shape_is_refused_in_one_sentence(values: object) -> None:
    assert refusal(json.dumps({"format_version": "1.0", "values": values}).encode()) == SHAPE


@pytest.mark.parametrize(
    "attributes",
    [
        {"launch_template": "hunter2"},
        {"launch_template": ["hunter2"]},
        {"launch_template": [{"id": ["hunter2"]}]},
        {"mixed_instances_policy": [{"launch_template": "hunter2"}]},
        {"mixed_instances_policy": [{"launch_template": [{"launch_template_specification": ["hunter2"], "override": "xy"}]}]},
        {"mixed_instances_policy": [{"launch_template": [{"override": ["hunter2"]}]}]},
        {"mixed_instances_policy": [{"launch_template": [{"override": 7}]}]},
        {"tags": "hunter2"},
        {"tags": ["hunter2"]},
        {"id": {"x": "hunter2"}},
    ],
    ids=str,
)
def test_attributes_of_another_shape_are_left_out_or_refused_in_one_sentence(attributes: dict[str, Any]) -> None:
    resource = block("aws_autoscaling_group", "x", instance({"id": "web", "name": "web", **attributes}))
    data = json.dumps({"version": 4, "resources": [resource]}).encode()
    try:
        state = read_state(data, "The state s.json")
    except InputError as error:
        assert str(error) == SHAPE
    else:
        assert addresses(state) == ["aws_autoscaling_group.x"]
        assert [text for text in texts_in(state) if "hunter2" in text] == []


# Real ones.

SAMPLED = {
    "driftctl_aws_ec2_instance": [("aws_instance.test", "i-0d3650a23f4e45dc0", {"instance_type": "t3.nano"})],
    "driftctl_aws_db_instance": [
        (
            "aws_db_instance.default",
            "terraform-20201015115018309600000001",
            {
                "instance_class": "db.t2.micro",
                "allocated_storage": "20",
                "max_allocated_storage": "0",
                "iops": "0",
                "storage_type": "gp2",
            },
        )
    ],
    "driftctl_aws_launch_configuration": [("aws_launch_configuration.as_conf", "web_config", {"instance_type": "t3.micro"})],
    "driftctl_aws_launch_template": [("aws_launch_template.foo", "lt-0ed993d09ce6afc67", {})],
    "driftctl_aws_rds_cluster": [],
    "inframap_aws_state_cyclic": [
        ("aws_instance.bastion0", "i-00eab1355727cfb44", {}),
        ("aws_instance.prometheus-prometheus-eu-we1-infra", "i-04c8b20a499d12182", {}),
    ],
    "inframap_aws_state_sg": [
        ("module.lemp.aws_db_instance.Cpbzf[0]", "sample-lemp-rds-prod", {}),
        ("module.lemp.aws_launch_template.vIkyE", "lt-08e7a3cd65dc2457c", {}),
    ],
    "inframap_aws_state_sgr": [
        ("module.magento.aws_db_instance.qktIK", "sample-magento-rds-prod", {}),
        ("module.magento.aws_instance.TObJL[0]", "i-08ffccfdf54168280", {}),
    ],
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of real states are not beside the repository")
@pytest.mark.parametrize("name", SAMPLED)
def test_of_real_states_the_kinds_that_are_edited_are_read(name: str) -> None:
    state = read_state((SAMPLES / f"{name}.tfstate").read_bytes())
    known = [(each.address, each.id, each.sizes) for each in state.resources if each.type in KINDS]
    assert known == SAMPLED[name]

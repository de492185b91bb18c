"""CloudFormation's front end: templates in both notations, what decides a property, and edits of its bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.errors import InputError
from dagster_project.iac.cloudformation import Stack
from dagster_project.iac.edit import Edit
from dagster_project.iac.files import Files
from dagster_project.iac.values import Span
from dagster_project.iac.verdicts import Location
from tests.unit.iac.builders import written

LISTED = {"Web": "i-1", "Api": "i-2", "Group": "asg-web", "Template": "lt-1", "Config": "lc-1", "Db": "db-1", "Disk": "vol-1"}


def rows(listed: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceStatus": "CREATE_COMPLETE"}
        for logical, physical in listed.items()
    ]


class Template:
    """A template ``stack.yaml`` (or .json) with parameter files, opened for the stack of ``LISTED``."""

    def __init__(self, folder: Path, text: str, listed: dict[str, str] | None = None, **parameters: str) -> None:
        self.folder = folder
        self.name = "stack.json" if text.lstrip().startswith("{") else "stack.yaml"
        files = {self.name: text, **{f"{name}.json": content for name, content in parameters.items()}}
        self.places: dict[str, Span] = written(folder, files)
        self._listed = json.dumps({"StackResources": rows(listed or LISTED)}).encode()
        self._parameters = tuple(f"{name}.json" for name in parameters)

    def stack(self) -> Stack:
        return Stack.open(Files.open(self.folder), self.name, self._listed, "The list", self._parameters)

    def locate(self, resource: str, attribute: str = "instance_type", live: str | None = "m5.large") -> Location:
        return self.stack().locate(resource, attribute, live)

    def verdict(self, resource: str, attribute: str = "instance_type", live: str = "m5.large") -> str:
        """The marker, with the reason where it is not plainly editable; the reason alone where nothing is found."""
        location = self.locate(resource, attribute, live)
        if location.span is None:
            return location.reason_code
        (marker,) = [name for name, place in self.places.items() if place == location.span]
        return marker if location.reason_code == "literal" else f"{marker} {location.reason_code}"

    def edit(
        self, resource: str, to: str, live: str = "m5.large", attribute: str = "instance_type", *, shared: bool = False
    ) -> Edit:
        return self.stack().edit(resource, attribute, live, to, allow_shared=shared)

    def data(self, name: str | None = None) -> bytes:
        return (self.folder / (name or self.name)).read_bytes()


def instance(name: str, size: str) -> str:
    return f"  {name}:\n    Type: AWS::EC2::Instance\n    Properties:\n      ImageId: ami-1\n      InstanceType: {size}\n"


HEAD = "# größer: m5.large\nAWSTemplateFormatVersion: '2010-09-09'\n"
PARAMETERS = "Parameters:\n  Size:\n    Type: String\n    Default: «p:m5.large»\n"
ALLOWED = PARAMETERS + "    AllowedValues: [m5.large, m5.xlarge]\n"
RESOURCES = "Resources:\n"


# Both notations.


@pytest.mark.parametrize("size", ["«a:m5.large»", "'«a:m5.large»'", '"«a:m5.large»" # m5.large'])
def test_a_property_in_yaml_stands_where_its_bytes_stand(tmp_path: Path, size: str) -> None:
    template = Template(tmp_path, f"{HEAD}{RESOURCES}{instance('Web', size)}{instance('Api', 'm5.large')}")
    location = template.locate("i-1")
    assert (location.status, location.reason_code, location.address) == ("editable", "literal", "Web")
    assert location.span == template.places["a"]
    assert (location.file, location.line, location.current) == ("stack.yaml", 8, "m5.large")
    assert location.affects == ("Web",)
    assert location.notes == ()


def test_a_property_in_json_stands_where_its_bytes_stand(tmp_path: Path) -> None:
    web = '{"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "«a:m5.large»"}}'
    text = f'{{"Description": "größe", "Resources": {{"Web": {web}}}}}'
    assert Template(tmp_path, text).verdict("i-1") == "a"


@pytest.mark.parametrize(
    ("type_", "properties", "attribute", "live"),
    [
        ("AWS::EC2::Instance", "InstanceType: «a:m5.large»", "instance_type", "m5.large"),
        ("AWS::EC2::LaunchTemplate", "LaunchTemplateData: {InstanceType: «a:m5.large»}", "instance_type", "m5.large"),
        ("AWS::AutoScaling::LaunchConfiguration", "InstanceType: «a:m5.large»", "instance_type", "m5.large"),
        ("AWS::AutoScaling::AutoScalingGroup", "MinSize: «a:2»", "min_size", "2"),
        ("AWS::AutoScaling::AutoScalingGroup", 'MaxSize: "«a:10»"', "max_size", "10"),
        ("AWS::AutoScaling::AutoScalingGroup", "DesiredCapacity: «a:4»", "desired_capacity", "4"),
        ("AWS::RDS::DBInstance", "DBInstanceClass: «a:db.m5.large»", "instance_class", "db.m5.large"),
        ("AWS::RDS::DBInstance", "DBInstanceClass: «a:db.m5.large»", "instance_type", "db.m5.large"),
        ("AWS::RDS::DBInstance", "AllocatedStorage: '«a:100»'", "allocated_storage", "100"),
        ("AWS::RDS::DBInstance", "StorageType: «a:gp3»", "storage_type", "gp3"),
        ("AWS::RDS::DBInstance", "Iops: «a:3000»", "iops", "3000"),
        ("AWS::EC2::Volume", "Size: «a:100»", "size", "100"),
        ("AWS::EC2::Volume", "VolumeType: «a:gp3»", "type", "gp3"),
        ("AWS::EC2::Volume", "Throughput: «a:125»", "throughput", "125"),
    ],
)
def test_each_kind_has_its_sizing_properties(tmp_path: Path, type_: str, properties: str, attribute: str, live: str) -> None:
    template = Template(tmp_path, f"{RESOURCES}  Web:\n    Type: {type_}\n    Properties: {{{properties}}}\n")
    assert template.verdict("i-1", attribute, live) == "a"


# What decides a property.


def test_a_parameters_default_is_the_literal_and_a_note_says_what_an_update_does(tmp_path: Path) -> None:
    template = Template(tmp_path, HEAD + PARAMETERS + RESOURCES + instance("Web", "!Ref Size"))
    location = template.locate("i-1")
    assert (location.status, location.span) == ("editable", template.places["p"])
    assert location.notes == ("A stack that is updated keeps its parameters' values; give the new one when it is deployed.",)


def test_a_parameter_that_feeds_several_resources_is_shared(tmp_path: Path) -> None:
    both = instance("Web", "!Ref Size") + instance("Api", "{Ref: Size}")
    template = Template(tmp_path, HEAD + PARAMETERS + RESOURCES + both)
    location = template.locate("i-1")
    assert (location.status, location.reason_code) == ("shared", "shared_literal")
    assert (location.span, location.affects) == (template.places["p"], ("Api", "Web"))
    assert location.sentence == "This literal sets the value of Api too."


@pytest.mark.parametrize(
    "content",
    [
        '[{"ParameterKey": "Other", "ParameterValue": "x"}, {"ParameterKey": "Size", "ParameterValue": "«f:m5.large»"}]',
        '{"Parameters": {"Size": "«f:m5.large»"}}',
        '{"Size": "«f:m5.large»"}',
    ],
)
def test_a_parameter_file_goes_over_the_default(tmp_path: Path, content: str) -> None:
    template = Template(tmp_path, HEAD + PARAMETERS + RESOURCES + instance("Web", "!Ref Size"), prod=content)
    location = template.locate("i-1")
    assert (location.status, location.file, location.span) == ("editable", "prod.json", template.places["f"])
    assert location.notes == ()


def test_of_several_parameter_files_the_last_one_wins(tmp_path: Path) -> None:
    template = Template(
        tmp_path,
        PARAMETERS + RESOURCES + instance("Web", "!Ref Size"),
        one='{"Size": "m5.large"}',
        two='{"Size": "«f:m5.large»"}',
    )
    assert template.verdict("i-1") == "f"


def test_a_parameter_without_a_value_is_not_known(tmp_path: Path) -> None:
    text = "Parameters:\n  Size: {Type: String}\nResources:\n" + instance("Web", "!Ref Size")
    location = Template(tmp_path, text).locate("i-1")
    assert (location.status, location.reason_code) == ("refused", "unknown_value")
    assert location.sentence == "The value is not known from the code: it depends on Ref Size."


MAPPINGS = "Mappings:\n  Sizes:\n    prod: {web: «a:m5.large», api: m5.large}\n    dev: {web: t3.small}\n"


@pytest.mark.parametrize(
    "size",
    [
        "!FindInMap [Sizes, prod, web]",
        "{'Fn::FindInMap': [Sizes, prod, web]}",
        "!FindInMap [Sizes, !Ref Env, web]",
        "\n        Fn::FindInMap:\n        - Sizes\n        - Ref: Env\n        - web",
    ],
)
def test_a_map_is_looked_into(tmp_path: Path, size: str) -> None:
    env = "Parameters:\n  Env: {Type: String, Default: prod}\n"
    assert Template(tmp_path, env + MAPPINGS + RESOURCES + instance("Web", size)).verdict("i-1") == "a"


def test_a_map_with_an_unknown_key_is_chosen_from_by_the_live_value(tmp_path: Path) -> None:
    mappings = "Mappings:\n  Sizes:\n    eu: {web: «a:m5.large»}\n    us: {web: «b:c5.large»}\n    ap: {web: c5.large}\n"
    size = "!FindInMap [Sizes, !Ref AWS::Region, web]"
    template = Template(tmp_path, mappings + RESOURCES + instance("Web", size))
    assert template.verdict("i-1") == "a chosen_by_live_value"
    assert template.verdict("i-1", live="c5.large") == "several_candidates"
    assert template.verdict("i-1", live="x1.large") == "drift"


@pytest.mark.parametrize("key", ["012345678901", "1.0", "2012-10-17", "0x1F", "1_000"])
def test_keys_that_decoders_read_differently_do_not_hide_the_others(tmp_path: Path, key: str) -> None:
    mappings = f"Mappings:\n  Accounts:\n    {key}: {{web: m5.large}}\n    123456789012: {{web: «a:m5.large»}}\n"
    size = "!FindInMap [Accounts, '123456789012', web]"
    assert Template(tmp_path, mappings + RESOURCES + instance("Web", "«w:m5.large»")).verdict("i-1") == "w"
    found = Template(tmp_path, mappings + RESOURCES + instance("Web", size)).verdict("i-1")
    assert found in ("a", "unknown_value")


IF = "!If [IsProd, «a:m5.large», «b:t3.small»]"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!Equals [!Ref Env, prod]", "a"),
        ("!Equals [!Ref Env, dev]", "drift"),
        ("!Not [!Equals [!Ref Env, dev]]", "a"),
        ("!And [!Equals [!Ref Env, prod], !Equals [a, a]]", "a"),
        ("!Or [!Equals [!Ref Env, dev], !Equals [a, b]]", "drift"),
        ("!Or [!Condition Other, !Equals [a, b]]", "a"),
        ("{'Fn::Equals': [{Ref: Env}, prod]}", "a"),
        ("!Equals [!Ref AWS::Region, eu-west-1]", "a chosen_by_live_value"),
        ("!Not [!Condition Absent]", "a chosen_by_live_value"),
    ],
)
def test_a_condition_that_is_known_decides_and_one_that_is_not_leaves_both(tmp_path: Path, condition: str, expected: str) -> None:
    head = "Parameters:\n  Env: {Type: String, Default: prod}\n"
    conditions = f"Conditions:\n  Other: !Equals [!Ref Env, prod]\n  IsProd: {condition}\n"
    assert Template(tmp_path, head + conditions + RESOURCES + instance("Web", IF)).verdict("i-1") == expected


def test_an_unknown_condition_with_two_equal_branches_is_ambiguous(tmp_path: Path) -> None:
    conditions = "Conditions:\n  IsEu: !Equals [!Ref AWS::Region, eu-west-1]\n"
    size = "!If [IsEu, «a:m5.large», «b:m5.large»]"
    location = Template(tmp_path, conditions + RESOURCES + instance("Web", size)).locate("i-1")
    assert (location.status, location.reason_code) == ("ambiguous", "several_candidates")
    assert location.sentence == (
        "Several literals hold the live value; which is used is not known: stack.yaml line 8; stack.yaml line 8."
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("!Sub '${Size}'", "p"),
        ("!Sub '«a:m5».${Rest}'", "unknown_value"),
        ("!Join ['.', [m5, large]]", "unknown_value"),
        ("!ImportValue net-size", "unknown_value"),
        ("!GetAtt Other.Size", "unknown_value"),
        ("'{{resolve:ssm:/size}}'", "drift"),
        ("!Select [0, [«a:m5.large»]]", "unknown_value"),
    ],
)
def test_a_function_that_makes_a_new_text_has_no_literal(tmp_path: Path, size: str, expected: str) -> None:
    assert Template(tmp_path, PARAMETERS + RESOURCES + instance("Web", size)).verdict("i-1") == expected


def test_an_anchor_is_shared_by_its_aliases(tmp_path: Path) -> None:
    template = Template(tmp_path, RESOURCES + instance("Web", "&size «a:m5.large»") + instance("Api", "*size"))
    assert template.verdict("i-2") == "a shared_literal"


# What groups and instances are launched from.

LAUNCH_TEMPLATE = (
    "  Template:\n    Type: AWS::EC2::LaunchTemplate\n    Properties:\n"
    "      LaunchTemplateData:\n        InstanceType: «a:m5.large»\n"
)
LAUNCH_CONFIGURATION = (
    "  Config:\n    Type: AWS::AutoScaling::LaunchConfiguration\n    Properties: {InstanceType: «c:m5.large»}\n"
)


def group(name: str, launch: str) -> str:
    return f"  {name}:\n    Type: AWS::AutoScaling::AutoScalingGroup\n    Properties:\n      MinSize: 1\n      {launch}\n"


USES_TEMPLATE = "LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: !GetAtt Template.LatestVersionNumber}"


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        (USES_TEMPLATE, "a"),
        ("LaunchTemplate: {LaunchTemplateName: !Ref Template, Version: $Latest}", "a"),
        ("LaunchTemplate: {LaunchTemplateId: !Sub '${Template}'}", "a"),
        ("LaunchTemplate: {LaunchTemplateName: !Ref Template, Version: '1'}", "pinned_launch_template"),
        ("LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: $Default}", "pinned_launch_template"),
        (
            "LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: !GetAtt Template.DefaultVersionNumber}",
            "pinned_launch_template",
        ),
        ("MixedInstancesPolicy: {LaunchTemplate: {LaunchTemplateSpecification: {LaunchTemplateId: !Ref Template}}}", "a"),
        ("LaunchConfigurationName: !Ref Config", "c"),
        ("LaunchConfigurationName: !Ref Absent", "launch_template_elsewhere"),
        ("LaunchTemplate: {LaunchTemplateId: lt-0123}", "launch_template_elsewhere"),
        ("LaunchTemplate: {LaunchTemplateId: !ImportValue x}", "launch_template_elsewhere"),
        (
            "MixedInstancesPolicy: {LaunchTemplate: {LaunchTemplateSpecification: {LaunchTemplateId: !Ref Template}, "
            "Overrides: [{InstanceType: m5.large}, {InstanceType: m5a.large}]}}",
            "several_instance_types",
        ),
    ],
)
def test_the_type_of_a_group_is_that_of_what_it_launches(tmp_path: Path, launch: str, expected: str) -> None:
    template = Template(tmp_path, RESOURCES + LAUNCH_TEMPLATE + LAUNCH_CONFIGURATION + group("Group", launch))
    assert template.verdict("asg-web") == expected


def test_a_version_that_a_parameter_pins_is_pinned(tmp_path: Path) -> None:
    launch = "LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: !Ref Number}"
    head = "Parameters:\n  Number: {Type: String, Default: '1'}\n"
    template = Template(tmp_path, head + RESOURCES + LAUNCH_TEMPLATE + group("Group", launch))
    assert template.verdict("asg-web") == "pinned_launch_template"


def test_the_group_of_a_template_is_named_and_is_no_reason_to_refuse(tmp_path: Path) -> None:
    template = Template(tmp_path, RESOURCES + LAUNCH_TEMPLATE + group("Group", USES_TEMPLATE))
    location = template.locate("asg-web")
    assert (location.status, location.address, location.launched_by) == ("editable", "Template", ("Group",))
    assert location.affects == ("Template",)


def test_a_template_of_several_groups_is_shared(tmp_path: Path) -> None:
    template = Template(tmp_path, RESOURCES + LAUNCH_TEMPLATE + group("Group", USES_TEMPLATE) + group("Api", USES_TEMPLATE))
    location = template.locate("asg-web")
    assert (location.status, location.reason_code) == ("shared", "shared_launch_template")
    assert location.launched_by == ("Api", "Group")
    assert location.sentence == "Others are launched from the same template: Api."


def test_an_instance_with_its_own_type_does_not_take_its_templates(tmp_path: Path) -> None:
    own = f"  Web:\n    Type: AWS::EC2::Instance\n    Properties:\n      InstanceType: «w:m5.large»\n      {USES_TEMPLATE}\n"
    assert Template(tmp_path, RESOURCES + LAUNCH_TEMPLATE + own).verdict("i-1") == "w"


# From a live resource to a logical id.


@pytest.mark.parametrize("name", ["i-1", "Web"])
def test_a_resource_is_named_by_either_id(tmp_path: Path, name: str) -> None:
    assert Template(tmp_path, RESOURCES + instance("Web", "«a:m5.large»")).verdict(name) == "a"


@pytest.mark.parametrize(
    "listed",
    [
        rows({"Web": "i-1"}),
        {"StackResources": rows({"Web": "i-1"})},
        {"StackResourceSummaries": rows({"Web": "i-1"})},
        [{"LogicalResourceId": "Web", "PhysicalResourceId": "i-1"}, {"LogicalResourceId": "Pending"}],
    ],
)
def test_a_resource_list_may_be_any_that_the_aws_command_prints(tmp_path: Path, listed: object) -> None:
    written(tmp_path, {"stack.yaml": RESOURCES + instance("Web", "m5.large")})
    stack = Stack.open(Files.open(tmp_path), "stack.yaml", json.dumps(listed).encode(), "The list", ())
    assert stack.locate("i-1", "instance_type", "m5.large").status == "editable"


def test_verdicts_of_resources_that_are_not_there(tmp_path: Path) -> None:
    text = RESOURCES + instance("Web", "m5.large") + "  Disk: {Type: AWS::S3::Bucket}\n  Odd: {}\n"
    template = Template(tmp_path, text, {**LISTED, "Gone": "i-9", "Twin": "i-8", "Other": "i-8", "Odd": "odd"})
    found = {name: template.verdict(name) for name in ("i-7", "i-9", "i-8", "vol-1", "odd")}
    assert found == {
        "i-7": "not_in_state",
        "i-9": "address_not_in_code",
        "i-8": "duplicate_id",
        "vol-1": "unsupported_kind",
        "odd": "unsupported_kind",
    }


def test_a_property_that_is_not_set_or_has_another_value_is_told(tmp_path: Path) -> None:
    text = RESOURCES + "  Web:\n    Type: AWS::RDS::DBInstance\n    Properties: {DBInstanceClass: db.t3.small}\n"
    template = Template(tmp_path, text)
    assert template.locate("i-1", "iops", "3000").sentence == "The code does not set Iops of Web."
    location = template.locate("i-1", "instance_class", "db.m5.large")
    assert (location.status, location.reason_code) == ("not_found", "drift")
    assert location.sentence == "The code says db.t3.small, and db.m5.large is live; apply or revert first."


@pytest.mark.parametrize("start", ["# Generated by cdk. DO NOT EDIT.\n", "# @generated\n"])
def test_a_generated_template_is_refused(tmp_path: Path, start: str) -> None:
    assert Template(tmp_path, start + RESOURCES + instance("Web", "m5.large")).verdict("i-1") == "generated"


# Edits.


def test_an_edit_changes_the_bytes_of_the_literal_and_no_other(tmp_path: Path) -> None:
    text = (HEAD + RESOURCES + instance("Web", "«a:m5.large»   # m5.large, größer") + instance("Api", "m5.large")).replace(
        "\n", "\r\n"
    )
    template = Template(tmp_path, text)
    before, place = template.data(), template.places["a"]
    (template.folder / "stack.yaml").chmod(0o640)
    assert template.edit("i-1", "m5.medium").is_edited
    assert template.data() == before[: place.start] + b"m5.medium" + before[place.end :]
    assert (template.folder / "stack.yaml").stat().st_mode & 0o777 == 0o640


def test_an_edit_of_a_parameter_file_changes_that_file_only(tmp_path: Path) -> None:
    template = Template(
        tmp_path, PARAMETERS + RESOURCES + instance("Web", "!Ref Size"), prod='{"Parameters": {"Size": "«f:m5.large»"}}\n'
    )
    before = template.data()
    assert template.edit("i-1", "m5.medium").is_edited
    assert template.data() == before
    assert template.data("prod.json") == b'{"Parameters": {"Size": "m5.medium"}}\n'


@pytest.mark.parametrize("parameters", [{}, {"prod": '{"Size": "m5.large"}'}], ids=["default", "parameter file"])
def test_a_parameter_becomes_only_what_it_may_be(tmp_path: Path, parameters: dict[str, str]) -> None:
    template = Template(tmp_path, ALLOWED + RESOURCES + instance("Web", "!Ref Size"), **parameters)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    outcome = template.edit("i-1", "m5.medium")
    assert (outcome.is_edited, outcome.location.status, outcome.location.reason_code) == (False, "refused", "fails_validation")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert template.edit("i-1", "m5.xlarge").is_edited


def test_a_shared_parameter_is_edited_only_where_that_is_allowed(tmp_path: Path) -> None:
    both = instance("Web", "!Ref Size") + instance("Api", "!Ref Size")
    template = Template(tmp_path, PARAMETERS + RESOURCES + both)
    before = template.data()
    refused = template.edit("i-1", "m5.medium")
    assert (refused.is_edited, refused.location.reason_code, template.data()) == (False, "shared_literal", before)
    assert template.edit("i-1", "m5.medium", shared=True).is_edited
    assert template.data() == before.replace(b"Default: m5.large", b"Default: m5.medium")


def test_an_edit_that_would_decide_a_condition_too_is_refused(tmp_path: Path) -> None:
    text = (
        "Parameters:\n  Size: {Type: String, Default: «a:m5.large»}\n"
        "Conditions:\n  IsLarge: !Equals [!Ref Size, m5.large]\n"
        "Resources:\n" + instance("Web", "!Ref Size") + instance("Api", "!If [IsLarge, c5.large, t3.small]")
    )
    template = Template(tmp_path, text)
    before = template.data()
    outcome = template.edit("i-1", "m5.medium")
    assert (outcome.is_edited, outcome.location.status, outcome.location.reason_code) == (False, "refused", "changes_more")
    assert outcome.location.sentence == "The edit would change more than was announced: Api."
    assert template.data() == before


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("m5", "instance_type cannot be 'm5'; --to takes a value as AWS writes it."),
        ("m5.large # x", "instance_type cannot be 'm5.large # x'; --to takes a value as AWS writes it."),
        ("m5.large\n", "instance_type cannot be 'm5.large\\n'; --to takes a value as AWS writes it."),
        ("m5.large", "instance_type of i-1 is m5.large already; choose another value with --to."),
    ],
)
def test_a_value_that_the_property_cannot_have_is_refused(tmp_path: Path, to: str, told: str) -> None:
    template = Template(tmp_path, RESOURCES + instance("Web", "m5.large"))
    with pytest.raises(InputError) as caught:
        template.edit("i-1", to)
    assert str(caught.value) == told


def test_an_edit_by_an_alias_of_the_attribute_checks_the_value_of_that_kind(tmp_path: Path) -> None:
    template = Template(
        tmp_path, RESOURCES + "  Db:\n    Type: AWS::RDS::DBInstance\n    Properties: {DBInstanceClass: «a:db.m5.large»}\n"
    )
    with pytest.raises(InputError, match=r"cannot be 'm5\.medium'"):
        template.edit("db-1", "m5.medium", "db.m5.large")
    assert template.edit("db-1", "db.m5.medium", "db.m5.large").is_edited


# Bad input.


def refusal(folder: Path, listed: bytes = b"", parameters: tuple[str, ...] = ()) -> str:
    with pytest.raises(InputError) as caught:
        Stack.open(Files.open(folder), "stack.yaml", listed or json.dumps(rows(LISTED)).encode(), "The list l.json", parameters)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "The template stack.yaml cannot be read: it is not valid YAML ("),
        ('{"Resources": ', "The template stack.yaml cannot be read: it is not valid JSON."),
        ("a: 1\n", "The template stack.yaml has no Resources; name a CloudFormation template with --root."),
        ("- 1\n", "The template stack.yaml has no Resources; name a CloudFormation template with --root."),
        ("", "The template stack.yaml cannot be read: it is empty."),
        ("Resources: 7\n", "The template stack.yaml has no Resources; name a CloudFormation template with --root."),
        ("$ANSIBLE_VAULT;1.1;AES256\n", "The template stack.yaml is encrypted; decrypt it first."),
        ("a: 1\n---\nb: 2\n", "The template stack.yaml cannot be read: it holds several YAML documents."),
        ("- " * 5_000, "The template stack.yaml cannot be read: "),
    ],
)
def test_a_template_that_is_none_is_refused_in_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    written(tmp_path, {"stack.yaml": text})
    assert refusal(tmp_path).startswith(told)


def test_a_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "There is no template stack.yaml; name one of the repository with --root."


@pytest.mark.parametrize(
    "listed", [b"{", b"[]", b"{}", b"7", b'"x"', b'[{"PhysicalResourceId": "i-1"}]', b'["hunter2"]', b"\xff"]
)
def test_a_resource_list_that_is_none_is_refused_in_one_sentence(tmp_path: Path, listed: bytes) -> None:
    written(tmp_path, {"stack.yaml": RESOURCES + instance("Web", "m5.large")})
    assert refusal(tmp_path, listed) == (
        "The list l.json lists no stack resources; write it with 'aws cloudformation describe-stack-resources'."
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "The parameter file p.json cannot be read: it is not valid JSON."),
        ("[]", "The parameter file p.json has no parameters; write it as CloudFormation's JSON."),
        ('["x"]', "The parameter file p.json has no parameters; write it as CloudFormation's JSON."),
        ("7", "The parameter file p.json has no parameters; write it as CloudFormation's JSON."),
    ],
)
def test_a_parameter_file_that_is_none_is_refused_in_one_sentence(tmp_path: Path, content: str, told: str) -> None:
    written(tmp_path, {"stack.yaml": RESOURCES + instance("Web", "m5.large"), "p.json": content})
    assert refusal(tmp_path, parameters=("p.json",)) == told


def test_without_a_live_value_there_is_nothing_to_find(tmp_path: Path) -> None:
    template = Template(tmp_path, RESOURCES + instance("Web", "m5.large"))
    with pytest.raises(InputError) as caught:
        template.locate("i-1", live=None)
    assert str(caught.value) == "A stack's resource list has no sizes; give the live value with --live."


def test_an_attribute_that_the_kind_does_not_have_is_refused(tmp_path: Path) -> None:
    template = Template(tmp_path, RESOURCES + instance("Web", "m5.large"))
    with pytest.raises(InputError) as caught:
        template.locate("i-1", "min_size")
    assert str(caught.value) == "AWS::EC2::Instance has no sizing attribute min_size; choose one of instance_type."


@pytest.mark.parametrize(
    "size",
    [
        "!FindInMap [Absent, a, b]",
        "!FindInMap [a]",
        "!FindInMap x",
        "!If [a]",
        "!If x",
        "!Ref [a]",
        "!Ref {a: 1}",
        "!Sub [a, {b: 1}]",
        "!Sub {a: 1}",
        "{Ref: Size, Other: 1}",
        "[m5.large]",
        "{a: 1}",
    ],
)
def test_a_function_of_another_shape_is_not_known_and_no_crash(tmp_path: Path, size: str) -> None:
    assert Template(tmp_path, RESOURCES + instance("Web", size)).verdict("i-1") in ("unknown_value", "attribute_not_in_code")


REFERRING = "{Web: {Type: AWS::EC2::Instance, Properties: {InstanceType: !Ref Size}}}"
CONDITIONAL = "{Web: {Type: AWS::EC2::Instance, Properties: {InstanceType: !If [C, a, b]}}}"


@pytest.mark.parametrize(
    "text",
    [
        "Resources: {Web: 7}",
        "Resources: {Web: [AWS::EC2::Instance]}",
        "Resources: {Web: {Type: [x]}}",
        "Resources: {Web: {Type: AWS::EC2::Instance, Properties: 7}}",
        "Resources: {Web: {Type: AWS::EC2::Instance, Properties: [7]}}",
        "Resources: {Web: {Type: AWS::EC2::Instance}}",
        "Resources: {Web: {Type: AWS::EC2::Instance, Properties: !Ref x}}",
        f"Parameters: 7\nResources: {REFERRING}",
        f"Parameters: {{Size: 7}}\nResources: {REFERRING}",
        f"Conditions: 7\nResources: {CONDITIONAL}",
        f"Conditions: {{C: 7}}\nResources: {CONDITIONAL}",
        f"Conditions: {{C: !Not []}}\nResources: {CONDITIONAL}",
        f"Conditions: {{C: !And x}}\nResources: {CONDITIONAL}",
        f"Conditions: {{C: !Condition C}}\nResources: {CONDITIONAL}",
        f"Conditions: {{C: !Not [!Condition D], D: !Not [!Condition C]}}\nResources: {CONDITIONAL}",
    ],
)
def test_a_template_of_another_shape_has_a_verdict_and_no_crash(tmp_path: Path, text: str) -> None:
    written(tmp_path, {"stack.yaml": text})
    stack = Stack.open(Files.open(tmp_path), "stack.yaml", json.dumps(rows(LISTED)).encode(), "The list", ())
    location = stack.locate("i-1", "instance_type", "m5.large")
    assert location.status in ("not_found", "refused")
    assert location.span is None


def test_a_literal_that_decides_whether_a_resource_is_there_is_refused(tmp_path: Path) -> None:
    conditions = "Conditions:\n  IsLarge: !Equals [!Ref Size, m5.large]\n"
    extra = "  Disk:\n    Type: AWS::EC2::Volume\n    Condition: IsLarge\n    Properties:\n      Size: 8\n"
    text = HEAD + PARAMETERS.replace("«p:m5.large»", "m5.large") + conditions + RESOURCES + instance("Web", "!Ref Size") + extra
    template = Template(tmp_path, text)
    assert template.verdict("i-1") == "changes_addresses"
    assert not template.edit("i-1", "m5.medium", shared=True).is_edited
    assert template.data() == text.encode()

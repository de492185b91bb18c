"""Auto Scaling groups and launch templates that a test puts into AWS, and sees there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.aws.inside import IMAGE, Inside
from tests.aws.overlay import LONG_AGO
from tests.aws.wire import Json


class Groups(Inside):
    """EC2 Auto Scaling, and the templates that it launches from."""

    def template(self, instance_type: str | None = "m5.large", name: str = "web") -> str:
        """A launch template with one version; its id."""
        data = {"ImageId": IMAGE, "KeyName": "ops", **({"InstanceType": instance_type} if instance_type else {})}
        made = self._call("ec2", "CreateLaunchTemplate", LaunchTemplateName=name, LaunchTemplateData=data)
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def template_version(self, template_id: str, instance_type: str, description: str = "by hand") -> str:
        """Another version; its number."""
        data = {"ImageId": IMAGE, "InstanceType": instance_type}
        made = self._call(
            "ec2",
            "CreateLaunchTemplateVersion",
            LaunchTemplateId=template_id,
            VersionDescription=description,
            LaunchTemplateData=data,
        )
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def make_default(self, template_id: str, version: str) -> None:
        self._call("ec2", "ModifyLaunchTemplate", LaunchTemplateId=template_id, DefaultVersion=version)

    def delete_template(self, template_id: str) -> None:
        self._call("ec2", "DeleteLaunchTemplate", LaunchTemplateId=template_id)

    def forget_tokens(self) -> None:
        """AWS remembers client tokens for a while only."""
        with self._hub.lock:
            self._place.templates.by_token.clear()

    def versions(self, template_id: str) -> list[Json]:
        """The versions of a template, the oldest first."""
        with self._hub.lock:
            return self._place.templates.newest_first(template_id)[::-1]

    def group(
        self,
        name: str = "web",
        instance_type: str = "m5.large",
        size: int = 2,
        *,
        min_size: int = 1,
        max_size: int = 4,
        version: str | None = "1",
        kind: str = "template",
        tags: Mapping[str, str] | None = None,
        overrides: Sequence[str] = (),
        distribution: Json | None = None,
        created_at: datetime = LONG_AGO,
        **details: Any,
    ) -> str:
        """A group whose members are in service, launched from a template of its own; its name.

        ``kind`` is what it launches from: a ``template``, a ``mixed`` policy or a launch ``configuration``. ``tags`` are its
        members', too. ``overrides`` are the instance types of a mixed policy, ``distribution`` its purchase options.
        ``details`` are members of its description, as AWS names them.
        """
        if kind == "configuration":
            configuration = {"LaunchConfigurationName": name, "ImageId": IMAGE, "InstanceType": instance_type}
            self._call("autoscaling", "CreateLaunchConfiguration", **configuration)
            source: Json = {"LaunchConfigurationName": name}
        else:
            template = {"LaunchTemplateId": self.template(instance_type, name), **({"Version": version} if version else {})}
            source = {"LaunchTemplate": template}
            if kind == "mixed":
                launched: Json = {"LaunchTemplateSpecification": template}
                if overrides:
                    launched["Overrides"] = [{"InstanceType": each} for each in overrides]
                shares = {"InstancesDistribution": distribution} if distribution else {}
                source = {"MixedInstancesPolicy": {"LaunchTemplate": launched, **shares}}
        listed = [{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in (tags or {}).items()]
        sizes = {"MinSize": min_size, "MaxSize": max_size, "DesiredCapacity": size}
        asked = {"AutoScalingGroupName": name, "AvailabilityZones": [self.zone], "Tags": listed, **sizes, **source}
        self._call("autoscaling", "CreateAutoScalingGroup", **asked)
        with self._hub.lock:
            place = self._place
            place.groups.note(name, {"CreatedTime": created_at, **details})
            place.groups.note_launched(name, is_slow=False)
            for each in place.groups.seen(name)["Instances"]:
                place.machines.note(each["InstanceId"], {}, created_at)
        return name

    def describe_group(self, name: str, **details: Any) -> None:
        """Members of a group's description that are so from now on, as AWS names them."""
        with self._hub.lock:
            self._place.groups.note(name, details)

    def template_of(self, group: str) -> str:
        """The id of a group's template."""
        return str(self.seen_group(group)["LaunchTemplate"]["LaunchTemplateId"])

    def seen_group(self, group: str) -> Json:
        """A group as AWS describes it."""
        with self._hub.lock:
            return self._place.groups.seen(group)

    def members(self, group: str) -> dict[str, str]:
        """The members of a group: their ids and types."""
        return {each["InstanceId"]: each["InstanceType"] for each in self.seen_group(group)["Instances"]}

    def start_refresh(self, group: str) -> None:
        """A refresh that somebody else asks for."""
        with self._hub.lock:
            self._place.refreshes.start(group, {})

    def go_on(self, group: str) -> str:
        """A group's newest refresh makes a step; its status then."""
        with self._hub.lock:
            newest = self._place.refreshes.of[group][0]
            self._place.refreshes.go_on(newest)
            return newest.status

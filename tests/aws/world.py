"""What a test puts into AWS and sees there without asking over the wire: it is not in the log, and no time passes."""

from __future__ import annotations

from typing import Any

from tests.aws.hub import Hub
from tests.aws.place import Place, State
from tests.aws.wire import Json

IMAGE = "ami-0123456789abcdef0"


class World:
    """A region of an account, from within."""

    def __init__(self, hub: Hub, account: str, region: str) -> None:
        self._hub, self.account, self.region = hub, account, region

    @property
    def zone(self) -> str:
        """The availability zone that things are in."""
        return f"{self.region}a"

    def of(self, kind: type[State]) -> State:
        """What a module keeps of this region of this account."""
        return self._place.of(kind)

    @property
    def _place(self) -> Place:
        return self._hub.place(self.account, self.region)

    def _call(self, service: str, operation: str, **parameters: Any) -> Json:
        with self._hub.lock:
            return self._place.backend.call(service, operation, **parameters)

    # Instances.

    def instance(self, instance_type: str = "m5.large", state: str = "running", *, is_spot: bool = False) -> str:
        """An instance whose status checks have passed; its id."""
        market = {"InstanceMarketOptions": {"MarketType": "spot"}} if is_spot else {}
        made = self._call("ec2", "RunInstances", ImageId=IMAGE, InstanceType=instance_type, MinCount=1, MaxCount=1, **market)
        instance_id: str = made["Instances"][0]["InstanceId"]
        if state == "stopped":
            self._call("ec2", "StopInstances", InstanceIds=[instance_id])
        elif state == "terminated":
            self.terminate(instance_id)
        return instance_id

    def terminate(self, instance_id: str) -> None:
        self._call("ec2", "TerminateInstances", InstanceIds=[instance_id])

    def state(self, instance_id: str) -> str:
        return str(self._instance(instance_id)["State"]["Name"])

    def type_of(self, instance_id: str) -> str:
        return str(self._instance(instance_id)["InstanceType"])

    def _instance(self, instance_id: str) -> Json:
        with self._hub.lock:
            return self._place.machines.seen(instance_id)[0]

    # Groups.

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
    ) -> str:
        """A group whose members are in service, launched from a template of its own; its name.

        ``kind`` is what it launches from: a ``template``, a ``mixed`` policy or a launch ``configuration``.
        """
        if kind == "configuration":
            self._call(
                "autoscaling",
                "CreateLaunchConfiguration",
                LaunchConfigurationName=name,
                ImageId=IMAGE,
                InstanceType=instance_type,
            )
            source: Json = {"LaunchConfigurationName": name}
        else:
            template = {"LaunchTemplateId": self.template(instance_type, name), **({"Version": version} if version else {})}
            source = {"LaunchTemplate": template}
            if kind == "mixed":
                source = {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": template}}}
        sizes = {"MinSize": min_size, "MaxSize": max_size, "DesiredCapacity": size}
        self._call(
            "autoscaling", "CreateAutoScalingGroup", AutoScalingGroupName=name, AvailabilityZones=[self.zone], **sizes, **source
        )
        with self._hub.lock:
            self._place.groups.note_launched(name, is_slow=False)
        return name

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

    # Databases.

    def database(self, identifier: str = "orders", instance_class: str = "db.r6g.xlarge") -> str:
        """A database; its identifier."""
        self._call(
            "rds",
            "CreateDBInstance",
            DBInstanceIdentifier=identifier,
            DBInstanceClass=instance_class,
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="admin",
            MasterUserPassword="made-up-password",
        )
        return identifier

    def leave_pending(self, identifier: str, **values: Any) -> None:
        """Changes of a database that wait for its maintenance window."""
        with self._hub.lock:
            self._place.databases.leave_pending(identifier, values)

    def seen_database(self, identifier: str) -> Json:
        """A database as AWS describes it."""
        with self._hub.lock:
            return self._place.databases.seen(identifier)

    # Roles.

    def role(self, name: str = "nightshift", external_id: str | None = None) -> str:
        """A role of the account that the key may assume; its ARN."""
        arn = f"arn:aws:iam::{self.account}:role/{name}"
        with self._hub.lock:
            self._hub.sessions.roles[arn] = external_id
        return arn

"""Instances and volumes that a test puts into AWS, and sees there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.aws.inside import IMAGE, Inside
from tests.aws.machines import CODES
from tests.aws.overlay import LONG_AGO, tag_list
from tests.aws.volumes import Volumes, performance
from tests.aws.wire import Json

Tags = Mapping[str, str] | None
_USAGE = {
    "Linux/UNIX": "RunInstances",
    "Red Hat Enterprise Linux": "RunInstances:0010",
    "SUSE Linux": "RunInstances:000g",
    "Windows": "RunInstances:0002",
    "Windows with SQL Server Standard": "RunInstances:0006",
}
"""Platforms, with the operation that they are billed as."""


class Instances(Inside):
    """EC2 and EBS."""

    def instance(
        self,
        instance_type: str = "m5.large",
        state: str = "running",
        *,
        is_spot: bool = False,
        tags: Tags = None,
        launched_at: datetime = LONG_AGO,
        platform: str = "Linux/UNIX",
        tenancy: str = "default",
        zone: str | None = None,
        **details: Any,
    ) -> str:
        """An instance whose status checks have passed; its id. ``details`` are members of its description, as AWS names them."""
        described = _described(
            tags, platform, {"Placement": {"Tenancy": tenancy, "AvailabilityZone": zone or self.zone}}, details
        )
        (instance_id,) = self._run(instance_type, 1, launched_at, described, is_spot=is_spot)
        if state == "stopped":
            self._call("ec2", "StopInstances", InstanceIds=[instance_id])
        elif state == "terminated":
            self.terminate(instance_id)
        return instance_id

    def instances(
        self,
        count: int,
        instance_type: str = "m5.large",
        *,
        tags: Tags = None,
        launched_at: datetime = LONG_AGO,
        platform: str = "Linux/UNIX",
        **details: Any,
    ) -> list[str]:
        """Running instances that are all alike; their ids. A thousand take seconds: a ``fleet`` does not."""
        return self._run(instance_type, count, launched_at, _described(tags, platform, {}, details))

    def fleet(
        self,
        count: int,
        instance_type: str = "m5.large",
        *,
        tags: Tags = None,
        launched_at: datetime = LONG_AGO,
        platform: str = "Linux/UNIX",
        volume_gib: int | None = None,
        **details: Any,
    ) -> list[str]:
        """As ``instances``, but only to be read, in any number: thousands in no time. ``volume_gib`` gives each a gp3 volume."""
        with self._hub.lock:
            first = self._place.machines.added
            ids = [f"i-{0xF1EE0000000000000 + first + number:017x}" for number in range(count)]
            for instance_id in ids:
                self._place.machines.add(
                    {
                        "InstanceId": instance_id,
                        "InstanceType": instance_type,
                        "ImageId": IMAGE,
                        "LaunchTime": launched_at,
                        "State": {"Name": "running", "Code": CODES["running"]},
                        "Placement": {"Tenancy": "default", "AvailabilityZone": self.zone},
                        "Architecture": "x86_64",
                        "EbsOptimized": True,
                        "Monitoring": {"State": "disabled"},
                        **_described(tags, platform, {}, details),
                    }
                )
        if volume_gib:
            for instance_id in ids:
                self.volume(volume_gib, attached_to=instance_id, device="/dev/xvda", created_at=launched_at)
        return ids

    def volume(
        self,
        size_gib: int = 100,
        kind: str = "gp3",
        *,
        iops: int | None = None,
        throughput: int | None = None,
        attached_to: str | None = None,
        device: str = "/dev/sdf",
        tags: Tags = None,
        created_at: datetime = LONG_AGO,
        **details: Any,
    ) -> str:
        """An EBS volume; its id. ``throughput`` is in MiB/s; both it and ``iops`` are those of the kind where nothing is said."""
        attachment = {"Device": device, "AttachTime": created_at, "DeleteOnTermination": False}
        made = {
            "Size": size_gib,
            "VolumeType": kind,
            "AvailabilityZone": self.zone,
            "CreateTime": created_at,
            "Attachments": [{"InstanceId": attached_to, **attachment}] if attached_to else [],
            **performance(kind, size_gib, iops, throughput),
            **({"Tags": tag_list(tags)} if tags else {}),
            **details,
        }
        with self._hub.lock:
            volume_id = self._place.of(Volumes).make(made)
            if attached_to:
                at = {"AttachTime": created_at, "DeleteOnTermination": False, "Status": "attached", "VolumeId": volume_id}
                self._place.machines.attach(attached_to, {"DeviceName": device, "Ebs": at})
            return volume_id

    def describe(self, instance_id: str, **details: Any) -> None:
        """Members of an instance's description that are so from now on, as AWS names them; None: it has it no more."""
        launched_at = details.pop("LaunchTime", None)
        with self._hub.lock:
            self._place.machines.note(instance_id, details, launched_at)

    def terminate(self, instance_id: str) -> None:
        if instance_id in self._place.machines.read_only:
            self.describe(instance_id, State={"Name": "terminated", "Code": CODES["terminated"]})
        else:
            self._call("ec2", "TerminateInstances", InstanceIds=[instance_id])

    def vanish(self, *instance_ids: str) -> None:
        """Instances of a fleet that AWS says nothing of any more, as of those that were terminated an hour ago."""
        with self._hub.lock:
            for each in instance_ids:
                del self._place.machines.read_only[each]

    def state(self, instance_id: str) -> str:
        return str(self._instance(instance_id)["State"]["Name"])

    def type_of(self, instance_id: str) -> str:
        return str(self._instance(instance_id)["InstanceType"])

    def _instance(self, instance_id: str) -> Json:
        with self._hub.lock:
            return self._place.machines.seen(instance_id)[0]

    def _run(self, instance_type: str, count: int, launched_at: datetime, details: Json, *, is_spot: bool = False) -> list[str]:
        market = {"InstanceMarketOptions": {"MarketType": "spot"}} if is_spot else {}
        sizes = {"InstanceType": instance_type, "MinCount": count, "MaxCount": count}
        made = self._call("ec2", "RunInstances", ImageId=IMAGE, **sizes, **market)
        ids = [each["InstanceId"] for each in made["Instances"]]
        for each in ids:
            self.describe(each, LaunchTime=launched_at, **details)
        return ids


def _described(tags: Tags, platform: str, more: Json, details: Json) -> Json:
    known = {"PlatformDetails": platform, "UsageOperation": _USAGE[platform], **more}
    if platform.startswith("Windows"):
        known["Platform"] = "windows"
    return {**known, **({"Tags": tag_list(tags)} if tags else {}), **details}

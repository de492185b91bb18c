"""EBS volumes: those that moto makes with its instances, and those of a test."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.aws.machines import INVALID_TOKEN
from tests.aws.overlay import LONG_AGO, over
from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

if TYPE_CHECKING:
    from tests.aws.place import Place

_MOST_PER_PAGE = 500
_SMALLEST_GP2_IOPS, _LARGEST_GP2_IOPS = 100, 16_000


class Volumes:
    """The volumes that tests made. moto does not know them."""

    def __init__(self) -> None:
        self._made: dict[str, Json] = {}
        self._numbers = itertools.count(1)

    def make(self, volume: Json) -> str:
        """A volume; its id. ``Attachments`` are without it."""
        volume_id = f"vol-{0xA0000000000000000 + next(self._numbers):017x}"
        attached = [{**each, "VolumeId": volume_id, "State": "attached"} for each in volume.get("Attachments", [])]
        state = {"State": "in-use" if attached else "available"}
        self._made[volume_id] = {"Encrypted": False, **state, **volume, "VolumeId": volume_id, "Attachments": attached}
        return volume_id

    def seen(self, place: Place) -> list[Json]:
        """All volumes of a region."""
        listed = place.backend.listed("ec2", "DescribeVolumes")["Volumes"]
        roots = [over(each, {"CreateTime": LONG_AGO, **performance(each["VolumeType"], each["Size"])}) for each in listed]
        return [*roots, *self._made.values()]


def performance(kind: str, size_gib: int, iops: int | None = None, throughput: int | None = None) -> Json:
    """What AWS says of a volume of a kind: its IOPS, and its throughput in MiB/s, where it has any."""
    if kind == "gp3":
        return {"Iops": iops or 3000, "Throughput": throughput or 125}
    if kind == "gp2":
        return {"Iops": max(_SMALLEST_GP2_IOPS, min(_LARGEST_GP2_IOPS, 3 * size_gib))}
    assert kind not in ("io1", "io2") or iops, f"{kind} needs iops"
    return {"Iops": iops} if iops else {}


@handles("ec2", "DescribeVolumes")
def describe(call: Call) -> Json:
    call.takes("VolumeIds", "MaxResults", "NextToken")
    ids = call.parameters.get("VolumeIds")
    found = call.place.of(Volumes).seen(call.place)
    if ids is None:
        # More are not refused, and not given.
        size = min(_MOST_PER_PAGE, size_of(call, "MaxResults", 5, 1000, _MOST_PER_PAGE))
        taken, rest = page(call, found, lambda each: str(each["VolumeId"]), size, INVALID_TOKEN)
        return {"Volumes": taken, **rest}
    if "MaxResults" in call.parameters:
        message = "The parameter volumeSet cannot be used with the parameter maxResults"
        raise Refusal(400, "InvalidParameterCombination", message)
    known = {each["VolumeId"]: each for each in found}
    if missing := [each for each in ids if each not in known]:
        raise Refusal(400, "InvalidVolume.NotFound", f"The volume '{missing[0]}' does not exist.")
    return {"Volumes": [known[each] for each in ids]}

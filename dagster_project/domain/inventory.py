"""What a resource is called, and what its tags say: who owns it, and what else decides over it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

GROUP_TAG = "aws:autoscaling:groupName"
_ORCHESTRATORS = (
    ("eks:cluster-name", "eks"),
    ("eks:nodegroup-name", "eks"),
    ("aws:eks:cluster-name", "eks"),
    ("aws:ecs:clusterName", "ecs"),
    ("AmazonECSManaged", "ecs"),
    ("aws:ecs:serviceName", "ecs"),
    ("karpenter.sh/nodepool", "kubernetes"),
    ("karpenter.sh/provisioner-name", "kubernetes"),
    ("kops.k8s.io/instancegroup", "kubernetes"),
    ("aws:elasticmapreduce:job-flow-id", "emr"),
    ("elasticbeanstalk:environment-id", "elasticbeanstalk"),
    ("AWSBatchServiceTag", "batch"),
)
"""Tags that a service puts on what it manages."""
_KUBERNETES = "kubernetes.io/cluster/"


_QUALIFIED = re.compile(r"\d{12}/[a-z]{2}(?:-[a-z]+)+-\d+/(?:autoscaling_group|rds_instance)/")


def qualified(account_id: str, region: str, resource_type: str, native_id: str) -> str:
    """The id of a resource whose name another one has too: groups and databases are named within a region."""
    return f"{account_id}/{region}/{resource_type}/{native_id}"


def native_name(resource_id: str) -> str:
    """What AWS calls a resource in its account and region."""
    return _QUALIFIED.sub("", resource_id, count=1) if is_qualified(resource_id) else resource_id


def is_qualified(resource_id: str) -> bool:
    """Whether an id says more than AWS's name, because others have that name too."""
    return _QUALIFIED.match(resource_id) is not None


def managed_by(tags: Mapping[str, str]) -> str | None:
    """The service that decides over a resource's size or life; None where tags name none."""
    named = next((owner for tag, owner in _ORCHESTRATORS if tag in tags), None)
    if named is None and any(tag.startswith(_KUBERNETES) for tag in tags):
        return "kubernetes"
    return named


def first_tag(tags: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The value of the first tag that is there and says something, whatever the case of its name."""
    by_name: dict[str, str] = {}
    for key in sorted(tags):
        by_name.setdefault(key.lower(), tags[key])
    return next((value for name in names if (value := by_name.get(name.lower(), "").strip())), None)

"""Settings of AWS: which accounts and regions are read, how, and in which of them approved changes may be made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dagster_project.settings_acting import Section

Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$")]
Partition = Literal["aws", "aws-cn", "aws-us-gov"]
_ROLE = r"^arn:aws(-cn|-us-gov)?:iam::\d{12}:role/[\w+=,.@/-]+$"
HOME_REGIONS: dict[str, str] = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that every account of it has."""


class AwsAccount(Section):
    """An account: which of its regions are read every night, and whether approved changes may be made in it."""

    id: str = Field(pattern=r"^\d{12}$", description="Number of the account.")
    role_arn: str | None = Field(None, pattern=_ROLE, description="Role to assume; without it, own credentials.")
    external_id: str | None = Field(None, description="External id that the role asks for.")
    regions: Literal["all"] | tuple[Region, ...] = Field(
        (),
        description="Regions whose resources, metrics and commitments are read from AWS every night; all = every region that the "
        "account has enabled; none = what the database lists is all there is.",
    )
    partition: Partition | None = Field(
        None, description="Partition of the account; default: the one of role_arn, else of its regions, else aws."
    )
    may_change: bool = Field(
        False, description="Whether approved changes may be made in the account. Reading it needs no more than listing it."
    )
    apply_role_arn: str | None = Field(
        None,
        pattern=_ROLE,
        description="Role for changes, where the one for reading has no right to make any; default: role_arn.",
    )

    @model_validator(mode="after")
    def _is_of_one_partition(self) -> AwsAccount:
        if len(self._partitions()) > 1:
            raise ValueError(f"account {self.id} has roles or regions of more than one partition")
        if any(arn.split(":")[4] != self.id for arn in (self.role_arn, self.apply_role_arn) if arn is not None):
            raise ValueError(f"a role of account {self.id} is of another account")
        return self

    @model_validator(mode="after")
    def _regions_are_named_once(self) -> AwsAccount:
        # It would be read, paid for and written twice, side by side.
        if isinstance(self.regions, tuple) and len(set(self.regions)) < len(self.regions):
            raise ValueError(f"account {self.id} lists a region twice")
        return self

    @property
    def home_region(self) -> str:
        """A region that the account has for certain."""
        return HOME_REGIONS[next(iter(self._partitions()), "aws")]

    def _partitions(self) -> set[str]:
        """The partitions that its fields speak of."""
        named = {arn.split(":")[1] for arn in (self.role_arn, self.apply_role_arn) if arn is not None}
        regions = {partition_of(region) for region in self.regions} if isinstance(self.regions, tuple) else set()
        return named | regions | ({self.partition} if self.partition else set())


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


class AwsSettings(Section):
    """How AWS is reached: to read accounts every night, and to apply what was approved. Credentials are boto3's own chain."""

    accounts: tuple[AwsAccount, ...] = Field((), description="Accounts that are read, or in which changes may be made.")
    endpoint_url: str | None = Field(None, pattern=r"^https?://[^\s]+$", description="Another endpoint than AWS's own.")
    timeout_seconds: int = Field(30, ge=1, le=300, description="Time allowed for one answer.")
    attempts: int = Field(8, ge=1, le=20, description="Attempts for one request that only reads, with growing pauses.")
    scopes_at_once: int = Field(4, ge=1, le=64, description="Regions of accounts that are read side by side.")
    requests_at_once: int = Field(4, ge=1, le=32, description="Requests for metrics that one of them has under way at a time.")
    history_days: int = Field(
        28,
        ge=1,
        le=60,
        description="Days before the night's own that are read where they never were; AWS keeps 63 days.",
    )
    late_hours: int = Field(
        3, ge=0, le=24, description="Last hours of the day before that are read again with each day, because metrics come late."
    )
    memory_namespace: str = Field(
        "CWAgent", min_length=1, max_length=255, description="Namespace of the CloudWatch agent's memory metric."
    )
    service_tags: tuple[str, ...] = Field(
        ("service", "app", "application"), description="Tags that name the service of a resource; the first that is there counts."
    )
    team_tags: tuple[str, ...] = Field(("team", "owner"), description="Tags that name its team.")
    environment_tags: tuple[str, ...] = Field(("environment", "env", "stage"), description="Tags that name its environment.")
    second_opinion: bool = Field(
        True,
        description="Read what Compute Optimizer and the Cost Optimization Hub recommend, and show it beside the verdicts.",
    )

    @model_validator(mode="after")
    def _accounts_are_named_once(self) -> AwsSettings:
        if len({account.id for account in self.accounts}) < len(self.accounts):
            raise ValueError("each account may be listed once")
        return self

    @property
    def is_live(self) -> bool:
        """Whether resources and metrics of any account are read from AWS."""
        return any(account.regions for account in self.accounts)

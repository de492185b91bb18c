"""Which cloud a change is made in: the account and region of its resource, as far as the settings let Nightshift in."""

from __future__ import annotations

from dagster_project.actions.aws.cloud import AwsCloud
from dagster_project.domain.applying.cloud import Cloud
from dagster_project.errors import AccessDenied
from dagster_project.pipeline.runtime import Runtime


def cloud_of(runtime: Runtime, account_id: str | None, region: str | None) -> Cloud:
    """The cloud of an account and region. Raises ``AccessDenied`` where either is not known, or not in the settings."""
    if account_id is None or region is None:
        raise AccessDenied("Its account or region is not known; fill account_id and region in the inventory.")
    if runtime.clouds is not None:
        return runtime.clouds(account_id, region)
    if (account_id, region) in runtime.opened_clouds:
        return runtime.opened_clouds[account_id, region]
    settings = runtime.settings.aws
    account = next((each for each in settings.accounts if each.id == account_id), None)
    if account is None:
        raise AccessDenied(f"The settings do not let Nightshift into the account {account_id}; add it to aws.accounts.")
    closed = closed_by_settings(runtime, account_id)
    if closed is not None:
        raise AccessDenied(closed)
    cloud = runtime.opened_clouds[account_id, region] = AwsCloud(
        region=region,
        account_id=account_id,
        role_arn=account.apply_role_arn or account.role_arn,
        external_id=account.external_id,
        endpoint_url=settings.endpoint_url,
        timeout_seconds=settings.timeout_seconds,
        clock=runtime.at,
    )
    return cloud


def closed_by_settings(runtime: Runtime, account_id: str | None) -> str | None:
    """Why nothing may be changed in an account that the settings list to be read only; None in any other one."""
    account = next((each for each in runtime.settings.aws.accounts if each.id == account_id), None)
    if runtime.clouds is not None or account is None or account.may_change:
        return None
    return f"The settings do not let Nightshift change the account {account_id}; set may_change of it."

"""Settings of what is really paid: discounts that were agreed on, and how commitments are reckoned with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from dagster_project.settings_acting import Section

Family = Annotated[str, Field(pattern=r"^(\*|(db\.)?[a-z][a-z0-9-]*)$")]
Discount = Annotated[float, Field(ge=0, le=95)]


class AccountPrices(Section):
    """What an account pays otherwise than the others."""

    id: str = Field(pattern=r"^\d{12}$", description="Number of the account.")
    discounts: dict[Family, Discount] = Field(
        description='Family, or "*" for every family → percent off list; where it names nothing, prices.discounts holds.'
    )


class PriceSettings(Section):
    """What is paid instead of list prices, and what commitments pay for. docs/savings.md tells what becomes of it."""

    discounts: dict[Family, Discount] = Field(
        default_factory=dict,
        description='Family (m5, db.r6g), or "*" for the rest → percent off list, 0 to 95. What is paid counts everywhere.',
    )
    accounts: tuple[AccountPrices, ...] = Field((), description="Accounts that pay otherwise.")
    savings_plan_discount_pct: float = Field(
        28,
        ge=0,
        le=90,
        description="What a Savings Plan's rates are taken to be below list (percent): $1 an hour committed pays for "
        "1 / (1 - 28 %) = $1.39 at list price. The more, the less of what is saved counts as cash.",
    )
    are_commitments_shared: bool = Field(
        True,
        description="Whether Reserved Instances and Savings Plans of one account pay for others of aws.accounts too, as AWS has "
        "it in an organization unless sharing was switched off.",
    )

    @model_validator(mode="after")
    def _accounts_are_named_once(self) -> PriceSettings:
        if len({account.id for account in self.accounts}) < len(self.accounts):
            raise ValueError("each account may be listed once")
        return self

    @property
    def has_discounts(self) -> bool:
        """Whether anything is paid below list."""
        return any(pct for each in (self.discounts, *(account.discounts for account in self.accounts)) for pct in each.values())

"""Commitments that a test buys: reserved instances, reserved databases, savings plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tests.aws.commitments import Commitments as Bought
from tests.aws.inside import Inside
from tests.aws.overlay import LONG_AGO, tag_list

_YEAR = timedelta(days=365)
_PRODUCTS = {
    "Compute": ["Fargate", "Lambda", "EC2"],
    "EC2Instance": ["EC2"],
    "SageMaker": ["SageMaker"],
    "Database": ["RDS", "DSQL", "DynamoDB", "ElastiCache", "DocDB", "Neptune", "Timestream", "Keyspaces", "DMS"],
}
PLANS_REGION = "us-east-1"


class Commitments(Inside):
    """Commitments of an account."""

    def reserved_instances(
        self,
        instance_type: str,
        count: int = 1,
        *,
        platform: str = "Linux/UNIX",
        zone: str | None = None,
        tenancy: str = "default",
        offering_class: str = "standard",
        payment: str = "No Upfront",
        hourly_usd: float = 0.0,
        upfront_usd: float = 0.0,
        start: datetime = LONG_AGO,
        years: int = 1,
        state: str = "active",
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Reserved instances of the region, or of one ``zone``; their id. ``hourly_usd`` and ``upfront_usd`` are for each."""
        with self._hub.lock:
            bought = self._place.of(Bought).instances
            bought.append(
                {
                    "ReservedInstancesId": f"00000000-0000-4000-8000-{len(bought) + 1:012d}",
                    "InstanceType": instance_type,
                    "InstanceCount": count,
                    "ProductDescription": platform,
                    "Scope": "Availability Zone" if zone else "Region",
                    **({"AvailabilityZone": zone} if zone else {}),
                    "InstanceTenancy": tenancy,
                    "OfferingClass": offering_class,
                    "OfferingType": payment,
                    "CurrencyCode": "USD",
                    "FixedPrice": upfront_usd,
                    "UsagePrice": 0.0,
                    "RecurringCharges": [{"Amount": hourly_usd, "Frequency": "Hourly"}],
                    "Start": start,
                    "End": start + years * _YEAR,
                    "Duration": int((years * _YEAR).total_seconds()),
                    "State": state,
                    "Tags": tag_list(tags),
                }
            )
            return str(bought[-1]["ReservedInstancesId"])

    def reserved_databases(
        self,
        instance_class: str,
        count: int = 1,
        *,
        product: str = "postgresql",
        multi_az: bool = False,
        payment: str = "No Upfront",
        hourly_usd: float = 0.0,
        upfront_usd: float = 0.0,
        start: datetime = LONG_AGO,
        years: int = 1,
        state: str = "active",
    ) -> str:
        """Reserved databases; their id. ``product`` is as RDS names it, such as ``aurora-postgresql`` or ``oracle-se2(byol)``."""
        with self._hub.lock:
            bought = self._place.of(Bought).databases
            name = f"ri-{len(bought) + 1:05d}"
            bought.append(
                {
                    "ReservedDBInstanceId": name,
                    "ReservedDBInstanceArn": self._place.arn("rds", f"ri:{name}"),
                    "DBInstanceClass": instance_class,
                    "DBInstanceCount": count,
                    "ProductDescription": product,
                    "MultiAZ": multi_az,
                    "OfferingType": payment,
                    "CurrencyCode": "USD",
                    "FixedPrice": upfront_usd,
                    "UsagePrice": 0.0,
                    "RecurringCharges": [{"RecurringChargeAmount": hourly_usd, "RecurringChargeFrequency": "Hourly"}],
                    "StartTime": start,
                    "Duration": int((years * _YEAR).total_seconds()),
                    "State": state,
                }
            )
            return name

    def savings_plan(
        self,
        commitment_usd_hour: float,
        kind: str = "Compute",
        *,
        family: str | None = None,
        region: str | None = None,
        payment: str = "No Upfront",
        start: datetime = LONG_AGO,
        years: int = 1,
        state: str = "active",
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """A savings plan of the account, whatever region this is; its id. One of the kind ``EC2Instance`` is for a ``family`` in
        a ``region``: this one, if nothing else is said."""
        assert (kind == "EC2Instance") == (family is not None), "family and EC2Instance belong together"
        upfront = {"All Upfront": 1.0, "Partial Upfront": 0.5, "No Upfront": 0.0}[payment]
        hours = years * _YEAR / timedelta(hours=1)
        with self._hub.lock:
            bought = self._hub.place(self.account, PLANS_REGION).of(Bought).plans
            plan_id = f"00000000-0000-4000-9000-{len(bought) + 1:012d}"
            bought.append(
                {
                    "savingsPlanId": plan_id,
                    "savingsPlanArn": f"arn:aws:savingsplans::{self.account}:savingsplan/{plan_id}",
                    "offeringId": f"10000000-0000-4000-9000-{len(bought) + 1:012d}",
                    "savingsPlanType": kind,
                    "productTypes": _PRODUCTS[kind],
                    "state": state,
                    "commitment": f"{commitment_usd_hour:.8f}",
                    "upfrontPaymentAmount": f"{commitment_usd_hour * hours * upfront:.8f}",
                    "recurringPaymentAmount": f"{commitment_usd_hour * (1 - upfront):.8f}",
                    "paymentOption": payment,
                    "currency": "USD",
                    "start": _text(start),
                    "end": _text(start + years * _YEAR - timedelta(seconds=1)),
                    "termDurationInSeconds": int((years * _YEAR).total_seconds()),
                    "tags": dict(tags or {}),
                    **({"ec2InstanceFamily": family, "region": region or self.region} if family else {}),
                }
            )
            return plan_id


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

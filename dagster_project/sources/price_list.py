"""On-demand prices of EC2 and RDS from the AWS Price List Query API, which is asked in few regions for all of a partition.

Taken over is what is certain to be the price of an hour: in US dollars, of one on-demand term, for a product that is exactly what
was asked for. Products are documents of text; attributes are compared again here, because a filter that the list does not know
would let everything pass. Aurora lists each class twice: the price of I/O-Optimized clusters, which is a setting of the cluster
and a third more, is left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import permissions, read
from dagster_project.connections.aws.purposes import PRICES
from dagster_project.domain.sold import Listed

PRODUCTS = read(
    "pricing",
    "GetProducts",
    purpose=PRICES,
    probe={"ServiceCode": "AmazonEC2", "MaxResults": 1},
    is_account_wide=True,
)
READS = (PRODUCTS,)
PERMISSIONS = permissions(*READS)

ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "aws": ("us-east-1", "eu-central-1", "ap-south-1"),
    "aws-cn": ("cn-northwest-1",),
}
"""The regions of a partition that answer for all of it. GovCloud has none: its prices are in the list of ``aws``."""

_PER_PAGE = 100
_HOURS, _CURRENCY = "Hrs", "USD"
_MACHINES, _METAL, _CLASSES = "Compute Instance", "Compute Instance (bare metal)", "Database Instance"
_LINUX = {"operatingSystem": "Linux", "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand"}
_DATABASE = {"deploymentOption": "Single-AZ", "licenseModel": "No license required"}
_PLACE = {"locationType": "AWS Region"}
_STANDARD_USAGE = re.compile(r"(?:^|-)InstanceUsage:db\.")
_GIB = re.compile(r"([\d,]*\d(?:\.\d+)?) GiB")
_NUMBER = re.compile(r"\d+(\.\d+)?")
Json = dict[str, Any]


def read_instance_prices(connection: Connection, region: str) -> tuple[list[Listed], Counter[str]]:
    """What instance types cost with Linux and shared tenancy, by name, and how many products are left out for which reason.

    Bare metal is nobody else's in any case: where it is listed as dedicated only, that is its price. Raises what
    ``Connection.ask`` does.
    """
    shared, left_out = _read(connection, region, "AmazonEC2", {**_LINUX, "tenancy": "Shared"}, (_MACHINES, _METAL))
    metal, _ = _read(connection, region, "AmazonEC2", {**_LINUX, "tenancy": "Dedicated"}, (_METAL,))
    known = {each.name for each in shared}
    return sorted([*shared, *(each for each in metal if each.name not in known)], key=lambda each: each.name), left_out


def read_database_prices(connection: Connection, region: str) -> tuple[list[Listed], Counter[str]]:
    """What database classes cost in one zone and without a licence, by name and engine, as ``read_instance_prices``."""
    return _read(connection, region, "AmazonRDS", _DATABASE, (_CLASSES,))


def _read(
    connection: Connection, region: str, service: str, asked: Mapping[str, str], families: tuple[str, ...]
) -> tuple[list[Listed], Counter[str]]:
    wanted = {"regionCode": region, **asked}
    fields = {**wanted, "productFamily": families[0]} if len(families) == 1 else wanted
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    found: dict[tuple[str, str | None], list[tuple[Json, tuple[float, ...]]]] = {}
    left_out: Counter[str] = Counter()
    pages = connection.pages(
        PRODUCTS,
        f"prices of {service} in {region}",
        ServiceCode=service,
        Filters=filters,
        FormatVersion="aws_v1",
        MaxResults=_PER_PAGE,
    )
    for page in pages:
        for text in page.get("PriceList", ()):
            try:
                attributes, prices = _product(text, {**wanted, **_PLACE}, families)
            except _LeftOut as reason:
                left_out[f"{service}: {reason}"] += 1
            else:
                found.setdefault((attributes["instanceType"], attributes.get("databaseEngine")), []).append((attributes, prices))
    return [_listed(name, engine, found[name, engine]) for name, engine in sorted(found, key=_text)], left_out


class _LeftOut(Exception):
    """A product is none of those that are taken over; its text is why, after the colon of a sentence."""


def _product(text: str, wanted: Mapping[str, str], families: tuple[str, ...]) -> tuple[Json, tuple[float, ...]]:
    """The attributes of a product, and its prices. Raises ``_LeftOut``."""
    try:
        document = json.loads(text)
        product = document["product"]
        attributes, family = product["attributes"], product.get("productFamily")
        terms = document.get("terms", {}).get("OnDemand", {})
        dimensions = [each for term in terms.values() for each in term["priceDimensions"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _LeftOut("a document of another shape") from None
    if family not in families:
        raise _LeftOut(f"productFamily {family}")
    for name, value in wanted.items():
        if str(attributes.get(name)).casefold() != value.casefold():
            raise _LeftOut(f"{name} {attributes.get(name)}")
    if not attributes.get("instanceType"):
        raise _LeftOut("no instanceType")
    if _CLASSES in families:
        if not attributes.get("databaseEngine"):
            raise _LeftOut("no databaseEngine")
        if attributes.get("deploymentModel") == "Custom":
            raise _LeftOut("deploymentModel Custom")
        if not _STANDARD_USAGE.search(attributes.get("usagetype", "")):
            raise _LeftOut("usagetype other than InstanceUsage")
    if not dimensions:
        raise _LeftOut("no on-demand term")
    return attributes, tuple(_price(each) for each in dimensions)


def _price(dimension: Json) -> float:
    if dimension.get("unit") != _HOURS:
        raise _LeftOut(f"unit {dimension.get('unit')}")
    prices = dimension.get("pricePerUnit") or {}
    if _CURRENCY not in prices:
        raise _LeftOut(f"currency {', '.join(sorted(prices)) or 'of nothing'}")
    if not _NUMBER.fullmatch(str(prices[_CURRENCY])):
        raise _LeftOut("a price that is no number")
    return float(prices[_CURRENCY])


def _listed(name: str, engine: str | None, products: list[tuple[Json, tuple[float, ...]]]) -> Listed:
    prices = tuple(sorted({price for _, each in products for price in each}))
    if engine is None:
        return Listed(name, prices)
    return Listed(
        name,
        prices,
        engine,
        vcpu=_only({_whole(attributes.get("vcpu")) for attributes, _ in products}),
        memory_gib=_only({_gib(attributes.get("memory")) for attributes, _ in products}),
        is_current=_only({_YES_OR_NO.get(attributes.get("currentGeneration", "")) for attributes, _ in products}),
    )


_YES_OR_NO = {"Yes": True, "No": False}


def _only(values: set[Any]) -> Any:
    """The value that all say; None where they differ."""
    return next(iter(values)) if len(values) == 1 else None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else None


def _gib(text: str | None) -> float | None:
    found = _GIB.fullmatch(text or "")
    value = float(found[1].replace(",", "")) if found else 0.0
    return value if value > 0 else None


def _text(key: tuple[str, str | None]) -> tuple[str, str]:
    return key[0], key[1] or ""

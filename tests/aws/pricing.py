"""The Price List Query API: products as documents of text, which filters choose from. A test puts them in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.aws.pages import page, size_of
from tests.aws.routing import Call, handles
from tests.aws.wire import Json, Refusal

ON_DEMAND, YEAR = "JRTCKXETXF", "HU7G6KETJZ"
"""Codes of terms: on demand, and one year with part of it paid up front."""
_WRONG = Refusal(400, "InvalidNextTokenException", "The NextToken is invalid.")
_SERVICES = ("AmazonEC2", "AmazonRDS")
MACHINE = {
    "servicecode": "AmazonEC2", "servicename": "Amazon Elastic Compute Cloud", "locationType": "AWS Region", "tenancy": "Shared",
    "operatingSystem": "Linux", "licenseModel": "No License required", "preInstalledSw": "NA", "capacitystatus": "Used",
    "marketoption": "OnDemand", "operation": "RunInstances", "currentGeneration": "Yes", "processorArchitecture": "64-bit",
    "availabilityzone": "NA",
}  # fmt: skip
DATABASE = {
    "servicecode": "AmazonRDS", "servicename": "Amazon Relational Database Service", "locationType": "AWS Region",
    "licenseModel": "No license required", "deploymentOption": "Single-AZ", "currentGeneration": "Yes",
    "instanceFamily": "General purpose", "storage": "EBS Only",
}  # fmt: skip


class PriceList:
    """The products of all regions. The same for all accounts."""

    def __init__(self) -> None:
        self.products: list[Json] = []

    def machine(
        self,
        name: str,
        region: str,
        usd: str | None,
        *,
        family: str = "Compute Instance",
        terms: Json | None = None,
        **attributes: str | None,
    ) -> Json:
        """An instance type. ``attributes`` change the usual ones, None takes one away; ``terms`` are those of ``terms_of``."""
        usage = f"EUW1-BoxUsage:{name}"
        told = {**MACHINE, "instanceType": name, "regionCode": region, "usagetype": usage, **attributes}
        return self._add(family, told, usd, terms)

    def database(
        self, name: str, region: str, engine: str, usd: str | None, *, terms: Json | None = None, **attributes: str | None
    ) -> Json:
        """A database class for an engine, with 2 vCPUs and 8 GiB unless ``attributes`` say otherwise."""
        usage = f"EUW1-InstanceUsage:{name}"
        told = {**DATABASE, "instanceType": name, "regionCode": region, "databaseEngine": engine, "usagetype": usage}
        return self._add("Database Instance", {**told, "vcpu": "2", "memory": "8 GiB", **attributes}, usd, terms)

    def _add(self, family: str, attributes: dict[str, str | None], usd: str | None, terms: Json | None) -> Json:
        told = {name: value for name, value in attributes.items() if value is not None}
        sku = hashlib.sha256(json.dumps([family, told, len(self.products)]).encode()).hexdigest()[:16].upper()
        self.products.append(
            {
                "product": {"productFamily": family, "attributes": told, "sku": sku},
                "serviceCode": told["servicecode"],
                "terms": terms_of(sku, usd) if terms is None else terms,
                "version": "20250309120000",
                "publicationDate": "2025-03-09T12:00:00Z",
            }
        )
        return self.products[-1]


def terms_of(sku: str, usd: str | None, *, unit: str = "Hrs", currency: str = "USD") -> Json:
    """What a product costs on demand, and reserved for a year, as every product is listed; None: on demand it cannot be had."""
    day = "2025-03-01T00:00:00Z"
    kept = {"LeaseContractLength": "1yr", "OfferingClass": "standard", "PurchaseOption": "Partial Upfront"}
    reserved = {
        f"{sku}.{YEAR}.6YS6EN2CT7": dimension("0.0000000001", unit),
        f"{sku}.{YEAR}.2TG2D8R56U": dimension("99", "Quantity"),
    }
    terms = {"Reserved": {f"{sku}.{YEAR}": term(sku, YEAR, day, reserved, kept)}}
    if usd is not None:
        dimensions = {f"{sku}.{ON_DEMAND}.6YS6EN2CT7": dimension(usd, unit, currency)}
        terms["OnDemand"] = {f"{sku}.{ON_DEMAND}": term(sku, ON_DEMAND, day, dimensions, {})}
    return terms


def term(sku: str, code: str, day: str, dimensions: Json, attributes: Json) -> Json:
    return {
        "sku": sku, "offerTermCode": code, "effectiveDate": day, "priceDimensions": dimensions, "termAttributes": attributes,
    }  # fmt: skip


def dimension(price: str, unit: str, currency: str = "USD") -> Json:
    return {
        "unit": unit, "beginRange": "0", "endRange": "Inf", "appliesTo": [], "description": f"${price} per {unit}",
        "pricePerUnit": {currency: price},
    }  # fmt: skip


@handles("pricing", "GetProducts")
def products(call: Call) -> Json:
    call.takes("ServiceCode", "Filters", "FormatVersion", "MaxResults", "NextToken")
    asked = call.parameters
    if asked["ServiceCode"] not in _SERVICES or asked.get("FormatVersion", "aws_v1") != "aws_v1":
        raise Refusal(400, "InvalidParameterException", "Input Parameters are invalid.")
    size = size_of(call, "MaxResults", 1, 100, 100, "InvalidParameterException")
    found = [each for each in call.hub.kept.of(PriceList).products if _is_wanted(each, asked)]
    taken, rest = page(call, found, lambda each: str(each["product"]["sku"]), size, _WRONG)
    return {"FormatVersion": "aws_v1", "PriceList": [_text(each) for each in taken], **rest}


def _is_wanted(product: Json, asked: Json) -> bool:
    told: dict[str, Any] = {**product["product"]["attributes"], "productFamily": product["product"].get("productFamily")}
    if product["serviceCode"] != asked["ServiceCode"]:
        return False
    for each in asked.get("Filters", []):
        if each["Type"] != "TERM_MATCH":
            raise NotImplementedError(each["Type"])
        if told.get(each["Field"]) != each["Value"]:
            return False
    return True


def _text(product: Json) -> str:
    return json.dumps(product, separators=(",", ":"))

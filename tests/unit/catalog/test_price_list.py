"""Documents of the price list: what is certain to be the price of an hour, and everything that is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dagster_project.domain.sold import Listed
from dagster_project.sources.price_list import ENDPOINTS, PERMISSIONS, read_database_prices, read_instance_prices
from tests.aws.pricing import ON_DEMAND, PriceList, dimension, term, terms_of

REGION = "eu-west-1"
METAL = "Compute Instance (bare metal)"
Json = dict[str, Any]


class Lists:
    """A connection with a price list that knows no filters, so that everything comes."""

    def __init__(self, per_page: int = 100) -> None:
        self.list = PriceList()
        self.texts: list[str] = []
        self.asked: list[Json] = []
        self._per_page = per_page

    def pages(self, operation: Any, thing: str, **parameters: Any) -> Iterator[Json]:
        assert operation.name == "GetProducts"
        self.asked.append(parameters)
        wanted = [each for each in self.list.products if each.get("serviceCode") == parameters["ServiceCode"]]
        texts = [*(json.dumps(each) for each in wanted), *self.texts]
        for start in range(0, len(texts), self._per_page):
            yield {"PriceList": texts[start : start + self._per_page]}

    def machines(self) -> tuple[list[Listed], Counter[str]]:
        return read_instance_prices(self, REGION)  # type: ignore[arg-type]

    def databases(self) -> tuple[list[Listed], Counter[str]]:
        return read_database_prices(self, REGION)  # type: ignore[arg-type]


@pytest.fixture
def lists() -> Lists:
    return Lists()


def filters(asked: Json) -> Json:
    assert {each["Type"] for each in asked["Filters"]} == {"TERM_MATCH"}
    return {each["Field"]: each["Value"] for each in asked["Filters"]}


def test_what_is_asked(lists: Lists) -> None:
    lists.machines(), lists.databases()
    shared, metal, databases = lists.asked
    linux = {
        "regionCode": REGION, "operatingSystem": "Linux", "preInstalledSw": "NA", "capacitystatus": "Used",
        "marketoption": "OnDemand",
    }  # fmt: skip
    assert filters(shared) == {**linux, "tenancy": "Shared"}
    assert filters(metal) == {**linux, "tenancy": "Dedicated", "productFamily": METAL}
    assert filters(databases) == {
        "regionCode": REGION, "deploymentOption": "Single-AZ", "licenseModel": "No license required",
        "productFamily": "Database Instance",
    }  # fmt: skip
    for asked, service in zip(lists.asked, ("AmazonEC2", "AmazonEC2", "AmazonRDS"), strict=True):
        assert (asked["ServiceCode"], asked["MaxResults"], asked["FormatVersion"]) == (service, 100, "aws_v1")


def test_a_machine_costs_its_on_demand_price_and_not_that_of_a_year(lists: Lists) -> None:
    lists.list.machine("m5.large", REGION, "0.1070000000")
    assert lists.machines() == ([Listed("m5.large", (0.107,))], {})


def test_pages_are_joined_and_sorted() -> None:
    lists = Lists(per_page=2)
    for number in (3, 1, 5, 2, 4):
        lists.list.machine(f"m{number}.large", REGION, f"0.{number}")
    assert [each.name for each in lists.machines()[0]] == ["m1.large", "m2.large", "m3.large", "m4.large", "m5.large"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"operatingSystem": "Windows"}, "operatingSystem Windows"),
        ({"tenancy": "Dedicated"}, "tenancy Dedicated"),
        ({"tenancy": "Host"}, "tenancy Host"),
        ({"capacitystatus": "UnusedCapacityReservation"}, "capacitystatus UnusedCapacityReservation"),
        ({"capacitystatus": "AllocatedCapacityReservation"}, "capacitystatus AllocatedCapacityReservation"),
        ({"preInstalledSw": "SQL Web"}, "preInstalledSw SQL Web"),
        ({"marketoption": "CapacityBlock"}, "marketoption CapacityBlock"),
        ({"regionCode": "eu-west-2"}, "regionCode eu-west-2"),
        ({"regionCode": None}, "regionCode None"),
        ({"locationType": "AWS Local Zone"}, "locationType AWS Local Zone"),
        ({"locationType": "AWS Outposts"}, "locationType AWS Outposts"),
        ({"locationType": None}, "locationType None"),
        ({"instanceType": None}, "no instanceType"),
        ({"family": "Dedicated Host"}, "productFamily Dedicated Host"),
    ],
)  # fmt: skip
def test_a_machine_of_another_kind_is_left_out_and_counted(lists: Lists, changes: Json, why: str) -> None:
    lists.list.machine("m5.large", REGION, "0.107")
    lists.list.machine("m5.large", REGION, "0.05", **changes)
    assert lists.machines() == ([Listed("m5.large", (0.107,))], {f"AmazonEC2: {why}": 1})


def currency(product: Json) -> None:
    product["terms"] = terms_of("SKU", "0.8", currency="CNY")


def unit(product: Json) -> None:
    product["terms"] = terms_of("SKU", "0.8", unit="Quantity")


def no_price(product: Json) -> None:
    product["terms"] = terms_of("SKU", "0.8")
    only(product)["pricePerUnit"] = {}


def words(product: Json) -> None:
    only(product)["pricePerUnit"] = {"USD": "on request"}


def negative(product: Json) -> None:
    only(product)["pricePerUnit"] = {"USD": "-0.1"}


def endless(product: Json) -> None:
    only(product)["pricePerUnit"] = {"USD": "inf"}


def reserved_only(product: Json) -> None:
    del product["terms"]["OnDemand"]


def without_terms(product: Json) -> None:
    del product["terms"]


def empty_term(product: Json) -> None:
    next(iter(product["terms"]["OnDemand"].values()))["priceDimensions"] = {}


def shapeless(product: Json) -> None:
    next(iter(product["terms"]["OnDemand"].values()))["priceDimensions"] = []


def nameless(product: Json) -> None:
    del product["product"]["attributes"]


def half(product: Json) -> None:
    """A second dimension in another unit: that the first one is the price of an hour is not certain."""
    next(iter(product["terms"]["OnDemand"].values()))["priceDimensions"]["more"] = dimension("1.5", "Quantity")


def only(product: Json) -> Json:
    (found,) = next(iter(product["terms"]["OnDemand"].values()))["priceDimensions"].values()
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (currency, "currency CNY"), (unit, "unit Quantity"), (no_price, "currency of nothing"),
        (words, "a price that is no number"), (negative, "a price that is no number"), (endless, "a price that is no number"),
        (reserved_only, "no on-demand term"), (without_terms, "no on-demand term"), (empty_term, "no on-demand term"),
        (shapeless, "a document of another shape"), (nameless, "a document of another shape"), (half, "unit Quantity"),
    ],
)  # fmt: skip
def test_a_price_that_is_not_one_of_an_hour_in_dollars_is_left_out(lists: Lists, spoil: Callable[[Json], None], why: str) -> None:
    spoil(lists.list.machine("m5.large", REGION, "0.107"))
    lists.list.machine("m5.xlarge", REGION, "0.214")
    assert lists.machines() == ([Listed("m5.xlarge", (0.214,))], {f"AmazonEC2: {why}": 1})


@pytest.mark.parametrize("text", ["", "null", "[]", "17", '{"product": null}', "<html>", '{"product": {"attributes": []}}'])
def test_a_text_that_is_no_product_is_left_out(lists: Lists, text: str) -> None:
    lists.list.machine("m5.large", REGION, "0.107")
    lists.texts = [text]
    listed, left_out = lists.machines()
    assert [each.name for each in listed] == ["m5.large"]
    assert sum(left_out.values()) == 1


def test_two_products_or_terms_with_the_same_price_are_one_price_and_with_others_several(lists: Lists) -> None:
    for usd in ("0.107", "0.1070000000"):
        lists.list.machine("m5.large", REGION, usd)
    for usd in ("0.214", "0.2"):
        lists.list.machine("m5.xlarge", REGION, usd)
    product = lists.list.machine("m5.2xlarge", REGION, "0.428")
    other = term("SKU", ON_DEMAND, "2024-01-01T00:00:00Z", {"d": dimension("0.43", "Hrs")}, {})
    product["terms"]["OnDemand"]["SKU.OTHER"] = other
    found = {each.name: each.usd_per_hour for each in lists.machines()[0]}
    assert found == {"m5.large": (0.107,), "m5.xlarge": (0.2, 0.214), "m5.2xlarge": (0.428, 0.43)}


def test_nothing_is_a_price_that_is_not_hidden(lists: Lists) -> None:
    lists.list.machine("m5.large", REGION, "0.0000000000")
    lists.list.machine("m5.xlarge", REGION, "0.0000000000")
    lists.list.machine("m5.xlarge", REGION, "0.214")
    assert [each.usd_per_hour for each in lists.machines()[0]] == [(0.0,), (0.0, 0.214)]


def test_bare_metal_is_dedicated_where_it_is_not_listed_as_shared(lists: Lists) -> None:
    lists.list.machine("m5.metal", REGION, "5.136", family=METAL)
    lists.list.machine("m5.metal", REGION, "5.5", family=METAL, tenancy="Dedicated")
    lists.list.machine("c5.metal", REGION, "4.608", family=METAL, tenancy="Dedicated")
    lists.list.machine("m5.large", REGION, "0.113", tenancy="Dedicated")
    assert lists.machines()[0] == [Listed("c5.metal", (4.608,)), Listed("m5.metal", (5.136,))]


class TestDatabases:
    def test_a_class_has_a_price_for_each_engine_and_its_size(self, lists: Lists) -> None:
        lists.list.database("db.m5.large", REGION, "PostgreSQL", "0.198")
        lists.list.database("db.m5.large", REGION, "MySQL", "0.191", currentGeneration="No")
        lists.list.database("db.x1.32xlarge", REGION, "MySQL", "9", vcpu="128", memory="1,952 GiB")
        lists.list.database("db.t1.micro", REGION, "MySQL", "0.025", vcpu="1", memory="0.613 GiB")
        assert lists.databases() == (
            [
                Listed("db.m5.large", (0.191,), "MySQL", 2, 8.0, is_current=False),
                Listed("db.m5.large", (0.198,), "PostgreSQL", 2, 8.0, is_current=True),
                Listed("db.t1.micro", (0.025,), "MySQL", 1, 0.613, is_current=True),
                Listed("db.x1.32xlarge", (9.0,), "MySQL", 128, 1952.0, is_current=True),
            ],
            {},
        )

    def test_aurora_is_what_a_standard_cluster_pays(self, lists: Lists) -> None:
        for usage, usd in (("InstanceUsage", "0.29"), ("InstanceUsageIOOptimized", "0.377")):
            usagetype = f"EUW1-{usage}:db.r6g.large"
            lists.list.database("db.r6g.large", REGION, "Aurora PostgreSQL", usd, usagetype=usagetype)
        listed, left_out = lists.databases()
        assert [each.usd_per_hour for each in listed] == [(0.29,)]
        assert left_out == {"AmazonRDS: usagetype other than InstanceUsage": 1}

    @pytest.mark.parametrize("usage", ["InstanceUsage:db.m5.large", "EU-InstanceUsage:db.m5.large"])
    def test_usage_is_named_with_and_without_a_region(self, lists: Lists, usage: str) -> None:
        lists.list.database("db.m5.large", REGION, "MySQL", "0.191", usagetype=usage)
        assert len(lists.databases()[0]) == 1

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"deploymentOption": "Multi-AZ"}, "deploymentOption Multi-AZ"),
            ({"deploymentOption": "Multi-AZ (readable standbys)"}, "deploymentOption Multi-AZ (readable standbys)"),
            ({"licenseModel": "License included"}, "licenseModel License included"),
            ({"licenseModel": "Bring your own license"}, "licenseModel Bring your own license"),
            ({"deploymentModel": "Custom"}, "deploymentModel Custom"),
            ({"usagetype": "EUW1-Multi-AZUsage:db.m5.large"}, "usagetype other than InstanceUsage"),
            ({"usagetype": None}, "usagetype other than InstanceUsage"),
            ({"locationType": "AWS Outposts"}, "locationType AWS Outposts"),
            ({"databaseEngine": None}, "no databaseEngine"),
        ],
    )
    def test_a_database_of_another_kind_is_left_out(self, lists: Lists, changes: Json, why: str) -> None:
        product = lists.list.database("db.m5.large", REGION, "MySQL", "0.191")
        attributes = product["product"]["attributes"]
        attributes.update({name: value for name, value in changes.items() if value is not None})
        for name in [name for name, value in changes.items() if value is None]:
            del attributes[name]
        assert lists.databases() == ([], {f"AmazonRDS: {why}": 1})

    @pytest.mark.parametrize(
        ("changes", "size"),
        [
            ({"vcpu": "NA"}, (None, 8.0)), ({"vcpu": None}, (None, 8.0)), ({"vcpu": "0"}, (None, 8.0)),
            ({"memory": "NA"}, (2, None)), ({"memory": "8 GB"}, (2, None)), ({"memory": None}, (2, None)),
            ({"memory": "0 GiB"}, (2, None)),
        ],
    )  # fmt: skip
    def test_a_size_that_is_not_told_is_unknown(self, lists: Lists, changes: Json, size: tuple[Any, Any]) -> None:
        lists.list.database("db.m5.large", REGION, "MySQL", "0.191", **changes)
        (found,) = lists.databases()[0]
        assert (found.vcpu, found.memory_gib) == size

    def test_a_size_that_is_told_in_two_ways_is_unknown(self, lists: Lists) -> None:
        lists.list.database("db.m5.large", REGION, "MySQL", "0.191")
        lists.list.database("db.m5.large", REGION, "MySQL", "0.191", vcpu="4")
        (found,) = lists.databases()[0]
        assert (found.vcpu, found.memory_gib, found.usd_per_hour) == (None, 8.0, (0.191,))


def test_where_it_is_asked_and_what_the_account_needs() -> None:
    assert ENDPOINTS == {"aws": ("us-east-1", "eu-central-1", "ap-south-1"), "aws-cn": ("cn-northwest-1",)}
    assert PERMISSIONS == ("pricing:GetProducts",)

"""Which catalog a day uses, and that each is loaded once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dagster_project.catalog.shapes import SHIPPED, Catalog, ec2_shapes, rds_shapes
from dagster_project.catalog.store import catalog_of, next_folder, refreshed
from dagster_project.errors import InputError
from tests.catalog_builders import DAY, REGION, catalog, database, nothing, sold


def place(home: Path, day: str, number: int = 1) -> Path:
    folder = home / "catalog" / f"day={day}" / f"refresh-{number}"
    folder.mkdir(parents=True)
    return folder


def test_a_home_without_one_has_the_shipped_one(tmp_path: Path) -> None:
    assert catalog_of(tmp_path, DAY) == SHIPPED
    assert SHIPPED.day is None
    assert ec2_shapes(REGION) is SHIPPED.ec2_shapes(REGION)
    assert rds_shapes(REGION, "mysql") is SHIPPED.rds_shapes(REGION, "mysql")


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("2025-03-01", None), ("2025-03-02", ("2025-03-02", 1)), ("2025-03-08", ("2025-03-02", 1)),
        ("2025-03-09", ("2025-03-09", 10)), ("2026-01-01", ("2025-03-09", 10)),
    ],
)  # fmt: skip
def test_a_day_uses_the_newest_that_was_made_by_its_end(tmp_path: Path, day: str, found: tuple[str, int] | None) -> None:
    place(tmp_path, "2025-03-02")
    for number in (2, 10, 9):
        place(tmp_path, "2025-03-09", number)
    expected = SHIPPED
    if found:
        folder = tmp_path / "catalog" / f"day={found[0]}" / f"refresh-{found[1]}"
        expected = Catalog(folder, date.fromisoformat(found[0]))
    assert catalog_of(tmp_path, date.fromisoformat(day)) == expected


def test_what_is_no_catalog_is_not_used(tmp_path: Path) -> None:
    root = tmp_path / "catalog"
    for name in ("day=2025-03-01/refresh-x", "day=never/refresh-1", "day=2025-03-01/draft", ".scratch/day=2025-03-01"):
        (root / name).mkdir(parents=True)
    (root / "day=2025-03-01" / "refresh-1").write_text("a file", encoding="ascii")
    assert refreshed(tmp_path) == []


def test_a_second_refresh_of_a_day_has_a_folder_of_its_own(tmp_path: Path) -> None:
    first = next_folder(tmp_path, DAY)
    assert first == tmp_path / "catalog" / "day=2025-03-09" / "refresh-1"
    place(tmp_path, "2025-03-09", 1)
    place(tmp_path, "2025-03-09", 9)
    assert next_folder(tmp_path, DAY).name == "refresh-10"
    assert [each.folder.name for each in refreshed(tmp_path)] == ["refresh-1", "refresh-9"]


def test_a_catalog_is_loaded_once(tmp_path: Path) -> None:
    one = catalog(tmp_path / "one", nothing(tmp_path / "nothing"), sold({"m5.large": 0.1}, database(), types=None))
    shapes, databases, prices = one.ec2_shapes(REGION), one.rds_shapes(REGION, "postgres"), one.ec2_prices()
    for path in one.folder.iterdir():
        path.unlink()
    again = Catalog(one.folder, one.day)
    assert again.ec2_shapes(REGION) is shapes and again.rds_shapes(REGION, "postgres") is databases
    assert again.ec2_prices() is prices
    assert (shapes.usd_per_hour.tolist(), databases.usd_per_hour.tolist()) == ([0.1], [0.2])


def test_catalogs_do_not_share_what_they_loaded(tmp_path: Path) -> None:
    empty = nothing(tmp_path / "nothing")
    one = catalog(tmp_path / "one", empty, sold({"m5.large": 0.1}))
    two = catalog(tmp_path / "two", empty, sold({"m5.large": 0.2}))
    assert [each.ec2_shapes(REGION).usd_per_hour.tolist() for each in (one, two)] == [[0.1], [0.2]]


def test_a_catalog_that_was_spoilt_says_how_to_go_on(tmp_path: Path) -> None:
    broken = Catalog(place(tmp_path, "2025-03-09"), DAY)
    with pytest.raises(
        InputError, match=r"ec2_prices\.parquet cannot be read.*remove the refreshed catalog that it belongs to\.$"
    ):
        broken.ec2_shapes(REGION)

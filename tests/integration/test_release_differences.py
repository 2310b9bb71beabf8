from pathlib import Path
from typing import Any

import pytest
from support.publishing import Row, a_dataset, a_row, published, write_csv

from portal.catalogue.dataset import Dataset
from portal.publishing.differences import ColumnDifference, ReleaseDifference, compare_releases
from portal.publishing.releases import ReleaseStore

ROWS = [a_row(number) for number in range(200)]
COLUMNS: dict[str, Any] = a_dataset().model_dump(exclude_unset=True)["columns"]


def compared(folder: Path, rows: list[Row], dataset: Dataset | None = None) -> ReleaseDifference:
    before = published(folder / "releases", write_csv(folder / "a.csv", ROWS))
    after = published(folder / "releases", write_csv(folder / "b.csv", rows), dataset=dataset)
    return compare_releases(ReleaseStore(folder / "releases"), before, after)


def of(difference: ReleaseDifference, column: str) -> ColumnDifference:
    return next(each for each in difference.columns if each.column == column)


def test_the_same_rows_have_not_moved(tmp_path: Path) -> None:
    found = compared(tmp_path, ROWS)
    assert {column.shift for column in found.columns} == {0.0}
    assert found.definition == ()
    assert found.facts["rows"] == (200, 200)


def test_a_shift_of_categories_is_half_the_sum_of_the_differences_of_shares(tmp_path: Path) -> None:
    half = [{**row, "category": "toys"} if place % 4 == 1 else row for place, row in enumerate(ROWS)]
    category = of(compared(tmp_path, half), "category")
    assert (category.measure, category.shift) == ("total variation", 0.25)
    assert category.largest in {"toys: 50.0% to 75.0%", "drugs: 50.0% to 25.0%"}


def test_a_shift_of_numbers_is_the_greatest_distance_of_the_distribution_functions(tmp_path: Path) -> None:
    moved = [{**row, "views": str(int(row["views"]) + 7 * 50)} for row in ROWS]
    views = of(compared(tmp_path, moved), "views")
    assert (views.measure, views.shift) == ("Kolmogorov-Smirnov", 0.25)  # 50 of 200 steps


def test_what_became_empty_is_counted_by_itself_and_moves_nothing(tmp_path: Path) -> None:
    emptied = [{**row, "views": ""} if place % 2 else row for place, row in enumerate(ROWS)]
    views = of(compared(tmp_path, emptied), "views")
    assert (views.empty_before, views.empty_after) == (0, 0.5)
    assert views.shift is not None
    assert views.shift < 0.01


def test_the_schema_and_the_codebook_are_compared_column_by_column(tmp_path: Path) -> None:
    columns = {name: column for name, column in COLUMNS.items() if name != "views"}
    columns["category"] = {**columns["category"], "values": {**columns["category"]["values"], "food": "Food"}}
    columns["clicks"] = {"type": "VARCHAR", "meaning": "Clicks."}
    columns["day"] = {**columns["day"], "type": "TIMESTAMP"}
    recipe = {"columns": {"trader": {"from": "seller_id", "pseudonymise": True}, "clicks": {"from": "views"}}}
    found = compared(tmp_path, ROWS, a_dataset(columns=columns, recipe=recipe))
    changes = {column.column: column.change for column in found.columns if column.change}
    assert changes == {"day": "DATE to TIMESTAMP", "views": "removed", "clicks": "added"}
    assert found.definition is not None
    assert {
        "columns.category.values.food was added: 'Food'",
        "columns.views was removed",
        "columns.clicks was added",
        "columns.day.type changed from 'DATE' to 'TIMESTAMP'",
        "recipe.columns.clicks was added",
    } == set(found.definition)


def test_columns_of_names_have_no_shift_and_an_empty_release_has_none(tmp_path: Path) -> None:
    many = [a_row(number) for number in range(3_000)]
    assert of(compared(tmp_path, many), "trader").shift is None
    source = write_csv(tmp_path / "none.csv", ROWS)
    source.write_text(source.read_text().splitlines(keepends=True)[0])
    empty = published(tmp_path / "releases", source)
    store = ReleaseStore(tmp_path / "releases")
    found = compare_releases(store, store.get(store.name_of(empty), 1), empty)
    assert all(column.shift is None for column in found.columns)


def test_a_release_that_kept_no_codebook_says_so(tmp_path: Path) -> None:
    before = published(tmp_path / "releases", write_csv(tmp_path / "a.csv", ROWS))
    (tmp_path / "releases" / "removals" / "000001" / "codebook.json").unlink()
    after = published(tmp_path / "releases", tmp_path / "a.csv")
    assert compare_releases(ReleaseStore(tmp_path / "releases"), before, after).definition is None


@pytest.mark.parametrize(
    ("below", "of_what", "left"),
    [
        (3, None, {"common": 9, "other": 3}),  # two values of two rows and one
        (4, None, {"common": 9, None: 3}),  # together they are still fewer than four
        (3, "trader", {"common": 9, None: 3}),  # of one trader
    ],
)
def test_rare_values_are_grouped_and_left_out_where_the_group_would_be_rare(
    below: int, of_what: str | None, left: dict[str | None, int], tmp_path: Path
) -> None:
    names = ["common"] * 9 + ["rare", "rare", "rarest"]
    rows = [a_row(place if name == "common" else 99, word=name) for place, name in enumerate(names)]
    recipe = {
        "columns": {
            "trader": {"from": "seller_id", "pseudonymise": True},
            "word": {"rare": {"below": below, "of": of_what}},
        }
    }
    dataset = a_dataset(columns={**COLUMNS, "word": {"type": "VARCHAR", "meaning": "A word."}}, recipe=recipe)
    manifest = published(tmp_path / "releases", write_csv(tmp_path / "a.csv", rows), dataset=dataset)
    nulls = sum(file.statistics["word"].nulls for file in manifest.files)
    values = {file.statistics["word"].maximum for file in manifest.files} | {
        file.statistics["word"].minimum for file in manifest.files
    }
    assert nulls == left.get(None, 0)
    assert values - {None} == {name for name in left if name}

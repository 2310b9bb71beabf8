from datetime import date

import pytest
from support.content import the_site

from portal.catalogue.dataset import Derivation, Erratum
from portal.catalogue.period import ALL_TIME, Period
from portal.ids import DatasetName

APRIL = Erratum(id="x", title="T", description="D", columns=("a", "b"), since=date(2025, 4, 1), until=date(2025, 4, 30))


@pytest.mark.parametrize(
    ("columns", "period", "expected"),
    [
        ({"a"}, ALL_TIME, True),
        ({"a", "c"}, Period(date(2025, 4, 30)), True),
        ({"b"}, Period(last=date(2025, 4, 1)), True),
        ({"b"}, Period(date(2025, 4, 10), date(2025, 4, 11)), True),
        ({"c"}, ALL_TIME, False),
        (set(), ALL_TIME, False),
        ({"a"}, Period(date(2025, 5, 1)), False),
        ({"a"}, Period(last=date(2025, 3, 31)), False),
    ],
)
def test_an_erratum_concerns_its_columns_in_its_period(columns: set[str], period: Period, *, expected: bool) -> None:
    assert APRIL.concerns(columns, period) is expected


def test_without_columns_every_column_and_without_dates_all_time_is_concerned() -> None:
    assert APRIL.model_copy(update={"columns": ()}).concerns(set(), Period(date(2025, 4, 2)))
    assert APRIL.model_copy(update={"since": None}).concerns({"a"}, Period(last=date(1999, 1, 1)))
    assert APRIL.model_copy(update={"until": None}).concerns({"a"}, Period(date(2099, 1, 1)))


def test_the_grid_of_dates_is_the_coarsest_that_a_recipe_truncates_them_to() -> None:
    statements = the_site().datasets[DatasetName("moderation_statements")]
    assert statements.date_grid == "day"
    month = {**statements.recipe.columns, "created_at": Derivation(truncate="month")}
    coarser = statements.model_copy(update={"recipe": statements.recipe.model_copy(update={"columns": month})})
    assert coarser.date_grid == "month"
    assert the_site().datasets[DatasetName("moderation_capacity")].date_grid is None

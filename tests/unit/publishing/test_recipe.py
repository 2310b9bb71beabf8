import hashlib
import hmac
from datetime import date

import pytest
from support.publishing import KEY, a_dataset, applied

from portal.errors import ContentError
from portal.publishing.recipe import compile_recipe, recognise_shape


def faults_of(recipe: dict[str, object], source_columns: list[str]) -> dict[str, str]:
    with pytest.raises(ContentError) as caught:
        compile_recipe(a_dataset(recipe=recipe), "as_published", source_columns, KEY)
    return {fault.message.split("'")[1]: fault.code for fault in caught.value.faults}


AS_IT_IS = ["trader", "day", "category", "views"]


@pytest.mark.parametrize(
    ("column", "derivation", "raw", "made"),
    [
        ({"type": "VARCHAR"}, {}, "a", "a"),
        ({"type": "BIGINT"}, {}, "7", 7),
        ({"type": "BOOLEAN"}, {"derive": "x = 'Yes'"}, "Yes", True),
        ({"type": "VARCHAR[]"}, {}, '["DE","FR"]', ["DE", "FR"]),
        ({"type": "DATE"}, {}, "2024-05-06 00:00:00", date(2024, 5, 6)),
        ({"type": "DATE"}, {"truncate": "month"}, "2024-05-06", date(2024, 5, 1)),
        ({"type": "DATE"}, {"truncate": "quarter"}, "2024-05-06", date(2024, 4, 1)),
        ({"type": "VARCHAR"}, {"band": [10, 100]}, "9", "<10"),
        ({"type": "VARCHAR"}, {"band": [10, 100]}, "10", "10-<100"),
        ({"type": "VARCHAR"}, {"band": [10, 100]}, "100.5", ">=100"),
        ({"type": "INTEGER"}, {"derive": "length(x)"}, "four", 4),
    ],
)
def test_each_step_makes_what_it_says(column: dict, derivation: dict, raw: str, made: object) -> None:
    assert applied(column, derivation, raw) == (made, None)
    assert applied(column, derivation, None) == (None, None)


def test_a_constant_needs_no_source_column() -> None:
    dataset = a_dataset(recipe={"columns": {"trader": {"constant": "it's"}}})
    assert "'it''s'" in compile_recipe(dataset, "as_published", ["day", "category", "views"], KEY)


def test_a_pseudonym_is_the_hmac_of_the_text_with_the_platforms_key() -> None:
    expected = hmac.new(KEY, b"seller 7", hashlib.sha256).hexdigest()[:32]
    assert applied({"type": "VARCHAR"}, {"pseudonymise": True}, "seller 7") == (expected, None)


def test_numbers_and_texts_of_the_same_digits_get_the_same_pseudonym() -> None:
    recipe = ({"type": "VARCHAR"}, {"pseudonymise": True})
    assert applied(*recipe, 7) == applied(*recipe, "7")


@pytest.mark.parametrize(
    ("column", "derivation", "raw", "reason"),
    [
        ({"type": "BIGINT"}, {}, "many", "x: a value that is no BIGINT"),
        ({"type": "BIGINT"}, {}, "1.5", "x: a number that is not whole"),
        ({"type": "DATE"}, {}, "2024-02-30", "x: a value that is no DATE"),
        ({"type": "DATE"}, {"truncate": "month"}, "soon", "x: a value that is no DATE"),
        ({"type": "VARCHAR"}, {"band": [1]}, "many", "x: a value that is no VARCHAR"),
        ({"type": "VARCHAR", "values": {"a": "A"}}, {}, "b", "x: a value outside the codebook"),
        ({"type": "BOOLEAN", "values": {"true": "Yes"}}, {}, "false", "x: a value outside the codebook"),
        ({"type": "VARCHAR[]", "values": {"a": "A"}}, {}, '["a","b"]', "x: a value outside the codebook"),
        ({"type": "VARCHAR[]"}, {}, "no list", "x: a value that is no VARCHAR[]"),
    ],
)
def test_what_does_not_fit_the_codebook_is_rejected_with_its_column(
    column: dict, derivation: dict, raw: str, reason: str
) -> None:
    assert applied(column, derivation, raw)[1] == reason


def test_every_missing_and_every_unknown_column_is_named_at_once() -> None:
    found = faults_of({}, ["trader", "day", "mail", "phone"])
    assert found == {
        "category": "SOURCE_COLUMN_MISSING",
        "views": "SOURCE_COLUMN_MISSING",
        "mail": "SOURCE_COLUMN_UNKNOWN",
        "phone": "SOURCE_COLUMN_UNKNOWN",
    }


def test_a_column_that_only_an_expression_reads_is_used() -> None:
    recipe = {"columns": {"views": {"derive": 'list_sum(list_transform([a, "B c"], part -> part + s.field))'}}}
    source = ["trader", "day", "category", "a", "B c", "s"]
    assert compile_recipe(a_dataset(recipe=recipe), "as_published", source, KEY)
    assert faults_of(recipe, ["trader", "day", "category", "a", "s"]) == {"B c": "SOURCE_COLUMN_MISSING"}


def test_an_expression_that_cannot_be_read_is_named() -> None:
    assert faults_of({"columns": {"views": {"derive": "a +"}}}, AS_IT_IS) == {"views": "RECIPE_EXPRESSION_UNREADABLE"}


def test_the_first_shape_whose_columns_are_there_is_taken() -> None:
    shapes = {"v2": {"requires": ["ean"]}, "v1": {"requires": ["views"]}}
    dataset = a_dataset(recipe={"shapes": shapes})
    assert recognise_shape(dataset, "a.csv", ["views", "ean"]) == "v2"
    assert recognise_shape(dataset, "a.csv", ["views"]) == "v1"
    with pytest.raises(ContentError, match=r"'a.csv' is not of the shape 'v2': it has no column 'ean'"):
        recognise_shape(dataset, "a.csv", ["clicks"])


def test_what_a_shape_says_of_a_column_goes_before_what_the_recipe_says() -> None:
    recipe = {
        "shapes": {"old": {"columns": {"views": {"from": "clicks"}}}},
        "columns": {"views": {"from": "impressions"}},
    }
    assert compile_recipe(a_dataset(recipe=recipe), "old", ["trader", "day", "category", "clicks"], KEY)

import hashlib
import hmac
from datetime import date

import duckdb
import pytest
from pydantic import ValidationError
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


PLACES = {"Paris": ("France", "West"), "Lyon": ("France", "West"), "Riga": ("Latvia", "East")}


@pytest.mark.parametrize(
    ("column", "derivation", "raw", "made"),
    [
        ({"type": "DOUBLE"}, {"suppress": True}, "7", None),
        ({"type": "BIGINT"}, {"top_code": 100}, "7000", 100),
        ({"type": "BIGINT"}, {"top_code": 100}, "99", 99),
        ({"type": "BIGINT"}, {"bottom_code": 18}, "3", 18),
        ({"type": "BIGINT"}, {"round": 5}, "13", 15),
        ({"type": "DOUBLE"}, {"top_code": 50, "round": 10}, "47.2", 50.0),
        ({"type": "VARCHAR"}, {"map": {"a": "vowel", "e": "vowel"}}, "a", "vowel"),
        ({"type": "VARCHAR"}, {"map": {"a": "vowel", "e": "vowel"}}, "z", "other"),
        (
            {"type": "VARCHAR"},
            {"redact": True},
            "mail a.b@c.org, call +49 30 1234567!",
            "mail [removed], call [removed]!",
        ),
        ({"type": "VARCHAR"}, {"redact": True}, "to GB82 WEST 1234 5698 7654 32", "to [removed]"),
        ({"type": "VARCHAR"}, {"redact": True}, "nothing of it", "nothing of it"),
    ],
)
def test_each_further_step_makes_what_it_says(column: dict, derivation: dict, raw: str, made: object) -> None:
    assert applied(column, derivation, raw) == (made, None)
    assert applied(column, derivation, None) == (None, None)


@pytest.mark.parametrize(("level", "made"), [(1, "Latvia"), (2, "East")])
def test_a_value_becomes_what_stands_above_it_and_one_that_has_no_place_is_rejected(level: int, made: str) -> None:
    derivation = {"generalise": {"by": "places", "level": level}}
    assert applied({"type": "VARCHAR"}, derivation, "Riga", places=PLACES) == (made, None)
    assert applied({"type": "VARCHAR"}, derivation, "Oslo", places=PLACES)[1] == (
        "x: a value that is not in the hierarchy places"
    )


def noise_of(key: bytes, seed: str, column: str = "DOUBLE") -> float:
    dataset = a_dataset(
        columns={"x": {"type": column, "meaning": "x", "anonymisation": "Laplace noise of scale 3."}},
        recipe={"columns": {"x": {"noise": {"scale": 3, "by": "id"}}}, "shapes": {"s": {"drop": []}}},
        layout={},
    )
    select = compile_recipe(dataset, "s", ["x", "id"], key)
    with duckdb.connect() as connection:
        connection.execute("CREATE TEMP TABLE raw AS SELECT '100' AS x, $seed AS id", {"seed": seed})
        return float(connection.execute(f"SELECT x FROM ({select})").fetchall()[0][0]) - 100


def test_noise_is_the_same_for_a_row_under_a_key_and_another_for_each_other() -> None:
    assert noise_of(KEY, "row 1") == noise_of(KEY, "row 1")
    assert len({noise_of(KEY, "row 1"), noise_of(KEY, "row 2"), noise_of(bytes(32), "row 1")}) == 3
    assert noise_of(KEY, "row 1", "BIGINT") == round(noise_of(KEY, "row 1"))


def test_noise_is_distributed_as_laplace_says() -> None:
    drawn = sorted(noise_of(KEY, f"row {number}") for number in range(400))
    assert abs(sum(drawn) / 400) < 1
    assert sum(map(abs, drawn)) / 400 == pytest.approx(3, rel=0.25)  # the mean deviation is the scale


def test_noise_is_told_in_the_codebook_or_there_is_none() -> None:
    with pytest.raises(ValidationError, match="has noise, which its `anonymisation` must tell"):
        a_dataset(recipe={"columns": {"views": {"noise": {"scale": 1, "by": "seller_id"}}}})


@pytest.mark.parametrize(
    ("column", "derivation", "message"),
    [
        ("views", {"map": {"a": "b"}}, "map makes VARCHAR"),
        ("trader", {"top_code": 1}, "top_code makes INTEGER or BIGINT or DOUBLE"),
        ("trader", {"generalise": {"by": "nowhere"}}, "no hierarchy 'nowhere' has a level 1"),
        ("category", {"rare": {"below": 5, "into": "rest"}}, "'rest' is no value of the codebook"),
        ("category", {"rare": {"below": 5, "into": "toys", "of": "nobody"}}, "unknown column"),
    ],
)
def test_a_step_that_cannot_be_is_a_fault_of_the_content(column: str, derivation: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        a_dataset(recipe={"columns": {column: derivation}})

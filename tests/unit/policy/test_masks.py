import math

import duckdb
import pytest

from portal.policy.masks import MASKS, mask_column, misapplied
from portal.policy.model import Obligation
from portal.pseudonyms import pseudonym

KEY = b"k" * 32
CASES = (
    ("VARCHAR", "x", "show", "x", "VARCHAR"),
    ("VARCHAR", "x", "hide", None, "VARCHAR"),
    ("DOUBLE", 1.0, "hide", None, "DOUBLE"),
    ("VARCHAR[]", ["x"], "hide", None, "VARCHAR[]"),
    ("VARCHAR", "é", "pseudonym", pseudonym("é", KEY), "VARCHAR"),
    ("VARCHAR", None, "pseudonym", None, "VARCHAR"),
    ("DATE", "2026-03-17", {"truncate": "month"}, "2026-03-01", "DATE"),
    ("DATE", "2026-03-17", {"truncate": "week"}, "2026-03-16", "DATE"),
    ("TIMESTAMP", "2026-03-17 10:11:12", {"truncate": "day"}, "2026-03-17 00:00:00", "TIMESTAMP"),
    ("DOUBLE", 9.99, {"band": [10, 50]}, "<10", "VARCHAR"),
    ("DOUBLE", 10.0, {"band": [10, 50]}, "10-<50", "VARCHAR"),
    ("DOUBLE", 50.0, {"band": [10, 50]}, ">=50", "VARCHAR"),
    ("DOUBLE", None, {"band": [10, 50]}, None, "VARCHAR"),
    ("DOUBLE", 17.0, {"round": 5}, 15.0, "DOUBLE"),
    ("INTEGER", 18, {"round": 5}, 20, "INTEGER"),
    ("BIGINT", 999, {"top_code": 100}, 100, "BIGINT"),
    ("BIGINT", 7, {"top_code": 100}, 7, "BIGINT"),
    ("BIGINT", None, {"top_code": 100}, None, "BIGINT"),
    ("VARCHAR", "DE", {"map": {"DE": "West", "FR": "West"}}, "West", "VARCHAR"),
    ("VARCHAR", "PL", {"map": {"DE": "West"}}, "other", "VARCHAR"),
    ("VARCHAR", None, {"map": {"DE": "West"}}, None, "VARCHAR"),
    ("VARCHAR", "x", {"constant": "it's"}, "it's", "VARCHAR"),
    ("BOOLEAN", True, {"constant": False}, False, "BOOLEAN"),
)


@pytest.mark.parametrize(("column_type", "value", "duty", "expected", "result"), CASES)
def test_an_obligation_becomes_the_value_and_type_it_promises(
    column_type: str, value: object, duty: object, expected: object, result: str
) -> None:
    masked = mask_column("c", column_type, Obligation.model_validate(duty), KEY)
    found = duckdb.execute(
        f"SELECT {masked.sql}, typeof({masked.sql}) FROM (SELECT CAST($1 AS {column_type}) AS c)", [value]
    ).fetchone()
    assert found is not None
    assert (str(found[0]) if "DATE" in result or "TIME" in result else found[0], found[1]) == (expected, result)
    assert masked.type == result


def test_each_kind_of_obligation_is_proved_above() -> None:
    assert {Obligation.model_validate(case[2]).kind for case in CASES} == set(MASKS)


@pytest.mark.parametrize(
    ("column_type", "duty"),
    [
        ("VARCHAR", {"band": [1]}),
        ("INTEGER", "pseudonym"),
        ("VARCHAR", {"truncate": "day"}),
        ("VARCHAR[]", "pseudonym"),
    ],
)
def test_an_obligation_that_makes_no_sense_on_a_type_is_named(column_type: str, duty: object) -> None:
    assert misapplied(column_type, Obligation.model_validate(duty))


def test_a_number_that_is_no_number_stays_outside_every_band_but_the_last() -> None:
    masked = mask_column("c", "DOUBLE", Obligation(band=(1.0,)), KEY)
    assert duckdb.execute(f"SELECT {masked.sql} FROM (SELECT $1::DOUBLE AS c)", [math.inf]).fetchall() == [(">=1",)]

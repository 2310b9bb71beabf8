"""DuckDB's parser never raises, never binds, and may be shared by threads."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engines.duckdb.parser import DuckDBParser

PARSER = DuckDBParser()

HOSTILE = (
    "",
    "selec",
    "\ud800",
    "a\0b",
    "(" * 5_000,
    "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
    "SELECT " + "1 + " * 20_000 + "1",
    "SELECT " + "NOT " * 5_000 + "true",
    "PIVOT x ON y USING sum(z)",
    "COPY (SELECT 1) TO 'x.csv'",
)


def test_a_statement_is_read_and_written_without_being_bound() -> None:
    assert PARSER.serialise("select A.x from a")["error"] is False
    assert PARSER.normalise("select x  from not_there where y=1") == "SELECT x FROM not_there WHERE (y = 1)"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_cannot_be_parsed_is_an_answer_not_an_exception(text: str) -> None:
    read = PARSER.serialise(text)

    assert read["error"] is True or not read["statements"]
    assert PARSER.normalise(text) is None


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters()))
def test_no_text_makes_it_raise(text: str) -> None:
    PARSER.serialise(text)
    PARSER.normalise(text)


def test_quotes_in_the_text_stay_text() -> None:
    assert PARSER.serialise("'); SELECT 1; --")["error"] is True


def test_threads_share_one_parser() -> None:
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(PARSER.normalise, [f"SELECT {number}" for number in range(200)]))

    assert written == [f"SELECT {number}" for number in range(200)]

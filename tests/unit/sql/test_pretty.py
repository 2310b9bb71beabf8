import pytest
from support.tpch import QUERIES

from portal.errors import StatementRefusal
from portal.sql.dialect import write
from portal.sql.pretty import pretty
from portal.sql.reading import parse


def test_a_statement_is_laid_out_with_its_comments_and_the_names_it_was_written_with() -> None:
    text = (
        "select Category, COUNT(*) as n, list(x) -- why\nfrom t as s where a not in ('a','b') and d > $v group by all"
    )
    assert pretty(text) == (
        "SELECT\n  Category,\n  COUNT(*) AS n,\n  list(x) /* why */\nFROM t AS s\n"
        "WHERE\n  NOT a IN ('a', 'b') AND d > $v\nGROUP BY ALL"
    )


@pytest.mark.parametrize(
    "comment",
    ["-- a */ OR true /* b", "/* nested /* comment */ */", "-- $parameter", "-- it's", "/* ' */", "--"],
)
def test_no_comment_becomes_a_part_of_what_is_asked(comment: str) -> None:
    text = f"SELECT a {comment}\nFROM t WHERE b = 1"
    assert write(parse(pretty(text)).tree) == write(parse(text).tree) == "SELECT a FROM t WHERE b = 1"


def test_what_cannot_be_read_is_refused_at_its_place() -> None:
    with pytest.raises(StatementRefusal) as refusal:
        pretty("SELECT a FROM\nWHERE")
    assert refusal.value.faults[0].line is not None


@pytest.mark.parametrize("number", sorted(QUERIES))
def test_a_statement_that_is_laid_out_says_the_same_and_stays_as_it_is_when_laid_out_again(number: int) -> None:
    laid_out = pretty(QUERIES[number])
    assert write(parse(laid_out).tree) == write(parse(QUERIES[number]).tree)
    assert pretty(laid_out) == laid_out

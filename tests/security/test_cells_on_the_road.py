"""Released cells as a person meets them: what receipt, header, ledger and explanation say, and what not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.attack_world import ASKER, an_attack_world

from portal.desk.activity import my_entries, my_receipt
from portal.desk.answers import Answer
from portal.desk.services import Services
from portal.desk.standing import changed_since
from portal.desk.statements import explain_statement, run_statement
from portal.errors import StatementRefusal
from portal.ledger import Action
from portal.policy.uses import ColumnUses
from portal.sql.plan import Statement

WORLD = Path(__file__).parents[2].parent / "shared" / "attacks" / "demo_world.sql"
pytestmark = pytest.mark.skipif(not WORLD.exists(), reason="the world of the attack samples is not on this machine")
TOO_FEW, NOTHING = "LU", "XX"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with an_attack_world(tmp_path_factory.mktemp("cells"), WORLD.read_text()) as world:
        yield world


def asked(services: Services, sql: str) -> Answer:
    return run_statement(services, ASKER, Statement(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*), sum(spend_eur) FROM ads WHERE country = '{}'",
        "SELECT placement, count(*) FROM ads WHERE country = '{}' GROUP BY ALL",
        "SELECT country, count(*) FROM ads WHERE country IN ('{}') GROUP BY ALL",
        "SELECT count(*) FILTER (WHERE country = '{}') FROM ads",
        "SELECT placement, count(*) FILTER (WHERE country = '{}') FROM ads GROUP BY ALL",
        "SELECT d.name, count(*) FROM ads JOIN dim_country d ON ads.country = d.code WHERE d.code = '{}' GROUP BY 1",
        "SELECT (SELECT count(*) FROM ads WHERE country = '{}') IS NULL",
        "SELECT DISTINCT country FROM ads WHERE country = '{}'",
    ],
)
def test_nothing_and_too_few_look_the_same_in_all_that_an_asker_gets(services: Services, sql: str) -> None:
    few, none = (asked(services, sql.format(country)) for country in (TOO_FEW, NOTHING))
    values, names = zip(*(_values_and_names(answer) for answer in (few, none)), strict=True)
    assert values[0] == values[1]
    assert [name.replace(TOO_FEW, NOTHING) for name in names[0]] == names[1]
    assert few.schema.types == none.schema.types
    same = ("rows", "complete", "withheld", "sources")
    assert [getattr(few.receipt, name) for name in same] == [getattr(none.receipt, name) for name in same]
    assert len(few.receipt.as_record()) == len(none.receipt.as_record())


def _values_and_names(answer: Answer) -> tuple[list[list[object]], list[str]]:
    table = answer.table()
    return [column.to_pylist() for column in table.columns], table.schema.names


def test_the_steward_reads_why_cells_were_withheld_and_the_asker_does_not(services: Services) -> None:
    answer = asked(services, "SELECT sum(spend_eur) FROM ads WHERE country = 'DE'")
    receipt = my_receipt(services, ASKER, answer.receipt.id)
    [entry] = services.ledger.search(action=Action.CELLS_WITHHELD, subject=answer.receipt.id)
    assert entry.details == {"cells": {"dominance: advertiser_id": 1}}
    assert "dominance: " not in repr(receipt)
    assert Action.CELLS_WITHHELD not in {mine.action for mine in my_entries(services, ASKER)}


def test_an_answer_of_cells_stands_while_its_policy_does_and_can_be_asked_again(services: Services) -> None:
    sql = "SELECT placement, count(*) AS n FROM ads GROUP BY placement ORDER BY n"
    first, again = asked(services, sql), asked(services, sql)
    assert not changed_since(services, ASKER, first.receipt.sources, first.receipt.at)
    assert first.table() == again.table()
    assert first.receipt.fingerprint == again.receipt.fingerprint
    assert first.receipt.fingerprint != asked(services, sql.replace("count(*)", "sum(impressions)")).receipt.fingerprint


def test_explain_says_what_would_be_released_and_what_may_be_done_with_each_column(services: Services) -> None:
    sql = "SELECT date_trunc('month', campaign_date), sum(spend_eur) FROM ads WHERE country IN ('FR', 'IT') GROUP BY 1"
    before = services.ledger.search(limit=1)
    explained = explain_statement(services, ASKER, Statement(sql))
    assert explained.releases == (
        "Line 1: of ads, one cell for each month of campaign_date where country in ('FR', 'IT'): the sum of spend_eur.",
    )
    uses = {each.column: each for each in explained.columns[next(iter(explained.columns))]}
    assert uses["country"] == ColumnUses(
        "country", "as a group", "by value", "=, IN, IS NULL", "dim_country.code", "count, count distinct"
    )
    assert uses["spend_eur"] == ColumnUses("spend_eur", aggregate="sum (to multiples of 100), average, count")
    assert uses["creative_text"] == ColumnUses("creative_text")
    assert services.ledger.search(limit=1) == before


def test_no_table_may_be_given_the_name_of_another_dataset(services: Services) -> None:
    for sql in (
        "SELECT count(*) FROM ads AS moderation",
        "WITH ads AS (SELECT 1 AS x) SELECT x FROM ads",
        "SELECT * FROM (SELECT 1 AS x) AS Recsys",
    ):
        with pytest.raises(StatementRefusal) as refused:
            asked(services, sql)
        assert "SQL_NAME_TAKEN" in {fault.code for fault in refused.value.faults}
    assert asked(services, "SELECT * FROM (SELECT 1 AS x) AS secret_ds").receipt.rows == 1

# ruff: noqa: E501 - a statement reads best on one line
"""Which dataset columns a statement reads: all that it does, and where a star is used, all that it may."""

import pytest
from support.statements import statement_parser

from portal.errors import StatementRefusal
from portal.ids import DatasetName
from portal.sql import parse, plan
from portal.sql.plan import TableSchema

TABLES = {
    DatasetName(name): TableSchema(DatasetName(name), dict.fromkeys(columns.split(), "VARCHAR"))
    for name, columns in {"ads": "id country spend topics target", "links": "id parent country"}.items()
}
ADS = "ads.country ads.id ads.spend ads.target ads.topics"
LINKS = "links.country links.id links.parent"

READS = {
    "SELECT country FROM ads": "ads.country",
    "SELECT COUNTRY FROM Ads": "ads.country",
    "SELECT count(*) FROM ads": "",
    "SELECT 1 FROM ads WHERE spend > 1 ORDER BY id": "ads.id ads.spend",
    "SELECT * FROM ads": ADS,
    "SELECT a.* FROM ads a, links": ADS,
    "SELECT * EXCLUDE (id) FROM ads": ADS,
    "SELECT COLUMNS('x') FROM ads": ADS,
    "SELECT ads FROM ads": ADS,
    "SELECT target.age.years FROM ads": "ads.target",
    "SELECT a.target.age FROM ads a": "ads.target",
    "SELECT a.country.upper() FROM ads a": "ads.country",
    "SELECT country.upper() FROM ads": "ads.country",
    "SELECT list_transform(topics, lambda id: id || spend) FROM ads": "ads.spend ads.topics",
    "SELECT [id FOR id IN topics IF id <> country] FROM ads": "ads.country ads.topics",
    "SELECT {'spend': id} FROM ads": "ads.id",
    "SELECT parent FROM ads JOIN links USING (id)": "ads.id links.id links.parent",
    "SELECT parent FROM ads NATURAL JOIN links": "ads.country ads.id links.country links.id links.parent",
    "SELECT ads.id FROM ads SEMI JOIN links ON ads.id = links.parent": "ads.id links.parent",
    "SELECT x FROM (SELECT spend AS x, country FROM ads)": "ads.country ads.spend",
    "WITH c AS (SELECT id, spend FROM ads) SELECT id FROM c": "ads.id ads.spend",
    "WITH c(x) AS (SELECT id FROM ads), d AS (SELECT x FROM c) SELECT x FROM d": "ads.id",
    "WITH RECURSIVE r AS (SELECT id, parent FROM links WHERE parent IS NULL UNION ALL SELECT l.id, l.parent FROM links l JOIN r ON l.parent = r.id) SELECT id FROM r": "links.id links.parent",
    "SELECT id FROM ads WHERE EXISTS (SELECT 1 FROM links WHERE parent = spend)": "ads.id ads.spend links.parent",
    "SELECT (SELECT max(parent) FROM links l WHERE l.id = a.id) FROM ads a": "ads.id links.id links.parent",
    "SELECT t.x FROM ads, LATERAL (SELECT spend AS x) t": "ads.spend",
    "SELECT t FROM ads, unnest(topics) AS u(t)": "ads.topics",
    "SELECT spend * 2 AS twice, twice + 1 FROM ads WHERE twice > 3": "ads.spend",
    "SELECT id FROM ads UNION SELECT parent FROM links ORDER BY id": "ads.id links.parent",
    "SELECT sum(spend) OVER w FROM ads WINDOW w AS (PARTITION BY country)": "ads.country ads.spend",
    "SELECT string_agg(id, ',' ORDER BY spend) FILTER (WHERE country = 'DE') FROM ads": "ads.country ads.id ads.spend",
    "FROM links PIVOT (count(*) FOR country IN ('DE'))": LINKS,
    "UNPIVOT links ON parent, country INTO NAME n VALUE v": LINKS,
    "SELECT DISTINCT ON (country) id FROM ads": "ads.country ads.id",
    "SELECT id FROM ads GROUP BY id HAVING max(spend) > 1": "ads.id ads.spend",
    "VALUES ((SELECT max(id) FROM ads))": "ads.id",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), READS.items())
def test_the_columns_that_are_read(sql: str, expected: str) -> None:
    planned = plan(parse(sql), TABLES, statement_parser())
    assert sorted(f"{use.dataset}.{use.column}" for use in planned.columns) == expected.split()


def test_the_datasets_are_named_as_the_catalogue_names_them() -> None:
    planned = plan(parse("SELECT a.id FROM ADS a, Links, ads b WHERE b.id = parent"), TABLES, statement_parser())
    assert planned.datasets == ("ads", "links")


def test_a_common_table_expression_is_no_dataset() -> None:
    assert parse("WITH c AS (SELECT 1), d AS (FROM c) FROM d, ads").datasets == ("ads",)


def test_a_member_that_does_not_repeat_does_not_see_itself() -> None:
    assert parse("WITH c AS (SELECT * FROM c) SELECT * FROM c").datasets == ("c",)


def test_a_name_means_the_nearest_member() -> None:
    assert parse("WITH c AS (SELECT 1) SELECT * FROM (WITH c AS (FROM ads) FROM c), c").datasets == ("ads",)


def test_parameters_are_named_once_in_order() -> None:
    assert parse("SELECT $b, $a, $b").parameters == ("b", "a")


@pytest.mark.parametrize(
    ("sql", "fix"),
    [
        ("SELECT contry FROM ads", "Did you mean country?"),
        ("SELECT a.spent FROM ads a, links", "Did you mean spend?"),
        ("SELECT zzz FROM (SELECT id AS one FROM ads)", "The columns here: one."),
        ("SELECT qqq FROM ads", "The columns here: country, id, spend, target, topics."),
    ],
)
def test_an_unknown_column_brings_near_names_of_what_is_in_sight(sql: str, fix: str) -> None:
    with pytest.raises(StatementRefusal) as caught:
        plan(parse(sql), TABLES, statement_parser())
    assert caught.value.faults[0].fix == fix

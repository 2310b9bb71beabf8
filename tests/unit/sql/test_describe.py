# ruff: noqa: E501 - a statement reads best on one line
"""A block in words: every kind of key, condition and join is said."""

from support.protected import plan_over_cells

from portal.sql.describe import block_in_words


def test_a_remainder_is_said() -> None:
    [block] = plan_over_cells("SELECT country, is_remainder, count(*) FROM ads GROUP BY country").blocks
    assert block_in_words(block) == (
        "Line 1: of ads, one cell for each country, and one over all that are withheld: the number of rows."
    )


def test_a_block_says_all_that_it_asks_for() -> None:
    [block] = plan_over_cells(
        "SELECT floor(age / 20) * 20 AS a, left(postcode, 2) AS p, date_trunc('week', v.week) AS w, year(day) AS y, v.level, sum(r.delay) AS s "
        "FROM visits v JOIN reports r ON v.person = r.person JOIN dim_country d ON v.code = d.code "
        "WHERE left(postcode, 3) IN ('101', $p) AND price < 20 AND d.pop_m > 3 GROUP BY ALL",
        p="102",
    ).blocks
    assert block_in_words(block) == (
        "Line 1: of visits, joined to reports by person = person, joined to dim_country by code = code, one cell for each "
        "step of 20 of age and first 2 characters of postcode and week of week and year of day and level "
        "where the first 3 characters of postcode in ('101', '102') and price < 20.0 and dim_country.pop_m > 3: "
        "the sum of reports.delay."
    )

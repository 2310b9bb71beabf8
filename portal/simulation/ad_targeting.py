"""Targeting of advertisements in the form of the Meta Ad Library file: its 37 columns, with invented advertisers.

How many pages use a criterion, with how many values and how much of their spending, follows `ad_targeting.yaml`.
"""

from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice
from portal.simulation.files import read_figures, write_parquet


class Criterion(Content):
    """One kind of targeting: how many pages used it, in how many rows, and the mean share of their spending."""

    together: str
    type: str
    label: str
    exclusion: bool | None = None
    place: str | None = None
    detailed: str | None = None
    audience: str | None = None
    pages: int
    rows: int
    share: float


class Figures(Content):
    """The figures of the real file."""

    source: str
    licence: str
    pages: int
    pages_without_targeting: int
    share_of_those_with_two_rows: float
    criteria: tuple[Criterion, ...]


def simulate_ad_targeting(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file; at scale 1 it has as many pages with targeting as the real one."""
    figures, dice = read_figures("ad_targeting.yaml", Figures), Dice(seed)
    cell = "concat_ws('/', page, together, label, k, is_exclusion)"
    select = _TARGETING.format(
        pages=max(10, round(figures.pages * scale)),
        others=max(10, round(figures.pages_without_targeting * scale)),
        two_rows=figures.share_of_those_with_two_rows,
        criteria=", ".join(_row(place, criterion, figures.pages) for place, criterion in enumerate(figures.criteria)),
        size=dice.throw("size", of="page"),
        spent=dice.throw("spent", of="page"),
        listed_twice=dice.throw("listed twice", of="page"),
        used=dice.throw("used", of="concat_ws('/', page, together)"),
        many=dice.throw("many", of="concat_ws('/', page, together)"),
        first=dice.throw("first", of="concat_ws('/', page, label)"),
        part=dice.throw("part", of=cell),
        hidden=dice.throw("hidden", of=cell),
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [write_parquet(connection, select, target_dir / "ad_targeting.parquet")]


def _row(place: int, criterion: Criterion, pages: int) -> str:
    cells = (
        place,
        criterion.together,
        criterion.type,
        criterion.label,
        criterion.exclusion,
        criterion.place,
        criterion.detailed,
        criterion.audience,
        criterion.pages / pages,
        criterion.rows / criterion.pages,
        criterion.share,
    )
    return f"({', '.join(map(literal, cells))})"


_TARGETING = """
WITH criteria(place, together, type, label, is_exclusion, location_type, detailed_type, audience, pages, rows, share)
    AS (VALUES {criteria}),
all_pages AS (
    SELECT page, page < {pages} AS shown, 1 + floor(-ln(1 - {size}) * 27)::INTEGER AS total_num_ads,
        round(100 * pow(1 - {spent}, -1.2)) AS amount_spent, {listed_twice} < {two_rows} AS listed_twice
    FROM range({pages} + {others}) AS r(page)
),
chosen AS (
    SELECT *, unnest(range(1 + floor(-ln(1 - {many}) * (rows - 1))::BIGINT)) AS k
    FROM all_pages CROSS JOIN criteria WHERE shown AND {used} < pages
),
targeting AS (
    SELECT page, place, k, type, is_exclusion, location_type, detailed_type, audience,
        pow({part}, 1 / share - 1) AS part,
        label || CASE WHEN ends_with(label, 'Audience') THEN '' ELSE ' ' || (floor({first} * 400)::BIGINT + k) END
            AS value,
        CASE WHEN type = 'location' THEN ({hidden} < 0.02)::INTEGER END AS num_obfuscated
    FROM chosen
    UNION ALL
    SELECT page, -2, age - 13, 'age', NULL, NULL, NULL, NULL, (age >= 18)::INTEGER,
        CASE WHEN age = 65 THEN '65+' ELSE age::VARCHAR END, NULL
    FROM all_pages CROSS JOIN range(13, 66) AS r(age) WHERE shown
    UNION ALL
    SELECT page, -1, k, 'gender', NULL, NULL, NULL, NULL, (k = 0)::INTEGER, (['All', 'Men', 'Women'])[1 + k], NULL
    FROM all_pages CROSS JOIN range(3) AS r(k) WHERE shown
    UNION ALL
    SELECT page, -3, k, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM all_pages CROSS JOIN range(2) AS r(k) WHERE NOT shown AND (k = 0 OR listed_twice)
)
SELECT
    CASE WHEN NOT shown THEN page_number END AS internal_id,
    CASE WHEN NOT shown THEN true END AS no_data,
    TIMESTAMPTZ '2026-07-02 03:00:00+00' + to_hours(CASE WHEN NOT shown AND k = 1 THEN 2 ELSE 0 END) AS tstamp,
    CASE WHEN known THEN page_number END AS page_id,
    CASE WHEN known THEN 'US' END AS cntry,
    CASE WHEN known THEN 'Synthetic Advertiser ' || page END AS page_name,
    NULL::VARCHAR AS partyfacts_id,
    CASE WHEN known THEN 'report' END AS sources,
    NULL::VARCHAR AS country,
    CASE WHEN known THEN 'unknown' END AS party,
    NULL::DOUBLE AS left_right, NULL::VARCHAR AS tags, NULL::VARCHAR AS tags_ideology,
    CASE WHEN known THEN 'Synthetic Payer ' || page // 2 END AS disclaimer,
    CASE WHEN known THEN if(amount_spent <= 100, '≤100', amount_spent::BIGINT::VARCHAR) END AS amount_spent_usd,
    CASE WHEN known THEN (total_num_ads * 3)::VARCHAR END AS number_of_ads_in_library,
    CASE WHEN known THEN '2026-06-30' END AS date,
    CASE WHEN known THEN 'synthetic/report.csv' END AS path,
    CASE WHEN known THEN 'last_90_days' END AS tf,
    CASE WHEN known THEN false END AS remove_em,
    CASE WHEN known THEN {pages} + {others} END::INTEGER AS total_n,
    CASE WHEN known THEN amount_spent END AS amount_spent,
    value,
    CASE WHEN shown THEN round(total_num_ads * part) END::INTEGER AS num_ads,
    CASE WHEN shown THEN part END::DOUBLE AS total_spend_pct,
    type, location_type, num_obfuscated, is_exclusion,
    audience AS custom_audience_type,
    CASE WHEN shown THEN '2026-06-30' END AS ds,
    CASE WHEN shown THEN 'USD' END AS main_currency,
    CASE WHEN shown THEN total_num_ads END AS total_num_ads,
    CASE WHEN shown THEN greatest(100, round(amount_spent / 3)) END AS total_spend_formatted,
    CASE WHEN shown THEN true END AS is_30_day_available,
    CASE WHEN shown THEN true END AS is_90_day_available,
    detailed_type
FROM (
    SELECT *, (900000000000 + page)::VARCHAR AS page_number, shown OR k = 1 AS known
    FROM targeting JOIN all_pages USING (page)
)
ORDER BY page, place, k
"""

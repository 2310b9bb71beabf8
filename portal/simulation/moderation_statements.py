"""Statements of reasons as a marketplace would export them: the 38 columns of the Transparency Database's daily dump.

Four columns more name seller, listing, price and notifier, as a platform knows them. Each value is as frequent in
each month as the figures in `moderation_statements.yaml` say. Texts hold invented names and addresses, which the
dataset's recipe must remove.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick, shares
from portal.simulation.files import write_parquet
from portal.simulation.sellers import sellers_at
from portal.simulation.statement_figures import StatementFigures, read_statement_figures

ROWS = 500_000
"""Statements at scale 1."""
MEMORY = "500MB"
UNION = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip

FIELDS = {
    "decision_type": "kind",
    "decision_visibility": "visibility",
    "decision_monetary": "money",
    "decision_provision": "ending",
    "decision_account": "ending",
    "account_type": "account",
    "decision_ground": "ground",
    "category": "category",
    "content_type": "content",
    "territorial_scope": "scope",
    "source_type": "source",
    "automated_detection": "automation",
    "automated_decision": "automation",
}
"""Each field of the figures and the throw that decides it; fields of one throw go together."""

THROWS = sorted(
    {*FIELDS.values()}
    | {"time", "seller", "listing", "reporting", "moderation", "duration"}
    | {"keyword", "keyword_given", "flagger", "notifier"}
)


def simulate_moderation_statements(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file a month, 500,000 x scale rows in all; memory does not grow with the scale."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        return [
            write_parquet(connection, select, target_dir / f"moderation_statements-{month}.parquet")
            for month, select in statements_by_month(scale, seed)
        ]


def statements_by_month(scale: float, seed: int) -> Iterator[tuple[str, str]]:
    """Yield each month with the SELECT of its statements, so that what answers or contests them names the same ones."""
    figures, total, first = read_statement_figures(), max(1, round(ROWS * scale)), 0
    sellers = sellers_at(scale)
    for month, rows in enumerate(shares(total, figures.totals())):
        select = _select(figures, Dice(seed), month, range(first, first + rows), sellers)
        yield figures.simulated_months[month], select
        first += rows


def _select(figures: StatementFigures, dice: Dice, month: int, rows: range, sellers: int) -> str:
    """Return the SELECT of one month's statements, whose numbers are the given ones."""
    assumed = figures.assumptions
    picks = {field: pick(throw, figures.weights(field, month)) for field, throw in FIELDS.items()}
    keywords = " ".join(
        f"WHEN {literal(category)} THEN {pick('keyword', dict.fromkeys(values, 1))}"
        for category, values in assumed.keywords.items()
    )
    return _STATEMENTS.format(
        first=rows.start,
        last=rows.stop,
        throws=", ".join(f"{dice.throw(throw)} AS {throw}" for throw in THROWS),
        picks=", ".join(f"{sql} AS picked_{field}" for field, sql in picks.items()),
        month=figures.simulated_months[month],
        sellers=sellers,
        listings=assumed.listings_per_seller,
        price_throw=dice.throw("price", of="listing_number"),
        ean_throw=dice.throw("ean", of="listing_number"),
        ean_share=assumed.share_of_listings_with_ean,
        reporting_days=figures.mean_delay("disclosure_delay", month),
        moderation_days=figures.mean_delay("moderation_delay", month),
        flaggers=assumed.share_of_notices_from_trusted_flaggers,
        keyword_share=assumed.share_with_keyword,
        keywords=keywords,
        union=literal(json.dumps(UNION)),
        platform=literal(assumed.platform_name),
    )


_STATEMENTS = """
WITH thrown AS (SELECT i, {throws} FROM range({first}, {last}) AS r(i)),
picked AS (
    SELECT *, {picks},
        TIMESTAMP '{month}-01' + to_seconds(floor(time * 86400 * day(last_day(DATE '{month}-01')))::BIGINT) AS sent_at,
        floor({sellers} * seller * seller)::BIGINT AS seller_number,
        floor(notifier * 5000)::BIGINT AS notifier_number
    FROM thrown
),
followed AS (
    SELECT *,
        seller_number * {listings} + floor(listing * {listings})::BIGINT AS listing_number,
        contains(picked_decision_type, 'vis') AS restricts_content,
        contains(picked_decision_type, 'mon') AS restricts_money,
        contains(picked_decision_type, 'pro') AS restricts_service,
        contains(picked_decision_type, 'acc') AS restricts_account,
        CASE WHEN picked_source_type = 'SOURCE_ARTICLE_16' AND flagger < {flaggers} THEN 'SOURCE_TRUSTED_FLAGGER'
            ELSE picked_source_type END AS what_led_to_it,
        CAST(sent_at + to_seconds(CAST(86400 * {reporting_days} * ln(1 - reporting) AS BIGINT)) AS DATE) AS applied_on,
        sent_at::DATE + 7 + floor(duration * 90)::INTEGER AS ends_on,
        'person' || notifier_number || '@notifier.example' AS notifier_address
    FROM picked
)
SELECT
    CAST(md5(concat_ws('-', 'statement', time, i)) AS UUID)::VARCHAR AS uuid,
    CASE WHEN restricts_content THEN '["' || picked_decision_visibility || '"]' END AS decision_visibility,
    NULL::VARCHAR AS decision_visibility_other, NULL::DATE AS end_date_visibility_restriction,
    CASE WHEN restricts_money THEN picked_decision_monetary END AS decision_monetary,
    NULL::VARCHAR AS decision_monetary_other,
    CASE WHEN restricts_money AND contains(picked_decision_monetary, 'SUSPENSION') THEN ends_on END
        AS end_date_monetary_restriction,
    CASE WHEN restricts_service THEN picked_decision_provision END AS decision_provision,
    CASE WHEN restricts_service AND contains(picked_decision_provision, 'SUSPENSION') THEN ends_on END
        AS end_date_service_restriction,
    CASE WHEN restricts_account THEN picked_decision_account END AS decision_account,
    CASE WHEN restricts_account AND contains(picked_decision_account, 'SUSPENDED') THEN ends_on END
        AS end_date_account_restriction,
    picked_account_type AS account_type,
    picked_decision_ground AS decision_ground,
    'https://marketplace.example/rules' AS decision_ground_reference_url,
    CASE WHEN contains(picked_decision_ground, 'ILLEGAL') THEN 'Invented law' END AS illegal_content_legal_ground,
    CASE WHEN contains(picked_decision_ground, 'ILLEGAL') THEN 'Offer of seller' || seller_number || '@shop.example' END
        AS illegal_content_explanation,
    CASE WHEN contains(picked_decision_ground, 'INCOMPATIBLE') THEN 'Invented rules, section 1' END
        AS incompatible_content_ground,
    CASE WHEN contains(picked_decision_ground, 'INCOMPATIBLE') THEN 'Offer of Synthetic Shop ' || seller_number END
        AS incompatible_content_explanation,
    CASE WHEN contains(picked_decision_ground, 'INCOMPATIBLE') THEN 'No' END AS incompatible_content_illegal,
    picked_category AS category,
    NULL::VARCHAR AS category_addition, NULL::VARCHAR AS category_specification_other,
    CASE WHEN keyword_given < {keyword_share} THEN '["' || CASE picked_category {keywords} END || '"]' END
        AS category_specification,
    '["' || picked_content_type || '"]' AS content_type,
    NULL::VARCHAR AS content_type_other, NULL::VARCHAR AS content_language,
    applied_on + CAST({moderation_days} * ln(1 - moderation) AS INTEGER) AS content_date,
    CASE WHEN restricts_content AND '{month}' >= '2025-07' AND {ean_throw} < {ean_share}
        THEN '20' || lpad(listing_number::VARCHAR, 11, '0') END AS content_id_ean,
    CASE picked_territorial_scope WHEN 'EU' THEN {union} WHEN 'NOT_STATED' THEN NULL
        ELSE '["' || picked_territorial_scope || '"]' END AS territorial_scope,
    applied_on AS application_date,
    'Synthetic Shop ' || seller_number || ' was told of the decision at seller' || seller_number || '@shop.example.'
        AS decision_facts,
    what_led_to_it AS source_type,
    CASE what_led_to_it WHEN 'SOURCE_TRUSTED_FLAGGER' THEN 'Synthetic Trusted Flagger ' || notifier_number % 7
        WHEN 'SOURCE_ARTICLE_16' THEN 'Synthetic Person ' || notifier_number || ', ' || notifier_address END
        AS source_identity,
    picked_automated_detection AS automated_detection,
    picked_automated_decision AS automated_decision,
    {platform} AS platform_name,
    'content-' || i AS platform_uid,
    sent_at AS created_at,
    'seller-' || lpad(seller_number::VARCHAR, 8, '0') AS seller_id,
    CASE WHEN restricts_content THEN 'listing-' || lpad(listing_number::VARCHAR, 10, '0') END AS listing_id,
    CASE WHEN restricts_content THEN round(least(1.5 * pow(1 - {price_throw}, -0.9), 900), 2) END AS listing_price_eur,
    CASE WHEN what_led_to_it = 'SOURCE_ARTICLE_16' THEN notifier_address END AS notifier_email
FROM followed
"""

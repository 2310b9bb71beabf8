"""Removed listings and their returns: one row a removal, in chains of a listing that comes back under new numbers.

Where a listing returns, by whom, and how hidden links are found follows `planted_traders.yaml`. Listings appear while
their account is open; one whose account is not ends its chain.
"""

import json
from datetime import date
from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick
from portal.simulation.files import read_figures, write_parquet
from portal.simulation.moderation_statements import UNION
from portal.simulation.planted_traders import read_planted_truths
from portal.simulation.sellers import sellers_at, sellers_query
from portal.simulation.statement_figures import read_statement_figures


class ReappearanceFigures(Content):
    """What is assumed of removed listings; see the file for each figure."""

    source: str
    chains: int
    affiliates: int
    fewest_affiliates: int
    first_day: date
    last_day: date
    most_returns: int
    share_found_before_listing: float
    share_with_affiliate: dict[str, float]
    channels: dict[str, float]
    vectors: dict[str, float]
    products: dict[str, float]
    categories: dict[str, float]
    share_with_safety_gate_alert: dict[str, float]
    views_an_hour: float
    orders_a_hundred_views: float
    share_in_whole_union: float
    scope: dict[str, float]
    methods: dict[str, float]


def simulate_listing_reappearance(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file with the removals of `chains` x scale listings and of their returns."""
    select = _select(read_figures("listing_reappearance.yaml", ReappearanceFigures), Dice(seed), scale)
    with duckdb.connect() as connection:
        return [write_parquet(connection, select, target_dir / "listing_reappearance.parquet")]


def _select(figures: ReappearanceFigures, dice: Dice, scale: float) -> str:
    planted = read_planted_truths()
    sellers, links = sellers_at(scale), planted.hidden_links

    def of_chain(name: str) -> str:
        return dice.throw(f"removal {name}", of="chain")

    def of_turn(name: str) -> str:
        return dice.throw(f"removal {name}", of="concat_ws('/', chain, turn)")

    def by_product(values: dict[str, float]) -> str:
        cases = " ".join(f"WHEN {literal(product)} THEN {value}" for product, value in values.items())
        return f"CASE product_category {cases} END"

    def if_hidden(shares: dict[str, float]) -> str:
        return f"if(hidden_link, {shares['hidden_link']}, {shares['others']})"

    grown = {way: weight * (links.times if way == links.growing else 1) for way, weight in figures.vectors.items()}
    growth = sum(grown.values()) / sum(figures.vectors.values())
    return _REMOVALS.format(
        chains=max(1, round(figures.chains * scale)),
        sellers=sellers,
        sellers_query=sellers_query(sellers, dice),
        seller_throw=of_chain("seller"),
        listings=read_statement_figures().assumptions.listings_per_seller,
        listing_throw=of_chain("listing"),
        first_day=figures.first_day,
        last_day=figures.last_day,
        first_throw=of_chain("first day"),
        product=pick(of_chain("product"), figures.products),
        category=pick(of_chain("category"), figures.categories),
        has_grown=f"posted_on >= DATE '{links.since}'",
        is_hiding=f"{of_chain('hidden')} < if(has_grown, {links.share * growth}, {links.share})",
        vector=f"if(has_grown, {pick(of_chain('vector'), grown)}, {pick(of_chain('vector'), figures.vectors)})",
        returns_throw=of_chain("returns"),
        share_back=if_hidden(planted.share_listings_back),
        most_returns=figures.most_returns,
        alert=f"{of_chain('alert')} < {by_product(figures.share_with_safety_gate_alert)}",
        scope=f"CASE WHEN {of_chain('union')} < {figures.share_in_whole_union} THEN {literal(json.dumps(UNION))} "
        f"ELSE '[\"' || {pick(of_chain('scope'), figures.scope)} || '\"]' END",
        days=f"1 + floor(-ln(1 - {of_turn('days')}) * {planted.days_to_return - 1})::BIGINT",
        before=f"NOT hidden_link AND {of_turn('stage')} < {figures.share_found_before_listing}",
        hours=f"-ln(1 - {of_turn('hours')}) * {by_product(planted.mean_hours_live)}",
        found_hidden=pick(of_turn("source"), planted.found_by["hidden_link"]),
        found_other=pick(of_turn("source"), planted.found_by["others"]),
        views=f"floor(hours_live * {figures.views_an_hour} * {of_turn('views')} * 2)::BIGINT",
        orders=f"floor(views * {figures.orders_a_hundred_views / 100} * {of_turn('orders')} * 2)::BIGINT",
        in_entity=f"{of_turn('owner')} < {planted.share_of_returns_in_entity}",
        other_throw=of_turn("other owner"),
        method=pick(of_turn("method"), figures.methods),
        has_affiliate=f"{of_turn('affiliate')} < {if_hidden(figures.share_with_affiliate)}",
        channels=f"[{', '.join(map(literal, figures.channels))}]",
        channel=f"if(hidden_link AND {of_turn('messenger')} < {planted.share_of_messenger_in_hidden_links}, "
        f"'MESSENGER', {pick(of_turn('channel'), figures.channels)})",
        of_channel=max(figures.fewest_affiliates, round(figures.affiliates * scale)) // len(figures.channels),
        affiliate_throw=of_turn("which affiliate"),
        channel_count=len(figures.channels),
    )


_REMOVALS = """
WITH sellers AS (
    SELECT *, registered_month AS opened_on, coalesce(closed_on, DATE '9999-12-31') AS ends_on,
        list({{'number': seller_number, 'opened_on': opened_on, 'ends_on': ends_on}} ORDER BY seller_number)
            OVER (PARTITION BY entity_id) AS accounts
    FROM ({sellers_query})
),
chains AS (
    SELECT chain, floor({sellers} * pow({seller_throw}, 2))::BIGINT AS first_seller,
        first_seller * {listings} + floor({listing_throw} * {listings})::BIGINT AS first_listing,
        DATE '{first_day}' + floor({first_throw} * (DATE '{last_day}' - DATE '{first_day}'))::INTEGER AS posted_on,
        {product} AS product_category, {category} AS illegal_category, {has_grown} AS has_grown,
        {is_hiding} AS hidden_link
    FROM range({chains}) AS r(chain)
    QUALIFY row_number() OVER (PARTITION BY first_listing ORDER BY chain) = 1
),
turns AS (
    SELECT *, CASE WHEN hidden_link THEN {vector} END AS hidden_link_vector, {alert} AS has_alert, {scope} AS scope,
        unnest(range(1 + least({most_returns}, floor(ln(1 - {returns_throw}) / ln({share_back})))::BIGINT)) AS turn
    FROM chains
),
timed AS (
    SELECT *,
        CASE WHEN turn > 0 THEN {days} END AS days_since_removal,
        turn = 0 AND {before} AS is_before,
        CASE WHEN is_before THEN 0 ELSE {hours} END AS hours_live
    FROM turns
),
placed AS (
    SELECT *,
        sum(coalesce(days_since_removal, 0) * 24 + hours_live) OVER (PARTITION BY chain ORDER BY turn) AS hours_to_end,
        posted_on::TIMESTAMP + to_hours(floor(hours_to_end)::BIGINT) AS removed_at,
        removed_at - to_hours(ceil(hours_live)::BIGINT) AS published_at,
        CASE WHEN is_before THEN 'ALGORITHM' WHEN hidden_link THEN {found_hidden} ELSE {found_other} END
            AS detection_source,
        {views} AS views, {orders} AS orders,
        turn > 0 AND {in_entity} AS in_entity, floor({other_throw} * {sellers})::BIGINT AS other_seller
    FROM timed
),
sold AS (
    SELECT placed.*, first.entity_id AS first_entity,
        list_filter(accounts, lambda a: published_at BETWEEN a.opened_on AND a.ends_on) AS open_accounts,
        CASE WHEN turn = 0 THEN first_seller
            WHEN in_entity AND len(open_accounts) > 0 THEN open_accounts[1 + turn % len(open_accounts)].number
            ELSE other_seller END AS owner_number
    FROM placed JOIN sellers AS first ON first.seller_number = first_seller
    WHERE removed_at::DATE <= DATE '{last_day}'
),
owned AS (
    SELECT sold.*, owner.seller_id, owner.entity_id, owner.seller_number, owner.is_natural_person,
        owner.entity_id = first_entity AS same_entity
    FROM sold JOIN sellers AS owner ON owner.seller_number = owner_number
    QUALIFY bool_and(published_at BETWEEN opened_on AND ends_on) OVER (PARTITION BY chain ORDER BY turn)
),
promoted AS (
    SELECT *, {has_affiliate} AS has_affiliate, {channel} AS channel,
        floor(pow({affiliate_throw}, 2) * {of_channel})::BIGINT * {channel_count}
            + list_position({channels}, channel) AS affiliate
    FROM owned
)
SELECT
    'listing-' || lpad(if(turn = 0, first_listing, 1000000000 + chain * 10 + turn)::VARCHAR, 10, '0') AS listing_id,
    seller_id, entity_id, is_natural_person,
    'Synthetic offer ' || chain || ' of seller' || seller_number || '@shop.example' AS listing_title,
    scope AS offered_in,
    product_category, illegal_category,
    CASE WHEN has_alert THEN 'SR/' || lpad((chain % 100000)::VARCHAR, 5, '0') || '/25' END AS safety_gate_alert,
    published_at, removed_at,
    if(is_before, 'PRE_LISTING', 'POST_LISTING') AS detection_stage, detection_source,
    round(hours_live, 1) AS hours_live, views, orders, hidden_link, hidden_link_vector,
    CASE WHEN has_affiliate THEN 'affiliate-' || lpad(affiliate::VARCHAR, 6, '0') END
        AS affiliate_id,
    CASE WHEN has_affiliate THEN channel END AS affiliate_channel,
    CASE WHEN turn > 0 THEN 'listing-'
        || lpad(if(turn = 1, first_listing, 1000000000 + chain * 10 + turn - 1)::VARCHAR, 10, '0') END
        AS original_listing_id,
    CASE WHEN turn > 0 THEN {method} || ', distance ' || chain % 12 END AS match_method,
    days_since_removal,
    CASE WHEN turn > 0 THEN same_entity END AS same_entity
FROM promoted
ORDER BY removed_at, chain, turn
"""

"""The register of traders as a platform keeps it under Art. 30 DSA: what each gave, what was checked, how it stands."""

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


class TraderFigures(Content):
    """What is assumed of the register; see the file for each figure."""

    last_day: date
    listings: dict[str, tuple[int, int]]
    orders_of_month: dict[str, tuple[int, int]]
    verification_sources: dict[str, float]
    share_displayed: float
    share_with_responsible_person: dict[str, float]
    share_flagged_wrongly: float


def simulate_traders(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file with every seller at the scale."""
    select = _select(read_figures("traders.yaml", TraderFigures), Dice(seed), sellers_at(scale))
    with duckdb.connect() as connection:
        return [write_parquet(connection, select, target_dir / "traders.parquet")]


def _select(figures: TraderFigures, dice: Dice, sellers: int) -> str:
    def throw(name: str) -> str:
        return dice.throw(f"trader {name}", of="seller_number")

    def between(name: str, bounds: dict[str, tuple[int, int]]) -> str:
        cases = " ".join(
            f"WHEN {literal(size)} THEN {low} + floor({throw(name)} * {high - low + 1})::BIGINT"
            for size, (low, high) in bounds.items()
        )
        return f"CASE size {cases} END"

    responsible = figures.share_with_responsible_person
    return _TRADERS.format(
        sellers=sellers_query(sellers, dice),
        last_day=figures.last_day,
        checked=throw("checked"),
        source=pick(throw("verification source"), figures.verification_sources),
        is_displayed=f"{throw('displayed')} < {figures.share_displayed}",
        responsible_throw=throw("responsible person"),
        union=f"({', '.join(map(literal, UNION))})",
        in_union=responsible["in_union"],
        elsewhere=responsible["elsewhere"],
        listings=between("listings", figures.listings),
        orders=between("orders", figures.orders_of_month),
        noticed=f"{throw('flag')} < {read_planted_truths().share_of_returns_noticed}",
        wrongly=f"{throw('flag')} < {figures.share_flagged_wrongly}",
    )


_TRADERS = """
WITH sellers AS ({sellers})
SELECT
    seller_id, entity_id,
    'Synthetic Shop ' || seller_number AS shop_name,
    'seller' || seller_number || '@shop.example' AS contact_email,
    'SYN' || lpad((seller_number * 7919)::VARCHAR, 10, '0') AS register_number,
    is_natural_person, country, registered_month AS registered_on,
    has_contact, has_identity, has_payment, has_register, has_certification,
    verification,
    CASE WHEN verification = 'VERIFIED' THEN {source} END AS verification_source,
    CASE WHEN verification = 'VERIFIED'
        THEN registered_month + floor({checked} * (DATE '{last_day}' - registered_month))::INTEGER END AS verified_on,
    {is_displayed} AS info_displayed,
    {responsible_throw} < if(country IN {union}, {in_union}, {elsewhere}) AS eu_responsible_person,
    is_affiliate,
    {listings} AS listings,
    {orders} AS orders_of_month,
    status, closed_on,
    has_returned AS opened_after_closure,
    CASE WHEN has_returned THEN {noticed} ELSE {wrongly} END AS reregistration_flag
FROM sellers
ORDER BY seller_number
"""

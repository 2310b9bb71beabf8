"""The invented sellers whom all simulated datasets share: one seeded population, in which a number is a seller.

Seller 12 is `seller-00000012` in every source, so its pseudonym joins the published datasets. What is assumed of
sellers stands in `sellers.yaml`; what is hidden among them for saved queries to find, in `planted_traders.yaml`.
"""

from datetime import date

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick
from portal.simulation.files import read_figures
from portal.simulation.planted_traders import read_planted_truths

FEWEST_SELLERS = 50
SIZES = ("SMALL", "MEDIUM", "LARGE")


class SellerFigures(Content):
    """What is assumed of sellers; see the file for each figure."""

    sellers: int
    sellers_in_block: int
    share_linked: float
    share_large: float
    share_medium: float
    share_natural_persons: dict[str, float]
    countries: dict[str, float]
    first_month: date
    months_of_registration: int
    months_of_closed: int
    first_closure: date
    days_of_closures: int
    share_suspended: float
    share_affiliates: float
    parts_given: dict[str, float]
    verification_where_complete: dict[str, float]
    verification_where_not: dict[str, float]
    share_of_occasional_offenders: float


def read_seller_figures() -> SellerFigures:
    """Read what is assumed of sellers."""
    return read_figures("sellers.yaml", SellerFigures)


def sellers_at(scale: float) -> int:
    """Return how many sellers there are at a scale."""
    return max(FEWEST_SELLERS, round(read_seller_figures().sellers * scale))


def sellers_query(count: int, dice: Dice) -> str:
    """Return a SELECT of sellers 0 to `count` - 1, one row each.

    Its columns: `seller_number` (BIGINT), `seller_id` (`seller-00000012`), `entity_id` (one for all linked accounts),
    `is_natural_person`, `country` (ISO 3166, two letters), `registered_month` (DATE), `size` (SMALL, MEDIUM, LARGE),
    `is_affiliate`, `has_contact`, `has_identity`, `has_payment`, `has_register`, `has_certification` (BOOLEAN),
    `verification` (VERIFIED, PARTIAL, PENDING, FAILED), `conduct` (NONE, OCCASIONAL, REPEAT: how often it is
    penalised), `closed_on` (DATE, NULL for sellers who are not closed), `has_returned` (opened by the owner of a closed
    account after its closure) and `status` (ACTIVE, SUSPENDED, CLOSED).
    """
    figures, planted = read_seller_figures(), read_planted_truths()

    def throw(name: str) -> str:
        return dice.throw(f"seller {name}", of="seller_number")

    def by_size(shares: dict[str, float]) -> str:
        return f"CASE size {' '.join(f'WHEN {literal(size)} THEN {shares[size]}' for size in SIZES)} END"

    parts = ", ".join(
        f"{throw(part)} < {share} * if(is_affiliate, {planted.affiliates_give_less}, 1) AS has_{part}"
        for part, share in figures.parts_given.items()
    )
    offends = planted.share_of_repeat_offenders
    return _SELLERS.format(
        count=count,
        block=figures.sellers_in_block,
        is_linked=f"{throw('linked')} < {figures.share_linked}",
        rank=f"(seller_number + 0.5) / {count} * (0.5 + {throw('size')})",
        large=figures.share_large,
        not_small=figures.share_large + figures.share_medium,
        country=pick(throw("country"), figures.countries),
        first_month=figures.first_month,
        month=throw("month"),
        months=figures.months_of_registration,
        months_of_closed=figures.months_of_closed,
        is_affiliate=f"{throw('affiliate')} < {figures.share_affiliates}",
        is_natural_person=f"{throw('natural person')} < {by_size(figures.share_natural_persons)}",
        parts=parts,
        where_complete=pick(throw("verification"), figures.verification_where_complete),
        where_not=pick(throw("verification"), figures.verification_where_not),
        conduct_throw=throw("conduct"),
        repeat=f"if(verification = 'VERIFIED', {offends['verified']}, {offends['others']})",
        occasional=figures.share_of_occasional_offenders,
        is_closed=f"conduct = 'REPEAT' AND {throw('closed')} < {by_size(planted.share_closed_when_due)}",
        closed_on=f"DATE '{figures.first_closure}' + floor({throw('closing')} * {figures.days_of_closures})::INTEGER",
        would_return=f"{throw('returned')} < {planted.share_returned}",
        months_to_return=f"1 + floor({throw('return')} * {planted.months_to_return})::INTEGER",
        is_suspended=f"{throw('suspended')} < {figures.share_suspended}",
    )


_SELLERS = """
WITH numbered AS (
    SELECT seller_number, if({is_linked}, seller_number - seller_number % {block}, seller_number) AS first_number,
        {rank} AS rank, {country} AS country, {is_affiliate} AS is_affiliate
    FROM range({count}) AS r(seller_number)
),
sized AS (
    SELECT *, CASE WHEN rank < {large} THEN 'LARGE' WHEN rank < {not_small} THEN 'MEDIUM' ELSE 'SMALL' END AS size
    FROM numbered
),
known AS (SELECT *, {is_natural_person} AS is_natural_person, {parts} FROM sized),
checked AS (
    SELECT * REPLACE (has_register AND NOT is_natural_person AS has_register),
        has_contact AND has_identity AND has_payment AND has_certification AND (has_register OR is_natural_person)
            AS is_complete,
        CASE WHEN is_complete THEN {where_complete} ELSE {where_not} END AS verification
    FROM known
),
judged AS (
    SELECT *, CASE WHEN {conduct_throw} < {repeat} THEN 'REPEAT'
        WHEN {conduct_throw} < {repeat} + {occasional} THEN 'OCCASIONAL' ELSE 'NONE' END AS conduct
    FROM checked
),
fated AS (
    SELECT *, CASE WHEN {is_closed} THEN {closed_on} END AS closing, {would_return} AS would_return FROM judged
),
followed AS (
    SELECT own.*, first.closing AS first_closing,
        own.seller_number <> own.first_number AND first_closing IS NOT NULL AND own.would_return AS comes_back
    FROM fated AS own JOIN fated AS first ON first.seller_number = own.first_number
),
dated AS (
    SELECT *, CASE WHEN NOT comes_back THEN closing END AS closed_on,
        CASE WHEN comes_back THEN date_trunc('month', first_closing) + to_months({months_to_return})
            ELSE DATE '{first_month}'
                + to_months(floor({month} * if(closing IS NULL, {months}, {months_of_closed}))::INTEGER)
            END AS registered_month
    FROM followed
)
SELECT seller_number,
    'seller-' || lpad(seller_number::VARCHAR, 8, '0') AS seller_id,
    'entity-' || lpad(first_number::VARCHAR, 8, '0') AS entity_id,
    is_natural_person, country, registered_month::DATE AS registered_month, size, is_affiliate,
    has_contact, has_identity, has_payment, has_register, has_certification, verification, conduct, closed_on,
    coalesce(min(closed_on) OVER (PARTITION BY first_number) < registered_month, false) AS has_returned,
    CASE WHEN closed_on IS NOT NULL THEN 'CLOSED' WHEN {is_suspended} THEN 'SUSPENDED' ELSE 'ACTIVE' END AS status
FROM dated
"""

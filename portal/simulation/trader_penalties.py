"""Penalties of sellers as a platform's enforcement would export them: one row a decision, with the rule's own word.

Each breach adds points; the rule says from how many points, or strikes, which measure follows. What was done instead is
drawn from `planted_traders.yaml`.
"""

from datetime import date
from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick
from portal.simulation.files import read_figures, write_parquet
from portal.simulation.planted_traders import read_planted_truths
from portal.simulation.sellers import sellers_at, sellers_query

STEPS = ("NONE", "WARNING", "RESTRICTION", "SUSPENSION", "CLOSURE")
"""Measures from mild to severe."""


class PenaltyFigures(Content):
    """The rule and what is assumed of its practice; see the file for each figure."""

    source: str
    first_day: date
    last_day: date
    points: dict[str, int]
    points_of_closure: int
    strikes_of_closure: int
    ladder: dict[str, int]
    most_of_occasional: int
    fewest_of_repeated: int
    most_of_repeated: int
    share_minor_of_occasional: float
    days_between_before_closure: int
    share_under_art_23: float
    share_automated: float
    share_warned: float
    share_lifted: dict[str, float]
    days_of_measures: dict[str, int]
    categories: dict[str, float]


def simulate_trader_penalties(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file with the penalties of all sellers at the scale."""
    select = _select(read_figures("trader_penalties.yaml", PenaltyFigures), Dice(seed), sellers_at(scale))
    with duckdb.connect() as connection:
        return [write_parquet(connection, select, target_dir / "trader_penalties.parquet")]


def _select(figures: PenaltyFigures, dice: Dice, sellers: int) -> str:
    planted = read_planted_truths()

    def throw(name: str) -> str:
        return dice.throw(f"penalty {name}", of="concat_ws('/', seller_number, offence_no)")

    def cases(of: str, values: dict[str, float] | dict[str, int]) -> str:
        return f"CASE {of} {' '.join(f'WHEN {literal(case)} THEN {value}' for case, value in values.items())} END"

    return _PENALTIES.format(
        sellers=sellers_query(sellers, dice),
        how_many=dice.throw("penalties", of="seller_number"),
        turn=dice.throw("penalty turn", of="seller_number"),
        occasional=figures.most_of_occasional,
        fewest=figures.fewest_of_repeated,
        more=figures.most_of_repeated - figures.fewest_of_repeated + 1,
        minor=f"{throw('severity')} < {figures.share_minor_of_occasional}",
        category=pick(throw("category"), figures.categories),
        points=cases("severity", figures.points),
        points_of_closure=figures.points_of_closure,
        strikes_of_closure=figures.strikes_of_closure,
        suspension=figures.ladder["SUSPENSION"],
        restriction=figures.ladder["RESTRICTION"],
        steps=f"[{', '.join(map(literal, STEPS))}]",
        first_day=figures.first_day,
        last_day=figures.last_day,
        days_between=figures.days_between_before_closure,
        when_thrown=throw("day"),
        as_ruled=f"{throw('measure')} < {cases('size', planted.share_as_ruled)}",
        under_art_23=f"{throw('basis')} < {figures.share_under_art_23}",
        is_automated=f"{throw('decider')} < {figures.share_automated}",
        is_warned=f"{throw('warning')} < {figures.share_warned}",
        is_lifted=f"{throw('appeal')} < {cases('decided_by', figures.share_lifted)}",
        days_of_measure=cases("penalty_applied", figures.days_of_measures),
    )


_PENALTIES = """
WITH sellers AS ({sellers}),
offences AS (
    SELECT *, unnest(range(1, 1 + number)) AS offence_no
    FROM (
        SELECT *, CASE conduct WHEN 'REPEAT' THEN {fewest} + floor({how_many} * {more})::BIGINT
            WHEN 'OCCASIONAL' THEN 1 + floor({how_many} * {occasional})::BIGINT ELSE 0 END AS number
        FROM sellers
    )
),
rated AS (
    SELECT *, {category} AS category,
        CASE WHEN CASE conduct WHEN 'REPEAT' THEN (offence_no + floor({turn} * 3)::BIGINT) % 3 = 0 ELSE {minor} END
            THEN 'MINOR' ELSE 'SERIOUS' END AS severity
    FROM offences
),
counted AS (
    SELECT *, {points} AS points_added, (sum(points_added) OVER so_far)::INTEGER AS points_total,
        count_if(severity = 'SERIOUS' AND category = 'STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS')
            OVER so_far AS strike_no
    FROM rated WINDOW so_far AS (PARTITION BY seller_number ORDER BY offence_no)
),
ruled AS (
    SELECT *,
        CASE WHEN points_total >= {points_of_closure} OR strike_no >= {strikes_of_closure} THEN 'CLOSURE'
            WHEN points_total >= {suspension} THEN 'SUSPENSION'
            WHEN points_total >= {restriction} THEN 'RESTRICTION' ELSE 'WARNING' END AS penalty_policy,
        min(CASE WHEN penalty_policy = 'CLOSURE' THEN offence_no END) OVER (PARTITION BY seller_number) AS first_due
    FROM counted
),
decided AS (
    SELECT *,
        CASE WHEN closed_on IS NOT NULL AND offence_no = first_due THEN 'CLOSURE'
            WHEN penalty_policy <> 'CLOSURE' AND {as_ruled} THEN penalty_policy
            ELSE {steps}[list_position({steps}, penalty_policy) - 1] END AS penalty_applied,
        CASE WHEN {is_automated} THEN 'AUTOMATED' ELSE 'HUMAN' END AS decided_by,
        greatest(DATE '{first_day}', registered_month + 31) AS starts_on,
        CASE WHEN closed_on IS NULL
            THEN starts_on + floor((offence_no - 1 + {when_thrown}) * (DATE '{last_day}' - starts_on) / number)::INTEGER
            ELSE closed_on - ((first_due - offence_no) * {days_between})::INTEGER
                - if(offence_no < first_due, floor({when_thrown} * {days_between} / 2)::INTEGER, 0)
            END AS decided_on
    FROM ruled
    WHERE closed_on IS NULL OR offence_no <= first_due
)
SELECT
    'penalty-' || seller_number || '-' || offence_no AS event_id,
    seller_id, entity_id,
    'Synthetic Shop ' || seller_number AS shop_name,
    'Synthetic Shop ' || seller_number || ' was told at seller' || seller_number || '@shop.example.' AS case_note,
    is_natural_person, size AS seller_size, status AS seller_status, verification AS seller_verification,
    decided_on::TIMESTAMP + to_hours(8 + offence_no) AS decided_at,
    category, severity,
    CASE WHEN severity = 'SERIOUS' AND {under_art_23} THEN 'ART23_1' ELSE 'T_AND_C' END AS legal_basis,
    offence_no, points_added, points_total, strike_no, penalty_policy, penalty_applied, decided_by,
    {is_warned} AS warning_given,
    decided_on + {days_of_measure} AS ends_on,
    {is_lifted} AS lifted_on_appeal
FROM decided
ORDER BY decided_at, event_id
"""

"""Internal complaints under Art. 20 DSA, about the simulated statements of reasons and notices.

A complaint names what it contests by the same identifier, and the seller by the same number, so that the datasets join.
Addresses and texts of complainants are invented, and the dataset's recipe must remove them.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick
from portal.simulation.files import read_figures, write_parquet
from portal.simulation.moderation_statements import MEMORY, statements_by_month
from portal.simulation.notices import notices_by_month
from portal.simulation.statement_figures import StatementFigures, read_statement_figures

REPORTED_MONTHS = ("2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12")
REFUSED = "NOTICE_NO_ACTION"
KINDS: Mapping[str, Callable[[str], bool]] = {
    "ACCOUNT": lambda combination: "acc" in combination,
    "SERVICE": lambda combination: "pro" in combination and "acc" not in combination,
    "VISIBILITY": lambda combination: combination == "vis",
}
"""What a complaint contests, and which combinations of restrictions in a statement it is about."""


class Contested(Content):
    """What a report says of the complaints about decisions of one kind."""

    complaints: int
    reversed: int
    median_hours: float

    @property
    def share_reversed(self) -> float:
        """The share of decisions that did not stand."""
        return self.reversed / self.complaints


class ComplaintAssumptions(Content):
    """What has no public source."""

    first_month: str
    complaints_for_each: float
    share_of_refused_notices_contested: float
    hours_spread: float
    longest_hours: int
    mean_days_to_lodge: float
    regions: dict[str, float]


class ComplaintFigures(Content):
    """The figures beside this simulation."""

    source: str
    licence: str
    contested: dict[str, Contested]
    assumptions: ComplaintAssumptions


class PlantedInComplaints(Content):
    """What the saved queries are to find."""

    reversal_weights: dict[str, float]
    share_without_a_person: float
    hours_without_a_person: float


def read_complaint_figures() -> ComplaintFigures:
    """Read the figures."""
    return read_figures("complaints.yaml", ComplaintFigures)


def read_planted_in_complaints() -> PlantedInComplaints:
    """Read the planted truths."""
    return read_figures("planted_complaints.yaml", PlantedInComplaints)


def simulate_complaints(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file a month of what is contested; rows grow with the scale, and memory stays as it is."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        return [
            write_parquet(connection, select, target_dir / f"complaints-{month}.parquet")
            for month, select in complaints_by_month(scale, seed)
        ]


def complaints_by_month(scale: float, seed: int) -> Iterator[tuple[str, str]]:
    """Yield each month with the SELECT of the complaints about its statements and notices."""
    figures, notices = read_complaint_figures(), dict(notices_by_month(scale, seed))
    made = _constants(figures, read_planted_in_complaints(), read_statement_figures(), Dice(seed))
    for month, statements in statements_by_month(scale, seed):
        if month >= figures.assumptions.first_month:
            yield month, _COMPLAINTS.format(**made, statements=statements, notices=notices[month])


def contested_shares(figures: ComplaintFigures, statements: StatementFigures) -> Mapping[str, float]:
    """Return the share of simulated statements of each kind that is contested: the real one, times what is assumed."""
    months = [statements.months.index(month) for month in REPORTED_MONTHS]
    decided = {
        kind: sum(
            count
            for month in months
            for combination, count in statements.weights("decision_type", month).items()
            if of_kind(combination)
        )
        for kind, of_kind in KINDS.items()
    }
    times = figures.assumptions.complaints_for_each
    return {kind: min(1.0, times * figures.contested[kind].complaints / count) for kind, count in decided.items()}


def _constants(
    figures: ComplaintFigures, planted: PlantedInComplaints, counts: StatementFigures, dice: Dice
) -> Mapping[str, object]:
    """Return what is the same in the SELECT of every month."""
    assumed, usual = figures.assumptions, _usual_weight(counts, planted.reversal_weights)
    return {
        "contested": _throw(dice, "contested"),
        "shares": _cases(contested_shares(figures, counts)),
        "refused": literal(REFUSED),
        "refused_share": assumed.share_of_refused_notices_contested,
        "days": assumed.mean_days_to_lodge,
        "lodging": _throw(dice, "lodging"),
        "region": pick(_throw(dice, "region"), assumed.regions),
        "person": f"{_throw(dice, 'person')} < {planted.share_without_a_person}",
        "reversal": _throw(dice, "reversal"),
        "reversed": _cases({kind: of.share_reversed for kind, of in figures.contested.items()}),
        "weights": _cases({decided: weight / usual for decided, weight in planted.reversal_weights.items()}),
        "medians": _cases({kind: of.median_hours for kind, of in figures.contested.items()}),
        "alone_hours": planted.hours_without_a_person,
        "hours": _throw(dice, "hours"),
        "spread": assumed.hours_spread,
        "longest": assumed.longest_hours,
    }


def _usual_weight(statements: StatementFigures, weights: Mapping[str, float]) -> float:
    """Return the mean weight over the reported months' decisions, about which the reported reversals are spread."""
    months = [statements.weights("automated_decision", statements.months.index(month)) for month in REPORTED_MONTHS]
    total = sum(count for month in months for count in month.values())
    return sum(weights[decided] * count for month in months for decided, count in month.items()) / total


def _throw(dice: Dice, name: str) -> str:
    return dice.throw(f"complaint {name}", of="key")


def _cases(values: Mapping[str, float]) -> str:
    return " ".join(f"WHEN {literal(value)} THEN {number!r}" for value, number in values.items())


_COMPLAINTS = """
WITH decisions AS (
    SELECT 'complaint-about-' || uuid AS key, uuid AS statement_uuid, NULL::VARCHAR AS notice_uuid, seller_id, category,
        automated_decision, created_at AS decided, 'TRADER' AS complainant_type,
        CASE WHEN decision_account IS NOT NULL THEN 'ACCOUNT' WHEN decision_provision IS NOT NULL THEN 'SERVICE'
            WHEN decision_monetary IS NOT NULL THEN 'MONETARY' ELSE 'VISIBILITY' END AS contested_decision
    FROM ({statements})
    UNION ALL
    SELECT 'complaint-about-' || notice_uuid, NULL, notice_uuid, seller_id, category, NULL, decided_at, 'NOTIFIER',
        {refused}
    FROM ({notices})
    WHERE outcome = 'NO_ACTION'
),
lodged AS (
    SELECT *, decided + to_seconds((86400 * least(180, -{days} * ln(1 - {lodging})))::BIGINT) AS lodged_at,
        coalesce(automated_decision = 'AUTOMATED_DECISION_FULLY' AND {person}, false) AS alone
    FROM decisions
    WHERE {contested} < CASE contested_decision WHEN {refused} THEN {refused_share} {shares} ELSE 0 END
),
judged AS (
    SELECT *, least({longest}, CASE WHEN alone THEN {alone_hours} ELSE CASE contested_decision {medians} END END
            * pow({hours} / (1 - {hours}), {spread})) AS hours,
        CASE WHEN {reversal} < CASE contested_decision {reversed} END
            * coalesce(CASE automated_decision {weights} END, 1) THEN 'REVERSED' ELSE 'UPHELD' END AS outcome
    FROM lodged
    WHERE lodged_at < TIMESTAMP '2026-11-01'
)
SELECT
    CAST(md5(key) AS UUID)::VARCHAR AS complaint_uuid,
    statement_uuid, notice_uuid, seller_id, complainant_type,
    CASE complainant_type WHEN 'TRADER' THEN {region} ELSE 'UNION' END AS complainant_region,
    contested_decision, category, lodged_at,
    lodged_at + to_seconds((hours * 3600)::BIGINT) AS decided_at,
    round(hours, 2) AS hours_to_decision, outcome, NOT alone AS human_reviewed,
    'complainant' || hash(key) % 9000 || '@complainant.example' AS complainant_email,
    'Synthetic Complainant ' || hash(key) % 9000 || ' asks to look again at ' || seller_id AS reasons
FROM judged
"""

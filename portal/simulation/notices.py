"""Notices under Art. 16 DSA as a marketplace would export them, on listings of the simulated sellers.

Each statement of reasons that says it follows a notice has that notice here, with the statement's identifier and
seller. Names and addresses of notifiers are invented, and the dataset's recipe must remove them.
"""

from collections.abc import Iterator, Mapping
from math import exp, log
from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick
from portal.simulation.files import read_figures, write_parquet
from portal.simulation.moderation_statements import MEMORY, statements_by_month
from portal.simulation.sellers import sellers_at
from portal.simulation.statement_figures import read_statement_figures

ROWS = 100_000
"""Notices at scale 1, besides those that the statements name."""
PROPERTY = "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS"
LAW, TERMS, NOTHING = "ACTION_LAW", "ACTION_TC", "NO_ACTION"


class OfCategory(Content):
    """What a report says of the notices of one category."""

    received: int
    by_law: int
    by_terms: int
    median_hours: float

    @property
    def outcomes(self) -> Mapping[str, float]:
        """How often each outcome is."""
        return {LAW: self.by_law, TERMS: self.by_terms, NOTHING: self.received - self.by_law - self.by_terms}


class NoticeAssumptions(Content):
    """What has no public source."""

    first_month: str
    share_of_notices_in_english: float
    hours_spread: float
    longest_hours: int
    languages: dict[str, str]
    notifiers_of_intellectual_property: dict[str, float]
    notifiers_of_all_else: dict[str, float]


class NoticeFigures(Content):
    """The figures beside this simulation."""

    source: str
    licence: str
    categories: dict[str, OfCategory]
    recipients: dict[str, int]
    assumptions: NoticeAssumptions


class PlantedInNotices(Content):
    """What the saved queries are to find."""

    hours_factor_of_unregistered: float
    receipt_confirmed: dict[str, float]
    languages_with_moderators: tuple[str, ...]
    hours_factor_without_moderators: float


def read_notice_figures() -> NoticeFigures:
    """Read the figures."""
    return read_figures("notices.yaml", NoticeFigures)


def read_planted_in_notices() -> PlantedInNotices:
    """Read the planted truths."""
    return read_figures("planted_notices.yaml", PlantedInNotices)


def simulate_notices(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file a month, 100,000 x scale rows and those of the statements; memory stays as it is."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        return [
            write_parquet(connection, select, target_dir / f"notices-{month}.parquet")
            for month, select in notices_by_month(scale, seed)
        ]


def notices_by_month(scale: float, seed: int) -> Iterator[tuple[str, str]]:
    """Yield each month with the SELECT of its notices."""
    figures, planted, of_statements = read_notice_figures(), read_planted_in_notices(), read_statement_figures()
    sellers, first_month = sellers_at(scale), figures.assumptions.first_month
    months = {month: sql for month, sql in statements_by_month(scale, seed) if month >= first_month}
    rows, made = max(1, round(ROWS * scale / len(months))), _constants(figures, planted, Dice(seed))
    for place, (month, statements) in enumerate(months.items()):
        yield (
            month,
            _NOTICES.format(
                **made,
                first=place * rows,
                last=(place + 1) * rows,
                month=month,
                statements=statements,
                sellers=sellers,
                listings=of_statements.assumptions.listings_per_seller,
            ),
        )


def _constants(figures: NoticeFigures, planted: PlantedInNotices, dice: Dice) -> Mapping[str, object]:
    """Return what is the same in the SELECT of every month."""
    assumed = figures.assumptions
    received = {category: of.received for category, of in figures.categories.items()}
    medians = {category: of.median_hours for category, of in figures.categories.items()}
    outcomes = {category: pick(_throw(dice, "outcome"), of.outcomes) for category, of in figures.categories.items()}
    return {
        "category": pick(dice.throw("notice category"), received),
        "seller": dice.throw("notice seller"),
        "listing": dice.throw("notice listing"),
        "time": dice.throw("notice time"),
        "member_state": pick(_throw(dice, "state"), figures.recipients),
        "english": f"{_throw(dice, 'english')} < {assumed.share_of_notices_in_english}",
        "languages": _cases({state: literal(language) for state, language in assumed.languages.items()}),
        "property": literal(PROPERTY),
        "notifier_of_property": pick(_throw(dice, "notifier"), assumed.notifiers_of_intellectual_property),
        "notifier_of_all_else": pick(_throw(dice, "notifier"), assumed.notifiers_of_all_else),
        "outcomes": _cases(outcomes),
        "medians": _cases({category: str(hours) for category, hours in medians.items()}),
        "usual": sum(received[name] * hours for name, hours in medians.items()) / sum(received.values()),
        "spread": assumed.hours_spread,
        "longest": assumed.longest_hours,
        "hours": _throw(dice, "hours"),
        "slowed_property": _slowing(figures, planted, assumed.notifiers_of_intellectual_property),
        "slowed_else": _slowing(figures, planted, assumed.notifiers_of_all_else),
        "unregistered_factor": planted.hours_factor_of_unregistered,
        "read_languages": ", ".join(map(literal, planted.languages_with_moderators)),
        "unread_factor": planted.hours_factor_without_moderators,
        "receipt": _throw(dice, "receipt"),
        "receipt_unregistered": planted.receipt_confirmed["USER_UNREGISTERED"],
        "receipt_others": planted.receipt_confirmed["others"],
    }


def _throw(dice: Dice, name: str) -> str:
    return dice.throw(f"notice {name}", of="key")


def _cases(values: Mapping[str, str]) -> str:
    return " ".join(f"WHEN {literal(value)} THEN {sql}" for value, sql in values.items())


def _slowing(figures: NoticeFigures, planted: PlantedInNotices, notifiers: Mapping[str, float]) -> float:
    """Return by how much the planted factors lengthen the usual notice, so that medians can be held to the report."""
    assumed = figures.assumptions
    unregistered = notifiers["USER_UNREGISTERED"] / sum(notifiers.values())
    unread = sum(
        users
        for state, users in figures.recipients.items()
        if assumed.languages[state] not in planted.languages_with_moderators
    ) / sum(figures.recipients.values())
    return exp(
        unregistered * log(planted.hours_factor_of_unregistered)
        + unread * (1 - assumed.share_of_notices_in_english) * log(planted.hours_factor_without_moderators)
    )


_NOTICES = """
WITH alone AS (
    SELECT 'notice-' || i AS key, {category} AS category, NULL::VARCHAR AS statement_uuid, NULL::VARCHAR AS outcome,
        false AS trusted, floor({sellers} * {seller} * {seller})::BIGINT AS seller_number, {listing} AS listing,
        TIMESTAMP '{month}-01'
            + to_seconds(floor({time} * 86400 * day(last_day(DATE '{month}-01')))::BIGINT) AS received
    FROM range({first}, {last}) AS r(i)
),
named AS (
    SELECT 'notice-of-' || uuid AS key, category, uuid AS statement_uuid, seller_id, listing_id,
        CASE decision_ground WHEN 'DECISION_GROUND_ILLEGAL_CONTENT' THEN 'ACTION_LAW' ELSE 'ACTION_TC' END AS outcome,
        source_type = 'SOURCE_TRUSTED_FLAGGER' AS trusted, application_date + INTERVAL 12 HOUR AS decided
    FROM ({statements})
    WHERE source_type IN ('SOURCE_ARTICLE_16', 'SOURCE_TRUSTED_FLAGGER')
),
notices AS (
    SELECT key, category, statement_uuid, outcome, trusted, received, NULL::TIMESTAMP AS decided,
        'seller-' || lpad(seller_number::VARCHAR, 8, '0') AS seller_id,
        'listing-' || lpad((seller_number * {listings} + floor(listing * {listings})::BIGINT)::VARCHAR, 10, '0')
            AS listing_id
    FROM alone
    UNION ALL
    SELECT key, category, statement_uuid, outcome, trusted, NULL, decided, seller_id, listing_id FROM named
),
people AS (
    SELECT * REPLACE (coalesce(outcome, CASE category {outcomes} END) AS outcome), {member_state} AS member_state,
        CASE WHEN trusted THEN 'TRUSTED_FLAGGER' WHEN category = {property} THEN {notifier_of_property}
            ELSE {notifier_of_all_else} END AS notifier_type
    FROM notices
),
spoken AS (
    SELECT *, CASE WHEN {english} THEN 'en' ELSE CASE member_state {languages} END END AS language FROM people
),
timed AS (
    SELECT *, least({longest}, coalesce(CASE category {medians} END, {usual})
        / CASE WHEN category = {property} THEN {slowed_property} ELSE {slowed_else} END
        * CASE WHEN notifier_type = 'USER_UNREGISTERED' THEN {unregistered_factor} ELSE 1 END
        * CASE WHEN language IN ({read_languages}) THEN 1 ELSE {unread_factor} END
        * pow({hours} / (1 - {hours}), {spread})) AS hours
    FROM spoken
)
SELECT
    CAST(md5(key) AS UUID)::VARCHAR AS notice_uuid,
    coalesce(received, decided - to_seconds((hours * 3600)::BIGINT)) AS received_at,
    coalesce(decided, received + to_seconds((hours * 3600)::BIGINT)) AS decided_at,
    round(hours, 2) AS hours_to_decision,
    notifier_type, member_state, language, category, outcome,
    {receipt} < CASE WHEN notifier_type = 'USER_UNREGISTERED' THEN {receipt_unregistered} ELSE {receipt_others} END
        AS receipt_confirmed,
    false AS solely_automated,
    statement_uuid, seller_id, listing_id,
    'Synthetic Person ' || hash(key) % 5000 AS notifier_name,
    'person' || hash(key) % 5000 || '@notifier.example' AS notifier_email,
    'I saw this at the shop of ' || seller_id || '.' AS explanation
FROM timed
"""

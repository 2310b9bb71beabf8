"""Parameters of a marketplace's recommenders as their owners would export them, and what the recommenders showed.

A parameter has a row for each version. Exposure is counted by week, surface, option and what became of the listing.
What is known and assumed stands in `recommenders.yaml`; what is hidden for saved queries, in `planted_ads.yaml`.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice
from portal.simulation.files import read_figures, write_csv, write_parquet
from portal.simulation.planted_ads import PlantedAds, read_planted_ads

Row = tuple[str | int | float | bool | None, ...]


class Parameter(Content):
    """One signal of the ranking, with its first weight on each surface."""

    parameter: str
    group: str
    surfaces: dict[str, float]
    profiling: bool
    option: str
    says: str


class Change(Content):
    """A new version of a parameter: so many times its first weight from a day on; zero ends it."""

    parameter: str
    surface: str
    since: date
    times: float
    reason: str


class RecommenderFigures(Content):
    """What is known and assumed of recommenders; see the file for each figure."""

    source: str
    licence: str
    first_week: date
    weeks: int
    weeks_until_removed: int
    illegal_share: float
    against_terms_share: float
    users: dict[str, int]
    impressions_of_user: dict[str, float]
    share_without_profiling: float
    clicks: dict[str, float]
    parameters: tuple[Parameter, ...]
    changes: tuple[Change, ...]

    def all_changes(self, planted: PlantedAds) -> tuple[Change, ...]:
        """Return every change, the planted one with the others."""
        hidden = planted.change
        change = Change(
            parameter=hidden.parameter,
            surface=hidden.surface,
            since=hidden.since,
            times=hidden.weight_times,
            reason=hidden.reason,
        )
        return (*self.changes, change)


def simulate_recommender_parameters(target_dir: Path, _scale: float, seed: int) -> list[Path]:
    """Write one CSV file with a row for each version of each parameter, as many at every scale."""
    figures = _figures()
    weights = [
        (one.parameter, surface, one.group, one.says, one.profiling, one.option, weight)
        for one in figures.parameters
        for surface, weight in one.surfaces.items()
    ]
    changes = [
        (one.parameter, one.surface, one.since.isoformat(), one.times, one.reason)
        for one in figures.all_changes(read_planted_ads())
    ]
    select = _PARAMETERS.format(
        weights=_values(weights),
        changes=_values(changes),
        first_week=figures.first_week,
        jitter=Dice(seed).throw("recommender weight", of="concat_ws('/', parameter, surface)"),
    )
    with duckdb.connect() as connection:
        return [write_csv(connection, select, target_dir / "recommender_parameters.csv")]


def simulate_recommender_exposure(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file with a row for each week, surface, option and class; users grow with the scale."""
    figures, planted, dice = _figures(), read_planted_ads(), Dice(seed)
    surfaces = [
        (surface, users * scale, figures.impressions_of_user[surface], planted.amplified_by_profiling[surface])
        for surface, users in figures.users.items()
    ]
    select = _EXPOSURE.format(
        surfaces=_values(surfaces),
        options=_values(list(figures.clicks.items())),
        first_week=figures.first_week,
        weeks=figures.weeks,
        without=figures.share_without_profiling,
        option_since=planted.option.since,
        option_times=planted.option.times,
        until_removed=figures.weeks_until_removed,
        illegal=figures.illegal_share,
        against_terms=figures.against_terms_share,
        changed=f"surface = {literal(planted.change.surface)} AND week >= DATE '{planted.change.since}'",
        change_times=planted.change.times,
        luck=dice.throw("exposure", of="concat_ws('/', week, surface, option, listing_class)"),
        users_luck=dice.throw("users of option", of="concat_ws('/', week, surface)"),
    )
    with duckdb.connect() as connection:
        return [write_parquet(connection, select, target_dir / "recommender_exposure.parquet")]


def _figures() -> RecommenderFigures:
    return read_figures("recommenders.yaml", RecommenderFigures)


def _values(rows: Sequence[Row]) -> str:
    return ", ".join(f"({', '.join(map(literal, row))})" for row in rows)


_PARAMETERS = """
WITH weights(parameter, surface, parameter_group, description, uses_profiling, user_option, base)
    AS (VALUES {weights}),
changes(parameter, surface, since, times, reason) AS (VALUES {changes}),
versions AS (
    SELECT *, '{first_week}' AS since, 1.0 AS times, 'First published version.' AS reason FROM weights
    UNION ALL BY NAME
    SELECT w.*, c.since, c.times, c.reason FROM weights AS w JOIN changes AS c USING (parameter, surface)
),
dated AS (
    SELECT *, since::DATE AS valid_from,
        lead(since::DATE) OVER (PARTITION BY parameter, surface ORDER BY since) - 1 AS valid_to,
        round(base * times * (0.9 + 0.2 * {jitter}), 3) AS weight
    FROM versions
)
SELECT own.surface, own.parameter, own.parameter_group, own.description, own.weight, own.uses_profiling,
    own.user_option, own.valid_from, own.valid_to, own.reason AS change_reason,
    1 + count_if(other.weight > own.weight) AS importance_rank,
    max(own.weight) / max(other.weight) AS share_of_strongest
FROM dated AS own JOIN dated AS other
    ON other.surface = own.surface AND other.valid_from <= own.valid_from
    AND coalesce(own.valid_from <= other.valid_to, true)
GROUP BY ALL
ORDER BY own.surface, own.parameter, own.valid_from
"""
# Before any change, the known share is that of all users together, with the first share of those without profiling.
_EXPOSURE = """
WITH surfaces(surface, users, each, amplified) AS (VALUES {surfaces}),
options(option, click_share) AS (VALUES {options}),
weeks AS (SELECT DATE '{first_week}' + 7 * i::INTEGER AS week FROM range({weeks}) AS r(i)),
used AS (
    SELECT *, {without} * if(week >= DATE '{option_since}', {option_times}, 1) * (0.95 + 0.1 * {users_luck}) AS without
    FROM weeks CROSS JOIN surfaces
),
shared AS (
    SELECT *, if(option = 'NON_PROFILING', without, 1 - without) AS option_share,
        if(option = 'PERSONALISED', amplified, 1) / (amplified * (1 - {without}) + {without})
            * if({changed}, {change_times}, 1)
            * least(1, (1 + date_diff('week', week, DATE '{first_week}' + 7 * ({weeks} - 1))) / ({until_removed} + 1))
            AS times
    FROM used CROSS JOIN options
),
classed AS (
    SELECT *, unnest([
        {{'listing_class': 'LATER_REMOVED_ILLEGAL', 'share': {illegal} * times}},
        {{'listing_class': 'LATER_REMOVED_TERMS', 'share': {against_terms}}},
        {{'listing_class': 'NOT_REMOVED', 'share': 1 - {against_terms} - {illegal} * times}}
    ], recursive := true)
    FROM shared
),
counted AS (
    SELECT *, round(users * option_share * each * share * (0.95 + 0.1 * {luck}))::BIGINT AS impressions FROM classed
)
SELECT week, surface, option, listing_class, impressions, round(impressions * click_share)::BIGINT AS clicks,
    round(users * option_share * (1 - exp(-each * share)))::BIGINT AS users
FROM counted
ORDER BY week, surface, option, listing_class
"""

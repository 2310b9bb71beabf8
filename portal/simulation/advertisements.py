"""Advertisements as a marketplace's advertising system would export them, and whom they reached, by group and State.

Both sources are drawn from the same invented advertisements, whose advertisers are the sellers of all simulations.
What is assumed stands in `advertisements.yaml`; what is hidden for saved queries to find, in `planted_ads.yaml`. Names
and addresses in it are invented, and the recipe must remove what Art. 39 DSA does not make public.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb

from portal.content import Content
from portal.policy.masks import literal
from portal.simulation.dice import Dice, pick
from portal.simulation.files import read_figures, write_parquet
from portal.simulation.planted_ads import PlantedAds, read_planted_ads
from portal.simulation.sellers import sellers_at, sellers_query

FEWEST_ADS = 60


class AdFigures(Content):
    """What is known and assumed of advertisements; see the file for each figure."""

    source: str
    licence: str
    users: dict[str, int]
    ads: int
    first_day: date
    last_day: date
    export_day: date
    mean_days_shown: float
    smallest_reach: float
    largest_reach: float
    states: dict[int, float]
    ages: dict[str, float]
    genders: dict[str, float]
    categories: dict[str, float]
    groups: tuple[str, ...]
    share_targeted: float
    methods: dict[str, float]
    interests: tuple[str, ...]
    formats: dict[str, float]
    placements: dict[str, float]
    share_paid_by_others: float
    share_of_natural_persons_among_others: float
    share_commercial_communications: float
    share_removed: float
    share_removed_of_repeat_offenders: float
    removal_grounds: dict[str, float]
    removal_sources: dict[str, float]
    removal_categories: dict[str, float]


def simulate_ad_repository(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file with 5,000 x scale advertisements."""
    return [_write(_REPOSITORY, target_dir / "ad_repository.parquet", scale, seed)]


def simulate_ad_reach(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write one Parquet file with the reach of the same advertisements by Member State, age and gender."""
    return [_write(_REACH, target_dir / "ad_reach.parquet", scale, seed)]


def _write(select: str, path: Path, scale: float, seed: int) -> Path:
    figures, dice = read_figures("advertisements.yaml", AdFigures), Dice(seed)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE sellers AS {sellers_query(sellers_at(scale), dice)}")
        connection.execute(f"CREATE TABLE ads AS {_ads(figures, read_planted_ads(), dice, scale)}")
        connection.execute(f"CREATE TABLE cells AS {_cells(figures, dice)}")
        return write_parquet(connection, select, path)


def _ads(figures: AdFigures, planted: PlantedAds, dice: Dice, scale: float) -> str:
    def throw(name: str) -> str:
        return dice.throw(f"ad {name}", of="ad_number")

    young = _cases("category", planted.share_aimed_at_young_adults, planted.share_aimed_otherwise)
    mean_days = _cases("removal_source", planted.mean_days_to_removal, 0)
    excluded = " || ".join(
        f"if({throw(f'without {group}')} < {_share_excluding(group, planted)}, [{literal(group)}], [])"
        for group in figures.groups
    )
    days = (figures.last_day - figures.first_day).days
    return _ADS.format(
        ads=max(FEWEST_ADS, round(figures.ads * scale)),
        by_repeat=f"{throw('by repeat offender')} < {planted.share_by_repeat_offenders}",
        which=throw("advertiser"),
        category=pick(throw("category"), figures.categories),
        first_shown=f"DATE '{figures.first_day}' + floor({throw('first day')} * {days})::INTEGER",
        days_shown=f"ceil(-ln(1 - {throw('days')}) * {figures.mean_days_shown})::INTEGER",
        removal=f"{throw('removed')} < if(conduct = 'REPEAT', {figures.share_removed_of_repeat_offenders}, "
        f"{figures.share_removed})",
        removal_source=pick(throw("source of removal"), figures.removal_sources),
        removal_days=f"floor(-ln(1 - {throw('days to removal')}) * {mean_days})::INTEGER",
        removal_ground=pick(throw("ground"), figures.removal_grounds),
        removal_category=pick(throw("category of removal"), figures.removal_categories),
        found_by_machine=f"{throw('found')} < 0.9",
        decided_by_machine=f"{throw('decided')} < 0.6",
        export_day=figures.export_day,
        is_targeted=f"{throw('targeted')} < {figures.share_targeted}",
        is_young=f"{throw('young')} < {young}",
        method=pick(throw("method"), figures.methods),
        interest=pick(throw("interest"), dict.fromkeys(figures.interests, 1)),
        excluded=excluded,
        states=pick(throw("states"), {str(number): weight for number, weight in figures.states.items()}),
        size=f"least({figures.smallest_reach} * pow(1 - {throw('size')}, -0.9), {figures.largest_reach})",
        format=pick(throw("format"), figures.formats),
        placement=pick(throw("placement"), figures.placements),
        paid_by_other=f"{throw('payer')} < {figures.share_paid_by_others}",
        natural_payer=f"{throw('payer kind')} < {figures.share_of_natural_persons_among_others}",
        is_commercial=f"{throw('commercial')} < {figures.share_commercial_communications}",
    )


def _cases(column: str, numbers: Mapping[str, float], otherwise: float) -> str:
    cases = " ".join(f"WHEN {literal(value)} THEN {number}" for value, number in numbers.items())
    return f"CASE {column} {cases} ELSE {otherwise} END" if cases else str(otherwise)


def _share_excluding(group: str, planted: PlantedAds) -> str:
    hidden = {category: one.share for category, one in planted.exclusions.items() if one.group == group}
    return _cases("category", hidden, planted.share_excluded_otherwise)


def _cells(figures: AdFigures, dice: Dice) -> str:
    """Return the reach of each advertisement by Member State, age and gender; groups kept out have no row.

    Member States are drawn by their users without replacement (exponential races).
    """
    return _CELLS.format(
        states=_weighed(figures.users),
        ages=_weighed(figures.ages),
        genders=_weighed(figures.genders),
        race=dice.throw("ad state", of="concat_ws('/', ad_number, member_state)"),
        luck=dice.throw("ad cell", of="concat_ws('/', ad_number, member_state, age_band, gender)"),
    )


def _weighed(weights: Mapping[str, float]) -> str:
    total = sum(weights.values())
    return ", ".join(f"({literal(value)}, {weight / total!r})" for value, weight in weights.items())


_ADS = """
WITH placed AS (
    SELECT *, row_number() OVER (PARTITION BY conduct = 'REPEAT' ORDER BY seller_number) - 1 AS place,
        count(*) OVER (PARTITION BY conduct = 'REPEAT') AS places, conduct = 'REPEAT' AS of_repeat
    FROM sellers WHERE closed_on IS NULL
),
pools AS (SELECT of_repeat, any_value(places) AS places FROM placed GROUP BY of_repeat),
thrown AS (
    SELECT ad_number, pools.of_repeat, floor(pools.places * {which} * {which})::BIGINT AS place
    FROM range({ads}) AS r(ad_number) JOIN pools ON pools.of_repeat = ({by_repeat})
),
placed_ads AS (
    SELECT ad_number, {category} AS category,
        'seller-' || lpad(seller_number::VARCHAR, 8, '0') AS seller_id, seller_number, country, conduct,
        is_natural_person, greatest({first_shown}, (registered_month + INTERVAL 1 MONTH)::DATE) AS first_shown,
        {removal} AS is_removed, {removal_source} AS removal_source,
        first_shown + {days_shown} AS would_end
    FROM thrown JOIN placed USING (of_repeat, place)
),
ended AS (
    SELECT *, first_shown + {removal_days} AS removed_on,
        least(would_end, DATE '{export_day}') AS end_seen, is_removed AND removed_on <= end_seen AS was_removed,
        if(was_removed, removed_on, end_seen) AS last_shown,
        CASE WHEN was_removed THEN 'REMOVED'
            WHEN would_end > DATE '{export_day}' THEN 'RUNNING' ELSE 'ENDED' END AS status
    FROM placed_ads
),
aimed AS (
    SELECT *, {is_targeted} AS is_targeted, is_targeted AND {is_young} AS is_young,
        CASE WHEN NOT is_targeted THEN [] WHEN is_young THEN ['DEMOGRAPHICS'] ELSE [{method}] END AS methods,
        list_filter(if(is_targeted, {excluded}, []), lambda g: NOT (is_young AND starts_with(g, 'AGE_')))
            AS groups_out,
        {paid_by_other} AS paid_by_other
    FROM ended
)
SELECT *, {states}::INTEGER AS states, {size} AS size, {format} AS ad_format, {placement} AS placement,
    CASE WHEN list_contains(methods, 'INTERESTS') THEN [{interest}] ELSE [] END AS interests,
    if(paid_by_other, {natural_payer}, is_natural_person) AS payer_is_natural_person,
    {is_commercial} AS is_commercial, {removal_ground} AS removal_ground, {removal_category} AS removal_category,
    {found_by_machine} AS found_by_machine, {decided_by_machine} AS decided_by_machine
FROM aimed
"""

_CELLS = """
WITH raced AS (
    SELECT ad_number, member_state, share, states, row_number() OVER (
        PARTITION BY ad_number ORDER BY -ln(1 - {race}) / share, member_state) AS place
    FROM ads CROSS JOIN (VALUES {states}) AS s(member_state, share)
),
shown AS (
    SELECT ad_number, member_state, share / sum(share) OVER (PARTITION BY ad_number) AS state_share
    FROM raced WHERE place <= states
)
SELECT ad_number, member_state, age_band, gender,
    round(size * state_share * age_share * gender_share * (0.7 + 0.6 * {luck}))::BIGINT AS reach
FROM shown JOIN ads USING (ad_number)
CROSS JOIN (VALUES {ages}) AS a(age_band, age_share)
CROSS JOIN (VALUES {genders}) AS g(gender, gender_share)
WHERE (NOT is_young OR age_band = '18-24')
    AND NOT (list_contains(groups_out, 'AGE_18_24') AND age_band = '18-24')
    AND NOT (list_contains(groups_out, 'AGE_65_PLUS') AND age_band = '65+')
    AND NOT (list_contains(groups_out, 'GENDER_FEMALE') AND gender = 'FEMALE')
    AND NOT (list_contains(groups_out, 'GENDER_MALE') AND gender = 'MALE')
"""

_REPOSITORY = """
SELECT 'ad-' || lpad(ad_number::VARCHAR, 8, '0') AS ad_id,
    'Synthetic offer ' || ad_number || ' of ' || lower(category) AS title,
    'Synthetic Product ' || ad_number % 997 AS product_name, 'Synthetic Brand ' || seller_number % 89 AS brand,
    'An offer of ' || replace(lower(category), '_', ' ') AS subject_matter, category AS product_category,
    'Synthetic Shop ' || seller_number AS advertiser_name, is_natural_person AS advertiser_is_natural_person,
    seller_id, country AS advertiser_country, 'seller' || seller_number || '@shop.example' AS advertiser_email,
    CASE WHEN payer_is_natural_person THEN 'Synthetic Person ' || seller_number
        WHEN paid_by_other THEN 'Synthetic Agency ' || ad_number % 40 ELSE 'Synthetic Shop ' || seller_number END
        AS payer_name,
    payer_is_natural_person, paid_by_other AS payer_differs, ad_format, placement, first_shown, last_shown, status,
    is_targeted AS targeted, methods AS target_methods,
    CASE WHEN is_targeted THEN if(list_contains(groups_out, 'AGE_18_24'), 25, 18) END AS target_age_min,
    CASE WHEN is_young THEN 24 WHEN list_contains(groups_out, 'AGE_65_PLUS') THEN 64 END AS target_age_max,
    shown_in AS target_countries, interests AS target_interests, groups_out AS excluded_groups,
    is_commercial AS commercial_communication, coalesce(total_reach, 0) AS total_reach,
    CASE WHEN status = 'REMOVED' THEN removed_on END AS removed_on,
    CASE WHEN status = 'REMOVED' THEN removal_ground END AS removal_ground,
    CASE WHEN status = 'REMOVED' THEN 'STATEMENT_CATEGORY_' || removal_category END AS removal_category,
    CASE WHEN status = 'REMOVED' THEN 'SOURCE_' || removal_source END AS removal_source,
    CASE WHEN status = 'REMOVED' THEN found_by_machine END AS removal_automated_detection,
    CASE WHEN status = 'REMOVED' THEN decided_by_machine END AS removal_automated_decision
FROM ads
LEFT JOIN (
    SELECT ad_number, sum(reach)::BIGINT AS total_reach, list(DISTINCT member_state ORDER BY member_state) AS shown_in
    FROM cells GROUP BY ad_number
) USING (ad_number)
ORDER BY ad_number
"""

_REACH = """
SELECT 'ad-' || lpad(ad_number::VARCHAR, 8, '0') AS ad_id, member_state, coalesce(age_band, 'ALL') AS age_band,
    coalesce(gender, 'ALL') AS gender, sum(reach)::BIGINT AS reach, last_shown
FROM cells JOIN ads USING (ad_number)
GROUP BY GROUPING SETS ((ad_number, last_shown, member_state, age_band, gender), (ad_number, last_shown, member_state))
ORDER BY ad_number, member_state, age_band, gender
"""

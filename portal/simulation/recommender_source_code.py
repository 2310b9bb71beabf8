"""Recommender parameters in the form of the three published files of X, with invented names and values."""

from pathlib import Path

import duckdb

from portal.policy.masks import literal
from portal.simulation.dice import Dice
from portal.simulation.files import write_csv

SWITCHES = 1_221
"""Feature switches at scale 1, as many as in the real file; the two other files do not grow."""

UP = ("fav", "retweet", "reply", "click", "profile_click", "share", "follow_author", "video_playback")
DOWN = ("report", "mute_author")
COMPONENTS = ("synthetic-home", "synthetic-notifications", "synthetic-candidates")
INPUTS = ("context", "location", "engagement", "installed_apps", "inferred_gender")
SETTINGS = {
    "candidate_sourcing": 7,
    "cold_start": 7,
    "diversity": 8,
    "ranking": 12,
    "serving": 2,
}
"""How many parameters of each role the file of 2026 has beside weights and inputs."""


def simulate_recommender_source_code(target_dir: Path, scale: float, seed: int) -> list[Path]:
    """Write three CSV files: feature switches, ranking weights, and parameters with roles."""
    dice = Dice(seed)
    files = {
        "feature_switches": _switches(dice, max(len(UP + DOWN), round(SWITCHES * scale))),
        "ranking_weights": _ranking_weights(dice),
        "parameters_with_roles": _parameters_with_roles(dice),
    }
    with duckdb.connect() as connection:
        return [
            write_csv(connection, select, target_dir / f"recommender_source_code-{name}.csv")
            for name, select in files.items()
        ]


def _switches(dice: Dice, rows: int) -> str:
    """Return the feature switches: on or off for the most part, numbers with bounds, and the weights' defaults."""
    value = dice.throw("default")
    weights = _listed(UP + DOWN)
    return f"""
        SELECT {_listed(COMPONENTS)}[1 + i % {len(COMPONENTS)}] AS component,
            'synthetic/params/File' || i % 40 || '.scala' AS file,
            'SyntheticParam' || i AS object_name,
            CASE WHEN i < {len(UP + DOWN)} THEN 'synthetic_model_weight_' || {weights}[1 + i]
                WHEN i % 6 > 0 THEN 'synthetic_switch_' || i END AS feature_switch,
            CASE WHEN is_number THEN 'FSBoundedParam' ELSE 'FSParam' END AS param_kind,
            CASE WHEN is_number THEN 'Double' ELSE 'Boolean' END AS value_type,
            CASE WHEN i < {len(UP + DOWN)} THEN '1.0'
                WHEN is_number THEN round({value} * 100, 2)::VARCHAR ELSE ({value} < 0.4)::VARCHAR END AS "default",
            CASE WHEN is_number THEN '0.0' END AS min, CASE WHEN is_number THEN '100.0' END AS max,
            CASE WHEN i % 2 = 0 THEN 'Synthetic parameter ' || i END AS doc
        FROM (SELECT i, i < {len(UP + DOWN)} OR {dice.throw("kind")} < 0.4 AS is_number FROM range({rows}) AS r(i))
        ORDER BY i
    """  # noqa: S608 - from constants only


def _ranking_weights(dice: Dice) -> str:
    return f"""
        SELECT 'Synthetic Platform' AS platform, 'Synthetic ranker' AS system, '2023-04-05' AS as_of,
            'synthetic_model_weight_' || action AS parameter, {_weight(dice, "2023")} AS weight,
            'invented: user will ' || replace(action, '_', ' ') AS predicted_engagement,
            'synthetic/README.md' AS source
        FROM ({_actions()}) ORDER BY i
    """  # noqa: S608 - from constants only


def _parameters_with_roles(dice: Dice) -> str:
    settings = ", ".join(f"({literal(role)}, {count})" for role, count in SETTINGS.items())
    return f"""
        SELECT 'Synthetic Platform' AS platform, 'Synthetic feed' AS system, '2026-08-12' AS as_of, parameter,
            value_type, lower(parameter) AS feature_switch, default_value, parameter_role,
            'synthetic/params/param.rs' AS source
        FROM (
            SELECT 0 AS part, i, 'Synthetic_' || action || '_weight' AS parameter, 'f64' AS value_type,
                ({_weight(dice, "2026")})::VARCHAR AS default_value, 'scoring_weight' AS parameter_role
            FROM ({_actions()})
            UNION ALL
            SELECT 1, i, 'Synthetic_enable_' || {_listed(INPUTS)}[1 + i], 'bool',
                ({dice.throw("input")} < 0.8)::VARCHAR, 'profiling_input'
            FROM range({len(INPUTS)}) AS r(i)
            UNION ALL
            SELECT 2, i, concat_ws('_', 'Synthetic', role, i), 'u32',
                floor({dice.throw("setting", of="concat_ws('/', role, i)")} * 1000)::INTEGER::VARCHAR, role
            FROM (SELECT role, unnest(range(count)) AS i FROM (VALUES {settings}) AS s(role, count))
        )
        ORDER BY part, parameter_role, i
    """  # noqa: S608 - from constants only


def _actions() -> str:
    actions = _listed(UP + DOWN)
    return f"SELECT i, {actions}[1 + i] AS action FROM range({len(UP + DOWN)}) AS r(i)"  # noqa: S608 - constants


def _weight(dice: Dice, year: str) -> str:
    """Return SQL for an invented weight: from 0.5 to about 60, below zero for what pushes down."""
    size = f"round(0.5 * exp({dice.throw(f'weight {year}')} * 4.8), 1)"
    return f"CASE WHEN i >= {len(UP)} THEN -5 * {size} ELSE {size} END"


def _listed(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(literal, values))}]"

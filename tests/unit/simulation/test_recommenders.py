from collections.abc import Iterator

import duckdb
import pytest

from portal.simulation import simulate
from portal.simulation.files import read_figures
from portal.simulation.recommenders import RecommenderFigures


@pytest.fixture(name="raw", scope="module")
def _raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("raw")
    with duckdb.connect() as connection:
        for name in ("recommender_parameters", "recommender_exposure"):
            (file,) = simulate(name, root, 1.0, 5)
            connection.execute(f"CREATE TABLE {name} AS FROM '{file}'")
        yield connection


def test_versions_follow_each_other_without_gap_or_overlap(raw: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        SELECT count(*), count_if(valid_to IS DISTINCT FROM next - 1) FROM (
            SELECT *, lead(valid_from) OVER (PARTITION BY surface, parameter ORDER BY valid_from) AS next
            FROM recommender_parameters)
    """
    figures = read_figures("recommenders.yaml", RecommenderFigures)
    first = sum(len(parameter.surfaces) for parameter in figures.parameters)
    assert raw.execute(wrong).fetchall() == [(first + len(figures.changes) + 1, 0)]


def test_ranks_are_those_of_the_weights_that_held_on_the_day(raw: duckdb.DuckDBPyConnection) -> None:
    rows = raw.execute(
        "SELECT surface, parameter, valid_from, valid_to, weight, importance_rank FROM recommender_parameters"
    ).fetchall()
    for surface, parameter, since, _, weight, rank in rows:
        held = [row[4] for row in rows if row[0] == surface and row[2] <= since and (row[3] is None or since <= row[3])]
        assert rank == 1 + sum(other > weight for other in held), (surface, parameter, since)


def test_shares_of_the_transparency_report_hold_before_the_planted_change(raw: duckdb.DuckDBPyConnection) -> None:
    figures = read_figures("recommenders.yaml", RecommenderFigures)
    shares = dict(
        raw.execute("""
            SELECT listing_class, sum(impressions) / sum(sum(impressions)) OVER () FROM recommender_exposure
            WHERE week < DATE '2025-11-03' GROUP BY listing_class
        """).fetchall()
    )
    assert shares["LATER_REMOVED_ILLEGAL"] == pytest.approx(figures.illegal_share, rel=0.03)
    assert shares["LATER_REMOVED_TERMS"] == pytest.approx(figures.against_terms_share, rel=0.03)

from collections.abc import Iterator

import duckdb
import pytest

from portal.simulation import simulate
from portal.simulation.dice import Dice
from portal.simulation.planted_ads import read_planted_ads
from portal.simulation.sellers import sellers_at, sellers_query

SEED = 5
WHOLE = 1.0


@pytest.fixture(name="raw", scope="module")
def _raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give raw advertisements, their reach and the sellers."""
    root = tmp_path_factory.mktemp("raw")
    with duckdb.connect() as connection:
        for name in ("ad_repository", "ad_reach"):
            (file,) = simulate(name, root, WHOLE, SEED)
            connection.execute(f"CREATE VIEW {name} AS FROM '{file}'")
        connection.execute(f"CREATE TABLE sellers AS {sellers_query(sellers_at(WHOLE), Dice(SEED))}")
        yield connection


def test_every_advertiser_is_a_seller_who_had_registered_and_was_not_closed(raw: duckdb.DuckDBPyConnection) -> None:
    counted = """
        SELECT count(*), count(s.seller_id), count_if(a.first_shown >= s.registered_month), count_if(closed_on IS NULL)
        FROM ad_repository AS a LEFT JOIN sellers AS s USING (seller_id)
    """
    assert raw.execute(counted).fetchall() == [(5000, 5000, 5000, 5000)]


def test_repeat_offenders_advertise_as_often_as_planted(raw: duckdb.DuckDBPyConnection) -> None:
    share = "SELECT avg((conduct = 'REPEAT')::INTEGER) FROM {} JOIN sellers USING (seller_id)"
    of_ads = raw.execute(share.format("ad_repository")).fetchall()[0][0]
    assert of_ads == pytest.approx(read_planted_ads().share_by_repeat_offenders, abs=0.02)
    of_sellers = raw.execute("SELECT avg((conduct = 'REPEAT')::INTEGER) FROM sellers").fetchall()[0][0]
    assert of_ads > 1.5 * of_sellers


def test_reach_of_groups_adds_up_to_the_member_state_and_to_the_advertisement(raw: duckdb.DuckDBPyConnection) -> None:
    unequal = """
        SELECT count(*) FROM (
            SELECT ad_id, total_reach, sum(reach) FILTER (WHERE age_band = 'ALL') AS states,
                sum(reach) FILTER (WHERE age_band <> 'ALL') AS groups
            FROM ad_repository JOIN ad_reach USING (ad_id) GROUP BY ALL)
        WHERE total_reach <> states OR total_reach <> groups
    """
    assert raw.execute(unequal).fetchall() == [(0,)]


def test_who_is_kept_out_is_not_reached(raw: duckdb.DuckDBPyConnection) -> None:
    reached = """
        SELECT count(*), count_if(list_contains(excluded_groups, 'AGE_65_PLUS') AND age_band = '65+'
            OR list_contains(excluded_groups, 'AGE_18_24') AND age_band = '18-24'
            OR list_contains(excluded_groups, 'GENDER_' || gender)
            OR target_age_max = 24 AND age_band NOT IN ('18-24', 'ALL'))
        FROM ad_repository JOIN ad_reach USING (ad_id)
    """
    rows, wrongly = raw.execute(reached).fetchall()[0]
    assert rows > 100_000
    assert wrongly == 0


def test_an_advertisement_ends_when_it_is_removed(raw: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        SELECT count(*) FROM ad_repository
        WHERE last_shown < first_shown OR (status = 'REMOVED') <> (removed_on IS NOT NULL) OR last_shown <> removed_on
    """
    assert raw.execute(wrong).fetchall() == [(0,)]

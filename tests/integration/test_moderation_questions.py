"""What the saved queries on notices, complaints and capacity find: real figures exactly, planted truths as planted."""

import time
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from support.content import answer, published_files, the_site
from support.moderation import REPORTS, Moderation, publish_moderation

from portal.ids import DatasetName, QueryName
from portal.policy.model import Tier
from portal.simulation.complaints import read_planted_in_complaints
from portal.simulation.notices import read_planted_in_notices

SITE = the_site()
CAPACITY = DatasetName("moderation_capacity")
ABOUT = {"notices", "complaints", "moderation_capacity"}
LONGEST = 2.0
"""Seconds that a saved query may take."""

needs_reports = pytest.mark.skipif(not REPORTS.is_dir(), reason="../shared/realdata is not there")


@pytest.fixture(name="moderation", scope="module")
def _moderation(tmp_path_factory: pytest.TempPathFactory) -> Moderation:
    return publish_moderation(tmp_path_factory.mktemp("moderation"))


@pytest.fixture(name="vetted", scope="module")
def _vetted(moderation: Moderation) -> Iterator[duckdb.DuckDBPyConnection]:
    with moderation.seen(Tier.VETTED) as connection:
        yield connection


def found(connection: duckdb.DuckDBPyConnection, name: str, **values: object) -> list[dict[str, Any]]:
    return answer(connection, SITE.queries[QueryName(name)], **values)


def by(rows: list[dict[str, Any]], *keys: str) -> dict[Any, dict[str, Any]]:
    return {tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]: row for row in rows}


@pytest.mark.parametrize(
    "name", sorted(name for name, query in SITE.queries.items() if ABOUT & set(query.front.datasets))
)
def test_each_question_is_answered_at_once(name: QueryName, vetted: duckdb.DuckDBPyConnection) -> None:
    began = time.perf_counter()
    assert answer(vetted, SITE.queries[name])
    assert time.perf_counter() - began < LONGEST


def test_database_and_report_are_both_told_and_their_definitions_differ(vetted: duckdb.DuckDBPyConnection) -> None:
    (row,) = found(vetted, "capacity/database_and_report_reconciled")
    assert (row["service"], row["statements_sent"], row["reported"]) == ("AliExpress", 307_014_174, 238_772_669)
    assert row["difference"] == row["sent_without_notice"] - 238_772_669
    words = SITE.queries[QueryName("capacity/database_and_report_reconciled")].front
    assert "definitions differ" in words.caveats[0]
    assert "no sign of misconduct" in words.caveats[0]


def test_categories_of_both_sources_add_up_to_their_totals(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = found(vetted, "capacity/database_and_report_by_category")
    assert sum(row["statements_sent"] for row in rows) == 307_014_174
    assert sum(row["reported"] for row in rows) == 238_772_669
    assert by(rows, "category")["OTHER_VIOLATION_TC"]["reported"] == 227_493_448


def test_one_moderator_stands_against_242163_measures(vetted: duckdb.DuckDBPyConnection) -> None:
    row = by(found(vetted, "capacity/load_of_moderators"), "service")["AliExpress"]
    assert (row["moderators"], row["external_percent"]) == (986, 88.7)
    assert row["measures_for_each_moderator"] == 242_163


def test_a_fifth_of_130517_complaints_was_right(vetted: duckdb.DuckDBPyConnection) -> None:
    row = by(found(vetted, "capacity/complaints_reversed_side_by_side"), "service")["AliExpress"]
    assert (row["complaints"], row["reversed_percent"], row["median_hours"]) == (130_517, 21.0, 22.0)


def test_languages_with_few_moderators_are_seen(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = by(found(vetted, "capacity/languages_of_moderators_and_measures"), "language")
    moderators = {language: row["moderators"] for language, row in rows.items() if row["moderators"]}
    assert moderators == {"en": 986, "es": 3, "fr": 2, "de": 2, "pl": 1, "pt": 1}
    assert rows["zh"]["measures_of_people"] == 1_840
    assert set(moderators) == set(read_planted_in_notices().languages_with_moderators)


def test_millions_of_users_have_no_moderator(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = by(found(vetted, "capacity/users_for_each_moderator"), "country")
    assert len(rows) == 27
    assert (rows["IT"]["moderators"], rows["IT"]["users_for_each_moderator"]) == (0, None)
    assert rows["FR"]["users_for_each_moderator"] == round(34_965_035 / 2)


def test_notices_stand_beside_own_measures(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = by(found(vetted, "capacity/notices_and_own_detection"), "category")
    property_ = rows["INTELLECTUAL_PROPERTY_INFRINGEMENTS"]
    assert (property_["notices"], property_["actions"]) == (573_751, 320_053 + 55_702)
    assert property_["own_measures"] == 2_014_472 + 5_103_137
    assert property_["median_hours"] == 15.0


def test_narrow_labels_fall_where_the_broad_ones_do_not(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = by(found(vetted, "moderation/unsafe_products_across_the_relabelling"), "month", "reading")
    told = {(f"{month:%m}", reading): row["statements"] for (month, reading), row in rows.items()}
    assert round(told["03", "narrow"] / 1e6, 2) == 45.69
    assert told["05", "narrow"] < 0.02 * told["03", "narrow"]
    assert told["05", "broad"] == 575_646 + 21_275_093


def test_notices_of_users_without_an_account_are_slower_as_planted(vetted: duckdb.DuckDBPyConnection) -> None:
    planted = read_planted_in_notices()
    rows = by(found(vetted, "complaints/time_to_act_by_notifier"), "notifier")
    without, with_ = rows["USER_UNREGISTERED"], rows["USER_REGISTERED"]
    factor = planted.hours_factor_of_unregistered
    assert without["median_hours"] / with_["median_hours"] == pytest.approx(factor, rel=0.2)
    long = "ninety_five_percent_within_hours"
    assert without[long] / with_[long] == pytest.approx(factor, rel=0.35)
    receipts = planted.receipt_confirmed
    confirmed = without["receipt_confirmed_percent"], with_["receipt_confirmed_percent"]
    assert confirmed == pytest.approx((100 * receipts["USER_UNREGISTERED"], 100 * receipts["others"]), abs=3)


def test_languages_that_no_moderator_reads_wait_longer_as_planted(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = found(vetted, "complaints/waiting_by_language", at_least=100)
    unread = {row["language"]: row["median_hours"] for row in rows if not row["moderators"]}
    read = {row["language"]: row["median_hours"] for row in rows if row["moderators"]}
    assert {"it", "nl", "ro"} <= set(unread)
    assert {"de", "en", "es", "fr", "pl"} <= set(read)
    assert min(unread.values()) > max(read.values())
    factor = read_planted_in_notices().hours_factor_without_moderators
    assert unread["it"] / read["es"] == pytest.approx(factor, rel=0.15)


def test_outcomes_of_notices_add_up_and_follow_the_report(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = by(found(vetted, "complaints/notices_by_outcome"), "category")
    for row in rows.values():
        shares = row["acted_by_law_percent"], row["acted_by_terms_percent"], row["no_action_percent"]
        assert sum(shares) == pytest.approx(100, abs=0.2)
    property_ = rows["INTELLECTUAL_PROPERTY_INFRINGEMENTS"]
    assert property_["acted_by_law_percent"] == pytest.approx(100 * 320_053 / 573_751, abs=3)


def test_the_more_automated_the_decision_the_more_is_reversed_as_planted(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = found(vetted, "complaints/reversals_by_automation", at_least=1)
    counted: dict[str, tuple[float, int]] = {}
    for row in rows:
        reversed_, complaints = counted.get(row["decided"], (0.0, 0))
        share = row["reversed_percent"] / 100 * row["complaints"]
        counted[row["decided"]] = reversed_ + share, complaints + row["complaints"]
    shares = {decided: reversed_ / complaints for decided, (reversed_, complaints) in counted.items()}
    assert shares["FULLY"] > shares["PARTIALLY"] > shares["NOT_AUTOMATED"]
    weights = read_planted_in_complaints().reversal_weights
    planted = weights["AUTOMATED_DECISION_PARTIALLY"] / weights["AUTOMATED_DECISION_FULLY"]
    assert shares["PARTIALLY"] / shares["FULLY"] == pytest.approx(planted, abs=0.12)


def test_complaints_without_a_person_are_found_as_planted(vetted: duckdb.DuckDBPyConnection) -> None:
    planted = read_planted_in_complaints()
    rows = by(found(vetted, "complaints/decided_without_a_person"), "contested", "decided_by")
    alone = rows["VISIBILITY", "without a person"]
    assert alone["of_such_complaints_percent"] == pytest.approx(100 * planted.share_without_a_person, abs=1.2)
    assert alone["median_hours"] < 1 < rows["VISIBILITY", "with a person"]["median_hours"]
    assert ("NOTICE_NO_ACTION", "without a person") not in rows


def test_complaints_end_as_the_report_says(vetted: duckdb.DuckDBPyConnection) -> None:
    row = by(found(vetted, "complaints/outcomes_and_time"), "contested")["VISIBILITY"]
    assert row["reversed_percent"] == pytest.approx(21.2, abs=2)
    assert row["median_hours"] == pytest.approx(22, rel=0.1)


def test_every_statement_after_a_notice_has_its_notice_and_the_same_seller(vetted: duckdb.DuckDBPyConnection) -> None:
    rows = found(vetted, "complaints/statements_that_follow_a_notice")
    expected = vetted.execute("""
        SELECT count(*) FROM moderation_statements
        WHERE source_type IN ('SOURCE_ARTICLE_16', 'SOURCE_TRUSTED_FLAGGER') AND created_at >= DATE '2025-07-01'
    """).fetchall()[0][0]
    assert sum(row["statements"] for row in rows) == expected > 50
    assert {row["source"] for row in rows} == {"ARTICLE_16", "TRUSTED_FLAGGER"}
    strangers = """
        SELECT count(*) FROM {0} JOIN moderation_statements AS s USING (statement_id)
        WHERE {0}.trader_ref <> s.trader_ref OR {0}.category <> s.category
    """
    for name in ("notices", "complaints"):
        assert vetted.execute(strangers.format(name)).fetchall() == [(0,)], name


def test_every_complaint_contests_a_statement_or_a_refused_notice(vetted: duckdb.DuckDBPyConnection) -> None:
    contests = """
        SELECT count_if((s.statement_id IS NULL) = (n.notice_id IS NULL)), count_if(n.outcome <> 'NO_ACTION'),
            count(n.notice_id)
        FROM complaints
        LEFT JOIN moderation_statements AS s USING (statement_id)
        LEFT JOIN notices AS n USING (notice_id)
    """
    neither, accepted, refused = vetted.execute(contests).fetchall()[0]
    assert (neither, accepted) == (0, 0)
    rows = found(vetted, "complaints/refused_notices_contested")
    assert sum(row["complaints"] for row in rows) == refused > 10


def test_old_content_is_told_by_what_found_it() -> None:
    rows = [
        ("2025-07-31", "2025-07-01", "Yes"), ("2025-07-11", "2025-07-01", "Yes"), ("2025-10-29", "2025-07-01", "No"),
        ("2025-07-11", None, "Yes"),
    ]  # fmt: skip
    with duckdb.connect() as connection:
        values = ", ".join(
            f"('C', '{found_by}', {f'DATE {content!r}' if content else 'NULL'}, DATE '{applied}', DATE '2025-11-01')"
            for applied, content, found_by in rows
        )
        names = "category, automated_detection, content_date, application_date, created_at"
        connection.execute(f"CREATE TABLE moderation_statements AS FROM (VALUES {values}) AS t({names})")
        told = by(found(connection, "moderation/age_of_content_when_restricted", at_least=1), "found_by")
    assert [(told[key]["statements"], told[key]["median_days"]) for key in ("automated means", "people")] == [
        (2, 20.0), (1, 120.0)
    ]  # fmt: skip
    assert told["people"]["over_ninety_days_percent"] == 100


@needs_reports
def test_marketplaces_side_by_side_are_those_of_their_reports(
    moderation: Moderation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tables = sorted(path for path in REPORTS.glob("t*.parquet") if path.name[:3] not in {"t3_", "t11"})
    files = published_files(SITE.datasets[CAPACITY], tables, tmp_path_factory.mktemp("real"), synthetic=False)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW {CAPACITY} AS FROM read_parquet({files})")
        reversed_ = by(found(connection, "capacity/complaints_reversed_side_by_side"), "service")
        load = by(found(connection, "capacity/load_of_moderators"), "service")
        committed = f"read_parquet({moderation.releases[CAPACITY]})"
        unknown = connection.execute(f"SELECT count(*) FROM (FROM {committed} EXCEPT FROM {CAPACITY})").fetchall()
    assert unknown == [(0,)]
    marketplaces = {
        "AliExpress": (21.0, 986, 242_163), "Temu": (43.2, 3_608, 212_966), "Amazon": (67.1, 1_739, 86_546),
        "SHEIN": (93.5, 1_498, 1_866),
    }  # fmt: skip
    for service, expected in marketplaces.items():
        told = (
            reversed_[service]["reversed_percent"],
            load[service]["moderators"],
            load[service]["measures_for_each_moderator"],
        )
        assert told == expected, service

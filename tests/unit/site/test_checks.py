from pathlib import Path

import pytest
from support.sites import DATASET, POLICY, QUERY, write_site

from portal.engines.duckdb.parser import DuckDBParser
from portal.site import read_site
from portal.site.checks import check_site

DATASET_FILE = "datasets/sales/dataset.yaml"
POLICY_FILE = "access_policies/sales.yaml"
QUERY_FILE = "queries/moderation/sales_by_country.sql"
AGGREGATES = """\
dataset: sales
legal_basis: DSA Art. 40(4)
rules:
  - for: {tier: vetted, grant: required}
    access: aggregates
    disclosure: {entities: {id: 10}, dimensions: {country: equal}}
    because: A reason that is long enough to be read.
"""


def faults(folder: Path) -> list[str]:
    return [str(fault) for fault in check_site(read_site(folder), DuckDBParser())]


def test_a_sound_site_has_no_fault(tmp_path: Path) -> None:
    assert faults(write_site(tmp_path)) == []


def test_an_embargo_of_aggregates_on_the_grid_is_no_fault(tmp_path: Path) -> None:
    policy = AGGREGATES.replace("country: equal", "country: equal, day: {range: month}")
    write_site(tmp_path, **{POLICY_FILE: policy + "    embargo: {column: day, days: 3}\n"})
    (tmp_path / QUERY_FILE).unlink()
    assert faults(tmp_path) == []


CASES = {
    "unknown key": (DATASET_FILE, DATASET + "colour: red\n", ":15: colour: unknown key"),
    "unknown type": (DATASET_FILE, DATASET.replace("DOUBLE", "MONEY"), ":13: columns.price.type: "),
    "bad date": (
        DATASET_FILE,
        DATASET + "changes:\n  - {date: 2026-02-30, note: x}\n",
        ":16: changes.0.date: Input should be a valid date",
    ),
    "unknown column in the dataset": (DATASET_FILE, DATASET.replace("date_column: day", "date_column: dai"), "dai"),
    "twice the same key": (DATASET_FILE, DATASET + "title: Again\n", ':15: found duplicate key "title"'),
    "not YAML": (POLICY_FILE, "rules: [", ":1: "),
    "a list for a mapping": (POLICY_FILE, "- dataset: sales\n", ":1: a mapping of keys is expected"),
    "another name than its file": (POLICY_FILE, POLICY.replace("sales", "sale", 1), ":1: dataset: 'sale' does not"),
    "policy: unknown tier": (POLICY_FILE, POLICY.replace("vetted", "vettd"), ":4: rules.0.for.tier: "),
    "policy: unknown column": (POLICY_FILE, POLICY.replace("{id:", "{ident:"), ":7: columns: unknown column 'ident'"),
    "policy: misapplied obligation": (
        POLICY_FILE,
        POLICY.replace("hide", "{truncate: day}"),
        ":7: columns.id: truncate",
    ),
    "policy: row rule outside the language": (
        POLICY_FILE,
        POLICY.replace("country IN project.member_states", "price > random()"),
        ":6: rows: ",
    ),
    "policy: embargo on a column that is no date": (
        POLICY_FILE,
        POLICY + "    embargo: {column: price, days: 3}\n",
        ":9: embargo.column: 'price' has type DOUBLE",
    ),
    "policy: embargo of aggregates off the grid": (
        POLICY_FILE,
        AGGREGATES + "    embargo: {column: day, days: 3}\n",
        ":8: embargo.column: 'day' is no dimension with a range",
    ),
    "policy: embargo of aggregates on a dimension by value": (
        POLICY_FILE,
        AGGREGATES.replace("country: equal", "day: equal") + "    embargo: {column: day, days: 3}\n",
        ":8: embargo.column: 'day' is no dimension with a range",
    ),
    "policy: retention by a column that is no date": (
        POLICY_FILE,
        POLICY + "    retention: price\n",
        ":9: retention: 'price' has type DOUBLE",
    ),
    "policy: retention of aggregates": (
        POLICY_FILE,
        AGGREGATES + "    retention: day\n",
        ":8: retention: stands with access to rows only",
    ),
    "policy: aggregates without disclosure": (
        POLICY_FILE,
        POLICY.replace("access: rows", "access: aggregates"),
        ":4: ",
    ),
    "query: no front matter": (QUERY_FILE, "SELECT 1", ":1: the file must begin with front matter"),
    "query: bad front matter": (QUERY_FILE, QUERY.replace("why: To know.\n", ""), ":1: why: this key is missing"),
    "query: unknown dataset": (
        QUERY_FILE,
        QUERY.replace("[sales]", "[sails]"),
        ":6: datasets: no dataset is named sails",
    ),
    "query: does not parse": (QUERY_FILE, QUERY.replace("GROUP BY", "GROUP"), ":14: for the tier vetted: "),
    "query: unknown column": (QUERY_FILE, QUERY.replace("$least", "costs"), ":13: for the tier vetted: "),
    "query: hidden column": (QUERY_FILE, QUERY.replace("count(*)", "count(id)"), "hidden columns sales.id"),
    "query: tier without access": (
        QUERY_FILE,
        QUERY.replace("[vetted]", "[public]"),
        ":7: tiers: the tier public has no",
    ),
    "query: parameter not declared": (
        QUERY_FILE,
        QUERY.replace("$least", "$most"),
        ":8: parameters: least, most stand",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_said_with_its_file_and_line(case: str, tmp_path: Path) -> None:
    file, text, expected = CASES[case]
    found = faults(write_site(tmp_path, **{file: text}))
    assert any(fault.startswith(file) and expected in fault for fault in found), found


def test_a_dataset_without_policy_and_a_policy_without_dataset_are_both_said(tmp_path: Path) -> None:
    write_site(tmp_path, **{"access_policies/other.yaml": POLICY.replace("dataset: sales", "dataset: other")})
    (tmp_path / POLICY_FILE).unlink()
    (tmp_path / QUERY_FILE).unlink()
    assert faults(tmp_path) == [
        "access_policies/other.yaml:1: no dataset is named 'other'",
        f"{DATASET_FILE}:1: dataset 'sales' has no policy, so nobody gets in; write access_policies/sales.yaml",
    ]


def test_a_query_may_not_give_the_name_of_another_dataset_to_a_table(tmp_path: Path) -> None:
    query = QUERY.replace("SELECT", "WITH rents AS (SELECT 1) SELECT", 1)
    rents = {"datasets/rents/dataset.yaml": DATASET, "access_policies/rents.yaml": POLICY}
    assert faults(write_site(tmp_path / "alone", **{QUERY_FILE: query})) == []
    others = {file: text.replace("dataset: sales", "dataset: rents") for file, text in rents.items()}
    found = faults(write_site(tmp_path / "with", **{QUERY_FILE: query}, **others))
    assert any("it is the name of another dataset" in fault for fault in found), found


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    broken = {file: text for file, text, _ in (CASES["unknown key"], CASES["query: no front matter"])}
    found = faults(write_site(tmp_path, **broken, **{POLICY_FILE: CASES["policy: unknown tier"][1]}))
    assert {fault.split(":")[0] for fault in found} >= {DATASET_FILE, POLICY_FILE, QUERY_FILE}


@pytest.mark.parametrize("case", ["unknown key", "policy: unknown tier"])
def test_a_fault_is_said_once_and_not_again_by_the_files_that_rest_on_it(case: str, tmp_path: Path) -> None:
    file, text, _ = CASES[case]
    assert {fault.split(":")[0] for fault in faults(write_site(tmp_path, **{file: text}))} == {file}


def test_a_file_that_is_not_text_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    write_site(tmp_path)
    (tmp_path / POLICY_FILE).write_bytes(b"\xff\xfe\x00")
    assert f"{POLICY_FILE}:1: this file is not UTF-8 text" in faults(tmp_path)


STATISTICS = """\
dataset: sales
legal_basis: DSA Art. 40(4)
rules:
  - for: {tier: vetted}
    access: aggregates
    columns: {price: show}
    disclosure:
      entities: {id: 10}
      dimensions: {country: equal, price: {range: 10}}
    because: A reason that is long enough to be read.
"""
ASKED = QUERY.replace("price >= $least", "price >= $least AND price < 100")

QUERY_OF_COUNTS = QUERY.replace("WHERE price >= $least\n", "").replace(
    "parameters:\n  least: {type: number, label: Least price, default: 0}\n", ""
)


def a_site_of_statistics(folder: Path, change: tuple[str, str] = ("", ""), **files: str) -> Path:
    content = {POLICY_FILE: STATISTICS.replace(*change), QUERY_FILE: ASKED, **files}
    return write_site(folder, **content)


def test_a_policy_of_statistics_and_a_query_of_cells_are_sound(tmp_path: Path) -> None:
    assert faults(a_site_of_statistics(tmp_path)) == []


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("day: {range: 10}", "day: 'day' has type DATE"),
        ("price: {range: month}", "price: 'price' has type DOUBLE"),
        ("price: {prefix: 2}", "price: 'price' has type DOUBLE"),
        ("day: {prefix: 2}", "day: 'day' has type DATE"),
        ("cost: {range: 10}", "cost: unknown column 'cost'"),
        ("price: {range: 30}", "price.range.step: a step is 1, 2 or 5 times a power of ten"),
        ("day: {range: hour}", "day.range.period: Input should be 'day'"),
        ("price: {steps: 10}", "price.steps: unknown key"),
        ("price: {range: 10, prefix: 1}", "price: give one of: equal; range"),
    ],
)
def test_a_use_must_fit_its_column(dimension: str, expected: str, tmp_path: Path) -> None:
    found = faults(a_site_of_statistics(tmp_path, ("price: {range: 10}", dimension)))
    assert any(fault.startswith(f"{POLICY_FILE}:9: ") and f"dimensions.{expected}" in fault for fault in found), found


def test_a_use_must_fit_its_column_as_the_obligation_leaves_it(tmp_path: Path) -> None:
    [fault] = faults(
        a_site_of_statistics(tmp_path, ("price: show", "price: {band: [10]}"), **{QUERY_FILE: QUERY_OF_COUNTS})
    )
    assert fault.startswith(f"{POLICY_FILE}:9: disclosure.dimensions.price: 'price' has type VARCHAR")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ASKED.replace("default: 0", "default: 5"), "for the tier vetted: Bounds on price"),
        (ASKED.replace("price < 100", "price < 95"), "for the tier vetted: Bounds on price"),
        (ASKED.replace("GROUP BY country", "GROUP BY country, day"), "for the tier vetted: day is hidden"),
        (
            ASKED.replace("SELECT country, count(*) AS sales", "SELECT *"),
            "for the tier vetted: sales is open for statistics only",
        ),
    ],
)
def test_a_query_of_cells_is_held_to_the_policy_with_its_defaults(query: str, expected: str, tmp_path: Path) -> None:
    assert any(expected in fault for fault in faults(a_site_of_statistics(tmp_path, **{QUERY_FILE: query})))


OTHER_DATASET = DATASET.replace("dataset: sales", "dataset: returns").replace(
    "id: {type: VARCHAR", "sale: {type: VARCHAR"
)
OTHER_POLICY = STATISTICS.replace("dataset: sales", "dataset: returns").replace(
    "entities: {id: 10}", "entities: {sale: 10}"
)


def joined(folder: Path, here: str, there: str) -> list[str]:
    extra = "      entities: {id: 10}\n"
    policy = STATISTICS.replace(extra, extra + here)
    files = {
        POLICY_FILE: policy,
        QUERY_FILE: ASKED,
        "datasets/returns/dataset.yaml": OTHER_DATASET,
        "access_policies/returns.yaml": OTHER_POLICY.replace(
            "      entities: {sale: 10}\n", "      entities: {sale: 10}\n" + there
        ),
    }
    return faults(write_site(folder, **files))


def test_a_shared_entity_is_said_by_both_policies(tmp_path: Path) -> None:
    here, there = "      entity_joins: {id: returns.sale}\n", "      entity_joins: {sale: sales.id}\n"
    assert joined(tmp_path, here, there) == []
    [fault] = joined(tmp_path, here, "")
    assert (
        fault == f"{POLICY_FILE}:9: entity_joins.id: the policy of returns does not say the same back, sale: sales.id"
    )


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ("public_joins: {country: returns.land}", "public_joins.country: there is no column 'returns.land'"),
        ("public_joins: {country: nowhere.country}", "public_joins.country: there is no column 'nowhere.country'"),
        (
            "public_joins: {country: returns.price}",
            "public_joins.country: 'country' and 'returns.price' have different types, DOUBLE and VARCHAR",
        ),
        (
            "public_joins: {price: returns.price}",
            "public_joins: price must be a dimension that is used by equal values",
        ),
        ("entity_joins: {country: returns.sale}", "entity_joins: country must be an entity"),
        ("entity_joins: {id: returns.nothing}", "entity_joins.id: there is no column 'returns.nothing'"),
    ],
)
def test_a_join_must_fit_its_columns(join: str, expected: str, tmp_path: Path) -> None:
    found = joined(tmp_path, f"      {join}\n", "")
    assert any(expected in fault for fault in found), found


def test_norway_is_a_country(tmp_path: Path) -> None:
    policy = POLICY.replace("{id: hide}", "{country: {map: {NO: North}}}")
    reading = read_site(write_site(tmp_path, **{POLICY_FILE: policy}))
    assert next(iter(reading.site.policies.values())).rules[0].columns["country"].map == {"NO": "North"}


DECISION = """\
title: A decision
date: 2026-01-01
said: Something was promised.
standing: Nothing is decided.
sources: [{title: A source, url: https://example.org}]
commitments:
  - id: one
    title: One
    said: It was said.
    question: How many?
    queries: [moderation/sales_by_country]
"""
DECISION_FILE = "queries/commitments.yaml"


def test_a_decision_whose_queries_are_there_is_sound(tmp_path: Path) -> None:
    assert faults(write_site(tmp_path, **{DECISION_FILE: DECISION})) == []
    commitments = read_site(tmp_path).site.commitments
    assert commitments is not None
    assert [part.id for part in commitments.parts] == ["one"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DECISION.replace("sales_by", "sails_by"), ":11: commitments.0.queries.0: there is no saved query"),
        (
            DECISION + "    side_by_side: {query: moderation/other, definitions: They differ.}\n",
            "side_by_side.query: name one of the part's queries",
        ),
        (DECISION + DECISION.partition("commitments:\n")[2], ": two parts have the id one"),
        (DECISION.replace("[moderation/sales_by_country]", "[]"), ":11: commitments.0.queries: "),
        (DECISION.replace("standing", "standin"), "standing: this key is missing"),
    ],
)
def test_a_decision_that_names_what_is_not_there_is_a_fault(text: str, expected: str, tmp_path: Path) -> None:
    found = faults(write_site(tmp_path, **{DECISION_FILE: text}))
    assert any(fault.startswith(DECISION_FILE) and expected in fault for fault in found), found


def test_a_query_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    found = faults(write_site(tmp_path, **{DECISION_FILE: DECISION, QUERY_FILE: "SELECT 1"}))
    assert {fault.split(":")[0] for fault in found} == {QUERY_FILE}

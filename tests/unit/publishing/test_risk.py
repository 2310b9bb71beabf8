import math

import duckdb
import numpy as np
import pytest
from support.publishing import KEY
from support.publishing import a_dataset as removals
from support.risk import a_dataset, classes_of, rows_of

from portal.catalogue.release import SourceFile
from portal.publishing.risk.classes import Size, find_classes
from portal.publishing.risk.diversity import measure_diversity
from portal.publishing.risk.loss import Removal, measure_removal, total
from portal.publishing.risk.models import attack, in_population

CROWD = rows_of((6, "north", 20, "flu", 1), (3, "south", 20, "flu", 1), (3, "south", 20, "gout", 9))


def test_classes_count_units_and_a_missing_value_is_one_of_its_own() -> None:
    rows = [*CROWD, (None, 20, "flu", 1, None), (None, 20, "flu", 1, None), (None, None, "flu", 1, None)]
    with classes_of(rows) as classes:
        assert classes.sizes == (Size(1, 1, 1), Size(2, 1, 2), Size(6, 2, 12))
        assert classes.alone == 1
        smallest = classes.smallest(2)
        named = classes.describe(smallest)
    assert [named[name].values for name in smallest] == [
        {"region": "missing", "age": "missing"},
        {"region": "missing", "age": "about 20"},
    ]


def test_an_entity_counts_once_in_each_class_and_all_that_is_nameless_counts_as_one() -> None:
    rows = [("north", 20, "flu", 1, person) for person in ("ada", "ada", "ben", None, None)]
    rows += [("south", 20, "flu", 1, "ada")]
    with classes_of(rows, a_dataset(entities=["person"])) as classes:
        assert classes.sizes == (Size(1, 1, 1), Size(3, 1, 5))
        assert classes.alone == 1
        assert measure_diversity(classes, "illness").distinct == 1


def test_classes_that_share_a_hash_are_told_apart_by_another_seed() -> None:
    with classes_of(CROWD) as classes:
        other = "md5_number_lower(concat_ws('|', seed, a, b))"
        classes.connection.execute(f"CREATE MACRO hash(seed, a, b) AS CASE WHEN seed < 2 THEN 7 ELSE {other} END")
        found = find_classes(a_dataset(), classes.connection)
    assert (found.key[:6], found.sizes) == ("hash(2", (Size(6, 2, 12),))


def test_columns_may_be_named_as_the_measures_own() -> None:
    quasi = {"type": "VARCHAR", "meaning": "Any.", "role": "quasi_identifier"}
    columns = dict.fromkeys(("class", "units", "rows", "unit"), quasi) | {
        name: {"type": type_, "meaning": "Any.", "role": "sensitive"}
        for name, type_ in {"value": "DOUBLE", "share": "VARCHAR[]", "rank": "BOOLEAN", "published": "DATE"}.items()
    }
    dataset = a_dataset(columns=columns, entities=["unit"])
    row = "i % 3, 'u', NULL, i, CASE i WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN NULL ELSE i END, [i], i = 0, NULL"
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE published (" + ", ".join(f'"{n}" {c.type}' for n, c in dataset.columns.items()) + ")"
        )
        connection.execute(f"INSERT INTO published SELECT {row} FROM range(6) AS t(i)")
        classes = find_classes(dataset, connection)
        assert classes.sizes == (Size(1, 6, 6),)
        assert [measure_diversity(classes, name).values for name in ("value", "share", "rank", "published")] == [
            6,
            6,
            2,
            1,
        ]


def test_names_of_classes_are_generalised_and_survive_odd_values() -> None:
    columns = {
        "price": {"type": "DOUBLE", "meaning": "Price.", "role": "quasi_identifier"},
        "day": {"type": "DATE", "meaning": "Day.", "role": "quasi_identifier"},
        "name": {"type": "VARCHAR", "meaning": "Name.", "role": "quasi_identifier"},
        "tags": {"type": "VARCHAR[]", "meaning": "Tags.", "role": "quasi_identifier"},
        "kind": {"type": "VARCHAR", "meaning": "Kind.", "role": "quasi_identifier", "values": {"A": "a", "B": "b"}},
        "count": {"type": "BIGINT", "meaning": "Count.", "role": "quasi_identifier"},
    }
    rows = [
        "1234.5, DATE '2026-03-17', 'Josephine', ['x', 'y'], 'A', -9223372036854775808",
        "0, DATE 'infinity', '', [], 'B', NULL",
        *(f"{price}, NULL, NULL, NULL, NULL, 1" for price in ("'NaN'", "'-inf'", "-0.032")),
    ]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE published (price DOUBLE, day DATE, name VARCHAR, tags VARCHAR[], kind VARCHAR, count BIGINT)"
        )
        connection.execute(f"INSERT INTO published VALUES ({'), ('.join(rows)})")
        classes = find_classes(a_dataset(columns=columns), connection)
        found = [list(one.values.values()) for one in classes.describe(classes.smallest()).values()]
    assert ["about 1000", "2026-03", "J… (length 9)", "2 values", "A", "about -9e+18"] in found
    assert ["0", "infinity", "… (length 0)", "0 values", "B", "missing"] in found
    assert {one[0] for one in found} >= {"about -0.03"}
    assert len(found) == 5


def test_a_class_where_all_are_ill_alike_shows_in_l_and_t() -> None:
    with classes_of(CROWD) as classes:
        found = measure_diversity(classes, "illness")
        worst = classes.describe([found.poorest, found.furthest])
    assert (found.distinct, found.entropy, found.recursive_c) == (1, pytest.approx(1), None)
    assert worst[found.poorest].values["region"] == "n… (length 5)"
    assert found.closeness == pytest.approx(0.25)  # 1/4 of all have gout; none of one class, half of the other


def test_attackers_are_as_defined() -> None:
    found = attack([Size(1, 2, 2), Size(4, 2, 8)], sampled=1, threshold=0.5)
    assert (found.prosecutor.highest, found.journalist.highest) == (1, 1)
    assert found.marketer == found.prosecutor.average == pytest.approx(4 / 10)  # classes over units
    assert found.prosecutor.above == pytest.approx(2 / 10)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_risk_in_a_population_is_the_closed_form_of_benedetti_and_franconi(share: float) -> None:
    rest = 1 - share
    one = share / rest * -math.log(share)
    two = share / rest - (share / rest) ** 2 * -math.log(share)
    assert in_population(np.array([1.0, 2.0]), share) == pytest.approx([one, two])
    assert in_population(np.array([5.0]), 1.0) == pytest.approx([0.2])


def test_a_sample_is_safer_than_everyone_for_whoever_does_not_know_who_is_in_it() -> None:
    found = attack([Size(1, 5, 5)], sampled=0.1, threshold=0.2)
    assert found.prosecutor.highest == 1
    assert found.journalist.highest == found.marketer == pytest.approx(math.log(10) / 9)


def measured_loss(**derivation: object) -> Removal:
    """Return what is lost of four sellers' days when only `day` is coarsened."""
    dataset = removals(recipe={"columns": {"trader": {"from": "seller", "pseudonymise": True}, "day": derivation}})
    source = SourceFile(name="a.csv", shape="as_published", rows=4, bytes=1, sha256="")
    rows = [("s1", "2025-01-01"), ("s2", "2025-01-02"), ("s3", "2025-02-01"), ("s4", "2025-02-02")]
    with duckdb.connect() as connection:
        listed = ", ".join(f"('{seller}', '{day}', 'toys', '1')" for seller, day in rows)
        connection.execute(f"CREATE TEMP VIEW raw AS FROM (VALUES {listed}) AS t(seller, day, category, views)")
        return measure_removal(connection, dataset, source, KEY)


def test_a_day_cut_to_its_month_loses_one_of_two_bits_here() -> None:
    [loss] = measured_loss(truncate="month").losses
    assert (loss.column, loss.origin, loss.rows, loss.emptied) == ("day", "day", 4, 0)
    assert (loss.bits_before, loss.bits_lost) == (pytest.approx(8), pytest.approx(4))
    [twice] = total([measured_loss(truncate="month")] * 2).losses
    assert (twice.rows, twice.bits_before, twice.bits_lost) == (8, pytest.approx(16), pytest.approx(8))


def test_a_value_that_is_emptied_in_some_rows_is_counted() -> None:
    [loss] = measured_loss(derive="CASE WHEN seller = 's1' THEN day END").losses
    assert loss.emptied == 3
    assert loss.bits_lost == pytest.approx(3 * math.log2(3))


def test_what_is_taken_over_or_pseudonymised_loses_nothing() -> None:
    assert measured_loss() == Removal((), ())

"""Two releases that differ only in what a policy masks give the same governed copy, row for row and file for file.

A release is sorted by raw values, and ties by a hash that anybody can compute; where a copy kept that order, a hidden
value could be guessed by the place of its row, and a hidden date by the month's file that the row is in.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.factories import a_dataset, a_grant, a_policy, a_rule
from support.workspaces import PROJECT, a_store, obligations_of, publish_rows, rows_of

from portal.policy.people import Narrowing

LAYOUTS: tuple[Mapping[str, Any], ...] = (
    {},
    {"sort": ["price", "day"]},
    {"sort": ["day"], "partition": {"day": "month"}},
)


def rows(turn: int) -> list[dict[str, Any]]:
    """Sixty rows; `turn` moves every id, price and day to another row and leaves the rest where it is."""
    turned = [(n * 7 + turn * 11) % 60 for n in range(60)]
    return [
        {
            "id": f"id-{m}",
            "country": ("DE", "FR")[n % 2],
            "states": [],
            "price": float(m % 9),
            "units": n % 5,
            "day": date(2026, 1 + m % 3, 1 + m % 28),
        }
        for n, m in enumerate(turned)
    ]


@pytest.mark.parametrize("layout", LAYOUTS, ids=["unsorted", "sorted", "by month"])
@pytest.mark.parametrize(
    "masks",
    [
        {"id": "hide", "price": "hide", "day": "hide"},
        {"id": {"constant": "x"}, "price": {"band": [100]}, "day": {"truncate": "year"}},
        {"id": {"map": {"nobody": "x"}}, "price": {"top_code": -1}, "day": {"truncate": "quarter"}},
    ],
    ids=["hidden", "coarse", "coarser"],
)
def test_the_copy_is_the_same_whatever_is_masked(
    tmp_path: Path, layout: Mapping[str, Any], masks: Mapping[str, Any]
) -> None:
    dataset = a_dataset(layout=layout)
    obligations = obligations_of(dataset=dataset, policy=a_policy(a_rule(columns=masks)))
    seen = []
    for turn in (0, 1):
        home = tmp_path / str(turn)
        manifest = publish_rows(home, rows(turn), dataset)
        copy = a_store(home).ensure(PROJECT, dataset, manifest, obligations)
        seen.append((len(copy.files), rows_of(copy)))
    assert len(seen[0][1]) == 60
    assert seen[0] == seen[1]


def test_a_date_that_a_grant_hides_is_not_told_by_the_files_either(tmp_path: Path) -> None:
    dataset = a_dataset(layout=LAYOUTS[2])
    manifest = publish_rows(tmp_path, rows(0), dataset)
    obligations = obligations_of(dataset=dataset, grant=a_grant(narrowing=Narrowing(hidden=frozenset({"day"}))))
    assert len(manifest.files) == 3
    assert len(a_store(tmp_path).ensure(PROJECT, dataset, manifest, obligations).files) == 1

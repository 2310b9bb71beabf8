from typing import Any

import pytest

from portal.catalogue.changes import codebook_changes, definition_changes

BEFORE: dict[str, Any] = {
    "title": "Sales",
    "columns": {"price": {"type": "DOUBLE", "values": {"a": "A"}}, "old": {"type": "DATE"}},
    "errata": [{"id": "late", "title": "Late rows"}],
    "legal_basis": ["Art. 40"],
    "recipe": {"columns": {"price": {"from": "secret_name"}}},
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ()),
        ({"title": "All sales"}, ("title changed from 'Sales' to 'All sales'",)),
        ({"errata": [*BEFORE["errata"], {"id": "twice", "title": "Twice"}]}, ("errata.twice was added",)),
        ({"errata": [{"id": "late", "title": "Later"}]}, ("errata.late.title changed from 'Late rows' to 'Later'",)),
        ({"legal_basis": ["Art. 40", "Art. 17"]}, ("legal_basis.Art. 17 was added: 'Art. 17'",)),
        (
            {"columns": {"price": {"type": "DOUBLE", "unit": "EUR", "values": {}}}},
            (
                "columns.price.values.a was removed: 'A'",
                "columns.price.unit was added: 'EUR'",
                "columns.old was removed",
            ),
        ),
    ],
)
def test_each_change_of_a_codebook_is_told_at_its_place(change: dict[str, Any], told: tuple[str, ...]) -> None:
    assert codebook_changes(BEFORE, {**BEFORE, **change}) == told


def test_the_recipe_is_told_to_the_steward_and_to_nobody_else() -> None:
    after = {**BEFORE, "recipe": {"columns": {"price": {"from": "other"}}}}
    assert codebook_changes(BEFORE, after) == ()
    assert definition_changes(BEFORE, after) == ("recipe.columns.price.from changed from 'secret_name' to 'other'",)

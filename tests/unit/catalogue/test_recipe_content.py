import pytest
from pydantic import ValidationError
from support.publishing import a_dataset


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"columns": {"views": {"pseudonymise": True}}}}, "views is BIGINT, and pseudonymise makes VARCHAR"),
        ({"recipe": {"columns": {"views": {"band": [1]}}}}, "views is BIGINT, and band makes VARCHAR"),
        ({"recipe": {"shapes": {"v1": {"columns": {"trader": {"truncate": "month"}}}}}}, "recipe.shapes.v1: trader"),
        ({"recipe": {"columns": {"category": {"band": [2, 1]}}}}, "band edges must rise"),
        ({"recipe": {"columns": {"views": {"from": "a", "derive": "b"}}}}, "give only one of"),
        ({"layout": {"partition": {"category": "month"}}}, "layout.partition: category is no DATE or TIMESTAMP"),
        ({"layout": {"sort": ["colour"]}}, "unknown column: layout.sort: colour"),
    ],
)
def test_a_recipe_that_cannot_make_its_column_is_a_fault(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        a_dataset(**changes)

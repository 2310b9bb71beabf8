"""What may be done with each column of a dataset: the question "why can't I?", answered before anything is asked."""

from dataclasses import dataclass

from portal.policy.decision import Obligations
from portal.policy.explain import obligation_in_words
from portal.policy.model import Access, DimensionUse, Disclosure

NO = ""
"""In place of words: this may not be done."""
FREELY = "yes"
"""In any way that SQL knows."""
COUNTED = "count, count distinct"
"""What is done with the values of a column that are never summed."""


@dataclass(frozen=True, slots=True)
class ColumnUses:
    """What may be done with one column, each in a few words; empty where it may not be done."""

    column: str
    output: str = NO
    group: str = NO
    filter: str = NO
    join: str = NO
    aggregate: str = NO


def uses_of(obligations: Obligations) -> tuple[ColumnUses, ...]:
    """Return the uses of every column of the dataset, in its order."""
    rules = obligations.disclosure
    if obligations.access is Access.ROWS or rules is None:
        return tuple(_row_wise(name, obligations) for name in obligations.columns)
    return tuple(_in_cells(name, rules) for name in obligations.columns)


def _row_wise(column: str, obligations: Obligations) -> ColumnUses:
    duty = obligations.columns[column]
    if obligations.access < Access.ROWS or duty.hide:
        return ColumnUses(column)
    output = FREELY if duty.show else obligation_in_words(duty)
    return ColumnUses(column, output, FREELY, FREELY, FREELY, FREELY)


def _in_cells(column: str, rules: Disclosure) -> ColumnUses:
    if column in rules.entities:
        return ColumnUses(column, join=rules.entity_joins.get(column, NO), aggregate=COUNTED)
    if column in rules.measures:
        step = rules.measures[column].round
        return ColumnUses(column, aggregate=f"sum (to multiples of {step:g}), average, count")
    use = rules.dimensions.get(column)
    if use is None:
        return ColumnUses(column)
    group, condition = grouping_in_words(use), filtering_in_words(use)
    counted = COUNTED if use.equal else f"{COUNTED} of days" if use.period == "day" else "count"
    return ColumnUses(column, "as a group", group, condition, rules.public_joins.get(column, NO), counted)


def grouping_in_words(use: DimensionUse) -> str:
    """Say how a dimension makes groups."""
    if use.step is not None:
        return f"by steps of {use.step} or coarser"
    if use.prefix is not None:
        return f"by its first {use.prefix} characters or fewer"
    return f"by {use.period} or coarser" if use.period else "by value"


def filtering_in_words(use: DimensionUse) -> str:
    """Say what conditions a dimension takes."""
    if use.step is not None:
        return f">= and < on multiples of {use.step}, IS NULL"
    if use.prefix is not None:
        return "= and IN on its first characters, IS NULL"
    return f">= and < on the first day of a {use.period}, IS NULL" if use.period else "=, IN, IS NULL"

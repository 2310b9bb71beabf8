"""Whether a statement says the same of the same data at any time: only then may an answer be given again."""

from sqlglot import exp

from portal.sql.functions import VOLATILE
from portal.sql.places import fold

_CHANGING = (
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Localtime,
    exp.Localtimestamp,
    exp.TableSample,
)


def is_repeatable(tree: exp.Expr) -> bool:
    """Say whether nothing in the statement depends on chance or on the clock."""
    return not any(
        isinstance(node, _CHANGING) or (isinstance(node, exp.Anonymous) and fold(str(node.this)) in VOLATILE)
        for node in tree.walk()
    )

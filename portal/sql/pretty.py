"""A statement laid out to be read, with its comments; it means what it meant."""

from portal.errors import Fault, StatementRefusal
from portal.sql.dialect import write, write_to_read
from portal.sql.reading import parse

_NOT_SURE = Fault(
    "SQL_FORMAT",
    "The statement cannot be laid out anew without a change of what it says.",
    rule="sql.format",
    fix="Leave it as it is: it runs all the same.",
)


def pretty(text: str) -> str:
    """Return the statement, one clause to a line, under the names that it was written with.

    Raises:
        StatementRefusal: The text is not one statement that reads, or its layout cannot be changed safely.
    """
    tree = parse(text).tree
    laid_out = write_to_read(tree)
    try:
        again = write(parse(laid_out).tree)
    except StatementRefusal:
        raise StatementRefusal(_NOT_SURE) from None
    if again != write(tree):
        raise StatementRefusal(_NOT_SURE)
    return laid_out

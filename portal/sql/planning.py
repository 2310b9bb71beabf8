"""A statement that reads, and the tables its asker may see, to a plan that may run."""

from collections.abc import Mapping

from portal.errors import Fault, StatementRefusal
from portal.ids import DatasetName
from portal.sql.agreement import same, same_names
from portal.sql.dialect import write
from portal.sql.grammar import faults_of_grammar
from portal.sql.names import faults_of_unread, resolve
from portal.sql.places import fold
from portal.sql.plan import Plan, StatementParser, TableSchema
from portal.sql.reading import Parsed, unreadable
from portal.sql.verify import unseen, unverified

MAX_FAULTS = 5


def plan(parsed: Parsed, tables: Mapping[DatasetName, TableSchema], parser: StatementParser) -> Plan:
    """Check the statement against the closed world and the schemas, and write it anew.

    `tables` are those the asker may read, and no others: an unknown table and one that is not granted then read alike.

    Raises:
        StatementRefusal: Up to five faults at once, in the order of the text.
    """
    granted = {fold(name): name for name in tables}
    try:
        names = resolve(parsed, tables)
        faults = [*faults_of_grammar(parsed, granted), *names.faults] or list(faults_of_unread(parsed, names))
        if faults:
            raise StatementRefusal(*_first(faults))
        read = tuple(granted[name] for name in parsed.datasets)
        sql = _rewritten(parsed, parser)
    except RecursionError:
        raise StatementRefusal(_too_deep()) from None
    return Plan(sql=sql, datasets=read, columns=frozenset(names.uses), parameters=parsed.parameters)


def _first(faults: list[Fault]) -> list[Fault]:
    unique = dict.fromkeys(sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    return list(unique)[:MAX_FAULTS]


def _rewritten(parsed: Parsed, parser: StatementParser) -> str:
    """Return a text of the portal's own that means, and names its columns, as the researcher's does in DuckDB.

    That is the checked tree written out. Where sqlglot spells a column without alias differently (`x::date`), so that
    DuckDB would name it differently, it is DuckDB's writing of its own tree instead. Either way both parsers must have
    read the same statement, and what is returned is what was verified.
    """
    asked = parser.serialise(parsed.text)
    if asked.get("error"):
        raise StatementRefusal(unreadable(parsed.text, int(asked.get("position") or 0)))
    sql = write(parsed.tree)
    read = parser.serialise(sql)
    if not same(asked, read):
        raise StatementRefusal(unverified())
    if not same_names(asked, read):
        theirs = parser.normalise(parsed.text) or sql
        reread = parser.serialise(theirs)
        if same(asked, reread):
            sql, read = theirs, reread
    if any(True for _ in unseen(read, parsed.datasets)):
        raise StatementRefusal(unverified())
    return sql


def _too_deep() -> Fault:
    return Fault(
        code="SQL_TOO_DEEP",
        message="The statement is nested too deeply.",
        rule="sql.nesting",
        fix="Break it up with WITH, and long chains of operators into parts.",
    )

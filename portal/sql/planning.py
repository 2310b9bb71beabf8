"""A statement that reads, and the tables its asker may see, to a plan that may run."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TypeVar

from portal.errors import Fault, StatementRefusal
from portal.ids import DatasetName
from portal.sql.agreement import same, same_names
from portal.sql.blocks import Block
from portal.sql.dialect import write
from portal.sql.grammar import faults_of_grammar
from portal.sql.labels import faults_of_labels
from portal.sql.names import faults_of_unread, resolve
from portal.sql.places import fold
from portal.sql.plan import Plan, Protected, StatementParser, TableSchema
from portal.sql.protected import read_drafts
from portal.sql.reading import Parsed, parsed_from, unreadable
from portal.sql.released import put_cells
from portal.sql.repeatable import is_repeatable
from portal.sql.subject import Reading
from portal.sql.verify import unseen, unverified, verify

MAX_FAULTS = 5

Kind = TypeVar("Kind")


def plan(
    parsed: Parsed,
    tables: Mapping[DatasetName, TableSchema],
    parser: StatementParser,
    protected: Mapping[DatasetName, Protected] = MappingProxyType({}),
    others: Collection[DatasetName] = (),
) -> Plan:
    """Check the statement against the closed world and the schemas, and write it anew.

    `tables` are those the asker may read, and `protected` those that answer him in statistics only; no others: an
    unknown table and one that is not granted then read alike. `others` are more datasets that he knows of, whose names
    he may not give to tables.

    Raises:
        StatementRefusal: Up to five faults at once, in the order of the text.
    """
    schemas = {**tables, **{name: each.schema for name, each in protected.items()}}
    granted = {fold(name): name for name in schemas}
    try:
        names = resolve(parsed, schemas)
        reading = Reading(parsed.text, _folded(tables), _folded(protected), parsed.values)
        tree = parsed.tree.copy()
        drafts, inlined = read_drafts(reading, tree)
        labels = faults_of_labels(parsed, {fold(name) for name in (*schemas, *others)})
        unknown = [fault for fault in names.faults if (fault.line, fault.column) not in reading.marks]
        faults = _merged([*faults_of_grammar(parsed, granted), *labels, *unknown], reading.faults)
        faults = faults or list(faults_of_unread(parsed, names))
        if faults:
            raise StatementRefusal(*_first(faults))
        read = tuple(granted[name] for name in parsed.datasets)
        sql, left = _rewritten(parsed, parser), parsed
        blocks = put_cells(drafts, inlined, parser)
        if blocks:
            left = parsed_from(parsed.text, tree)
            sql = _over_cells(left, blocks, tables, parser)
    except RecursionError:
        raise StatementRefusal(_too_deep()) from None
    return Plan(
        sql=sql,
        datasets=read,
        columns=frozenset(names.uses),
        parameters=parsed.parameters,
        open_parameters=left.parameters,
        blocks=blocks,
        repeatable=is_repeatable(parsed.tree),
    )


def _folded(tables: Mapping[DatasetName, Kind]) -> Mapping[str, Kind]:
    return {fold(name): each for name, each in tables.items()}


def _merged(faults: list[Fault], of_blocks: list[Fault]) -> list[Fault]:
    """Return the faults of both; of two at one place, what is wrong in any statement says enough."""
    places = {(fault.line, fault.column) for fault in faults}
    return [*faults, *(fault for fault in of_blocks if (fault.line, fault.column) not in places)]


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


def _over_cells(
    released: Parsed, blocks: tuple[Block, ...], tables: Mapping[DatasetName, TableSchema], parser: StatementParser
) -> str:
    """Return the text of a statement over released relations, checked like any other over its tables."""
    relations = {DatasetName(block.relation): _relation(block) for block in blocks}
    if resolve(released, {**tables, **relations}).faults:
        raise StatementRefusal(unverified())
    sql = write(released.tree)
    verify(sql, released.datasets, parser)
    return sql


def _relation(block: Block) -> TableSchema:
    names = [*(key.name for key in block.groupings), *(figure.name for figure in block.aggregates)]
    names += [block.remainder] if block.remainder else []
    return TableSchema(DatasetName(block.relation), dict.fromkeys(names, ""))


def _too_deep() -> Fault:
    return Fault(
        code="SQL_TOO_DEEP",
        message="The statement is nested too deeply.",
        rule="sql.nesting",
        fix="Break it up with WITH, and long chains of operators into parts.",
    )

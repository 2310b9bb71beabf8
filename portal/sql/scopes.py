"""What an expression can see: relations with their columns, aliases, and the scopes around; and how a path is found."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from sqlglot import exp

from portal.errors import Fault
from portal.sql.places import Words, fault_at, start_of
from portal.sql.plan import ColumnUse, TableSchema

Columns = Mapping[str, ColumnUse | None]
"""Folded column names, each with the dataset column behind it, if one is."""

ANY_NAME = "*"
"""Among the columns of a relation: it may have others, whose names only DuckDB knows."""

_VIRTUAL = frozenset({"rowid", "filename", "file_row_number", "file_index"})
_MANY = 30


@dataclass(frozen=True, slots=True)
class Relation:
    """What a FROM item offers under its alias."""

    alias: str
    columns: Columns

    def has(self, name: str) -> bool:
        """Whether the column is there, or may be."""
        return name in self.columns or ANY_NAME in self.columns


@dataclass(frozen=True, slots=True)
class Scope:
    """The relations and select aliases that an expression sees, and the scope around it.

    `merged` are the columns that USING made one of; naming them is not ambiguous.
    """

    relations: tuple[Relation, ...] = ()
    aliases: frozenset[str] = frozenset()
    merged: frozenset[str] = frozenset()
    outer: "Scope | None" = None

    def outward(self) -> Iterator["Scope"]:
        """Yield this scope and those around it, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def around(self) -> list[Relation]:
        """Return every relation in sight."""
        return [relation for scope in self.outward() for relation in scope.relations]


@dataclass(slots=True)
class Findings:
    """What resolving a statement finds.

    `members` holds the columns of each common table expression, and `read` the tables and columns that were looked at,
    by identity.
    """

    text: str
    tables: Mapping[str, TableSchema]
    uses: set[ColumnUse] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    members: dict[int, Columns] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)

    def use(self, relation: Relation, name: str) -> None:
        """Report the dataset column behind the name; all of the relation's, where the name is not sure."""
        if name in relation.columns:
            self.use_all([Relation("", {name: relation.columns[name]})])
        else:
            self.use_all([relation])

    def use_all(self, relations: Iterable[Relation]) -> None:
        """Report every dataset column of the relations."""
        self.uses.update(use for relation in relations for use in relation.columns.values() if use is not None)

    def fault(self, node: exp.Expr, words: Words) -> None:
        """Add a fault at the node's place, once: what may look at itself is read twice."""
        fault = fault_at(self.text, start_of(node), words)
        if fault not in self.faults:
            self.faults.append(fault)


def find_path(findings: Findings, node: exp.Expr, parts: list[str], scope: Scope) -> None:
    """Find `a`, `a.b` or `a.b.c`: a table's column and its fields, a column and its fields, or a whole row."""
    for level in scope.outward():
        if _found_in(findings, node, parts, level):
            return
    unknown_column(findings, node, parts[0], scope.around())


def _found_in(findings: Findings, node: exp.Expr, parts: list[str], level: Scope) -> bool:
    first = parts[0]
    tables = [relation for relation in level.relations if relation.alias == first]
    owners = [relation for relation in level.relations if first in relation.columns]
    if len(parts) > 1 and tables:
        if tables[0].has(parts[1]):
            findings.use(tables[0], parts[1])
            return True
        if not owners:
            unknown_column(findings, node, parts[1], tables)
            return True
    if len(owners) > 1 and first not in level.merged | level.aliases:
        _ambiguous(findings, node, first, owners)
    for relation in owners:
        findings.use(relation, first)
    if owners or first in level.aliases:
        return True
    findings.use_all(tables)
    unsure = [relation for relation in level.relations if ANY_NAME in relation.columns]
    findings.use_all(unsure)
    return bool(tables or unsure)


def unknown_table(findings: Findings, table: exp.Table) -> None:
    """Report a table that does not exist, or is not granted: in the same words."""
    near = get_close_matches(table.name.lower(), findings.tables, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    findings.fault(
        table,
        Words(
            code="SQL_UNKNOWN_TABLE",
            message=f'There is no table "{table.name}" that this project may read.',
            rule="sql.tables",
            fix=f"{hint}Name a dataset of the catalogue that is granted to the project, without schema or path.",
        ),
    )


def repeated_name(findings: Findings, alias: exp.Expr, name: str) -> None:
    """Report a list of names after which two columns bear one: which of them is meant would depend on the reader."""
    findings.fault(
        alias,
        Words(
            code="SQL_REPEATED_NAME",
            message=f'With these names, two columns are called "{name}".',
            rule="sql.names",
            fix="Name every column of the list, each differently.",
        ),
    )


def unknown_column(findings: Findings, node: exp.Expr, name: str, relations: Iterable[Relation]) -> None:
    """Report a column that is nowhere in sight; suggestions come from the given schemas only."""
    known = sorted({key for relation in relations for key in relation.columns} - {ANY_NAME})
    near = get_close_matches(name, known, n=3)
    if name in _VIRTUAL:
        words = Words(
            code="SQL_VIRTUAL_COLUMN",
            message=f'"{name}" is a column of the storage, not of the data.',
            rule="sql.columns",
            fix="Use row_number() OVER (ORDER BY ...) to number rows.",
        )
    else:
        listed = ", ".join(known[:_MANY]) or "none"
        words = Words(
            code="SQL_UNKNOWN_COLUMN",
            message=f'There is no column "{name}" here.',
            rule="sql.columns",
            fix=f"Did you mean {' or '.join(near)}?" if near else f"The columns here: {listed}.",
        )
    findings.fault(node, words)


def _ambiguous(findings: Findings, node: exp.Expr, name: str, owners: Iterable[Relation]) -> None:
    findings.fault(
        node,
        Words(
            code="SQL_AMBIGUOUS_COLUMN",
            message=f'"{name}" is a column of more than one table here.',
            rule="sql.columns",
            fix=f"Write {' or '.join(f'{owner.alias}.{name}' for owner in owners if owner.alias)}.",
        ),
    )

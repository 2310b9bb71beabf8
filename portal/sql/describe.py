"""A block in one sentence: what would be released of a dataset, and at what grain."""

from portal.sql.blocks import Aggregate, Atom, Block, Grouping, Value


def block_in_words(block: Block) -> str:
    """Say what cells a block asks for, at which place of the statement it stands."""
    each = " and ".join(map(_key, block.groupings))
    rest = ", and one over all that are withheld" if block.remainder else ""
    grain = f"one cell for each {each}{rest}" if each else "one cell in all"
    joins = (*([block.entity_join] if block.entity_join else ()), *block.joins)
    joined = "".join(f", joined to {join.dataset} by {join.own} = {join.column}" for join in joins)
    figures = ", ".join(map(_figure, block.aggregates)) or "only which groups there are"
    return f"Line {block.line}: of {block.dataset}{joined}, {grain}{_where(block.atoms)}: {figures}."


def _key(grouping: Grouping) -> str:
    words = {
        "value": "",
        "trunc": f"{grouping.grid} of ",
        "year": "year of ",
        "step": f"step of {grouping.grid} of ",
        "prefix": f"first {grouping.grid} characters of ",
    }[grouping.kind]
    return f"{words}{grouping.column}"


def _figure(aggregate: Aggregate) -> str:
    column = aggregate.column or "rows"
    words = {
        "count_rows": "the number of rows",
        "count": f"the number of rows with {column}",
        "count_distinct": f"the number of different {column}",
        "sum": f"the sum of {column}",
        "avg": f"the average of {column}",
    }[aggregate.function]
    return f"{words}{_where(aggregate.filter)}"


def _where(atoms: tuple[Atom, ...]) -> str:
    return f" where {' and '.join(map(_condition, atoms))}" if atoms else ""


def _condition(atom: Atom) -> str:
    if atom.op == "is null":
        return f"{atom.column} is missing"
    column = f"the first {atom.prefix} characters of {atom.column}" if atom.prefix else atom.column
    values = ", ".join(map(_value, atom.values))
    return f"{column} in ({values})" if atom.op == "in" else f"{column} {atom.op} {values}"


def _value(value: Value) -> str:
    return repr(value) if isinstance(value, str) else str(value)

"""`portal query` and `portal explain`: a statement's whole way, and what it would be."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from pathlib import Path

import click

from portal.cli.context import with_services
from portal.cli.files import written
from portal.cli.printing import json_option, progress_bar, say, show, table, wants_json
from portal.cli.values import FILE, asker_options, parameters_option, typed
from portal.desk.answers import Answer, Asker, Explanation
from portal.desk.citing import manifest_of
from portal.desk.saved import statement_named
from portal.desk.services import Services
from portal.desk.statements import Running, explain_statement, run_statement
from portal.ids import DatasetName, QueryName
from portal.policy.uses import ColumnUses
from portal.sql.plan import Statement
from portal.workspaces.export import write_answer

SAVED = "@"
"""Before the name of a saved query, where SQL would stand."""
SHOWN = 100
"""Rows that a table in a terminal shows."""


@click.command
@click.argument("sql")
@asker_options
@parameters_option
@click.option(
    "--format", "file_format", type=click.Choice(("table", "csv", "json", "parquet", "arrow")), help="[default: table]"
)
@click.option("--out", type=FILE, help="The file to write; left out: standard output.")
@json_option
@with_services
def query(  # noqa: PLR0913 - one for each option
    services: Services,
    sql: str,
    *,
    asker: Asker,
    parameters: Mapping[str, str],
    file_format: str | None,
    out: Path | None,
) -> None:
    """Answer SQL, or a saved query named as @topic/name; `-` reads SQL from standard input."""
    statement = read_statement(services, asker, sql, parameters)
    with progress_bar() as report:
        answer = run_statement(services, asker, statement, Running(progress=report))
    chosen = file_format or ("json" if wants_json() else "table")
    if chosen == "table":
        click.echo(_as_table(answer))
    else:
        with written(out) as sink:
            write_answer(answer.spool, sink, chosen, manifest_of(services, answer))
    _say_about(answer)


@click.command
@click.argument("sql")
@asker_options
@parameters_option
@json_option
@with_services
def explain(services: Services, sql: str, *, asker: Asker, parameters: Mapping[str, str]) -> None:
    """Say what would happen to SQL, in policy terms, without running it."""
    explanation = explain_statement(services, asker, read_statement(services, asker, sql, parameters))
    show(asdict(explanation), _in_words(explanation))


def read_statement(services: Services, asker: Asker, sql: str, parameters: Mapping[str, str]) -> Statement:
    """Return what is asked: a saved query by its name, the text itself, or standard input."""
    if sql.startswith(SAVED):
        return statement_named(services, asker, QueryName(sql.removeprefix(SAVED)), parameters)
    return Statement(sys.stdin.read() if sql == "-" else sql, typed(parameters))


def _as_table(answer: Answer) -> str:
    head = answer.head(SHOWN)
    rows = list(zip(*(column.to_pylist() for column in head.columns), strict=True))
    more = answer.receipt.rows - len(rows)
    return table(head.schema.names, rows) + (f"\n… and {more:,} more rows; take another --format" if more > 0 else "")


def _say_about(answer: Answer) -> None:
    receipt = answer.receipt
    complete = "" if receipt.complete else ", cut by the limit of rows"
    say(f"{receipt.rows:,} rows{complete}. Receipt {receipt.id}. {receipt.rows_left_this_week:,} rows left this week.")
    for source in receipt.sources:
        say(f"{source.dataset}: release {source.release}{', synthetic data' if source.synthetic else ''}.")
    if receipt.withheld is not None:
        say("Statistics, rounded; a figure without a value is withheld or not there, groups of too few are left out.")
    for name, erratum in answer.errata:
        say(f"Erratum of {name}: {erratum.title}.")


def _uses(dataset: DatasetName, uses: Sequence[ColumnUses]) -> str:
    head = (f"{dataset}", "output", "group", "filter", "join", "aggregate")
    return table(head, [tuple(words or "no" for words in astuple(use)) for use in uses])


def _in_words(explanation: Explanation) -> str:
    limits = explanation.limits
    lines = [line for name, words in explanation.decisions.items() for line in (name, *(f"  {each}" for each in words))]
    lines += ["Released:", *(f"  {sentence}" for sentence in explanation.releases)] if explanation.releases else []
    lines += [line for name, uses in explanation.columns.items() for line in ("", _uses(name, uses), "")]
    lines.append(
        f"It may use {limits.seconds:g} seconds and {limits.memory}, and hand out {limits.result_rows:,} rows; "
        f"{explanation.rows_left_this_week:,} are left this week."
    )
    lines += [f"Erratum of {name}: {erratum.title}." for name, erratum in explanation.errata]
    return "\n".join([*lines, "What would run:", explanation.sql])

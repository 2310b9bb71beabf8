"""What becomes of releases: listed, compared, withdrawn, retired; and the rows that none of them holds."""

from collections.abc import Mapping
from dataclasses import asdict

import click

from portal.cli.context import with_services
from portal.cli.printing import json_option, say, show, show_records, table
from portal.cli.values import DATASET
from portal.desk.ending import retire_releases, withdraw_release
from portal.desk.releases import difference_between, kept_releases, rejected_rows
from portal.desk.services import Services
from portal.ids import DatasetName

NUMBER = click.IntRange(min=1)


@click.command
@click.argument("dataset", type=DATASET, required=False)
@json_option
@with_services
def releases(services: Services, dataset: DatasetName | None) -> None:
    """List the releases of DATASET, or of every dataset, with what became of each."""
    names = [dataset] if dataset else services.releases.datasets()
    show_records([release for name in names for release in kept_releases(services, name)])


@click.command
@click.argument("dataset", type=DATASET)
@click.argument("before", type=NUMBER)
@click.argument("after", type=NUMBER)
@json_option
@with_services
def diff(services: Services, dataset: DatasetName, before: int, after: int) -> None:
    """Compare releases BEFORE and AFTER of DATASET: schema, counts, how far each column moved, the codebook."""
    found = difference_between(services, dataset, before, after)
    columns = [asdict(column) for column in found.columns]
    facts = [(name, was, now) for name, (was, now) in found.facts.items()]
    codebook = found.definition if found.definition is not None else ("No codebook was kept with one of the two.",)
    parts = [
        table(("", f"release {before}", f"release {after}"), facts),
        table(tuple(columns[0]), [tuple(column.values()) for column in columns]),
        "\n".join(codebook) or "The dataset's definition is the same.",
    ]
    show({"facts": found.facts, "columns": columns, "definition": found.definition}, "\n\n".join(parts))


@click.command
@click.argument("dataset", type=DATASET)
@click.argument("release", type=NUMBER)
@click.option("--because", required=True, help="Why, in words for researchers.")
@json_option
@with_services
def withdraw(services: Services, dataset: DatasetName, release: int, because: str) -> None:
    """Withdraw a RELEASE of DATASET for everyone at once, with all that was made of it; its number stays."""
    ending = withdraw_release(services, dataset, release, because)
    latest = services.releases.latest(dataset)
    say(f"Served now: {f'release {latest.number}' if latest else 'none'}.")
    show_records([{"dataset": dataset, "release": release, **ending.model_dump(mode="json")}])


@click.command
@json_option
@with_services
def retire(services: Services) -> None:
    """Retire the releases that the rule of their dataset (`retention`) keeps no longer."""
    show_records([{"dataset": name, "release": number} for name, number in retire_releases(services)])


@click.command
@click.argument("dataset", type=DATASET)
@click.argument("release", type=NUMBER, required=False)
@json_option
@with_services
def rejected(services: Services, dataset: DatasetName, release: int | None) -> None:
    """List the rows of DATASET that a RELEASE does not hold, and why; without one, of the last attempt they stopped."""
    found = rejected_rows(services, dataset, release)
    rows = [row.model_dump() for row in found.rows]
    show({"counts": found.counts, "rows": rows}, _in_words(found.counts, rows))


def _in_words(counts: Mapping[str, int], rows: list[dict[str, object]]) -> str:
    if not rows:
        return "No row was rejected."
    listed = table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    return f"{table(('reason', 'rows'), list(counts.items()))}\n\n{listed}"

"""`portal ledger`: what was done, and the proof that it is what was written.

All but the search works whatever the site's state.
"""

from datetime import UTC, date, datetime, time, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from portal.cli.context import with_services, with_settings
from portal.cli.files import written
from portal.cli.printing import json_option, say, show, show_records
from portal.cli.values import DATASET, DAY, FILE, PERSON, PROJECT
from portal.desk.activity import search_ledger
from portal.desk.services import Services
from portal.errors import ContentError, Fault, NotFoundError
from portal.ids import PersonId
from portal.ledger import Action, Checkpoint, Entry, faults_of_export
from portal.settings import Settings
from portal.wiring import open_ledger

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group
def ledger() -> None:
    """Verify, search and export the ledger."""


@ledger.command
@click.option("--checkpoint", "kept", type=READABLE, help="A checkpoint that was kept elsewhere.")
@click.option("--export", "exported", type=READABLE, help="Verify this export, and not the ledger itself.")
@click.option("--key", help="The public key that the export must be signed with; left out: this portal's.")
@json_option
@with_settings
def verify(settings: Settings, kept: Path | None, exported: Path | None, key: str | None) -> None:
    """Verify the whole chain, also against a checkpoint that was kept elsewhere; ends with 1 on any fault."""
    checkpoint = Checkpoint.from_json(_text_of(kept)) if kept else None
    if exported:
        public_key = key or open_ledger(settings).public_key
        faults = tuple(faults_of_export(_text_of(exported).splitlines(), checkpoint, public_key))
    else:
        faults = open_ledger(settings).verify(checkpoint)
    records = [{"code": fault.code, "entry": fault.sequence, "message": fault.message} for fault in faults]
    show(records, "\n".join(map(str, faults)) or "The ledger is as it was written.")
    if faults:
        click.get_current_context().exit(1)


@ledger.command
@click.option("--out", type=FILE, help="The file to write; left out: standard output.")
@json_option
@with_settings
def checkpoint(settings: Settings, out: Path | None) -> None:
    """Write a signed checkpoint, to be kept elsewhere: it proves later what the ledger holds now."""
    made = open_ledger(settings).checkpoint()
    if made is None:
        raise NotFoundError(Fault("LEDGER_EMPTY", "The ledger holds nothing yet.", fix="Use the portal first."))
    with written(out) as sink:
        sink.write(made.to_json().encode() + b"\n")
    say(f"Entry {made.sequence:,}; keep this where the portal cannot write.")


@ledger.command
@json_option
@with_settings
def key(settings: Settings) -> None:
    """Print the public key that checkpoints and exports are verified with."""
    found = open_ledger(settings).public_key
    show({"key": found}, found)


@ledger.command
@click.option("--count", "-n", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
@with_settings
def tail(settings: Settings, count: int) -> None:
    """Show the last entries, newest first."""
    show_records([_record(entry) for entry in open_ledger(settings).tail(count)])


@ledger.command
@click.option(
    "--as", "reader", type=PERSON, required=True, help="Who reads: an auditor, or somebody their own entries."
)
@click.option("--person", "actor", type=PERSON, help="Done by this person.")
@click.option("--project", type=PROJECT, help="For this project.")
@click.option("--dataset", type=DATASET, help="About this dataset.")
@click.option("--action", type=click.Choice([action.value for action in Action]), help="Of this kind.")
@click.option("--from", "since", type=DAY, help="First day.")
@click.option("--until", type=DAY, help="Last day.")
@click.option("--count", "-n", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
@with_services
def search(services: Services, /, reader: PersonId, since: date | None, until: date | None, **wanted: Any) -> None:  # noqa: ANN401 - handed on by name
    """Search the ledger by person, project, dataset, kind and days (UTC), newest first."""
    days = {"since": _midnight(since), "until": _midnight(until and until + timedelta(days=1))}
    limit = wanted.pop("count")
    wanted["action"] = wanted["action"] and Action(wanted["action"])
    show_records([_record(entry) for entry in search_ledger(services, reader, limit=limit, **days, **wanted)])


@ledger.command
@click.option("--out", type=FILE, help="The file to write; left out: standard output.")
@with_settings
def export(settings: Settings, out: Path | None) -> None:
    """Write every entry as one line of JSON, oldest first, and their proof as the last line."""
    with written(out) as sink:
        text = TextIOWrapper(sink, encoding="utf-8", write_through=True)
        count = open_ledger(settings).export(text)
        text.detach()
    say(f"{count:,} entries.")


def _record(entry: Entry) -> dict[str, object]:
    return {
        "entry": entry.sequence,
        "at": f"{entry.at:%Y-%m-%d %H:%M:%S}",
        "action": entry.action,
        "actor": entry.actor or "portal",
        "project": entry.project,
        "subject": entry.subject,
        "rows": entry.rows,
    }


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(Fault("NO_TEXT", "The file is no text.", fix="Give the file as it was kept.")) from error

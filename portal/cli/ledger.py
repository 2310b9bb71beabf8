"""`portal ledger`: what was done, and the proof that it is what was written. Works whatever the site's state."""

from io import TextIOWrapper
from pathlib import Path

import click

from portal.cli.context import with_settings
from portal.cli.files import written
from portal.cli.printing import json_option, say, show, show_records
from portal.cli.values import FILE
from portal.ledger import Checkpoint
from portal.settings import Settings
from portal.wiring import open_ledger


@click.group
def ledger() -> None:
    """Verify, read and export the ledger."""


@ledger.command
@click.option(
    "--checkpoint", "kept", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A checkpoint."
)
@json_option
@with_settings
def verify(settings: Settings, kept: Path | None) -> None:
    """Verify the whole chain, also against a checkpoint that was kept elsewhere; ends with 1 on any fault."""
    opened = open_ledger(settings)
    faults = opened.verify(Checkpoint.from_json(kept.read_text(encoding="utf-8")) if kept else None)
    records = [{"code": fault.code, "entry": fault.sequence, "message": fault.message} for fault in faults]
    show(records, "\n".join(map(str, faults)) or "The ledger is as it was written.")
    if faults:
        click.get_current_context().exit(1)


@ledger.command
@json_option
@with_settings
def checkpoint(settings: Settings) -> None:
    """Print the signed head, to be kept elsewhere: it proves later what the ledger holds now."""
    head = open_ledger(settings).checkpoint()
    click.echo(head.to_json() if head else "null")


@ledger.command
@click.option("--count", "-n", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
@with_settings
def tail(settings: Settings, count: int) -> None:
    """Show the last entries, newest first."""
    show_records(
        [
            {
                "entry": entry.sequence,
                "at": f"{entry.at:%Y-%m-%d %H:%M:%S}",
                "action": entry.action,
                "actor": entry.actor or "portal",
                "project": entry.project,
                "subject": entry.subject,
                "rows": entry.rows,
            }
            for entry in open_ledger(settings).tail(count)
        ]
    )


@ledger.command
@click.option("--out", type=FILE, help="The file to write; left out: standard output.")
@with_settings
def export(settings: Settings, out: Path | None) -> None:
    """Write every entry as one line of JSON, oldest first."""
    with written(out) as sink:
        text = TextIOWrapper(sink, encoding="utf-8", write_through=True)
        count = open_ledger(settings).export(text)
        text.detach()
    say(f"{count:,} entries.")

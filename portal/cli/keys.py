"""`portal keys`: the versions of the key that makes the pseudonyms of releases; no key is ever printed."""

import click

from portal.cli.context import with_settings
from portal.cli.printing import json_option, say, show_records
from portal.ids import DatasetName
from portal.keys import load_keys, platform_keys, rotate_platform_key
from portal.ledger import Action
from portal.pseudonyms import key_name
from portal.settings import Settings
from portal.wiring import keys_folder, open_ledger, open_releases


@click.group
def keys() -> None:
    """List and rotate the key of pseudonyms."""


@keys.command("list")
@json_option
@with_settings
def list_keys(settings: Settings) -> None:
    """List the versions by the name that manifests know them by, and what is published under each."""
    current = key_name(load_keys(keys_folder(settings)).platform)
    under = _published_under(settings)
    show_records(
        [
            {"version": version, "name": name, "in_force": name == current, "datasets": ", ".join(under.get(name, []))}
            for version, name in platform_keys(keys_folder(settings)).items()
        ]
    )


@keys.command
@json_option
@with_settings
def rotate(settings: Settings) -> None:
    """Make a new version for every release from now on. Datasets join again once each is published under it."""
    name = key_name(rotate_platform_key(keys_folder(settings)).platform)  # first: without its key no ledger opens
    open_ledger(settings).record(Action.KEY_ROTATED, actor=None, subject=name, details={})
    older = sorted(dataset for datasets in _published_under(settings).values() for dataset in datasets)
    say(f"To publish anew, so that they join: {', '.join(older) or 'nothing'}.")
    show_records([{"name": name, "publish_anew": ", ".join(older)}])


def _published_under(settings: Settings) -> dict[str, list[DatasetName]]:
    store = open_releases(settings)
    found: dict[str, list[DatasetName]] = {}
    for dataset in store.datasets():
        if latest := store.latest(dataset):
            found.setdefault(latest.pseudonym_key, []).append(dataset)
    return found

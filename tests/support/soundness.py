"""Whether a home is sound while nobody works in it: nothing half-made, nothing changed, nothing lost, nothing left."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from support.faulty import STATES, World, asker, forgotten, services_over

from portal.desk.services import Services
from portal.ids import DatasetName
from portal.ledger import Action
from portal.publishing.releases import ReleaseStore, sha256_of

LOCKS = {".lock"}


def faults_of(world: World, receipts: Collection[str] = ()) -> list[str]:
    """Return all that is not as it must be. `receipts` are of answers that were given, so the ledger must know them."""
    with services_over(world.settings) as services:
        faults = [str(fault) for fault in services.ledger.verify()]
        faults += [f"no entry of {each}" for each in receipts if not services.ledger.search(subject=each, limit=1)]
        faults += [*_changed_downloads(services), *_unrecorded_releases(services)]
    return [*faults, *_changed_releases(world.home), *_unreadable_files(world.home), *forgotten(world)]


def leftovers(home: Path) -> list[str]:
    """Return what has a temporary name: there may be nothing of it once a portal has started and nobody works."""
    return sorted(str(path.relative_to(home)) for path in home.rglob(".*") if path.name not in LOCKS)


def _changed_downloads(services: Services) -> Iterator[str]:
    for state in STATES:
        project = asker(state).project
        assert project is not None
        for record in services.registry.downloads_of(project):
            path = Path(record.path)
            if sha256_of(path) != record.sha256 or not path.with_name(f"{path.name}.manifest.json").exists():
                yield f"download {record.id} is not what was made, or lacks its manifest"


def _unrecorded_releases(services: Services) -> Iterator[str]:
    published = services.ledger.search(action=Action.RELEASE_PUBLISHED, limit=1_000_000)
    recorded = {(entry.subject, entry.details["release"]) for entry in published}
    for name in services.releases.datasets():
        for number in services.releases.numbers(name):
            if (name, number) not in recorded:
                yield f"no entry of {name}, release {number}"


def _changed_releases(home: Path) -> Iterator[str]:
    store = ReleaseStore(home / "releases")
    for name in store.datasets():
        for number in store.numbers(DatasetName(name)):
            yield from map(str, store.verify(store.get(name, number)))


def _unreadable_files(home: Path) -> Iterator[str]:
    for path in (*home.glob("workspaces/*/*/*.parquet"), *home.glob("base_cells/*/*/*.parquet")):
        with suppress(FileNotFoundError):
            try:
                pq.read_table(path)
            except (OSError, pa.ArrowException):
                yield f"{path.name} cannot be read"
    for path in home.glob("results/*/*.arrow"):
        try:
            with pa.ipc.open_file(str(path)) as reader:
                reader.read_all()
        except (OSError, pa.ArrowException):
            yield f"{path.name} cannot be read"

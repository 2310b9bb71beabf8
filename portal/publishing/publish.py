"""Publishes a dataset: sources through the recipe into a new release, which appears whole or not at all."""

import fcntl
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import portal
from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest, ReleaseFile, SourceFile
from portal.clock import Clock
from portal.engines.port import Progress
from portal.errors import ContentError, Fault, LimitReached
from portal.fingerprints import fingerprint
from portal.folders import sync
from portal.publishing.failures import writing
from portal.publishing.releases import MANIFEST, ReleaseStore, release_folder, sha256_of
from portal.publishing.risk.assess import assess
from portal.publishing.risk.loss import Removal, measure_removal
from portal.publishing.staging import Staging, staging

TEMPORARY = ".tmp-"


def publish(  # noqa: PLR0913, PLR0917 - each is a fact of its own, and none has a default that would be safe
    dataset: Dataset,
    sources: Sequence[Path],
    releases_root: Path,
    key: bytes,
    clock: Clock,
    synthetic: bool,  # noqa: FBT001 - a fact of the data that every caller must state
    progress: Progress | None = None,
) -> Manifest:
    """Publish the sources as the dataset's next release and return its manifest.

    `key` is the platform's: the same raw identifier gets the same pseudonym in every dataset, so that they join.

    Raises `ContentError` where a source or the recipe does not fit, too many rows are rejected or the release would
    risk more than the dataset declares, `LimitReached` where another publication of the dataset is under way or disk
    or memory is full, `EngineFailure` for all else. After any of them, and after a crash, the earlier releases are as
    they were.
    """
    if not sources:
        raise ContentError(_no_sources(dataset))
    report = progress or (lambda _share, _words: None)
    with writing(dataset.name), _only_publisher(releases_root / dataset.name, dataset) as folder:
        work = folder / f"{TEMPORARY}{secrets.token_hex(8)}"
        try:
            (work / "release").mkdir(parents=True)
            number = max(ReleaseStore(releases_root).numbers(dataset.name), default=0) + 1
            with staging(dataset, work) as staged:
                read, removals = zip(*_read(staged, sources, key, report), strict=True)
                rejected = _check_rejected(dataset, staged.rejected(), sum(source.rows for source in read))
                files = tuple(_write(staged, work / "release", _facts(dataset, synthetic), report))
            manifest = Manifest(
                dataset=dataset.dataset,
                number=number,
                created_at=clock(),
                tool_version=portal.__version__,
                synthetic=synthetic,
                columns={name: column.type for name, column in dataset.columns.items()},
                rows=sum(file.rows for file in files),
                rejected_rows=sum(rejected.values()),
                rejected=rejected,
                recipe_sha256=fingerprint(dataset.model_dump(mode="json", include={"columns", "recipe", "layout"})),
                sources=read,
                files=files,
            )
            report(0.95, f"{dataset.name}: measuring the risk")
            for path in assess(dataset, manifest, work / "release", removals):
                _settle(path)
            _appear(manifest, work / "release", release_folder(releases_root, dataset.name, number))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    report(1.0, f"{dataset.name}: release {number} with {manifest.rows:,} rows")
    return manifest


def _read(
    staged: Staging, sources: Sequence[Path], key: bytes, report: Progress
) -> Iterator[tuple[SourceFile, Removal]]:
    for place, path in enumerate(sources):
        report(0.5 * place / len(sources), f"{staged.dataset.name}: reading {path.name}")
        source = staged.add(path, key)
        yield source, measure_removal(staged.connection, staged.dataset, source, key)


def _check_rejected(dataset: Dataset, rejected: Mapping[str, int], rows: int) -> Mapping[str, int]:
    if sum(rejected.values()) > dataset.recipe.rejected_share * rows:
        raise ContentError.from_faults(
            Fault(
                "ROWS_REJECTED",
                f"{count:,} of {rows:,} rows cannot be published; column {reason}.",
                rule=f"recipe.rejected_share: {dataset.recipe.rejected_share:g}",
                fix="Mend the source, or describe its values in the codebook and the recipe.",
                dataset=dataset.name,
            )
            for reason, count in rejected.items()
        )
    return rejected


def _write(staged: Staging, folder: Path, facts: Mapping[str, str], report: Progress) -> Iterator[ReleaseFile]:
    partitions = tuple(staged.partitions())
    for place, partition in enumerate(partitions):
        report(0.5 + 0.5 * place / len(partitions), f"{staged.dataset.name}: writing {partition.file}")
        path = folder / partition.file
        rows = staged.write(partition, path, facts)
        _settle(path)
        yield ReleaseFile(
            path=partition.file,
            rows=rows,
            bytes=path.stat().st_size,
            sha256=sha256_of(path),
            statistics=dict(staged.statistics(path)),
        )


def _facts(dataset: Dataset, synthetic: bool) -> Mapping[str, str]:  # noqa: FBT001 - as in publish
    """Return what each file says of itself, in its Parquet key-value metadata.

    The release's number is not in it, so that a file whose rows did not change is the same file in the next release,
    and the governed copies that were made from it still hold.
    """
    return {
        "dataset": dataset.name,
        "synthetic": str(synthetic).lower(),
        "licence": dataset.provenance.licence,
        "citation": dataset.citation,
        "tool_version": portal.__version__,
    }


def _appear(manifest: Manifest, made: Path, final: Path) -> None:
    path = made / MANIFEST
    path.write_text(manifest.model_dump_json(indent=1))
    _settle(path)
    sync(made)
    made.rename(final)
    sync(final.parent)


def _settle(path: Path) -> None:
    """Bring a file to the disk for good, and take the right to write it."""
    sync(path)
    path.chmod(0o444)


@contextmanager
def _only_publisher(folder: Path, dataset: Dataset) -> Iterator[Path]:
    """Hold the dataset's folder against other publications, and clear away what dead ones left."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LimitReached(_busy(dataset)) from error
        for leftover in folder.glob(f"{TEMPORARY}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield folder


def _busy(dataset: Dataset) -> Fault:
    return Fault(
        "PUBLISH_BUSY",
        f"Another publication of {dataset.name!r} is under way.",
        rule="one publication of a dataset at a time",
        fix="Wait until it has ended, and publish again if that is still needed.",
        dataset=dataset.name,
    )


def _no_sources(dataset: Dataset) -> Fault:
    return Fault(
        "NO_SOURCES",
        f"No source of {dataset.name!r} was named.",
        fix="Name at least one source file.",
        dataset=dataset.name,
    )

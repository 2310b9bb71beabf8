"""Publishes a dataset: sources through the recipe into a new release, which appears whole or not at all."""

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import portal
from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest, Rejections, ReleaseFile, SourceFile
from portal.clock import Clock
from portal.content import Content
from portal.engines.port import Progress
from portal.errors import ContentError, Fault, LimitReached
from portal.fingerprints import fingerprint
from portal.folders import alone, sync, written
from portal.ids import Fingerprint
from portal.pseudonyms import key_name
from portal.publishing.failures import writing
from portal.publishing.rejections import REJECTIONS, check_rejections
from portal.publishing.releases import CODEBOOK, MANIFEST, STAGING, ReleaseStore, release_folder, sha256_of
from portal.publishing.risk.assess import assess
from portal.publishing.risk.loss import Removal
from portal.publishing.sources import Source, bytes_of, identities, name_of, parts_of
from portal.publishing.staging import Staging, staging

_MADE_BY = {"columns", "recipe", "layout"}
"""What of a codebook makes the rows."""
TEMPORARY = ".tmp-"


def publish(  # noqa: PLR0913, PLR0917 - each is a fact of its own, and none has a default that would be safe
    dataset: Dataset,
    sources: Sequence[Source],
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
    they were. After a crash or a stop, publishing the same sources again goes on after the last file that was read
    whole.
    """
    if not sources:
        raise ContentError(_no_sources(dataset))
    report = progress or (lambda _share, _words: None)
    with writing(dataset.name), _only_publisher(releases_root / dataset.name, dataset) as folder:
        number = max(ReleaseStore(releases_root).numbers(dataset.name), default=0) + 1
        with _work_folder(folder, _made_of(dataset, sources, key)) as work:
            made = folder / f"{TEMPORARY}{secrets.token_hex(8)}"
            made.mkdir()
            with staging(dataset, work) as staged:
                read, removals = zip(*_read(staged, sources, work, key, report), strict=True)
                rejections = _settle_rows(staged, sum(source.rows for source in read), folder)
                files = tuple(_write(staged, made, _facts(dataset, synthetic), report))
            manifest = Manifest(
                dataset=dataset.dataset,
                number=number,
                created_at=clock(),
                tool_version=portal.__version__,
                synthetic=synthetic,
                columns={name: column.type for name, column in dataset.columns.items()},
                rows=sum(file.rows for file in files),
                rejected_rows=sum(rejections.counts.values()),
                rejected=rejections.counts,
                recipe_sha256=fingerprint(dataset.model_dump(mode="json", include=_MADE_BY)),
                pseudonym_key=key_name(key),
                sources=read,
                files=files,
            )
            report(0.95, f"{dataset.name}: measuring the risk")
            for path in assess(dataset, manifest, made, removals):
                _settle(path)
            texts = {CODEBOOK: dataset, REJECTIONS: rejections, MANIFEST: manifest}
            _appear(texts, made, release_folder(releases_root, dataset.name, number))
            (folder / REJECTIONS).unlink(missing_ok=True)
    report(1.0, f"{dataset.name}: release {number} with {manifest.rows:,} rows")
    return manifest


def _read(
    staged: Staging, sources: Sequence[Source], scratch: Path, key: bytes, report: Progress
) -> Iterator[tuple[SourceFile, Removal]]:
    """Read part after part; progress goes by the bytes of the sources that are done."""
    whole, done = sum(map(bytes_of, sources)) or len(sources), 0
    for place, source in enumerate(sources):
        report(0.5 * done / whole, f"{staged.dataset.name}: reading {name_of(source)}")
        for part in parts_of(source, staged.dataset, scratch):
            report(0.5 * done / whole, f"{staged.dataset.name}: reading {part.name}")
            yield staged.add(place, part, key)
        done += bytes_of(source) or 1


def _settle_rows(staged: Staging, rows: int, folder: Path) -> Rejections:
    """Return what was rejected; where that stops the release, leave the report of it in the dataset's folder."""
    staged.settle()
    found = staged.rejections()
    try:
        check_rejections(staged.dataset, found, rows)
    except ContentError:
        with written(folder / REJECTIONS) as path:
            path.write_text(found.model_dump_json(indent=1))
        raise
    return found


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


def _appear(texts: Mapping[str, Content], made: Path, final: Path) -> None:
    for name, content in texts.items():
        path = made / name
        path.write_text(content.model_dump_json(indent=1, by_alias=True, exclude_unset=name == CODEBOOK))
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
    """Hold the dataset's folder against other publications."""
    with ExitStack() as stack:
        try:
            stack.enter_context(alone(folder))
        except BlockingIOError as error:
            raise LimitReached(_busy(dataset)) from error
        yield folder


def _made_of(dataset: Dataset, sources: Sequence[Source], key: bytes) -> Fingerprint:
    """Name the rows that a publication will have, so that only the same one goes on from what another left."""
    recipe = dataset.model_dump(mode="json", include={*_MADE_BY, "unique"})
    return fingerprint([portal.__version__, recipe, key_name(key), identities(sources)])


@contextmanager
def _work_folder(folder: Path, made_of: Fingerprint) -> Iterator[Path]:
    """Give the folder of a publication's rows. It stays after a crash or a stop only, for the next to go on from."""
    work = folder / f"{STAGING}{made_of[:16]}"
    for leftover in (*folder.glob(f"{TEMPORARY}*"), *folder.glob(f"{STAGING}*")):
        if leftover != work:
            shutil.rmtree(leftover, ignore_errors=True)
    work.mkdir(mode=0o700, exist_ok=True)
    for leftover in (path for path in work.iterdir() if not path.name.startswith("staging.duckdb")):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    try:
        yield work
    except Exception:
        shutil.rmtree(work, ignore_errors=True)
        raise
    finally:
        for leftover in folder.glob(f"{TEMPORARY}*"):
            shutil.rmtree(leftover, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)


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

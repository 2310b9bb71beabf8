"""A publication that was stopped goes on after the last file that was read whole, if it is still the same one."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.archives import zipped
from support.publishing import KEY, a_dataset, a_row, now, write_csv

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.folders import alone
from portal.publishing import staging
from portal.publishing.publish import publish
from portal.publishing.releases import ReleaseStore
from portal.publishing.sources import Source


@pytest.fixture(name="opened")
def _opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the tables that were read."""
    names: list[str] = []
    open_table = staging.open_table

    def told(connection: object, path: Path, name: str, dataset: object) -> object:
        names.append(name)
        return open_table(connection, path, name, dataset)  # type: ignore[arg-type]

    monkeypatch.setattr(staging, "open_table", told)
    return names


@pytest.fixture(name="sources")
def _sources(tmp_path: Path) -> list[Source]:
    def rows(number: int) -> list[Path]:
        return [write_csv(tmp_path / f"{number}.csv", [a_row(place) for place in range(number, number + 50)])]

    tables = [path for number in (0, 50, 100) for path in rows(number)]
    zipped_up = tmp_path / "last.zip"
    zipped_up.write_bytes(zipped({"x.csv": rows(150)[0].read_bytes(), "y.csv": rows(200)[0].read_bytes()}))
    return [*tables, zipped_up]


def stop_at(words: str) -> Callable[[float, str], None]:
    def report(_share: float, told: str) -> None:
        if told.endswith(words):
            raise KeyboardInterrupt

    return report


def publication(
    root: Path, sources: list[Source], stop: str | None = None, dataset: Dataset | None = None, key: bytes = KEY
) -> Manifest:
    report = stop_at(stop) if stop else None
    return publish(dataset or a_dataset(), sources, root, key, now, synthetic=True, progress=report)


def stopped(root: Path, sources: list[Source], stop: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        publication(root, sources, stop)


@pytest.mark.parametrize(
    ("stop", "left"),
    [
        ("reading 100.csv", ["100.csv", "last.zip/x.csv", "last.zip/y.csv"]),
        ("reading last.zip/y.csv", ["last.zip/y.csv"]),
        ("writing 2025-02.parquet", []),
    ],
)
def test_only_what_was_not_read_whole_is_read_again(
    stop: str, left: list[str], tmp_path: Path, sources: list[Source], opened: list[str]
) -> None:
    whole = publication(tmp_path / "whole", sources)
    stopped(tmp_path / "releases", sources, stop)
    opened.clear()
    assert publication(tmp_path / "releases", sources) == whole
    assert opened == left
    assert sorted(path.name for path in (tmp_path / "releases" / "removals").iterdir()) == [".lock", "000001"]


@pytest.mark.parametrize("change", ["source", "order", "recipe", "key"])
def test_what_was_changed_meanwhile_begins_from_nothing(
    change: str, tmp_path: Path, sources: list[Source], opened: list[str]
) -> None:
    stopped(tmp_path / "releases", sources, "reading last.zip")
    opened.clear()
    dataset, key = a_dataset(), KEY
    if change == "source":
        first = sources[0]
        assert isinstance(first, Path)
        write_csv(first, [a_row(place, category="toys") for place in range(50)])
        os.utime(first, (1, 1))
    elif change == "order":
        sources.reverse()
    elif change == "recipe":
        dataset = a_dataset(layout={})
    else:
        key = bytes(32)
    manifest = publication(tmp_path / "releases", sources, dataset=dataset, key=key)
    assert len(opened) == 5
    whole = publication(tmp_path / "whole", sources, dataset=dataset, key=key)
    assert [file.sha256 for file in manifest.files] == [file.sha256 for file in whole.files]


def test_what_a_stopped_publication_left_is_for_its_owner_alone_and_is_no_release(
    tmp_path: Path, sources: list[Source]
) -> None:
    stopped(tmp_path / "releases", sources, "reading last.zip")
    left = [path for path in (tmp_path / "releases" / "removals").iterdir() if path.is_dir()]
    assert len(left) == 1
    assert left[0].stat().st_mode & 0o777 == 0o700
    store = ReleaseStore(tmp_path / "releases")
    store.clear()
    store.forget_stopped(datetime.now(UTC) - timedelta(days=1))
    assert left[0].exists(), "it can still be gone on with"
    with alone(left[0].parent):
        store.forget_stopped(datetime.now(UTC) + timedelta(days=1))
    assert left[0].exists(), "somebody goes on with it now"
    store.forget_stopped(datetime.now(UTC) + timedelta(days=1))
    assert not left[0].exists()


def test_progress_rises_and_names_each_table(tmp_path: Path, sources: list[Source]) -> None:
    told: list[tuple[float, str]] = []

    def report(share: float, words: str) -> None:
        told.append((share, words))

    publish(a_dataset(), sources, tmp_path / "releases", KEY, now, synthetic=True, progress=report)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert "removals: reading last.zip/y.csv" in [words for _, words in told]

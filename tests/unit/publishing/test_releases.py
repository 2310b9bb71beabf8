from pathlib import Path

import pytest
from support.publishing import a_dataset, a_row, published, write_csv

from portal.errors import ContentError, NotFoundError
from portal.ids import DatasetName
from portal.publishing.releases import ReleaseStore

REMOVALS = DatasetName("removals")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(2):
        published(tmp_path / "releases", write_csv(tmp_path / "a.csv", [a_row(number), a_row(number + 1)]))
    return tmp_path / "releases"


def test_the_newest_release_is_the_latest(root: Path) -> None:
    store = ReleaseStore(root)
    assert store.numbers(REMOVALS) == (1, 2)
    assert store.latest(REMOVALS) == store.get(REMOVALS, 2)


def test_what_was_never_published_has_no_release(root: Path) -> None:
    store = ReleaseStore(root)
    assert store.latest(DatasetName("other")) is None
    with pytest.raises(NotFoundError, match="no release 9"):
        store.get(REMOVALS, 9)


def test_leftovers_and_stray_files_are_no_releases(root: Path) -> None:
    (root / REMOVALS / ".tmp-0011").mkdir()
    (root / REMOVALS / "notes").mkdir()
    assert ReleaseStore(root).numbers(REMOVALS) == (1, 2)


def test_a_sound_release_verifies(root: Path) -> None:
    store = ReleaseStore(root)
    assert store.verify(store.get(REMOVALS, 1)) == ()


def test_one_changed_byte_and_a_lost_file_are_found(root: Path) -> None:
    store = ReleaseStore(root)
    manifest = store.get(REMOVALS, 2)
    changed, lost = store.paths(manifest)
    content = bytearray(changed.read_bytes())
    content[40] ^= 1
    changed.chmod(0o644)
    changed.write_bytes(content)
    lost.unlink()
    assert [fault.message for fault in store.verify(manifest)] == [
        f"Release 2 of 'removals' has a changed {changed.name}.",
        f"Release 2 of 'removals' has lost {lost.name}.",
    ]
    with pytest.raises(ContentError, match=f"has lost {lost.name}"):
        store.paths(manifest)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_a_broken_manifest_is_said_plainly(root: Path, content: bytes) -> None:
    manifest = root / REMOVALS / "000002" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(content)
    with pytest.raises(ContentError, match="manifest of release 2 of 'removals' cannot be read"):
        ReleaseStore(root).latest(REMOVALS)
    assert ReleaseStore(root).get(REMOVALS, 1).number == 1


def test_a_manifest_of_another_release_is_not_taken(root: Path) -> None:
    target = root / REMOVALS / "000002" / "manifest.json"
    target.chmod(0o644)
    target.write_bytes((root / REMOVALS / "000001" / "manifest.json").read_bytes())
    with pytest.raises(ContentError):
        ReleaseStore(root).latest(REMOVALS)


def test_an_unpartitioned_and_an_empty_release_have_one_file(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "a.csv", [a_row()])
    header = source.read_text().splitlines(keepends=True)[0]
    source.write_text(header)
    for number, dataset in enumerate((a_dataset(layout={}), a_dataset()), start=1):
        manifest = published(tmp_path / "releases", source, dataset=dataset)
        assert (manifest.number, manifest.rows, len(manifest.files)) == (number, 0, 1)

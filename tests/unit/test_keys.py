"""The key of pseudonyms, rotated by version, and never silently an older one."""

from pathlib import Path

import pytest

from portal.errors import EngineFailure
from portal.keys import load_keys, platform_keys, rotate_platform_key
from portal.pseudonyms import derive_key, key_name, pseudonym


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    load_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_before_a_rotation_the_key_comes_from_the_master_key(folder: Path) -> None:
    keys = load_keys(folder)
    assert keys.platform == derive_key(keys.master, "platform")
    assert platform_keys(folder) == {1: key_name(keys.platform)}


def test_a_rotation_changes_the_pseudonyms_of_releases_and_nothing_else(folder: Path) -> None:
    before, after = load_keys(folder), rotate_platform_key(folder)
    assert load_keys(folder) == after
    assert pseudonym("seller", before.platform) != pseudonym("seller", after.platform)
    assert (before.ledger, before.links) == (after.ledger, after.links)
    rotate_platform_key(folder)
    assert list(platform_keys(folder)) == [1, 2, 3]
    assert len(set(platform_keys(folder).values())) == 3
    assert all(path.stat().st_mode & 0o77 == 0 for path in folder.glob("*.key"))


def test_without_the_key_in_force_nothing_is_published_under_an_older_one(folder: Path) -> None:
    for _ in range(2):
        rotate_platform_key(folder)
    (folder / "pseudonyms-0002.key").unlink()
    assert list(platform_keys(folder)) == [1, 3], "a version that was given up may be destroyed"
    (folder / "pseudonyms-0003.key").unlink()
    with pytest.raises(EngineFailure, match="not as it was made"):
        load_keys(folder)
    assert rotate_platform_key(folder) == load_keys(folder), "a rotation is the way on"
    assert list(platform_keys(folder)) == [1, 4]


def test_a_key_that_was_cut_and_a_version_that_is_no_number_are_refused(folder: Path) -> None:
    rotate_platform_key(folder)
    (folder / "pseudonyms-0002.key").write_bytes(b"short")
    with pytest.raises(EngineFailure):
        load_keys(folder)
    (folder / "pseudonyms.version").write_text("two")
    with pytest.raises(EngineFailure):
        load_keys(folder)


def test_the_name_of_a_key_is_no_part_of_it(folder: Path) -> None:
    key = load_keys(folder).platform
    assert key_name(key) not in key.hex()

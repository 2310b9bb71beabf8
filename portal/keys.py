"""The platform's secret, from which every other key is derived. It lives in the home, never in the repository."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from portal.errors import EngineFailure, Fault
from portal.folders import written
from portal.ids import ProjectId
from portal.pseudonyms import derive_key, key_name

KEY_BYTES = 32
FIRST_VERSION = 1
"""Of the key of pseudonyms: the one that is derived from the master key."""
_CURRENT = "pseudonyms.version"
_DAMAGED = Fault(
    "KEY_DAMAGED", "The platform's secret is not as it was made, so nothing can be signed or verified.",
    rule="every key is derived from it", fix="The portal's operator restores the folder keys/ from its backup.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys for each use, so that no two uses share one."""

    master: bytes = field(repr=False)
    rotated: bytes | None = field(default=None, repr=False)

    @property
    def platform(self) -> bytes:
        """Makes the pseudonyms of published extracts: of the master, until it is rotated for the first time."""
        return derive_key(self.rotated or self.master, "platform")

    @property
    def ledger(self) -> bytes:
        """Signs the head of the ledger."""
        return derive_key(self.master, "ledger")

    @property
    def links(self) -> bytes:
        """Signs short-lived links to downloads."""
        return derive_key(self.master, "links")

    def project(self, project: ProjectId) -> bytes:
        """Make the pseudonyms of one project's governed copies."""
        return derive_key(self.master, f"project:{project}")


def load_keys(folder: Path) -> Keys:
    """Read the secret, or make one where there is none; readable by the portal's own user only."""
    file = folder / "master.key"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        _create(file, secrets.token_bytes(KEY_BYTES))
    version = _version(folder)
    return Keys(_read(file), _read(_rotated(folder, version)) if version > FIRST_VERSION else None)


def rotate_platform_key(folder: Path) -> Keys:
    """Make the next version of the key of pseudonyms, for every release from now on; the versions before stay."""
    version = _version(folder) + 1
    if not (file := _rotated(folder, version)).exists():  # left by a rotation that was interrupted
        _create(file, secrets.token_bytes(KEY_BYTES))
    with written(folder / _CURRENT) as path:
        path.write_text(str(version))
    return load_keys(folder)


def platform_keys(folder: Path) -> dict[int, str]:
    """Return the name of each version of the key of pseudonyms that is still there, as manifests have it."""
    master = _read(folder / "master.key")
    found = {FIRST_VERSION: Keys(master)}
    for version in range(FIRST_VERSION + 1, _version(folder) + 1):
        if (file := _rotated(folder, version)).exists():
            found[version] = Keys(master, _read(file))
    return {version: key_name(keys.platform) for version, keys in found.items()}


def _version(folder: Path) -> int:
    """Return the version in force. Without its key nothing is published, rather than under one that was given up."""
    try:
        return int((folder / _CURRENT).read_text())
    except FileNotFoundError:
        return FIRST_VERSION
    except ValueError as error:
        raise EngineFailure(_DAMAGED) from error


def _rotated(folder: Path, version: int) -> Path:
    return folder / f"pseudonyms-{version:04d}.key"


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise EngineFailure(_DAMAGED) from error
    if len(content) != KEY_BYTES:
        raise EngineFailure(_DAMAGED)
    return content


def _create(file: Path, content: bytes) -> None:
    temporary = file.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(temporary, file)  # unlike a rename, never replaces the key of another process that was first
    except FileExistsError:
        pass
    finally:
        temporary.unlink()

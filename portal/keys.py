"""The platform's secret, from which every other key is derived. It lives in the home, never in the repository."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from portal.errors import EngineFailure, Fault
from portal.ids import ProjectId
from portal.pseudonyms import derive_key

KEY_BYTES = 32
_DAMAGED = Fault(
    "KEY_DAMAGED", "The platform's secret is not as it was made, so nothing can be signed or verified.",
    rule="every key is derived from it", fix="The portal's operator restores keys/master.key from its backup.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys for each use, so that no two uses share one."""

    master: bytes = field(repr=False)

    @property
    def platform(self) -> bytes:
        """Makes the pseudonyms of published extracts."""
        return derive_key(self.master, "platform")

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
    master = file.read_bytes()
    if len(master) != KEY_BYTES:
        raise EngineFailure(_DAMAGED)
    return Keys(master)


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

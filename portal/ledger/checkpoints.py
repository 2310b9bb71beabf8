"""Proof, to be kept elsewhere, of what the ledger held at a moment: whoever has the public key can verify it.

The signature is Ed25519 (RFC 8032). Its key is derived from the portal's secret and never leaves the home, so that who
can write the database, or who holds the checkpoint and the public key, can make no other.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from portal.errors import ContentError, Fault
from portal.fingerprints import canonical_json
from portal.ledger.entries import Head
from portal.pseudonyms import derive_key
from portal.storage import at_text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The entry that the ledger ended with, and when. `signature` is in hexadecimal."""

    sequence: int
    hash: str
    at: str
    signature: str = ""

    def to_json(self) -> str:
        """Return the checkpoint as text to keep elsewhere."""
        return canonical_json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Checkpoint":
        """Read what `to_json` wrote. Raises `ContentError` where the text is nothing of the kind."""
        try:
            found = json.loads(text)
            return cls(int(found["sequence"]), *(str(found[name]) for name in ("hash", "at", "signature")))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            fault = Fault(
                "CHECKPOINT_UNREADABLE", "This is no checkpoint of a ledger.", fix="Give the file as it was kept."
            )
            raise ContentError(fault) from error

    def is_signed_by(self, public_key: str) -> bool:
        """Whether the signature is of that key, in hexadecimal, and this content."""
        try:
            known = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
            known.verify(bytes.fromhex(self.signature), self.content)
        except (ValueError, InvalidSignature):
            return False
        return True

    @property
    def content(self) -> bytes:
        """What is signed."""
        return canonical_json(["checkpoint", self.sequence, self.hash, self.at]).encode()


def make_checkpoint(head: Head, at: datetime, key: bytes) -> Checkpoint:
    """Return the checkpoint of a head, signed with what is derived from the ledger's key."""
    unsigned = Checkpoint(head.sequence, head.hash, at_text(at))
    return replace(unsigned, signature=_private_key(key).sign(unsigned.content).hex())


def public_key_of(key: bytes) -> str:
    """Return, in hexadecimal, the public key that checkpoints are verified with."""
    return _private_key(key).public_key().public_bytes_raw().hex()


def _private_key(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derive_key(key, "checkpoints"))

"""Sets of entities as a history keeps them: their size at hand, their members where they are needed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from pyroaring import BitMap

DIGEST = 16
"""Bytes by which a set is told from any other."""


@dataclass(frozen=True, slots=True)
class KeptSet:
    """A set by its size and the digest of its bytes, which `read` returns."""

    size: int
    digest: bytes
    read: Callable[[], bytes] = field(compare=False, repr=False)

    def bitmap(self) -> BitMap:
        """Return the members."""
        return BitMap.deserialize(self.read())


def keep(members: BitMap) -> KeptSet:
    """Keep a set in memory."""
    data = packed(members)
    return KeptSet(len(members), digest(data), lambda: data)


def packed(members: BitMap) -> bytes:
    """Return the one compact form of a set."""
    compact = members.copy()
    compact.run_optimize()
    return compact.serialize()


def digest(data: bytes) -> bytes:
    """Return what tells bytes from any other bytes."""
    return hashlib.blake2b(data, digest_size=DIGEST).digest()

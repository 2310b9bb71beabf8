"""The secret of a bearer token: `portal_<id>_<secret>`, of which only a hash is kept."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

_FORM = re.compile(r"portal_(?P<id>[0-9a-f]{16})_(?P<secret>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Secret:
    """An id to find the token by, and 256 random bits; so many that a plain hash of them cannot be turned round."""

    id: str
    bits: str = field(repr=False)

    @classmethod
    def fresh(cls) -> "Secret":
        """Make a new one."""
        return cls(secrets.token_hex(8), secrets.token_hex(32))

    @classmethod
    def read(cls, text: str) -> "Secret | None":
        """Read what a bearer sent; None where it is not of the form."""
        found = _FORM.fullmatch(text)
        return cls(found["id"], found["secret"]) if found else None

    @property
    def text(self) -> str:
        """What the bearer sends."""
        return f"portal_{self.id}_{self.bits}"

    @property
    def hash(self) -> str:
        """What is kept."""
        return hashlib.sha256(self.bits.encode()).hexdigest()

    def fits(self, kept_hash: str) -> bool:
        """Whether this is the secret that was hashed; takes the same time either way."""
        return hmac.compare_digest(self.hash, kept_hash)

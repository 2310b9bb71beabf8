"""Keyed pseudonyms, as DuckDB computes them: HMAC-SHA256 (RFC 2104), cut to 128 bits, in hexadecimal."""

import hashlib
import hmac

BLOCK_BYTES = 64
PSEUDONYM_DIGITS = 32


def derive_key(master: bytes, purpose: str) -> bytes:
    """Return a key of its own for a purpose, so that no two uses share one."""
    return hmac.digest(master, purpose.encode(), "sha256")


def key_name(key: bytes) -> str:
    """Return a name that tells keys apart and tells nothing of them."""
    return derive_key(key, "name").hex()[:8]


def pseudonym(value: str, key: bytes) -> str:
    """Return the pseudonym of one value."""
    return hmac.digest(key, value.encode(), "sha256").hex()[:PSEUDONYM_DIGITS]


def pseudonym_sql(expression: str, key: bytes) -> str:
    """Return a DuckDB expression for the pseudonym of a VARCHAR expression; NULL stays NULL."""
    block = hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key
    inner, outer = (_blob(bytes(byte ^ pad for byte in block.ljust(BLOCK_BYTES, b"\0"))) for pad in (0x36, 0x5C))
    digest = f"sha256({outer} || unhex(sha256({inner} || encode({expression}))))"
    return f"left({digest}, {PSEUDONYM_DIGITS})"


def _blob(content: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in content) + "'::BLOB"

"""Public identifiers: what people and other systems see instead of primary keys."""

from __future__ import annotations

import os

# Crockford's base 32: no I, L, O or U, so an id survives being read out over the telephone.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10


def public_id(prefix: str) -> str:
    """A new id such as ``CTCT-7K2M9QX4TB``: 50 random bits, so no look-up is needed before use."""
    # One byte for each character; 256 is a multiple of 32, so none comes more often than another.
    return f"{prefix}-{''.join(_ALPHABET[byte % 32] for byte in os.urandom(_LENGTH))}"

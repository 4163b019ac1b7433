"""Digests of texts."""

from __future__ import annotations

import blake3


def digest_text(*parts: str) -> str:
    """Take the digest of texts.

    Parameters
    ----------
    *parts
        Texts; where one ends and the next begins counts.

    Returns
    -------
    str
        BLAKE3 in hex.
    """
    hasher = blake3.blake3()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "little") + data)
    return str(hasher.hexdigest())

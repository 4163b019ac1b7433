"""The state of the random number generators, as digests, for libraries that are already loaded."""

from __future__ import annotations

import hashlib
import os
import random
import sys
from array import array
from typing import Any


def _digest(*parts: bytes) -> str:
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()


def _read_random() -> str:
    version, numbers, gauss = random.getstate()
    return _digest(repr((version, gauss)).encode(), array("Q", numbers).tobytes())


def _read_numpy(module: Any) -> str:
    state = module.get_state(legacy=False)
    inner = state["state"]
    rest = (state["bit_generator"], inner.get("pos"), state["has_gauss"], state["gauss"])
    key = inner.get("key")
    return _digest(repr(rest).encode(), b"" if key is None else key.tobytes())


def capture_seeds() -> dict[str, Any]:
    """Read the state of the global generators; no number is drawn and no library is loaded.

    Returns
    -------
    dict
        Digests of the states of ``random``, ``numpy`` (the legacy global generator) and ``torch``
        (processor only), each None where the library is not loaded; ``hash_seed`` and, for torch,
        ``torch_deterministic`` and ``cudnn_benchmark``.

    Examples
    --------
    >>> before = capture_seeds()["random"]
    >>> before == capture_seeds()["random"]
    True
    """
    document: dict[str, Any] = {
        "random": _read_random(),
        "numpy": None,
        "torch": None,
        "hash_seed": os.environ.get("PYTHONHASHSEED"),
    }
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None and hasattr(numpy_random, "get_state"):
        document["numpy"] = _read_numpy(numpy_random)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        document["torch"] = _digest(torch.get_rng_state().numpy().tobytes())
        document["torch_deterministic"] = bool(torch.are_deterministic_algorithms_enabled())
        document["cudnn_benchmark"] = bool(torch.backends.cudnn.benchmark)
    return document

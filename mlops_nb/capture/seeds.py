"""The state of the random number generators, as digests, for libraries that are already loaded."""

from __future__ import annotations

import hashlib
import os
import random
import sys
from array import array
from typing import Any

from mlops_nb.capture.numpystate import State, read_state


def _digest(*parts: bytes) -> str:
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()


def _read_random() -> str:
    version, numbers, gauss = random.getstate()
    return _digest(repr((version, gauss)).encode(), array("Q", numbers).tobytes())


def read_numpy() -> State | None:
    """Read the state of NumPy's legacy global generator; None where it is another, or not loaded.

    Returns
    -------
    tuple or None
        For `digest_numpy`.
    """
    module = sys.modules.get("numpy.random.mtrand")
    generator = getattr(module, "_rand", None)
    if generator is None:
        return None
    found = read_state(generator)
    if found is not None:
        return found
    state = generator.get_state(legacy=False)
    inner = state["state"]
    key, kind = inner.get("key"), state["bit_generator"]
    if kind != "MT19937" or key is None:
        return None
    return key.tobytes(), inner["pos"], state["has_gauss"], state["gauss"]


def digest_numpy(state: State) -> str:
    """Give the digest of a state that `read_numpy` gave."""
    key, position, waits, gauss = state
    return _digest(repr(("MT19937", position, waits, gauss)).encode(), key)


def _capture_numpy() -> str | None:
    module = sys.modules.get("numpy.random")
    if module is None or not hasattr(module, "get_state"):
        return None
    known = read_numpy()
    if known is not None:
        return digest_numpy(known)
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
        "numpy": _capture_numpy(),
        "torch": None,
        "hash_seed": os.environ.get("PYTHONHASHSEED"),
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        document["torch"] = _digest(torch.get_rng_state().numpy().tobytes())
        document["torch_deterministic"] = bool(torch.are_deterministic_algorithms_enabled())
        document["cudnn_benchmark"] = bool(torch.backends.cudnn.benchmark)
    return document

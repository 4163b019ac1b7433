"""Options and seeds of the libraries that a notebook has imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from mlops_nb.pipeline import ambient_registries, ambient_shell


def _capture_numpy(np: Any) -> dict[str, Any]:
    return {
        "seed": np.random.get_state(legacy=False),
        "print": np.get_printoptions(),
        "errors": np.geterr(),
    }


def _restore_numpy(np: Any, state: dict[str, Any]) -> None:
    np.set_printoptions(**state["print"])
    np.seterr(**state["errors"])
    np.random.set_state(state["seed"])


def _iterate_pandas_options(pd: Any) -> list[tuple[str, Any, Any]]:
    config = pd._config.config  # noqa: SLF001 - pandas lists its options only there
    found = []
    for key, option in config._registered_options.items():  # noqa: SLF001
        if key not in config._deprecated_options:  # noqa: SLF001 - reading those would warn
            found.append((key, pd.get_option(key), option.defval))
    return found


def _differs(a: Any, b: Any) -> bool:
    return a is not b and (type(a) is not type(b) or a != b)


_ACCESSORS = "<accessors>"


def _find_pandas_accessors(pd: Any) -> list[tuple[str, str, Any]]:
    """List what the notebook has registered on frames, series and indexes by a call."""
    found = []
    for owner in ("DataFrame", "Series", "Index"):
        kind = getattr(pd, owner)
        for name in sorted(kind._accessors):  # noqa: SLF001 - pandas lists them only there
            accessor = vars(kind).get(name)
            made = getattr(accessor, "_accessor", None)
            if getattr(made, "__module__", None) == "__main__":
                found.append((owner, name, accessor))
    return found


def _capture_pandas(pd: Any) -> dict[str, Any]:
    state: dict[str, Any] = {
        key: value for key, value, usual in _iterate_pandas_options(pd) if _differs(value, usual)
    }
    accessors = _find_pandas_accessors(pd)
    return state | {_ACCESSORS: accessors} if accessors else state


def _restore_pandas(pd: Any, state: dict[str, Any]) -> None:
    for owner, name, accessor in state.get(_ACCESSORS, ()):
        kind = getattr(pd, owner)
        setattr(kind, name, accessor)
        kind._accessors.add(name)  # noqa: SLF001 - as pandas registers it
    for key, value, usual in _iterate_pandas_options(pd):
        wanted = state.get(key, usual)
        if _differs(value, wanted):
            pd.set_option(key, wanted)


# Asking for the backend would choose one; it is not an option but a decision.
_BACKEND = ("backend", "backend_fallback")


def _capture_matplotlib(matplotlib: Any) -> dict[str, Any]:
    items = dict.items(matplotlib.rcParams)
    state = {key: value for key, value in items if key not in _BACKEND}
    chosen = dict.get(matplotlib.rcParams, "backend")
    return {
        "options": state,
        "backend": chosen if isinstance(chosen, str) else None,
        "drawing": _is_drawing(),
    }


def _is_drawing() -> bool:
    """Tell whether pyplot has loaded a backend, which then shows figures."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return getattr(pyplot, "_backend_mod", None) is not None


def _restore_matplotlib(matplotlib: Any, state: dict[str, Any]) -> None:
    if "matplotlib.pyplot" in sys.modules and state["backend"]:
        now = dict.get(matplotlib.rcParams, "backend")
        if now != state["backend"]:
            matplotlib.use(state["backend"])
        if state["drawing"] and not _is_drawing():
            sys.modules["matplotlib.pyplot"].switch_backend(state["backend"])
    for key, value in state["options"].items():
        dict.__setitem__(matplotlib.rcParams, key, value)  # they were valid where they come from


def _capture_torch(torch: Any) -> dict[str, Any]:
    state: dict[str, Any] = {
        "seed": torch.get_rng_state().numpy().tobytes(),
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "gradients": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "print": dict(vars(torch._tensor_str.PRINT_OPTS)),  # noqa: SLF001 - no public reader
        "device": str(torch.get_default_device()),
        "cudnn": (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark),
    }
    if torch.cuda.is_initialized():
        state["cuda"] = [s.numpy().tobytes() for s in torch.cuda.get_rng_state_all()]
    return state


def _restore_torch(torch: Any, state: dict[str, Any]) -> None:
    def read_seed(content: bytes) -> Any:
        # Not through from_numpy: the default dtype and device are being changed around it.
        return torch.frombuffer(bytearray(content), dtype=torch.uint8)

    torch.set_default_dtype(getattr(torch, state["dtype"]))
    if state["device"] != str(torch.get_default_device()):
        torch.set_default_device(state["device"])
    torch.set_grad_enabled(state["gradients"])
    if state["threads"] != torch.get_num_threads():
        torch.set_num_threads(state["threads"])
    wanted = state["deterministic"], state["warn_only"]
    if wanted != (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    ):  # else it would import half of the compiler for nothing
        torch.use_deterministic_algorithms(wanted[0], warn_only=wanted[1])
    if state["precision"] != torch.get_float32_matmul_precision():
        torch.set_float32_matmul_precision(state["precision"])
    vars(torch._tensor_str.PRINT_OPTS).update(state["print"])  # noqa: SLF001
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = state["cudnn"]
    torch.set_rng_state(read_seed(state["seed"]))
    if "cuda" in state:
        torch.cuda.set_rng_state_all([read_seed(content) for content in state["cuda"]])


def _capture_sklearn(sklearn: Any) -> dict[str, Any]:
    return dict(sklearn.get_config())


def _restore_sklearn(sklearn: Any, state: dict[str, Any]) -> None:
    sklearn.set_config(**state)


# module: (what must be loaded for it to hold state, read, write)
_PARTS: dict[str, tuple[Callable[[Any], dict[str, Any]], Callable[[Any, dict[str, Any]], None]]] = {
    "IPython": (
        ambient_shell.capture_shell,
        ambient_shell.restore_shell,
    ),  # its precision is numpy's too, so it is first
    "numpy": (_capture_numpy, _restore_numpy),
    "pandas": (_capture_pandas, _restore_pandas),
    "matplotlib": (_capture_matplotlib, _restore_matplotlib),
    "matplotlib.pyplot": (lambda module: {}, lambda module, state: None),
    "matplotlib_inline.backend_inline": (
        ambient_shell.capture_inline,
        ambient_shell.restore_inline,
    ),
    "matplotlib.cm": (ambient_registries.capture_colors, ambient_registries.restore_colors),
    "matplotlib.units": (
        ambient_registries.capture_converters,
        ambient_registries.restore_converters,
    ),
    "polars": (ambient_registries.capture_polars, ambient_registries.restore_polars),
    "torch": (_capture_torch, _restore_torch),
    "sklearn": (_capture_sklearn, _restore_sklearn),
}
# What importing them does counts, though they hold nothing.
_EMPTY_HANDED = ("matplotlib.pyplot",)


def capture_libraries() -> dict[str, dict[str, Any]]:
    """Collect options and seeds of the libraries imported so far.

    Returns
    -------
    dict
        Per library; only those in ``sys.modules``.
    """
    return {
        name: read(sys.modules[name]) for name, (read, _) in _PARTS.items() if name in sys.modules
    }


def import_libraries(states: dict[str, dict[str, Any]]) -> None:
    """Import the libraries that hold something.

    Parameters
    ----------
    states
        From `capture_libraries`.
    """
    for name, state in states.items():
        if state or name in _EMPTY_HANDED:
            importlib.import_module(name)


def restore_libraries(states: dict[str, dict[str, Any]]) -> None:
    """Give the libraries of this process the options and seeds of another one.

    Parameters
    ----------
    states
        From `capture_libraries`. A library that holds nothing need not be there.
    """
    for name, state in states.items():
        if name in sys.modules:
            _PARTS[name][1](sys.modules[name], state)

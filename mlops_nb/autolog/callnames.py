"""By which call of the user's something was opened; None where no code of theirs asked for it."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType

_OURS = str(Path(__file__).absolute().parents[1]) + os.sep
# Kinds of files that code comes from.
_USER, _LIBRARY, _NEUTRAL, _FOREIGN, _POOL = range(5)
_FOREIGN_PARTS = (
    "IPython",
    "ipykernel",
    "jupyter_client",
    "zmq",
    "tornado",
    "debugpy",
    "pydevd",
    "coverage",
    # What compiles opens caches of its own, for the user's code at times.
    os.path.join("torch", "_dynamo"),  # noqa: PTH118 - parts of file names
    os.path.join("torch", "_functorch"),  # noqa: PTH118
    os.path.join("torch", "_inductor"),  # noqa: PTH118
    "triton",
    "numba",
)
_FOREIGN_FILES = (
    "linecache.py",
    "inspect.py",
    "tokenize.py",
    "traceback.py",
    "tempfile.py",
    "pkgutil.py",
    "runpy.py",
    "mimetypes.py",
    "font_manager.py",
)
_POOL_FILES = (
    os.path.join("concurrent", "futures", "thread.py"),  # noqa: PTH118 - ends of file names
    os.path.join("multiprocessing", "pool.py"),  # noqa: PTH118
)
_WRAPPERS = frozenset({"wrapper", "_wrapper", "inner", "inner_f", "wrapped", "decorated"})
_INSTALLED = ("site-packages", "dist-packages")
_MOST_FILES = 20_000
_DEEPEST = 60
_kinds: dict[str, int] = {}
_prefixes: list[tuple[str, ...]] = []


def list_installed() -> tuple[str, ...]:
    """List the folders of Python itself and of what is installed, each with a final separator."""
    if not _prefixes:
        paths = {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, sys.exec_prefix}
        paths |= set(getattr(site, "getsitepackages", list)())
        paths.add(str(site.getusersitepackages()) if hasattr(site, "getusersitepackages") else "")
        # What `pip install --target` and PYTHONPATH add is told by the name that such folders have.
        paths |= {path for path in sys.path if path.rstrip(os.sep).endswith(_INSTALLED)}
        spelled = {path.rstrip(os.sep) for path in paths}
        # Links are followed in some of the names that Python gives, and not in others.
        spelled |= {os.path.realpath(path).rstrip(os.sep) for path in spelled if path}
        _prefixes.append(tuple(sorted(path + os.sep for path in spelled if path)))
    return _prefixes[0]


def get_frame(depth: int) -> FrameType | None:
    """Give a frame above the function that asks; None where nothing of Python called."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the one way there is
    while frame is not None and depth:
        frame, depth = frame.f_back, depth - 1
    return frame


# What IPython gives cells in place of ``open``: who calls it is who opens.
_SHELL_OPEN = "_modified_open"


def find_call(frame: FrameType | None) -> str | None:
    """Name the outermost function of a library below the innermost code of the user.

    Parameters
    ----------
    frame
        The frame that opens.

    Returns
    -------
    str or None
        For example ``pandas.read_csv``; ``open`` where the user's own code opens; None where
        libraries, the kernel or Python's import system open for themselves.
    """
    last: FrameType | None = None
    named: FrameType | None = None
    seen = 0
    while frame is not None and seen < _DEEPEST:
        code = frame.f_code
        kind = _kinds.get(code.co_filename)
        if kind is None:
            kind = _classify(code, frame)
        if kind == _LIBRARY:
            last = frame
            if code.co_name not in _WRAPPERS:
                named = frame
        elif kind == _USER:
            return "open" if last is None else _name(named or last)
        elif kind == _FOREIGN and code.co_name != _SHELL_OPEN:
            return None
        elif kind == _POOL and last is not None:
            return _name(named or last)  # a library's function given to a pool of threads
        frame, seen = frame.f_back, seen + 1
    return None


def _classify(code: CodeType, frame: FrameType) -> int:
    """Tell where code comes from, remembered by file."""
    file = code.co_filename
    if file.startswith("<frozen importlib"):
        kind = _NEUTRAL if "mlops_nb" in file else _FOREIGN
    elif file.startswith("<frozen "):
        kind = _LIBRARY
    elif file == "<string>":
        # Made by exec: a cell's of the user's, or a method that a library writes for itself.
        return _USER if frame.f_globals.get("__name__") == "__main__" else _LIBRARY
    elif file.startswith("<"):
        kind = _USER
    elif file.startswith(_OURS):
        kind = _FOREIGN
    elif file.endswith(_POOL_FILES):
        kind = _POOL
    elif file.startswith(list_installed()):
        is_foreign = file.endswith(_FOREIGN_FILES) or any(
            f"{os.sep}{part}{os.sep}" in file for part in _FOREIGN_PARTS
        )
        kind = _FOREIGN if is_foreign else _LIBRARY
    else:
        kind = _USER
    if len(_kinds) >= _MOST_FILES:
        _kinds.clear()  # a kernel gives every cell a file name of its own
    _kinds[file] = kind
    return kind


def _name(frame: FrameType) -> str:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name).rpartition("<locals>.")[2]
    for ending in (".__init__", ".__enter__", ".__new__", ".__call__"):
        name = name.removesuffix(ending)
    return f"{package}.{name}".replace(".NDFrame.", ".DataFrame.")


def is_writing(call: str) -> bool:
    """Tell by its name whether a call of a library writes rather than reads."""
    name = call.rpartition(".")[2]
    return name.startswith(("to_", "write", "sink", "save", "export", "dump")) or "Writer" in call

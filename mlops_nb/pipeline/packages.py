"""Which installed packages a step has used, as folders that are gone when their version changes."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterable
from pathlib import Path


def _read_places() -> tuple[tuple[str, int], ...]:
    """Give the folders of packages; the time of one changes with every installation."""
    found = []
    here = os.getcwd()  # noqa: PTH109 - as sys.path has it; steps write there all the time
    for path in sys.path:
        with contextlib.suppress(OSError):
            if path not in ("", here):
                found.append((path, os.stat(path).st_mtime_ns))  # noqa: PTH116
    return tuple(found)


@functools.lru_cache(maxsize=1)
def _map_modules(places: tuple[tuple[str, int], ...]) -> dict[str, tuple[str, ...]]:
    del places
    import importlib.metadata  # not where nothing runs

    found: dict[str, list[str]] = {}
    for distribution in importlib.metadata.distributions():
        folder = getattr(distribution, "_path", None)  # no public way gives the folder
        if folder is None:
            continue
        listed = (distribution.read_text("top_level.txt") or "").split()
        if not listed:
            listed = list({_find_top(str(file)) for file in distribution.files or ()} - {""})
        for name in listed:
            found.setdefault(name, []).append(str(Path(folder)))
    return {name: tuple(folders) for name, folders in found.items()}


def _find_top(file: str) -> str:
    first, slash, _ = file.partition("/")
    name = first if slash else first.removesuffix(".py")
    return name if name.isidentifier() and name != "__pycache__" else ""


def find_packages(modules: Iterable[str]) -> list[str]:
    """Give the folders that name the versions of packages.

    Parameters
    ----------
    modules
        Names of top-level modules that were imported.

    Returns
    -------
    list of str
        Folders ``NAME-VERSION.dist-info``, sorted. An upgrade puts another in its place.
    """
    known = _map_modules(_read_places())
    return sorted({folder for name in modules for folder in known.get(name, ())})

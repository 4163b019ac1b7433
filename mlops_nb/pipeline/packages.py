"""Which installed packages a step has used, as folders that are gone when their version changes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path


@functools.lru_cache(maxsize=1)
def _map_modules() -> dict[str, tuple[str, ...]]:
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
    known = _map_modules()
    return sorted({folder for name in modules for folder in known.get(name, ())})

"""What is installed and what is imported, read from folder names before any file is opened."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SUFFIXES = (".dist-info", ".egg-info")
_SEPARATORS = re.compile(r"[-_.]+")


def normalize_name(name: str) -> str:
    """Give a distribution name in the one spelling that all tools agree on.

    Parameters
    ----------
    name
        Name in any spelling, for example ``Scikit_Learn``.

    Returns
    -------
    str
        Lower case with single hyphens (PEP 503), for example ``scikit-learn``.
    """
    return _SEPARATORS.sub("-", name).lower()


def _entry_folders(paths: Iterable[str] | None) -> list[Path]:
    folders = (Path(entry or ".") for entry in (sys.path if paths is None else paths))
    return [folder for folder in folders if folder.is_dir()]


def _find_metadata(paths: Iterable[str] | None) -> dict[str, tuple[str, Path]]:
    found: dict[str, tuple[str, Path]] = {}
    for folder in _entry_folders(paths):
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue  # a folder we may not list holds nothing the user could import from
        for entry in entries:
            stem, suffix = entry.stem, entry.suffix
            if suffix not in _SUFFIXES or stem.startswith("~"):  # "~" is what pip leaves behind
                continue
            name, _, version = stem.partition("-")
            version = version.split("-py")[0]
            found.setdefault(normalize_name(name), (version, entry))  # the first on the path wins
    return found


def read_path_key(paths: Iterable[str] | None = None) -> tuple[tuple[str, int], ...]:
    """Tell cheaply whether anything was installed or removed since the last look.

    Parameters
    ----------
    paths
        Folders to look at; ``sys.path`` by default.

    Returns
    -------
    tuple of (str, int)
        Each existing folder with its modification time in nanoseconds.
    """
    key = []
    for entry in sys.path if paths is None else paths:
        try:
            key.append((entry, Path(entry or ".").stat().st_mtime_ns))
        except OSError:
            continue  # entries of sys.path need not exist
    return tuple(key)


def list_distributions(paths: Iterable[str] | None = None) -> dict[str, str]:
    """List everything that is installed, without opening a file.

    Parameters
    ----------
    paths
        Folders to look in; ``sys.path`` by default.

    Returns
    -------
    dict of str to str
        Version by normalized name, sorted; the version is empty where the folder name has none.
    """
    found = _find_metadata(paths)
    return {name: found[name][0] for name in sorted(found)}


def describe_distribution(name: str) -> dict[str, Any]:
    """Read where one distribution came from.

    Parameters
    ----------
    name
        Name of the distribution, in any spelling.

    Returns
    -------
    dict
        ``name``, ``version``, ``installer``, ``editable``, and ``direct_url`` (without
        credentials) where the distribution did not come from an index. Empty where there is no
        such distribution.
    """
    try:
        distribution = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return {}
    document: dict[str, Any] = {
        "name": normalize_name(name),
        "version": distribution.version,
        "installer": (distribution.read_text("INSTALLER") or "").strip(),
        "editable": False,
    }
    origin = _parse_origin(distribution.read_text("direct_url.json"))
    if origin:
        document["direct_url"] = origin
        document["editable"] = bool(origin.get("dir_info", {}).get("editable"))
    return document


def _parse_origin(text: str | None) -> dict[str, Any]:
    try:
        origin = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    if not isinstance(origin, dict):
        return {}
    if isinstance(origin.get("url"), str):
        origin["url"] = strip_credentials(origin["url"])
    return origin


def list_origins(paths: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """List the distributions that did not come from a package index.

    Parameters
    ----------
    paths
        Folders to look in; ``sys.path`` by default.

    Returns
    -------
    dict of str to dict
        Content of ``direct_url.json`` (PEP 610), without credentials, by normalized name.
    """
    origins = {}
    for name, (_, folder) in sorted(_find_metadata(paths).items()):
        try:
            text = (folder / "direct_url.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        origin = _parse_origin(text)
        if origin:
            origins[name] = origin
    return origins


def list_imported(paths: Iterable[str] | None = None) -> dict[str, str]:
    """List the distributions that this process has imported something from.

    Parameters
    ----------
    paths
        Folders to look in; ``sys.path`` by default.

    Returns
    -------
    dict of str to str
        Version by normalized name, sorted.
    """
    found = _find_metadata(paths)
    waiting, imported = set(), {}
    for module in {name.partition(".")[0] for name in list(sys.modules)}:
        if module in sys.stdlib_module_names or module == "__main__":
            continue
        name = normalize_name(module)
        if name in found:
            imported[name] = found[name][0]
        else:
            waiting.add(module)
    if waiting:
        for name, (version, folder) in found.items():
            if name not in imported and waiting & _read_top_level(folder):
                imported[name] = version
    return {name: imported[name] for name in sorted(imported)}


def _read_top_level(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    try:
        return set((folder / "top_level.txt").read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        pass  # newer build tools write no top_level.txt; RECORD says the same in more words
    names = set()
    try:
        with (folder / "RECORD").open(encoding="utf-8") as lines:
            for line in lines:
                names.add(line.split(",", 1)[0].split("/", 1)[0].removesuffix(".py"))
    except (OSError, UnicodeDecodeError):
        return set()
    return names


def strip_credentials(url: str) -> str:
    """Remove user names, passwords and query strings from an address.

    Parameters
    ----------
    url
        Address of a repository or file.

    Returns
    -------
    str
        The address without anything that could let somebody in. ``git@host:path`` is kept: its
        user name is not a secret.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    if scheme.startswith(("ssh", "git+ssh")) and ":" not in host.partition("@")[0]:
        return f"{scheme}://{host}{slash}{path}"
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"

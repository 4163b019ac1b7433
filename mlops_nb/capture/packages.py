"""What is installed and what is imported, read from folder names before any file is opened."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

_SUFFIXES = (".dist-info", ".egg-info")
_SEPARATORS = re.compile(r"[-_.]+")
_WORTH_KEEPING = 10
_folders: dict[str, tuple[int, list[Distribution]]] = {}


class Distribution(NamedTuple):
    """Something that is installed.

    Attributes
    ----------
    name, version
        The name normalized; the version empty where it is not in the folder's name.
    origin
        As for `list_origins`; empty where it came from a package index.
    modules
        Top-level modules, as its files say.
    """

    name: str
    version: str
    origin: dict[str, Any]
    modules: list[str]


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
    found: dict[str, str] = {}
    for entry in sys.path if paths is None else paths:
        for name, version, _ in _scan(entry):
            found.setdefault(name, version)  # the first on the path wins
    return {name: found[name] for name in sorted(found)}


def _scan(folder: str) -> list[tuple[str, str, str]]:
    """Give name, version and metadata folder of what one folder of the path has."""
    try:
        with os.scandir(folder or ".") as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return []  # a folder we may not list holds nothing the user could import from
    found = []
    for entry in names:
        stem, suffix = os.path.splitext(entry)  # noqa: PTH122 - of thousands, a path object each
        if suffix not in _SUFFIXES or stem.startswith("~"):  # "~" is what pip leaves behind
            continue
        name, _, version = stem.partition("-")
        found.append((normalize_name(name), version.split("-py")[0], entry))
    return found


def read_installed(
    paths: Iterable[str] | None = None, cache: Path | None = None
) -> dict[str, Distribution]:
    """Read what is installed: versions, origins, and what can be imported from each.

    Parameters
    ----------
    paths
        Folders to look in; ``sys.path`` by default.
    cache
        Folder in which what was read is remembered for the next process.

    Returns
    -------
    dict of str to Distribution
        By normalized name, sorted. A folder is read again when something was installed into it or
        removed from it.
    """
    found: dict[str, Distribution] = {}
    for entry in sys.path if paths is None else paths:
        folder = os.path.abspath(entry or ".")  # noqa: PTH100 - as cheap as can be: it is asked often
        try:
            changed_ns = os.stat(folder).st_mtime_ns  # noqa: PTH116
        except OSError:
            continue  # entries of sys.path need not exist
        known = _folders.get(folder)
        if known is None or known[0] != changed_ns:
            known = _folders[folder] = (changed_ns, _read_folder(folder, changed_ns, cache))
        for distribution in known[1]:
            found.setdefault(distribution.name, distribution)
    return {name: found[name] for name in sorted(found)}


def _read_folder(folder: str, changed_ns: int, cache: Path | None) -> list[Distribution]:
    file = None
    if cache is not None:
        file = cache / f"installed-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}.json"
        try:
            kept = json.loads(file.read_bytes())
            if kept["format"] == 1 and kept["folder"] == folder and kept["changed"] == changed_ns:
                return [Distribution(*fields) for fields in kept["distributions"]]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, or one that was written by another version or half
    found = []
    for name, version, entry in _scan(folder):
        place = Path(folder, entry)
        found.append(
            Distribution(name, version, _read_origin(place), sorted(_read_top_level(place)))
        )
    if file is not None and len(found) >= _WORTH_KEEPING:
        _keep(file, {"format": 1, "folder": folder, "changed": changed_ns, "distributions": found})
    return found


def _keep(file: Path, document: dict[str, Any]) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):  # it is read again the next time
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(document), encoding="utf-8")
        part.replace(file)


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
    import importlib.metadata  # 20 ms, and few ask

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


def _read_origin(folder: Path) -> dict[str, Any]:
    try:
        return _parse_origin((folder / "direct_url.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}  # it came from a package index


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
    return {name: each.origin for name, each in read_installed(paths).items() if each.origin}


def list_modules() -> frozenset[str]:
    """List the top-level modules that this process has loaded, without those of Python itself."""
    names = {name.partition(".")[0] for name in list(sys.modules)}
    return frozenset(names - sys.stdlib_module_names - {"__main__"})


def list_imported(
    paths: Iterable[str] | None = None, installed: dict[str, Distribution] | None = None
) -> dict[str, str]:
    """List the distributions that this process has imported something from.

    Parameters
    ----------
    paths
        Folders to look in; ``sys.path`` by default.
    installed
        What `read_installed` gave, where it was asked already.

    Returns
    -------
    dict of str to str
        Version by normalized name, sorted.
    """
    found = read_installed(paths) if installed is None else installed
    modules = {normalize_name(module): module for module in list_modules()}
    imported = modules.keys() & found.keys()
    waiting = {module for name, module in modules.items() if name not in found}
    imported |= {name for name, each in found.items() if not waiting.isdisjoint(each.modules)}
    return {name: found[name].version for name in sorted(imported)}


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

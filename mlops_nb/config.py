"""One frozen Settings, resolved once: argument, then environment, then pyproject, then default."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mlops_nb.errors import InvalidValueError, NotFoundError

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
# User, hosts with ports, database, options. What has another form may hide a password.
_INDEX = (
    r"postgres(?:ql)?://((?:(?!%3[aA])[^\s:@/?#])*@)?((?:\[[\da-fA-F:.]+\]|[^\s:@/?#,\[\]]*)(?::\d+)?"
    r"(?:,[^\s:@/?#,\[\]]+(?::\d+)?)*)(/[^\s:@/?#]*)?(?:\?((?:[a-z_]+=[^\s&#@]*)(?:&[a-z_]+=[^\s&#@]*)*))?"
)
_ROOT_MARKS = (".mlops", "pyproject.toml", ".git")


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process uses mlops_nb.

    Attributes
    ----------
    store
        Folder of the store. Default: ``.mlops`` in the nearest parent folder that holds ``.mlops``,
        ``pyproject.toml`` or ``.git``, else in the working folder.
    experiment
        Experiment that runs belong to when none is named.
    disabled
        Record nothing in this process.
    cards
        Show a card under a cell that trained a model.
    verify
        Compare the first run of a pipeline after an edit with its notebook run as one.
    fork
        Start the kernels of steps from a process that has their libraries loaded, on Linux:
        ``on``, ``off``, or ``keep`` to leave that process for the next run.
    resources
        Seconds between two samples of what a run uses (processor, memory, graphics devices); 0 for
        none. ``on`` is 5.
    live
        Look at progress bars and loops while a cell runs, for its runs and the card under it.
    autolog_off
        Libraries that are not recorded unasked, such as ``torch, files``.
    output_kb
        How much of what a cell prints is kept with the runs it recorded, from its end, in kB.
    index
        Database of an index that a team shares, such as ``postgresql://user@host/database``. It
        never holds a password. Default: none, the index is a local file.
    cache
        Local folder for rebuildable indexes. Default: ``~/.cache/mlops_nb`` or the platform's like.

    Notes
    -----
    Environment variables are ``MLOPS_NB_STORE``, ``MLOPS_NB_EXPERIMENT`` and so on; the table
    ``[tool.mlops_nb]`` in ``pyproject.toml`` takes the same names in lower case.
    """

    store: Path
    cache: Path
    experiment: str = "default"
    disabled: bool = False
    cards: bool = True
    verify: bool = True
    resources: float = 5.0
    live: bool = True
    output_kb: int = 16
    autolog_off: str = ""
    index: str = ""
    fork: str = "on"


def read_version() -> str:
    """Give the version of this package; ``0.0.0`` in a checkout that was never installed."""
    try:
        from mlops_nb._version import __version__
    except ImportError:
        return "0.0.0"
    return str(__version__)


def find_root(start: Path) -> Path:
    """Find the project a folder belongs to.

    Parameters
    ----------
    start
        Folder to begin in.

    Returns
    -------
    Path
        The nearest folder, from `start` upwards, that holds a store, ``pyproject.toml`` or
        ``.git``; `start` itself where none does.
    """
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _ROOT_MARKS):
            return folder
    return start


def show_index(url: str) -> str:
    """Give the address of an index for people: user, host and database; no options.

    Parameters
    ----------
    url
        As the setting has it.

    Returns
    -------
    str
        ``postgresql://...`` where it cannot be read, for then anything in it may be a secret.
    """
    match = re.fullmatch(_INDEX, url)
    if match is None:
        return "postgresql://..."
    user, hosts, path, query = match.groups()
    found = dict(part.partition("=")[::2] for part in (query or "").split("&"))
    hosts = hosts or unquote(found.get("host", ""))
    return f"postgresql://{user or ''}{hosts}{path or ''}"


def _check_index(url: str) -> None:
    if not url:
        return
    match = re.fullmatch(_INDEX, url)
    query = (match[4] or "") if match else ""
    is_plain = match is not None and url.isprintable() and "password" not in query.lower()
    if not is_plain:
        raise InvalidValueError(
            "index",
            show_index(url),
            "postgresql://USER@HOST/DATABASE without a password",
            "The password is read from PGPASSWORD or ~/.pgpass, never from the address.",
        )


def _read_bool(name: str, text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in _TRUE | _FALSE:
        raise InvalidValueError(name, text, "one of 1, 0, true, false, yes, no, on, off")
    return lowered in _TRUE


def _read_fork(value: object) -> str:
    text = str(value).strip().lower()
    if text == "keep":
        return text
    try:
        return "on" if _read_bool("fork", text) else "off"
    except InvalidValueError as error:
        raise InvalidValueError("fork", value, "one of on, off, keep") from error


def _read_interval(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        word = str(value).strip().lower()
        number = {"on": 5.0, "true": 5.0, "yes": 5.0}.get(word, 0.0 if word in _FALSE else -1.0)
    if number == 0 or 0.1 <= number <= 3600:
        return number
    raise InvalidValueError("resources", value, "seconds from 0.1 to 3600, or 0, on, off")


def _read_size(value: object) -> int:
    text = str(value).strip()
    if text.isdecimal() and int(text) <= 1000:
        return int(text)
    raise InvalidValueError("output_kb", value, "a whole number of kB from 0 to 1000")


def _default_cache() -> Path:
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "mlops_nb"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mlops_nb"


def _read_pyproject(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        if "mlops_nb" not in text:
            return {}  # as mostly: then a command need not read what other tools are told
        import tomllib

        table = tomllib.loads(text)
    except (ValueError, OSError):
        return {}  # a broken pyproject is its owner's business; ours would be to break a kernel
    found: dict[str, Any] = table.get("tool", {}).get("mlops_nb", {})
    known = Settings.__slots__
    for name in found:
        if name not in known:
            raise NotFoundError("setting", name, known, f"It stands in [tool.mlops_nb] of {path}.")
    return found


_READERS = {"fork": _read_fork, "resources": _read_interval, "output_kb": _read_size}


def load_settings(start: Path | None = None, **arguments: Any) -> Settings:
    """Resolve the settings of this process.

    Parameters
    ----------
    start
        Folder to look from for the project; the working folder by default.
    **arguments
        Settings that win over everything else; None means not given.

    Returns
    -------
    Settings
        Every setting with its value.

    Raises
    ------
    InvalidValueError
        A setting has a value of the wrong form.
    NotFoundError
        ``[tool.mlops_nb]`` names a setting that does not exist.
    """
    root = find_root((start or Path.cwd()).absolute())
    table = _read_pyproject(root)
    values: dict[str, Any] = {}
    for name in Settings.__slots__:
        given = arguments.get(name)
        if given is None:
            given = os.environ.get(f"MLOPS_NB_{name.upper()}")
        if given is None:
            given = table.get(name)
        if given is not None:
            values[name] = given
    for name in ("disabled", "cards", "verify", "live"):
        if isinstance(values.get(name), str):
            values[name] = _read_bool(name, values[name])
    for name, read in _READERS.items():
        if name in values:
            values[name] = read(values[name])
    store, cache = values.get("store") or root / ".mlops", values.get("cache") or _default_cache()
    _check_index(str(values.get("index", "")))
    values["store"] = (root / Path(store).expanduser()).absolute()
    values["cache"] = Path(cache).expanduser().absolute()
    return Settings(**values)

"""Libraries that open files past Python: what they look up when they do is wrapped.

No public function and no class is replaced: names that the user has imported stay what they are,
pickles are the same, and our frame is gone before any data are read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from mlops_nb.autolog.callnames import find_call, get_frame, is_writing
from mlops_nb.autolog.frames import hide_frame, read_locals
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.autolog.opened import OpenedFiles
from mlops_nb.autolog.patching import Patches

Note = Callable[[str, tuple[Any, ...], dict[str, Any]], None]
# Library, module, what it looks up each time, and which argument is the path.
_POINTS: tuple[tuple[str, str, str, str], ...] = (
    ("pandas", "pandas.io.parquet", "_get_path_or_handle", "path"),
    ("pandas", "pandas.io.sql", "pandasSQL_builder", "con"),
    ("pyarrow", "pyarrow.parquet.core", "_resolve_filesystem_and_path", "path"),
    ("pyarrow", "pyarrow.fs", "_resolve_filesystem_and_path", "path"),
    ("polars", "polars._utils.various", "normalize_filepath", "path"),
    ("torch", "torch.serialization", "_check_save_filelike", "f"),
    ("safetensors", "safetensors.torch", "serialize_file", "filename"),
    ("safetensors", "safetensors.torch", "safe_open", "filename"),
    ("safetensors", "safetensors.numpy", "serialize_file", "filename"),
    ("safetensors", "safetensors.numpy", "safe_open", "filename"),
    ("h5py", "h5py._hl.files", "make_fid", "name"),
)
_SECOND = frozenset({"serialize_file"})  # the path is their second argument
# What these do is known, whatever the user has called: a training writes its checkpoints.
_WRITES = {"serialize_file": True, "_check_save_filelike": True, "safe_open": False}
_LIBRARIES = tuple(dict.fromkeys(library for library, *_ in _POINTS))


class BlindReaders:
    """Wraps those look-ups as soon as the libraries are imported.

    Parameters
    ----------
    opened
        Gets what is opened.
    guard
        Stops everything when something here fails.
    watcher
        Tells of imports.
    """

    def __init__(self, opened: OpenedFiles, guard: Guard, watcher: ImportWatcher) -> None:
        self._opened, self._guard = opened, guard
        self._patches = Patches()
        self._is_closed = False
        self._states: dict[str, tuple[str, str]] = {}
        self._points: dict[str, list[tuple[str, str, str]]] = {}
        self._stand_ins: dict[str, tuple[Any, Any]] = {}
        for library, module, name, argument in _POINTS:
            self._points.setdefault(module, []).append((library, name, argument))
        for module in self._points:
            watcher.watch(module, self._arm)

    def status(self) -> list[tuple[str, str, str]]:
        """Give each library's state and the version or the reason."""
        rows = []
        for library in _LIBRARIES:
            state, reason = self._states.get(library, ("waiting", "not imported yet"))
            rows.append((f"{library} files", state, reason))
        return rows

    def close(self) -> None:
        """Restore every attribute."""
        self._is_closed = True
        for name, (stand_in, original) in self._stand_ins.items():
            _replace_everywhere(name, stand_in, original)
        self._stand_ins.clear()
        self._patches.restore()

    def _arm(self, module: ModuleType) -> None:
        self._guard.call(self._patch, module)

    def _patch(self, module: ModuleType) -> None:
        if self._is_closed:
            return
        for library, name, argument in self._points[module.__name__]:
            if not callable(vars(module).get(name)):
                reason = f"{module.__name__} has no {name}"
                self._states[library] = ("not armed", reason)
                continue
            note = self._note_sql if name == "pandasSQL_builder" else self._make_note(name)
            place = 1 if name in _SECOND else 0
            original = vars(module)[name]

            def make(
                found: Any, note: Any = note, argument: str = argument, place: int = place
            ) -> Any:
                return self._wrap(found, note, argument, place)

            self._patches.set_attribute(module, name, make)
            if library == "polars":
                # Its modules have each imported the function by name.
                stand_in = vars(module)[name]
                self._stand_ins[name] = (stand_in, original)
                _replace_everywhere(name, original, stand_in)
            version = _read_version(library)
            if self._states.get(library, ("",))[0] != "not armed":
                self._states[library] = ("armed", version)

    def _wrap(self, original: Any, note: Callable[[Any], None], argument: str, place: int) -> Any:
        guard = self._guard

        def stand_in(*args: Any, **kwargs: Any) -> Any:
            try:
                answer = original(*args, **kwargs)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next  # ours is nobody's business
                raise
            guard.call(note, args[place] if len(args) > place else kwargs.get(argument))
            return answer

        return hide_frame(stand_in)

    def _make_note(self, name: str) -> Callable[[Any], None]:
        known = _WRITES.get(name)

        def note(target: Any) -> None:
            call = find_call(get_frame(3))  # what has called the stand-in
            if call is not None:
                writes = is_writing(call) if known is None else known
                self._opened.note_path(target, call, writes=writes)

        return note

    def _note_sql(self, connection: Any) -> None:
        caller = get_frame(3)
        call = find_call(caller)
        if call is None or caller is None:
            return
        values = read_locals(caller)
        writes = caller.f_code.co_name == "to_sql"
        query = values.get("name") if writes else values.get("sql", values.get("table_name"))
        if query is None:
            return
        self._opened.note_query(_spell(query), _describe(connection), call, writes=writes)


def _read_version(library: str) -> str:
    """Give a library's version; while it is being imported only its metadata know."""
    try:
        return str(vars(sys.modules[library])["__version__"])
    except KeyError:
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(library)
        except PackageNotFoundError:
            return "unknown"


def _spell(query: Any) -> str:
    """Give the text of a query; one of SQLAlchemy's knows it itself, without its values."""
    if isinstance(query, str):
        return query
    text = getattr(query, "text", None)
    if isinstance(text, str):
        return text
    if type(query).__module__.partition(".")[0] == "sqlalchemy":
        return str(query)
    return type(query).__name__


def _describe(connection: Any) -> str:
    if isinstance(connection, str):
        return connection
    engine = getattr(connection, "engine", connection)
    url = getattr(engine, "url", None)
    if url is not None:
        return str(url)
    return type(connection).__module__.partition(".")[0]


def _replace_everywhere(name: str, old: Any, new: Any) -> None:
    for key, module in list(sys.modules.items()):
        if key.startswith("polars.") and vars(module).get(name) is old:
            setattr(module, name, new)

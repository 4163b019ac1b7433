"""A notebook file as frozen cells: read without nbformat where the file is of today's format."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from mlops_nb.errors import NotebookError, near_misses

CellKind = Literal["code", "markdown", "raw"]
CELL_KINDS: tuple[CellKind, ...] = ("code", "markdown", "raw")

_PYTHON_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a notebook.

    Attributes
    ----------
    index
        Position in the notebook from 0, markdown cells counted.
    cell_id
        The cell's id, None in files older than format 4.5.
    tags
        ``metadata.tags`` as they stand in the file.
    node
        The cell's JSON as read; not to be changed.
    """

    index: int
    cell_id: str | None
    kind: CellKind
    source: str
    tags: tuple[str, ...] = ()
    node: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NotebookDocument:
    """A notebook as it stands in a file.

    Attributes
    ----------
    path
        The file, or the name that errors shall show.
    metadata
        The notebook's own metadata; not to be changed.
    """

    path: Path
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells in notebook order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @classmethod
    def load(cls, path: Path | str) -> NotebookDocument:
        """Read a notebook file.

        Parameters
        ----------
        path
            An ``.ipynb`` file of any format version.

        Returns
        -------
        NotebookDocument
            Its cells and metadata.

        Raises
        ------
        NotebookError
            Where there is no such file, or it is not a notebook for Python.
        """
        file = Path(path)
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            raise NotebookError(file, "there is no such file", hint=_name_siblings(file)) from None
        except UnicodeDecodeError as error:
            found = f"not a notebook: byte {error.start} is not UTF-8"
            raise NotebookError(file, found) from None
        except OSError as error:
            raise NotebookError(file, f"cannot be read: {error.strerror}") from None
        try:
            node = json.loads(text)
        except ValueError as error:
            found = f"not a notebook: not valid JSON ({error})"
            raise NotebookError(file, found, hint=_CONFLICT if "<<<<<<<" in text else "") from None
        except RecursionError:
            raise NotebookError(file, "not a notebook: JSON nested too deeply") from None
        return cls.from_node(node, file)

    @classmethod
    def from_node(cls, node: Any, path: Path | str) -> NotebookDocument:
        """Read a notebook from its JSON document.

        Parameters
        ----------
        node
            The document as :func:`json.load` or nbformat gives it.
        path
            The file it came from, for error messages.

        Returns
        -------
        NotebookDocument
            Its cells and metadata.

        Raises
        ------
        NotebookError
            Where it is not a notebook for Python.
        """
        file = Path(path)
        if not isinstance(node, Mapping) or not isinstance(node.get("nbformat"), int):
            raise NotebookError(file, "not a notebook: JSON without 'nbformat'")
        if node["nbformat"] < 4:
            node = _upgrade(node, file)
        cells, metadata = node.get("cells"), node.get("metadata", {})
        if node["nbformat"] > 4:
            raise NotebookError(file, f"format {node['nbformat']} is newer than 4")
        if not isinstance(cells, Sequence) or not isinstance(metadata, Mapping):
            raise NotebookError(file, "not a notebook: no list of cells")
        _check_language(metadata, file)
        read = tuple(_read_cell(index, cell, file) for index, cell in enumerate(cells))
        return cls(file, read, metadata)


_CONFLICT = "The file holds merge conflict marks; resolve them first."


def _name_siblings(file: Path) -> str:
    """Name notebooks beside a missing one that the user may have meant."""
    try:
        names = [entry.name for entry in file.absolute().parent.iterdir()]
    except OSError:
        return f"There is no folder {str(file.parent)!r} either."
    notebooks = sorted(name for name in names if name.endswith(".ipynb"))
    near = near_misses(file.name, notebooks) or near_misses(f"{file.name}.ipynb", notebooks)
    if near:
        return "Did you mean " + " or ".join(repr(name) for name in near) + "?"
    listed = ", ".join(repr(name) for name in notebooks[:5])
    return f"Notebooks there: {listed}." if listed else "There is no notebook in that folder."


def _upgrade(node: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    """Bring a notebook of format 1 to 3 to format 4."""
    # Only old files pay for nbformat; planning must stay fast.
    import nbformat

    try:
        return cast("Mapping[str, Any]", nbformat.reads(json.dumps(node), as_version=4))
    except Exception as error:
        found = f"format {node['nbformat']} cannot be upgraded ({type(error).__name__}: {error})"
        raise NotebookError(file, found) from error


def _check_language(metadata: Mapping[str, Any], file: Path) -> None:
    """Refuse notebooks of other languages; one without any mark is taken as Python."""
    spec, info = metadata.get("kernelspec"), metadata.get("language_info")
    named = [
        entry.get(key)
        for entry, key in ((spec, "language"), (info, "name"))
        if isinstance(entry, Mapping)
    ]
    for language in named:
        if isinstance(language, str) and "python" not in language.casefold() and language:
            hint = "Only notebooks with a Python kernel can be used."
            raise NotebookError(file, f"its language is {language!r}, not Python", hint=hint)


def _read_cell(index: int, node: Any, file: Path) -> Cell:
    """Read one cell, refusing what is not one."""
    kind = node.get("cell_type") if isinstance(node, Mapping) else None
    if kind not in CELL_KINDS:
        raise NotebookError(file, f"not a cell (type {kind!r})", index)
    source = node.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise NotebookError(file, "its source is not text", index)
    metadata = node.get("metadata") or {}
    tags = metadata.get("tags") or [] if isinstance(metadata, Mapping) else None
    if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
        raise NotebookError(file, f"tags are {tags!r}; expected a list of texts", index)
    cell_id = node.get("id")
    return Cell(
        index, cell_id if isinstance(cell_id, str) else None, kind, source, tuple(tags), node
    )


def new_code_cell(
    source: str,
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    cell_id: str | None = None,
) -> dict[str, Any]:
    """Build a code cell that was not executed.

    Parameters
    ----------
    source
        Its text.
    tags
        Goes into ``metadata.tags``.
    metadata
        Other metadata.
    cell_id
        Its id; a new one is made where none is given.

    Returns
    -------
    dict
        A cell valid in format 4.5.
    """
    cell = _new_cell("code", source, tags, metadata, cell_id)
    return cell | {"execution_count": None, "outputs": []}


def new_markdown_cell(
    source: str,
    tags: Iterable[str] = (),
    metadata: Mapping[str, Any] | None = None,
    cell_id: str | None = None,
) -> dict[str, Any]:
    """Build a markdown cell.

    Parameters
    ----------
    source
        Its text.
    tags
        Goes into ``metadata.tags``.
    metadata
        Other metadata.
    cell_id
        Its id; a new one is made where none is given.

    Returns
    -------
    dict
        A cell valid in format 4.5.
    """
    return _new_cell("markdown", source, tags, metadata, cell_id)


def _new_cell(
    kind: CellKind,
    source: str,
    tags: Iterable[str],
    metadata: Mapping[str, Any] | None,
    cell_id: str | None,
) -> dict[str, Any]:
    """Build what every kind of cell has."""
    kept = dict(metadata or {})
    if listed := list(dict.fromkeys(tags)):
        kept["tags"] = listed
    return {
        "cell_type": kind,
        "id": cell_id or uuid.uuid4().hex[:12],
        "metadata": kept,
        "source": source,
    }


def new_notebook(
    cells: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Build a notebook of format 4.5 for a Python kernel.

    Parameters
    ----------
    cells
        Cells as :func:`new_code_cell` makes them, or as read; ids are added where missing.
    metadata
        The notebook's metadata; by default the Python 3 kernel.

    Returns
    -------
    dict
        A document for :func:`write_notebook`.
    """
    seen: set[str] = set()
    listed = []
    for cell in cells:
        entry = dict(cell)
        if not isinstance(entry.get("id"), str) or entry["id"] in seen:
            entry["id"] = uuid.uuid4().hex[:12]
        seen.add(entry["id"])
        listed.append(entry)
    kept = dict(_PYTHON_KERNEL if metadata is None else metadata)
    return {"cells": listed, "metadata": kept, "nbformat": 4, "nbformat_minor": 5}


def write_notebook(node: Mapping[str, Any], path: Path | str) -> Path:
    """Write a notebook so that a reader sees the old file or the new one, never half of one.

    Parameters
    ----------
    node
        A notebook document of format 4.
    path
        Where to; folders must exist. A symbolic link is written through.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    NotebookError
        Where the document is not a notebook or cannot be written there.
    """
    file = Path(path)
    if node.get("nbformat") != 4 or not isinstance(node.get("cells"), list):
        raise NotebookError(file, "refused to write what is not a notebook of format 4")
    document = dict(node) | {"cells": [_split_lines(cell) for cell in node["cells"]]}
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    try:
        data = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can only carry escaped
        data = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    try:
        replace_file(file, data)
    except OSError as error:
        raise NotebookError(file, f"cannot be written: {error.strerror}") from error
    return file


def _split_lines(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Give a cell with its text as a list of lines, as Jupyter writes it, for small diffs."""
    split = dict(cell)
    if isinstance(split.get("source"), str):
        split["source"] = split["source"].splitlines(keepends=True)
    return split


def replace_file(path: Path, data: bytes) -> None:
    """Put bytes in a file's place in one move.

    Parameters
    ----------
    path
        The file; its mode is kept where it exists.
    data
        All of its new content.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise

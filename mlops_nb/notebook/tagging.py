"""Tags written into a notebook's file, everything else left as it stands."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import NotebookDocument, replace_file

_INDENTS: tuple[int | str | None, ...] = (1, 2, 4, "\t", None)


def add_tags(path: Path, tags: Mapping[int, str]) -> Path:
    """Add a tag to each of some cells, in one move.

    Parameters
    ----------
    path
        The notebook, of format 4.
    tags
        New tags by position of the cell.

    Returns
    -------
    Path
        The file. Its bytes outside of the new tags stay as they were where it was written by a
        program that writes JSON in a regular way, as Jupyter does; else it is laid out anew.

    Raises
    ------
    NotebookError
        The file is no notebook of format 4 or cannot be written.
    """
    NotebookDocument.load(path)  # says what is wrong, where something is
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig")
    node = json.loads(text)
    if node["nbformat"] != 4:
        hint = "Open and save it in Jupyter once, which brings it to format 4."
        raise NotebookError(path, f"tags cannot be written to format {node['nbformat']}", hint=hint)
    layout = _find_layout(node, text)
    for index, tag in tags.items():
        metadata = node["cells"][index].setdefault("metadata", {})
        known = metadata.setdefault("tags", [])
        if tag not in known:
            known.append(tag)
    mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    written = _write(node, *layout).encode("utf-8", "surrogatepass")
    if b"\r\n" in raw:
        written = written.replace(b"\n", b"\r\n")
    try:
        replace_file(path, mark + written)
    except OSError as error:
        raise NotebookError(path, f"cannot be written: {error.strerror}") from error
    return path


Layout = tuple[int | str | None, bool, tuple[str, str], str]


def _find_layout(node: Any, text: str) -> Layout:
    """Find how the file was written, by writing it so."""
    plain = text.replace("\r\n", "\n")
    end = plain[len(plain.rstrip()) :]
    for indent, is_ascii, comma in itertools.product(_INDENTS, (False, True), (", ", ",")):
        separators = (
            comma if indent is None else ",",
            ":" if comma == "," and indent is None else ": ",
        )
        layout: Layout = (indent, is_ascii, separators, end)
        if _write(node, *layout) == plain:
            return layout
    return (1, False, (",", ": "), "\n")


def _write(
    node: Any, indent: int | str | None, is_ascii: bool, separators: tuple[str, str], end: str
) -> str:
    return json.dumps(node, indent=indent, ensure_ascii=is_ascii, separators=separators) + end

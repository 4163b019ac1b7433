"""What a run of a notebook has left for anyone to see, and how two runs are compared."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What differs between any two runs of the same notebook, pipeline or not.
_VOLATILE = (
    (re.compile(r"ipykernel_\d+"), "ipykernel_N"),
    (re.compile(r"0x[0-9a-fA-F]{6,}"), "0x"),
    (re.compile(r"^(CPU times|Wall time): .*\n", re.MULTILINE), ""),
)
_NOT_LOOKED_AT = ("__pycache__", ".ipynb_checkpoints", ".mlops", "notebook.ipynb")
_IGNORED_SHOWN = ("text/html", "text/latex")  # styled forms of the text that is compared


@dataclass(slots=True)
class CellOutput:
    """What one cell has printed, shown and raised."""

    printed: str = ""
    warned: str = ""
    shown: list[Any] = field(default_factory=list)
    raised: tuple[str, str] | None = None


@dataclass(slots=True)
class Observed:
    """What a run has left.

    Attributes
    ----------
    cells
        Output by position of the cell in the notebook; cells that did not run are not there.
    values
        What `conformance_probe` wrote about names; None where the end was not reached.
    files
        Digest by path of what lies in the working folder.
    printed
        All standard output, where it is not known by cell.
    fused
        Steps that ran in the kernel of the step before.
    is_partial
        Cells may be missing, because their steps were taken from the cache.
    """

    cells: dict[int, CellOutput] = field(default_factory=dict)
    values: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)
    printed: str | None = None
    fused: tuple[str, ...] = ()
    is_partial: bool = False


def normalize(text: str) -> str:
    """Replace what differs between any two runs.

    Parameters
    ----------
    text
        Printed by a cell.

    Returns
    -------
    str
        Without process numbers, addresses and timings.
    """
    for pattern, replacement in _VOLATILE:
        text = pattern.sub(replacement, text)
    return text


def read_output(outputs: Iterable[Mapping[str, Any]]) -> CellOutput:
    """Read the outputs of an executed cell.

    Parameters
    ----------
    outputs
        As nbformat has them.

    Returns
    -------
    CellOutput
        Comparable.
    """
    found = CellOutput()
    for output in outputs:
        if output["output_type"] == "stream":
            text = normalize("".join(output["text"]))
            if output["name"] == "stdout":
                found.printed += text
            else:
                found.warned += text
        elif output["output_type"] == "error":
            found.raised = (output["ename"], normalize(output["evalue"]))
        else:
            found.shown.append(_read_shown(output["data"]))
    return found


def _read_shown(data: Mapping[str, Any]) -> dict[str, str]:
    shown = {}
    for kind, content in data.items():
        if kind == "image/png":
            shown[kind] = _digest_pixels(content)
        elif kind not in _IGNORED_SHOWN:
            shown[kind] = normalize("".join(content) if isinstance(content, list) else str(content))
    return shown


def _digest_pixels(content: str) -> str:
    import io

    import matplotlib.image

    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(content)), format="png")
    return f"{pixels.shape} {hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}"


def read_files(folder: Path) -> dict[str, str]:
    """Read what lies in a working folder.

    Parameters
    ----------
    folder
        The notebook's folder.

    Returns
    -------
    dict
        Digest by relative path.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not set(relative.parts) & {*_NOT_LOOKED_AT}:
            found[relative.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return found


def read_values(path: Path) -> dict[str, Any] | None:
    """Read what the probe wrote.

    Parameters
    ----------
    path
        Its target.

    Returns
    -------
    dict or None
        Description by name.
    """
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def find_difference(expected: Observed, found: Observed) -> str | None:
    """Name the first thing in which two runs differ.

    Parameters
    ----------
    expected
        The reference.
    found
        What is judged.

    Returns
    -------
    str or None
        None where they are the same.
    """
    if found.printed is not None:
        difference = _compare_printed(expected, found.printed)
    else:
        difference = _compare_cells(expected, found)
    if difference:
        return difference
    if found.values != expected.values:
        return "values: " + _locate(expected.values, found.values, "")
    names = sorted({*expected.files, *found.files})
    for name in names:
        if expected.files.get(name) != found.files.get(name):
            where = "differs" if name in expected.files and name in found.files else "is missing"
            return f"file {name!r} {where}"
    return None


def _compare_printed(expected: Observed, printed: str) -> str | None:
    if any(cell.shown for cell in expected.cells.values()):
        return None  # a script prints the text of what a notebook shows, in a place of its own
    wanted = "".join(cell.printed for _, cell in sorted(expected.cells.items()))
    return None if wanted == printed else f"printed {printed!r}, not {wanted!r}"


def _compare_cells(expected: Observed, found: Observed) -> str | None:
    if not found.is_partial and expected.cells.keys() != found.cells.keys():
        return f"cells {sorted(found.cells)} ran, not {sorted(expected.cells)}"
    for index, cell in sorted(found.cells.items()):
        other = expected.cells.get(index)
        if other is None:
            return f"cell {index} ran and should not"
        for part in ("raised", "printed", "shown", "warned"):
            got, wanted = getattr(cell, part), getattr(other, part)
            if got != wanted:
                return f"cell {index} {part} {_shorten(got)}, not {_shorten(wanted)}"
    return None


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:150] + " ... " + text[-140:]


def _locate(expected: Any, found: Any, path: str) -> str:
    """Walk down to the first place where two descriptions differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            if expected.get(key) != found.get(key):
                return _locate(expected.get(key), found.get(key), key)
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (a, b) in enumerate(zip(expected, found, strict=True)):
            if a != b:
                return _locate(a, b, f"{path}.{number}")
    return f"{path}: {_shorten(found)}, not {_shorten(expected)}"

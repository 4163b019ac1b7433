"""Compares what cells have shown and which files they have written."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.comparing import Difference, compare_names
from mlops_nb.pipeline.failedcells import remove_colors

# What a text tells of this very process or moment, and not of the values.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_TIMES = re.compile(r"^(CPU times:|Wall time:|time:).*\n?", re.MULTILINE)
_LOOPS = re.compile(r"^.* per loop \(mean .*\n?", re.MULTILINE)
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_PICTURES = (".png", ".jpg", ".jpeg")


def read_outputs(notebook: str | Path | None) -> dict[int, list[Any]]:
    """Read the outputs of a step's executed notebook.

    Parameters
    ----------
    notebook
        Its file.

    Returns
    -------
    dict
        Outputs by position of the cell in the user's notebook.
    """
    if notebook is None:
        return {}
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        index = cell["metadata"].get("mlops", {}).get("index")
        if index is not None and cell["cell_type"] == "code":
            found[int(index)] = cell.get("outputs", [])
    return found


def compare_outputs(
    index: int,
    reference: list[Any] | None,
    pipeline: list[Any] | None,
    places: Mapping[str, str],
) -> Difference | None:
    """Compare what one cell has shown: printed text, values as text, pictures by pixels.

    Parameters
    ----------
    index
        Position of the cell.
    reference, pipeline
        Its outputs; None where they are not known, which is told elsewhere.
    places
        Folders of the reference run, each with the folder it stands for.

    Returns
    -------
    Difference or None
        What is written to stderr does not count: warnings name files and lines.
    """
    if reference is None or pipeline is None:
        return None
    shown = [_describe(reference, places), _describe(pipeline, {})]
    for kind in ("printed text", "shown values", "pictures"):
        name = f"{kind} of cell {index}"
        first, second = shown[0][kind], shown[1][kind]
        found = compare_names({name: first}, {name: second}).difference
        if found is not None and kind == "pictures" and len(first) == len(second):
            found = _compare_pictures(name, first, second)
        if found is not None:
            return found
    return None


def _describe(outputs: list[Any], places: Mapping[str, str]) -> dict[str, Any]:
    printed, values, pictures = "", [], []
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") == "stdout":
            printed += _join(output.get("text", ""))
        elif kind in ("execute_result", "display_data"):
            data = output.get("data", {})
            if "image/png" in data:
                pictures.append(_join(data["image/png"]).strip())
            elif "text/plain" in data and not _is_of_ours(output):
                values.append(clean(_move(_join(data["text/plain"]), places)))
        elif kind == "error":
            values.append(_move(f"{output.get('ename')}: {output.get('evalue')}", places))
    return {
        "printed text": clean(_move(printed, places)),
        "shown values": values,
        "pictures": pictures,
    }


def _is_of_ours(output: Mapping[str, Any]) -> bool:
    """Tell whether a card of ours is shown: it names the run, which is another each time."""
    return any(key.startswith("application/vnd.mlops") for key in output.get("data", {})) or (
        "mlops" in output.get("metadata", {})
    )


def _move(text: str, places: Mapping[str, str]) -> str:
    for old, new in places.items():
        text = text.replace(old, new)
    return text


def _join(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def clean(text: str) -> str:
    """Take out of a text what is another in every process: addresses, times, ids of runs.

    Parameters
    ----------
    text
        As a cell has shown it.

    Returns
    -------
    str
        The rest.
    """
    text = _ADDRESS.sub("0x...", remove_colors(text))
    return _ID.sub("<run>", _LOOPS.sub("", _TIMES.sub("", text)))


def _compare_pictures(name: str, first: list[str], second: list[str]) -> Difference | None:
    pixels = [[_read_pixels(base64.b64decode(one)) for one in side] for side in (first, second)]
    return compare_names({name: pixels[0]}, {name: pixels[1]}).difference


def _read_pixels(content: bytes) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGBA")).copy()


@dataclass(frozen=True, slots=True)
class FileSide:
    """Files that a run has written.

    Attributes
    ----------
    states
        By path as in the notebook's folder; None for files that were removed.
    copies
        Where the run has them, where it worked in another folder.
    """

    states: Mapping[str, Any]
    copies: Mapping[str, Path] = field(default_factory=dict)

    def find(self, path: str) -> Path:
        """Give the place of a file.

        Parameters
        ----------
        path
            As in `states`.

        Returns
        -------
        Path
            Of the bytes that this run has written.
        """
        return self.copies.get(path, Path(path))


def compare_files(
    reference: FileSide, pipeline: FileSide, folder: Path, places: Mapping[str, str]
) -> tuple[list[Difference], dict[str, str]]:
    """Compare the files that were written.

    Parameters
    ----------
    reference, pipeline
        The files of both runs.
    folder
        The notebook's folder.
    places
        Folders of the reference run, each with the folder it stands for.

    Returns
    -------
    differences : list of Difference
        One for each file that is not the same.
    uncompared : dict
        Reason by path.
    """
    differences, uncompared = [], {}
    passing = os.path.realpath(tempfile.gettempdir()) + os.sep
    for path in sorted({*reference.states, *pipeline.states}):
        if path.startswith(passing) and not path.startswith(f"{folder}{os.sep}"):
            continue  # nothing that stays, and by another name each time
        digests = [_read_digest(side.states.get(path)) for side in (reference, pipeline)]
        if digests[0] == digests[1]:
            continue
        if None in digests:
            told = [
                _tell(path in side.states, digest)
                for side, digest in zip((reference, pipeline), digests, strict=True)
            ]
            differences.append(Difference(path, "value", told[0], told[1]))
            continue
        try:
            found = _compare_content(path, reference, pipeline, places)
        except (OSError, ValueError) as error:
            found = f"it cannot be read: {error}"
        if isinstance(found, str):
            uncompared[path] = found
        elif found is not None:
            differences.append(found)
    return differences, uncompared


def _compare_content(
    path: str, reference: FileSide, pipeline: FileSide, places: Mapping[str, str]
) -> Difference | str | None:
    contents = [side.find(path).read_bytes() for side in (reference, pipeline)]
    if path.lower().endswith(_PICTURES):
        pixels = [_read_pixels(content) for content in contents]
        return compare_names({path: pixels[0]}, {path: pixels[1]}).difference
    try:
        texts = [content.decode() for content in contents]
    except UnicodeDecodeError:
        if any(old.encode() in contents[0] for old in places):
            return "it names the folder that it was made in"
        return compare_names({path: contents[0]}, {path: contents[1]}).difference
    texts[0] = _move(texts[0], places)
    return compare_names({path: texts[0]}, {path: texts[1]}).difference


def _read_digest(state: Any) -> str | None:
    return None if state is None or state["digest"] is None else str(state["digest"])


def _tell(is_known: bool, digest: str | None) -> str:
    if digest is not None:
        return "a file"
    return "removed" if is_known else "not written"

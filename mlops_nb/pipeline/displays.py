"""Outputs that a later step updates: ``display(..., display_id=...)``, then ``update_display``.

In one notebook the output changes where it stands. The step that made it has ended by then, so its
executed notebook says where its outputs with a name are, that of the later step what became of
them, and both are brought together when the run ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.notebook.document import write_notebook

if TYPE_CHECKING:
    from mlops_nb.pipeline.graph import Pipeline

_PLACES, _UPDATES = "displays", "updates"
_RANDOM = re.compile(r"[0-9a-f]{32}")  # of ``display_id=True``: nobody else has it
_MARKS = ("display_id", "DisplayHandle", "ProgressBar")


def note_update(nb: Any, display_id: str, message: Mapping[str, Any]) -> None:
    """Note what a step shows under a name that an earlier step may have shown.

    Parameters
    ----------
    nb
        The notebook of the step.
    display_id
        The name.
    message
        As the kernel sent it.
    """
    is_new = message["header"]["msg_type"] != "update_display_data"
    if "mlops" not in nb.metadata or (is_new and _RANDOM.fullmatch(display_id)):
        return
    content = message["content"]
    found = nb.metadata["mlops"].setdefault(_UPDATES, {})
    found[display_id] = {"data": content["data"], "metadata": content.get("metadata", {})}


def note_places(nb: Any, places: Mapping[str, Mapping[int, Iterable[int]]]) -> None:
    """Note where a step has outputs with a name.

    Parameters
    ----------
    nb
        The notebook of the step.
    places
        Cells and outputs by name, as nbclient counts them.
    """
    if places and "mlops" in nb.metadata:
        nb.metadata["mlops"][_PLACES] = {
            name: [[cell, output] for cell, outputs in found.items() for output in outputs]
            for name, found in places.items()
        }


def settle(pipeline: Pipeline, notebooks: Iterable[str | None]) -> None:
    """Give outputs of earlier steps what later steps have made of them.

    Parameters
    ----------
    pipeline
        The plan.
    notebooks
        Executed notebooks in the order of the steps; None for steps that did not run.
    """
    sources = [cell.source for cell in pipeline.document.cells if cell.kind == "code"]
    if not any(mark in source for source in sources for mark in _MARKS):
        return
    earlier: list[tuple[Path, dict[str, Any]]] = []
    changed: dict[Path, dict[str, Any]] = {}
    for path in (Path(each) for each in notebooks if each and Path(each).is_file()):
        document = json.loads(path.read_text(encoding="utf-8"))
        updates = document["metadata"].get("mlops", {}).get(_UPDATES, {})
        for name, content in updates.items():
            for other, found in earlier:
                for cell, output in _find_places(found, name):
                    found["cells"][cell]["outputs"][output].update(content)
                    changed[other] = found
        earlier.append((path, document))
    for path, document in changed.items():
        write_notebook(document, path)


def _find_places(document: Mapping[str, Any], name: str) -> Iterable[tuple[int, int]]:
    places = document["metadata"].get("mlops", {}).get(_PLACES, {})
    found: Iterable[tuple[int, int]] = places.get(name, ())
    return found

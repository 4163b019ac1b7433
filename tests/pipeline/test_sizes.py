"""How big what crosses between steps was in the last run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.graph import plan
from mlops_nb.pipeline.sizes import Crossing, measure_crossings
from mlops_nb.pipeline.state import Component, State
from mlops_nb.store import Store


def note(
    cache: StepCache, path: Path, created_at: str, steps: list[str], *parts: Component
) -> None:
    """Note what steps that ran in one kernel have left."""
    record: dict[str, Any] = {
        "step": steps[0],
        "created_at": created_at,
        "chain": [{"step": step} for step in steps],
        "state": State(parts).to_json(),
    }
    cache.note(path.absolute(), record)


def test_values_that_share_something_have_one_size(tmp_path: Path, store: Store) -> None:
    """Only what leaves a step is told, as it was last, also of steps that ran in one kernel."""
    path = tmp_path / "sizes.ipynb"
    steps = {"load": "rows = [1]\nview = rows\nown = 1", "add": "word = 'a'"}
    steps["use"] = "print(rows, view, word)"
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": [f"step:{name}"]})
        for name, source in steps.items()
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    pipeline = plan(path)
    assert measure_crossings(pipeline, store) == {}  # nothing has run
    cache = StepCache(store)
    rows = Component(("own", "rows", "view"), "d", 40_000, inline=b"x")
    note(cache, path, "2026-11-22T10:00:00+00:00", ["load"], rows)
    assert measure_crossings(pipeline, store) == {"load": (Crossing(("rows", "view"), 40_000),)}
    word = Component(("word",), "e", 7)
    note(cache, path, "2026-11-22T11:00:00+00:00", ["load", "add"], word)
    assert measure_crossings(pipeline, store) == {"load": (), "add": (Crossing(("word",), 7),)}
    # What is damaged is told as if it had never run.
    next((cache.folder / "latest").iterdir()).write_bytes(b"{}")
    assert measure_crossings(pipeline, store) == {}

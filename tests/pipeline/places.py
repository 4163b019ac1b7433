"""A place to run pipelines in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlops_nb.config import Settings, load_settings
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import Progress, run
from mlops_nb.records import PipelineResult
from mlops_nb.store import Store


class Place:
    """A folder with a notebook, a store, and what was told while it ran."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.told: list[Progress] = []
        self.out = folder / "out"

    def write(self, *cells: tuple[str, ...], metadata: dict[str, Any] | None = None) -> Path:
        """Write a notebook of code cells, each given as source and tags."""
        built = [new_code_cell(source, tags) for source, *tags in cells]
        return write_notebook(new_notebook(built, metadata), self.folder / "work" / "nb.ipynb")

    def read_settings(self) -> Settings:
        """Give the settings of this place."""
        return load_settings(self.folder)

    def run(self, path: Path, **options: Any) -> PipelineResult:
        """Run a notebook."""
        return run(
            path,
            out_dir=self.out,
            store=self.store,
            settings=self.read_settings(),
            on_progress=self.told.append,
            **options,
        )

    def read_printed(self) -> list[str]:
        """Give what the notebook's own cells printed, step by step."""
        return ["".join(read_output(path)) for path in sorted(self.out.glob("*.ipynb"))]


def read_output(path: Path) -> list[str]:
    """Give what the notebook's own cells of one executed step printed."""
    document = json.loads(path.read_text(encoding="utf-8"))
    found = []
    for cell in document["cells"]:
        if cell["metadata"].get("mlops", {}).get("kind", "cell") == "cell":
            found += ["".join(o.get("text", "")) for o in cell.get("outputs", [])]
    return found

"""The code of a run as it ran: what was executed up to and with it, not what a file says today."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlops_nb.errors import NotFoundError, RunNotFoundError
from mlops_nb.notebook.document import new_code_cell, new_notebook
from mlops_nb.records import CellRecord, RunRecord
from mlops_nb.store import Store

CodeKind = Literal["cells", "script", "pipeline", "notebook"]
# Longer sources are cut when they are recorded.
_LONGEST_SOURCE = 200_000
_HINT = (
    "Code is kept of notebooks that load the extension, of pipelines, and of scripts that import "
    "mlops_nb.autolog.on."
)


@dataclass(frozen=True, slots=True)
class RunCode:
    """The code that a run came from.

    Attributes
    ----------
    kind
        ``cells`` as a kernel executed them, a ``script``, a ``pipeline`` with its tags, or a
        ``notebook`` that papermill executed.
    run
        The run that has the code: of a step's run its pipeline's.
    cells
        Code cells as a notebook has them, those that failed tagged ``raises-exception``; their
        ``metadata.mlops.ran`` is their place in the session.
    source
        Of a script, else empty.
    missing
        What was executed and is not among it, in words.
    """

    kind: CodeKind
    run: RunRecord
    cells: tuple[dict[str, Any], ...] = ()
    source: str = ""
    missing: tuple[str, ...] = ()

    def to_notebook(self) -> dict[str, Any]:
        """Give it as a notebook document that runs from top to bottom."""
        return new_notebook(self.cells)


def read_run_code(store: Store, run: RunRecord) -> RunCode:
    """Read the code of a run.

    Parameters
    ----------
    store
        Has the run.
    run
        With its cells.

    Returns
    -------
    RunCode
        As it was executed.

    Raises
    ------
    NotFoundError
        None was kept.
    CorruptObjectError
        The stored notebook is not the one that was written.
    """
    kind = run.tags.get("mlops.kind")
    if kind == "pipeline":
        return _read_pipeline(store, run)
    if kind == "papermill":
        return _read_executed(store, run)
    parent = _find_pipeline(store, run)
    if parent is not None:
        return _read_pipeline(store, parent)
    if not run.cells:
        raise NotFoundError("recorded code of run", run.name, (), _HINT)
    if (run.notebook or "").endswith(".py"):
        return RunCode("script", run, source=run.cells[0].source, missing=_find_cut(run.cells))
    own = _take_session(run.cells)
    missing = list(_find_cut(own))
    earlier = (own[0].execution_count or 1) - 1
    if earlier > 0:
        missing.insert(0, f"{earlier} executions before the extension was loaded")
    if len(own) < len(run.cells):
        missing.append("cells of another kernel, which added to the run")
    return RunCode("cells", run, tuple(map(_make_cell, own)), missing=tuple(missing))


def _find_pipeline(store: Store, run: RunRecord) -> RunRecord | None:
    """Find the pipeline that a run is of; its own kernel has run a part of the code only."""
    parent_id = run.parent_run_id
    for _ in range(8):  # runs within runs
        if parent_id is None:
            return None
        try:
            parent = store.read_run(parent_id, with_cells=False)
        except RunNotFoundError:
            return None
        if parent.tags.get("mlops.kind") == "pipeline":
            return parent
        parent_id = parent.parent_run_id
    return None


def _take_session(cells: Sequence[CellRecord]) -> list[CellRecord]:
    """Take the cells of the session that began the run; those of others come behind."""
    own: list[CellRecord] = []
    for cell in cells:
        if own and cell.index <= own[-1].index:
            break
        own.append(cell)
    return own


def _find_cut(cells: Iterable[CellRecord]) -> tuple[str, ...]:
    cut = [cell.index for cell in cells if len(cell.source) >= _LONGEST_SOURCE]
    return tuple(f"the end of cell {index}, which is too long to be recorded" for index in cut)


def _make_cell(cell: CellRecord) -> dict[str, Any]:
    has_failed = cell.status in ("error", "interrupted")
    own = {"ran": cell.index, "status": cell.status}
    tags = ["raises-exception"] if has_failed else []
    return new_code_cell(cell.source, tags, {"mlops": own})


def _read_notebooks(store: Store, run: RunRecord, folder: str) -> list[dict[str, Any]]:
    named = sorted(run.artifacts, key=lambda artifact: artifact.path)
    return [
        json.loads(store.objects.read_bytes(each.digest))
        for each in named
        if each.path.startswith(folder) and each.path.endswith(".ipynb")
    ]


def _read_pipeline(store: Store, run: RunRecord) -> RunCode:
    """Put the notebook of a pipeline together from what its steps have executed."""
    found: dict[int, dict[str, Any]] = {}
    for document in _read_notebooks(store, run, "steps/"):
        for cell in document["cells"]:
            metadata = cell.get("metadata", {})
            own = metadata.get("mlops", {})
            index = own.get("index")
            if own.get("kind") != "cell" or index is None or cell["cell_type"] != "code":
                continue
            tags = [tag for tag in metadata.get("tags", []) if not tag.startswith("mlops-")]
            source = "".join(cell["source"])
            found.setdefault(index, new_code_cell(source, tags, {"mlops": {"ran": index}}))
    if not found:
        hint = "It has kept no executed step; a run that failed in its first cells has none."
        raise NotFoundError("recorded code of run", run.name, (), hint)
    cells = tuple(found[index] for index in sorted(found))
    return RunCode("pipeline", run, cells)


def _read_executed(store: Store, run: RunRecord) -> RunCode:
    """Take the cells of a notebook that papermill has executed, injected parameters among them."""
    documents = _read_notebooks(store, run, "")
    if not documents:
        raise NotFoundError("recorded code of run", run.name, (), "It has kept no notebook.")
    sources = [
        "".join(cell["source"]) for cell in documents[0]["cells"] if cell["cell_type"] == "code"
    ]
    cells = [new_code_cell(source, (), {"mlops": {"ran": at}}) for at, source in enumerate(sources)]
    return RunCode("notebook", run, tuple(cells))

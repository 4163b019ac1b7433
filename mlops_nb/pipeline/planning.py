"""Keeps the plan of a notebook, so that one that is as it was need not be analysed again.

A plan follows from the notebook, this package, IPython and Python alone. It is kept under a digest
of all of these, signed by the store; whatever is missing, damaged or foreign is made again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import importlib.util
import io
import json
import os
import pickle
import secrets
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops_nb.config import read_version
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.forkserver_imports import find_preload
from mlops_nb.pipeline.graph import Pipeline, plan_document
from mlops_nb.pipeline.keys import StepSource, read_sources
from mlops_nb.pipeline.sealing import read_key

_MOST_PLANS = 64
_MAC_BYTES = 32
_OUTCOME = frozenset(["outputs", "execution_count"])


@dataclass(frozen=True, slots=True)
class Planned:
    """All that is known of a notebook before anything runs.

    Attributes
    ----------
    sources
        What is known of each step.
    preload
        Modules that a kernel may find imported.
    key
        Under which it is kept.
    is_kept
        It was found there.
    """

    pipeline: Pipeline
    sources: tuple[StepSource, ...]
    preload: tuple[str, ...]
    key: str = ""
    is_kept: bool = False


def read_plan(path: Path, root: Path) -> Planned:
    """Plan a notebook, or take the plan that was made of the same one before.

    Parameters
    ----------
    path
        The notebook.
    root
        Folder of the store, which need not be there.

    Returns
    -------
    Planned
        Equal, wherever it comes from.

    Raises
    ------
    NotebookError, PipelineError
        As `graph.plan`.
    """
    document = NotebookDocument.load(path)
    key = _make_key(document)
    found = _read(root, key, document)
    if found is not None:
        return found
    pipeline = plan_document(document)
    preload = find_preload(cell.source for cell in document.code_cells)
    return Planned(pipeline, read_sources(pipeline), preload, key)


def keep_plan(planned: Planned, root: Path) -> None:
    """Keep a plan for the next run; nothing happens where that cannot be done.

    Parameters
    ----------
    planned
        From `read_plan`.
    root
        Folder of the store.
    """
    if planned.is_kept:
        return
    with contextlib.suppress(OSError, pickle.PicklingError, TypeError):
        data = _dump(planned)
        folder = _find_folder(root)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{os.getpid()}.{secrets.token_hex(4)}"
        temporary.write_bytes(hmac.digest(read_key(root), data, hashlib.sha256) + data)
        temporary.replace(folder / planned.key)
        known = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in known[_MOST_PLANS:]:
            file.unlink(missing_ok=True)


def _find_folder(root: Path) -> Path:
    return root / "steps" / "plans"


def _make_key(document: NotebookDocument) -> str:
    cells = [{k: v for k, v in cell.node.items() if k not in _OUTCOME} for cell in document.cells]
    return digest_text(
        *_describe_makers(),
        str(document.path),
        json.dumps([cells, document.metadata], default=repr),
    )


@functools.lru_cache(maxsize=1)
def _describe_makers() -> tuple[str, ...]:
    """Name everything that has a part in a plan beside the notebook."""
    here = Path(__file__).parent
    folders = [here, here.parent / "notebook"]
    found = [read_version(), sys.version]
    for folder in folders:  # a checkout has the same version after an edit
        with os.scandir(folder) as entries:
            sources = {one.name: one.path for one in entries if one.name.endswith(".py")}
        found += [f"{name} {_read_stamp(path)}" for name, path in sorted(sources.items())]
    shell = importlib.util.find_spec("IPython")  # its rules turn magics into Python
    if shell is not None and shell.origin is not None:
        release = Path(shell.origin).with_name("core") / "release.py"
        found.append(f"{release} {_read_stamp(str(release))}")
    return tuple(found)


def _read_stamp(path: str) -> str:
    try:
        found = os.stat(path)  # noqa: PTH116 - a hundred and more
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


class _Pickler(pickle.Pickler):
    """Leaves out what the notebook itself has."""

    def __init__(self, file: io.BytesIO, document: NotebookDocument) -> None:
        super().__init__(file, protocol=5)
        self.document = document

    def persistent_id(self, obj: Any) -> int | None:
        if obj is self.document:
            return -1
        if type(obj) is Cell and self.document.cells[obj.index] is obj:
            return obj.index
        return None


class _Unpickler(pickle.Unpickler):
    """Puts in what the notebook itself has."""

    def __init__(self, file: io.BytesIO, document: NotebookDocument) -> None:
        super().__init__(file)
        self.document = document

    def persistent_load(self, pid: int) -> NotebookDocument | Cell:
        return self.document if pid == -1 else self.document.cells[pid]


def _dump(planned: Planned) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, planned.pipeline.document).dump(planned)
    return buffer.getvalue()


def _read(root: Path, key: str, document: NotebookDocument) -> Planned | None:
    try:
        content = (_find_folder(root) / key).read_bytes()
    except OSError:
        return None
    signature, data = content[:_MAC_BYTES], content[_MAC_BYTES:]
    if not hmac.compare_digest(hmac.digest(read_key(root), data, hashlib.sha256), signature):
        return None
    try:
        found = _Unpickler(io.BytesIO(data), document).load()
    except Exception:  # noqa: BLE001 - whatever it is, the plan is made again
        return None
    return replace(found, is_kept=True) if isinstance(found, Planned) else None

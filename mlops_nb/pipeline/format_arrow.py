"""Frames and series of pandas as files of Arrow IPC, whose columns are the memory of the frame."""

from __future__ import annotations

import importlib
from typing import Any

from mlops_nb.pipeline.arrow_columns import Column, UnknownColumnError, list_columns, list_index
from mlops_nb.pipeline.contentfile import ContentFile
from mlops_nb.pipeline.formats import Place, Plan
from mlops_nb.pipeline.sealing import INLINE_BYTES

_MOST_COLUMNS = 1000


class _Recorder:
    """Passes on what Arrow writes, and notes from which memory it was."""

    closed = False

    def __init__(self, file: ContentFile) -> None:
        self._file = file
        self.places: list[Place] = []

    def write(self, data: Any) -> int:
        """Take bytes."""
        address = getattr(data, "address", None)
        if address is not None and data.size:
            self.places.append((address, data.size, self._file.size_bytes))
        return self._file.write(data)

    def flush(self) -> None:
        """Do nothing: the file is read only when it is whole."""


def plan_frame(frame: Any) -> Plan | None:
    """Plan how a frame or series is written.

    Parameters
    ----------
    frame
        Exactly a `pandas.DataFrame` or `pandas.Series`.

    Returns
    -------
    Plan or None
        None where Arrow cannot hold each of its columns just as it is in memory.
    """
    blocks = frame._mgr.blocks  # noqa: SLF001 - pandas offers no other way to its memory
    width = frame.shape[1] if frame.ndim == 2 else 1
    if sum(block.values.nbytes for block in blocks) <= INLINE_BYTES or width > _MOST_COLUMNS:
        return None
    try:
        columns = [*list_columns(frame, blocks), *list_index(frame.index)]
    except UnknownColumnError:
        return None
    memory = tuple(piece for column in columns for piece in column.memory)

    def write(file: ContentFile) -> list[Place]:
        return _write(file, columns)

    return Plan("arrow", memory, write)


def _write(file: ContentFile, columns: list[Column]) -> list[Place]:
    pyarrow = importlib.import_module("pyarrow")
    ipc = importlib.import_module("pyarrow.ipc")
    names = [column.name for column in columns]
    batch = pyarrow.RecordBatch.from_arrays([column.array for column in columns], names)
    recorder = _Recorder(file)
    with ipc.new_file(pyarrow.PythonFile(recorder, "w"), batch.schema) as writer:
        writer.write_batch(batch)
    return recorder.places

"""Checkpoints that the user saves, linked to the run of the model in them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from mlops_nb.autolog.frames import get_caller, hide_frame, read_locals
from mlops_nb.autolog.guard import Guard
from mlops_nb.tracking import Run

KEEP_BYTES = 64 << 20
_DEEPEST = 3
_MOST_PARTS = 2000


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that was written: where, when, and what of."""

    path: Path
    run: Run
    at: float
    note: str


class _Writing:
    """The library's own context around writing a file, with ours behind it."""

    __slots__ = ("_inner", "_owner", "_target")

    def __init__(self, inner: Any, owner: Checkpoints, target: Any) -> None:
        self._inner, self._owner, self._target = inner, owner, target

    def __enter__(self) -> Any:
        try:
            return self._inner.__enter__()
        except BaseException as error:
            _leave_out_ours(error)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        try:
            answer = self._inner.__exit__(kind, error, traceback)
        except BaseException as raised:
            _leave_out_ours(raised)
            raise
        if kind is None:
            # The frame is asked for now: kept, it would keep what is saved alive.
            self._owner.guard.call(self._owner.note_call, self._target, get_caller())
        return answer


def _leave_out_ours(error: BaseException) -> None:
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


class Checkpoints:
    """Notes files as they are saved, and keeps them when the cell is over.

    Parameters
    ----------
    guard
        Stops the recorder when it fails.
    find_run
        Given what is saved, gives the run it belongs to and a note on when; None where to none.
    """

    def __init__(self, guard: Guard, find_run: Callable[[Any], tuple[Run, str] | None]) -> None:
        self.guard, self._find_run = guard, find_run
        self._saved: dict[str, Saved] = {}

    def note_call(self, target: Any, frame: FrameType) -> None:
        """Note the file that a call of ``torch.save`` has written."""
        if frame.f_code.co_name == "save":
            self.note(target, read_locals(frame).get("obj"))

    def note(self, target: Any, content: Any) -> None:
        """Note that a file was written.

        Parameters
        ----------
        target
            Path as the user gave it; buffers are passed over.
        content
            What was saved; only looked at now.
        """
        if not isinstance(target, (str, os.PathLike)):
            return
        found = self._find_run(content)
        if found is not None:
            path = Path(os.fspath(target)).absolute()
            self._saved[str(path)] = Saved(path, found[0], time.time(), found[1])

    def take(self) -> list[Saved]:
        """Give what was saved since the last time, each file once."""
        saved, self._saved = self._saved, {}
        return list(saved.values())


def keep(saved: Saved) -> None:
    """Name a checkpoint in its run, and keep its bytes where they are not many.

    Parameters
    ----------
    saved
        The file; what lies there now counts, unless it was written again by someone else since.
    """
    try:
        facts = saved.path.stat()
    except OSError:
        return  # deleted again by the user
    tag = f"{saved.path}, {facts.st_size} bytes, {saved.note}"
    saved.run.set_tag(f"checkpoint.{saved.path.name}", tag)
    if facts.st_size <= KEEP_BYTES and saved.path.is_file():
        saved.run.log_artifact(saved.path, f"checkpoints/{saved.path.name}")


def list_tensors(value: Any, depth: int = 0) -> Iterator[Any]:
    """Give tensors and modules inside what is saved: a module, or dicts and lists of tensors."""
    torch = sys.modules["torch"]
    if issubclass(type(value), (torch.Tensor, torch.nn.Module)):
        yield value
    elif depth < _DEEPEST and issubclass(type(value), (dict, list, tuple)):
        parts = dict.values(value) if issubclass(type(value), dict) else value
        for count, part in enumerate(parts):
            if count >= _MOST_PARTS:
                return
            yield from list_tensors(part, depth + 1)


def wrap_opener(original: Any, checkpoints: Checkpoints) -> Any:
    """Wrap what ``torch.save`` opens its file with.

    Parameters
    ----------
    original
        ``torch.serialization._open_zipfile_writer``.
    checkpoints
        Told of each file.

    Returns
    -------
    callable
        Opens the same file in the same way.
    """

    def _open_zipfile_writer(name_or_buffer: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            inner = original(name_or_buffer, *args, **kwargs)
        except BaseException as error:
            _leave_out_ours(error)
            raise
        if checkpoints.guard.is_stopped:
            return inner
        return _Writing(inner, checkpoints, name_or_buffer)

    return hide_frame(_open_zipfile_writer)

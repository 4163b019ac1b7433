"""The live run: what is logged while it is open."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.store import RunLog, Store
from mlops_nb.tracking import active
from mlops_nb.tracking.artifacts import check_artifact_name, describe_artifact, keep_files
from mlops_nb.tracking.deferring import Deferrable
from mlops_nb.tracking.values import check_key, read_metric, read_params, read_step, read_tag

if TYPE_CHECKING:
    from mlops_nb.records import DatasetRecord, RunStatus

_END_WORDS: dict[str, RunStatus] = {
    "finished": "finished",
    "failed": "failed",
    "interrupted": "interrupted",
    "killed": "interrupted",  # MLflow's word
}


class Run(Deferrable):
    """A run that is being recorded; a context manager.

    Parameters
    ----------
    log
        Where it is written; None records nothing, so that a notebook keeps working without a store.
    name
        What people call it.
    experiment
        What it belongs to.
    store
        Keeps its artifacts.
    parent_run_id
        The run it was started in.

    Attributes
    ----------
    run_id : str
        Its name in the store.

    Notes
    -----
    No method raises because the disk is full or the store is gone: the first failure is told in one
    line and the run records nothing from then on. Wrong values do raise, and write nothing.
    """

    def __init__(
        self,
        log: RunLog | None,
        name: str,
        experiment: str,
        store: Store | None,
        parent_run_id: str | None = None,
    ) -> None:
        self._log, self._store = log, store
        self.run_id: str = log.run_id if log else ""
        self.name, self.experiment, self.parent_run_id = name, experiment, parent_run_id
        self.started_at = time.time()
        self.status: RunStatus = "running"
        self.is_entered = False
        self.home: tuple[threading.Thread, weakref.ref[Any] | None] | None = None
        self._steps: dict[str, int] = {}
        self._pid = os.getpid()

    def __repr__(self) -> str:
        """Give name, id and status."""
        return f"<Run {self.name!r} {self.run_id} {self.status}>"

    # ------------------------------------------------------------------ writing
    def _fail(self, error: OSError) -> None:
        self._log = None
        reason = error.strerror or str(error)
        line = f"mlops_nb: run {self.name!r} is no longer recorded: {reason}."
        print(line, file=sys.stderr)  # noqa: T201 - one line to the person, where warnings go

    def _rest(self) -> None:
        # An ended run holds no files; what still follows opens them for a moment.
        if self.status != "running" and self._log is not None:
            self._log.close()

    def _append(self, event: Mapping[str, Any]) -> None:
        log = self._log
        if log is not None:
            try:
                log.append(event)
                if self.status != "running":
                    log.close_events()  # any thread may; the rest is the ending thread's
            except OSError as error:
                self._fail(error)

    def log_metric(self, key: str, value: Any, step: int | None = None) -> None:
        """Log one value of a metric.

        Parameters
        ----------
        key
            Name of the metric.
        value
            Any real scalar; NaN and infinities are kept.
        step
            Training step; one more than the metric's last by default, beginning at 0.

        Raises
        ------
        InvalidValueError
            The key, value or step is not of that form; nothing is written.
        """
        last = self._steps.get(key)
        if last is None or type(value) is not float or (step is not None and type(step) is not int):
            self.log_metrics({key: value}, step)
            return
        # The way of a training loop: a known metric, a plain float, a plain step.
        if step is None:
            step = last + 1
        elif not -(2**63) <= step < 2**63:
            step = read_step(step)
        if self._log is not None:
            try:
                self._log.log_metric(key, value, step)
                if self.status != "running":
                    self._rest()
            except OSError as error:
                self._fail(error)
        self._steps[key] = step

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log values of several metrics for one step.

        Parameters
        ----------
        metrics
            Names and values.
        step
            Training step; one more than the last of any of these metrics by default.

        Raises
        ------
        InvalidValueError
            A key, value or the step has the wrong form; nothing is written.
        """
        steps = self._steps
        values: dict[str, Any] = dict(metrics)
        for key, value in values.items():
            if type(value) is not float or key not in steps:
                values = {
                    key if key in steps else check_key("metric", key): (
                        value if type(value) is float else read_metric(key, value)
                    )
                    for key, value in values.items()
                }
                break
        if step is None:
            step = 1 + max([steps.get(key, -1) for key in values], default=-1)
        elif type(step) is not int or not -(2**63) <= step < 2**63:
            step = read_step(step)
        if self._log is not None:
            try:
                self._log.log_metrics(values, step)
                if self.status != "running":
                    self._rest()
            except OSError as error:
                self._fail(error)
        for key in values:
            steps[key] = step

    def log_points(self, key: str, points: Sequence[tuple[int, float, int]]) -> None:
        """Log values of one metric that were gathered: step, plain float, time in ns of each."""
        name = check_key("metric", key)
        if self._log is not None and points:
            try:
                self._log.log_points(name, points)
                self._rest()
            except OSError as error:
                self._fail(error)
            self._steps[name] = points[-1][0]

    def log_param(self, key: str, value: Any) -> None:
        """Log one parameter; see `log_params`."""
        self.log_params({key: value})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; a name that was logged before takes the new value.

        Parameters
        ----------
        params
            Names and values. JSON types keep their type, others are kept as their ``repr``.

        Raises
        ------
        InvalidValueError
            A name is empty, too long or not printable; nothing is written.
        """
        if params:
            self._append({"type": "params", "params": read_params(params)})

    def set_tag(self, key: str, value: Any) -> None:
        """Set one tag; see `set_tags`."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags; a tag that was set before takes the new value.

        Parameters
        ----------
        tags
            Names and values; values become text, and None takes a tag away.

        Raises
        ------
        InvalidValueError
            A name is empty, too long or not printable; nothing is written.
        """
        if tags:
            read = {check_key("tag", key): read_tag(value) for key, value in tags.items()}
            self._append({"type": "tags", "tags": read})

    def rename(self, name: str) -> None:
        """Give the run another name."""
        self.name = check_key("run", name)
        self._append({"type": "name", "name": name})

    def log_artifact(self, path: str | Path, name: str | None = None) -> str:
        """Keep a file, or all files of a folder.

        Parameters
        ----------
        path
            The file or folder; it is copied.
        name
            Name within the run; the file's own by default.

        Returns
        -------
        str
            Digest of the file; of a folder, the name its files stand under.

        Raises
        ------
        NotFoundError
            There is no such file.
        InvalidValueError
            The name leads out of the run.
        """
        source = Path(path)
        target = check_artifact_name(source.name if name is None else name)
        if source.is_dir():
            members = [member for member in sorted(source.rglob("*")) if member.is_file()]
            names = [f"{target}/{member.relative_to(source).as_posix()}" for member in members]
            self._keep_all([check_artifact_name(name) for name in names], members)
            return target
        if not source.is_file():
            known = [entry.name for entry in source.parent.glob("*")]
            raise NotFoundError(
                "file", str(source), known, f"Looked in {source.parent.absolute()}."
            )
        return self._keep(target, source, None)

    def log_bytes(self, data: bytes, path: str, media_type: str | None = None) -> str:
        """Keep bytes as an artifact.

        Parameters
        ----------
        data
            The artifact.
        path
            Name within the run, folders divided by ``/``.
        media_type
            By the name's ending where not given.

        Returns
        -------
        str
            Digest of the bytes; empty when nothing is recorded.
        """
        return self._keep(check_artifact_name(path), data, media_type)

    def _keep(self, name: str, content: bytes | Path, media_type: str | None) -> str:
        """Keep bytes, or a file of any size, under a name that was checked."""
        if self._store is None or self._log is None:
            return ""
        objects = self._store.objects
        if isinstance(content, Path):
            # A file that its owner may not read is no fault of the store.
            content.open("rb").close()
        try:
            if isinstance(content, Path):
                digest, size_bytes = objects.put_file(content)
            else:
                digest, size_bytes = objects.put_bytes(content), len(content)
        except OSError as error:
            self._fail(error)
            return ""
        self._append(describe_artifact(name, digest, size_bytes, media_type))
        return digest

    def _keep_all(self, names: list[str], files: list[Path]) -> None:
        if self._store is None or self._log is None:
            return
        for file in files:
            file.open("rb").close()  # as for one file
        try:
            events = keep_files(self._store.objects, names, files)
        except OSError as error:
            self._fail(error)
            return
        for event in events:
            self._append(event)

    def log_dataset(self, dataset: DatasetRecord) -> None:
        """Name data that the run used; the same data, role and name are kept once."""
        self._append({"type": "dataset", "dataset": dataset.to_json()})

    def log_environment(self, digest: str) -> None:
        """Name the environment document of the run."""
        self._append({"type": "environment", "digest": digest})

    def log_code(self, digest: str) -> None:
        """Name the code document of the run."""
        self._append({"type": "code", "digest": digest})

    def log_cell(self, index: int, session_id: str | None) -> None:
        """Name a cell, by its session, in which the run was recorded."""
        self._append({"type": "cell", "index": index, "session_id": session_id})

    # ------------------------------------------------------------------ life
    @property
    def is_open(self) -> bool:
        """Whether the run has not ended."""
        return self.status == "running"

    def end(self, status: RunStatus = "finished", at: float | None = None) -> None:
        """End the run; values of the same process may still follow. A second end is ignored.

        Parameters
        ----------
        status
            ``finished``, ``failed`` or ``interrupted``. MLflow's upper-case words are taken too.
        at
            When it ended, in seconds since the epoch; now by default.

        Raises
        ------
        InvalidValueError
            The status is none of these.
        """
        word = _END_WORDS.get(str(status).lower())
        if word is None:
            raise InvalidValueError("status", status, "finished, failed or interrupted")
        if not self.is_open or self._pid != os.getpid():
            return  # a forked child must not end its parent's run
        self.status = word
        if self._log is not None:
            try:
                self._log.end(self.status, at)
                self._rest()
            except OSError as error:
                self._fail(error)
        active.discard(self)

    def __enter__(self) -> Self:
        """Make the run the active one of this task or thread."""
        self.is_entered = True
        active.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the run: failed by an exception, interrupted by the person."""
        active.leave(self)
        if kind is None or issubclass(kind, GeneratorExit):
            self.end()
        elif kind.__name__ in ("KeyboardInterrupt", "CancelledError"):
            self.end("interrupted")
        elif issubclass(kind, SystemExit) and not getattr(error, "code", None):
            self.end()
        else:
            self.set_tag("mlops.error", f"{kind.__name__}: {error}"[:1000])
            self.end("failed")

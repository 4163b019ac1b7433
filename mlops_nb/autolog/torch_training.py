"""Which steps belong together, and the run of each training: opened, described, closed."""

from __future__ import annotations

import sys
import time
import weakref
from types import FrameType
from typing import Any

from mlops_nb.autolog.assigned import AssignedMetrics, read_later_cell
from mlops_nb.autolog.frames import BUSY, is_timed
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.snapshots import SnapshotQueue, refresh_environment
from mlops_nb.autolog.torch_data import log_loader
from mlops_nb.autolog.torch_loaders import find_loader, find_pass
from mlops_nb.autolog.torch_loop import Loop, Track
from mlops_nb.autolog.torch_model import (
    Found,
    describe_model,
    describe_optimizer,
    describe_scheduler,
    unwrap,
)
from mlops_nb.autolog.torch_sites import (
    StepSite,
    find_step_site,
    find_turn_site,
    find_user_frame,
    list_user_frames,
)
from mlops_nb.autolog.torch_steps import Steps
from mlops_nb.autolog.torch_whole import log_whole
from mlops_nb.capture.seeds import capture_seeds
from mlops_nb.tracking import Run, Session, active_run, link_object


class Trainings:
    """Opens a run with the first step of a loop and closes it with its cell.

    Parameters
    ----------
    session
        Keeps the runs.
    guard
        Stops the recorder when it fails.

    Attributes
    ----------
    steps : Steps
        What the hooks call.
    data : SnapshotQueue or None
        Keeps data and checkpoints, after the cell.
    models : dict
        Modules that were trained in this session, weakly, by the id of the run.
    """

    def __init__(self, session: Session, guard: Guard) -> None:
        self._session, self._guard = session, guard
        self.steps = Steps(session, guard, self.begin, self.look_at_metrics)
        self.data = SnapshotQueue(session.store) if session.store is not None else None
        self.models: list[tuple[weakref.ref[Any], Run]] = []
        self.loops: list[Loop] = []
        self.assigned = AssignedMetrics()
        self._hosts: weakref.WeakSet[Run] = weakref.WeakSet()
        self._has_environment = False
        self._taken: frozenset[str] = frozenset()

    # ------------------------------------------------------------------ the first step
    def begin(self, optimizer: Any, frame: FrameType) -> Track:
        """Find the loop that an optimizer belongs to, or open one.

        Parameters
        ----------
        optimizer
            It has just made its first step in this cell.
        frame
            That called its ``step``.

        Returns
        -------
        Track
            Without a loop where its steps are not recorded: within a fit that is recorded, under
            ``%timeit``.
        """
        tracks, key = self.steps.tracks, id(optimizer)

        def forget(gone: weakref.ref[Any]) -> None:
            known = tracks.get(key)
            if known is not None and known.optimizer is gone:
                del tracks[key]

        track = Track(weakref.ref(optimizer, forget), None)
        tracks[key] = track
        user = find_user_frame(frame)
        if user is None or BUSY.value or is_timed(user):
            return track
        frames = list_user_frames(user)
        track.site, track.turn = find_step_site(user), find_turn_site(frames)
        local = self.steps.local
        loop: Loop | None = local.loop
        if loop is not None and not self._continues(loop, track.turn):
            loop.close_early()
            self.loops.remove(loop)
            loop = None
        found = Found(frames, optimizer)
        if loop is None:
            loop = local.loop = self._open(found, optimizer)
        track.loop, track.name = loop, self._make_name(loop, found.name)
        loop.tracks.append(track)
        self._describe(loop, track, found, optimizer)
        if len(loop.tracks) == 1 and "dataset" not in loop.params:
            log_whole(frames, loop.run, self.data)
        self.assigned.begin(frames, is_new=len(loop.tracks) == 1)
        return track

    def _continues(self, loop: Loop, turn: StepSite) -> bool:
        """Tell whether another optimizer's first step goes on with a loop."""
        if any(track.optimizer() is None for track in loop.tracks):
            return False  # that training is over: its optimizer is gone
        if not self.steps.local.losses:
            return True  # one loss, and several optimizers go by it
        if any(track.turn is not None and turn.shares_loop(track.turn) for track in loop.tracks):
            return True
        return all(track.steps <= 1 for track in loop.tracks)

    def _make_name(self, loop: Loop, name: str) -> str:
        names = {track.name for track in loop.tracks}
        number = 2
        unique = name
        while unique in names:
            unique, number = f"{name}{number}", number + 1
        return unique

    def _open(self, found: Found, optimizer: Any) -> Loop:
        trained = unwrap(found.models[0][1]) if found.models else optimizer
        name = type(trained).__name__
        above = active_run()
        is_owned = above is None or above in self._hosts
        if above is None or is_owned:
            tags: dict[str, object] = {
                "mlops.source": "autolog",
                "library": f"torch {sys.modules['torch'].__version__}",
                "method": "training loop",
            }
            run = self._session.start_run(name, tags=tags, is_active=False)
        else:
            run = above
            self._hosts.add(run)
            self._session.touch(run)
        loop = Loop(run, self._session, is_owned=is_owned)
        self.loops.append(loop)
        seeds = capture_seeds()
        known = ("random", "numpy", "torch")
        run.set_tags({f"seed.{name}": seeds[name] for name in known if seeds[name]})
        if self.data is not None and not self._has_environment:
            self._has_environment = True
            self.data.submit(lambda: refresh_environment(self._session))
        return loop

    # ------------------------------------------------------------------ what is trained
    def _describe(self, loop: Loop, track: Track, found: Found, optimizer: Any) -> None:
        track.settings, track.changed = describe_optimizer(optimizer)
        if found.scheduler is not None:
            for name, value in describe_scheduler(found.scheduler).items():
                track.settings[f".scheduler{name}"] = value
                track.changed.append(f".scheduler{name}")
        if found.scaler is not None and found.scaler.is_enabled():
            loop.params["amp"] = type(found.scaler).__qualname__
        for name, model in found.models:
            self._describe_model(loop, name, model)
        batches = find_pass(self.steps.local.passes)
        loader = None if batches is None else find_loader(batches[0])
        if loader is not None and "dataset" not in loop.params:
            loop.params |= log_loader(loader, loop.run, self.data)

    def _describe_model(self, loop: Loop, name: str, model: Any) -> None:
        inner = unwrap(model)
        for each in (model, inner):
            link_object(each, loop.run.run_id)
        self.models.append((weakref.ref(inner), loop.run))
        known = [run for each, run in self.models[:-1] if each() is inner]
        if loop.run in known or (known and inner is not model):
            return  # trained by several optimizers, or a wrapper of what has been described
        params, summary = describe_model(inner)
        title = type(inner).__name__
        is_first = "model" not in loop.params
        loop.title = title if is_first else f"{loop.title} + {title}"
        prefix = "model" if is_first else name
        params = {
            key if key == "device" else f"{prefix}{key}": value for key, value in params.items()
        }
        if inner is not model:
            params[f"{prefix}.wrapper"] = type(model).__name__
        loop.params |= params
        document = "model.txt" if is_first else f"{name}.txt"
        if self.data is not None:
            run, text = loop.run, summary.encode()
            self.data.submit(lambda: _log_text(run, text, document))

    # ------------------------------------------------------------------ later
    def look_at_metrics(self, track: Track, frame: FrameType) -> None:
        """Take what the user computed in the epoch that is over.

        Parameters
        ----------
        track
            An optimizer's.
        frame
            That calls its ``step`` for the first time in the next epoch.
        """
        loop = track.loop
        if loop is None:
            return
        if loop.epoch >= 0:
            frames = list_user_frames(find_user_frame(frame))
            found = self.assigned.read_epoch(frames, has_loader=loop.has_passes)
            self._log_assigned(loop, found, loop.epoch)

    def _log_assigned(self, loop: Loop, found: dict[str, float], epoch: int) -> None:
        for name, value in found.items():
            if name not in loop.series and name not in self._taken:
                loop.run.log_metric(name, value, step=max(epoch, 0))
                loop.results.setdefault(name, set()).add(max(epoch, 0))
                loop.note_best(name, value, epoch)

    def _log_result(self, loop: Loop) -> None:
        """Log what the cell computed after the last epoch; of several trainings the last one's."""
        loop.flush()
        found = self.assigned.read_cell()
        self._log_assigned(loop, found, loop.epoch)
        self._log_histories(loop, set(found))

    def _log_histories(self, loop: Loop, names: set[str]) -> None:
        """Log lists of results, a value an epoch, but for what was seen as it was computed."""
        for name, values in self.assigned.read_histories(loop.epochs_begun).items():
            if name in loop.series or name in self._taken or name in names:
                continue
            seen, epoch = loop.results.get(name, set()), loop.find_first(len(values))
            first, at = min(seen, default=epoch or 0), time.time_ns()
            points = [(step, each, at) for step, each in enumerate(values, first)]
            loop.run.log_points(name, [point for point in points if point[0] not in seen])
            # One of every batch, or of every tenth epoch, does not tell which epoch was best.
            for step, each, _ in points if epoch is not None else []:
                loop.note_best(name, each, step)

    def _log_later(self, namespace: dict[str, Any]) -> None:
        """Log results of a cell that trained nothing with the run of the model they speak of."""
        for name, (value, sources) in read_later_cell(namespace).items():
            runs = {run.run_id: run for run in map(self.find_run, sources) if run is not None}
            if len(runs) == 1 and name not in self._taken:
                (run,) = runs.values()
                run.log_metric(name, value)
                self._session.touch(run)

    def finish_cell(self, namespace: dict[str, Any] | None, taken: frozenset[str]) -> None:
        """Close the loops of the cell; those of a thread that goes on are left to it.

        Parameters
        ----------
        namespace
            The notebook's variables, where there is a notebook.
        taken
            Names of metrics that the cell has logged already.
        """
        self._taken = taken
        if not self.loops and namespace is not None and self.models:
            self._log_later(namespace)
        local = self.steps.local
        waiting, self.loops = self.loops, []
        for loop in waiting:
            if loop.thread is not local.thread and loop.thread.is_alive():
                self.loops.append(loop)
                continue
            if self._session.cell is not None:
                self._log_result(loop)
            loop.finish()
        local.loop = None
        local.losses.clear()
        tracks = self.steps.tracks
        for key, track in list(tracks.items()):
            if track.loop is None or track.loop not in self.loops:
                tracks.pop(key, None)
        self.steps.forget_last()
        if not self.loops:
            self.steps.sites.clear()
        self.assigned.end()
        self.models = [known for known in self.models if known[0]() is not None]
        if self.data is not None:
            self.data.release()

    def find_run(self, value: Any) -> Run | None:
        """Give the run that trained a model."""
        found: Run | None = None
        for reference, run in self.models:
            found = run if reference() is value else found
        return found

    def close(self) -> None:
        """Close what is open, and wait a bounded time for data in the background."""
        for loop in self.loops:
            loop.finish()
        self.loops.clear()
        self.finish_cell(None, frozenset())
        if self.data is not None:
            self.data.close()

    def abandon(self) -> None:
        """Record no more; runs that were left open by a failure of ours are ended."""
        self.steps.stop()
        for loop in self.loops:
            if loop.is_owned and not loop.is_adopted:
                loop.run.end()
        self.loops.clear()


def _log_text(run: Run, text: bytes, name: str) -> None:
    run.log_bytes(text, name, "text/plain")

"""One training loop as a run: what its steps gave is gathered, and written now and then."""

from __future__ import annotations

import math
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import Any

from mlops_nb.autolog.resultnames import is_held_out
from mlops_nb.autolog.torch_loaders import Pass, find_loader, read_size
from mlops_nb.autolog.torch_sites import LossSite, StepSite
from mlops_nb.autolog.torch_values import measure_norm, read_values, take
from mlops_nb.records import is_lower_better
from mlops_nb.tracking import Run, Session

FLUSH_NS = 500_000_000
DEVICE_FLUSH_NS = 2_000_000_000  # reading from a device waits for it: more seldom
MOST_GATHERED = 8192
_PLAIN_FACTS = (".parameters", ".trainable", ".samples", "device")

# What was gathered of one value: name of the series, optimizer, step, value, time, epoch.
Entry = tuple[str, "Track", int, Any, int, int]
Point = tuple[int, float, int]


@dataclass(eq=False, slots=True)
class Track:
    """One optimizer of a loop; holds nothing of the user's alive.

    Attributes
    ----------
    optimizer
        Weakly.
    loop
        None where its steps are not recorded.
    turn
        How its loop comes to ``step``, which a function may call.
    rates
        Learning rates as they were last seen, by group; None where they are tensors.
    due_ns, norm_ns
        When there is something to do next; when its gradients are to be looked at next.
    """

    optimizer: weakref.ref[Any]
    loop: Loop | None
    site: StepSite | None = None
    turn: StepSite | None = None
    name: str = ""
    steps: int = 0
    due_ns: int = 0
    norm_ns: int = 0
    rates: list[float | None] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    single: dict[LossSite, bool] = field(default_factory=dict)
    accumulated: dict[int, int] = field(default_factory=dict)

    def note_accumulated(self, count: int) -> None:
        """Note how many times ``backward`` was called at one place before this step."""
        self.accumulated[count] = self.accumulated.get(count, 0) + 1

    def find_accumulation(self) -> int:
        """Give how many gradients most steps went by; those that went by one are not noted."""
        usual = max(self.accumulated, key=self.accumulated.__getitem__, default=1)
        return usual if 2 * self.accumulated.get(usual, 0) > self.steps else 1

    def is_single(self, loss: LossSite) -> bool:
        """Tell whether this step follows each ``backward`` of a place in the source."""
        known = self.single.get(loss)
        if known is None:
            known = self.site is not None and self.site.follows_each(loss)
            self.single[loss] = known
        return known


@dataclass(eq=False)
class _Epoch:
    """One epoch: where it began, and what it had."""

    number: int
    begun_ns: int
    source: Pass | None
    batch_size: int | None
    most_samples: int | None
    ended_ns: int = 0
    batches: int = 0
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)


class Loop:
    """A training loop and its run.

    Parameters
    ----------
    run
        Where it is recorded.
    session
        Ends the run with its cell.
    is_owned
        Whether the run was opened for this loop; the user's own is left open.

    Attributes
    ----------
    most
        How much is gathered before it is written.
    params, title
        What is said of the training, and the name of its run.
    has_passes
        Whether its batches come from a loader.
    series
        Names of what its steps gave.
    results
        Epochs by the name of what the user computed in them.
    epochs_begun
        How many there were so far.
    """

    def __init__(self, run: Run, session: Session, *, is_owned: bool) -> None:
        self.run, self.is_owned = run, is_owned
        self.thread = threading.current_thread()
        self.tracks: list[Track] = []
        self.gathered: list[Entry] = []
        # Given to the cell at once: it ends with it, even should we fail meanwhile.
        is_main = self.thread is threading.main_thread()
        self.is_adopted = is_owned and is_main and session.cell is not None
        if self.is_adopted:
            session.adopt(run)
        self.begun_ns = self.before_ns = self.last_ns = time.time_ns()
        self._flush_ns = self.begun_ns + FLUSH_NS
        self.epoch = -1
        self.params: dict[str, Any] = {}
        self.title = ""
        self.most = MOST_GATHERED
        self.has_passes = False
        self.series: set[str] = set()
        self.results: dict[str, set[int]] = {}
        self._session = session
        self._epochs: list[_Epoch] = []
        self._steps_then, self._written_ns = 0, self.begun_ns
        self._is_introduced = False
        self._best: dict[str, tuple[float, int]] = {}
        self._owners: dict[str, Track] = {}
        self.epochs_begun = self._first_epoch = 0
        self._changed: list[str] = []

    # ------------------------------------------------------------------ epochs
    def begin_epoch(self, number: int, begun_ns: int, source: Pass | None = None) -> None:
        """Note that an epoch begins.

        Parameters
        ----------
        number
            Of the epoch, as the user counts.
        begun_ns
            When it began: before its first step.
        source
            The pass over a loader that feeds it.
        """
        self.end_epoch(self.before_ns)
        self.epoch = number
        if not self.epochs_begun:
            self._first_epoch = number
        self.epochs_begun += 1
        size, most = (None, None) if source is None else read_size(find_loader(source))
        self._epochs.append(_Epoch(number, begun_ns, source, size, most))

    def end_epoch(self, at_ns: int) -> None:
        """Note that the current epoch is over; its means are written with what was gathered."""
        if self._epochs and not self._epochs[-1].ended_ns:
            epoch = self._epochs[-1]
            epoch.ended_ns = at_ns
            epoch.batches = 0 if epoch.source is None else epoch.source.seen

    # ------------------------------------------------------------------ steps
    def attend(self, track: Track, optimizer: Any, now_ns: int) -> None:
        """Do what is due: sample the gradients, write what was gathered.

        Parameters
        ----------
        track
            The optimizer's.
        optimizer
            Whose parameters still have the gradients of the step just made.
        now_ns
            The time.
        """
        if now_ns >= track.norm_ns:
            started = time.perf_counter_ns()
            norm = measure_norm(optimizer)
            if norm is not None:
                self.gathered.append(("grad_norm", track, track.steps, norm, now_ns, self.epoch))
            for index, group in enumerate(optimizer.param_groups):
                if track.rates[index : index + 1] == [None]:
                    rate = take(group.get("lr"))
                    if rate is not None:
                        entry = (name_rate(index), track, track.steps, rate, now_ns, self.epoch)
                        self.gathered.append(entry)
            # At most a tenth of a percent of the time goes into it.
            track.norm_ns = now_ns + 1000 * (time.perf_counter_ns() - started)
        if now_ns >= self._flush_ns or len(self.gathered) >= self.most:
            self.flush()
        track.due_ns = min(track.norm_ns, self._flush_ns)

    def note_rates(self, track: Track, optimizer: Any, now_ns: int) -> None:
        """Gather the learning rates that have changed."""
        known = track.rates
        for index, group in enumerate(optimizer.param_groups):
            rate = group.get("lr")
            plain = float(rate) if type(rate) in {int, float} else None
            if index >= len(known):
                known.append(math.nan if plain is not None else None)
            if plain is not None and plain != known[index]:
                entry = (name_rate(index), track, track.steps or 1, plain, now_ns, self.epoch)
                self.gathered.append(entry)
            # The very object: a rate that is the same one next time is not looked at again.
            known[index] = rate if type(rate) is float else plain

    def flush(self) -> None:
        """Write what was gathered."""
        gathered, self.gathered = self.gathered, []
        now, has_waited = time.time_ns(), False
        self._introduce()
        if gathered:
            values, has_waited = read_values([entry[3] for entry in gathered])
            self._write(gathered, values)
        self._flush_ns = now + (DEVICE_FLUSH_NS if has_waited else FLUSH_NS)
        self._write_speed()
        self._write_epochs()

    def _introduce(self) -> None:
        """Say what is trained, once it is known how many optimizers there are."""
        if self._is_introduced or not self.tracks:
            return
        self._is_introduced = True
        is_alone = len(self.tracks) == 1
        self._changed = [name for name in self.params if not name.endswith(_PLAIN_FACTS)]
        params = dict(self.params)
        for track in self.tracks:
            prefix = "optimizer" if is_alone else track.name
            params |= {f"{prefix}{name}": value for name, value in track.settings.items()}
            self._changed += [f"{prefix}{name}" for name in track.changed]
        self.run.log_params(params)
        if self.is_owned:
            self.run.set_tag("params.changed", ", ".join(self._changed))
            if self.title and self.title != self.run.name:
                self.run.rename(self.title)

    def _name(self, series: str, track: Track) -> str:
        """Name a series; of several optimizers each has its own rates and norms."""
        if len(self.tracks) < 2:
            return series
        if series.startswith(("lr", "grad_norm")):
            return f"{series}/{track.name}"
        first = self._owners.setdefault(series, track)
        return series if first is track else f"{series}/{track.name}"

    def _write(self, gathered: list[Entry], values: list[float]) -> None:
        groups: dict[tuple[str, Track, int], list[Point]] = {}
        for (kind, track, step, _, at_ns, number), value in zip(gathered, values, strict=True):
            groups.setdefault((kind, track, number), []).append((step, value, at_ns))
        series: dict[str, list[Point]] = {}
        epochs = {epoch.number: epoch for epoch in self._epochs}
        for (kind, track, number), points in groups.items():
            name = self._name(kind, track)
            series.setdefault(name, []).extend(points)
            epoch = epochs.get(number)
            if epoch is not None and kind != "grad_norm" and not kind.startswith("lr"):
                total, count = epoch.sums.get(name, (0.0, 0))
                for _, value, _ in points:
                    total += value
                epoch.sums[name] = (total, count + len(points))
        for name, points in series.items():
            self.run.log_points(name, points)
        self.series.update(series)

    def _write_speed(self) -> None:
        steps = max((track.steps for track in self.tracks), default=0)
        spent = self.last_ns - self._written_ns
        if steps > self._steps_then and spent > 0:
            rate = (steps - self._steps_then) * 1e9 / spent
            self.run.log_points("steps_per_s", [(steps, rate, self.last_ns)])
            self._steps_then, self._written_ns = steps, self.last_ns

    def _write_epochs(self) -> None:
        """Write the means of the epochs that are over."""
        series: dict[str, list[Point]] = {}
        while self._epochs and self._epochs[0].ended_ns:
            epoch = self._epochs.pop(0)
            values = {"epoch": float(epoch.number)}
            for name, (total, count) in epoch.sums.items():
                mean = values[f"{name}/epoch"] = total / count
                self.note_best(f"{name}/epoch", mean, epoch.number)
            spent = (epoch.ended_ns - epoch.begun_ns) / 1e9
            if epoch.batches and epoch.batch_size and spent > 0:
                samples = epoch.batches * epoch.batch_size
                if epoch.most_samples is not None:
                    samples = min(samples, epoch.most_samples)
                values["samples_per_s"] = samples / spent
            for name, value in values.items():
                series.setdefault(name, []).append((epoch.number, value, epoch.ended_ns))
        for name, points in series.items():
            self.run.log_points(name, points)

    def note_best(self, name: str, value: float, epoch: int) -> None:
        """Note the value that a series had in an epoch, to tell the best epoch by it."""
        if not math.isfinite(value):
            return
        known = self._best.get(name)
        if known is None or (value < known[0] if is_lower_better(name) else value > known[0]):
            self._best[name] = (value, epoch)

    def find_first(self, count: int) -> int | None:
        """Give the epoch of the first of so many results; None where they are not one an epoch."""
        # The last epoch may have ended before its result.
        is_one_each = self.epochs_begun - 1 <= count <= self.epochs_begun
        return self._first_epoch if is_one_each else None

    # ------------------------------------------------------------------ end
    def finish(self) -> None:
        """Write what is left, and leave the run to its cell."""
        self.end_epoch(self.last_ns)
        self.flush()
        self._write_result()
        if self.is_owned and not self.is_adopted:
            self._session.adopt(self.run)

    def close_early(self) -> None:
        """End the run of a loop that another one followed: what it did is done."""
        self.finish()
        if self.is_owned:
            self.run.end(at=self.last_ns / 1e9)

    def _write_result(self) -> None:
        metrics = {"train_time_s": (self.last_ns - self.begun_ns) / 1e9}
        validated = [name for name in self._best if not name.endswith("/epoch")]
        # Names are gathered in no order: what judges must be the same in the next kernel.
        validated.sort(key=lambda name: (not is_held_out(name), name))
        judge = next(iter(validated or self._best), None)
        if judge is not None and self.epoch > 0:
            value, epoch = self._best[judge]
            metrics["best_epoch"] = float(epoch)
            self.run.set_tag("best_epoch", f"{epoch}, by {judge} = {value:.6g}")
        steps = max((track.steps for track in self.tracks), default=0)
        self.run.log_metrics(metrics, step=max(steps, 0))
        facts: dict[str, Any] = {"steps": steps}
        changed = list(self._changed)
        if self.epoch >= 0:
            facts["epochs"] = self.epochs_begun
            changed.append("epochs")
        for track in self.tracks:
            accumulated = track.find_accumulation()
            if accumulated > 1:
                name = "" if len(self.tracks) == 1 else f"{track.name}."
                facts[f"{name}gradient_accumulation_steps"] = accumulated
                changed.append(f"{name}gradient_accumulation_steps")
        if self.is_owned and len(changed) > len(self._changed):
            self.run.set_tag("params.changed", ", ".join(changed))
        self.run.log_params(facts)


def name_rate(index: int) -> str:
    """Name the learning rate of a group."""
    return f"lr.{index}" if index else "lr"

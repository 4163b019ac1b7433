"""Networks that a library trains in its own loop: what Keras, Lightning and the like share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from mlops_nb.autolog.fits import FitRecorder
from mlops_nb.autolog.frames import BUSY, is_timed
from mlops_nb.autolog.integration import Integration
from mlops_nb.autolog.training import Recorder, Training, find_user, tidy_name
from mlops_nb.records import is_lower_better
from mlops_nb.tracking import Run, Session, find_run_of

Link = Callable[[Any, Run], None]


class NetRecorder(Recorder):
    """Records the trainings of networks, epoch by epoch.

    Parameters
    ----------
    session
        Keeps the runs.
    fits
        Knows which run trained which model.
    link
        Tells those who record torch of a model and its run.
    """

    def __init__(self, session: Session, fits: FitRecorder, link: Link) -> None:
        super().__init__(session)
        self._fits, self._link = fits, link
        self._best: dict[int, dict[str, tuple[float, int]]] = {}

    def begin(
        self, model: Any, library: str, method: str, frame: FrameType | None, data: Any = None
    ) -> Training | None:
        """Open the run of a training, or go on in the run of the user that is active.

        Parameters
        ----------
        model
            What is trained.
        library
            With its version.
        method
            What the user called.
        frame
            From where the user's code is looked for.
        data
            What it is trained on, where that is at hand.

        Returns
        -------
        Training or None
            None where nothing is recorded: within another training, under ``%timeit``.
        """
        if self.session.is_paused or BUSY.value or is_timed(frame):
            return None
        training = self.open(type(model).__name__, library, method, joins=True)
        self._fits.latest = training.run
        self.join(model, training, data)
        return training

    def join(self, model: Any, training: Training, data: Any = None) -> None:
        """Note that a training trains a model too.

        Parameters
        ----------
        model
            Not kept alive.
        training
            From `begin`.
        data
            What it is trained on, where that is at hand.
        """
        self._fits.known.add(model, training.run, data)
        self._link(model, training.run)

    def note(self, training: Training, step: int, values: Iterable[tuple[str, float]]) -> None:
        """Note results of an epoch, or of an evaluation between; the best are remembered.

        Parameters
        ----------
        training
            From `begin`.
        step
            Epoch or step, as the library counts.
        values
            Names and numbers.
        """
        found = list(values)
        training.gather(step, found)
        best = self._best.setdefault(id(training), {})
        for name, value in found:
            if not math.isfinite(value) or not _is_result(name):
                continue
            known = best.get(name)
            if known is None or (value < known[0] if is_lower_better(name) else value > known[0]):
                best[name] = (value, step)

    def finish(
        self,
        training: Training,
        error: BaseException | None = None,
        facts: dict[str, Any] | None = None,
        unit: str = "epoch",
        judge: tuple[str, float, int] | None = None,
    ) -> None:
        """Close a training, with its time and its best epoch.

        Parameters
        ----------
        training
            From `begin`.
        error
            What ended it, where it did not come to its end.
        facts
            Parameters that are known only now.
        unit
            What its results are counted in.
        judge
            By which of them the user wants the best to be chosen, its best value, and when.
        """
        self.summarize(training, facts, unit, judge)
        self.end(training, error)

    def summarize(
        self,
        training: Training,
        facts: dict[str, Any] | None = None,
        unit: str = "epoch",
        judge: tuple[str, float, int] | None = None,
    ) -> None:
        """Write time and best epoch of a training that ends with its cell; see `finish`."""
        run = training.run
        metrics = {"train_time_s": training.measure()}
        best = self._best.pop(id(training), {})
        name = _choose_judge(list(best))
        if judge is None and name is not None:
            judge = name, *best[name]
        if judge is not None:
            by, value, step = judge
            metrics[f"best_{unit}"] = float(step)
            run.set_tag(f"best_{unit}", f"{step}, by {tidy_name(by)} = {value:.6g}")
        run.log_metrics(metrics, step=0)
        run.log_params(facts or {})

    def log_later(self, model: Any, prefix: str, values: dict[str, Any]) -> None:
        """Log what an evaluation gave with the run that trained the model.

        Parameters
        ----------
        model
            What was evaluated.
        prefix
            Before each name that does not begin with it.
        values
            Names and numbers.
        """
        run_id = None if self.session.is_paused else find_run_of(model)
        run = None if run_id is None else self.session.find_run(run_id)
        if run is None:
            return
        names = {name if name.startswith(prefix) else f"{prefix}{name}": name for name in values}
        for name, key in names.items():
            run.log_metric(tidy_name(name), float(values[key]))
        self.session.touch(run)

    def finish_cell(self) -> None:
        """End with the cell what has not told its end."""
        self._best.clear()
        super().finish_cell()


class NetIntegration(Integration):
    """Hooks into a library that trains networks in its own loop.

    Parameters
    ----------
    session
        Keeps the runs.
    fits
        Knows which run trained which model.
    link
        Tells those who record torch of a model and its run.
    """

    recorder: NetRecorder

    def __init__(self, session: Session, fits: FitRecorder, link: Link) -> None:
        super().__init__(session)
        self.recorder = NetRecorder(session, fits, link)


def find_net_user(frame: FrameType | None, package: str) -> FrameType | None:
    """Give the user's frame above a library's, and above torch's."""
    return find_user(frame, (f"{package}.", "torch."))


def _is_result(name: str) -> bool:
    return not name.startswith(("lr", "learning_rate", "grad_norm", "epoch"))


def _choose_judge(names: list[str]) -> str | None:
    """Choose what tells the best epoch: a loss on other data than the training's, if there is."""
    apart = [name for name in names if name.startswith(("val", "eval", "test"))]
    for candidates in (apart, names):
        for name in candidates:
            if "loss" in name:
                return name
    return next(iter(apart or names), None)

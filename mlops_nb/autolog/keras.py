"""Keras 3: ``fit`` and ``evaluate`` of every model, on any backend; no class is replaced.

Verified with Keras 3.15 on torch. Both methods are decorated: what stands in the decorator's
closure is wrapped, and given a callback of ours beside the user's.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from mlops_nb.autolog.boosters import describe_callbacks, name_set
from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.fits import FitRecorder
from mlops_nb.autolog.frames import BUSY, get_caller, hide_frame
from mlops_nb.autolog.keras_batches import CALLS, BatchLoops
from mlops_nb.autolog.keras_model import describe_compiled, is_number, read_rate, write_layers
from mlops_nb.autolog.metrics import find_cell
from mlops_nb.autolog.nets import Link, NetIntegration, find_net_user
from mlops_nb.autolog.torch_data import log_loader
from mlops_nb.autolog.training import Training
from mlops_nb.tracking import Run, Session

_SETTINGS = (
    "epochs", "batch_size", "validation_split", "steps_per_epoch", "class_weight", "initial_epoch",
    "shuffle", "validation_freq",
)  # fmt: skip
_MOST_PARTS = 8
_PLAIN = "pythonify_logs"  # what both methods for one batch look up to give their results


class KerasIntegration(NetIntegration):
    """Arms Keras as the trainer of its backend is imported; see `NetIntegration`."""

    name: ClassVar[str] = "Keras"
    package: ClassVar[str] = "keras"
    _make_callback: Callable[[Training], Any] | None = None

    def __init__(self, session: Session, fits: FitRecorder, link: Link) -> None:
        super().__init__(session, fits, link)
        self._batches = BatchLoops(self.recorder, lambda: self.library, self._describe_batches)

    # ------------------------------------------------------------------ arming
    def patch(self, module: ModuleType) -> str:
        """Wrap what the decorated methods of a backend's trainer keep."""
        if callable(vars(module).get(_PLAIN)):
            self.patches.set_attribute(module, _PLAIN, self._wrap_plain)
        base = getattr(sys.modules.get("keras.src.callbacks"), "Callback", None)
        trainers = [
            kind
            for kind in vars(module).values()
            if isinstance(kind, type) and kind.__module__ == module.__name__ and "fit" in vars(kind)
        ]
        cells = [
            (find_cell(vars(kind)["fit"], "fn"), find_cell(vars(kind).get("evaluate"), "fn"))
            for kind in trainers
        ]
        if base is None or not cells or any(None in pair for pair in cells):
            return "has no known point within fit"
        self._make_callback = _derive(base, self._note)
        for fit, evaluate in cells:
            assert fit is not None
            assert evaluate is not None
            self.patches.set_cell(fit, self._wrap_fit)
            self.patches.set_cell(evaluate, self._wrap_evaluate)
        return ""

    def _wrap_fit(self, original: Any) -> Any:
        signature = inspect.signature(original)

        def fit(*args: Any, **kwargs: Any) -> Any:
            begun = self.guard.call(self._begin, signature, args, kwargs, get_caller())
            try:
                if begun is None:
                    return original(*args, **kwargs)
                result = original(**begun[1])
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                if begun is not None:
                    self.guard.call(self._end, begun[0], args[0], error)
                    begun[0].let_go()
                raise
            self.guard.call(self._end, begun[0], args[0], None, result)
            begun[0].let_go()
            return result

        return hide_frame(fit)

    def _wrap_evaluate(self, original: Any) -> Any:
        def evaluate(*args: Any, **kwargs: Any) -> Any:
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                raise
            if not BUSY.value and args:
                self.guard.call(self._log_evaluation, args[0])
            return result

        return hide_frame(evaluate)

    def _wrap_plain(self, original: Any) -> Any:
        def pythonify_logs(*args: Any, **kwargs: Any) -> Any:
            logs = original(*args, **kwargs)
            if not BUSY.value:
                frame = get_caller()
                if frame.f_code.co_name in CALLS:
                    self.guard.call(self._batches.note, logs, frame)
            return logs

        return hide_frame(pythonify_logs)

    def finish_cell(self) -> None:
        """Record what is known only when a cell is over."""
        self.guard.call(self._batches.finish_cell, self._finish_batches)
        super().finish_cell()

    def _describe_batches(self, run: Run, model: Any) -> None:
        params, changed = describe_compiled(model)
        run.log_params(params)
        run.set_tag("params.changed", ", ".join(changed))

    def _finish_batches(self, training: Training, model: Any) -> None:
        facts = {} if model is None else self._describe_built(training.run, model)
        self.recorder.summarize(training, facts | {"steps": training.steps}, "step")

    # ------------------------------------------------------------------ one training
    def _begin(
        self, signature: inspect.Signature, args: Any, kwargs: dict[str, Any], frame: Any
    ) -> tuple[Training, dict[str, Any]] | None:
        try:
            given = dict(signature.bind(*args, **kwargs).arguments)
        except TypeError:
            return None  # the library says what is wrong
        user = find_net_user(frame, "keras")
        model = given["self"]
        if self._make_callback is None or user is None:
            return None
        training = self.recorder.begin(model, self.library, "fit", user, given.get("x"))
        if training is None:
            return None
        try:
            callback = self._make_callback(training)
            changed = dict(given)
            self._describe(training, given, user)
            own = given.get("callbacks")
            if type(own).__name__ != "CallbackList":  # made by the user: left as it is
                listed = own if isinstance(own, (list, tuple)) else [own] if own else []
                changed["callbacks"] = [*listed, callback]
        except BaseException as error:
            self.recorder.end(training, error)
            raise
        return training, changed

    def _describe(self, training: Training, given: dict[str, Any], user: Any) -> None:
        run, model = training.run, given["self"]
        params, changed = describe_compiled(model)
        for name in _SETTINGS:
            if given.get(name) is not None:
                params[name] = make_plain(given[name])
                changed.append(name)
        callbacks = describe_callbacks(given.get("callbacks"))
        if callbacks:
            params["callbacks"] = callbacks
        run.log_params(params)
        if training.is_owned:
            run.set_tag("params.changed", ", ".join(changed))
        source = given.get("x")
        named = [
            ("X", name_set(user, 0, "x"), source),
            ("y", name_set(user, 1, "y"), given.get("y")),
        ]
        held = given.get("validation_data")
        if isinstance(held, (list, tuple)):
            label = name_set(user, 99, "validation_data")
            named += [
                (f"validation.{role}", label, part) for role, part in zip("Xy", held, strict=False)
            ]
        self.recorder.log_data(
            run, [(role, name, each) for role, name, part in named for each in _list_parts(part)]
        )
        if type(source).__module__.startswith("torch.utils.data"):
            run.log_params(log_loader(source, run, self.recorder.data))
        elif source is not None and not _list_parts(source):
            run.log_params({"dataset": type(source).__name__})

    def _note(self, training: Training, model: Any, epoch: int, logs: dict[str, Any]) -> None:
        self.guard.call(self._note_epoch, training, model, epoch, logs)

    def _note_epoch(self, training: Training, model: Any, epoch: int, logs: dict[str, Any]) -> None:
        training.steps += 1
        values = [(name, float(value)) for name, value in logs.items() if is_number(value)]
        if "learning_rate" not in logs:
            rate = read_rate(getattr(model, "optimizer", None))
            if rate is not None:
                values.append(("learning_rate", rate))
        self.recorder.note(training, epoch, values)

    def _end(
        self, training: Training, model: Any, error: BaseException | None, result: Any = None
    ) -> None:
        run = training.run
        past = getattr(result, "history", None)
        if not training.steps and isinstance(past, dict):  # by a list of callbacks of the user's
            for place, epoch in enumerate(result.epoch, -len(result.epoch)):
                logs = {name: values[place] for name, values in past.items()}
                self._note_epoch(training, model, epoch, logs)
        facts = {"epochs.done": training.steps, **self._describe_built(run, model)}
        self.recorder.finish(training, error, facts)

    def _describe_built(self, run: Run, model: Any) -> dict[str, Any]:
        """Keep the layers of a model, and give its size."""
        if not getattr(model, "built", False):
            return {}
        layers, counts = write_layers(model)
        if self.recorder.data is not None:
            self.recorder.data.submit(lambda: _log_text(run, layers.encode()))
        return counts

    def _log_evaluation(self, model: Any) -> None:
        found = model.get_metrics_result()
        values = {name: float(value) for name, value in found.items() if is_number(value)}
        self.recorder.log_later(model, "test_", values)


def _derive(base: Any, note: Callable[..., None]) -> Callable[[Training], Any]:
    """Make the class of our callback from the library's own."""

    class Recording(base):  # type: ignore[misc]
        """Hands the results of each epoch to what records them."""

        def __init__(self, training: Training) -> None:
            super().__init__()
            self._training = training

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            note(self._training, self.model, epoch, logs or {})

    return Recording


def _list_parts(value: Any) -> list[Any]:
    """List the arrays that a model is fed with: one, or several in a list or a dict."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (int, float, str)):
        return [part for part in value if hasattr(part, "shape")][:_MOST_PARTS]
    return [value] if hasattr(value, "shape") or isinstance(value, (list, tuple)) else []


def _log_text(run: Run, text: bytes) -> None:
    run.log_bytes(text, "model.txt", "text/plain")

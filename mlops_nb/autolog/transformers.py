"""Hugging Face: what the Trainer of ``transformers`` trains and evaluates; no class is touched.

Verified with transformers 5.23 and 4.57. ``train`` looks one function up to run its loop,
``evaluate`` another when it has its results: both are wrapped, and while a training lasts a
callback of ours is there.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from mlops_nb.autolog.boosters import describe_callbacks
from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.frames import BUSY, get_caller, hide_frame, read_locals
from mlops_nb.autolog.nets import NetIntegration, NetRecorder
from mlops_nb.autolog.torch_data import log_loader
from mlops_nb.autolog.torch_model import describe_model, describe_optimizer, describe_scheduler
from mlops_nb.autolog.training import Training, find_user, tidy_name
from mlops_nb.tracking import Run

_LOOP, _SPEED = "find_executable_batch_size", "speed_metrics"
_MEASURES = frozenset({"evaluate", "predict"})
_PACKAGES = ("transformers.", "accelerate.", "torch.")
_ALWAYS = frozenset(
    {"num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps",
     "learning_rate", "weight_decay", "warmup_steps", "lr_scheduler_type", "optim", "seed",
     "max_grad_norm"}
)  # fmt: skip
# Paths, names and keys to services say nothing about a training, and some are secrets.
_LEFT_OUT = (
    "_dir",
    "token",
    "hub_",
    "run_name",
    "report_to",
    "logging_",
    "disable_tqdm",
    "project",
)
_MOST_CONFIG = 60
# How fast it was and how much it computed is no result of a model.
_NO_RESULTS = ("_runtime", "_per_second", "_time", "total_flos")


class TransformersIntegration(NetIntegration):
    """Arms the Trainer as it is imported; see `NetIntegration`."""

    name: ClassVar[str] = "Hugging Face Trainer"
    package: ClassVar[str] = "transformers"
    _make_callback: Callable[[_Following], Any] | None = None

    # ------------------------------------------------------------------ arming
    def patch(self, module: ModuleType) -> str:
        """Wrap what ``train`` and ``evaluate`` look up."""
        base = getattr(sys.modules.get("transformers.trainer_callback"), "TrainerCallback", None)
        train = getattr(getattr(vars(module).get("Trainer"), "train", None), "__code__", None)
        if base is None or _LOOP not in vars(module) or _LOOP not in getattr(train, "co_names", ()):
            return "has no known point within Trainer.train"
        self._make_callback = _derive(base)
        self.patches.set_attribute(module, _LOOP, self._wrap_loop)
        if _SPEED in vars(module):
            self.patches.set_attribute(module, _SPEED, self._wrap_speed)
        return ""

    def _wrap_loop(self, original: Any) -> Any:
        def find_executable_batch_size(*args: Any, **kwargs: Any) -> Any:
            inner = original(*args, **kwargs)
            trainer = getattr(args[0] if args else kwargs.get("function"), "__self__", None)
            return inner if trainer is None else self._wrap_training(inner, trainer)

        return hide_frame(find_executable_batch_size)

    def _wrap_training(self, inner: Any, trainer: Any) -> Any:
        def inner_training_loop(*args: Any, **kwargs: Any) -> Any:
            resumed = kwargs.get("resume_from_checkpoint")
            following = self.guard.call(self._begin, trainer, get_caller(), resumed)
            try:
                result = inner(*args, **kwargs)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                self._end(following, trainer, error)
                raise
            self._end(following, trainer, None)
            return result

        return hide_frame(inner_training_loop)

    def _wrap_speed(self, original: Any) -> Any:
        def speed_metrics(*args: Any, **kwargs: Any) -> Any:
            if not BUSY.value and get_caller().f_code.co_name in _MEASURES:
                self.guard.call(self._log_evaluation, get_caller())
            return original(*args, **kwargs)

        return hide_frame(speed_metrics)

    def _log_evaluation(self, frame: Any) -> None:
        values = read_locals(frame)
        trainer: Any = values.get("self")
        found = getattr(values.get("output"), "metrics", None)
        if isinstance(found, dict) and hasattr(trainer, "model"):
            self.recorder.log_later(trainer.model, "", _list_results(found))

    # ------------------------------------------------------------------ one training
    def _begin(self, trainer: Any, frame: Any, resumed: Any) -> _Following | None:
        user = find_user(frame, _PACKAGES)
        if user is None or self._make_callback is None:
            return None
        training = self.recorder.begin(trainer.model, self.library, "train", user)
        if training is None:
            return None
        following = _Following(self, training)
        try:
            _describe(training, trainer, self.recorder)
            if isinstance(resumed, str):
                training.run.log_params({"resume_from_checkpoint": resumed})
            following.callback = self._make_callback(following)
            trainer.callback_handler.callbacks.append(following.callback)
        except BaseException as error:
            self.recorder.end(training, error)
            raise
        return following

    def _end(self, following: _Following | None, trainer: Any, error: BaseException | None) -> None:
        if following is None:
            return
        callbacks = trainer.callback_handler.callbacks
        for index, each in enumerate(callbacks):
            if each is following.callback:
                del callbacks[index]
                break
        self.guard.call(following.finish, trainer, error)
        following.training.let_go()


class _Following:
    """Follows one training by what the trainer logs."""

    def __init__(self, owner: TransformersIntegration, training: Training) -> None:
        self._owner, self.training = owner, training
        self.guard = owner.guard
        self.callback: Any = None

    def start(self, given: dict[str, Any]) -> None:
        """Say what is known once the trainer has made optimizer, schedule and loader."""
        run = self.training.run
        params: dict[str, Any] = {}
        optimizer = given.get("optimizer")
        optimizer = getattr(optimizer, "optimizer", optimizer)  # within that of accelerate
        if optimizer is not None:
            settings, _ = describe_optimizer(optimizer)
            params |= {f"optimizer{name}": value for name, value in settings.items()}
        plan = given.get("lr_scheduler")
        plan = getattr(plan, "scheduler", plan)
        if plan is not None:
            params |= {f"scheduler{name}": each for name, each in describe_scheduler(plan).items()}
        loader: Any = given.get("train_dataloader")
        if hasattr(loader, "dataset") and hasattr(loader, "num_workers"):
            params |= log_loader(loader, run, self._owner.recorder.data)
            identity = getattr(loader.dataset, "_fingerprint", None)
            if isinstance(identity, str):
                params["dataset.fingerprint"] = identity
        run.log_params(params)

    def note(self, step: int, logs: dict[str, Any]) -> None:
        """Note what the trainer logs, by its own names."""
        values = [
            (tidy_name(name), value)
            for name, value in _list_results(logs).items()
            if not name.startswith("train_")
        ]
        self._owner.recorder.note(self.training, step, values)
        if "train_loss" in logs:
            self.training.run.log_metric("train_loss", float(logs["train_loss"]), step=step)

    def finish(self, trainer: Any, error: BaseException | None) -> None:
        """Write what is left, and close the run."""
        state, run = trainer.state, self.training.run
        best = getattr(state, "best_model_checkpoint", None)
        if best:
            run.set_tag("checkpoint.best", best)
        facts = {"steps": state.global_step, "epochs.done": state.epoch or 0.0}
        judge = _find_judge(trainer)
        self._owner.recorder.finish(self.training, error, facts, unit="step", judge=judge)


def _list_results(logs: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in logs.items()
        if type(value) in {int, float} and not name.endswith(_NO_RESULTS)
    }


def _find_judge(trainer: Any) -> tuple[str, float, int] | None:
    """Give the measure that the user has chosen, its best value and when that was."""
    measure = getattr(trainer.args, "metric_for_best_model", None)
    value: Any = getattr(trainer.state, "best_metric", None)
    step: Any = getattr(trainer.state, "best_global_step", None)
    if not isinstance(measure, str) or type(value) not in {int, float} or not step:
        return None
    return measure if measure.startswith("eval_") else f"eval_{measure}", value, step


def _derive(base: Any) -> Callable[[_Following], Any]:
    """Make the class of our callback from the library's own."""

    class Recording(base):  # type: ignore[misc]
        """Hands what the trainer tells to what follows the training."""

        def __init__(self, following: _Following) -> None:
            self._following = following

        def __reduce__(self) -> Any:
            return base, ()

        def on_train_begin(self, *_: Any, **given: Any) -> None:
            self._following.guard.call(self._following.start, given)

        def on_log(self, _: Any, state: Any, __: Any, logs: Any = None, **___: Any) -> None:
            step = state.global_step
            self._following.guard.call(self._following.note, step, dict(logs or {}))

    return Recording


def _describe(training: Training, trainer: Any, recorder: NetRecorder) -> None:
    """Say what is trained and how, as far as it is known before the training."""
    run = training.run
    params, text = describe_model(trainer.model)
    found = {name if name == "device" else f"model{name}": each for name, each in params.items()}
    config: Any = getattr(trainer.model, "config", None)
    if hasattr(config, "to_diff_dict"):
        pairs = list(config.to_diff_dict().items())[:_MOST_CONFIG]
        plain = (str, int, float, bool)
        found |= {f"config.{name}": each for name, each in pairs if isinstance(each, plain)}
    changed = ["model"]
    for field in dataclasses.fields(trainer.args):
        value = getattr(trainer.args, field.name, None)
        value = getattr(value, "value", value)  # of an enumeration
        default = getattr(field.default, "value", field.default)
        if any(part in field.name for part in _LEFT_OUT) or not field.init:
            continue
        is_changed = type(value) in {str, int, float, bool} and value != default
        is_changed = is_changed and not (value is False and default is None)  # as it is made of it
        if is_changed or field.name in _ALWAYS:
            found[field.name] = make_plain(value)
            changed += [field.name] if is_changed else []
    found["callbacks"] = describe_callbacks(trainer.callback_handler.callbacks)
    run.log_params(found)
    if training.is_owned:
        run.set_tag("params.changed", ", ".join(changed))
    if recorder.data is not None:
        recorder.data.submit(lambda: _log_text(run, text.encode()))


def _log_text(run: Run, text: bytes) -> None:
    run.log_bytes(text, "model.txt", "text/plain")

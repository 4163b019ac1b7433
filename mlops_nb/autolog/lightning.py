"""Lightning: what its Trainer fits and tests, under both of its names; no class is touched.

Verified with Lightning 2.6. ``fit``, ``validate``, ``test`` and ``predict`` look one function of
``trainer.call`` up each time: it is wrapped, and while a fit lasts a callback of ours is there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from mlops_nb.autolog.boosters import describe_callbacks
from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.frames import BUSY, get_caller, hide_frame
from mlops_nb.autolog.nets import NetIntegration, NetRecorder
from mlops_nb.autolog.torch_data import list_parts, log_loader
from mlops_nb.autolog.torch_model import describe_model, describe_optimizer, describe_scheduler
from mlops_nb.autolog.torch_values import read_values, take
from mlops_nb.autolog.training import FLUSH_NS, Training, find_user
from mlops_nb.tracking import Run

POINT = "_call_and_handle_interrupt"
_PACKAGES = ("lightning.", "pytorch_lightning.", "lightning_fabric.")
_SETTINGS = (
    "max_epochs", "max_steps", "precision", "accumulate_grad_batches", "gradient_clip_val",
    "limit_train_batches", "num_devices",
)  # fmt: skip
_MOST_HELD = 8192
_Held = tuple[int, Any, int]


class LightningIntegration(NetIntegration):
    """Arms Lightning as it is imported, under either name; see `NetIntegration`."""

    name: ClassVar[str] = "Lightning"
    package: ClassVar[str] = "lightning"

    # ------------------------------------------------------------------ arming
    def patch(self, module: ModuleType) -> str:
        """Wrap the function that every stage of a trainer goes through."""
        package = module.__name__.partition(".trainer")[0]
        base = getattr(sys.modules.get(f"{package}.callbacks"), "Callback", None)
        if base is None or not callable(vars(module).get(POINT)):
            return "has no known point around the stages of its Trainer"
        make = _derive(base)
        self.patches.set_attribute(module, POINT, lambda found: self._wrap(found, make))
        return ""

    def _wrap(self, original: Any, make: Callable[[_Following], Any]) -> Any:
        def _call_and_handle_interrupt(
            trainer: Any, trainer_fn: Any, *args: Any, **kwargs: Any
        ) -> Any:
            stage = getattr(trainer_fn, "__name__", "")
            following = None
            if stage == "_fit_impl":
                following = self.guard.call(self._begin, trainer, args, make, get_caller())
            try:
                result = original(trainer, trainer_fn, *args, **kwargs)
            except BaseException as error:
                if error.__traceback__ is not None:
                    error.__traceback__ = error.__traceback__.tb_next
                self._end(following, trainer, error)
                raise
            self._end(following, trainer, None)
            if stage == "_test_impl" and not BUSY.value:
                self.guard.call(self._log_test, trainer)
            return result

        return hide_frame(_call_and_handle_interrupt)

    # ------------------------------------------------------------------ one fit
    def _begin(
        self, trainer: Any, args: tuple[Any, ...], make: Callable[[_Following], Any], frame: Any
    ) -> _Following | None:
        user = find_user(frame, _PACKAGES)
        model = args[0] if args else None
        if user is None or model is None:
            return None
        training = self.recorder.begin(model, self.library, "fit", user)
        if training is None:
            return None
        following = _Following(self, training)
        try:
            _describe(training, trainer, model, self.recorder)
            following.callback = make(following)
            trainer.callbacks.insert(0, following.callback)
        except BaseException as error:
            self.recorder.end(training, error)
            raise
        return following

    def _end(self, following: _Following | None, trainer: Any, error: BaseException | None) -> None:
        if following is None:
            return
        callbacks = trainer.callbacks
        for index, each in enumerate(callbacks):
            if each is following.callback:
                del callbacks[index]
                break
        self.guard.call(following.finish, trainer, error)
        following.training.let_go()

    def _log_test(self, trainer: Any) -> None:
        self.recorder.log_later(trainer.lightning_module, "", dict(trainer.callback_metrics))


class _Following:
    """Follows one fit: losses and rates of its batches, results of its epochs."""

    def __init__(self, owner: LightningIntegration, training: Training) -> None:
        self._owner, self.training = owner, training
        self.guard = owner.guard
        self.callback: Any = None
        self._held: list[_Held] = []
        self._due_ns = 0
        self._rates: dict[str, Any] = {}
        self._noted: set[tuple[str, int]] = set()
        self._last: dict[str, Any] = {}

    def start(self, trainer: Any) -> None:
        """Say what is known once the trainer has made optimizers and loaders."""
        run = self.training.run
        params: dict[str, Any] = {}
        for number, optimizer in enumerate(trainer.optimizers):
            prefix = f"optimizer{number or ''}"
            settings, _ = describe_optimizer(optimizer)
            params |= {f"{prefix}{name}": value for name, value in settings.items()}
        for number, config in enumerate(trainer.lr_scheduler_configs):
            found = describe_scheduler(config.scheduler)
            params |= {f"scheduler{number or ''}{name}": value for name, value in found.items()}
        loader = trainer.train_dataloader
        if _is_loader(loader):
            params |= log_loader(loader, run, self._owner.recorder.data)
        held = trainer.val_dataloaders
        for each in held if isinstance(held, list) else [held]:
            if _is_loader(each):
                parts = [("validation", name, part) for name, part in list_parts(each.dataset)]
                self._owner.recorder.log_data(run, parts)
        run.log_params(params)

    def note_rates(self, trainer: Any) -> None:
        """Note rates that have changed, before the batch that goes by them."""
        for number, optimizer in enumerate(trainer.optimizers):
            rate = optimizer.param_groups[0].get("lr")
            name = f"lr.{number}" if number else "lr"
            if type(rate) is float and rate != self._rates.get(name):
                self._rates[name] = rate
                self.training.gather(self.training.steps + 1, [(name, rate)])

    def note_batch(self, outputs: Any) -> None:
        """Note the loss of a batch."""
        training, now = self.training, time.time_ns()
        training.steps += 1
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        value = None if loss is None else take(loss)
        if value is not None:
            self._held.append((training.steps, value, now))
        if now >= self._due_ns or len(self._held) >= _MOST_HELD:
            self._write(now)

    def _write(self, now_ns: int) -> None:
        held, self._held = self._held, []
        if held:
            numbers, has_waited = read_values([value for _, value, _ in held])
            points = [(step, each, at) for (step, _, at), each in zip(held, numbers, strict=True)]
            self.training.run.log_points("loss", points)
            now_ns += 3 * FLUSH_NS if has_waited else 0
        self._due_ns = now_ns + FLUSH_NS

    def note_results(self, trainer: Any, epoch: int) -> None:
        """Note what was logged with ``self.log``, each result once an epoch."""
        if trainer.sanity_checking or epoch < 0:
            return
        found: list[tuple[str, float]] = []
        for name, value in trainer.callback_metrics.items():
            # One of validation stays the same object until it is computed again.
            if (name, epoch) in self._noted or self._last.get(name) is value:
                continue
            self._noted.add((name, epoch))
            self._last[name] = value
            number = take(value)
            if number is not None:
                found.append((f"{name}/epoch" if name == "loss" else name, float(number)))
        if found:
            self._owner.recorder.note(self.training, epoch, found)

    def finish(self, trainer: Any, error: BaseException | None) -> None:
        """Write what is left, and close the run."""
        run, done = self.training.run, trainer.current_epoch
        self._write(time.time_ns())
        if error is None:
            self.note_results(trainer, done - 1)
        best = getattr(trainer.checkpoint_callback, "best_model_path", "")
        if best:
            run.set_tag("checkpoint.best", best)
        for each in trainer.early_stopping_callbacks:
            if each.stopped_epoch:
                run.set_tag("early_stopping", f"in epoch {each.stopped_epoch}, by {each.monitor}")
        facts = {"epochs.done": done, "steps": trainer.global_step}
        self._last.clear()
        self._owner.recorder.finish(self.training, error, facts)


def _derive(base: Any) -> Callable[[_Following], Any]:
    """Make the class of our callback from the library's own."""

    class Recording(base):  # type: ignore[misc]
        """Hands what the trainer tells to what follows the fit."""

        def __init__(self, following: _Following) -> None:
            super().__init__()
            self._following = following

        def __reduce__(self) -> Any:
            return base, ()  # where processes are started, the run is that of the first

        def on_train_start(self, trainer: Any, *_: Any) -> None:
            self._following.guard.call(self._following.start, trainer)

        def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
            self._following.guard.call(self._following.note_rates, trainer)

        def on_train_batch_end(self, _: Any, __: Any, outputs: Any, *___: Any) -> None:
            self._following.guard.call(self._following.note_batch, outputs)

        def on_train_epoch_start(self, trainer: Any, *_: Any) -> None:
            # What the module logs when an epoch ends comes after ours is asked.
            following = self._following
            following.guard.call(following.note_results, trainer, trainer.current_epoch - 1)

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            self._following.guard.call(self._following.note_results, trainer, trainer.current_epoch)

    return Recording


def _is_loader(value: Any) -> bool:
    return hasattr(value, "dataset") and hasattr(value, "num_workers")


def _describe(training: Training, trainer: Any, model: Any, recorder: NetRecorder) -> None:
    """Say what is trained and how, as far as it is known before the fit."""
    run = training.run
    params, text = describe_model(model)
    found = {name if name == "device" else f"model{name}": each for name, each in params.items()}
    changed = ["model"]
    hparams = vars(model).get("_hparams") or {}
    for name, value in dict(hparams).items():
        found[f"hparams.{name}"] = make_plain(value)
        changed.append(f"hparams.{name}")
    for name in _SETTINGS:
        value = getattr(trainer, name, None)
        if value is not None and value != -1:
            found[name] = make_plain(value)
    found["callbacks"] = describe_callbacks(trainer.callbacks)
    found["strategy"] = type(trainer.strategy).__name__
    run.log_params(found)
    if training.is_owned:
        run.set_tag("params.changed", ", ".join([*changed, "max_epochs"]))
    if recorder.data is not None:
        recorder.data.submit(lambda: _log_text(run, text.encode()))


def _log_text(run: Run, text: bytes) -> None:
    run.log_bytes(text, "model.txt", "text/plain")

"""torch: plain training loops, by what the library itself calls in each; no class is touched.

Verified with torch 2.13. Four points: the official hook after an optimizer's step, and one name in
each of ``torch.autograd``, ``torch.utils.data.dataloader`` and ``torch.serialization`` that the
public functions look up when they are called; the public functions stay the same objects.
"""

from __future__ import annotations

import sys
import time
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from mlops_nb.autolog.frames import get_caller, hide_frame
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.patching import Patches
from mlops_nb.autolog.torch_checkpoints import Checkpoints, keep, list_tensors, wrap_opener
from mlops_nb.autolog.torch_loaders import open_pass
from mlops_nb.autolog.torch_steps import make_step_hook, wrap_backward
from mlops_nb.autolog.torch_training import Trainings
from mlops_nb.tracking import Run, Session

MODULES = (
    "torch.autograd",
    "torch.optim.optimizer",
    "torch.serialization",
    "torch.utils.data.dataloader",
)
NAMES = ("torch training loops", "torch data loaders", "torch checkpoints")
_NOT_YET = "torch is not imported yet"


class TorchIntegration:
    """Hooks into torch, as its modules are imported, and takes everything back.

    Parameters
    ----------
    session
        Keeps the runs.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._patches = Patches()
        self._handles: list[Any] = []
        self._is_closed = False
        self._guards = [Guard("training loops"), Guard("data loaders"), Guard("checkpoints")]
        loops, self._loader_guard, checkpoints = self._guards
        self.trainings = Trainings(session, loops)
        self._checkpoints = Checkpoints(checkpoints, self._find_saved)
        self._missing: dict[str, str] = {}
        self._armed: dict[str, int] = dict.fromkeys(NAMES, 0)

    # ------------------------------------------------------------------ arming
    def arm(self, module: ModuleType) -> None:
        """Place the hooks that belong to a module that has been imported.

        Parameters
        ----------
        module
            One of `MODULES`.
        """
        hook = {
            "torch.autograd": (self._guards[0], self._arm_backward),
            "torch.optim.optimizer": (self._guards[0], self._arm_steps),
            "torch.utils.data.dataloader": (self._guards[1], self._arm_loaders),
            "torch.serialization": (self._guards[2], self._arm_saving),
        }.get(module.__name__)
        if hook is not None and not self._is_closed:
            hook[0].call(hook[1], module)

    def status(self) -> list[tuple[str, str, str]]:
        """Give each recorder with its state and the reason or the version."""
        rows = []
        version = str(getattr(sys.modules.get("torch"), "__version__", "unknown"))
        for name, guard, wanted in zip(NAMES, self._guards, (2, 1, 1), strict=True):
            if guard.is_stopped:
                rows.append((name, "stopped", guard.reason))
            elif name in self._missing:
                rows.append((name, "not armed", f"torch {version} {self._missing[name]}"))
            elif self._armed[name] == wanted:
                rows.append((name, "armed", version))
            else:
                rows.append((name, "waiting", _NOT_YET))
        return rows

    def _arm_backward(self, module: ModuleType) -> None:
        name, point = NAMES[0], "_engine_run_backward"
        if not _calls(getattr(module, "backward", None), point) or point not in vars(module):
            self._missing[name] = f"has no known point below {module.__name__}.backward"
            return
        tensor = sys.modules.get("torch._tensor")
        method = getattr(getattr(tensor, "Tensor", None), "backward", None)
        code = getattr(method, "__code__", None)
        steps = self.trainings.steps
        self._patches.set_attribute(module, point, lambda found: wrap_backward(found, steps, code))
        self._armed[name] += 1

    def _arm_steps(self, module: ModuleType) -> None:
        register = getattr(module, "register_optimizer_step_post_hook", None)
        if register is None:
            self._missing[NAMES[0]] = "has no hook after the steps of optimizers"
            return
        self._handles.append(register(make_step_hook(self.trainings.steps)))
        self._armed[NAMES[0]] += 1

    def _arm_loaders(self, module: ModuleType) -> None:
        name, point = NAMES[1], "_get_distributed_settings"
        kind = getattr(module, "_BaseDataLoaderIter", None)
        begin = getattr(kind, "__init__", None)
        arguments = getattr(getattr(begin, "__code__", None), "co_varnames", ())
        if not _calls(begin, point) or "loader" not in arguments or point not in vars(module):
            self._missing[name] = "makes the iterators of its loaders in no known way"
            return
        self._patches.set_attribute(module, point, self._wrap_settings)
        self._armed[name] += 1

    def _arm_saving(self, module: ModuleType) -> None:
        name, point = NAMES[2], "_open_zipfile_writer"
        if not _calls(getattr(module, "save", None), point) or point not in vars(module):
            self._missing[name] = "saves in no known way"
            return
        self._patches.set_attribute(
            module, point, lambda found: wrap_opener(found, self._checkpoints)
        )
        self._armed[name] += 1

    def _wrap_settings(self, original: Any) -> Any:
        def _get_distributed_settings() -> Any:
            self._loader_guard.call(self._note_pass, get_caller())
            return original()

        return hide_frame(_get_distributed_settings)

    def _note_pass(self, frame: FrameType) -> None:
        steps = self.trainings.steps
        if "loader" in frame.f_code.co_varnames and not steps.is_off:
            open_pass(steps.local.passes, frame, time.time_ns())

    # ------------------------------------------------------------------ checkpoints
    def _find_saved(self, content: Any) -> tuple[Run, str] | None:
        if self._session.is_paused:
            return None
        loop = self.trainings.steps.local.loop
        if loop is not None:
            steps = max((track.steps for track in loop.tracks), default=0)
            epoch = f"epoch {loop.epoch}, " if loop.epoch >= 0 else ""
            return loop.run, f"{epoch}step {steps}"
        known: dict[int, Run] = {}
        for reference, run in self.trainings.models:
            model = reference()
            if model is not None:
                known[id(model)] = run
                known |= {each.data_ptr(): run for each in model.parameters() if each.numel()}
        for part in list_tensors(content):
            key = part.data_ptr() if hasattr(part, "data_ptr") else id(part)
            if key in known:
                return known[key], "after the training"
        return None

    # ------------------------------------------------------------------ end
    def finish_cell(self, namespace: dict[str, Any] | None, taken: frozenset[str]) -> None:
        """Record what is known only when a cell is over.

        Parameters
        ----------
        namespace
            The notebook's variables, where there is a notebook.
        taken
            Names of metrics that the cell has logged already.
        """
        data = self.trainings.data
        for saved in self._checkpoints.take():
            self._session.touch(saved.run)
            if data is not None:
                data.submit(lambda saved=saved: keep(saved))  # type: ignore[misc]
        self._guards[0].call(self.trainings.finish_cell, namespace, taken)

    def close(self) -> None:
        """Restore everything and finish what is open."""
        self._is_closed = True
        self._patches.restore()
        while self._handles:
            self._handles.pop().remove()
        self.finish_cell(None, frozenset())
        self._guards[0].call(self.trainings.close)
        self.trainings.abandon()
        if self.trainings.data is not None:
            self.trainings.data.close()


def _calls(function: Any, name: str) -> bool:
    """Tell whether a function looks a global name up."""
    code = getattr(function, "__code__", None)
    is_function = isinstance(function, FunctionType) and isinstance(code, CodeType)
    return is_function and name in function.__code__.co_names

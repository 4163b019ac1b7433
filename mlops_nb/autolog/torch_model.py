"""What a run says of a torch training: model, optimizer, scheduler, device, and where they are."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.frames import read_fields, read_locals
from mlops_nb.capture.kinds import Kinds

_MOST_ROWS = 2000
_MOST_MODELS = 8
_SEQUENCES = Kinds(list, tuple)
_PLAIN = Kinds(int, float, str, bool, list, tuple)
_CYCLED = {"lr", "momentum", "betas"}  # which OneCycleLR and CyclicLR have changed already
_LEFT_OUT = {"params", "param_names", "initial_lr", "foreach", "fused", "differentiable"}
_LEFT_OUT |= {"capturable", "maximize"}
_SCHEDULER_STATE = {
    *("last_epoch", "base_lrs", "num_bad_epochs", "cooldown_counter", "best", "mode_worse"),
    "default_min_lr",
}


class Found:
    """Objects of a training, found among the variables of the frames that run it.

    Parameters
    ----------
    frames
        From the call of ``step`` outwards.
    optimizer
        What steps.

    Attributes
    ----------
    models : list
        Modules that hold its parameters, with their names; those that hold most of them first.
    name : str
        The optimizer's variable, or its class.
    scheduler, scaler : object or None
        What goes with it.
    names : dict
        Values by name, of all the frames; let go with this object.
    """

    def __init__(self, frames: Iterable[FrameType], optimizer: Any) -> None:
        torch = sys.modules["torch"]
        module, scheduler = torch.nn.Module, torch.optim.lr_scheduler.LRScheduler
        scaler = torch.amp.GradScaler
        self.name = type(optimizer).__name__
        self.scheduler: Any = None
        self.scaler: Any = None
        candidates: dict[int, tuple[str, Any]] = {}
        is_named = False
        for name, value in _walk(frames):
            kind = type(value)
            if value is optimizer and not is_named and not name.startswith("_"):
                self.name, is_named = name, True
            elif issubclass(kind, module):
                candidates.setdefault(id(value), (name, value))
            elif issubclass(kind, scheduler) and vars(value).get("optimizer") is optimizer:
                self.scheduler = value
            elif issubclass(kind, scaler) and _is_stepping(value, optimizer):
                self.scaler = value
        self.models = _choose(list(candidates.values()), optimizer)


def _is_stepping(scaler: Any, optimizer: Any) -> bool:
    """Tell whether a scaler makes this step; others may be there of trainings before."""
    states = vars(scaler).get("_per_optimizer_states")
    return not isinstance(states, dict) or id(optimizer) in states


def _walk(frames: Iterable[FrameType]) -> Iterable[tuple[str, Any]]:
    """Give variables by name; of a method's own object the attributes too."""
    spaces: list[dict[str, Any]] = []
    for frame in frames:
        values = read_locals(frame)
        spaces.append(values)
        fields = read_fields(values.get("self"))
        if "_parameters" not in fields:
            spaces.append(fields)
        spaces.append(frame.f_globals)
    seen: set[int] = set()
    for space in spaces:
        if id(space) not in seen:
            seen.add(id(space))
            for name, value in list(space.items()):
                yield str(name), value
                if type(value) in _SEQUENCES and len(value) <= _MOST_MODELS:
                    yield from ((str(name), part) for part in value)


def _choose(candidates: list[tuple[str, Any]], optimizer: Any) -> list[tuple[str, Any]]:
    """Choose the modules that together hold what an optimizer changes, the fittest first."""
    left = {id(each) for group in optimizer.param_groups for each in group["params"]}
    sizes = [(name, each, {id(p) for p in each.parameters()}) for name, each in candidates]
    chosen: list[tuple[str, Any]] = []
    while left and len(chosen) < _MOST_MODELS:
        scored = [(len(held & left), -len(held), item) for item in sizes for held in [item[2]]]
        best = max(scored, key=lambda entry: entry[:2], default=None)
        if best is None or best[0] == 0:
            break
        held = best[2][2]
        left -= held
        # A wrapper (torch.compile, DataParallel) and what it wraps hold the same parameters.
        same = [(n, each) for n, each, others in sizes if others == held]
        chosen += sorted(same, key=lambda pair: pair[1] is not unwrap(pair[1]))
        sizes = [item for item in sizes if item[2] != held]
    return chosen


def unwrap(model: Any) -> Any:
    """Give the module inside ``torch.compile``'s or ``DataParallel``'s, or the module itself."""
    inner = vars(model).get("_modules", {})
    for name in ("_orig_mod", "module"):
        if name in inner and len(inner) == 1:
            return inner[name]
    return model


def describe_model(model: Any) -> tuple[dict[str, Any], str]:
    """Give the parameters that say what a model is, and its layers as text.

    Parameters
    ----------
    model
        A module.

    Returns
    -------
    params : dict
        Class, number of parameters and how many of them are trained.
    summary : str
        One line a layer: name, class with its settings, number of parameters.
    """
    inner = unwrap(model)
    total = trained = 0
    devices: dict[str, None] = {}
    for each in inner.parameters():
        count = 0 if _is_lazy(each) else each.numel()
        total += count
        trained += count if each.requires_grad else 0
        devices[str(each.device)] = None
    params = {
        "": type(inner).__qualname__,
        ".parameters": total,
        ".trainable": trained,
        "device": ", ".join(devices),
    }
    return params, _write_summary(inner, total, trained)


def _is_lazy(parameter: Any) -> bool:
    return type(parameter).__name__ == "UninitializedParameter"


def _write_summary(model: Any, total: int, trained: int) -> str:
    rows: list[tuple[str, str, str]] = []
    for name, module in model.named_modules():
        if len(rows) >= _MOST_ROWS:
            rows.append(("...", "", ""))
            break
        own = sum(0 if _is_lazy(p) else p.numel() for p in module.parameters(recurse=False))
        kind = type(module).__name__
        # A layer of the library describes itself; no code of the user is asked.
        if type(module).__module__.startswith("torch.nn."):
            kind = f"{kind}({module.extra_repr()})"
        rows.append((name or "(model)", kind, f"{own:,}" if own else ""))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{a.ljust(widths[0])}  {b.ljust(widths[1])}  {c}".rstrip() for a, b, c in rows]
    return "\n".join([*lines, "", f"{total:,} parameters, {trained:,} of them trained", ""])


def describe_optimizer(optimizer: Any) -> tuple[dict[str, Any], list[str]]:
    """Give an optimizer's settings, and the names of those that are not its defaults.

    Parameters
    ----------
    optimizer
        The optimizer.

    Returns
    -------
    params : dict
        Its class under the empty name, settings as ``.lr``, those of a further group as ``.1.lr``.
    changed : list of str
        Names among them.
    """
    kind = type(optimizer)
    params: dict[str, Any] = {"": kind.__qualname__}
    changed = [""]
    groups = optimizer.param_groups
    try:
        defaults = {n: each.default for n, each in inspect.signature(kind).parameters.items()}
    except (TypeError, ValueError):
        defaults = {}
    for index, group in enumerate(groups):
        label = f".{index}" if index else ""
        for name, value in group.items():
            if name in _LEFT_OUT:
                continue
            given = group.get("initial_lr", value) if name == "lr" else value
            if "max_lr" in group and name in _CYCLED:
                given = optimizer.defaults.get(name, given)
            plain = _make_plain_setting(given)
            if index and plain == _make_plain_setting(groups[0].get(name)):
                continue
            params[f"{label}.{name}"] = plain
            if name == "max_lr" or (name in defaults and make_plain(defaults[name]) != plain):
                changed.append(f"{label}.{name}")
    return params, changed


def _make_plain_setting(value: Any) -> Any:
    if hasattr(value, "is_cpu") and not value.is_cpu:
        return f"{type(value).__name__} on {value.device}"  # reading it would wait for the device
    return make_plain(value)


def describe_scheduler(scheduler: Any) -> dict[str, Any]:
    """Give a scheduler's settings: its plain public attributes that it does not itself change."""
    params: dict[str, Any] = {"": type(scheduler).__qualname__}
    for name, value in vars(scheduler).items():
        is_plain = type(value) in _PLAIN or isinstance(value, dict)
        if is_plain and not name.startswith("_") and name not in _SCHEDULER_STATE:
            plain = dict(value) if isinstance(value, dict) else value
            params[f".{name}"] = make_plain(plain)
    return params

"""What a Keras model says of itself: what it was compiled with, its rate, its layers."""

from __future__ import annotations

import inspect
from typing import Any

from mlops_nb.autolog.describe import make_plain
from mlops_nb.autolog.training import tidy_name

_MOST_LAYERS = 2000


def describe_compiled(model: Any) -> tuple[dict[str, Any], list[str]]:
    """Give what a model was compiled with, and the names of what is not the library's default."""
    params: dict[str, Any] = {"model": type(model).__qualname__, "model.layers": len(model.layers)}
    optimizer = getattr(model, "optimizer", None)
    changed = ["model"]
    if optimizer is not None:
        kind = type(optimizer)
        params["optimizer"] = kind.__name__
        changed.append("optimizer")
        # Its `get_config` gives the same, and on some backends a warning with it.
        for name, parameter in inspect.signature(kind).parameters.items():
            value = vars(optimizer).get(name)
            if name == "learning_rate":
                value = read_rate(optimizer) or vars(optimizer).get("_learning_rate")
            if name in {"name", "kwargs"} or value is None:
                continue
            params[f"optimizer.{name}"] = make_plain(value)
            default = parameter.default
            is_near = is_number(value) and is_number(default) and abs(value - default) < 1e-6
            if not is_near and value != default:
                changed.append(f"optimizer.{name}")
    config = getattr(model, "_compile_config", None)
    given = getattr(config, "config", None) or vars(model).get("_compile_config")
    loss = getattr(model, "loss", None)
    if loss is not None:
        params["loss"] = _name(loss)
        changed.append("loss")
    asked = given.get("metrics") if isinstance(given, dict) else None
    if asked:
        params["metrics"] = _name(asked)
        changed.append("metrics")
    return params, changed


def _name(value: Any) -> Any:
    """Name losses and metrics: by their texts, functions or classes."""
    if isinstance(value, (list, tuple)):
        return [_name(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _name(each) for key, each in value.items()}
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


def is_number(value: Any) -> bool:
    """Tell whether a value is one number, plain or of an array's kind."""
    if type(value) in {int, float}:
        return True
    return getattr(value, "shape", None) in {(), None} and hasattr(value, "item")


def read_rate(optimizer: Any) -> float | None:
    """Read the rate of an optimizer; None where a schedule sets it."""
    rate = vars(optimizer).get("_learning_rate") if optimizer is not None else None
    value: Any = getattr(rate, "value", None)
    if value is None:
        return float(rate) if rate is not None and type(rate) in {int, float} else None
    # A variable gives a warning of NumPy's when it is read as a number; what it holds does not.
    number: Any = value.detach() if hasattr(value, "detach") else value
    return float(f"{float(number):.7g}")  # as it was given, not as it is in 32 bits


def _count(weight: Any) -> int:
    total = 1
    for size in weight.shape:
        total *= int(size)
    return total


def write_layers(model: Any) -> tuple[str, dict[str, int]]:
    """List the layers of a model that is built, and count its parameters."""
    total = int(model.count_params())
    trained = sum(_count(each) for each in model.trainable_weights)
    rows = []
    for layer in model.layers[:_MOST_LAYERS]:
        try:
            shape = str(tuple(layer.output.shape))
        except (AttributeError, ValueError):
            shape = ""  # a layer that is used twice, or not yet, has no one output
        count = str(layer.count_params()) if layer.built else ""
        rows.append((tidy_name(layer.name), type(layer).__name__, shape, count))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    lines.append(f"{total} parameters, {trained} of them trained")
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    return text, {"model.parameters": total, "model.trainable": trained}

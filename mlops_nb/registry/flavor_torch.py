"""Flavor of torch modules: weights as safetensors, the architecture as names and plain numbers.

The architecture is a tree of layers of ``torch.nn`` from a fixed list, or one class of an installed
package whose constructor takes no arguments. No code is ever read from the saved bytes.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sysconfig
from pathlib import Path
from typing import Any

from mlops_nb.errors import MLOpsError, UnsafeModelError

LAYERS = frozenset(
    [
        "AdaptiveAvgPool1d",
        "AdaptiveAvgPool2d",
        "AvgPool1d",
        "AvgPool2d",
        "BatchNorm1d",
        "BatchNorm2d",
        "Conv1d",
        "Conv2d",
        "Conv3d",
        "ConvTranspose1d",
        "ConvTranspose2d",
        "Dropout",
        "Dropout1d",
        "Dropout2d",
        "ELU",
        "Embedding",
        "Flatten",
        "GELU",
        "GroupNorm",
        "Hardswish",
        "Hardtanh",
        "Identity",
        "LayerNorm",
        "LeakyReLU",
        "Linear",
        "LogSigmoid",
        "LogSoftmax",
        "MaxPool1d",
        "MaxPool2d",
        "Mish",
        "PReLU",
        "ReLU",
        "ReLU6",
        "SELU",
        "SiLU",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Tanh",
        "Unflatten",
        "ZeroPad2d",
    ]
)
"""Layers of ``torch.nn`` that are made again from their constructor's arguments."""

_WEIGHT_ARGUMENTS = {"bias", "affine", "elementwise_affine"}
_SKIPPED_ARGUMENTS = {"device", "dtype", "inplace", "_weight", "_freeze"}
_WAY_ON = (
    "Build the model from torch.nn layers in a torch.nn.Sequential, or put its class into an "
    "installed package with a constructor that takes no arguments."
)
_DAMAGED = "It was not loaded. Register the model again from its notebook."


def save(model: Any) -> bytes:
    """Save a module and check that it can be made again.

    Parameters
    ----------
    model
        A torch module.

    Returns
    -------
    bytes
        A safetensors file whose metadata hold the architecture.

    Raises
    ------
    UnsafeModelError
        The module cannot be made again without the notebook's code.
    """
    import torch

    if not isinstance(model, torch.nn.Module):
        raise UnsafeModelError("not a torch module", [type(model).__name__], _WAY_ON)
    architecture = _describe(model)
    tensors = {name: each.detach().cpu().contiguous() for name, each in model.state_dict().items()}
    try:
        _build(architecture).load_state_dict(tensors)
        data: bytes = _import_safetensors().save(
            tensors, {"mlops_nb": json.dumps(architecture, sort_keys=True)}
        )
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnsafeModelError(
            f"this torch module cannot be made again from its parts ({first})",
            [type(model).__name__],
            _WAY_ON,
        ) from error
    return data


def load(data: bytes) -> Any:
    """Load a module, ready to predict.

    Parameters
    ----------
    data
        What `save` gave.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, on the CPU.

    Raises
    ------
    UnsafeModelError
        The bytes are not what `save` writes.
    """
    tensors = _import_safetensors()
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        model = _build(json.loads(header["__metadata__"]["mlops_nb"]))
        model.load_state_dict(tensors.load(data))
    except UnsafeModelError:
        raise
    except Exception as error:  # the parser of safetensors has errors of its own kind
        raise UnsafeModelError(
            f"the saved torch model is damaged or of another form ({type(error).__name__})",
            hint=_DAMAGED,
        ) from error
    return model.eval()


def _import_safetensors() -> Any:
    try:
        return importlib.import_module("safetensors.torch")
    except ImportError as error:
        raise MLOpsError(
            "torch models are saved with safetensors, which is not installed.",
            "Install it with: pip install 'mlops-nb[torch]'",
        ) from error


def _describe(module: Any) -> dict[str, Any]:
    """Describe a module so that `_build` makes one of the same shape."""
    import torch

    cls = type(module)
    if cls is torch.nn.Sequential:
        parts = [[name, _describe(child)] for name, child in module.named_children()]
        return {"sequential": parts}
    if cls.__name__ in LAYERS and cls is getattr(torch.nn, cls.__name__):
        return {"layer": cls.__name__, "arguments": _read_arguments(module)}
    path = f"{cls.__module__}:{cls.__qualname__}"
    _find_class(path)
    return {"class": path}


def _read_arguments(layer: Any) -> dict[str, Any]:
    """Read back the arguments that a layer was made with, from its attributes of the same name."""
    arguments = {}
    for name in inspect.signature(type(layer).__init__).parameters:
        if name == "self" or name in _SKIPPED_ARGUMENTS or not hasattr(layer, name):
            continue
        value = getattr(layer, name)
        if name in _WEIGHT_ARGUMENTS and not isinstance(value, bool):
            value = value is not None
        arguments[name] = value
    return arguments


def _build(node: Any) -> Any:
    import torch

    if not isinstance(node, dict):
        raise UnsafeModelError("the architecture of the saved model is damaged", hint=_DAMAGED)
    if "sequential" in node:
        model = torch.nn.Sequential()
        for name, child in node["sequential"]:
            model.add_module(str(name), _build(child))
        return model
    if "layer" in node:
        if node["layer"] not in LAYERS:
            raise UnsafeModelError("the saved model holds a layer outside our list", hint=_DAMAGED)
        return getattr(torch.nn, node["layer"])(**node["arguments"])
    return _find_class(str(node.get("class", "")))()


def _find_class(path: str) -> Any:
    """Find a module class of an installed package; a class of a notebook or folder is refused."""
    import torch

    module_name, _, name = path.partition(":")
    refusal = UnsafeModelError(
        "the class of this torch module is not part of an installed package",
        [path.replace(":", ".")],
        _WAY_ON,
    )
    if not name.isidentifier() or not _is_installed(module_name.partition(".")[0]):
        raise refusal
    try:
        cls = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError):
        raise refusal from None
    if not (isinstance(cls, type) and issubclass(cls, torch.nn.Module)):
        raise refusal
    if len(inspect.signature(cls.__init__).parameters) > 1:  # their values would be lost silently
        raise UnsafeModelError(
            "the arguments that made this torch module are not known", [name], _WAY_ON
        )
    return cls


def _is_installed(package: str) -> bool:
    """Tell whether a package lies where installers put packages, not in the working folder."""
    try:
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
    except (ImportError, ValueError):
        return False  # such as __main__, which has no spec
    if spec is None or not spec.origin:
        return False
    origin = Path(spec.origin).resolve()
    return any(
        origin.is_relative_to(Path(sysconfig.get_path(key)).resolve())
        for key in ("purelib", "platlib")
    )

"""Numbers out of tensors without waiting for a device while a loop runs."""

from __future__ import annotations

import sys
from typing import Any

_MOST_TENSORS = 100_000


def take(tensor: Any) -> Any:
    """Take the value of a scalar tensor, now or later.

    Parameters
    ----------
    tensor
        Any tensor.

    Returns
    -------
    float, tensor or None
        A number where the tensor is in main memory; else a copy on its device, to be read later
        with many others: the tensor itself would keep its graph, and may be written to. None where
        it has no single value, or no value at all (fake, meta, under a capture of a graph).
    """
    torch = sys.modules["torch"]
    if type(tensor) not in {torch.Tensor, torch.nn.Parameter} or tensor.numel() != 1:
        return None
    kind = tensor.device.type
    if kind == "cpu":
        number = tensor.item()
        return float(number) if type(number) in {int, float} else None
    if kind == "meta" or (kind == "cuda" and torch.cuda.is_current_stream_capturing()):
        return None
    return tensor.detach().reshape(()).clone()


def take_loss(tensors: tuple[Any, ...], *, is_scaled: bool) -> Any:
    """Take the sum of what ``backward`` is called on, without the scale of a ``GradScaler``."""
    total: Any = None
    for tensor in tensors:
        value = take(tensor)
        if value is None:
            continue
        if is_scaled:
            function = tensor.grad_fn
            # A scaler that is switched off gives back what it was given.
            scale = None
            if type(function).__name__ == "MulBackward0":
                scale = take(getattr(function, "_saved_other", None))
            if scale is not None:
                value = value / scale
        total = value if total is None else total + value
    return total


def read_values(values: list[Any]) -> tuple[list[float], bool]:
    """Read many values, those of a device all at once.

    Parameters
    ----------
    values
        Numbers and scalar tensors.

    Returns
    -------
    numbers : list of float
        In the same order.
    has_waited : bool
        Whether a device was waited for.
    """
    torch = sys.modules["torch"]
    places: dict[Any, list[int]] = {}
    for index, value in enumerate(values):
        if type(value) is not float:
            places.setdefault(value.device, []).append(index)
    if not places:
        return values, False
    numbers = list(values)
    with torch.no_grad():
        for device, indexes in places.items():
            exact = torch.float32 if device.type == "mps" else torch.float64
            stacked = torch.stack([values[index].to(exact) for index in indexes])
            for index, number in zip(indexes, stacked.tolist(), strict=True):
                numbers[index] = number
    return numbers, True


def measure_norm(optimizer: Any) -> Any:
    """Give the norm of all gradients of an optimizer's parameters together.

    Parameters
    ----------
    optimizer
        Just after its step: what it went by is still there.

    Returns
    -------
    float, tensor or None
        As `take`; None where there are no gradients, or of kinds whose norm is not this simple:
        sparse, sharded, on several devices, still scaled.
    """
    torch = sys.modules["torch"]
    if getattr(optimizer, "grad_scale", None) is not None:
        return None
    gradients = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is not None:
                gradients.append(gradient)
    if not gradients or len(gradients) > _MOST_TENSORS:
        return None
    first = gradients[0]
    for gradient in gradients:
        is_plain = type(gradient) is torch.Tensor and gradient.layout is torch.strided
        if not is_plain or gradient.device != first.device:
            return None
    with torch.no_grad():
        norms = torch._foreach_norm(gradients)  # noqa: SLF001 - as torch clips
        norm = torch.stack(norms) if len({each.dtype for each in norms}) == 1 else None
        return None if norm is None else take(torch.linalg.vector_norm(norm))

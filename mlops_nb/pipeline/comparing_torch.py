"""Compares tensors, modules and optimizers of torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.comparing_arrays import compare_content
from mlops_nb.pipeline.comparing_parts import Pair, Part, Unequal, Unsure, Walk, shorten

_TENSOR_PARTS = ("dtype", "device", "layout", "requires_grad", "is_leaf")
_TABLES = ("_parameters", "_buffers", "_modules")
# Wrappers around methods of this very process, and marks that torch sets on the way.
_LEFT_OUT = frozenset(
    ["step", "_zero_grad_profile_name", "_warned_capturable_if_run_uncaptured", "_opt_called"]
)


def compare_tensors(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare tensors by type, place, elements and gradient."""
    for name in _TENSOR_PARTS:
        held = [str(getattr(side, name)) for side in (reference, pipeline)]
        if held[0] != held[1]:
            yield Unequal("dtype" if name == "dtype" else "value", held[0], held[1], f".{name}")
    if reference.shape != pipeline.shape:
        yield Unequal("shape", str(tuple(reference.shape)), str(tuple(pipeline.shape)))
        return
    plain = [_make_array(side) for side in (reference, pipeline)]
    if plain[0] is None or plain[1] is None:
        yield from _compare_other_layout(reference, pipeline)
        return
    yield from compare_content(walk, plain[0], plain[1])
    if reference.device.type == "cpu":
        walk.note_memory(plain[0], plain[1])
    if reference.is_leaf:
        yield Pair(".grad", reference.grad, pipeline.grad)
    else:
        grads = [type(side.grad_fn).__name__ for side in (reference, pipeline)]
        yield Pair(".grad_fn", grads[0], grads[1])
        yield Unsure("the computation behind a tensor cannot be compared", ".grad_fn")
    yield from _compare_tables(".__dict__", vars(reference), vars(pipeline))


def _make_array(tensor: Any) -> Any:
    """Give the tensor's memory as an array; None where it has none."""
    torch = sys.modules["torch"]
    if tensor.layout is not torch.strided or tensor.is_quantized:
        return None
    plain = tensor.detach().resolve_conj().resolve_neg().cpu()
    if plain.dtype == torch.bfloat16 or str(plain.dtype).startswith("torch.float8"):
        plain = plain.float()  # NumPy has no such type, and every value has one of float32
    try:
        return plain.numpy()
    except (TypeError, RuntimeError):
        return None


def _compare_other_layout(reference: Any, pipeline: Any) -> Iterator[Part]:
    if reference.is_quantized:
        values = [side.int_repr() for side in (reference, pipeline)]
        yield Pair(".int_repr()", values[0], values[1])
        return
    names = {
        "torch.sparse_coo": ("_indices", "_values"),
        "torch.sparse_csr": ("crow_indices", "col_indices", "values"),
        "torch.sparse_csc": ("ccol_indices", "row_indices", "values"),
    }.get(str(reference.layout))
    if names is None:
        yield Unsure(f"a tensor of {reference.layout} and {reference.dtype}")
        return
    for name in names:
        held = [getattr(side.detach(), name)() for side in (reference, pipeline)]
        yield Pair(f".{name}()", held[0], held[1])


def _compare_tables(place: str, reference: Any, pipeline: Any) -> Iterator[Part]:
    for name, value in reference.items():
        if name in pipeline:
            yield Pair(f".{name}", value, pipeline[name])
        else:
            yield Unequal("key", shorten(value), f"not in {place}", f".{name}")
    for name, value in pipeline.items():
        if name not in reference:
            yield Unequal("key", f"not in {place}", shorten(value), f".{name}")


def compare_torch_modules(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare modules by parameters, buffers and modules inside, then by what else they hold."""
    states = [vars(side) for side in (reference, pipeline)]
    if type(reference).__module__.startswith("torch.jit"):
        held = [dict(side.state_dict()) for side in (reference, pipeline)]
        yield Pair(".state_dict()", held[0], held[1])
        yield Unsure("compiled code of torch cannot be compared")
        return
    for table in _TABLES:
        orders = [list(state.get(table, ())) for state in states]
        yield from _compare_tables(table, states[0].get(table, {}), states[1].get(table, {}))
        if orders[0] != orders[1]:
            yield Unequal("order", shorten(orders[0]), shorten(orders[1]), f".{table}")
    rest = [_split_hooks(state) for state in states]
    yield from _compare_tables("its attributes", rest[0][0], rest[1][0])
    yield from _compare_tables("its hooks", rest[0][1], rest[1][1])
    del walk


def _split_hooks(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give attributes and hooks; the numbers that torch gives hooks count up through a process."""
    rest = {k: v for k, v in state.items() if k not in _TABLES and k not in _LEFT_OUT}
    hooks = {k: v for k, v in rest.items() if "_hooks" in k}
    plain = {k: v for k, v in rest.items() if k not in hooks}
    return plain, {k: list(v.values()) if hasattr(v, "values") else v for k, v in hooks.items()}


def compare_optimizers(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare optimizers: groups, then the state of each parameter by its position."""
    yield Pair(".param_groups", reference.param_groups, pipeline.param_groups)
    lists = [
        [parameter for group in side.param_groups for parameter in group["params"]]
        for side in (reference, pipeline)
    ]
    for at, (first, second) in enumerate(zip(*lists, strict=False)):
        held = [
            dict(side.state[parameter]) if parameter in side.state else None
            for side, parameter in ((reference, first), (pipeline, second))
        ]
        yield Pair(f".state[{at}]", held[0], held[1])
    counts = [str(len(side.state)) for side in (reference, pipeline)]
    if counts[0] != counts[1]:
        yield Unequal("length", counts[0], counts[1], ".state")
    skipped = ("state", "param_groups")
    states = [{k: v for k, v in vars(s).items() if k not in skipped} for s in (reference, pipeline)]
    rest = [_split_hooks(state) for state in states]
    yield from _compare_tables("its attributes", rest[0][0], rest[1][0])
    del walk


def compare_generators(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare torch's random generators by state."""
    del walk
    yield Pair(".device", str(reference.device), str(pipeline.device))
    yield Pair(".get_state()", reference.get_state(), pipeline.get_state())

"""The data that a loader gives: named and fingerprinted where they lie in memory."""

from __future__ import annotations

import sys
from typing import Any

from mlops_nb.autolog.frames import read_fields
from mlops_nb.autolog.snapshots import SnapshotQueue
from mlops_nb.autolog.torch_loaders import read_size
from mlops_nb.capture.kinds import Kinds
from mlops_nb.data import fingerprint
from mlops_nb.tracking import Run

_EXACT_BYTES = 64 << 20
_MOST_PARTS = 8
_SEQUENCES = Kinds(list, tuple)


def log_loader(loader: Any, run: Run, queue: SnapshotQueue | None) -> dict[str, Any]:
    """Record what a loader gives, and give the parameters that say so.

    Parameters
    ----------
    loader
        A ``DataLoader``.
    run
        Gets the data sets.
    queue
        Keeps small data, after the cell.

    Returns
    -------
    dict
        Class of the data set, samples, size of a batch, workers.
    """
    dataset = loader.dataset
    size, most = read_size(loader)
    params: dict[str, Any] = {"dataset": type(dataset).__qualname__}
    if most is not None:
        params["dataset.samples"] = most
    if size is not None:
        params["batch_size"] = size
    if loader.num_workers:
        params["num_workers"] = loader.num_workers
    for name, value in list_parts(dataset):
        log_part(value, name, "train", run, queue)
    return params


def log_part(value: Any, name: str, role: str, run: Run, queue: SnapshotQueue | None) -> None:
    """Record one array or frame, from `read_part`."""
    record = fingerprint(value, name, role, limit_bytes=_EXACT_BYTES)
    if record is not None:
        if queue is not None:
            record = queue.add(value, record, run)
        run.log_dataset(record)


def read_part(value: Any) -> Any:
    """Give data as something that can be fingerprinted and copied; None for anything else."""
    return next(iter(_read(value)), None)


def list_parts(dataset: Any) -> list[tuple[str, Any]]:
    """Give the arrays, tensors and frames that a data set holds, a few at most.

    Parameters
    ----------
    dataset
        A data set of torch's, of torchvision's or of the user's own class.

    Returns
    -------
    list of tuple
        Names and data; tensors in main memory as arrays over the same memory.
    """
    found: list[tuple[str, Any]] = []
    waiting: list[tuple[str, Any]] = [("", dataset)]
    torch = sys.modules["torch"]
    while waiting and len(found) < _MOST_PARTS:
        prefix, owner = waiting.pop(0)
        for name, value in list(read_fields(owner).items()):
            label = f"{prefix}{name}"
            if issubclass(type(value), torch.utils.data.Dataset):
                waiting.append((f"{label}.", value))  # a subset, or another view of the data
            elif type(value) in _SEQUENCES and 0 < len(value) <= _MOST_PARTS:
                found += [
                    (f"{label}[{index}]", read)
                    for index, part in enumerate(value)
                    for read in _read(part)
                ]
            else:
                found += [(label, read) for read in _read(value)]
    return found[:_MOST_PARTS]


def _read(value: Any) -> list[Any]:
    """Give data as something that can be fingerprinted and copied; nothing for anything else."""
    torch = sys.modules["torch"]
    if type(value) is torch.Tensor:
        is_plain = value.is_cpu and value.layout is torch.strided and value.numel() > 1
        has_name = value.dtype not in {torch.bfloat16} and not value.is_quantized
        if not is_plain or not has_name:
            return []  # reading it from a device would wait for the device
        return [value.detach().numpy()]
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    is_data = (module, kind.__name__) in {
        ("numpy", "ndarray"),
        ("pandas", "DataFrame"),
        ("pandas", "Series"),
    }
    return [value] if is_data and len(value) > 1 else []

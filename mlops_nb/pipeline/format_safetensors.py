"""Tensors of torch, and dicts of them, as ``.safetensors`` files."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from typing import Any

from mlops_nb.pipeline.contentfile import ContentFile
from mlops_nb.pipeline.formats import Place, Plan
from mlops_nb.pipeline.sealing import INLINE_BYTES

# Names of element types as the format has them.
_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "bool": "BOOL",
}
_OWN_NAME = "tensor"


def plan_tensors(value: Any) -> Plan | None:
    """Plan how a tensor or a dict of tensors, such as a ``state_dict``, is written.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    Plan or None
        None where it is something else, or a tensor does not fill memory of its own.
    """
    torch: Any = sys.modules["torch"]
    kind = type(value)
    tensors = value if kind in (dict, OrderedDict) else {_OWN_NAME: value}
    for name, tensor in tensors.items():
        if type(name) is not str or name == "__metadata__":
            return None
        if type(tensor) is not torch.Tensor or not _is_plain(torch, tensor):
            return None
    memory = [(tensor.data_ptr(), tensor.nbytes) for tensor in tensors.values() if tensor.nbytes]
    if sum(length for _, length in memory) <= INLINE_BYTES or len(set(memory)) < len(memory):
        return None

    def write(file: ContentFile) -> list[Place]:
        file.write(_write_header(tensors))
        places = []
        for tensor in tensors.values():
            if tensor.nbytes:
                places.append((tensor.data_ptr(), tensor.nbytes, file.size_bytes))
                storage = tensor.untyped_storage()
                file.write(torch.tensor([], dtype=torch.uint8).set_(storage).numpy())
        return places

    return Plan("safetensors", tuple(memory), write)


def _is_plain(torch: Any, tensor: Any) -> bool:
    if tensor.device.type != "cpu" or tensor.layout is not torch.strided or tensor.is_quantized:
        return False
    if not tensor.is_contiguous() or tensor.is_conj() or tensor.is_neg():
        return False
    fills = tensor.untyped_storage().nbytes() == tensor.nbytes
    return fills and str(tensor.dtype).removeprefix("torch.") in _NAMES


def _write_header(tensors: dict[str, Any]) -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": _NAMES[str(tensor.dtype).removeprefix("torch.")],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + tensor.nbytes],
        }
        place += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text

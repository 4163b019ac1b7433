"""Arrays of numpy as ``.npy`` files."""

from __future__ import annotations

import warnings
from typing import Any

from mlops_nb.pipeline.contentfile import ContentFile
from mlops_nb.pipeline.formats import Place, Plan
from mlops_nb.pipeline.sealing import INLINE_BYTES


def plan_array(array: Any) -> Plan | None:
    """Plan how an array is written.

    Parameters
    ----------
    array
        Exactly a `numpy.ndarray`.

    Returns
    -------
    Plan or None
        None where it holds objects or has gaps, or its type cannot be named in the file.
    """
    if array.nbytes <= INLINE_BYTES or array.dtype.hasobject:
        return None
    if not (array.flags.c_contiguous or array.flags.f_contiguous) or not _is_named(array.dtype):
        return None
    address = array.__array_interface__["data"][0]

    def write(file: ContentFile) -> list[Place]:
        import numpy as np

        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, header)
        place = (address, array.nbytes, file.size_bytes)
        order: Any = "C" if array.flags.c_contiguous else "F"
        file.write(array.reshape(-1, order=order).view(np.uint8))
        return [place]

    return Plan("npy", ((address, array.nbytes),), write)


def _is_named(dtype: Any) -> bool:
    import numpy as np

    with warnings.catch_warnings(action="error"):
        try:
            return bool(np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype)) == dtype)
        except (UserWarning, TypeError, ValueError):  # a warning: something would be left out
            return False

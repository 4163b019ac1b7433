"""Chooses how values of a class are compared."""

from __future__ import annotations

import collections
import enum
import functools
import pathlib
import sys
import types
import weakref
from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline import (
    comparing_arrays,
    comparing_classes,
    comparing_figures,
    comparing_frames,
    comparing_objects,
    comparing_torch,
    comparing_values,
)
from mlops_nb.pipeline.comparing_parts import Comparer, Pair, Part, Walk
from mlops_nb.pipeline.comparing_values import check_plain

_EXACT: dict[type[Any], Comparer] = {
    list: comparing_values.compare_sequences,
    tuple: comparing_values.compare_sequences,
    dict: comparing_values.compare_mappings,
    collections.OrderedDict: comparing_values.compare_mappings,
    collections.defaultdict: comparing_values.compare_mappings,
    set: comparing_values.compare_sets,
    frozenset: comparing_values.compare_sets,
    complex: comparing_values.compare_complex,
    bytearray: comparing_values.compare_bytearrays,
    memoryview: comparing_values.compare_memoryviews,
    collections.deque: comparing_values.compare_deques,
    types.MappingProxyType: comparing_values.compare_mapping_proxies,
    types.FunctionType: comparing_classes.compare_functions,
    types.CodeType: comparing_classes.compare_codes,
    types.MethodType: comparing_classes.compare_methods,
    types.BuiltinFunctionType: comparing_classes.compare_builtins,
    types.CellType: comparing_classes.compare_cells,
    property: comparing_classes.compare_wrappers,
    staticmethod: comparing_classes.compare_wrappers,
    classmethod: comparing_classes.compare_wrappers,
    functools.cached_property: comparing_classes.compare_wrappers,
    types.MemberDescriptorType: comparing_classes.compare_descriptors,
    types.GetSetDescriptorType: comparing_classes.compare_descriptors,
    types.ModuleType: comparing_classes.compare_modules,
    type(functools.lru_cache(len)): comparing_classes.compare_caches,
    weakref.ref: comparing_objects.compare_references,
    types.GeneratorType: comparing_objects.compare_generators,
    types.CoroutineType: comparing_objects.compare_generators,
    types.AsyncGeneratorType: comparing_objects.compare_generators,
}
_BASES: tuple[tuple[Any, Comparer], ...] = (
    (type, comparing_classes.compare_classes),
    (enum.Enum, comparing_classes.compare_enum_members),
    (pathlib.PurePath, comparing_values.compare_paths),
    (BaseException, comparing_objects.compare_exceptions),
    (comparing_objects.FILES, comparing_objects.compare_files),
    (comparing_objects.WEAK_MAPPINGS, comparing_objects.compare_weak_mappings),
)
# Classes of libraries, looked up only where these are loaded: what is not cannot have made a value.
_ELSEWHERE: tuple[tuple[str, str, Comparer], ...] = (
    ("numpy", "ndarray", comparing_arrays.compare_arrays),
    ("numpy", "generic", comparing_arrays.compare_numbers),
    ("numpy", "dtype", comparing_arrays.compare_dtypes),
    ("scipy.sparse", "sparray", comparing_arrays.compare_sparse),
    ("scipy.sparse", "spmatrix", comparing_arrays.compare_sparse),
    ("pandas", "DataFrame", comparing_frames.compare_frames),
    ("pandas", "Series", comparing_frames.compare_series),
    ("pandas", "Index", comparing_frames.compare_indexes),
    ("pandas.api.extensions", "ExtensionArray", comparing_frames.compare_extension_arrays),
    ("pandas.api.extensions", "ExtensionDtype", comparing_frames.compare_dtypes),
    ("polars", "DataFrame", comparing_frames.compare_polars_frames),
    ("polars", "Series", comparing_frames.compare_polars_series),
    ("polars", "LazyFrame", comparing_frames.compare_polars_plans),
    ("torch", "Tensor", comparing_torch.compare_tensors),
    ("torch.nn", "Module", comparing_torch.compare_torch_modules),
    ("torch.optim", "Optimizer", comparing_torch.compare_optimizers),
    ("torch", "Generator", comparing_torch.compare_generators),
    ("matplotlib.figure", "FigureBase", comparing_figures.compare_figures),
    ("matplotlib.artist", "Artist", comparing_figures.compare_artists),
)
_SCALARS = (int, float, complex, str, bytes)


def find_comparer(kind: type[Any]) -> Comparer:
    """Choose how values of a class are compared.

    Parameters
    ----------
    kind
        The class.

    Returns
    -------
    callable
        Takes the comparison and two values; yields parts.
    """
    exact = _EXACT.get(kind)
    if exact is not None:
        return exact
    for base, comparer in _BASES:
        if issubclass(kind, base):
            return comparer
    for module, name, comparer in _ELSEWHERE:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and issubclass(kind, found):
            return comparer
    if issubclass(kind, _SCALARS):
        return _compare_scalar_subclasses
    for base in (tuple, list, dict, set, frozenset):
        if issubclass(kind, base):
            return functools.partial(_compare_container_subclasses, _EXACT[base])
    return comparing_objects.compare_objects


def _compare_scalar_subclasses(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    base: Any = next(base for base in _SCALARS if isinstance(reference, base))
    plain = [_make_plain(base, side) for side in (reference, pipeline)]
    if base in (int, str, bytes):
        unequal = check_plain(walk, plain[0], plain[1])
        if unequal is not None:
            yield unequal
    else:
        yield Pair("", plain[0], plain[1])
    yield from comparing_objects.compare_states(walk, reference, pipeline)


def _make_plain(base: Any, value: Any) -> Any:
    """Give the number or text that a subclass is, without asking the subclass."""
    if base is str:
        return "".join(str.__iter__(value))
    if base is bytes:
        return bytes.__getitem__(value, slice(None)) + b""
    return base.__pos__(value)


def _compare_container_subclasses(
    content: Comparer, walk: Walk, reference: Any, pipeline: Any
) -> Iterator[Part]:
    yield from content(walk, reference, pipeline)
    yield from comparing_objects.compare_states(walk, reference, pipeline)

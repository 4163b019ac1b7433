"""Registered models: versions, aliases, flavors, signatures, lineage."""

from mlops_nb.registry.overview import list_changes, summarize_models
from mlops_nb.registry.signature import infer_signature
from mlops_nb.registry.versions import (
    ModelRef,
    list_versions,
    load,
    parse_ref,
    register,
    resolve,
    set_alias,
)

__all__ = [
    "ModelRef",
    "infer_signature",
    "list_changes",
    "list_versions",
    "load",
    "parse_ref",
    "register",
    "resolve",
    "set_alias",
    "summarize_models",
]

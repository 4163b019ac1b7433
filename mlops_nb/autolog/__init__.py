"""Records what a notebook does without being asked, and undoes every patch."""

from mlops_nb.autolog.arming import (
    LIBRARIES,
    arm,
    disarm,
    example_of,
    finish_cell,
    run_of,
    status,
    switch,
)

__all__ = [
    "LIBRARIES",
    "arm",
    "disarm",
    "example_of",
    "finish_cell",
    "run_of",
    "status",
    "switch",
]

"""Keeps ``torch.compile`` out of our own code, which runs inside of steps that are compiled.

Between the graphs of a compiled function, whatever Python runs is compiled as well, hooks
included: that takes seconds, counts towards the user's limits and shows up in the user's reports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from mlops_nb.autolog.frames import hide_frame


def make_eager(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function run as it is, where it is called from code that is being compiled.

    Parameters
    ----------
    function
        Ours; it is not called from the usual path of a step.

    Returns
    -------
    callable
        The function itself where this torch has no known switch.
    """
    found: Any = sys.modules["torch"]
    for name in ("_C", "_dynamo", "eval_frame", "set_eval_frame"):
        found = getattr(found, name, None)
    if not callable(found):
        return function
    switch = found

    def call(*args: Any, **kwargs: Any) -> Any:
        before = switch(None)
        try:
            return function(*args, **kwargs)
        finally:
            switch(before)

    return hide_frame(call)

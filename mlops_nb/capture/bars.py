"""How far bars of tqdm have got, looked at from another thread.

Nothing is patched and nothing is called: tqdm keeps a list of its bars for a thread of its own.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple

from mlops_nb import records

if TYPE_CHECKING:
    from mlops_nb.records import ProgressRecord


LONGEST = 100
_SLACK_S = 0.05


class Sighting(NamedTuple):
    """A bar or loop as it stood when it was looked at.

    Attributes
    ----------
    key
        Tells it from other ones.
    began_at
        In seconds since the epoch, where that is known.
    """

    key: Hashable
    progress: ProgressRecord
    began_at: float | None = None


def find_bar(since: float) -> Sighting | None:
    """Find the outermost bar of tqdm that is not closed.

    Parameters
    ----------
    since
        In seconds since the epoch: bars that were begun earlier are left over from other cells.

    Returns
    -------
    Sighting or None
        None where tqdm is not loaded or shows no bar. The bar is not kept.
    """
    kind = getattr(sys.modules.get("tqdm.std"), "tqdm", None)
    held = getattr(getattr(kind, "_instances", None), "data", None)
    if not held:
        return None
    # One step for the interpreter, so that no lock is needed that a fork could leave behind.
    bars = [reference() for reference in list(held)]
    open_bars = [bar for bar in bars if getattr(bar, "start_t", 0.0) >= since - _SLACK_S]
    if not open_bars:
        return None
    bar = min(open_bars, key=lambda each: each.start_t)
    spent = time.time() - bar.start_t
    done, total = float(bar.n), getattr(bar, "total", None)
    initial = float(getattr(bar, "initial", 0) or 0)
    progress = records.ProgressRecord(
        n=done,
        total=None if total is None or not math.isfinite(total) else float(total),
        rate=(done - initial) / spent if spent > 0 and done > initial else None,
        description=" ".join(str(getattr(bar, "desc", "") or "").split()).rstrip(":")[:LONGEST],
    )
    return Sighting(("bar", bar.start_t), progress, bar.start_t)

"""What changed in the code between runs, line by line, whether or not they lie in a repository."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlops_nb.records import CellRecord, RunRecord

_MOST_LINES = 4000
_MOST_PLACES = 50
_MOST_SHOWN = 3
_LONGEST = 120
_ASKING = ("%mlops", "%load_ext", "%reload_ext")


class _Line(NamedTuple):
    """A line, where it stands, and what it is compared by."""

    text: str
    cell: int
    number: int


def describe_changes(runs: Sequence[RunRecord]) -> list[dict[str, str]]:
    """Say what each run executed where others executed something else.

    Parameters
    ----------
    runs
        With their cells, which are those up to and with the run.

    Returns
    -------
    list of dict
        Lines by their place, ``cell 2, line 3`` of the first run that was compared; empty where the
        code is the same, and the first 50 places of many. Of a cell that was executed again the
        last source counts.
    """
    told: list[dict[str, str]] = [{} for _ in runs]
    sources = [_list_lines(run.cells) for run in runs]
    if any(not lines or len(lines) > _MOST_LINES for lines in sources):
        return told
    first = sources[0]
    for at, other in enumerate(sources[1:], 1):
        texts = [line.text for line in first], [line.text for line in other]
        for kind, begin, end, start, stop in SequenceMatcher(None, *texts, False).get_opcodes():
            if kind == "equal":
                continue
            before, after = _show(texts[0][begin:end]), _show(texts[1][start:stop])
            if before == after:  # blank lines, or more of what is not shown
                continue
            place = first[begin] if begin < len(first) else first[-1]
            key = f"cell {place.cell}, line {place.number}"
            for run, known in enumerate(told):
                known.setdefault(key, before if run != at else after)
            told[at][key] = after
    for known in told:
        for key in list(known)[_MOST_PLACES:]:
            del known[key]
    return told


def _list_lines(cells: Sequence[CellRecord]) -> list[_Line]:
    """List the lines that count; what only asks us does not."""
    last: dict[str, CellRecord] = {}
    for cell in cells:
        key = cell.cell_id or cell.source
        last.pop(key, None)
        last[key] = cell
    return [
        _Line(line.rstrip(), cell.index, number)
        for cell in last.values()
        for number, line in enumerate(cell.source.splitlines(), 1)
        if line.strip() and not line.startswith(_ASKING)
    ]


def _show(lines: Sequence[str]) -> str:
    """Give some lines as one."""
    shown = "; ".join(line.strip() for line in lines[:_MOST_SHOWN])
    more = len(lines) - _MOST_SHOWN
    text = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    return f"{text} (and {more} more lines)" if more > 0 else text

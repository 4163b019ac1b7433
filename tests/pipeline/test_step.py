"""Which names later cells may need, and how a run tells its progress."""

from __future__ import annotations

import pytest

from mlops_nb.pipeline import Progress
from mlops_nb.pipeline.reach import find_needed


def test_words_of_later_cells_count() -> None:
    """Every word counts, in texts too, and every name that a carried function looks up."""
    found = find_needed(["df.query('a > @limit')", "# conn"], frozenset({"k"}))
    assert found is not None
    assert {"df", "limit", "conn", "k"} <= found
    assert "other" not in found


@pytest.mark.parametrize("source", ["globals()['x']", "eval('x')", "%whos", "%run other.py"])
def test_cells_that_reach_any_name(source: str) -> None:
    """A cell that may use names without writing them needs all of them."""
    assert find_needed([source], frozenset()) is None


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Progress("notice", message="hello"), "hello"),
        (Progress("step_started", "a", 1, 2), "[1/2] a ..."),
        (Progress("cell_finished", "a", 1, 2, 3, 4), "[1/2] a: cell 3 of 4"),
        (
            Progress("step_finished", "a", 2, 2, status="failed", duration_s=1.25, message="no"),
            "[2/2] a failed in 1.2 s: no",
        ),
    ],
)
def test_progress_is_one_line(event: Progress, line: str) -> None:
    """Every event of a run can be told in one line."""
    assert str(event) == line

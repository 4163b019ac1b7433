"""What changed in the code between runs is told line by line."""

from __future__ import annotations

from mlops_nb.records import CellRecord, RunRecord
from mlops_nb.tracking.changes import describe_changes


def make_run(*sources: str, ids: str = "") -> RunRecord:
    """Make a run that executed some cells, of which each character of `ids` names one."""
    cells = tuple(
        CellRecord(at, source, float(at), cell_id=ids[at] if ids else None)
        for at, source in enumerate(sources)
    )
    return RunRecord("r", "fit", "default", "finished", 0.0, cells=cells)


def test_changed_lines_are_told_by_their_place() -> None:
    """Other lines, new ones and lines that are gone stand with cell and line of the first run."""
    first = make_run("import x", "n = 100\nseed = 7", "a = fit(n)\nprint(a)")
    other = make_run("import x", "n = 20\nseed = 7", "z = 1\na = fit(n)")
    assert describe_changes([first, other]) == [
        {"cell 1, line 1": "n = 100", "cell 2, line 1": "", "cell 2, line 2": "print(a)"},
        {"cell 1, line 1": "n = 20", "cell 2, line 1": "z = 1", "cell 2, line 2": ""},
    ]


def test_the_same_code_has_no_changes() -> None:
    """Blank lines, questions to us, and a cell that was executed again make no difference."""
    first = make_run("%load_ext mlops_nb", "x = 1\n\ny = 2", "fit(x)")
    again = make_run("x = 1", "x = 1\ny = 2", "%mlops runs", "fit(x)", "fit(x)", ids="abcdd")
    assert describe_changes([first, make_run("x = 1  \ny = 2", "fit(x)")]) == [{}, {}]
    assert describe_changes([first, again])[1] == {"cell 1, line 1": "x = 1"}
    assert describe_changes([first, make_run()]) == [{}, {}]


def test_long_changes_are_cut_and_three_runs_are_told_apart() -> None:
    """Of many lines the first are shown; a run that is as the first says what that one says."""
    many = "\n".join(f"line_{at} = {'x' * 60}" for at in range(9))
    told = describe_changes([make_run("a = 1"), make_run("a = 1"), make_run(many)])
    assert told[0] == told[1] == {"cell 0, line 1": "a = 1"}
    assert told[2]["cell 0, line 1"].endswith("… (and 6 more lines)")

"""What executions do to variables, one after the other."""

from __future__ import annotations

from mlops_nb.notebook.executed import ExecutedCells


def test_effects_are_those_that_are_sure() -> None:
    """Reads, bindings and changes in place are told apart; imports bind nothing worth telling."""
    cells = ExecutedCells()
    assert cells.add("import numpy as np", "a").writes == ()
    assert cells.add("rows = np.arange(3)\nkept = []", "b").writes == ("kept", "rows")
    effect = cells.add("kept.append(rows.sum())", "c")
    assert (effect.reads, effect.writes, effect.changes) == (("kept", "rows"), (), ("kept",))
    assert cells.add("del rows", "d").writes == ("rows",)


def test_functions_of_earlier_cells_are_followed() -> None:
    """A call needs what the function needs; the same definition again is a repetition."""
    cells = ExecutedCells()
    source = "def scale(x):\n    return x * factor"
    assert cells.add(source, "a").writes == ("scale",)
    assert cells.add("scale(3)", "b").reads == ("factor", "scale")
    assert cells.add(source, "a").is_repeat
    assert not cells.add(source.replace("*", "+"), "a").is_repeat


def test_what_was_touched_meanwhile_is_no_repetition() -> None:
    """A literal that another cell has changed or bound is set anew by the cell that sets it."""
    cells = ExecutedCells()
    for touch in ("rows.append(1)", "rows = 5", "stranger(rows)"):
        assert not cells.add("rows = []\nseed = 0", "a").is_repeat
        assert cells.add("rows = []\nseed = 0", "a").is_repeat
        cells.add("print(rows)", "c")
        assert cells.add("rows = []\nseed = 0", "a").is_repeat
        cells.add(touch, "b")
    assert not cells.add("rows = load()", "a").is_repeat
    assert not cells.add("rows = load()", "a").is_repeat


def test_what_is_no_python_has_no_effect() -> None:
    """A cell that cannot be parsed claims nothing."""
    effect = ExecutedCells().add("this is no python", None)
    assert (effect.reads, effect.writes, effect.changes) == ((), (), ())

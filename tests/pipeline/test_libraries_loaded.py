"""What a library does to the process while it is imported is not taken for what a notebook does."""

from __future__ import annotations

import logging
import re
import warnings
from typing import Any

import pytest

from mlops_nb.pipeline.ambient import capture_ambient
from mlops_nb.pipeline.verify_loading import _leave_out_libraries
from tests.pipeline.places import Place

NOISY = """
import logging
logging.getLogger("of_its_own").addHandler(logging.StreamHandler())
def make():
    logging.getLogger("asked_for").addHandler(logging.StreamHandler())
"""


def test_handlers_of_an_import_keep_no_steps_together(place: Place) -> None:
    """A handler that an import sets is set by it in every step; one that a cell asks for is not."""
    work = place.folder / "work"
    work.mkdir(exist_ok=True)
    (work / "noisy.py").write_text(NOISY, encoding="utf-8")
    cells = [("x = 1", "step:a"), ("import noisy", "step:b"), ("print(x)", "step:c")]
    result = place.run(place.write(*cells))
    assert [step.fused_with for step in result.steps] == [None, None, None]
    cells[1] = ("import noisy\nnoisy.make()", "step:b")
    result = place.run(place.write(*cells))
    assert [step.fused_with for step in result.steps] == [None, None, "b"]


def leave_out(code: str, *sides: tuple[list[Any], dict[str, Any]]) -> list[tuple[int, list[str]]]:
    """Give how many filters and which loggers are left on each side."""
    built = [{"warnings": filters, "loggers": loggers} for filters, loggers in sides]
    found = _leave_out_libraries(built, code)
    return [(len(side["warnings"]), sorted(side["loggers"])) for side in found]


def test_settings_of_libraries_are_left_out() -> None:
    """What one side alone has counts where the notebook names it, by category, text or logger."""

    class OfLibrary(Warning):
        """A category."""

    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("ignore", OfLibrary)
        warnings.filterwarnings("ignore", message="odd text")
        warnings.filterwarnings("ignore", module="seaborn")
        warnings.simplefilter("ignore", DeprecationWarning)
        filters = list(warnings.filters)
    loggers = {"torch": (10, False, False), "": (30, False, True)}
    both: tuple[list[Any], dict[str, Any]] = (filters, loggers)
    none: tuple[list[Any], dict[str, Any]] = ([], {})
    assert leave_out("import torch", both, none) == [(0, [""]), (0, [])]
    assert leave_out("import torch", both, both) == [(4, ["", "torch"])] * 2
    assert leave_out("warnings.simplefilter('ignore', OfLibrary)", both, none)[0][0] == 1
    assert (
        leave_out("filterwarnings('ignore', 'odd text', module='seaborn')", both, none)[0][0] == 2
    )
    assert leave_out("logging.getLogger('torch').setLevel(10)", both, none)[0][1] == ["", "torch"]
    compiled = [("ignore", re.compile("odd text"), Warning, None, 0)]
    assert leave_out("warnings", (compiled, {}), none)[0][0] == 0


def test_options_of_a_library_that_one_side_lacks_are_left_out() -> None:
    """They are its defaults: a notebook that sets them has imported it on both sides."""
    sides = [{"libraries": {"numpy": 1, "torch": 2}}, {"libraries": {"numpy": 3}}]
    found = _leave_out_libraries(sides, "import torch")
    assert [side["libraries"] for side in found] == [{"numpy": 1}, {"numpy": 3}]


def test_order_of_imports_is_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loggers that were made and variables that were set in another order are the same state."""
    found = []
    for names in (("of_a", "of_b"), ("of_b", "of_a")):
        made = {name: logging.Logger(name, logging.ERROR) for name in names}
        for name in names:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.setenv(name, "1")
        with monkeypatch.context() as patch:
            patch.setattr(logging.root.manager, "loggerDict", made)
            state = capture_ambient({})
        found.append((list(state["loggers"]), list(state["environment"])))
    assert found[0] == found[1]
    assert found[0][0] == ["", "of_a", "of_b"]

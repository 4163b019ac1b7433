"""What recording asks Python for calls every audit hook of the process, ours among them: so seldom."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import Any

import pytest

from tests.autolog.conftest import Notebook

_FIT = "for n in range(4):\n    watch(n == 3)\n    model = LogisticRegression().fit(X, y)\n    watch(False)"
_METRIC = (
    "from sklearn.metrics import accuracy_score\np = model.predict(X)\n"
    "for n in range(4):\n    watch(n == 3)\n    accuracy_score(y, p)\n    watch(False)"
)


class _Watch:
    """Counts the audit events that code of this package raises; a hook of Python's stays for good."""

    def __init__(self) -> None:
        self.is_on = False
        self.thread = threading.get_ident()
        self.events: Counter[tuple[str, str]] = Counter()
        sys.addaudithook(self._hook)

    def __call__(self, is_on: bool) -> None:
        self.is_on = is_on

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on or threading.get_ident() != self.thread:
            return  # what our own threads ask for is nobody's time
        self.is_on = False  # what is asked for here is an event as well
        frame = sys._getframe(1)
        if str(frame.f_globals.get("__name__")).startswith("mlops_nb."):
            self.events[event, str(arguments[1:2])] += 1
        self.is_on = True


@pytest.fixture(scope="module")
def watch() -> _Watch:
    """Give the one hook of these tests."""
    return _Watch()


@pytest.mark.parametrize(("code", "most"), [(_FIT, 6), (_METRIC, 4)], ids=["fit", "metric"])
def test_a_recorder_asks_seldom(notebook: Notebook, watch: _Watch, code: str, most: int) -> None:
    """Each event calls every audit hook of the process; a frame is looked at once by each who must.

    Before scikit-learn 1.9 two hooks ask who calls, one of them once more.
    """
    notebook.run("model = LogisticRegression().fit(X, y)")
    notebook.namespace["watch"] = watch
    watch.events.clear()
    notebook.run(code)
    assert watch.events  # the frame that calls is asked for: the hook hears us
    assert watch.events.total() <= most, watch.events
    assert not any(event == "builtins.id" for event, _ in watch.events)

"""Progress of plain loops of a cell is read from outside."""

from __future__ import annotations

import contextlib
import linecache
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mlops_nb.capture.bars import Sighting
from mlops_nb.capture.loops import LoopFinder

CELLS = iter(range(1_000_000))


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """Give the names of a notebook."""
    yield {"__name__": "__main__"}
    for name in [name for name in linecache.cache if name.startswith("<bars ")]:
        del linecache.cache[name]


def run_cell(source: str, names: dict[str, Any]) -> list[Sighting | None]:
    """Run a cell that calls ``look`` where its progress is to be read."""
    name = f"<bars {next(CELLS)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    seen: list[Sighting | None] = []
    finder = LoopFinder()
    names["look"] = lambda: seen.append(finder.find(threading.get_ident()))
    exec(compile(source, name, "exec"), names)
    return seen


def show(seen: list[Sighting | None]) -> list[tuple[float, float | None] | None]:
    """Give what is done and how much there is."""
    return [None if each is None else (each.progress.n, each.progress.total) for each in seen]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for i in range(3):\n    look()", [(0, 3), (1, 3), (2, 3)]),
        ("N = 4\nfor epoch in range(2, N):\n    look()", [(0, 2), (1, 2)]),
        ("for i in range(6, 0, -3):\n    x = i\n    look()", [(0, 2), (1, 2)]),
        ("xs = list('abc')\nfor i, x in enumerate(xs):\n    look()", [(0, 3), (1, 3), (2, 3)]),
        ("xs = [5, 6]\nfor i in range(len(xs)):\n    look()", [(0, 2), (1, 2)]),
        ("for i in range(10**20):\n    look()\n    if i: break", [None, None]),
        ("for i, x in enumerate(range(10**20)):\n    look()\n    if i: break", [None, None]),
        (
            "if True:\n    for a in range(2):\n        for b in range(3): look()",
            [(0, 2)] * 3 + [(1, 2)] * 3,
        ),
        ("def f():\n    look()\nfor a in range(2):\n    f()", [(0, 2), (1, 2)]),
        ("for x in [1, 2]:\n    for b in range(3): pass\n    look()", [None, None]),
        ("for i in range(2):\n    i = 'other'\n    look()", [None, None]),
        ("look()", [None]),
        ("xs = iter(range(3))\nfor i, x in enumerate(xs):\n    look()", [None] * 3),
    ],
)
def test_plain_loops(
    source: str, expected: list[tuple[float, float] | None], names: dict[str, Any]
) -> None:
    """The outermost loop of a cell over a range tells its round; what cannot be told is not."""
    assert show(run_cell(source, names)) == expected


def test_looking_at_a_loop_calls_nothing_of_the_users(names: dict[str, Any]) -> None:
    """An object of the user's in the place of a number is not asked for its length or value."""
    source = (
        "class Odd(list):\n    def __len__(self): raise RuntimeError\n"
        "    def __index__(self): return 2\n"
        "odd = Odd('ab')\nfor i, x in enumerate(odd):\n    look()\n"
        "for i in range(odd):\n    look()"
    )
    assert show(run_cell(source, names)) == [None] * 4


def test_rate_of_a_loop(names: dict[str, Any]) -> None:
    """The rate is that since the loop was first looked at."""
    names["sleep"] = time.sleep
    first, second = run_cell("for i in range(2):\n    look()\n    sleep(0.01)", names)
    assert first is not None
    assert second is not None
    assert first.progress.rate is None
    assert 0 < (second.progress.rate or 0) < 100
    assert second.progress.description == "i"
    assert first.key == second.key


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    for i in range(3):\n        look()\nf()", [(0, 3), (1, 3), (2, 3)]),
        (
            "def f(n):\n    for i in range(1, n + 1):\n        step(i)\n"
            "def step(i):\n    for j in range(9): look()\n    x = j\nf(2)",
            [(0, 2)] * 9 + [(1, 2)] * 9,
        ),
        (
            "class T:\n    def __init__(self): self.epochs = 2\n    def fit(self):\n"
            "        xs = 'ab'\n        for e in range(self.epochs):\n            look()\n"
            "        for i, x in enumerate(xs):\n            look()\nT().fit()",
            [(0, 2), (1, 2), (0, 2), (1, 2)],
        ),
        (
            "class CFG: epochs = 4\ncfg = {'n': 2}\ndef f():\n"
            "    for e in range(0, CFG.epochs, cfg['n']): look()\nf()",
            [(0, 2), (1, 2)],
        ),
        (
            "def f():\n    n = 2\n    def g():\n        for i in range(n): look()\n    g()\nf()",
            [(0, 2), (1, 2)],
        ),
        (
            "def f():\n    for i in range(3):\n        yield i\n        look()\nfor i in range(2):\n"
            "    for x in f(): pass",
            [(0, 2)] * 3 + [(1, 2)] * 3,
        ),
        ("for x in 'ab':\n    def f():\n        for i in range(1): look()\n    f()", [(0, 1)] * 2),
        ("def f():\n    for i in range(2):\n        i = None\n        look()\nf()", [None] * 2),
        ("def f():\n    return [look() for i in range(2)]\nf()", [None] * 2),
    ],
)
def test_loops_of_functions(
    source: str, expected: list[tuple[float, float] | None], names: dict[str, Any]
) -> None:
    """The outermost loop that can be measured tells, in whichever of the notebook's functions."""
    assert show(run_cell(source, names)) == expected


def test_loops_of_libraries_tell_nothing(names: dict[str, Any], tmp_path: Path) -> None:
    """A loop of a module counts only where the module lies beside the notebook."""
    text = "def work(look):\n    for i in range(2):\n        look()\n"
    for path in (tmp_path / "beside.py", tmp_path / "site-packages" / "library.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        exec(compile(text, str(path), "exec"), vars(module))
        names[path.stem] = module.work
    with contextlib.chdir(tmp_path):
        assert show(run_cell("beside(look)", names)) == [(0, 2), (1, 2)]
        assert show(run_cell("library(look)", names)) == [None, None]
    with contextlib.chdir(tmp_path / "site-packages"):
        assert show(run_cell("beside(look)", names)) == [None, None]


def test_looking_at_a_function_leaves_no_trace(names: dict[str, Any]) -> None:
    """What a function deletes is gone though it was looked at, and what it holds is as it was."""
    source = (
        "import weakref\nclass Big: pass\ndef f():\n    big = Big()\n    gone = weakref.ref(big)\n"
        "    for i in range(2):\n        look()\n        big = None\n        left.append(gone())\n"
        "left = []\nf()\n"
        "def g():\n    mine = locals()\n    for i in range(2):\n        look()\n    return mine\n"
        "mine = g()"
    )
    seen = show(run_cell(source, names))
    assert seen[:2] == [(0, 2), (1, 2)]
    assert names["left"] == [None, None]
    assert names["mine"] == {}


def test_a_tracer_is_left_alone(names: dict[str, Any]) -> None:
    """What a function's profiler is told of stays as it is: its variables are all there later."""
    source = (
        "import sys\ndef told(frame, event, arg): look() if event == 'c_call' else None\n"
        "def f():\n    kept = [1]\n    for i in range(2):\n        len(kept)\n    return kept\n"
        "sys.setprofile(told)\ntry:\n    kept = f()\nfinally:\n    sys.setprofile(None)"
    )
    run_cell(source, names)
    assert names["kept"] == [1]

"""A metric that is computed again and again speaks of the right model each time, and asks once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import autolog
from mlops_nb.autolog import ways
from mlops_nb.autolog.provenance import ModelSearch
from tests.autolog.conftest import Notebook

TWO = (
    "one = LogisticRegression(C=1).fit(X, y)\np1 = one.predict(X)\n"
    "two = LogisticRegression(C=2).fit(X, 1 - y)\np2 = two.predict(X)\n"
)
# Each computes accuracies of the two models in turn: the first is good, the second the opposite.
TURNS = {
    "a function of predictions": (
        "def score(t, p):\n    return accuracy_score(t, p)\n"
        "for _ in range(3):\n    a = score(y, p1)\n    b = score(y, p2)\n"
    ),
    "a function of a model": (
        "def score(m):\n    return accuracy_score(y, m.predict(X))\n"
        "for _ in range(3):\n    a = score(one)\n    b = score(two)\n"
    ),
    "one array for both": (
        "p = np.zeros(len(y))\n"
        "for _ in range(3):\n    for m in (one, two):\n        p[:] = m.predict(X)\n"
        "        v = accuracy_score(y, p)\n"
    ),
    "a function that looks at a variable": (
        "def predict():\n    return m.predict(X)\ndef score():\n"
        "    return accuracy_score(y, predict())\n"
        "for _ in range(3):\n    for m in (one, two):\n        v = score()\n"
    ),
    "a collection": (
        "ps = {'one': p1, 'two': p2}\n"
        "for _ in range(3):\n    for k in ps:\n        v = accuracy_score(y, ps[k])\n"
    ),
    "lists": (
        "l1, l2, t = p1.tolist(), p2.tolist(), y.tolist()\n"
        "def score(t, p):\n    return accuracy_score(t, p)\n"
        "for _ in range(3):\n    a = score(t, l1)\n    b = score(t, l2)\n"
    ),
    "lists of models": (
        "for _ in range(3):\n    for ms in ([one], [two]):\n"
        "        v = accuracy_score(y, ms[0].predict(X))\n"
    ),
    "nothing, then a model": (
        "def score(p):\n    return accuracy_score(y, p)\n"
        "for _ in range(5):\n    v = score(np.zeros(len(y)))\n"
        "late = LogisticRegression(C=3).fit(X, y)\n"
        "for _ in range(5):\n    v = score(late.predict(X))\n"
    ),
    "a closure": (
        "def make(p):\n    return lambda: accuracy_score(y, p)\na, b = make(p1), make(p2)\n"
        "for _ in range(3):\n    a(); b()\n"
    ),
}


def _read_all(notebook: Notebook) -> list[dict[str, list[float]]]:
    """Give every value of every metric but times, of each run."""
    names = {"v", "a", "b", "accuracy_score"}
    return [
        {
            name: [each.value for each in notebook.store.read_metric_history(run.run_id, name)]
            for name in sorted(names & run.metrics.keys())
        }
        for run in notebook.runs()
    ]


@pytest.mark.parametrize("source", [TURNS[key] for key in TURNS], ids=list(TURNS))
def test_turns(notebook: Notebook, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Metrics that one call computes of two models in turn go where a search sends each of them."""
    notebook.run(TWO + source)
    found = _read_all(notebook)
    monkeypatch.setattr("mlops_nb.autolog.metrics.find_again", lambda *_: None)
    notebook.run(TWO + source)
    assert found == _read_all(notebook)[len(found) :]
    assert sum(len(values) for each in found for values in each.values()) >= 5


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give a list that every search for a model adds to."""
    found: list[Any] = []
    original: Callable[..., Any] = ModelSearch.find

    def find(self: ModelSearch, frame: Any) -> Any:
        found.append(frame.f_code.co_name)
        return original(self, frame)

    monkeypatch.setattr(ModelSearch, "find", find)
    return found


LOOPS = {
    "in the cell": "for _ in range(50):\n    i = r.integers(0, len(y), len(y))\n"
    "    v = accuracy_score(t[i], p[i])\n",
    "in a function": "def draw(t, p):\n    for _ in range(50):\n"
    "        i = r.integers(0, len(t), len(t))\n        v = accuracy_score(t[i], p[i])\n"
    "draw(t, p)\n",
    "of a list": "l, tl = p.tolist(), t.tolist()\nfor _ in range(50):\n    v = accuracy_score(tl, l)\n",
    "of a list of arrays": "ps = [p + 0 for _ in range(50)]\nfor q in ps:\n    v = accuracy_score(t, q)\n",
    "in a lambda": "f = lambda: accuracy_score(t, p)\nfor _ in range(50):\n    f()\n",
}


@pytest.mark.parametrize("source", [LOOPS[key] for key in LOOPS], ids=list(LOOPS))
def test_samples_drawn_anew(notebook: Notebook, searches: list[Any], source: str) -> None:
    """A bootstrap looks for its model a few times, not each time, and records each value."""
    notebook.run(
        "r = np.random.default_rng(0)\n"
        "model = LogisticRegression().fit(X, y)\np, t = model.predict(X), y.to_numpy()\n" + source
    )
    assert len(searches) == 1
    (values,) = _read_all(notebook)[0].values()
    assert len(values) == 50


def test_nothing_to_do_with_a_model(notebook: Notebook, searches: list[Any]) -> None:
    """Where a metric is computed of no model's values, its loop asks a few times at most."""
    notebook.run(
        "r = np.random.default_rng(0)\nfor _ in range(50):\n    q = r.integers(0, 2, 9)\n"
        "    v = accuracy_score(q, q)\n"
    )
    assert len(searches) <= 3
    assert notebook.runs() == []


def test_nothing_is_remembered_after_it(notebook: Notebook) -> None:
    """Sources and runs that metrics were looked up for go when recording ends."""
    notebook.run(
        TWO + TURNS["a function of predictions"] + "q = y.to_numpy()\nv = accuracy_score(q, q)"
    )
    assert ways._ways or ways._answers
    autolog.disarm()
    assert not ways._ways
    assert not ways._answers

"""Objects and classes that answer no question stop no recorder."""

from __future__ import annotations

import pytest

from tests.autolog.conftest import Notebook

# A class of each kind of refusal: of its instances, and of the class itself.
ODD = """
class Closed:
    def __getattr__(self, name): raise RuntimeError(name)
    def __eq__(self, other): raise RuntimeError("eq")
    def __hash__(self): raise RuntimeError("hash")
    def __bool__(self): raise RuntimeError("bool")
    def __len__(self): raise RuntimeError("len")
    def __iter__(self): raise RuntimeError("iter")
    def __repr__(self): raise RuntimeError("repr")
    def __array__(self, *given): raise RuntimeError("array")
class Odd(type):
    def __getattr__(self, name): raise RuntimeError(name)
    def __eq__(self, other): raise RuntimeError("eq")
    def __hash__(self): raise RuntimeError("hash")
class Class(metaclass=Odd): pass
class Unhashable(type):
    def __eq__(self, other): return self is other
class Plain(metaclass=Unhashable): pass
class Hidden:
    @property
    def __class__(self): raise RuntimeError("class")
    @property
    def __dict__(self): raise RuntimeError("dict")
odd = [Closed(), Class(), Plain(), Hidden()]
a, b, c, d = odd
"""
CELLS = {
    "fits": "m = LogisticRegression().fit(X, y)\nv = accuracy_score(y, m.predict(X))\n",
    "loops": (
        "m = LogisticRegression().fit(X, y)\nfor q in [*odd, m]:\n    if q is m:\n"
        "        v = accuracy_score(y, q.predict(X))\n"
    ),
    "collections": (
        "m = LogisticRegression().fit(X, y)\nall = {'a': a, 'b': b, 'c': c, 'd': d, 'm': m}\n"
        "v = accuracy_score(y, all['m'].predict(X))\n"
    ),
    "arguments": (
        "m = LogisticRegression().fit(X, y)\ndef f(t, p, *rest):\n    return accuracy_score(t, p)\n"
        "v = f(y, m.predict(X), *odd)\n"
    ),
    "derived": (
        "m = LogisticRegression().fit(X, y)\nrmse = abs(mean_squared_error(y, m.predict(X))) ** 0.5\n"
        "mse = abs(mean_squared_error(y, m.predict(X)))\nrmse, mse = a, b\n"
        "v = accuracy_score(y, m.predict(X))\n"
    ),
    "an own estimator": (
        "from sklearn.base import BaseEstimator\nclass E(BaseEstimator):\n"
        "    def __init__(self, k=None): self.k = k\n"
        "    def fit(self, X, y):\n        self.odd_ = odd\n"
        "        self.m_ = LogisticRegression().fit(X, y)\n        return self\n"
        "    def predict(self, X): return self.m_.predict(X)\n"
        "for k in (c, 1):\n    e = E(k).fit(X, y)\n    v = accuracy_score(y, e.predict(X))\n"
    ),
}
LOOP = """
XT, yt = torch.randn(20, 4), torch.randn(20, 1)
net = torch.nn.Linear(4, 1); step = torch.optim.SGD(net.parameters(), lr=0.01)
net.odd = odd
for epoch in range(3):
    a, b, c, d
    loss = ((net(XT) - yt) ** 2).mean()
    step.zero_grad(); loss.backward(); step.step()
    val_loss, test_acc, val_f1, val_auc = odd
"""


@pytest.mark.parametrize("source", [CELLS[key] for key in CELLS], ids=list(CELLS))
def test_odd_objects(notebook: Notebook, capfd: pytest.CaptureFixture[str], source: str) -> None:
    """What is fitted and measured beside them is recorded, in this cell and the next."""
    notebook.run(ODD)
    notebook.run(source)
    notebook.run(CELLS["fits"])
    assert "no longer recorded" not in capfd.readouterr().err
    found = notebook.metrics()
    assert len(found) >= 2
    assert all("v" in each for each in found)


def test_odd_objects_of_a_loop(torchbook: Notebook, capfd: pytest.CaptureFixture[str]) -> None:
    """A plain torch loop reads nothing of them."""
    torchbook.run(ODD)
    torchbook.run(LOOP)
    torchbook.run(LOOP)
    assert "no longer recorded" not in capfd.readouterr().err
    assert ["loss" in each for each in torchbook.metrics()] == [True, True]

"""Code that is given to a magic is read like any other: names, and the models behind metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.autolog import callsites

Run = Callable[..., Any]

_FIRST = (
    "import numpy as np\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "from sklearn.tree import DecisionTreeClassifier\n"
    "from sklearn.metrics import accuracy_score, f1_score\n"
    "rng = np.random.default_rng(0)\n"
    "X = rng.normal(size=(60, 3)); y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)"
)


def _names(name: str) -> tuple[set[str], set[str]]:
    """Give the metrics of a run but for times, and how its data are called."""
    run = api.get_run(name)
    metrics = {name for name in run.metrics if not name.startswith(("fit_time", "system/"))}
    return metrics, {data.name for data in run.datasets}


@pytest.mark.parametrize("head", ["%%time", "%%capture out", "%%prun -q"])
def test_a_cell_below_a_magic(loaded: Run, head: str) -> None:
    """Later cells find the models that a cell below a magic has fitted, each with its scores."""
    loaded(_FIRST)
    loaded(f"{head}\nlogistic = LogisticRegression().fit(X, y)\npred = logistic.predict(X)")
    loaded(
        f"{head}\n%precision 4\n%time tree = DecisionTreeClassifier().fit(X, y)\n"
        "pred_tree = tree.predict(X)"
    )
    loaded("from sklearn.linear_model import Ridge\nlast = Ridge().fit(X, y)")
    loaded("first = accuracy_score(y, pred)\nsecond = accuracy_score(y, pred_tree)")
    assert _names("LogisticRegression")[0] == {"first"}
    assert _names("DecisionTreeClassifier")[0] == {"second"}


def test_what_is_under_time(loaded: Run) -> None:
    """Below ``%%time`` data and scores have the user's names, in functions and the last line too."""
    loaded(_FIRST)
    loaded(
        "%%time\n\n%precision 4\n"
        "def judge(model):\n    f1 = f1_score(y, model.predict(X))\n    return f1\n"
        "def unseen(model):\n    f2 = f1_score(y, model.predict(X))\n    return f2\n"
        "model = LogisticRegression().fit(X, y)\n"
        "exactness = accuracy_score(y, model.predict(X))\n"
        "judge(model)"
    )
    assert _names("LogisticRegression") == ({"exactness", "f1"}, {"X", "y"})
    loaded("later = accuracy_score(y, model.predict(X))\nunseen(model)")
    # Nobody has kept the source of a function that was timed, but not called then.
    assert _names("LogisticRegression")[0] == {"exactness", "f1", "later", "f1_score"}


def test_lines_under_time(loaded: Run) -> None:
    """Lines that ``%time`` runs bind names for the lines and cells after them."""
    loaded(_FIRST)
    loaded(
        "%time one = LogisticRegression().fit(X, y)\n"
        "%time two = DecisionTreeClassifier().fit(X, y)\n"
        "%time pred = one.predict(X)\n"
        "%time first = accuracy_score(y, pred)\n"
        "second = f1_score(y, pred)"
    )
    loaded("guess = %time two.predict(X)\nthird = accuracy_score(y, guess)")
    metrics, data = _names("LogisticRegression")
    assert (metrics, data) == ({"first", "second"}, {"X", "y"})
    assert _names("DecisionTreeClassifier")[0] == {"third"}


def test_a_torch_loop_under_time(loaded: Run) -> None:
    """A torch loop below ``%%time`` has its epochs, results and data."""
    pytest.importorskip("torch")
    loaded(
        "import torch\nfrom torch import nn\ntorch.manual_seed(0)\n"
        "points = torch.randn(20, 2)\ntargets = points.sum(1, keepdim=True)\n"
        "net = nn.Linear(2, 1)\noptimizer = torch.optim.SGD(net.parameters(), lr=0.1)"
    )
    loaded(
        "%%time\nfor epoch in range(3):\n"
        "    train_loss = ((net(points) - targets) ** 2).mean()\n"
        "    optimizer.zero_grad(); train_loss.backward(); optimizer.step()\n"
        "    val_error = ((net(points) - targets) ** 2).mean().item()"
    )
    run = api.get_run("Linear")
    assert {"train_loss", "val_error", "train_loss/epoch", "best_epoch"} <= set(run.metrics)
    assert {data.name for data in run.datasets} == {"points", "targets"}


@pytest.mark.parametrize(
    "source",
    ["%%time", "%%timeit\nx = 1", "%%bash\nx=1", "%%time\nx = (", "%%time -q x\ny = ?", "%%"],
)
def test_what_binds_nothing_here(source: str) -> None:
    """Where a magic runs nothing here, or nothing that can be read, no name is bound."""
    tree = callsites.parse_text(source)
    assert tree is None or tree.module.body == []
    callsites.forget_sources()

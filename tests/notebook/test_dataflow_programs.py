"""Programs run cell by cell: what changes was told before."""

import pickle
import sys
from typing import Any

import pytest

from mlops_nb.notebook.dataflow import FlowTable

PROGRAMS = [
    ["a = [1]", "b = a", "b.append(2)", "c = [a, b]", "c[0].append(3)", "a = []", "b += [4]"],
    [
        "d = {'x': [1]}",
        "v = d['x']",
        "v.append(2)",
        "w = d.get('x'); w.append(3)",
        "for q in d.values(): q.append(4)",
        "d.setdefault('y', []).append(1)",
    ],
    [
        "import numpy as np\na = np.zeros(6)",
        "b = a[2:4]; b[:] = 1",
        "m = a.reshape(2, 3)",
        "m[0, 0] = 7",
        "np.copyto(a, np.ones(6))",
        "a += 1",
        "a.sort()",
        "r = a.ravel(); r[0] = 5",
    ],
    [
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})",
        "df['b'] = df['a'] * 2",
        "df.loc[0, 'a'] = 9",
        "df.insert(0, 'q', 1)",
        "def touch(f):\n    f['c'] = 1",
        "touch(df)",
        "e = df.assign(q=1)",
        "list(map(touch, [df]))",
        "df.pop('c')",
    ],
    [
        "class Box:\n    def __init__(self, items): self.items = items\n"
        "    def put(self, x): self.items.append(x)",
        "items = []\nbox = Box(items)",
        "box.put(1)",
        "def run(b): return b.put(2)",
        "run(box)",
        "put = box.put",
        "put(3)",
        "setattr(box, 'k', 1)",
    ],
    [
        "n = 0\nlog = []",
        "def bump():\n    global n\n    n += 1\n    log.append(n)",
        "bump()",
        "fs = [bump]",
        "for f in fs: f()",
        "del n",
        "x = [bump for _ in range(2)]",
        "def later(): n0.append(1)",
        "n0 = []",
        "later()",
    ],
    [
        "from sklearn.linear_model import LogisticRegression\nX = [[0.0], [1.0]]; y = [0, 1]",
        "m = LogisticRegression()",
        "models = {'m': m}",
        "for k, v in models.items(): v.fit(X, y)",
        "m.set_params(C=2.0)",
        "p = m.predict(X)",
        "best = max(models.values(), key=lambda v: v.score(X, y))",
        "best.fit(X, [1, 0])",
    ],
    [
        "import itertools\nit = iter([1, 2, 3])",
        "next(it)",
        "xs = list(it)",
        "g = (v for v in xs)",
        "total = sum(g)",
        "import random\nrandom.shuffle(xs)",
        "import heapq\nheapq.heappush(xs, 0)",
        "exec('xs.append(5)')",
        "globals()['xs'].append(6)",
    ],
]


def fingerprint(namespace: dict[str, Any]) -> dict[str, bytes]:
    """Give the bytes of every variable that can be written down."""
    shown = {}
    for name, value in namespace.items():
        if name.startswith("__") or isinstance(value, type(sys)):
            continue
        try:
            shown[name] = pickle.dumps(list(value) if isinstance(value, dict) else value)
            shown[name] += pickle.dumps(value)
        except (TypeError, AttributeError, pickle.PicklingError):
            shown[name] = str(id(value)).encode()
    return shown


@pytest.mark.parametrize("cells", PROGRAMS, ids=range(len(PROGRAMS)))
def test_every_real_change_is_predicted(cells: list[str]) -> None:
    """Run cell by cell, no variable appears, changes or vanishes that was not named."""
    namespace: dict[str, Any] = {"__name__": "analysed"}
    table = FlowTable()
    for source in cells:
        flow = table.add(source)
        before = fingerprint(namespace)
        exec(source, namespace)
        after = fingerprint(namespace)
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        predicted = flow.writes | flow.maybe_writes | flow.mutates | flow.may_mutate
        assert changed <= predicted | flow.deletes | flow.maybe_deletes or flow.is_opaque, source
        assert flow.writes <= set(namespace), source
        assert not flow.deletes & set(after), source

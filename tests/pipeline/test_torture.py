"""Small notebooks that break converters: the pipeline gives what restart-and-run-all gives.

Each notebook has an imports cell and three steps. All of them run with ``MLOPS_NB_SLOW=1``; some of
them always do.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_nb.config import load_settings
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook
from mlops_nb.pipeline import run
from mlops_nb.store import Store
from tests.pipeline.test_runner import read_output

# name: imports, step a, step b, step c, steps that share a kernel with the one before
NOTEBOOKS: dict[str, tuple[str, str, str, str, tuple[str, ...]]] = {
    "plain": ("", "x = 1", "y = x + 1", "print(y)", ()),
    "hidden_seed": (
        "import numpy as np",
        "np.random.seed(0); a = np.random.rand()",
        "b = np.random.rand()",
        "print(a, b, np.random.rand())",
        (),
    ),
    "alias": (
        "",
        "log = []; state = {'log': log}",
        "log.append(1)",
        "print(log, state['log'])",
        (),
    ),
    "optimizer": (
        "import torch",
        "torch.manual_seed(0)\nnet = torch.nn.Linear(2, 1); opt = torch.optim.SGD(net.parameters(), lr=0.1)\nX, y = torch.randn(64, 2), torch.randn(64, 1)",
        "for _ in range(50):\n    opt.zero_grad(); l = ((net(X) - y) ** 2).mean(); l.backward(); opt.step()\nl = l.item()",
        "print(((net(X) - y) ** 2).mean().item(), l)",
        (),
    ),
    "star_import": ("", "r = 2", "from math import *\narea = pi * r ** 2", "print(area)", ()),
    "comprehension": ("", "x = 10", "q = [x * x for x in range(3)]", "print(x, q)", ()),
    "conditional": (
        "",
        "best = 5; scores = [1, 2]",
        "for s in scores:\n    if s > 3:\n        best = s",
        "print(best)",
        (),
    ),
    "class": (
        "",
        "class A:\n    def hi(self): return 'hi'\na = A()",
        "r = a.hi()",
        "print(r, isinstance(a, A))",
        (),
    ),
    "generator": (
        "",
        "g = (i * i for i in range(5)); first = next(g)",
        "rest = list(g)",
        "print(first, rest)",
        ("b",),
    ),
    "magics": (
        "",
        "%matplotlib inline\nfiles = !echo one two",
        "%%time\nn = len(files)",
        "print(n, files)",
        (),
    ),
    "import_in_step": ("", "import json as j; d = {'a': 1}", "s = j.dumps(d)", "print(s)", ()),
    "options": (
        "import os, numpy as np",
        "os.environ['MODE'] = 'fast'; np.set_printoptions(precision=2)",
        "m = os.environ['MODE']",
        "print(m, np.array([1.23456]), os.environ.get('MODE'))",
        (),
    ),
    "globals_by_name": ("", "a1 = 5; name = 'a1'", "v = globals()[name]", "print(v)", ()),
    "global_of_function": (
        "",
        "k = 2\ndef f(v): return v * k",
        "k = 10; y = f(1)",
        "print(y, f(2))",
        (),
    ),
    "lambda_in_dict": (
        "",
        "k = 2; fs = {'sq': lambda v: v ** k}",
        "y = fs['sq'](3)",
        "print(y)",
        (),
    ),
    "frame_alias": (
        "import pandas as pd",
        "df = pd.DataFrame({'a': [1, 2]}); view = df",
        "df['b'] = 1; df.drop(columns='a', inplace=True)",
        "print(view.shape, list(view), view is df)",
        (),
    ),
    "figure": (
        "import matplotlib.pyplot as plt",
        "fig, ax = plt.subplots()",
        "ax.set_title('T'); ax.plot([1, 2])",
        "print(fig.axes[0].get_title(), len(fig.axes[0].lines))",
        (),
    ),
    "local_file": (
        "",
        "open('x.txt', 'w').write('hi')",
        "t = open('x.txt').read()",
        "print(t)",
        (),
    ),
    "connection": (
        "import sqlite3",
        "db = sqlite3.connect(':memory:'); db.execute('create table t (a)')",
        "n = db.execute('insert into t values (7)').rowcount",
        "print(db.execute('select a from t').fetchall(), n)",
        ("b", "c"),
    ),
    "redefinition": ("", "x = 1", "x = x + 1; x = str(x)", "print(x + '!')", ()),
    "exception_name": (
        "",
        "bad = ['1', 'x']",
        "n = 0\nfor b in bad:\n    try:\n        int(b)\n    except ValueError as e:\n        n += 1",
        "print(n, 'e' in dir())",
        (),
    ),
    "module_attribute": (
        "import math, pandas as pd",
        "math.answer = 42; pd.DataFrame.rows = property(len)",
        "df = pd.DataFrame({'a': [1, 2]})",
        "print(math.answer, df.rows)",
        (),
    ),
    "library_items": (
        "import json, textwrap",
        "json.decoder.BACKSLASH['q'] = '!'; textwrap.width = lambda: n",
        "n = 7; a = len(json.decoder.BACKSLASH)",
        "print(a, json.decoder.BACKSLASH['q'], textwrap.width())",
        (),
    ),
    "source_of_function": (
        "import inspect",
        "def f(x):\n    return x + 1",
        "src = inspect.getsource(f)",
        "print(src, inspect.getsource(f))",
        (),
    ),
    "last_output": ("", "40 + 2", "y = _ + 1\ny", "print(y, _, Out)", ()),
    "await": (
        "import asyncio",
        "async def f(): return 3\nx = await f()",
        "y = await asyncio.sleep(0, x + 1)",
        "print(x, y, await f())",
        (),
    ),
    "deleted_import": (
        "import os",
        "del os",
        "x = 'os' in globals()",
        "print(x, 'os' in globals())",
        (),
    ),
    "functions_tagged_open": (
        "log = open('log.txt', 'w'); log.write('head'); log.close()",
        "with open('log.txt', 'a') as f: f.write('a')\ndel f",
        "with open('log.txt', 'a') as f: f.write('b')\ndel f",
        "print(open('log.txt').read())",
        ("b", "c"),  # the closed file still has a name
    ),
}
ALWAYS = ("hidden_seed", "global_of_function", "connection", "last_output")


def run_whole(path: Path) -> str:
    """Run a notebook top to bottom and give what it printed."""
    import nbclient
    import nbformat

    whole = nbformat.read(path, 4)
    nbclient.NotebookClient(whole, resources={"metadata": {"path": str(path.parent)}}).execute()
    return "".join(o.get("text", "") for o in whole.cells[-1].outputs)


def check(name: str, folder: Path, store: Store) -> None:
    """Compare a notebook with its pipeline."""
    imports, *steps, shared = NOTEBOOKS[name]
    cells = [new_code_cell(imports, ["imports"])] if imports else []
    cells += [new_code_cell(s, [f"step:{n}"]) for s, n in zip(steps, "abc", strict=True)]
    (folder / "work").mkdir()
    path = write_notebook(new_notebook(cells), folder / "work" / "nb.ipynb")
    expected = run_whole(path)
    result = run(path, out_dir=folder / "out", store=store, settings=load_settings(folder))
    assert result.status == "finished", [step.error for step in result.steps]
    assert "".join(read_output(folder / "out" / "03-c.ipynb")) == expected
    assert tuple(step.name for step in result.steps if step.fused_with) == shared


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give the reference the hash seed that steps have."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    return lambda: None


@pytest.mark.usefixtures("hashing")
@pytest.mark.parametrize("name", ALWAYS)
def test_pipeline_equals_notebook(name: str, tmp_path: Path, store: Store) -> None:
    """The last step prints what the last cell prints in restart-and-run-all."""
    check(name, tmp_path, store)


@pytest.mark.slow
@pytest.mark.usefixtures("hashing")
@pytest.mark.skipif("MLOPS_NB_SLOW" not in os.environ, reason="set MLOPS_NB_SLOW=1")
@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name not in ALWAYS])
def test_every_pipeline_equals_its_notebook(name: str, tmp_path: Path, store: Store) -> None:
    """Every hazard, each in its own notebook, comes out as in restart-and-run-all."""
    check(name, tmp_path, store)

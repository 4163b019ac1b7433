"""What ``torch.compile`` makes of a training is the same with and without us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_nb
from mlops_nb import autolog
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import LOOP, read_values

ROOT = Path(mlops_nb.__file__).parents[1]


@pytest.mark.filterwarnings("ignore:Guards may run slower")  # torch says it of Python 3.13.0
def test_compiled_model(torchbook: Notebook) -> None:
    """Compiling the model gives the same numbers, one graph, and the module inside has the run."""
    from torch._dynamo.testing import CompileCounter

    torchbook.namespace["counter"] = counter = CompileCounter()
    torchbook.run(
        LOOP.replace("for epoch in", "model = torch.compile(model, backend=counter)\nfor epoch in")
    )
    (run,) = torchbook.runs()
    assert (counter.frame_count, run.name) == (1, "Sequential")
    assert run.params["model.wrapper"] == "OptimizedModule"
    assert read_values(torchbook, run.run_id, "loss") == torchbook.namespace["seen"]
    assert autolog.run_of(torchbook.namespace["model"]) == run.run_id
    assert autolog.run_of(torchbook.namespace["model"]._orig_mod) == run.run_id


STEP = """
weight = torch.ones(3, requires_grad=True)
optimizer = torch.optim.SGD([weight], lr=0.1)
@torch.compile(backend="eager")
def step():
    optimizer.zero_grad()
    loss = (weight * weight).sum()
    loss.backward()
    optimizer.step()
seen = []
for number in range(4):
    seen.append((weight * weight).sum().item())
    step()
"""


@pytest.mark.filterwarnings(
    "ignore:Guards may run slower", "ignore::FutureWarning", "ignore::DeprecationWarning"
)
def test_our_code_is_never_compiled(torchbook: Notebook) -> None:
    """A step that is compiled calls our hooks between its graphs: they stay what they are."""
    from torch._dynamo.convert_frame import output_codes

    torchbook.run(STEP)
    (run,) = torchbook.runs()
    assert read_values(torchbook, run.run_id, "loss") == pytest.approx(torchbook.namespace["seen"])
    files = {code.co_filename for code in (each() for each in output_codes.seen) if code}
    assert files
    assert not [name for name in files if "mlops_nb" in Path(name).parts or "<frozen" in name]


COMPILED_STEP = """
import sys
from pathlib import Path
from torch._dynamo.testing import CompileCounter
from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import open_session
from tests.autolog.conftest import Notebook
from tests.autolog.torchbook import FIRST_CELL
import torch
root = Path(sys.argv[1])
store = open_store(root / "store", cache=root / "cache")
notebook = Notebook(open_session(store, load_settings(root)), store)
notebook.run(FIRST_CELL)
found = []
for is_armed in (False, True):
    torch._dynamo.reset()
    notebook.namespace["counter"] = counter = CompileCounter()
    if is_armed:
        autolog.arm(notebook.session)
    notebook.run('''
model = make_model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
@torch.compile(backend=counter)
def step():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(X), y)
    loss.backward()
    optimizer.step()
    return loss
seen = [step().item() for _ in range(6)]
''')
    found.append((counter.frame_count, notebook.namespace["seen"]))
autolog.disarm()
assert found[0] == found[1], found
(run,) = notebook.runs()
assert [p.value for p in store.read_metric_history(run.run_id, "loss")] == found[0][1]
"""


@pytest.mark.slow
@pytest.mark.skipif("MLOPS_NB_SLOW" not in os.environ, reason="compiling a step takes 15 s")
def test_compiled_step(tmp_path: Path) -> None:
    """A step that is compiled as a whole has as many graphs and the same losses as without us."""
    command = [sys.executable, "-W", "ignore", "-c", COMPILED_STEP, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

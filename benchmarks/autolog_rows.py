"""What `autolog.py` measures: the programs of each row, ours and what the peers do in its place.

A program defines `work(count)`, which gives the seconds that `count` calls took. The peers' programs
define `work(count)` too: MLflow's is ours under its own autolog; W&B and Aim record no fit by
themselves, so that theirs is what one writes by hand to have as much recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OURS = """
import tempfile
from pathlib import Path
from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.environment import snapshot_environment
from mlops_nb.store import open_store
from mlops_nb.tracking import open_session
root = Path(tempfile.mkdtemp(dir="."))
session = open_session(open_store(root / "s", cache=root / "c"), load_settings(root))
session.set_environment(snapshot_environment(session.store), None)  # as each kernel's begins
def arm():
    autolog.arm(session)
def begin():
    return session.begin_cell("measured")
def end(cell):
    autolog.finish_cell(globals())
    session.end_cell(cell)
def disarm():
    autolog.disarm()
"""
MLFLOW = """
import logging, os, warnings
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow
logging.getLogger("mlflow").setLevel(logging.ERROR)
mlflow.set_tracking_uri("sqlite:///m.db")
def arm():
    mlflow.sklearn.autolog(log_models=MODELS, log_datasets=MODELS, silent=True)
def begin():
    return None
def end(cell):
    mlflow.end_run()
def disarm():
    mlflow.sklearn.autolog(disable=True, silent=True)
"""
TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.set_num_threads(1)
"""
SKLEARN = """
import numpy as np
from sklearn.linear_model import LogisticRegression
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 5)); y = (X[:, 0] > 0).astype(int)
"""
# By hand: a run with as many parameters and metrics as ours has.
PARAMS = "PARAMS = {f'parameter_{n}': n for n in range(15)}\n"
WANDB = (
    "import os\nos.environ |= {'WANDB_MODE': 'offline', 'WANDB_SILENT': 'true', "
    "'WANDB_CONSOLE': 'off'}\nimport wandb\n"
)
BY_HAND_FIT = {
    "W&B": WANDB
    + PARAMS
    + """
def work(count):
    def step():
        run = wandb.init(project="p", config=PARAMS)
        run.log({"fit_time_s": 0.001})
        run.finish()
    return timed(step, count, 1)
""",
    "Aim": "from aim import Run\n"
    + PARAMS
    + """
def work(count):
    def step():
        run = Run()
        run["hparams"] = PARAMS
        run.track(0.001, name="fit_time_s")
        run.close()
    return timed(step, count, 1)
""",
}
BY_HAND_METRIC = {
    "W&B": WANDB
    + """
def work(count):
    run = wandb.init(project="p")
    seconds = timed(lambda: run.log({"acc": 0.5}), count, 1)
    run.finish()
    return seconds
""",
    "Aim": """
from aim import Run
def work(count):
    run = Run()
    seconds = timed(lambda: run.track(0.5, name="acc"), count, 1)
    run.close()
    return seconds
""",
}
KERNEL = "import ipykernel.kernelapp, ipykernel.zmqshell\n"
LOAD = {
    "ours": "from IPython.core.interactiveshell import InteractiveShell\n"
    "shell = InteractiveShell.instance()\n"
    "import json, logging\n"
    "def load():\n    shell.run_line_magic('load_ext', 'mlops_nb')\n",
    "MLflow": "def load():\n    import mlflow\n    mlflow.autolog(silent=True)\n",
    "W&B": "import os\nos.environ |= {'WANDB_MODE': 'offline', 'WANDB_SILENT': 'true'}\n"
    "def load():\n    import wandb\n    wandb.init(project='p')\n",
    "Aim": "def load():\n    from aim import Run\n    Run()\n",
}
CELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def arm():
    shell.run_line_magic("load_ext", "mlops_nb")
def begin():
    return None
def end(cell):
    pass
def disarm():
    shell.run_line_magic("unload_ext", "mlops_nb")
def work(count):
    return timed(lambda: shell.run_cell("x = 1", store_history=True), count, 5)
"""


@dataclass(frozen=True)
class Row:
    """One thing that is measured.

    Attributes
    ----------
    code
        Ours, and MLflow's where `mlflow` says so.
    is_first
        Whether only what the first recorded work of a session takes more than the second counts.
    is_whole
        Whether all that the process does counts, from the begin of the cell until everything is
        stored, rather than the calls on the user's thread.
    by_hand
        Programs of peers that record nothing by themselves.
    """

    title: str
    code: str
    count: int
    unit: str
    budget: str
    is_whole: bool = False
    is_first: bool = False
    mlflow: bool = False
    by_hand: dict[str, str] = field(default_factory=dict)


ROWS = (
    Row("cell `x = 1`", CELL, 200, "us", "+500 us"),
    Row(
        "`LogisticRegression.fit`, 200 x 5",
        SKLEARN
        + """
def work(count):
    return timed(lambda: LogisticRegression().fit(X, y), count, 1)
""",
        20,
        "us",
        "+50 us",
        mlflow=True,
        by_hand=BY_HAND_FIT,
    ),
    Row(
        "the same, where one write is all that is recorded",
        SKLEARN
        + """
import os
from mlops_nb.autolog.fits import FitRecorder
line, data = os.open("line.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"x" * 850
FitRecorder.begin = lambda self, *given: os.write(line, data) and None
def work(count):
    return timed(lambda: LogisticRegression().fit(X, y), count, 1)
""",
        20,
        "us",
        "",
    ),
    Row(
        "the same, all that is done until it is stored",
        SKLEARN
        + """
def work(count):
    return timed(lambda: LogisticRegression().fit(X, y), count, 1)
""",
        20,
        "us",
        "",
        is_whole=True,
    ),
    Row(
        "the same, what the first of a session takes more, all of it",
        SKLEARN
        + """
def work(count):
    return timed(lambda: LogisticRegression().fit(X, y), count, 0)
""",
        1,
        "ms",
        "",
        is_first=True,
    ),
    Row(
        "fit of a pipeline of three steps on a frame, 200 x 5",
        SKLEARN
        + """
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
frame = pd.DataFrame(X, columns=list("abcde"))
def work(count):
    def step():
        make_pipeline(StandardScaler(), PCA(2), LogisticRegression()).fit(frame, y)
    return timed(step, count, 1)
""",
        20,
        "us",
        "",
        mlflow=True,
    ),
    Row(
        "task of a search, what lies around it",
        SKLEARN
        + """
import sklearn.utils.parallel as parallel
def work(count):
    def step():
        with parallel.config_context():
            pass
    return timed(step, count, 20)
""",
        3000,
        "us",
        "",
    ),
    Row(
        "`accuracy_score`, 200 labels",
        SKLEARN
        + """
from sklearn.metrics import accuracy_score
def work(count):
    model = LogisticRegression().fit(X, y)
    p = model.predict(X)
    return timed(lambda: accuracy_score(y, p), count, 1)
""",
        50,
        "us",
        "+10 us",
        mlflow=True,
        by_hand=BY_HAND_METRIC,
    ),
    Row(
        "torch step, one weight",
        TORCH
        + """
def work(count):
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0, foreach=False)
    def step():
        loss = (weight * weight).sum()
        loss.backward()
        optimizer.step()
    return timed(step, count, 20)
""",
        4000,
        "us",
        "+6 us",
    ),
    Row(
        "torch step, a real one (784-256-256-10, 128 rows, Adam)",
        TORCH
        + """
X, y = torch.randn(128, 784), torch.randint(0, 10, (128,))
def work(count):
    layers = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters())
    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
    return timed(step, count, 20)
""",
        200,
        "us",
        "+1 %",
    ),
    Row(
        "batch of a `DataLoader`, within a training",
        TORCH
        + """
data = TensorDataset(torch.zeros(4000, 1))
def work(count):
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.0)
    weight.sum().backward(); optimizer.step()
    loader = iter(DataLoader(data, batch_size=1))
    return timed(lambda: next(loader), count, 20)
""",
        3000,
        "us",
        "+2 us",
    ),
    Row(
        "open and close a file",
        """
from pathlib import Path
Path("data.txt").write_text("x")
def work(count):
    return timed(lambda: open("data.txt").close(), count, 20)
""",
        5000,
        "us",
        "+1 us",
    ),
    Row(
        "100 epochs of an MLP on digits, all of it",
        TORCH
        + """
from sklearn.datasets import load_digits
digits = load_digits()
X, y = torch.tensor(digits.data, dtype=torch.float32), torch.tensor(digits.target)
def work(count):
    started = time.process_time()
    for _ in range(count):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.Adam(model.parameters())
        loader = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True)
        for epoch in range(EPOCHS):
            for batch, target in loader:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(batch), target)
                loss.backward()
                optimizer.step()
    return time.process_time() - started
""",
        1,
        "ms",
        "+1 %",
        is_whole=True,
    ),
    Row(
        "random search of 500 candidates, all of it",
        SKLEARN
        + """
from sklearn.model_selection import RandomizedSearchCV
def work(count):
    started = time.process_time()
    for _ in range(count):
        space = {"C": list(np.logspace(-3, 3, 1000))}
        RandomizedSearchCV(LogisticRegression(), space, n_iter=CANDIDATES, cv=2, random_state=0).fit(X, y)
    return time.process_time() - started
""",
        1,
        "ms",
        "+1 %",
        is_whole=True,
        mlflow=True,
    ),
    Row(
        "10,000 rounds of a loop of plain Python, all of it",
        """
def work(count):
    started = time.process_time()
    for _ in range(count):
        values, total = [], 0.0
        for number in range(10_000):
            values.append(sum(part * part for part in range(number % 100)))
            total += values[-1] ** 0.5
    return time.process_time() - started
""",
        3,
        "ms",
        "+1 %",
        is_whole=True,
        mlflow=True,
    ),
)

"""What recording adds to boosting: a round of XGBoost and of LightGBM, and their smallest fits.

CPU time of the thread, the least of many, with and without us by turns. Run it where nothing else
is at work: ``python benchmarks/boosting.py``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np  # noqa: TID253 - a script
import xgboost as xgb

from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import Session, open_session

ROUNDS, TIMES, TURNS = 300, 5, 4
DATA = np.random.default_rng(0).normal(size=(500, 10)).astype("float32")
LABELS = (DATA[:, 0] > 0).astype(int)
XGB = {"objective": "binary:logistic", "nthread": 1, "max_depth": 3}
LGB = {"objective": "binary", "num_threads": 1, "verbosity": -1, "num_leaves": 8}


def train_xgboost() -> Any:
    matrix = xgb.DMatrix(DATA, LABELS, nthread=1)
    return xgb.train(XGB, matrix, ROUNDS, evals=[(matrix, "all")], verbose_eval=False)


def train_lightgbm() -> Any:
    data = lgb.Dataset(DATA, LABELS)
    return lgb.train(LGB, data, ROUNDS, valid_sets=[data])


def fit_xgboost() -> Any:
    return xgb.XGBClassifier(n_estimators=1, max_depth=1, n_jobs=1).fit(DATA, LABELS)


def fit_lightgbm() -> Any:
    return lgb.LGBMClassifier(n_estimators=1, num_leaves=2, n_jobs=1, verbose=-1).fit(DATA, LABELS)


def measure(session: Session, call: Callable[[], Any], *, armed: bool) -> float:
    if armed:
        autolog.arm(session)
    cell = session.begin_cell("")
    best = float("inf")
    for _ in range(TIMES):
        begun = time.thread_time()
        call()
        best = min(best, time.thread_time() - begun)
    autolog.finish_cell({})
    session.end_cell(cell)
    autolog.disarm()
    return best


def main() -> None:
    root = Path(tempfile.mkdtemp())
    store = open_store(root / "store", cache=root / "cache")
    session = open_session(store, load_settings(root))
    for title, call, parts in (
        ("a round of xgboost.train", train_xgboost, ROUNDS),
        ("a round of lightgbm.train", train_lightgbm, ROUNDS),
        ("XGBClassifier.fit, one tree", fit_xgboost, 1),
        ("LGBMClassifier.fit, one tree", fit_lightgbm, 1),
    ):
        call()
        pairs = [
            (measure(session, call, armed=False), measure(session, call, armed=True))
            for _ in range(TURNS)
        ]
        plain, ours = (min(column) / parts * 1e6 for column in zip(*pairs, strict=True))
        print(f"{title}: {plain:.0f} us without, {ours:.0f} us with, {ours - plain:+.0f} us")


if __name__ == "__main__":
    main()

"""Means that users take over the fits of a loop are known by their values."""

from __future__ import annotations

import pytest

from tests.autolog.conftest import Notebook

FIRST = (
    "from sklearn.model_selection import KFold\n"
    "V, t, folds = X.to_numpy(), y.to_numpy(), list(KFold(3).split(X))\n"
)
LOOP = (
    "scores = []\n"
    "for tr, va in folds:\n"
    "    m = LogisticRegression(C=2).fit(V[tr], t[tr])\n"
    "    scores.append(roc_auc_score(t[va], m.predict_proba(V[va])[:, 1]))\n"
)
GROUP = "LogisticRegression, 3 fits"

MEANS = {
    "a variable": (LOOP + "cv_auc = np.mean(scores)", {"cv_auc"}),
    "with its spread": (LOOP + "auc, std = np.mean(scores), np.std(scores)", {"auc", "std"}),
    "printed only": (LOOP + "print(f'{np.mean(scores):.3f}')", {"mean_roc_auc_score"}),
    "by hand": (LOOP + "cv_score = sum(scores) / len(scores)", {"cv_score"}),
    "a function": (
        "def validate():\n"
        + "".join(f"    {line}\n" for line in LOOP.splitlines())
        + "    return np.mean(scores)\n"
        "result = validate()",
        {"result"},
    ),
    "in a dict": (
        "found = {}\n" + LOOP + "found['lr'] = sum(scores) / 3; _ = np.mean([1])",
        {"mean_roc_auc_score"},
    ),
}


@pytest.mark.parametrize(("source", "names"), MEANS.values(), ids=MEANS)
def test_mean_of_the_folds(notebook: Notebook, source: str, names: set[str]) -> None:
    """The run of all fits has the mean, under the name that the user has given it."""
    notebook.run(FIRST + source)
    *fits, group = notebook.runs()
    assert [run.name for run in fits] == ["LogisticRegression"] * 3
    assert (group.name, group.status) == (GROUP, "finished")
    assert group.metrics.keys() - {"fit_time_s"} == names
    mean = sum(run.metrics["roc_auc_score"] for run in fits) / 3
    for name in names - {"std"}:
        assert group.metrics[name] == pytest.approx(mean)
    assert [data.name for data in group.datasets] == ["V", "t"]
    assert group.params["C"] == 2


def test_each_model_of_a_loop_has_its_mean(notebook: Notebook) -> None:
    """Fits with other parameters belong to another mean, each in a run of its own."""
    notebook.run(
        FIRST + "found = {}\n"
        "for C in (0.001, 10.0):\n"
        "    scores = []\n"
        "    for tr, va in folds:\n"
        "        m = LogisticRegression(C=C).fit(V[tr], t[tr])\n"
        "        scores.append(roc_auc_score(t[va], m.predict_proba(V[va])[:, 1]))\n"
        "    found[C] = np.mean(scores)\n"
    )
    groups = [run for run in notebook.runs() if run.name == GROUP]
    means = [run.metrics["mean_roc_auc_score"] for run in groups]
    assert means == pytest.approx(list(notebook.namespace["found"].values()))
    assert [run.params["C"] for run in groups] == [0.001, 10.0]


NONE = {
    "nothing is made of them": LOOP + "best_auc = max(scores)",
    "values that are all the same": (
        "scores, rate_score = [], 1.0\n"
        "for tr, va in folds:\n"
        "    m = DecisionTreeClassifier().fit(V[tr], t[tr])\n"
        "    scores.append(accuracy_score(t[tr], m.predict(V[tr])))\n"
    ),
    "a single fit": "m = LogisticRegression().fit(V, t); auc = roc_auc_score(t, m.predict(V))",
}


@pytest.mark.parametrize("source", NONE.values(), ids=NONE)
def test_no_mean(notebook: Notebook, source: str) -> None:
    """Without a mean there is no run of all, and a value is not taken for one by chance."""
    notebook.run(FIRST + source)
    assert not [run.name for run in notebook.runs() if "fits" in run.name]

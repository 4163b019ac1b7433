"""Scores of what several fits have predicted together, and of models that nobody holds any more."""

from __future__ import annotations

import pytest

from tests.autolog.conftest import Notebook

FIRST = (
    "from sklearn.cluster import DBSCAN, KMeans\n"
    "from sklearn.metrics import silhouette_score\n"
    "from sklearn.model_selection import KFold\n"
    "V, t, folds = X.to_numpy(), y.to_numpy(), list(KFold(3).split(X))\n"
)
LOOP = "for tr, va in folds:\n    m = LogisticRegression(C=2).fit(V[tr], t[tr])\n    "
GROUP = "LogisticRegression, 3 fits"

POOLED = {
    "an array": "o = np.zeros(len(t))\n" + LOOP + "o[va] = m.predict(V[va])\nv = accuracy_score(t, o)",
    "a column": (
        "df = X.copy()\ndf['o'] = 0.0\n" + LOOP + "df.loc[va, 'o'] = m.predict(V[va])\n"
        "v = accuracy_score(t, df['o'])"
    ),
    "parts": (
        "ps, ts = [], []\n" + LOOP + "ps.append(m.predict(V[va]))\n    ts.append(t[va])\n"
        "v = accuracy_score(np.concatenate(ts), np.concatenate(ps))"
    ),
    "models": (
        "ms = []\n" + LOOP + "ms.append(m)\n"
        "v = accuracy_score(t, np.mean([m.predict(V) for m in ms], axis=0) > 0.5)"
    ),
    "a dict by row": (
        "ps, i = {}, 0\n" + LOOP + "ps.update(dict(zip(va.tolist(), m.predict(V[va]))))\n"
        "v = accuracy_score(t, [ps[i] for i in range(len(t))])"
    ),
    "no names": (
        "ps = [LogisticRegression(C=2).fit(V[tr], t[tr]).predict(V[va]) for tr, va in folds]\n"
        "v = accuracy_score(t, np.concatenate(ps))"
    ),
    "a function for each": (
        "def one(tr, va):\n    return LogisticRegression(C=2).fit(V[tr], t[tr]).predict(V[va])\n"
        "o = np.zeros(len(t))\nfor tr, va in folds:\n    o[va] = one(tr, va)\n"
        "v = accuracy_score(t, o)"
    ),
    "a function for all": (
        "def validate():\n    o = np.zeros(len(t))\n    for tr, va in folds:\n"
        "        m = LogisticRegression(C=2).fit(V[tr], t[tr])\n        o[va] = m.predict(V[va])\n"
        "    return o\no = validate()\nv = accuracy_score(t, o)"
    ),
    "a method": (
        "class Validation:\n    def run(self):\n        self.o = np.zeros(len(t))\n"
        "        for tr, va in folds:\n"
        "            m = LogisticRegression(C=2).fit(V[tr], t[tr])\n"
        "            self.o[va] = m.predict(V[va])\n        return accuracy_score(t, self.o)\n"
        "v = Validation().run()"
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", POOLED.values(), ids=POOLED)
def test_score_of_all_folds(notebook: Notebook, source: str) -> None:
    """A score of all folds together is none of a single fold's: it has a run of its own."""
    notebook.run(FIRST + source)
    *fits, group = notebook.runs()
    assert [run.name for run in fits] == ["LogisticRegression"] * 3
    assert (group.name, group.status, group.params["fits"]) == (GROUP, "finished", 3)
    assert (group.params["C"], group.tags["method"]) == (2, "fit in a loop")
    assert group.tags["params.changed"] == "C, fits"
    assert group.tags["fits"] == ", ".join(run.run_id for run in fits)
    assert notebook.namespace["v"] in notebook.metrics()[-1].values()
    assert group.metrics["fit_time_s"] == pytest.approx(
        sum(run.metrics["fit_time_s"] for run in fits)
    )
    assert notebook.metrics()[:3] == [{}, {}, {}]


def test_all_data_of_the_folds(notebook: Notebook) -> None:
    """The run of all folds names what each was given a part of, and takes later scores too."""
    notebook.run(FIRST + POOLED["an array"])
    notebook.run("auc = roc_auc_score(t, o)")
    group = notebook.runs()[-1]
    assert group.metrics.keys() >= {"v", "auc"}
    found = {(data.role, data.name, data.shape) for data in group.datasets}
    assert found == {("X", "V", (120, 3)), ("y", "t", (120,))}


def test_folds_of_a_booster(notebook: Notebook) -> None:
    """Native trainings of a loop belong together too; a score of one fold stays that one's."""
    notebook.run(
        FIRST + "import lightgbm as lgb\no = np.zeros(len(t))\nfor tr, va in folds:\n"
        "    given = {'objective': 'binary', 'verbose': -1, 'num_threads': 1}\n"
        "    m = lgb.train(given, lgb.Dataset(V[tr], t[tr]), 3)\n    o[va] = m.predict(V[va])\n"
        "    auc = roc_auc_score(t[va], o[va])\n"
        "v = roc_auc_score(t, o)"
    )
    *fits, group = notebook.runs()
    assert [run.name for run in fits] == ["lightgbm.train"] * 3
    assert all("auc" in run.metrics and "v" not in run.metrics for run in fits)
    assert (group.name, group.params["objective"]) == ("lightgbm.train, 3 fits", "binary")
    assert group.metrics.keys() == {"v", "fit_time_s"}


def test_each_round_of_a_search_has_its_own(notebook: Notebook) -> None:
    """A loop around the folds gives a run for each of its rounds."""
    inner = POOLED["an array"].replace("\n", "\n    ").replace("C=2", "C=c")
    notebook.run(FIRST + "for c in (1, 10):\n    " + inner)
    groups = [run for run in notebook.runs() if run.name == GROUP]
    assert [run.params["C"] for run in groups] == [1, 10]
    assert all("v" in run.metrics for run in groups)


SINGLE = {
    "the last model": LOOP + "pass\nv = accuracy_score(t, m.predict(V))",
    "its batches": (
        LOOP + "pass\nps = []\nfor k in range(3):\n    ps.append(m.predict(V[k::3]))\n"
        "v = accuracy_score(np.concatenate([t[k::3] for k in range(3)]), np.concatenate(ps))"
    ),
    "the last of a list": "ps = []\n" + LOOP + "ps.append(m.predict(V))\nv = accuracy_score(t, ps[-1])",
    "one by its name": (
        "ps = {}\nfor name, c in {'a': 1, 'b': 5, 'last': 9}.items():\n"
        "    m = LogisticRegression(C=c).fit(V, t)\n    ps[name] = m.predict(V)\n"
        "m = None\nv = accuracy_score(t, ps['last'])"
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", SINGLE.values(), ids=SINGLE)
def test_score_of_one_of_them(notebook: Notebook, source: str) -> None:
    """What one model of a loop has predicted is that one's, however it is kept."""
    notebook.run(FIRST + source)
    assert notebook.names() == ["LogisticRegression"] * 3
    assert [set(found) for found in notebook.metrics()] == [set(), set(), {"v"}]


def test_folds_of_several_models(notebook: Notebook) -> None:
    """A column for each of several models belongs to all folds of that model, not to the last one."""
    notebook.run(
        FIRST + "models = {'one': LogisticRegression(C=2), 'two': DecisionTreeClassifier()}\n"
        "o, scores = pd.DataFrame(0.0, index=X.index, columns=list(models)), {}\n"
        "for name, m in models.items():\n"
        "    for tr, va in folds:\n"
        "        m.fit(V[tr], t[tr])\n"
        "        o.iloc[va, o.columns.get_loc(name)] = m.predict_proba(V[va])[:, 1]\n"
        "    scores[name] = roc_auc_score(t, o[name])\n"
    )
    found = [run for run in notebook.runs() if "roc_auc_score" in run.metrics]
    assert [run.name for run in found] == [GROUP, "DecisionTreeClassifier, 3 fits"]


def test_one_of_many_by_its_name(notebook: Notebook) -> None:
    """Predictions in a dict are told apart by key, also where another loop reads them."""
    source = SINGLE["one by its name"].replace("ps['last']", "ps['a']")
    notebook.run(FIRST + source + "\nfor k, p in ps.items():\n    w = accuracy_score(t, p)")
    assert [set(found) for found in notebook.metrics()] == [{"v", "w"}, {"w"}, {"w"}]


UNNAMED = [
    "p = DBSCAN(eps=0.5).fit_predict(V)",
    "p = KMeans(2, n_init=1).fit_predict(V)",
    "p = LogisticRegression().fit(V, t).predict(V)",
]


@pytest.mark.parametrize("source", UNNAMED)
def test_a_model_without_a_name(notebook: Notebook, source: str) -> None:
    """What a model that is gone has predicted leads to its run, in later cells too."""
    notebook.run(FIRST + source)
    notebook.run("other = Ridge().fit(V, t)")
    notebook.run("acc = accuracy_score(t, p == 1)")
    assert [set(found) for found in notebook.metrics()] == [{"acc"}, set()]

"""``%mlops best`` and ``%mlops plot``: real figures and frames of real runs and models."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import InvalidValueError, NotFoundError, UsageError
from mlops_nb.kernel.completion import complete_line

Run = Callable[..., Any]

TRAIN = """
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.model_selection import train_test_split
X, y = load_wine(return_X_y=True, as_frame=True)
X = X[['alcohol', 'hue', 'ash']]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
for C in (0.001, 1.0):
    model = LogisticRegression(C=C, max_iter=20).fit(X_train, y_train)
    acc = model.score(X_test, y_test)
"""
CURVES = """
for name in ('a', 'b'):
    with mlops.start_run(name):
        for i in range(5): mlops.log_metrics({'loss': 5.0 - i, 'lr': 0.1})
"""

WRONG: list[tuple[str, type[Exception], str]] = [
    ("best accc", NotFoundError, "Did you mean 'acc'"),
    ("best acc --min --max", UsageError, "not allowed"),
    ("plot curves nope", NotFoundError, "no run 'nope'"),
    ("plot curves --metric nope", NotFoundError, "no metric 'nope'"),
    ("plot scatter --param nope", NotFoundError, "no param 'nope'"),
    ("plot roc model --metric acc", UsageError, "are not for roc"),
    ("plot roc model other", UsageError, "draws one model"),
    ("plot history --data X y", UsageError, "is for models"),
    ("plot residuals model", InvalidValueError, "a regressor"),
    ("plot roc X", InvalidValueError, "a fitted scikit-learn estimator"),
    ("plot roc model --data X_test nope", NotFoundError, "no variable 'nope'"),
    ("plot roc model --data y_test y_test", InvalidValueError, "was fitted on"),
]


@pytest.fixture
def trained(loaded: Run, recwarn: pytest.WarningsRecorder) -> Iterator[Run]:
    """Run cells where two models have been fitted and judged."""
    loaded("import warnings; warnings.simplefilter('ignore')")
    loaded(TRAIN)
    yield loaded
    api.disarm_autolog()


def ask(run: Run, line: str) -> Any:
    """Give what a magic returns; what it raises is raised."""
    result = run(line)
    result.raise_error()
    return result.result


def test_best_lists_and_gives_a_frame(trained: Run) -> None:
    """The best run stands first with its distance to the others and what it changed."""
    table = ask(trained, "%mlops best")
    assert table.columns[:4] == ("run", "name", "acc", "to the best")
    assert "C" in table.columns
    assert table.rows[0][2] > table.rows[1][2]
    assert table.rows[1][3] == pytest.approx(table.rows[1][2] - table.rows[0][2])
    worst = ask(trained, "%mlops best acc --min --top 1")
    assert worst.rows[0][0] == table.rows[1][0]
    frame = ask(trained, "%mlops best acc --frame")
    assert list(frame["run"]) == [row[0] for row in table.rows]
    assert len(ask(trained, "%mlops runs --frame")) == 2


def test_wrong_words_are_named(trained: Run) -> None:
    """What is not known or does not fit together is told with what would be right."""
    for line, error, message in WRONG:
        with pytest.raises(error, match=message):
            ask(trained, f"%mlops {line}")


def test_figures_of_runs(trained: Run) -> None:
    """Curves, history, scatter and parallel coordinates show the values that were logged."""
    from matplotlib.figure import Figure

    trained(CURVES)
    figure = ask(trained, "%mlops plot a b --metric loss")
    assert issubclass(type(figure), Figure)
    (axes,) = figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[5, 4, 3, 2, 1]] * 2
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert [axes.get_title() for axes in ask(trained, "%mlops plot").axes] == ["loss"]
    history = ask(trained, "%mlops plot history --metric acc")
    assert len(history.axes[0].lines[0].get_ydata()) == 2
    scatter = ask(trained, "%mlops plot scatter --metric acc --param C")
    assert sorted(scatter.axes[0].collections[0].get_offsets()[:, 0]) == [0.001, 1.0]
    assert scatter.axes[0].get_xscale() == "log"
    parallel = ask(trained, "%mlops plot parallel --metric acc")
    assert [tick.get_text() for tick in parallel.axes[0].get_xticklabels()] == ["C", "acc"]
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_figures_of_a_model(trained: Run) -> None:
    """Held-out data are found by their names, and neither runs nor random numbers come of it."""
    import numpy as np

    before = len(api.list_runs())
    np.random.seed(7)
    for kind in ("roc", "pr", "confusion", "importance", "learning"):
        figure = ask(trained, f"%mlops plot {kind}")
        assert "LogisticRegression" in "".join(axes.get_title() for axes in figure.axes)
        if kind in {"roc", "pr"}:
            assert len(figure.axes[0].get_legend().get_texts()) == 3
    state: Any = np.random.get_state()
    np.random.seed(7)
    same: Any = np.random.get_state()
    np.testing.assert_array_equal(state[1], same[1])
    assert len(api.list_runs()) == before
    trained("after = LogisticRegression(max_iter=5).fit(X_train, y_train)")
    assert len(api.list_runs()) == before + 1


def test_other_models(trained: Run) -> None:
    """Regressors have residuals; a model without importances is asked by shuffling."""
    trained(
        "line = Ridge().fit(X_train, y_train)\nnear = KNeighborsClassifier().fit(X_train, y_train)"
    )
    assert len(ask(trained, "%mlops plot residuals line").axes) == 2
    figure = ask(trained, "%mlops plot importance near --data X_test y_test")
    assert "shuffled" in figure.axes[0].get_xlabel()
    names = [each.get_text() for each in figure.axes[0].get_yticklabels()]
    assert set(names) == set(trained("list(X.columns)").result)


def test_model_that_is_gone(trained: Run) -> None:
    """A run whose model nobody holds any more cannot be drawn, and that is said."""
    trained("del model")
    first = api.list_runs()[-1].run_id
    with pytest.raises(UsageError, match="no fitted model of run 'LogisticRegression'"):
        ask(trained, f"%mlops plot roc {first}")


def test_completion(trained: Run, shell: Any) -> None:
    """Kinds, metrics, parameters and variables are completed."""
    assert complete_line("%mlops plot sca", {}) == ("sca", ["scatter"])
    found = complete_line("%mlops plot roc mod", shell.user_ns)
    assert found is not None
    assert "model" in found[1]
    assert complete_line("%mlops best a", {}) == ("a", ["acc"])
    assert complete_line("%mlops plot history --metric a", {}) == ("a", ["acc"])
    assert complete_line("%mlops plot scatter --param max", {}) == ("max", ["max_iter"])

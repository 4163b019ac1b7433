"""Cards under cells that recorded runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.kernel.cards import (
    MEDIA_TYPE,
    Card,
    render_card,
)
from mlops_nb.kernel.summaries import find_best, format_delta, format_param
from mlops_nb.records import ArtifactRecord, DatasetRecord, RunRecord, is_lower_better

Run = Callable[..., Any]


@pytest.fixture
def shown(shell: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect what cells publish, as a front end would get it."""
    messages: list[dict[str, Any]] = []

    def publish(data: dict[str, Any], metadata: object = None, **keywords: Any) -> None:
        messages.append({"data": data, **keywords})

    monkeypatch.setattr(shell.display_pub, "publish", publish)
    return messages


def make_run(name: str = "fit", **fields: Any) -> RunRecord:
    """Make a finished run."""
    values: dict[str, Any] = {
        "run_id": "01900000-0000-7000-8000-0000deadbeef",
        "experiment": "default",
        "status": "finished",
        "started_at": 10.0,
        "ended_at": 11.5,
    }
    return RunRecord(name=name, **{**values, **fields})


def test_card_follows_the_cell(loaded: Run, shown: list[dict[str, Any]]) -> None:
    """A cell with a run gets one card with name, params, metrics and the difference to the best."""
    for acc in (0.5, 0.75, 0.7):
        loaded(f"with mlops.start_run('fit'):\n    mlops.log_metric('acc', {acc})")
    assert [each["update"] for each in shown] == [False] * 3
    assert len({each["transient"]["display_id"] for each in shown}) == 3
    first, second, third = (each["data"][MEDIA_TYPE]["runs"][0] for each in shown)
    assert first["deltas"] == {}
    assert second["deltas"]["acc"] == pytest.approx(0.25)
    assert third["deltas"]["acc"] == pytest.approx(-0.05)
    assert "▼ -0.05" in shown[2]["data"]["text/plain"]
    assert "▼ -0.05" in shown[2]["data"]["text/html"]


def test_cells_without_runs_get_no_card(loaded: Run, shown: list[dict[str, Any]]) -> None:
    """A cell that records nothing shows nothing of ours."""
    loaded("x = 1")
    loaded("1 / 0")
    assert shown == []


def test_many_runs_of_a_cell_share_a_card(loaded: Run, shown: list[dict[str, Any]]) -> None:
    """A loop of thirty fits is one card with a table of the first twenty."""
    loaded("for i in range(30):\n    with mlops.start_run(f'r{i}'): mlops.log_param('i', i)")
    assert len(shown) == 1
    assert len(shown[0]["data"][MEDIA_TYPE]["runs"]) == 20
    assert "30 runs, the first 20 shown" in shown[0]["data"]["text/plain"]
    assert shown[0]["data"]["text/html"].count("<tr>") == 21


def test_later_metrics_complete_the_card(loaded: Run, shown: list[dict[str, Any]]) -> None:
    """A metric that a later cell logs appears on the card of the run, not on a new one."""
    loaded("run = mlops.start_run('long')")
    loaded("mlops.log_metric('acc', 0.9)")
    loaded("mlops.end_run()")
    ids = [each["transient"]["display_id"] for each in shown]
    assert len(set(ids)) == 1
    assert shown[0]["update"] is False
    assert all(each["update"] for each in shown[1:])
    assert shown[-1]["data"][MEDIA_TYPE]["runs"][0]["metrics"] == {"acc": 0.9}


def test_cards_can_be_quiet(
    run: Run, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting cards off, runs are recorded and nothing is shown."""
    monkeypatch.setenv("MLOPS_NB_CARDS", "0")
    run("%load_ext mlops_nb")
    run("import mlops_nb as mlops\nwith mlops.start_run('quiet'): pass")
    assert shown == []
    assert api.get_run("quiet").status == "finished"


def test_card_escapes_and_bounds_what_users_log() -> None:
    """Hostile names are escaped, long values cut, and the document is strict JSON."""
    evil = "<img src=x onerror=alert(1)>"
    run = make_run(
        evil,
        params={evil: evil, **{f"p{i}": "x" * 5000 for i in range(100)}},
        metrics={evil: float("nan"), "inf": float("inf")},
        datasets=(DatasetRecord("f", "frame", evil, evil, (1, 2), digest="d"),),
        artifacts=(ArtifactRecord("a.png", "d", 1, "image/png"),),
        environment="e" * 64,
    )
    for runs in ([run], [run, make_run("other")]):
        bundle = render_card(Card("id", runs, {}))._repr_mimebundle_()
        assert "<img" not in bundle["text/html"]
        assert "<svg" not in bundle["text/html"]
        assert len(bundle["text/html"]) < 20_000
        json.dumps(bundle[MEDIA_TYPE], allow_nan=False)
    assert "1 figure" in render_card(Card("id", [run], {}))._repr_html_()


def test_document_of_a_card_tells_what_its_html_tells() -> None:
    """The panel draws cards from it: with nested runs, what was recorded, and what is left out."""
    metrics = {f"m{i}": float(i) for i in range(15)}
    run = make_run(metrics=metrics, artifacts=(ArtifactRecord("a.png", "d", 1, "image/png"),))
    card = Card("id", [run], {}, nested={run.run_id: 2})
    document = render_card(card)._repr_mimebundle_()[MEDIA_TYPE]
    shown = document["runs"][0]
    assert (document["count"], len(shown["metrics"]), shown["more_metrics"]) == (1, 12, 3)
    assert (shown["nested"], shown["recorded"], shown["duration_s"]) == (2, "1 figure", 1.5)
    read = tuple(DatasetRecord("", "file", f"{i}.csv", "read") for i in range(15))
    fed = render_card(Card("id", [make_run(datasets=read)], {}))._repr_mimebundle_()[MEDIA_TYPE]
    assert fed["runs"][0]["recorded"].endswith("read: 11.csv, 3 more")
    many = render_card(Card("id", [run] * 30, {}))._repr_mimebundle_()[MEDIA_TYPE]
    assert (many["count"], len(many["runs"])) == (30, 20)


@pytest.mark.parametrize(
    ("key", "lower"),
    [
        ("accuracy", False),
        ("val_loss", True),
        ("RMSE", True),
        ("auc", False),
        ("neg_mean_squared_error", False),
    ],
)
def test_direction_of_a_metric(key: str, lower: bool) -> None:
    """Of losses and errors less is better."""
    assert is_lower_better(key) is lower


def test_best_value_depends_on_the_direction() -> None:
    """The best loss is the least, the best accuracy the greatest; NaN is never best."""
    runs = [make_run(metrics={"loss": value, "acc": value}) for value in (0.2, 0.1, float("nan"))]
    assert find_best(runs, ["loss", "acc", "other"]) == {"loss": 0.1, "acc": 0.2}
    assert format_delta("acc", 0.2, {"acc": 0.2}) == "= best so far"
    assert format_delta("acc", float("nan"), {"acc": 0.2}) == ""


def test_card_says_what_came_out_then_what_was_changed() -> None:
    """Metrics come first and times last; of the params only short ones that are no defaults."""
    run = make_run(
        params={"C": 1.0, "solver": "lbfgs", "weights": {"a": list(range(50))}, "max_iter": None},
        metrics={"fit_time_s": 0.5, "acc": 0.9},
        tags={"params.changed": "C, max_iter, weights"},
    )
    earlier = {"fit": [make_run(metrics={"fit_time_s": 0.1, "acc": 0.8})]}
    bundle = render_card(Card("id", [run], earlier))._repr_mimebundle_()
    assert bundle["text/plain"].splitlines()[1:] == [
        "  acc         0.9  (▲ +0.1)",
        "  fit_time_s  0.5",
        "  C=1.0, max_iter=None",
    ]
    assert list(bundle[MEDIA_TYPE]["runs"][0]["metrics"]) == ["acc", "fit_time_s"]
    assert "lbfgs" not in bundle["text/html"]
    assert "color" not in bundle["text/html"]


def test_card_of_many_runs_has_the_params_that_differ() -> None:
    """Columns are metrics, then changed params that are not the same in all runs."""
    runs = [
        make_run(
            "KMeans",
            run_id=f"0190000000000000000000000000000{k}",
            params={"n_clusters": k, "n_init": 5, "init": "random"},
            metrics={"fit_time_s": 0.1, "sil": k / 10},
            tags={"params.changed": "n_clusters, n_init"},
        )
        for k in (2, 3)
    ]
    runs.append(make_run("PCA", params={"copy": True}, tags={"params.changed": ""}))
    lines = render_card(Card("id", runs, {}))._repr_mimebundle_()["text/plain"].splitlines()
    words = ["name", "run", "duration", "sil", "fit_time_s", "n_clusters", "n_init"]
    assert lines[1].split() == words
    assert lines[2].split()[-2:] == ["2", "5"]


def test_card_counts_nested_runs(loaded: Run, shown: list[dict[str, Any]]) -> None:
    """Runs inside another one share its card, which counts them."""
    loaded(
        "with mlops.start_run('outer'):\n"
        "    for i in range(3):\n"
        "        with mlops.start_run(f'inner {i}'): pass"
    )
    assert len(shown) == 1
    assert "· 3 nested runs ·" in shown[0]["data"]["text/plain"]


def test_cards_of_a_reloaded_extension_are_its_own(
    loaded: Run, shown: list[dict[str, Any]]
) -> None:
    """A card shown after %reload_ext does not take the place of one shown before."""
    loaded("with mlops.start_run('first'): pass")
    loaded("%reload_ext mlops_nb")
    loaded("with mlops.start_run('second'): pass")
    assert len({each["transient"]["display_id"] for each in shown}) == 2


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.0"), (1, "1"), (None, "None"), (1e-5, "1e-05"), (True, "True")]
)
def test_params_show_their_type(value: object, text: str) -> None:
    """A forest with max_features=1.0 is another one than with 1."""
    assert format_param(value) == text


def test_card_of_a_search_says_what_it_found() -> None:
    """The parameters that a search found best come before those it was given."""
    run = make_run(params={"cv": 3, "n_jobs": None, "best.C": 10.0}, tags={"params.changed": "cv"})
    lines = render_card(Card("id", [run], {}))._repr_mimebundle_()["text/plain"].splitlines()
    assert lines[1:] == ["  best.C=10.0, cv=3"]

"""What the panel executes to register the model of a run, in the kernel that has trained it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.linear_model import Ridge

import mlops_nb as mlops
from mlops_nb import api
from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.kernel.registering import register_run
from mlops_nb.store import Store
from mlops_nb.tracking import find_run_of, link_object

CODE = "__import__('mlops_nb.kernel.registering', fromlist=['']).register_run('{}', {})"
FIT = (
    "from sklearn.pipeline import make_pipeline\n"
    "from sklearn.preprocessing import StandardScaler\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "{} = make_pipeline(StandardScaler(), LogisticRegression())\n"
    "{}.fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])\n"
    "None"  # else the shell keeps what it shows
)


def test_living_model_is_registered_with_its_lineage(
    loaded: Callable[..., Any], shell: Any
) -> None:
    """By the run alone, with alias and reason; no name is left in the notebook."""
    loaded(FIT.format("model", "model"))
    run_id = find_run_of(shell.user_ns["model"])
    assert run_id is not None
    before = set(shell.user_ns)
    code = CODE.format(run_id, "'tumours', 'champion', 'first'")
    shell.run_cell(code, silent=True, store_history=False).raise_error()
    assert set(shell.user_ns) == before
    version = api.get_model("tumours@champion")
    assert (version.run_id, version.model_class) == (run_id, "sklearn.pipeline.Pipeline")
    assert version.signature is not None
    assert api.list_model_changes("tumours")[0].document["reason"] == "first"
    assert api.list_run_versions(run_id) == [version]
    shell.user_ns.pop("model")
    again = api.register_run(run_id, name="tumours")  # its bytes are there, whatever has gone
    assert (again.version, again.digest) == (2, version.digest)


def test_what_is_gone_or_not_clear_is_refused(loaded: Callable[..., Any], shell: Any) -> None:
    """Nothing is written for a model that was deleted, or where a run has several."""
    loaded(FIT.format("model", "model"))
    run_id = find_run_of(shell.user_ns["model"])
    assert run_id is not None
    for name, alias in (("No!", None), ("good", "3")):
        with pytest.raises(InvalidValueError):
            register_run(run_id, name, alias)
    second = shell.user_ns["model"].steps[0][1]
    link_object(second, run_id)
    with pytest.raises(InvalidValueError, match="Pipeline, StandardScaler"):
        register_run(run_id, "tumours")
    del second
    shell.user_ns.pop("model")
    gc.collect()
    with pytest.raises(NotFoundError, match="is not in this process any more"):
        register_run(run_id, "tumours")
    assert api.list_models() == []
    assert api.find_run_kernel(run_id) is None


def test_of_several_registered_models_none_is_guessed(store: Store) -> None:
    """A name says which one is meant; a new name may mean any of them, unless they are the same."""
    rows = [[0.0], [1.0], [2.0]]
    with mlops.start_run("two") as run:
        for name, weight in (("alone", 1.0), ("other", 2.0)):
            model = Ridge(alpha=weight).fit(rows, [0.0, 1.0, 2.0])
            made = api.register_model(model, name=name, run_id=run.run_id)
            if name == "alone":
                assert api.register_run(run.run_id, name="copy").digest == made.digest
    with pytest.raises(InvalidValueError, match="alone/1, copy/1, other/1"):
        api.register_run(run.run_id, name="new")
    assert api.register_run(run.run_id, name="other").digest == made.digest
    assert {model.name for model in api.list_models()} == {"alone", "copy", "other"}


def test_network_is_one_model_with_all_that_is_in_it() -> None:
    """Modules within a module of the same run, or what wraps it, are no second model."""
    torch = pytest.importorskip("torch")
    from mlops_nb.autolog.trained import find_models

    whole = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    data = torch.zeros(3)
    for each in (whole[0], whole, data):
        link_object(each, "run")
    assert find_models("run") == [whole]
    assert find_models("other") == []

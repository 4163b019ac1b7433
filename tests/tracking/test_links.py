"""Objects name the run that made them, and nothing of ours stays in or on them."""

from __future__ import annotations

import gc
import pickle
import weakref

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import find_run_of, link_object, list_links, open_session


class Model:
    """Something fitted."""


def test_an_object_names_its_last_run() -> None:
    """A model fitted again belongs to the later run; an equal one belongs to none."""
    model = Model()
    assert link_object(model, "a")
    assert link_object(model, "b")
    assert find_run_of(model) == "b"
    assert find_run_of(Model()) is None
    assert (model, "b") in list_links()


def test_objects_are_not_kept_alive_or_changed() -> None:
    """The link is gone with the object, and the object pickles as before."""
    model = Model()
    before = pickle.dumps(model)
    link_object(model, "a")
    assert pickle.dumps(model) == before
    gone = weakref.ref(model)
    identity = id(model)
    del model
    gc.collect()
    assert gone() is None
    assert not [run for value, run in list_links() if id(value) == identity]


def test_what_takes_no_weak_reference_is_told() -> None:
    """An object without weak references is not linked, and nothing breaks."""
    assert not link_object((1, 2), "a")
    assert find_run_of((1, 2)) is None


def test_a_run_of_another_session_takes_late_metrics(store: Store) -> None:
    """A later step adds its metrics and its cells to the run of the model it got."""
    first = open_session(store, load_settings())
    index = first.begin_cell("fit()")
    run = first.start_run("train", is_active=False)
    first.adopt(run)
    first.end_cell(index)
    run_id = run.run_id
    del run

    second = open_session(store, load_settings())
    second.begin_cell("load()")
    second.end_cell(0)
    index = second.begin_cell("score()")
    again = second.find_run(run_id)
    assert again is not None
    assert second.find_run(run_id) is again
    second.touch(again)
    again.log_metric("acc", 0.9)
    assert second.end_cell(index) == [again]
    record = store.read_run(run_id)
    assert record.metrics == {"acc": 0.9}
    assert record.status == "finished"
    assert [cell.source for cell in record.cells] == ["fit()", "load()", "score()"]
    assert second.find_run("01a20026-ffa5-7010-8578-df0dc9df386d") is None

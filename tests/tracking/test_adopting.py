"""Runs that are started on behalf of another belong to it, in one thread and no other."""

from __future__ import annotations

import os
import threading

import pytest

from mlops_nb.config import load_settings
from mlops_nb.store import Store
from mlops_nb.tracking import Adoption, Run, adopting, start_run


def start(store: Store, name: str, nested: bool | None = None) -> Run:
    """Start a run as a pipeline does: it is not the active one."""
    return start_run(store, load_settings(), name, nested=nested, is_active=False)


def test_runs_are_adopted_with_tags(store: Store) -> None:
    """What starts inside has the parent and the tags, what starts before and after does not."""
    parent = start(store, "parent")
    with adopting(Adoption(parent.run_id, {"trial": "3"})) as adoption:
        inside = start(store, "inside", nested=False)
    outside = start(store, "outside")
    assert adoption.run_ids == [inside.run_id]
    record = store.read_run(inside.run_id)
    assert (record.parent_run_id, record.tags) == (parent.run_id, {"trial": "3"})
    assert store.read_run(outside.run_id).parent_run_id is None


def test_environment_is_the_wider_circle(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread says wins over what the process's environment says."""
    monkeypatch.setenv("MLOPS_NB_PARENT_RUN", "of-the-process")
    with adopting(Adoption("of-the-thread")):
        assert start(store, "a").parent_run_id == "of-the-thread"
    assert start(store, "b").parent_run_id == "of-the-process"


def test_a_run_inside_another_stays_its_child(store: Store) -> None:
    """A block of the user's own is the nearer parent; then no tag is added."""
    with adopting(Adoption("far", {"trial": "3"})), start(store, "near") as near:
        child = start(store, "child")
    assert child.parent_run_id == near.run_id
    assert store.read_run(child.run_id).tags == {}


def test_other_threads_are_not_touched(store: Store) -> None:
    """Two trials at a time keep their runs apart."""
    found: list[str | None] = []
    with adopting(Adoption("mine")):
        beside = threading.Thread(target=lambda: found.append(start(store, "x").parent_run_id))
        beside.start()
        beside.join()
    assert found == [None]


@pytest.mark.parametrize("value", ["of-a-plain-dict", ""])
def test_the_parent_is_found_in_whatever_stands_for_the_environment(
    store: Store, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """A test tool may put a dict in its place; empty is none."""
    monkeypatch.setattr(os, "environ", {**os.environ, "MLOPS_NB_PARENT_RUN": value})
    run = start(store, "run")
    assert store.read_run(run.run_id).parent_run_id == (value or None)

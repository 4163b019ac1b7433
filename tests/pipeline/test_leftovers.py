"""What a notebook has left running or open is found, named or not; what libraries keep is not."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_nb.capture.git import capture_git
from mlops_nb.pipeline import displays, leftovers


class _Shop:
    pass


def find(namespace: dict[str, Any]) -> dict[str, str]:
    """Find what is left, with nothing counted as the notebook's own function."""
    return leftovers.find_leftovers(namespace, lambda value: False)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin anew: what runs already is known."""
    monkeypatch.setattr(leftovers, "_known", {})
    assert find({"file": 1}) == {}
    leftovers.begin()


def test_nothing_is_left_of_nothing(tmp_path: Path) -> None:
    """Files that are closed, read or kept in memory, and streams, hold nothing back."""
    path = tmp_path / "a.txt"
    path.write_text("a")
    with path.open() as read, path.open("a") as closed:
        closed.close()
        names = {"read": read, "closed": closed, "text": io.StringIO(), "out": sys.stdout}
        assert find(names) == {}


def test_open_files_are_found(tmp_path: Path) -> None:
    """A file that is open for writing keeps the step, alone or below a writer or an archive."""
    target = (tmp_path / "a.csv").open("w")
    with target, zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        names = {"target": target, "rows": csv.writer(target), "archive": archive}
        assert list(find(names)) == ["<open target>", "<open rows>", "<open archive>"]
    assert list(find(names)) == ["<open rows>"]


def test_threads_and_timers_are_found() -> None:
    """A thread that runs a library's loop, and a timer that has not fired, are found."""
    stop = threading.Event()
    namespace: dict[str, Any] = {"stop": stop}
    exec("def wait(): stop.wait(30)", namespace)
    own = threading.Thread(target=namespace["wait"], name="own")
    timer = threading.Timer(30, print)
    timer.name = "late"
    for thread in (own, timer):
        thread.start()
    try:
        assert sorted(find(namespace)) == ["<thread late>", "<thread own>"]
    finally:
        stop.set()
        timer.cancel()
        own.join()
        timer.join()
    assert find(namespace) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
def test_programs_are_found() -> None:
    """A program that was started here and still runs is found; one that has ended is not."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    for _ in range(20):  # it goes on before the system knows what the program is
        with subprocess.Popen([sleep, "30"]) as program:
            try:
                assert list(find({})) == [f"<program {program.pid}>"]
            finally:
                program.kill()
        assert find({}) == {}


def test_looking_at_the_code_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a recorder asks git, neither its process nor its time limit keeps the step."""
    begun, over = tmp_path / "begun", tmp_path / "over"
    script = tmp_path / "git"
    script.write_text(f"#!/bin/sh\n: > {begun}\nwhile [ ! -e {over} ]; do sleep 0.05; done\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    looking = threading.Thread(target=capture_git, args=(tmp_path,), name="mlops_nb-looking")
    looking.start()
    try:
        while not begun.exists():
            looking.join(0.01)
        assert find({}) == {}
    finally:
        over.touch()
        looking.join()
    assert begun.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
def test_what_a_recorder_is_just_starting_is_ours() -> None:
    """Between fork and exec, and while it ends, a process does not look like what it runs."""
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            subprocess.run(["sh", "-c", ":", "core.fsmonitor=false"], check=True)

    looking = threading.Thread(target=ask, name="mlops_nb-looking")
    looking.start()
    try:
        assert [found for found in (find({}) for _ in range(300)) if found] == []
    finally:
        is_over.set()
        looking.join()


def test_finalizers_are_found() -> None:
    """What shall run when an object goes is found, unless the object has gone."""
    shop = _Shop()
    finalizer = weakref.finalize(shop, json.dumps, {})
    assert list(find({})) == ["<finalizer dumps>"]
    finalizer.detach()
    assert find({}) == {}


def make_step(path: Path, metadata: dict[str, Any], shown: str) -> str:
    """Write the executed notebook of a step with one output."""
    output = {"output_type": "display_data", "data": {"text/plain": shown}, "metadata": {}}
    cell = {
        "cell_type": "code",
        "id": "a",
        "source": "",
        "execution_count": 1,
        "metadata": {},
        "outputs": [output],
    }
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": [cell],
        "metadata": {"mlops": metadata},
    }
    path.write_text(json.dumps(document))
    return str(path)


def test_output_of_an_earlier_step_is_updated(tmp_path: Path) -> None:
    """The last update wins, only outputs of that name change, and only above the update."""
    places = {"displays": {"bar": [[0, 0]]}}
    update = {"updates": {"bar": {"data": {"text/plain": "done"}, "metadata": {}}}}
    steps = [
        make_step(tmp_path / "1.ipynb", places, "waiting"),
        make_step(tmp_path / "2.ipynb", {"displays": {"other": [[0, 0]]}}, "other"),
        make_step(tmp_path / "3.ipynb", update, "now"),
        make_step(tmp_path / "4.ipynb", places, "later"),
    ]
    cell = SimpleNamespace(kind="code", source="update_display(1, display_id='bar')")
    pipeline: Any = SimpleNamespace(document=SimpleNamespace(cells=[cell]))
    displays.settle(pipeline, [*steps, None, str(tmp_path / "lost.ipynb")])
    shown = [
        json.loads(Path(step).read_text())["cells"][0]["outputs"][0]["data"]["text/plain"]
        for step in steps
    ]
    assert shown == ["done", "other", "now", "later"]
    cell.source = "print(1)"
    Path(steps[0]).write_text("not read where no cell names a display")
    displays.settle(pipeline, steps)

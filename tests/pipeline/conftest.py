"""Fixtures that run programs step by step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from mlops_nb.store import Store
from tests.pipeline.places import Place

# Not as a script: the programs own the module __main__.
_SERVE = "from tests.pipeline import zygote; zygote.serve()"
ROOT = Path(__file__).parents[2]


@dataclass
class Crossing:
    """What a program printed in one process, and step by step."""

    whole: str
    stepped: str
    unpicklable: dict[str, str]
    failure: str


class Zygote:
    """A process that has imported heavy libraries and forks one child per step."""

    def __init__(self, *modules: str) -> None:
        environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _SERVE, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def run(self, steps: tuple[str, ...], folder: Path, cross: bool) -> dict[str, Any]:
        """Run steps in one process, or each in its own."""
        folder.mkdir(exist_ok=True)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert isinstance(stdin, IO | object)
        assert stdin is not None
        assert stdout is not None
        request = {"steps": steps, "folder": str(folder), "cross": cross}
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        reply: dict[str, Any] = json.loads(stdout.readline())
        return reply

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Give a process with numpy, pandas and matplotlib loaded."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    made = Zygote("scipy.sparse", "sklearn.pipeline", "sklearn.preprocessing")
    yield made
    made.close()


@pytest.fixture(scope="session")
def torch_zygote() -> Iterator[Zygote]:
    """Give a process that has torch loaded as well."""
    pytest.importorskip("torch")
    made = Zygote("torch", "torch._dynamo", "torch.optim")
    yield made
    made.close()


def _make_cross(zygote: Zygote, folder: Path) -> Callable[..., Crossing]:
    def cross(*steps: str) -> Crossing:
        sources = tuple(textwrap.dedent(step) for step in steps)
        whole = zygote.run(sources, folder / "whole", cross=False)
        assert not whole["failure"], whole["failure"]
        assert whole["printed"], "a case must print something to compare"
        stepped = zygote.run(sources, folder / "stepped", cross=True)
        return Crossing(
            whole["printed"], stepped["printed"], stepped["unpicklable"], stepped["failure"]
        )

    return cross


@pytest.fixture
def cross(zygote: Zygote, tmp_path: Path) -> Callable[..., Crossing]:
    """Run a program in one process and step by step."""
    return _make_cross(zygote, tmp_path)


@pytest.fixture
def cross_torch(torch_zygote: Zygote, tmp_path: Path) -> Callable[..., Crossing]:
    """Run a program that uses torch in one process and step by step."""
    return _make_cross(torch_zygote, tmp_path)


@pytest.fixture
def place(tmp_path: Path, store: Store) -> Place:
    """Give a place to run pipelines in."""
    (tmp_path / "work").mkdir()
    return Place(tmp_path, store)

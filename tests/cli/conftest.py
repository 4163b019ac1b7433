"""A command line in this process, and notebooks to ask about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Give stdout as the one JSON document it must be."""
        return json.loads(self.out)


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run the command line as a shell would, without a process."""

    def run(*words: object) -> Answer:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capfd.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Answer(code, out, err)

    return run


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """Write a notebook of two steps with parameters."""
    cells = [
        ("scale: float = 2.0  # how much\ntimes = 3", ["parameters"]),
        ("import mlops_nb as mlops", []),
        ("numbers = [scale * n for n in range(times)]", ["step:make"]),
        ("total = sum(numbers)\nmlops.log_metric('total', total)\nprint(total)", ["step:add"]),
    ]
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": tags},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (source, tags) in enumerate(cells)
        ],
    }
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path

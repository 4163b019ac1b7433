"""What became of steps that ran in another process: the file ``RESULT.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_nb.pipeline.context import Chain
from mlops_nb.pipeline.state import State, read_state
from mlops_nb.records import StepCause, StepResult


def write_chain(chain: Chain, path: Path) -> None:
    """Write a chain; the file appears whole.

    Parameters
    ----------
    chain
        The chain.
    path
        The file.
    """
    document = {
        "after": None if chain.after == chain.before else chain.after.to_json(),
        "numbers": chain.numbers,
        "results": [asdict(result) for result in chain.results],
        "reports": chain.reports,
        "has_exited": chain.has_exited,
    }
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(document), encoding="utf-8")
    temporary.replace(path)


def read_chain(document: Mapping[str, Any], before: State) -> Chain:
    """Read a chain.

    Parameters
    ----------
    document
        From `write_chain`.
    before
        The state before it.

    Returns
    -------
    Chain
        As it was.
    """
    return Chain(
        before,
        before if document["after"] is None else read_state(document["after"]),
        list(document["numbers"]),
        [StepResult(**result) for result in document["results"]],
        list(document["reports"]),
        document["has_exited"],
    )


def make_failed_chain(
    number: int, name: str, before: State, error: str, cause: StepCause = "error"
) -> Chain:
    """Give the chain of a step that could not be run at all.

    Parameters
    ----------
    number
        Position of the step from 0.
    name
        Its name.
    before
        The state before it.
    error
        Why, for people.
    cause
        Why, for programs.

    Returns
    -------
    Chain
        With one result.
    """
    result = StepResult(name, "failed", error=error, cause=cause)
    return Chain(before, before, [number], [result])

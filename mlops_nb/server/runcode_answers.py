"""What the routes answer that do something with a run once more."""

from __future__ import annotations

from mlops_nb.server.answers import Answer
from mlops_nb.server.pipeline_answers import ModelVersion


class RunScript(Answer):
    """The code of a run, as it ran, as a script."""

    name: str
    source: str


class Registration(Answer):
    """What the model of a run is registered as, and the kernel that may still have it."""

    versions: list[ModelVersion]
    kernel_id: str | None

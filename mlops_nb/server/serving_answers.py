"""What the routes answer that serve models."""

from __future__ import annotations

from typing import Any, Literal

from mlops_nb.server.answers import Answer, Problem


class ServedModel(Answer):
    """A version that this server serves, or served until it ended by itself.

    The token, which every request to the address needs, is told to who may run code here.
    """

    name: str
    version: int
    status: Literal["starting", "serving", "stopping", "stopped", "ended"]
    started_at: str
    url: str | None
    problem: Problem | None
    token: str | None


class ServedModels(Answer):
    """What is served of a store."""

    served: list[ServedModel]


class ServingAnswer(Answer):
    """A version that starts or stops being served; null where nothing was left to stop."""

    served: ServedModel | None


class PredictionProblem(Problem):
    """What a model found wrong, and where in the request; the place is empty for the whole."""

    path: str


class Predictions(Answer):
    """What a model answered: one prediction a row, or a problem and none."""

    predictions: list[Any]
    probabilities: list[Any] | None
    classes: list[Any] | None
    warnings: list[str]
    problem: PredictionProblem | None

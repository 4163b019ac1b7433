"""What each method of each route takes and answers; tests hold it to what the handlers do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_nb.server import answers, bodies
from mlops_nb.server import data_answers as data
from mlops_nb.server import pipeline_answers as more
from mlops_nb.server import runcode_answers as runcode
from mlops_nb.server import serving_answers as serving
from mlops_nb.server.payload import DEFAULT_LIMIT, MAX_LIMIT

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
NUMBER = {"type": "integer", "minimum": 0}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
_SCOPE = {"enum": ["notebook", "store"], "default": "notebook"}
_PAGE = {"limit": _LIMIT, "offset": {**NUMBER, "default": 0}}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route.

    Attributes
    ----------
    answer
        The type of the body of a 200; None for the bytes of a file.
    query
        JSON Schema of each query argument; ``notebook``, which all routes take, tells whose
        project's store is asked.
    needed
        Arguments without which there is no answer.
    body
        As `read_body` checks it, where something is to be changed.
    """

    answer: type[answers.Answer] | None
    query: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    body: Mapping[str, type] | None = None


_PIPELINE = ("notebook",)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("status", "get"): Operation(answers.Status),
    ("runs", "get"): Operation(
        answers.RunsPage,
        {
            **_PAGE,
            "scope": _SCOPE,
            "filter": TEXT,
            "order_by": TEXTS,
        },
    ),
    ("runs/([^/]+)", "get"): Operation(answers.WholeRun),
    ("runs/([^/]+)", "patch"): Operation(answers.ListedRun, body=bodies.RUN_CHANGE),
    ("runs/([^/]+)", "delete"): Operation(answers.DeletedRun),
    ("runs/([^/]+)/restore", "post"): Operation(answers.ListedRun),
    ("runs/([^/]+)/metric", "get"): Operation(
        answers.Curve,
        {"key": TEXT, "pixels": {"type": "integer", "minimum": 1, "maximum": 4000, "default": 400}},
        ("key",),
    ),
    ("runs/([^/]+)/cells", "get"): Operation(answers.CellsPage, _PAGE),
    ("runs/([^/]+)/surroundings", "get"): Operation(answers.Surroundings),
    ("runs/([^/]+)/artifact", "get"): Operation(None, {"path": TEXT}, ("path",)),
    ("runs/([^/]+)/registration", "get"): Operation(runcode.Registration),
    ("runs/([^/]+)/registration", "post"): Operation(more.ModelVersion, body=bodies.REGISTRATION),
    ("runs/([^/]+)/reproduction", "get"): Operation(more.JobAnswer),
    ("runs/([^/]+)/reproduction", "post"): Operation(more.JobAnswer, body=bodies.REPRODUCTION),
    ("runs/([^/]+)/reproduction", "delete"): Operation(more.JobAnswer),
    ("runs/([^/]+)/script", "get"): Operation(runcode.RunScript),
    ("compare", "get"): Operation(
        answers.Comparison,
        {
            "run": {**TEXTS, "minItems": 1, "maxItems": 20},
            "beside": {"type": "string", "enum": ["best", "previous"], "default": "best"},
            "limit": {**_LIMIT, "default": MAX_LIMIT},
            "offset": _PAGE["offset"],
        },
        ("run",),
    ),
    ("notebook", "get"): Operation(
        answers.NotebookNews,
        {"kernel": TEXT, "session": TEXT, "since": {**NUMBER, "default": 0}},
    ),
    ("data", "get"): Operation(data.Uses, {"scope": _SCOPE}),
    ("data/profile", "get"): Operation(
        data.DatasetProfile, {"run": TEXT, "fingerprint": TEXT}, ("run", "fingerprint")
    ),
    ("environment", "get"): Operation(
        data.EnvironmentDifferences, {"before": TEXT, "after": TEXT}, ("before", "after")
    ),
    ("models", "get"): Operation(more.ModelsPage, _PAGE),
    ("models/([^/]+)", "get"): Operation(more.Model, _PAGE),
    ("models/([^/]+)/versions/([^/]+)", "get"): Operation(more.WholeModelVersion),
    ("models/([^/]+)/aliases/([^/]+)", "put"): Operation(
        more.ModelVersion, body=bodies.ALIAS_CHANGE
    ),
    ("models/([^/]+)/aliases/([^/]+)", "delete"): Operation(
        more.ModelVersion, body=bodies.ALIAS_REMOVAL
    ),
    ("serving", "get"): Operation(serving.ServedModels),
    ("models/([^/]+)/versions/([^/]+)/serving", "post"): Operation(serving.ServingAnswer),
    ("models/([^/]+)/versions/([^/]+)/serving", "delete"): Operation(serving.ServingAnswer),
    ("models/([^/]+)/versions/([^/]+)/predictions", "post"): Operation(
        serving.Predictions, body=bodies.PREDICTION
    ),
    ("pipeline", "get"): Operation(more.Pipeline, needed=_PIPELINE),
    ("pipeline/why", "get"): Operation(more.Explanation, {"step": TEXT}, (*_PIPELINE, "step")),
    ("pipeline/suggestions", "get"): Operation(more.Suggestions, needed=_PIPELINE),
    ("pipeline/run", "get"): Operation(more.JobAnswer, needed=_PIPELINE),
    ("pipeline/run", "post"): Operation(
        more.StartAnswer, needed=_PIPELINE, body=bodies.PIPELINE_RUN
    ),
    ("pipeline/run", "delete"): Operation(more.JobAnswer, needed=_PIPELINE),
    ("pipeline/export", "post"): Operation(more.Script, needed=_PIPELINE, body=bodies.EXPORT),
}

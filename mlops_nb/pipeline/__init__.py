"""Tagged cells as steps: graph, boundary, execution by papermill."""

from mlops_nb.pipeline.foresight import Forecast, find_forecast, foresee
from mlops_nb.pipeline.graph import Edge, Pipeline, Step, plan
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.runner import run

__all__ = [
    "Edge",
    "Forecast",
    "Pipeline",
    "Progress",
    "Step",
    "find_forecast",
    "foresee",
    "plan",
    "run",
]

"""The verbs: what can be asked, the same from notebook, panel, command line and Python.

Thin by rule: a verb finds the store and the session, calls the room that does the work, and gives
back records. Rooms below are loaded when their verb is first used.
"""

from mlops_nb.api.data import snapshot_data, snapshot_environment
from mlops_nb.api.models import (
    get_model,
    list_models,
    load_model,
    register_model,
    serve_model,
    set_alias,
)
from mlops_nb.api.pipelines import export_notebook, plan_pipeline, run_pipeline
from mlops_nb.api.places import get_status, get_store
from mlops_nb.api.runs import (
    active_run,
    compare_runs,
    end_run,
    get_metric_history,
    get_run,
    list_runs,
    log_artifact,
    log_figure,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    read_artifact,
    search_runs,
    set_tag,
    set_tags,
    start_run,
)
from mlops_nb.api.sessions import (
    arm_autolog,
    attach_output,
    autolog_status,
    begin_cell,
    close_session,
    disarm_autolog,
    end_cell,
    open_session,
    touch_runs_of,
    touched_runs,
)

__all__ = [
    "active_run",
    "arm_autolog",
    "attach_output",
    "autolog_status",
    "begin_cell",
    "close_session",
    "compare_runs",
    "disarm_autolog",
    "end_cell",
    "end_run",
    "export_notebook",
    "get_metric_history",
    "get_model",
    "get_run",
    "get_status",
    "get_store",
    "list_models",
    "list_runs",
    "load_model",
    "log_artifact",
    "log_figure",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "open_session",
    "plan_pipeline",
    "read_artifact",
    "register_model",
    "run_pipeline",
    "search_runs",
    "serve_model",
    "set_alias",
    "set_tag",
    "set_tags",
    "snapshot_data",
    "snapshot_environment",
    "start_run",
    "touch_runs_of",
    "touched_runs",
]

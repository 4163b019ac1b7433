"""The verbs: what can be asked, the same from notebook, panel, command line and Python.

Thin by rule: a verb finds the store and the session, calls the room that does the work, and gives
back records. A verb is loaded when it is first asked for, and the rooms below with its first use: a
kernel that begins needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_nb.api.data import read_surroundings, snapshot_data, snapshot_environment
    from mlops_nb.api.datasets import diff_environments, profile_dataset, read_uses
    from mlops_nb.api.executions import switch_recording, watch_session
    from mlops_nb.api.models import (
        delete_alias,
        get_model,
        list_model_changes,
        list_models,
        load_model,
        register_model,
        serve_model,
        set_alias,
        summarize_models,
    )
    from mlops_nb.api.notebooks import (
        explain_graph,
        list_parameters,
        slice_notebook,
        suggest_tags,
    )
    from mlops_nb.api.pipelines import (
        export_notebook,
        measure_crossings,
        plan_pipeline,
        run_pipeline,
        verify_pipeline,
    )
    from mlops_nb.api.places import get_status, get_store, stamp_store
    from mlops_nb.api.plots import (
        RUN_PLOTS,
        best_runs,
        judge_by,
        list_fitted,
        list_model_plots,
        plot_model,
        plot_runs,
    )
    from mlops_nb.api.registering import find_run_kernel, list_run_versions, register_run
    from mlops_nb.api.remotes import list_audit, pull_store, push_store, verify_audit
    from mlops_nb.api.reproducing import reproduce_run
    from mlops_nb.api.runcode import export_run, read_run_script
    from mlops_nb.api.runs import (
        active_run,
        compare_runs,
        edit_run,
        end_run,
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
    from mlops_nb.api.series import get_metric_history, get_metric_series, preview_metric
    from mlops_nb.api.sessions import (
        arm_autolog,
        attach_output,
        autolog_status,
        begin_cell,
        close_session,
        disarm_autolog,
        end_cell,
        keep_output,
        list_autologged,
        open_session,
        paused,
        touch_runs_of,
        touched_runs,
        watch_runs,
    )
    from mlops_nb.api.steps import (
        clear_cache,
        collect_cache,
        explain_step,
        foresee_pipeline,
        get_cache_stats,
    )
    from mlops_nb.api.store import (
        collect_garbage,
        delete_run,
        get_store_stats,
        list_deleted_runs,
        rebuild_index,
        restore_run,
        verify_store,
    )
    from mlops_nb.api.sweeps import get_sweep, list_sweeps, resume_sweep, sweep_pipeline
    from mlops_nb.api.templates import copy_template, list_templates

__all__ = [
    "RUN_PLOTS",
    "active_run",
    "arm_autolog",
    "attach_output",
    "autolog_status",
    "begin_cell",
    "best_runs",
    "clear_cache",
    "close_session",
    "collect_cache",
    "collect_garbage",
    "compare_runs",
    "copy_template",
    "delete_alias",
    "delete_run",
    "diff_environments",
    "disarm_autolog",
    "edit_run",
    "end_cell",
    "end_run",
    "explain_graph",
    "explain_step",
    "export_notebook",
    "export_run",
    "find_run_kernel",
    "foresee_pipeline",
    "get_cache_stats",
    "get_metric_history",
    "get_metric_series",
    "get_model",
    "get_run",
    "get_status",
    "get_store",
    "get_store_stats",
    "get_sweep",
    "judge_by",
    "keep_output",
    "list_audit",
    "list_autologged",
    "list_deleted_runs",
    "list_fitted",
    "list_model_changes",
    "list_model_plots",
    "list_models",
    "list_parameters",
    "list_run_versions",
    "list_runs",
    "list_sweeps",
    "list_templates",
    "load_model",
    "log_artifact",
    "log_figure",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "measure_crossings",
    "open_session",
    "paused",
    "plan_pipeline",
    "plot_model",
    "plot_runs",
    "preview_metric",
    "profile_dataset",
    "pull_store",
    "push_store",
    "read_artifact",
    "read_run_script",
    "read_surroundings",
    "read_uses",
    "rebuild_index",
    "register_model",
    "register_run",
    "reproduce_run",
    "restore_run",
    "resume_sweep",
    "run_pipeline",
    "search_runs",
    "serve_model",
    "set_alias",
    "set_tag",
    "set_tags",
    "slice_notebook",
    "snapshot_data",
    "snapshot_environment",
    "stamp_store",
    "start_run",
    "suggest_tags",
    "summarize_models",
    "sweep_pipeline",
    "switch_recording",
    "touch_runs_of",
    "touched_runs",
    "verify_audit",
    "verify_pipeline",
    "verify_store",
    "watch_runs",
    "watch_session",
]

_FILES = {
    "data": (
        "read_surroundings",
        "snapshot_data",
        "snapshot_environment",
    ),
    "datasets": (
        "diff_environments",
        "profile_dataset",
        "read_uses",
    ),
    "executions": (
        "switch_recording",
        "watch_session",
    ),
    "models": (
        "delete_alias",
        "get_model",
        "list_model_changes",
        "list_models",
        "load_model",
        "register_model",
        "serve_model",
        "set_alias",
        "summarize_models",
    ),
    "notebooks": (
        "explain_graph",
        "list_parameters",
        "slice_notebook",
        "suggest_tags",
    ),
    "pipelines": (
        "export_notebook",
        "measure_crossings",
        "plan_pipeline",
        "run_pipeline",
        "verify_pipeline",
    ),
    "places": (
        "get_status",
        "get_store",
        "stamp_store",
    ),
    "plots": (
        "RUN_PLOTS",
        "best_runs",
        "judge_by",
        "list_fitted",
        "list_model_plots",
        "plot_model",
        "plot_runs",
    ),
    "remotes": (
        "list_audit",
        "pull_store",
        "push_store",
        "verify_audit",
    ),
    "registering": (
        "find_run_kernel",
        "list_run_versions",
        "register_run",
    ),
    "reproducing": ("reproduce_run",),
    "runcode": (
        "export_run",
        "read_run_script",
    ),
    "runs": (
        "active_run",
        "compare_runs",
        "edit_run",
        "end_run",
        "get_run",
        "list_runs",
        "log_artifact",
        "log_figure",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "read_artifact",
        "search_runs",
        "set_tag",
        "set_tags",
        "start_run",
    ),
    "series": (
        "get_metric_history",
        "get_metric_series",
        "preview_metric",
    ),
    "sessions": (
        "arm_autolog",
        "attach_output",
        "autolog_status",
        "begin_cell",
        "close_session",
        "disarm_autolog",
        "end_cell",
        "keep_output",
        "list_autologged",
        "open_session",
        "paused",
        "touch_runs_of",
        "touched_runs",
        "watch_runs",
    ),
    "steps": (
        "clear_cache",
        "collect_cache",
        "explain_step",
        "foresee_pipeline",
        "get_cache_stats",
    ),
    "store": (
        "collect_garbage",
        "delete_run",
        "get_store_stats",
        "list_deleted_runs",
        "rebuild_index",
        "restore_run",
        "verify_store",
    ),
    "sweeps": (
        "get_sweep",
        "list_sweeps",
        "resume_sweep",
        "sweep_pipeline",
    ),
    "templates": (
        "copy_template",
        "list_templates",
    ),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a verb when it is first asked for."""
    file = _FILE_OF.get(name)
    if file is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    verb = globals()[name] = getattr(import_module(f"{__name__}.{file}"), name)
    return verb


def __dir__() -> list[str]:
    """Name the verbs."""
    return sorted([*globals(), *__all__])

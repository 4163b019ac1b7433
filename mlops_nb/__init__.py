"""MLOps where the notebook lives: the public verbs, each loaded when it is first used.

>>> import mlops_nb as mlops
>>> with mlops.start_run("baseline"):  # doctest: +SKIP
...     mlops.log_metric("accuracy", 0.93)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_nb.api import (
        active_run,
        best_runs,
        collect_garbage,
        compare_runs,
        copy_template,
        delete_alias,
        delete_run,
        end_run,
        explain_graph,
        export_notebook,
        export_run,
        get_metric_history,
        get_metric_series,
        get_model,
        get_run,
        get_status,
        get_store_stats,
        get_sweep,
        list_audit,
        list_deleted_runs,
        list_models,
        list_parameters,
        list_runs,
        list_sweeps,
        list_templates,
        load_model,
        log_artifact,
        log_figure,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        paused,
        plan_pipeline,
        plot_model,
        plot_runs,
        preview_metric,
        pull_store,
        push_store,
        read_artifact,
        rebuild_index,
        register_model,
        register_run,
        reproduce_run,
        restore_run,
        resume_sweep,
        run_pipeline,
        search_runs,
        serve_model,
        set_alias,
        set_tag,
        set_tags,
        slice_notebook,
        snapshot_data,
        snapshot_environment,
        start_run,
        suggest_tags,
        sweep_pipeline,
        verify_audit,
        verify_pipeline,
        verify_store,
    )

__all__ = [
    "active_run",
    "best_runs",
    "collect_garbage",
    "compare_runs",
    "copy_template",
    "delete_alias",
    "delete_run",
    "end_run",
    "explain_graph",
    "export_notebook",
    "export_run",
    "get_metric_history",
    "get_metric_series",
    "get_model",
    "get_run",
    "get_status",
    "get_store_stats",
    "get_sweep",
    "list_audit",
    "list_deleted_runs",
    "list_models",
    "list_parameters",
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
    "paused",
    "plan_pipeline",
    "plot_model",
    "plot_runs",
    "preview_metric",
    "pull_store",
    "push_store",
    "read_artifact",
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
    "start_run",
    "suggest_tags",
    "sweep_pipeline",
    "verify_audit",
    "verify_pipeline",
    "verify_store",
]


def __getattr__(name: str) -> Any:
    """Load the verbs, and the version, when they are first asked for."""
    if name == "__version__":
        from mlops_nb.config import read_version

        return read_version()
    if name in __all__:
        from mlops_nb import api

        # Kept in the module so that the next look-up, in a training loop say, is a plain one.
        verb = globals()[name] = getattr(api, name)
        return verb
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name the verbs for tab completion."""
    return sorted([*globals(), *__all__, "__version__"])


# ------------------------------------------------------------------ Jupyter's entry functions
def load_ipython_extension(shell: Any) -> None:
    """Do what ``%load_ext mlops_nb`` asks for."""
    from mlops_nb.kernel.extension import load_ipython_extension as load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Do what ``%unload_ext mlops_nb`` asks for."""
    from mlops_nb.kernel.extension import unload_ipython_extension as unload

    unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "mlops-nb-labextension"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "mlops_nb"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    from mlops_nb.server.extension import load_server_extension

    load_server_extension(server_app)

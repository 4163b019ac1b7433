"""What papermill finds under the name ``mlops``; the engine itself loads when it is used."""

from __future__ import annotations

from typing import Any


class MLOpsEngine:
    """Stands for the engine in papermill's list.

    papermill loads every engine of its entry points while it is being imported itself. Our engine is
    built on papermill's, so whoever imports ours first would find the other half made.
    """

    @classmethod
    def execute_notebook(cls, *arguments: Any, **keywords: Any) -> Any:
        """Run a notebook; see `mlops_nb.pipeline.engine.MLOpsEngine`.

        Parameters
        ----------
        *arguments, **keywords
            As papermill gives them.

        Returns
        -------
        NotebookNode
            The executed notebook.
        """
        from mlops_nb.pipeline.engine import MLOpsEngine as Engine

        return Engine.execute_notebook(*arguments, **keywords)

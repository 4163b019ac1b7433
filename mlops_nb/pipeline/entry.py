"""What papermill finds under the name ``mlops``; the engine itself loads when it is used."""

from __future__ import annotations

from typing import Any


class _StandIn:
    """Stands for the engine in papermill's list.

    papermill loads the engines of all entry points while it is being imported itself. Ours is built
    on papermill's, so whoever imported ours first would find the other half made.
    """

    def __getattr__(self, name: str) -> Any:
        """Give what the engine has."""
        from mlops_nb.pipeline.engine import MLOpsEngine as Engine

        return getattr(Engine, name)


MLOpsEngine = _StandIn()

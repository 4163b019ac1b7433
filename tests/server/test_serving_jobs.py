"""Two browsers that serve and stop the same version never lose a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from mlops_nb.server.serving_jobs import ServedVersion, ServingJobs


def test_clearing_one_that_ended_leaves_its_successor(tmp_path: Path) -> None:
    """Served again by somebody else meanwhile, it is still listed, so that it can be stopped."""
    jobs = ServingJobs()
    key = (tmp_path, "iris", 1)

    class Version:
        def __init__(self, status: str, successor: Any = None) -> None:
            self.status, self._successor = status, successor

        def stop(self) -> None:
            if self._successor is not None:
                jobs._jobs[key] = self._successor

    successor = cast("ServedVersion", Version("serving"))
    jobs._jobs[key] = cast("ServedVersion", Version("ended", successor))
    assert jobs.stop(*key) is None
    assert jobs.list_served(tmp_path) == [successor]

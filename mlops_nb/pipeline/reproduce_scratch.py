"""Where a run is made again: a copy of its folder, and a store of its own that nothing else reads.

Code that is replayed registers models, moves aliases and deletes runs as it did then. In a store of
its own that changes nothing; of what it has recorded, only the runs that stand for those that were
to be reproduced move into the user's store.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import MLOpsError
from mlops_nb.pipeline.reproduce_remains import make_root, sweep_reproductions
from mlops_nb.pipeline.verify_folder import Mirror, make_mirror
from mlops_nb.records import RunRecord
from mlops_nb.store import Store, open_store
from mlops_nb.store.store import close_store

# Where somebody works is no part of what they compute.
_OWN_VARIABLES = frozenset({"CONDA_DEFAULT_ENV"})


class Scratch:
    """A folder for one reproduction, removed when it is over.

    Parameters
    ----------
    store
        The user's store.
    folder
        Of the notebook or script.

    Attributes
    ----------
    store : Store
        What the replay records.
    mirror : Mirror
        The copy of the folder.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        sweep_reproductions()
        self.root = make_root()
        self._user = store
        try:
            self.mirror: Mirror = make_mirror(folder, self.root / "work", [store.root])
            self.store = open_store(self.root / "store", cache=self.root / "cache")
        except BaseException:  # a full disk must not stay full
            shutil.rmtree(self.root, ignore_errors=True)
            raise

    def bring_models(self, text: str) -> list[str]:
        """Bring the registered models whose names the code says, for it may load them.

        Parameters
        ----------
        text
            The code.

        Returns
        -------
        list of str
            Their names.
        """
        names = [name for name in self._user.models.names() if name in text]
        for name in names:
            for number in self._user.models.versions(name):
                with contextlib.suppress(MLOpsError):  # damaged: the code will say so
                    digest = self._user.models.get(name, number).digest
                    self.store.objects.put_bytes(self._user.objects.read_bytes(digest))
            shutil.copytree(self._user.root / "models" / name, self.store.root / "models" / name)
            for alias, number in self._user.models.aliases(name).items():
                self.store.models.set_alias(name, alias, number)
        return names

    def make_environment(self, notebook: Path, recorded: Mapping[str, Any]) -> dict[str, str]:
        """Give the variables for the process that runs the code again.

        Parameters
        ----------
        notebook
            Its place in the copy.
        recorded
            The environment document of the run, or nothing.

        Returns
        -------
        dict
            On top of this process's own; those that were recorded are as they were.
        """
        then = recorded.get("variables") or {}
        return {
            **{str(k): str(v) for k, v in then.items() if k not in _OWN_VARIABLES},
            "MLOPS_NB_STORE": str(self.store.root),
            "MLOPS_NB_CACHE": str(self.root / "cache"),
            "MLOPS_NB_NOTEBOOK": str(notebook),
            "MLOPS_NB_PARENT_RUN": "",
            "MLOPS_NB_DISABLED": "0",
            "MLOPS_NB_INDEX": "",
        }

    def adopt(self, runs: Iterable[RunRecord]) -> None:
        """Move runs into the user's store: what they name first, their own folders last.

        Parameters
        ----------
        runs
            They have ended.
        """
        source, target = self.store, self._user
        for run in runs:
            data = [each.digest for each in run.datasets]
            named = [*(each.digest for each in run.artifacts), *data, run.environment, run.code]
            for digest in dict.fromkeys(named):
                if digest and not target.objects.has(digest) and source.objects.has(digest):
                    target.objects.put_bytes(source.objects.read_bytes(digest))
            if run.session_id is not None:
                self._move(f"sessions/{run.session_id}")
            self._move(f"runs/{run.run_id}")

    def _move(self, name: str) -> None:
        source, target = self.store.root / name, self._user.root / name
        if target.exists() or not source.is_dir():
            return
        # Whole or not at all, on whatever file system the copy lies.
        waiting = self._user.root / "tmp" / f"reproduce-{target.name}"
        waiting.parent.mkdir(exist_ok=True)
        target.parent.mkdir(exist_ok=True)
        shutil.rmtree(waiting, ignore_errors=True)
        shutil.copytree(source, waiting)
        waiting.rename(target)

    def close(self) -> None:
        """Remove it."""
        close_store(self.store)
        shutil.rmtree(self.root, ignore_errors=True)

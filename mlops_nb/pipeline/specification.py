"""What a kernel is told of the step that it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mlops_nb.pipeline.state import State, read_state

# Names of the shell that are carried where a cell reads its history.
HISTORY = ("_", "__", "___", "_oh")


@dataclass(frozen=True, slots=True)
class StepSpecification:
    """One step for one kernel.

    Attributes
    ----------
    state
        What the steps before have made.
    needed
        Names to load, None for all.
    late
        Names that later steps define again and that need not cross.
    components
        Folder of the components.
    key_folder
        Folder of the store, which has the key.
    report
        Where the kernel writes what it has done.
    later
        Sources of the cells that follow.
    history
        Whether ``_``, ``Out`` and the like cross.
    patches
        Dotted paths of what the notebook has set on libraries.
    continues
        The kernel has run the step before.
    folders_left_out
        Folders whose files are our own.
    """

    state: State
    needed: tuple[str, ...] | None
    late: tuple[str, ...]
    components: str
    key_folder: str
    report: str
    later: tuple[str, ...] = ()
    history: bool = False
    patches: tuple[str, ...] = ()
    continues: bool = False
    folders_left_out: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write it for `read_specification`.

        Parameters
        ----------
        path
            The file.
        """
        document = {k: getattr(self, k) for k in self.__slots__ if k != "state"}
        document["state"] = self.state.to_json()
        path.write_text(json.dumps(document), encoding="utf-8")


def read_specification(path: Path) -> StepSpecification:
    """Read a specification.

    Parameters
    ----------
    path
        From `StepSpecification.write`.

    Returns
    -------
    StepSpecification
        As it was.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    document["state"] = read_state(document["state"])
    lists = ("late", "later", "patches", "folders_left_out")
    document |= {name: tuple(document[name]) for name in lists}
    if document["needed"] is not None:
        document["needed"] = tuple(document["needed"])
    return StepSpecification(**document)

"""What a kernel is told of the step that it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    repeated
        Words of the lines that every later step runs again.
    bound
        Names that these lines bind.
    is_alone
        No other step of the run is at work in the same folder meanwhile.
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
    repeated: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()
    is_alone: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON types.

        Returns
        -------
        dict
            What `read_document` takes.
        """
        document = {k: getattr(self, k) for k in self.__slots__ if k != "state"}
        return document | {"state": self.state.to_json()}

    def write(self, path: Path) -> None:
        """Write it for `read_specification`.

        Parameters
        ----------
        path
            The file.
        """
        path.write_text(json.dumps(self.to_json()), encoding="utf-8")


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
    return read_document(json.loads(path.read_text(encoding="utf-8")))


def read_document(document: Mapping[str, Any]) -> StepSpecification:
    """Read a specification from JSON types.

    Parameters
    ----------
    document
        From `StepSpecification.to_json`.

    Returns
    -------
    StepSpecification
        As it was.
    """
    found = dict(document)
    found["state"] = read_state(found["state"])
    lists = ("late", "later", "patches", "folders_left_out", "repeated", "bound")
    found |= {name: tuple(found[name]) for name in lists}
    if found["needed"] is not None:
        found["needed"] = tuple(found["needed"])
    return StepSpecification(**found)

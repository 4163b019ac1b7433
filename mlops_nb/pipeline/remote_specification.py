"""What a process is told that runs steps for somebody else: the file ``SPEC.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mlops_nb.config import load_settings
from mlops_nb.errors import InvalidValueError
from mlops_nb.notebook.document import new_notebook, write_notebook
from mlops_nb.notebook.literals import SourceText, write_literal
from mlops_nb.notebook.secrets import collect_secrets, read_secret
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.forkserver_imports import find_preload
from mlops_nb.pipeline.graph import plan
from mlops_nb.pipeline.keys import read_sources
from mlops_nb.pipeline.progress import OnProgress
from mlops_nb.pipeline.state import State, read_state

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ChainSpecification:
    """One chain of steps for one process; every path is absolute.

    Attributes
    ----------
    notebook
        The notebook; its folder is the working folder.
    document
        A copy of it as it was when the run was planned.
    number
        The first step, from 0.
    state
        What there is before it.
    parameters
        Source of each value that is injected.
    secrets
        References among them, as ``secret:NAME``; the values stand in the environment.
    store, components
        Folders of the store and of the values that cross.
    private
        Folder for this process's own files.
    result
        Where what became of the steps is written.
    out_dir
        Gets the executed notebooks.
    timeout
        Seconds one step may take.
    ends_with_stdin
        The process ends, with its kernels, when its standard input does.
    """

    notebook: str
    document: str
    number: int
    state: State
    parameters: Mapping[str, str]
    secrets: tuple[str, ...]
    store: str
    components: str
    private: str
    result: str
    out_dir: str
    run_id: str
    experiment: str
    kernel_name: str | None = None
    timeout: float | None = None
    ends_with_stdin: bool = False

    def write(self, path: Path) -> None:
        """Write it for `read_chain_specification`.

        Parameters
        ----------
        path
            The file.
        """
        document: dict[str, Any] = {k: getattr(self, k) for k in self.__slots__}
        document |= {"state": self.state.to_json(), "version": _VERSION}
        path.write_text(json.dumps(document), encoding="utf-8")

    def make_context(self, tell: OnProgress) -> Context:
        """Give what `ChainRunner` needs, read again from the copy of the notebook.

        Parameters
        ----------
        tell
            Called with every event.

        Returns
        -------
        Context
            As that of the process that planned the run.

        Raises
        ------
        ParameterError
            A secret does not stand in this process's environment.
        """
        notebook = Path(self.notebook)
        pipeline = replace(plan(Path(self.document)), path=notebook)
        secrets = {text: read_secret("a parameter", text) for text in self.secrets}
        settings = load_settings(notebook.parent, store=self.store, experiment=self.experiment)
        return Context(
            pipeline,
            read_sources(pipeline),
            {name: SourceText(source) for name, source in self.parameters.items()},
            collect_secrets(secrets),
            Path(self.out_dir),
            Path(self.private),
            Path(self.components),
            Path(self.store),
            self.run_id,
            tell,
            settings,
            self.kernel_name,
            self.timeout,
            find_preload(c.source for c in pipeline.document.code_cells),
        )


def specify_chain(context: Context, number: int, state: State, folder: Path) -> ChainSpecification:
    """Say what a process needs to run a chain, and write the copy of the notebook.

    Parameters
    ----------
    context
        Of the run.
    number
        The first step, from 0.
    state
        What there is before it.
    folder
        For the copy, and for what the process writes.

    Returns
    -------
    ChainSpecification
        Not yet written.
    """
    document = context.pipeline.document
    cells = [{**cell.node, "id": cell.cell_id} for cell in document.cells]
    copy = write_notebook(new_notebook(cells, dict(document.metadata)), folder / "notebook.ipynb")
    return ChainSpecification(
        str(context.pipeline.path.absolute()),
        str(copy.absolute()),
        number,
        state,
        {name: write_literal(value) for name, value in context.values.items()},
        tuple(context.secrets),
        str(context.store_root.absolute()),
        str(context.components.absolute()),
        str(folder.absolute()),
        str((folder / "RESULT.json").absolute()),
        str(context.out_dir.absolute()),
        context.run_id,
        context.settings.experiment,
        context.kernel_name,
        context.timeout,
    )


def read_chain_specification(path: Path) -> ChainSpecification:
    """Read a specification.

    Parameters
    ----------
    path
        From `ChainSpecification.write`.

    Returns
    -------
    ChainSpecification
        As it was.

    Raises
    ------
    InvalidValueError
        The file is not there, or is not of this version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document.pop("version")
        document["state"] = read_state(document["state"])
        document["secrets"] = tuple(document["secrets"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = "a file that describes one step"
        raise InvalidValueError("specification", str(path), expected, f"{error}") from error
    known = {entry.name for entry in fields(ChainSpecification)}
    if version != _VERSION or not set(document) <= known:
        raise InvalidValueError("version of the specification", version, str(_VERSION))
    return ChainSpecification(**document)

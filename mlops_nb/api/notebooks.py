"""Verbs on a notebook as it stands: nothing is executed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_nb.notebook.parameters import Parameter


def list_parameters(notebook: str | Path) -> tuple[Parameter, ...]:
    """List the parameters that a notebook declares.

    Parameters
    ----------
    notebook
        Path of the notebook.

    Returns
    -------
    tuple of Parameter
        Name, default, type and the comment behind, in the order of their lines.

    Raises
    ------
    NotebookError
        The notebook cannot be read, or a line of a cell tagged ``parameters`` is no declaration.
    """
    from mlops_nb.notebook.document import NotebookDocument
    from mlops_nb.notebook.parameters import read_parameters

    return read_parameters(NotebookDocument.load(Path(notebook)))

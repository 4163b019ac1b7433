"""Verbs on the notebooks that ship with this package."""

from __future__ import annotations

from pathlib import Path


def list_templates() -> list[str]:
    """List the notebooks that ship with this package.

    Returns
    -------
    list of str
        Names for `copy_template`.
    """
    from mlops_nb.notebook import templates

    return templates.list_templates()


def copy_template(name: str, path: str | Path | None = None, *, overwrite: bool = False) -> Path:
    """Write a notebook that ships with this package as one of your own.

    Parameters
    ----------
    name
        ``automl``: sweeps over scikit-learn models and feature sets on a table.
    path
        Where; the template's name in the working folder by default.
    overwrite
        Replace a file that is there.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    NotFoundError
        There is no such template or folder.
    InvalidValueError
        A file is there already.
    """
    from mlops_nb.notebook import templates

    return templates.copy_template(name, Path(path) if path else None, overwrite=overwrite)

"""Notebooks that ship with this package, to be copied and changed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.notebook.document import replace_file

_SUFFIX = ".ipynb"


def list_templates() -> list[str]:
    """List the templates.

    Returns
    -------
    list of str
        Their names.
    """
    folder = files("mlops_nb.notebook") / "templates"
    return sorted(
        entry.name.removesuffix(_SUFFIX)
        for entry in folder.iterdir()
        if entry.name.endswith(_SUFFIX)
    )


def copy_template(name: str, path: Path | None = None, *, overwrite: bool = False) -> Path:
    """Write a template as a notebook of one's own.

    Parameters
    ----------
    name
        The template.
    path
        Where; a folder gets a file of the template's name. The working folder by default.
    overwrite
        Replace a file that is there.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    NotFoundError
        There is no such template, or no such folder.
    InvalidValueError
        A file is there already.
    """
    known = list_templates()
    if name not in known:
        raise NotFoundError("template", name, known)
    target = path or Path(f"{name}{_SUFFIX}")
    if target.is_dir():
        target /= f"{name}{_SUFFIX}"
    if not target.parent.is_dir():
        siblings = [entry.name for entry in target.parent.parent.glob("*") if entry.is_dir()]
        raise NotFoundError("folder", str(target.parent), siblings)
    if target.exists() and not overwrite:
        hint = "Choose another name, or replace it with --overwrite."
        raise InvalidValueError("the new notebook", str(target), "a file that is not there", hint)
    source = files("mlops_nb.notebook") / "templates" / f"{name}{_SUFFIX}"
    replace_file(target, source.read_bytes())
    return target

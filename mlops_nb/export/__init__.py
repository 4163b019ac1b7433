"""Writes a notebook as software that runs without a notebook."""

from mlops_nb.export.script import export_script

__all__ = ["export_script"]

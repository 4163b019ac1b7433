"""Writes a notebook, or the code of a run, as software that runs without a notebook."""

from mlops_nb.export.ran import write_run_script
from mlops_nb.export.script import export_script

__all__ = ["export_script", "write_run_script"]

"""Records what a notebook does without being asked, and undoes every patch."""

from mlops_nb.autolog.arming import arm, disarm, example_of, finish_cell, run_of, status

__all__ = ["arm", "disarm", "example_of", "finish_cell", "run_of", "status"]

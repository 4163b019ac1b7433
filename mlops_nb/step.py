"""``python -m mlops_nb.step SPEC.json``: one step, and those that cannot be parted from it."""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_nb.errors import MLOpsError, UsageError
from mlops_nb.pipeline.remote_process import run_process


def main(arguments: list[str]) -> int:
    """Run the steps that a file describes.

    Parameters
    ----------
    arguments
        The path of the file.

    Returns
    -------
    int
        The exit code: 0, 1 where a step has failed, 130 where it was interrupted, 137 where it was
        ended, 2 where the arguments cannot be read.
    """
    command = "python -m mlops_nb.step"
    try:
        if len(arguments) != 1:
            raise UsageError(command, f"{arguments!r} is not one file", f"Say: {command} SPEC.json")
        return run_process(Path(arguments[0]))
    except MLOpsError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the routes answer that do something with a run once more."""

from __future__ import annotations

from mlops_nb.server.answers import Answer


class RunScript(Answer):
    """The code of a run, as it ran, as a script."""

    name: str
    source: str

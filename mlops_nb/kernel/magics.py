"""The magic ``%mlops``: finds the sub-command, reads its arguments, shows its result."""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class

from mlops_nb.errors import NotFoundError
from mlops_nb.kernel.cells import find_mode
from mlops_nb.kernel.commands import NAMES, Call, find_command, make_parser, render_help
from mlops_nb.kernel.parsing import split_words
from mlops_nb.kernel.tables import Message, Shown


@magics_class
class MlopsMagics(Magics):  # type: ignore[misc]  # IPython is published without types
    """The magics of this package.

    Parameters
    ----------
    shell
        The running IPython shell.
    extension
        What registered them; found again through them.
    """

    def __init__(self, shell: Any, extension: Any = None) -> None:
        super().__init__(shell=shell)
        self.extension = extension

    def close(self) -> None:
        """Stop what the magics have started."""
        serving = sys.modules.get("mlops_nb.kernel.commands.serving")
        if serving is not None:
            serving.stop_all()

    def mlops(self, line: str, cell: str | None = None) -> Any:
        """Carry out a command; what ``%mlops?`` shows is set below from the table of commands."""
        __tracebackhide__ = True
        result = perform(self.shell, line, cell)
        # IPython shows the value of a cell's last line only; elsewhere in a cell we show it.
        if result is not None and find_mode() == "exec":
            self._show(result)
        return result

    def _show(self, result: Any) -> None:
        if isinstance(result, Shown):
            self.shell.display_pub.publish(data=result._repr_mimebundle_(), metadata={})
        else:
            from IPython.display import display

            display(result)

    mlops.__doc__ = render_help()
    mlops = line_cell_magic(mlops)


def perform(shell: Any, line: str, cell: str | None = None) -> Any:
    """Carry out one use of the magic.

    Parameters
    ----------
    shell
        The running IPython shell.
    line
        What follows ``%mlops``.
    cell
        Body of the cell for ``%%mlops``.

    Returns
    -------
    object
        What to show, None for nothing: mostly a `Shown`, else a DataFrame or a figure.

    Raises
    ------
    MLOpsError
        The command is unknown, was used wrongly or failed.
    """
    __tracebackhide__ = True
    words = split_words("%mlops", line)
    name, given = (words[0], words[1:]) if words else ("help", [])
    if name in {"-h", "--help"}:
        name, given = "help", []
    if name not in NAMES:
        raise NotFoundError("command", name, NAMES, "List commands with: %mlops help")
    parser = make_parser(name, cell is not None)
    arguments = parser.parse_words(given)
    if arguments is None:
        return Message(parser.format_help())
    return find_command(name).perform(Call(shell, arguments, cell))

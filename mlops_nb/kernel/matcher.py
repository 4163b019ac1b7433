"""What IPython asks for completions of ``%mlops``; how they are found is loaded with the first."""

from __future__ import annotations

from typing import Any


class MagicMatcher:
    """A matcher of IPython's completer (its matcher API, second version).

    Parameters
    ----------
    shell
        The running IPython shell.
    """

    matcher_api_version = 2
    matcher_priority = 100.0
    matcher_identifier = "mlops_nb"

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.__qualname__ = type(self).__qualname__  # IPython takes matchers for functions

    def __call__(self, context: Any) -> dict[str, Any]:
        """Complete what the user types.

        Parameters
        ----------
        context
            IPython's ``CompletionContext``.

        Returns
        -------
        dict
            Completions; no other matcher is asked on a line that is ours.
        """
        nothing = {"completions": [], "suppress": False}
        if "mlops" not in context.text_until_cursor:
            return nothing
        from IPython.core.completer import SimpleCompletion

        from mlops_nb.kernel.completion import complete_line

        try:
            found = complete_line(context.text_until_cursor, self._shell.user_ns)
        except Exception:  # noqa: BLE001 - a key press never prints a traceback
            return nothing
        if found is None:
            return nothing
        fragment, texts = found
        return {
            "completions": [SimpleCompletion(text=text, type="mlops") for text in texts],
            "matched_fragment": fragment,
            "suppress": True,
            "ordered": True,
        }

"""Changes to parts of a source text that leave the rest as it stands, comments included."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """New text in place of a range of bytes."""

    start: int
    end: int
    text: str


class SourceText:
    """A source text with the places of its nodes, which Python counts in UTF-8 bytes."""

    def __init__(self, source: str) -> None:
        self.data = source.encode("utf-8", "surrogatepass")
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Give where a node begins and ends.

        Parameters
        ----------
        node
            A node of the tree parsed from this text.

        Returns
        -------
        tuple of int
            Positions in ``data``.
        """
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def cut(self, node: ast.stmt | ast.expr) -> str:
        """Give the text of a node.

        Parameters
        ----------
        node
            A node of the tree parsed from this text.

        Returns
        -------
        str
            Its text as it stands.
        """
        start, end = self.span(node)
        return self.data[start:end].decode("utf-8", "surrogatepass")

    def replace(self, node: ast.stmt | ast.expr, text: str) -> Edit:
        """Prepare new text for a node, further lines indented as the first one.

        Parameters
        ----------
        node
            A node of the tree parsed from this text.
        text
            What shall stand there.

        Returns
        -------
        Edit
            For :meth:`apply`.
        """
        start, end = self.span(node)
        if not text and start in self._starts and self.data[end : end + 1] == b"\n":
            return Edit(start, end + 1, "")  # no empty line stays behind
        return Edit(start, end, text.replace("\n", "\n" + " " * node.col_offset))

    def rest_of_line(self, node: ast.stmt) -> str:
        """Give what follows a statement on its last line.

        Parameters
        ----------
        node
            A node of the tree parsed from this text.

        Returns
        -------
        str
            For example ``;  # quiet``.
        """
        end = self.span(node)[1]
        tail = self.data[end:].splitlines()
        return tail[0].decode("utf-8", "surrogatepass") if tail else ""

    def apply(self, edits: Iterable[Edit]) -> str:
        """Give the text with all changes made.

        Parameters
        ----------
        edits
            Ranges that do not overlap.

        Returns
        -------
        str
            The new text.
        """
        data = self.data
        for edit in sorted(edits, key=lambda item: item.start, reverse=True):
            new = edit.text.encode("utf-8", "surrogatepass")
            data = data[: edit.start] + new + data[edit.end :]
        return data.decode("utf-8", "surrogatepass")

"""Tables that a notebook shows: HTML where it can, aligned text everywhere else."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

# Styles stand in each cell: notebooks that are not trusted lose style sheets, but keep these.
CELL = "padding:3px 16px 3px 0;vertical-align:top"
_MAX_UNBROKEN = 48  # an id, a time or a name is read at once only where it stays on its line
MAX_CHARACTERS = 120


def format_value(value: object) -> str:
    """Write a value as short text.

    Parameters
    ----------
    value
        Anything that was logged.

    Returns
    -------
    str
        Numbers with at most six significant digits, other values on one line, nothing for None.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    text = " ".join(str(value).split())
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def escape(value: object) -> str:
    """Make a value safe to stand in HTML.

    Parameters
    ----------
    value
        Anything.

    Returns
    -------
    str
        Its short text with every special character escaped.
    """
    return html.escape(format_value(value), quote=True)


def _wrap(value: object) -> str:
    fits = len(format_value(value)) <= _MAX_UNBROKEN
    return "white-space:nowrap" if fits else "white-space:normal;word-break:break-word"


class Shown:
    """What a magic shows: HTML and text of the same thing."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Give every form of the result to a front end."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        """Give the result as HTML."""
        return f"<pre>{html.escape(repr(self))}</pre>"


class Message(Shown):
    """One or more lines of text.

    Parameters
    ----------
    text
        What to say.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        """Give the text itself."""
        return self.text


class Markup(Message):
    """Text with a second form in HTML and others as a front end may know them.

    Parameters
    ----------
    text
        The form for every front end.
    markup
        The same in HTML, already escaped.
    bundle
        Further forms by media type.
    """

    def __init__(self, text: str, markup: str, bundle: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.markup, self.bundle = markup, bundle or {}

    def _repr_html_(self) -> str:
        return self.markup

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**self.bundle, **super()._repr_mimebundle_(include, exclude)}


class Table(Shown):
    """Rows under column names.

    Parameters
    ----------
    columns
        Names of the columns.
    rows
        One sequence of values per row.
    title
        A line above the table.
    empty
        What to say when there are no rows.
    strong
        Positions of rows that stand out.

    Attributes
    ----------
    columns, rows, title
        As given, for programs that read the table back.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str = "",
        empty: str = "Nothing yet.",
        strong: Iterable[int] = (),
    ) -> None:
        self.columns = tuple(columns)
        self.rows = tuple(tuple(row) for row in rows)
        self.title, self.empty, self.strong = title, empty, frozenset(strong)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    def __repr__(self) -> str:
        """Give the table as aligned text."""
        head = [self.title] if self.title else []
        if not self.rows:
            return "\n".join([*head, self.empty])
        cells = [self.columns, *([format_value(value) for value in row] for row in self.rows)]
        widths = [max(len(row[at]) for row in cells) for at in range(len(self.columns))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([*head, *lines])

    def _repr_html_(self) -> str:
        title = f"<caption style='text-align:left'>{escape(self.title)}</caption>"
        if not self.rows:
            return f"<p>{escape(self.title)} {escape(self.empty)}</p>"
        head = "".join(
            f"<th scope='col' style='{CELL};{self._align(at)};white-space:nowrap'>"
            f"{escape(name)}</th>"
            for at, name in enumerate(self.columns)
        )
        body = "".join(self._row_html(at, row) for at, row in enumerate(self.rows))
        return (
            f"<table class='mlops-nb'>{title if self.title else ''}"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _row_html(self, at: int, row: Sequence[object]) -> str:
        weight = ";font-weight:bold" if at in self.strong else ""
        cells = "".join(
            f"<td style='{CELL};{self._align(place)};{_wrap(value)}{weight}'>{escape(value)}</td>"
            for place, value in enumerate(row)
        )
        return f"<tr>{cells}</tr>"

    def _align(self, place: int) -> str:
        """Put numbers under one another by their last digit, all else by the first letter."""
        values = [row[place] for row in self.rows if row[place] is not None]
        is_number = bool(values) and all(type(value) in (int, float) for value in values)
        return f"text-align:{'right' if is_number else 'left'}"

    def to_dataframe(self) -> Any:
        """Give the table as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            The same columns and rows.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns))

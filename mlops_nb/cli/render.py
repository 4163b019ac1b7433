"""What the command line prints: aligned tables, or one JSON document."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

_WIDEST, _LONGEST = 60, 1000


def format_value(value: object, limit: int = _WIDEST) -> str:
    """Write a value as short text.

    Parameters
    ----------
    value
        Anything that was logged.
    limit
        At most so many characters.

    Returns
    -------
    str
        Numbers with at most six significant digits; control characters, which could speak to the
        terminal, and line breaks are gone.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def has_color(stream: Any) -> bool:
    """Say whether a stream should get color.

    Parameters
    ----------
    stream
        Where the text goes.

    Returns
    -------
    bool
        Only for a terminal, and not where ``NO_COLOR`` is set.
    """
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    empty: str = "",
    *,
    is_last_whole: bool = False,
) -> None:
    """Print rows under column names; numbers stand right.

    Parameters
    ----------
    columns
        Names of the columns.
    rows
        One sequence of values per row.
    empty
        What to print on stderr when there are no rows.
    is_last_whole
        Give the last column whole, where it is made for reading.
    """
    held = [list(row) for row in rows]
    if not held:
        if empty:
            click.echo(empty, err=True)
        return
    # A list is read down its columns; a fact stands alone on its line and is given whole.
    limit = _WIDEST if len(columns) > 2 else _LONGEST
    limits = [limit] * (len(columns) - 1) + [_LONGEST if is_last_whole else limit]
    texts = [list(map(format_value, row, limits)) for row in held]
    widths = [max(len(row[at]) for row in [list(columns), *texts]) for at in range(len(columns))]
    head = "  ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True))
    click.echo(click.style(head.rstrip(), bold=True) if has_color(sys.stdout) else head.rstrip())
    for row, line in zip(held, texts, strict=True):
        cells = [
            text.rjust(width) if _is_number(value) else text.ljust(width)
            for value, text, width in zip(row, line, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def make_plain(value: Any) -> Any:
    """Give a value as strict JSON types.

    Parameters
    ----------
    value
        Any nesting of mappings, sequences and scalars.

    Returns
    -------
    object
        The same; NaN and infinities, which JSON lacks, as the texts ``NaN``, ``Infinity`` and
        ``-Infinity``, and what is no JSON type as text.
    """
    if isinstance(value, dict):
        return {str(key): make_plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [make_plain(held) for held in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def print_json(document: Any) -> None:
    """Print exactly one JSON document on stdout.

    Parameters
    ----------
    document
        Anything that `make_plain` takes.
    """
    click.echo(json.dumps(make_plain(document), indent=2, ensure_ascii=False))

"""The end of what a cell printed, as a file of the runs that were recorded in it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable

from mlops_nb.autolog.addresses import redact_text
from mlops_nb.notebook.secrets import redact
from mlops_nb.tracking import Session

_SECRET = re.compile(r"(?i)passw|secret|token|api_?key|access_?key|private_?key|credential")
_SHORTEST_SECRET = 8
_LONGEST_LINE = 1900  # what is cut as text of an address or query begins at 2,000
# More than what is kept: bars are written over, hundreds of frames on one line.
_READ_AHEAD = 16
_MOST_RUNS = 20  # a cell of a thousand fits says the same of all of them


def read_tail(parts: Iterable[str], limit: int) -> str:
    """Give the end of what was printed, as a terminal would show it.

    Parameters
    ----------
    parts
        What was written, in order.
    limit
        At most so many characters.

    Returns
    -------
    str
        Whole lines where that is possible; of a line that was written over, its last state.
        Escapes that colour text and move the cursor are left out.
    """
    taken: list[str] = []
    size = 0
    for part in reversed(list(parts)):
        taken.append(part)
        size += len(part)
        if size > limit * _READ_AHEAD:
            break
    whole = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", "".join(reversed(taken)))
    whole = whole.replace("\r\n", "\n")
    lines = [_read_line(line) for line in whole.split("\n")]
    text = "\n".join(lines).strip("\n")
    if len(text) <= limit:
        return text
    text = text[-limit:]
    _, newline, rest = text.partition("\n")
    return rest if newline and len(rest) > limit // 2 else text


def _read_line(line: str) -> str:
    """Give a line as it stood at its end: a bar writes each of its frames over the one before."""
    if "\r" in line:
        frames = [frame for frame in line.split("\r") if frame.strip()]
        line = frames[-1] if frames else ""
    return line.replace("\x00", "").rstrip()


def hide_secrets(text: str) -> str:
    """Take out of a text what could let somebody in.

    Parameters
    ----------
    text
        What was printed.

    Returns
    -------
    str
        Without the values of environment variables whose names tell of a secret, and without
        passwords and tokens in addresses and after words such as ``password=``.
    """
    values = {
        name: value
        for name, value in os.environ.items()
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET
    }
    text = redact(text, values)
    return "\n".join(map(_hide_in_line, text.split("\n")))


def _hide_in_line(line: str) -> str:
    if "://" not in line and not _SECRET.search(line) and "pwd" not in line.lower():
        return line
    pieces = [line[at : at + _LONGEST_LINE] for at in range(0, len(line), _LONGEST_LINE)]
    return "".join(map(redact_text, pieces))


def keep_output(session: Session, parts: Iterable[str]) -> None:
    """Keep the end of what the cell that runs now has printed with its runs.

    Parameters
    ----------
    session
        Keeps the runs.
    parts
        What was written to stdout and stderr, in order.

    Notes
    -----
    Nothing is kept where nothing but blanks was written, or the setting ``output_kb`` is 0.
    """
    limit, runs = session.settings.output_kb * 1000, session.touched_runs()
    if not limit or not runs or session.cell is None:
        return
    text = read_tail(parts, limit)
    if text.strip():
        data = (hide_secrets(text) + "\n").encode("utf-8", "replace")
        for run in runs[:_MOST_RUNS]:
            run.log_bytes(data, f"cell-{session.cell}-output.txt", "text/plain")


def describe_output(session: Session) -> tuple[str, str, str]:
    """Say whether what cells print is kept, or why not.

    Parameters
    ----------
    session
        Its setting ``output_kb`` may switch that off.

    Returns
    -------
    tuple
        Recorder, state and reason, as `%mlops autolog` lists them.
    """
    name = "printed output"
    version = getattr(sys.modules.get("IPython"), "__version__", "")
    if not session.settings.output_kb:
        return name, "off", "the setting output_kb is 0"
    if session.is_script or not version:
        return name, "not armed", "only of notebooks"
    if not hasattr(sys.modules.get("IPython.core.history"), "HistoryOutput"):
        return name, "not armed", f"IPython {version} does not keep what cells print, 9.1 does"
    return name, "armed", f"IPython {version}"

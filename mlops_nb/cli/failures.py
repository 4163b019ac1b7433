"""Errors on the command line: one line and a hint on stderr, and a stable exit code."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

import click

from mlops_nb.cli.render import has_color
from mlops_nb.errors import MLOpsError, UsageError

EXIT_CODES = """\
\b
Exit codes:
    0  ok
    1  the work failed: a step, a file that cannot be read or written
    2  usage, or a name that nothing has
    3  parameters
    4  a metric is not what --require asks for, a run is not the same again
  124  time-out
  130  interrupted
  143  ended from outside (129: its terminal was closed)
  138  a kernel died
"""


def describe_error(error: BaseException) -> dict[str, Any]:
    """Give an error as the document that ``--json`` prints.

    Parameters
    ----------
    error
        Any error that a command may raise.

    Returns
    -------
    dict
        ``type``, ``message``, ``hint`` and ``exit_code``.
    """
    kind, hint, code = type(error).__name__, "", 1
    message = str(error)
    if isinstance(error, MLOpsError):
        message, hint, code = error.message, error.hint, error.exit_code
    elif isinstance(error, click.ClickException):
        kind, message, code = UsageError.__name__, error.format_message(), error.exit_code
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"See: {error.ctx.command_path} --help"
    elif isinstance(error, OSError) and error.strerror:
        where = f": {error.filename!r}" if error.filename else ""
        message = f"{error.strerror}{where}"
    elif isinstance(error, KeyboardInterrupt | click.Abort):
        kind, message, code = "KeyboardInterrupt", "interrupted", 130
        ended = error.__cause__ if isinstance(error, click.Abort) else error
        if isinstance(ended, EndedBySignal):
            code = 128 + ended.number
    return {"type": kind, "message": message, "hint": hint, "exit_code": code}


class EndedBySignal(KeyboardInterrupt):
    """The process was told to end, and ends its work as after Ctrl-C.

    Parameters
    ----------
    number
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _raise_ended(number: int, frame: object) -> NoReturn:
    del frame
    raise EndedBySignal(number)


@contextlib.contextmanager
def ending_as_by_hand() -> Iterator[None]:
    """Let what ends a process from outside end its work in good order, as Ctrl-C does.

    A job that is cancelled in CI gets SIGTERM, one whose terminal is closed SIGHUP: unhandled, they
    would leave the processes that a notebook has started.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # not under nohup
            before[number] = signal.signal(number, _raise_ended)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def fail(error: BaseException, as_json: bool) -> NoReturn:
    """Tell what went wrong and end the process.

    Parameters
    ----------
    error
        What was raised.
    as_json
        Print a JSON document in place of text.
    """
    described = describe_error(error)
    if as_json:
        click.echo(json.dumps({"error": described}, ensure_ascii=False), err=True)
    else:
        label = click.style("error:", fg="red", bold=True) if has_color(sys.stderr) else "error:"
        click.echo(f"{label} {' '.join(described['message'].split())}", err=True)
        if described["hint"]:
            click.echo(described["hint"], err=True)
    sys.exit(described["exit_code"])

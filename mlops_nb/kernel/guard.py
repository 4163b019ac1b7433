"""What stands between a recorder of ours and the user's cell: it may fail, the cell may not."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}

# A hook may take this long once (a first import, a slow disk) ...
GRACE_S = 2.0
# ... and this share of the time since it was armed, so that a long session is not cut off.
SHARE = 0.01
# Where more wants to run than there are cores, a hook mostly waits, as everything else does.
_PATIENCE = 5


def say(line: str) -> None:
    """Tell the user something in one line on stderr.

    Parameters
    ----------
    line
        What to say; line breaks in it become blanks.
    """
    try:
        sys.stderr.write(f"mlops_nb: {' '.join(line.split())}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # stderr is closed: there is nobody to tell


def describe_failure(error: BaseException) -> str:
    """Say in a few words what stopped a recorder.

    Parameters
    ----------
    error
        What was raised.

    Returns
    -------
    str
        Type and message, at most 200 characters; a full disk is called one.
    """
    if isinstance(error, OSError) and error.errno in _FULL:
        return "the disk is full"
    try:
        text = f"{type(error).__name__}: {getattr(error, 'message', error)}"
    except Exception:  # noqa: BLE001 - an exception's own __str__ may raise
        text = type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."


def is_crowded() -> bool:
    """Tell whether more wants to run on this machine than it has cores."""
    try:
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    except (AttributeError, OSError):  # Windows does not say
        return False


class Guard:
    """Runs one recorder so that it never raises into a cell, and switches it off when it fails.

    Parameters
    ----------
    name
        What is recorded, as the user should read it: ``cells``, ``figures`` ...
    on_stop
        Called once when the recorder is switched off.
    grace_s
        Seconds the recorder may take in all before its share of the session's time counts.

    Attributes
    ----------
    enabled
        Whether the recorder still runs.
    spent_s
        Seconds spent in the recorder so far.
    """

    def __init__(
        self,
        name: str,
        on_stop: Callable[[], object] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.name = name
        self.enabled = True
        self.spent_s = 0.0
        self.reason = ""
        self._on_stop = on_stop
        self._grace_s = grace_s
        self._armed_at = time.monotonic()

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Run a part of the recorder.

        Parameters
        ----------
        function
            The part.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        object
            What it returns; None where it failed or the recorder is off.
        """
        if not self.enabled:
            return None
        began = time.monotonic()
        try:
            return function(*args, **kwargs)
        except KeyboardInterrupt:
            # Meant for the user's code, which is not running now: no reason to stop recording.
            return None
        except BaseException as error:  # noqa: BLE001 - the whole purpose of this class
            self.stop(describe_failure(error))
            return None
        finally:
            self._charge(began)

    def _charge(self, began: float) -> None:
        now = time.monotonic()
        self.spent_s += now - began
        allowed = self._grace_s + SHARE * (now - self._armed_at)
        if not self.enabled or self.spent_s <= allowed:
            return
        if self.spent_s > allowed * _PATIENCE or not is_crowded():
            self.stop(f"it took {self.spent_s:.1f} s of your time, too much")

    def stop(self, reason: str) -> None:
        """Switch the recorder off and say so once.

        Parameters
        ----------
        reason
            Why, in a few words.
        """
        if not self.enabled:
            return
        self.enabled, self.reason = False, reason
        say(
            f"recording of {self.name} stopped ({reason}). "
            "The notebook goes on; %reload_ext mlops_nb tries again."
        )
        if self._on_stop is not None:
            try:
                self._on_stop()
            except BaseException:  # noqa: BLE001 - already said that recording stopped
                return

"""Which files of a store travel, and how each kind is cut: the only names taken from a remote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mlops_nb.store.ids import RUN_ID

Shape = Literal["whole", "frames", "records", "lines", "document"]
"""How a file is cut: written once, frames, 32-byte records, lines, or a document by plain name."""

_ID = RUN_ID.pattern
_OWN = r"(?:\.[0-9]{1,20}-[0-9a-f]{1,20})?"  # the suffix of a forked child's own files
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MODEL_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?"


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file that travels.

    Attributes
    ----------
    stage
        What it belongs to; stages travel in the order of `STAGES`.
    pattern
        The exact form of its path within the store, ``/`` between parts.
    shape
        How it is cut into parts.
    is_content_named
        Its path tells its content, so the same path is the same content.
    """

    stage: str
    pattern: re.Pattern[str]
    shape: Shape
    is_content_named: bool = False


def _kind(stage: str, pattern: str, shape: Shape, is_content_named: bool = False) -> FileKind:
    return FileKind(stage, re.compile(pattern), shape, is_content_named)


# Bytes come before what names them, names of metrics before values, what replaces a log before it.
KINDS = (
    _kind("objects", r"packs/([0-9a-f]{2})/\1[0-9a-f]{62}\.pack", "whole", True),
    _kind("sessions", rf"sessions/{_ID}/events{_OWN}\.log", "frames"),
    _kind("sessions", rf"sessions/{_ID}/run\.json", "whole"),
    _kind("keys", rf"runs/{_ID}/keys{_OWN}\.log", "frames"),
    _kind("columns", rf"runs/{_ID}/metrics\.[0-9a-f-]{{1,40}}\.col", "whole"),
    _kind("metrics", rf"runs/{_ID}/metrics{_OWN}\.bin", "records"),
    _kind("events", rf"runs/{_ID}/events{_OWN}\.log", "frames"),
    _kind("runs", rf"runs/{_ID}/run\.json", "whole"),
    _kind("models", rf"models/{MODEL_NAME}/[1-9][0-9]{{0,8}}\.json", "document"),
    _kind("audit", rf"audit/{UUID}\.log", "lines"),
)
STAGES = tuple(dict.fromkeys(kind.stage for kind in KINDS))
FOLDERS = tuple(dict.fromkeys(kind.pattern.pattern.partition("/")[0] for kind in KINDS))


def find_kind(path: str) -> FileKind | None:
    """Tell what kind of file a path names.

    Parameters
    ----------
    path
        A path within a store; may be anybody's text.

    Returns
    -------
    FileKind or None
        None for every name that is not exactly of the format: it does not travel.
    """
    for kind in KINDS:
        if kind.pattern.fullmatch(path):
            return kind
    return None

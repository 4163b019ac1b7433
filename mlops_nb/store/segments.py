"""Parts of files on a remote: immutable, and named by their range and what the file is up to there.

A file that grows can be kept where nothing may be appended or overwritten: every push adds one part
``<start>-<end>-<digest>``. The digest is the BLAKE3 of the file's bytes from 0 to ``end``, so the
names alone tell whether a local file continues what was pushed. ``.end`` marks the last part of a
file that was written once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from mlops_nb.store.frames import HEAD, LONGEST_BYTES
from mlops_nb.store.remotenames import Shape

if TYPE_CHECKING:
    from blake3 import blake3

RECORD_BYTES = 32  # of a metric; the format fixes it
PART_BYTES = 16 * 1024 * 1024
# One frame is never cut, so a part may hold the longest frame and what was read with its end.
LONGEST_PART_BYTES = LONGEST_BYTES + HEAD.size + PART_BYTES
_READ_BYTES = 4 * 1024 * 1024
_NAME = re.compile(r"([0-9]{15})-([0-9]{15})-([0-9a-f]{64})(\.end)?")


class Diverged(Exception):  # noqa: N818 - a turn of the way, told as a conflict; not an error
    """A local file and its parts on the remote are not the same file."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One part of a file.

    Attributes
    ----------
    start, end
        Its range of bytes.
    digest
        BLAKE3 of the file's bytes from 0 to `end`.
    is_last
        The file was written once and ends here.
    """

    start: int
    end: int
    digest: str
    is_last: bool = False

    @property
    def name(self) -> str:
        """Give the last part of its key on a remote."""
        return f"{self.start:015d}-{self.end:015d}-{self.digest}{'.end' if self.is_last else ''}"


def parse_segment(name: str) -> Segment | None:
    """Read the name of a part.

    Parameters
    ----------
    name
        May be anybody's text.

    Returns
    -------
    Segment or None
        None where the name is not exactly one that `Segment.name` gives.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    start, end = int(match[1]), int(match[2])
    is_last = match[4] is not None
    if end - start > LONGEST_PART_BYTES or not (start < end or (start == end == 0 and is_last)):
        return None
    return Segment(start, end, match[3], is_last)


def covered_to(segments: Iterable[Segment]) -> int:
    """Tell up to where parts cover a file without a gap."""
    position = 0
    for segment in sorted(segments):
        if segment.start > position:
            break
        position = max(position, segment.end)
    return position


def is_whole(segments: list[Segment]) -> bool:
    """Tell whether parts make a file that was written once, whole."""
    reached = covered_to(segments)
    return any(segment.is_last and segment.end == reached for segment in segments)


def start_hasher() -> blake3:
    """Give a BLAKE3 of nothing."""
    from blake3 import blake3

    return blake3()


def match_prefix(file: BinaryIO, size: int, segments: list[Segment]) -> tuple[int, blake3]:
    """Check that a file is what parts of it tell, as far as both go.

    Parameters
    ----------
    file
        The local file, opened for reading.
    size
        Up to where it counts.
    segments
        Its parts on the remote; those that end behind `size` are not looked at.

    Returns
    -------
    reached : int
        Up to where parts that end within the file cover it without a gap.
    hasher : blake3.blake3
        Of the bytes up to there.

    Raises
    ------
    Diverged
        A part tells other bytes.
    """
    inside = [segment for segment in segments if segment.end <= size]
    reached = covered_to(inside)
    hasher = start_hasher()
    kept, position = hasher.copy(), 0
    file.seek(0)
    for segment in sorted(inside, key=lambda one: one.end):
        while position < segment.end:
            data = file.read(min(_READ_BYTES, segment.end - position))
            if not data:
                raise Diverged
            hasher.update(data)
            position += len(data)
        if hasher.hexdigest() != segment.digest:
            raise Diverged
        if position == reached:
            kept = hasher.copy()
    return reached, kept


def cut_rest(
    file: BinaryIO, shape: Shape, start: int, size: int, hasher: blake3
) -> Iterator[tuple[Segment, bytes]]:
    """Cut what a remote lacks of a file into parts.

    Parameters
    ----------
    file
        The local file, opened for reading.
    shape
        How it may be cut; of a log only whole frames, records or lines are given.
    start, size
        The range that is lacking.
    hasher
        Of the bytes before `start`.

    Yields
    ------
    segment, data
        A part and its bytes.
    """
    file.seek(start)
    position = start
    pending = b""
    while True:
        fresh = file.read(min(PART_BYTES, size - position - len(pending)))
        pending += fresh
        at_end = not fresh or position + len(pending) >= size
        data = pending[: _cut_at(shape, pending)]
        is_last = shape == "whole" and at_end
        if data or (is_last and position == 0):
            hasher.update(data)
            segment = Segment(position, position + len(data), hasher.hexdigest(), is_last)
            yield segment, data
            position += len(data)
            pending = pending[len(data) :]
        if at_end or len(pending) > LONGEST_PART_BYTES:
            return


def _cut_at(shape: Shape, data: bytes) -> int:
    if shape == "records":
        return len(data) - len(data) % RECORD_BYTES
    if shape == "lines":
        return data.rfind(b"\n") + 1
    if shape != "frames":
        return len(data)
    position = 0
    while position + HEAD.size <= len(data):
        length, _ = HEAD.unpack_from(data, position)
        stop = position + HEAD.size + length
        if length > LONGEST_BYTES or stop > len(data):
            break
        position = stop
    return position

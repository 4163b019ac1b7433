"""Chunks of long logs in the index, filled from where the last look ended."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from mlops_nb.store.chunks import (
    CHUNK_POINTS,
    Points,
    count_block_bytes,
    is_ordered,
    join_points,
    pack_chunk,
    split_points,
    unpack_chunk,
)
from mlops_nb.store.dialect import Link
from mlops_nb.store.metricfile import RECORD_BYTES, read_key_names, read_tail, unpack_columns
from mlops_nb.store.metrics import split_columns


class SeriesIndex:
    """Keeps a copy of long logs as chunks.

    Parameters
    ----------
    connect
        Gives this thread's connection to the index.
    """

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect

    def follow(self, path: Path) -> None:
        """Take in what was written to a log since the last look.

        Parameters
        ----------
        path
            The log, in its run's folder.

        Raises
        ------
        FileNotFoundError
            The log is gone.
        """
        link = self._connect()
        size = path.stat().st_size // RECORD_BYTES * RECORD_BYTES
        if self._offset(link, path) == size:
            return
        with link.transaction():
            start = self._offset(link, path)
            if start > size:  # cut off, or another file of the same name
                self.forget(link, path.parent.name, path.name)
                start = 0
            # One process fills at a time: the others wait for it and find little left to do.
            data = read_tail(path, start)
            names, _ = read_key_names(path)
            for key, points in split_columns(unpack_columns(data), names).items():
                self._append(link, (path.parent.name, path.name, _spell(key)), points)
            end = start + len(data) // RECORD_BYTES * RECORD_BYTES
            row = (path.parent.name, path.name, end)
            link.upsert("series_file", ("run_id", "file", "offset_bytes"), 2, [row])

    def _offset(self, link: Link, path: Path) -> int:
        sql = "SELECT offset_bytes FROM series_file WHERE run_id = ? AND file = ?"
        row = link.execute(sql, (path.parent.name, path.name)).fetchone()
        return int(row[0]) if row else 0

    def _append(self, link: Link, place: tuple[str, str, str], points: Points) -> None:
        sql = (
            "SELECT seq, count, data FROM metric_chunk JOIN metric_chunk_data ON chunk = id"
            " WHERE run_id = ? AND file = ? AND key = ? ORDER BY seq DESC LIMIT 1"
        )
        row = link.execute(sql, place).fetchone()
        seq = -1
        if row is not None:
            seq, count, data = row
            if count < CHUNK_POINTS:
                points = join_points([unpack_chunk(data, count), points])
                self._drop(link, "run_id = ? AND file = ? AND key = ? AND seq = ?", *place, seq)
                seq -= 1
        for piece in split_points(points):
            seq += 1
            head, data = pack_chunk(piece)
            # NaN has no place in a column: it becomes NULL.
            numbers = [None if math.isnan(x) else x for x in (head.low, head.high, head.last)]
            chunk = link.insert(
                "INSERT INTO metric_chunk (run_id, file, key, seq, count, step_min, step_max,"
                " time_min, time_max, low, high, last, is_ordered, blocks)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *place, seq, head.count, head.step_min, head.step_max, head.time_min,
                    head.time_max, *numbers, int(is_ordered(piece)),
                    data[-count_block_bytes(head.count) :],
                ),
            )  # fmt: skip
            link.execute("INSERT INTO metric_chunk_data VALUES (?,?)", (chunk, data))

    @staticmethod
    def _drop(link: Link, where: str, *values: object) -> None:
        # The condition is one of this class's own; values are placeholders.
        inner = f"SELECT id FROM metric_chunk WHERE {where}"  # noqa: S608
        sql = f"DELETE FROM metric_chunk_data WHERE chunk IN ({inner})"  # noqa: S608
        link.execute(sql, values)
        link.execute(f"DELETE FROM metric_chunk WHERE {where}", values)  # noqa: S608

    @classmethod
    def forget(cls, link: Link, run_id: str, file: str | None = None) -> None:
        """Drop what is kept of a run, or of one of its logs, within a transaction of the caller."""
        where, values = ("run_id = ?", (run_id,)) if file is None else (
            "run_id = ? AND file = ?", (run_id, file),
        )  # fmt: skip
        cls._drop(link, where, *values)
        link.execute(f"DELETE FROM series_file WHERE {where}", values)  # noqa: S608

    def read_chunks(self, path: Path, key: str, low: int, high: int) -> list[tuple[int, bytes]]:
        """Give the number of points and the bytes of each chunk that meets a range of steps."""
        sql = (
            "SELECT count, data FROM metric_chunk JOIN metric_chunk_data ON chunk = id WHERE"
            " run_id = ? AND file = ? AND key = ? AND step_max >= ? AND step_min <= ? ORDER BY seq"
        )
        low, high = (min(max(step, -(1 << 63)), (1 << 63) - 1) for step in (low, high))
        values = (path.parent.name, path.name, _spell(key), low, high)
        return list(self._connect().execute(sql, values))

    def read_blocks(self, path: Path, key: str) -> list[tuple[int, bytes]] | None:
        """Give the number of points and the summary of each chunk; None where steps go back."""
        sql = (
            "SELECT count, blocks, step_min, step_max, is_ordered FROM metric_chunk"
            " WHERE run_id = ? AND file = ? AND key = ? ORDER BY seq"
        )
        rows = self._connect().execute(sql, (path.parent.name, path.name, _spell(key))).fetchall()
        goes_on = all(after[2] >= before[3] for before, after in pairwise(rows))
        if not goes_on or not all(row[4] for row in rows):
            return None
        return [(row[0], row[1]) for row in rows]


def _spell(key: str) -> str:
    """Give a name for a metric that every database holds, and that no other metric has."""
    if len(key) <= 200 and key.isascii() and key.isprintable() and not key.startswith("sha256:"):
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

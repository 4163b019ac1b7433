"""The team's index with the local one behind it: reading never waits for a server that is away."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mlops_nb.config import show_index
from mlops_nb.errors import MissingPackageError, TeamIndexError
from mlops_nb.store.dialect import Link
from mlops_nb.store.sqlitefile import SQLiteFile

if TYPE_CHECKING:
    from mlops_nb.store.postgresschema import PostgresSchema

Answer = TypeVar("Answer")
# After a failure the server is left alone for so long.
REST_S = 30.0
_LOOK_AGAIN = "DELETE FROM looked WHERE name = 'all'"


def name_schema(root: Path, store_id: str) -> str:
    """Name the schema of a store's index.

    Parameters
    ----------
    root
        The store's folder.
    store_id
        Its id, a UUID.

    Returns
    -------
    str
        Equal on all machines that mount the store, wherever they do; another for a copy, which
        keeps the id but is another file: two copies would hide each other's runs.
    """
    inode = (root / "format.json").stat().st_ino
    copy = hashlib.sha256(str(inode).encode()).hexdigest()[:12]
    return f"mlops_{store_id.replace('-', '')}_{copy}"


class TeamIndex:
    """An index on PostgreSQL, and a local one for when that cannot be used.

    Parameters
    ----------
    url
        The database, from the settings.
    name
        The schema, from `name_schema`.
    local
        The local index.
    """

    def __init__(self, url: str, name: str, local: SQLiteFile) -> None:
        self.url, self.name, self.local, self.path = url, name, local, local.path
        self._schema: PostgresSchema | None = None
        self._failed_at: float | None = None

    def _open(self) -> PostgresSchema:
        if self._schema is None:
            try:
                from mlops_nb.store.postgresschema import PostgresSchema
            except ImportError:
                raise MissingPackageError("psycopg", "postgres", "A team's index") from None
            self._schema = PostgresSchema(self.url, show_index(self.url), self.name)
        return self._schema

    def _try(self, question: Callable[[PostgresSchema], Answer]) -> tuple[Answer] | None:
        """Ask the team's index; None where it cannot be used, which is told once."""
        if self._failed_at is not None and time.monotonic() - self._failed_at < REST_S:
            return None
        try:
            schema = self._open()
            if self._failed_at is not None:
                # Somebody may have asked for a thorough look while the server was away.
                schema.ask(lambda link: link.execute(_LOOK_AGAIN))
            answer = question(schema)
        except (TeamIndexError, MissingPackageError) as error:
            if self._failed_at is None:
                self.local.ask(lambda link: link.execute(_LOOK_AGAIN))
                said = f"mlops_nb: {error.message} The local index is used meanwhile. {error.hint}"
                print(said, file=sys.stderr)  # noqa: T201 - reading goes on, so nothing is raised
            self._failed_at = time.monotonic()
            return None
        self._failed_at = None
        return (answer,)

    def connect(self) -> Link:
        """Give this thread's connection to whichever index can be used."""
        found = self._try(lambda schema: schema.connect())
        return found[0] if found else self.local.connect()

    def ask(self, question: Callable[[Link], Answer]) -> Answer:
        """Ask whichever index can be used."""
        found = self._try(lambda schema: schema.ask(question))
        return found[0] if found else self.local.ask(question)

    def close(self) -> None:
        """Close this thread's connections."""
        if self._schema is not None:
            self._schema.close()
        self.local.close()

    def clear(self) -> None:
        """Throw away everything both indexes hold.

        Raises
        ------
        TeamIndexError, MissingPackageError
            The team's index cannot be used; the local one is gone all the same.
        """
        self.local.clear()
        self._failed_at = None
        self._open().clear()

    def measure(self) -> int:
        """Give the size of whichever index can be used, in bytes."""
        found = self._try(lambda schema: schema.measure())
        return found[0] if found else self.local.measure()

"""A schema on PostgreSQL as the place of an index: made, shared, dropped and made anew."""

from __future__ import annotations

import random
import re
import secrets
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from mlops_nb.errors import TeamIndexError
from mlops_nb.store import schema
from mlops_nb.store.dialect import Link
from mlops_nb.store.postgres import PostgresLink, PostgresWords

Answer = TypeVar("Answer")
_ATTEMPTS = 5
# Who makes an index anew does something: they are waited for, where a server that is away is not.
_PATIENCE_S = 10.0
_PAUSE_S = 0.05
_MANY_ROWS = 5000
_ABOUT = re.compile(r"mlops_nb index, version (\d+)")


class PostgresSchema:
    """The schema and this process's connections to it.

    Parameters
    ----------
    url
        The database, without a password.
    shown
        The same for people.
    name
        Name of the schema: lower-case letters, digits and underscores, at most 54.

    Notes
    -----
    A connection belongs to one thread and one process; each gets its own on first use.
    """

    def __init__(self, url: str, shown: str, name: str) -> None:
        self.url, self.shown, self.name = url, shown, name
        self._local = threading.local()

    def connect(self) -> PostgresLink:
        """Give this thread's connection; schema and tables are made where they are missing."""
        link = self._open()
        state = link.read_state()
        if state is None or self._read_version(state[1]) != schema.VERSION:
            self._prepare(link)
            state = link.read_state()
        link.epoch = state[0] if state else None
        return link

    def _open(self) -> PostgresLink:
        link: PostgresLink | None = self._local.__dict__.get("link")
        if link is None or not link.is_open:
            link = self._local.link = PostgresLink(self.url, self.shown, self.name)
        return link

    def _read_version(self, about: str) -> int:
        """Give the version of the tables; a schema that is not ours is left alone."""
        match = _ABOUT.fullmatch(about)
        if match is None:
            found = f"its schema {self.name!r} is not an index of mlops_nb"
            raise TeamIndexError(self.shown, found, "Rename that schema, or use another database.")
        version = int(match[1])
        if version > schema.VERSION:
            found = f"its index has version {version}, this mlops_nb knows {schema.VERSION}"
            raise TeamIndexError(self.shown, found, "Install the version your team uses.")
        return version

    def _prepare(self, link: PostgresLink) -> None:
        # Only one process makes the tables; the others wait here and then find them made.
        with link.locked():
            state = link.read_state()
            if state is not None:
                if self._read_version(state[1]) == schema.VERSION:
                    return
                link.execute(f'DROP SCHEMA "{self.name}" CASCADE')
            link.execute(f'CREATE SCHEMA "{self.name}"')
            about = f"mlops_nb index, version {schema.VERSION:d}"
            link.execute(f"COMMENT ON SCHEMA \"{self.name}\" IS '{about}'")
            for statement in schema.list_statements(PostgresWords.types):
                link.execute(statement)

    def ask(self, question: Callable[[Link], Answer]) -> Answer:
        """Ask, again where the index is dropped or the connection is lost meanwhile."""
        began = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                link = self.connect()
                answer = question(link)
                if link.is_current():
                    self._note_size(link)
                    return answer
                error = TeamIndexError(self.shown, "its index is made anew again and again")
            except TeamIndexError as met:
                if not met.is_passing:
                    raise
                error = met
            if attempt >= _ATTEMPTS:
                if not self._is_there() or time.monotonic() - began > _PATIENCE_S:
                    raise error
                # Out of step with the others, or all of them may start anew together for ever.
                time.sleep(_PAUSE_S * random.random())  # noqa: S311 - no secret

    def _is_there(self) -> bool:
        """Tell whether this thread's connection stood the last question."""
        link: PostgresLink | None = self._local.__dict__.get("link")
        return link is not None and link.is_open

    def _note_size(self, link: PostgresLink) -> None:
        """Let the planner know what there is when that has changed much."""
        if link.written >= _MANY_ROWS:
            link.written = 0
            link.execute("ANALYZE run, run_document, metric, param, tag, metric_chunk")

    def close(self) -> None:
        """Close this thread's connection."""
        link = self._local.__dict__.pop("link", None)
        if link is not None:
            link.close()

    def clear(self) -> None:
        """Drop the schema."""
        link = self._open()
        with link.locked():
            state = link.read_state()
            if state is not None:
                self._read_version(state[1])
                # Out of the way first: a drop waits for all who read, and they for one another.
                gone = f"{self.name}_{secrets.token_hex(4)}"
                link.execute(f'ALTER SCHEMA "{self.name}" RENAME TO "{gone}"')
        sql = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, ?)"
        for (name,) in link.execute(sql, (f"{self.name}_",)).fetchall():
            link.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')

    def measure(self) -> int:
        """Give the size of the index in bytes."""
        sql = (
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ?"
        )
        return int(self._open().execute(sql, (self.name,)).fetchone()[0])

"""What all our routes share, and the one place where an error becomes an answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado.web import HTTPError

from mlops_nb.config import load_settings
from mlops_nb.errors import InvalidValueError, MLOpsError, StoreError
from mlops_nb.server.extension import WATCHER
from mlops_nb.server.payload import locate_notebook, read_number, write_error
from mlops_nb.server.workers import WORKERS, Workers

T = TypeVar("T")
# As nginx counts them: no status that anybody receives.
_CLIENT_GONE = 499
# What a disk says that cannot be written; whatever else goes wrong with a file is a fault of ours.
_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


class MLOpsRouteHandler(APIHandler):  # type: ignore[misc]
    """What all our routes share: where the store is, work off the event loop, errors as JSON."""

    auth_resource: ClassVar[str] = "mlops_nb"
    # A panel left open must not keep an idle server from being culled.
    _track_activity = False
    _work: asyncio.Future[Any] | None = None
    _is_left = False

    async def answer(self, verb: Callable[[], Any]) -> None:
        """Call a verb in a thread and send what it returns.

        Parameters
        ----------
        verb
            Takes nothing and returns JSON types; an `MLOpsError` that it raises becomes a status
            and a body with ``error``, ``message`` and ``hint``.
        """
        try:
            body = await self.work(verb)
        except MLOpsError as error:
            self.set_status(error.status)
            body = write_error(error)
        self.finish(json.dumps(body, allow_nan=False))

    async def work(self, verb: Callable[[], T]) -> T:
        """Call a verb in a thread, unless nobody waits for it any more by then.

        Parameters
        ----------
        verb
            Takes nothing.

        Returns
        -------
        T
            What it returns.

        Raises
        ------
        HTTPError
            Whoever asked has gone; the answer goes nowhere.
        InvalidValueError
            The notebook's path is longer than any that the disk has.
        StoreError
            The disk is full, or may not be written.
        """
        workers: Workers = self.settings[WORKERS]
        self._work = asyncio.ensure_future(workers.run(verb, self.start))
        try:
            done: T = await self._work
        except asyncio.CancelledError:
            if not self._is_left:
                raise
            raise HTTPError(_CLIENT_GONE) from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG and not isinstance(error, MLOpsError):
                path = self.read_text("notebook", "")
                raise InvalidValueError("notebook", path, "a path that the disk takes") from None
            if isinstance(error, MLOpsError) or error.errno not in _REFUSALS:
                raise
            hint = "The user of the Jupyter server may not write there, or the disk is full."
            place = error.filename or self.start
            raise StoreError(place, os.strerror(error.errno), hint) from error
        return done

    def on_connection_close(self) -> None:
        """Drop work that no thread has begun: a page that gave up asks again, and again."""
        self._is_left = True
        if self._work is not None:
            self._work.cancel()
        super().on_connection_close()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send what no verb foresaw: a status and no detail; the log has the traceback.

        Parameters
        ----------
        status_code
            Of the answer.
        **kwargs
            ``exc_info`` where an exception is the cause.
        """
        cause = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(cause, MLOpsError):  # raised while the query was read
            self.set_status(cause.status)
            self.finish(json.dumps(write_error(cause)))
        elif status_code == 500 and not isinstance(cause, HTTPError):
            message = "The server could not answer because of an error in mlops_nb."
            hint = "The log of the Jupyter server has the details."
            self.finish(json.dumps({"error": "InternalError", "message": message, "hint": hint}))
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, *exc_info: Any) -> None:
        """Log what nobody foresaw; our own errors are answers, not faults.

        Parameters
        ----------
        *exc_info
            Type, value and traceback.
        """
        if not isinstance(exc_info[1], MLOpsError):
            super().log_exception(*exc_info)

    async def follow(self) -> None:
        """Have whoever looks at the notebook that is asked about told when its store changes."""
        watcher = self.settings.get(WATCHER)
        path, start = self.read_text("notebook", ""), self.start
        if watcher is not None and path:
            with contextlib.suppress(MLOpsError):  # the answer says what is wrong
                settings = await self.work(lambda: load_settings(start))
                watcher.prolong(settings.store, path)

    def find_notebook(self) -> Path | None:
        """Find the notebook that is asked about.

        Returns
        -------
        Path or None
            Its place on disk, None where the query names none.
        """
        path = self.read_text("notebook", "")
        return locate_notebook(self.root, path) if path else None

    async def may_run_code(self) -> bool:
        """Tell whether who asks may run code on this server."""
        user = self.current_user
        may = self.authorizer.is_authorized(self, user, "execute", "kernels")
        return bool(await ensure_async(may))

    async def need_kernels(self) -> None:
        """Refuse who may not run code on this server."""
        if not await self.may_run_code():
            raise HTTPError(403)

    def read_text(self, name: str, *default: str) -> str:
        """Read a text of the query as it is: names may begin and end with blanks."""
        return str(self.get_query_argument(name, *default, strip=False))

    def read_argument(self, name: str, default: int, least: int, most: int) -> int:
        """Read a whole number of the query; see `read_number`."""
        return read_number(name, self.get_query_argument(name, str(default)), least, most)

    @property
    def root(self) -> Path:
        """The folder that the server serves."""
        return Path(self.settings["server_root_dir"]).expanduser().absolute()

    @property
    def start(self) -> Path:
        """Folder whose project's store is asked: that of the notebook, where one is named."""
        notebook = self.find_notebook()
        return notebook.parent if notebook else self.root

"""Versions of models that are served for the panel: one process each, watched by a thread."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlops_nb.errors import InvalidValueError, PredictionError, RequestError
from mlops_nb.records import format_time
from mlops_nb.server.children import ChildProcess

# Each holds a model and its libraries in memory.
_MOST_SERVED = 4
# Imports of a library on a busy machine take long; nobody waits for more.
_START_S = 90.0
_GRACE_S = 15.0
# A browser gives up after 15 s.
_PREDICT_S = 10.0
_MOST_ANSWER_BYTES = 1_000_000
_AT_WORK = ("starting", "serving", "stopping")


class ServedVersion:
    """A version of a model, served by a process of its own that ends with this one.

    Parameters
    ----------
    start
        Folder whose project's store has the model; the process works there.
    name, version
        The model, and the number of the version.
    """

    def __init__(self, start: Path, name: str, version: int) -> None:
        self.name, self.version = name, version
        self.token = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {
            "status": "starting",
            "started_at": format_time(time.time()),
            "url": None,
            "problem": None,
        }
        # Before the process, which may be there at once.
        self._clock = threading.Timer(_START_S, self._give_up)
        self._clock.daemon = True
        self._process = ChildProcess(
            "mlops_nb.server.serving_child",
            start,
            {"ref": f"{name}/{version}", "token": self.token},
            f"mlops_nb-serving-{name[:20]}",
            _GRACE_S,
            self._take,
            self._conclude,
        )
        self._clock.start()

    @property
    def status(self) -> str:
        """``starting``, ``serving``, ``stopping``, ``stopped``, or ``ended`` by itself."""
        with self._lock:
            return str(self._state["status"])

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def describe(self, *, is_trusted: bool) -> dict[str, Any]:
        """Give what is known now.

        Parameters
        ----------
        is_trusted
            Whether who asks may have the token.

        Returns
        -------
        dict
            JSON types.
        """
        with self._lock:
            state = dict(self._state)
        token = self.token if is_trusted else None
        return {"name": self.name, "version": self.version, **state, "token": token}

    def stop(self) -> None:
        """End it as Ctrl-C would; what goes on all the same is killed after a while."""
        with self._lock:
            if self._state["status"] not in ("starting", "serving"):
                return
            self._state["status"] = "stopping"
        self._process.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended.

        Parameters
        ----------
        timeout
            Seconds to wait at most.
        """
        self._process.join(timeout)

    def predict(self, body: bytes) -> dict[str, Any]:
        """Have a request answered.

        Parameters
        ----------
        body
            JSON, as the served model takes it.

        Returns
        -------
        dict
            ``predictions``, ``probabilities``, ``classes``, ``warnings``, and ``problem``: None, or
            what the model found wrong, with the ``path`` of the value.

        Raises
        ------
        RequestError
            It is not being served.
        PredictionError
            No answer came, or one that is too long.
        """
        with self._lock:
            url = self._state["url"] if self._state["status"] == "serving" else None
        if url is None:
            raise _make_refusal(self.name, self.version)
        place = urlsplit(url)
        caller = http.client.HTTPConnection(
            place.hostname or "", place.port, timeout=_PREDICT_S, blocksize=65536
        )
        headers = {"Content-Type": "application/json", "Connection": "close"}
        headers["Authorization"] = f"Bearer {self.token}"
        try:
            with contextlib.closing(caller):
                caller.request("POST", "/predict", body, headers)
                answer = caller.getresponse()
                said = answer.read(_MOST_ANSWER_BYTES + 1)
        except TimeoutError:
            raise PredictionError(f"gave no answer within {_PREDICT_S:.0f} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise PredictionError(f"gave no answer ({type(error).__name__})") from error
        if len(said) > _MOST_ANSWER_BYTES:
            raise PredictionError(f"gave an answer of more than {_MOST_ANSWER_BYTES} bytes")
        return _read_answer(answer.status, said)

    def _give_up(self) -> None:
        with self._lock:
            if self._state["status"] != "starting":
                return
            self._state["problem"] = _make_problem(
                f"the model did not answer within {_START_S:.0f} s", "Is the machine very busy?"
            )
        self._process.kill()

    def _conclude(self, code: int, last_words: str) -> None:
        self._clock.cancel()
        with self._lock:
            self._state["url"] = None
            if self._state["status"] == "stopping":
                self._state["status"] = "stopped"
                return
            self._state["status"] = "ended"
            if self._state["problem"] is None:
                message = f"the process that served it ended with code {code}"
                self._state["problem"] = _make_problem(message, last_words)

    def _take(self, told: dict[str, Any]) -> bool:
        with self._lock:
            if told["kind"] == "refused":
                self._state["problem"] = told["problem"]
            elif self._state["status"] == "starting":
                self._state["url"] = told["url"]
                self._state["status"] = "serving"
                self._clock.cancel()
        return False  # heard until nobody is there


def _make_problem(message: str, hint: str) -> dict[str, Any]:
    return {"error": "PredictionError", "message": message, "hint": hint}


def _make_refusal(name: str, version: int) -> RequestError:
    found = f"version {version} of {name!r} is not being served"
    return RequestError("", found, "Serve it first.", status=409)


def _read_answer(status: int, said: bytes) -> dict[str, Any]:
    """Give what a served model said, also where that is what was wrong."""
    try:
        told = json.loads(said)
        problem = None
        if status != 200:
            problem = {key: str(told[key]) for key in ("error", "message", "hint", "path")}
            told = {"predictions": []}
        return {
            "predictions": list(told["predictions"]),
            "probabilities": told.get("probabilities"),
            "classes": told.get("classes"),
            "warnings": told.get("warnings", []),
            "problem": problem,
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PredictionError("gave an answer that is none of ours") from error


class ServingJobs:
    """The versions that this server serves, of any store, for as long as it lives."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[Path, str, int], ServedVersion] = {}
        self._lock = threading.Lock()

    def start(self, store: Path, start: Path, name: str, version: int) -> ServedVersion:
        """Serve a version; one that is served already is given as it is.

        Parameters
        ----------
        store
            Where the model is registered.
        start, name, version
            As for `ServedVersion`.

        Returns
        -------
        ServedVersion
            Starting, or serving.

        Raises
        ------
        InvalidValueError
            As many are served as may be.
        """
        key = (store, name, version)
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and known.status in ("starting", "serving"):
                return known
            at_work = [each for each in self._jobs.values() if each.status in _AT_WORK]
            if len(at_work) >= _MOST_SERVED:
                shown = ", ".join(f"{each.name}/{each.version}" for each in at_work)
                expected, hint = f"fewer than {_MOST_SERVED}", f"Stop one of {shown}."
                raise InvalidValueError("number of served models", len(at_work), expected, hint)
            job = self._jobs[key] = ServedVersion(start, name, version)
        return job

    def stop(self, store: Path, name: str, version: int) -> ServedVersion | None:
        """Serve a version no more; one that has ended by itself is forgotten.

        Parameters
        ----------
        store, name, version
            As for `start`.

        Returns
        -------
        ServedVersion or None
            On its way out; None where nothing is left to end.
        """
        job = self._jobs.get((store, name, version))
        if job is not None:
            job.stop()
            if job.status == "ended":
                # Somebody else may have it served again by now.
                with self._lock:
                    if self._jobs.get((store, name, version)) is job:
                        del self._jobs[store, name, version]
                job = None
        return job

    def stop_all(self) -> None:
        """End every process, and wait until they are gone."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.stop()
        for job in jobs:
            job.join(_GRACE_S)
        self._jobs.clear()

    def list_served(self, store: Path) -> list[ServedVersion]:
        """List what is served of a store, also what has ended by itself.

        Parameters
        ----------
        store
            Where the models are registered.

        Returns
        -------
        list of ServedVersion
            In the order in which they were started.
        """
        found = [job for (place, _, _), job in self._jobs.copy().items() if place == store]
        return [job for job in found if job.status != "stopped"]

    def predict(self, store: Path, name: str, version: int, body: bytes) -> dict[str, Any]:
        """Have a served version answer; see `ServedVersion.predict`.

        Parameters
        ----------
        store, name, version
            As for `start`.
        body
            JSON.

        Returns
        -------
        dict
            As the served model answers.

        Raises
        ------
        RequestError, PredictionError
            As `ServedVersion.predict` tells.
        """
        job = self._jobs.get((store, name, version))
        if job is None:
            raise _make_refusal(name, version)
        return job.predict(body)


JOBS = ServingJobs()

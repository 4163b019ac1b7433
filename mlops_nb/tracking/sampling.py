"""One thread that looks at open runs from outside: what they use, and how far they have got."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_nb import records
from mlops_nb.capture.bars import Sighting, find_bar
from mlops_nb.capture.loops import LoopFinder
from mlops_nb.capture.resources import ResourceReader
from mlops_nb.errors import RunNotFoundError
from mlops_nb.store import RunLog, Store

if TYPE_CHECKING:
    from mlops_nb.records import ProgressRecord
    from mlops_nb.tracking.run import Run
    from mlops_nb.tracking.session import Session

TICK_S = 1.0
YOUNGEST_S = 1.0  # a run that is over sooner is not worth files of its own
_ASLEEP_AFTER = 30  # ticks without an open run; until then a new one need not wake the thread
# Between two notes of progress: so many ticks, and such a share of the age of the run.
_EVENT_TICKS, _EVENT_SHARE = 2, 0.01
_MOST_RUNS = 8
_JOIN_S = 1.0

Listener = Callable[["Run", "ProgressRecord | None"], object]


@dataclass(slots=True)
class _Watched:
    """A run that is looked at, with files of the thread's own beside the run's."""

    run: Run
    log: RunLog
    samples: int = 0
    progress: ProgressRecord | None = None
    noted_at: float = 0.0
    begun: dict[Hashable, tuple[float, float]] = field(default_factory=dict)


class Sampler:
    """Samples the open runs of a session, while there are any.

    Parameters
    ----------
    session
        Whose runs.
    store
        Where they are kept.
    interval_s
        Between two samples of what is used; 0 for none.
    is_live
        Whether progress is looked for.

    Attributes
    ----------
    listener
        Told on the thread, once a tick, of each run that is open and how far it has got.
    reason : str
        Why it has stopped, where it has.

    Notes
    -----
    What it writes goes to files of its own, as those of another process would: every file of a run
    keeps one writer, and the user's thread never waits for this one. Around a fork there is no such
    thread, so that no lock is copied while it is held.
    """

    def __init__(
        self, session: Session, store: Store, interval_s: float, is_live: bool = True
    ) -> None:
        self._session, self._store = weakref.ref(session), store
        self._interval_s, self._is_live = interval_s, is_live
        self._tick_s = min(TICK_S, interval_s or TICK_S)
        self._fresh: deque[Run] = deque()
        self._watched: dict[str, _Watched] = {}
        self._thread: threading.Thread | None = None
        self._wake, self._starting = threading.Event(), threading.Lock()
        self._is_asleep = self._is_closed = False
        self._loops = LoopFinder()
        # A bar, and how far the loop was when it was first seen; None where the bar is outside.
        self._beside: tuple[Hashable, float | None] = (None, None)
        self._reader: ResourceReader | None = None
        self._sampled_at = 0.0
        self.listener: Listener | None = None
        self.reason = ""

    def add(self, run: Run) -> None:
        """Look at a run from now on; called at its start, so it costs next to nothing."""
        if self._is_closed or not run.run_id:
            return
        self._fresh.append(run)
        if self._thread is None:
            self._start()
        elif self._is_asleep:
            self._wake.set()

    def _start(self) -> None:
        if not self._interval_s and not self._is_live:
            self._is_closed = True
            return
        with self._starting:
            if self._thread is not None:
                return  # two threads have begun their first runs at once
            self._wake.clear()
            thread = threading.Thread(target=self._work, name="mlops_nb-sampler", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are to be had, or the interpreter is ending
                self._is_closed = True
                return
            self._thread = thread
            _samplers.add(self)

    def close(self) -> None:
        """End the thread and write nothing any more; safe to call twice."""
        self._is_closed = True
        self._halt()
        self._fresh.clear()

    def _halt(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            self._wake.set()
            thread.join(_JOIN_S)

    def leave_for_fork(self) -> None:
        """End the thread before the process is forked."""
        self._halt()

    def return_from_fork(self) -> None:
        """Go on in the process that has forked; its child has runs of its own only."""
        if not self._is_closed and self._thread is None and (self._watched or self._fresh):
            self._start()

    def forget_in_child(self) -> None:
        """Do nothing any more in a child: the runs are its parent's."""
        self._is_closed = True
        self._wake, self._starting = threading.Event(), threading.Lock()
        self._fresh, self._watched, self._thread = deque(), {}, None

    def status(self) -> list[tuple[str, str, str]]:
        """Give what is sampled, its state, and how often or why not, as `%mlops autolog` does."""
        state, why = ("stopped", self.reason) if self.reason else ("armed", "")
        each = f"every {self._interval_s:g} s"
        return [
            ("resource use", *((state, why or each) if self._interval_s else ("off", "resources"))),
            ("progress", *((state, why) if self._is_live else ("off", "live"))),
        ]

    # ------------------------------------------------------------------ on the thread
    def _work(self) -> None:
        me, idle = threading.current_thread(), 0
        try:
            while not self._is_closed and self._thread in (me, None):
                if self._wake.wait(None if self._is_asleep else self._tick_s):
                    if self._thread is not me:
                        break  # ended, or a fork is about to be made
                    self._wake.clear()
                    self._is_asleep, idle = False, 0
                    continue
                idle = 0 if self._tick() else idle + 1
                if idle > _ASLEEP_AFTER:
                    self._is_asleep = True
                    if self._fresh:  # begun between the look and the word
                        self._is_asleep, idle = False, 0
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not the user's
            self._is_closed = True
            self.reason = f"{type(error).__name__}: {error}"[:200]
        finally:
            self._drop_all()

    def _drop_all(self) -> None:
        for watched in list(self._watched.values()):
            with contextlib.suppress(OSError):
                watched.log.close()
        if self._is_closed:
            self._watched.clear()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _tick(self) -> bool:
        """Look at every open run; False where there is none."""
        session = self._session()
        if session is None:
            self._is_closed = True
            return False
        now = time.time()
        runs = [watched.run for watched in self._watched.values()]
        with contextlib.suppress(IndexError):
            while True:
                runs.append(self._fresh.popleft())
        is_open = [run for run in runs if run.is_open and not session.is_done(run.run_id)]
        for run_id in self._watched.keys() - {run.run_id for run in is_open}:
            self._watched.pop(run_id).log.close()
        self._watch([run for run in is_open if run.run_id not in self._watched], now)
        if self._watched and not session.is_paused:
            self._sample()
            self._look(session, now)
        return bool(is_open)

    def _watch(self, runs: list[Run], now: float) -> None:
        for run in runs:
            is_old = now - run.started_at >= min(YOUNGEST_S, self._tick_s)
            if is_old and len(self._watched) < _MOST_RUNS:
                with contextlib.suppress(RunNotFoundError):
                    log = self._store.reopen_run(run.run_id)
                    self._watched[run.run_id] = _Watched(run, log)
                    continue
            self._fresh.append(run)

    def _sample(self) -> None:
        now = time.monotonic()
        if not self._interval_s or now - self._sampled_at < self._interval_s:
            return
        if self._reader is None or now - self._sampled_at > 3 * self._interval_s:
            # Shares since long ago would say nothing of these runs.
            self._reader = self._reader or ResourceReader()
            self._reader.read()
            self._sampled_at = now - self._interval_s + self._tick_s / 2
            return
        self._sampled_at = now
        values = {f"{records.SYSTEM}{name}": value for name, value in self._reader.read().items()}
        at = time.time_ns()
        for watched in self._watched.values():
            watched.log.log_metrics(values, watched.samples, at)
            watched.samples += 1

    def _look(self, session: Session, now: float) -> None:
        if not self._is_live:
            return
        began_at = session.find_begin()
        seen = None if began_at is None else self._find(began_at)
        for watched in list(self._watched.values()):
            if seen is not None and _spans(watched, seen):
                self._note(watched, seen.progress, now)
            if self.listener is not None and watched.run.is_open:
                self.listener(watched.run, watched.progress)

    def _find(self, began_at: float) -> Sighting | None:
        try:
            thread = threading.main_thread().ident
            loop = None if thread is None else self._loops.find(thread)
            return self._choose(loop, find_bar(began_at))
        except Exception:  # noqa: BLE001 - bars are of any making
            return None

    def _choose(self, loop: Sighting | None, bar: Sighting | None) -> Sighting | None:
        """Choose the outer of a loop and a bar: the one that stays while the other goes on."""
        if loop is None or bar is None:
            return loop or bar
        key, done = self._beside
        if key == bar.key and done not in (None, loop.progress.n):
            self._beside = key, None  # the loop has gone on beneath this bar
        elif key != bar.key:
            self._beside = bar.key, loop.progress.n
        is_outer = self._beside[1] is None and bar.progress.n != bar.progress.total
        return bar if is_outer else loop

    def _note(self, watched: _Watched, progress: ProgressRecord, now: float) -> None:
        watched.progress = progress
        pause = max(_EVENT_TICKS * self._tick_s, _EVENT_SHARE * (now - watched.run.started_at))
        if now - watched.noted_at < pause:
            return
        watched.noted_at = now
        watched.log.append({"type": "progress", **asdict(progress)})


def _spans(watched: _Watched, seen: Sighting) -> bool:
    """Say whether a bar or loop tells of a run.

    Not where each of its rounds makes another run, and not where a round of the run makes it anew.
    """
    if seen.began_at is not None and seen.began_at >= watched.run.started_at:
        return True
    done, (first, last) = seen.progress.n, watched.begun.get(seen.key, (seen.progress.n,) * 2)
    if done < last:
        first = math.inf
        watched.progress = None
    watched.begun[seen.key] = first, max(done, last)
    return done > first


def start_sampler(session: Session) -> Sampler | None:
    """Make what looks at the runs of a session; None where nothing is recorded or wanted."""
    settings, store = session.settings, session.store
    if store is None or not (settings.resources or settings.live):
        return None
    return Sampler(session, store, settings.resources, settings.live)


_samplers: weakref.WeakSet[Sampler] = weakref.WeakSet()


def _for_each(do: Callable[[Sampler], Any]) -> Callable[[], None]:
    def call() -> None:
        for sampler in list(_samplers):
            with contextlib.suppress(Exception):  # a fork is the user's
                do(sampler)

    return call


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_for_each(Sampler.leave_for_fork),
        after_in_parent=_for_each(Sampler.return_from_fork),
        after_in_child=_for_each(Sampler.forget_in_child),
    )

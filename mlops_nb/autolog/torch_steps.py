"""The path of every step: what ``backward`` was called on, and which optimizer went by it."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from mlops_nb.autolog.frames import hide_frame
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.torch_loaders import Pass, find_pass
from mlops_nb.autolog.torch_loop import Track
from mlops_nb.autolog.torch_sites import LossSite, find_loss_site
from mlops_nb.autolog.torch_values import take_loss
from mlops_nb.tracking import Session

StepHook = Callable[[Any, tuple[Any, ...], dict[str, Any]], None]
_MOST_WAITING = 4096


class _Thread(threading.local):
    """What one thread does: losses that no step has followed yet, and passes over loaders."""

    def __init__(self) -> None:
        self.losses: list[tuple[LossSite, Any]] = []
        self.passes: list[Pass] = []
        self.epoch: int | None = None
        self.loop: Any = None
        self.thread = threading.current_thread()


class Steps:
    """What the hooks share.

    Parameters
    ----------
    session
        Nothing is done while it is paused.
    guard
        Stops the recorder when it fails.
    begin
        Given an optimizer and the frame that called its ``step``, finds or opens its loop.
    on_epoch
        Told of a loop, its optimizer's track, and the frame, before an epoch of it begins.

    Attributes
    ----------
    is_off
        Whether the hooks do nothing: stopped, or in a forked child.
    """

    def __init__(
        self,
        session: Session,
        guard: Guard,
        begin: Callable[[Any, FrameType], Track],
        on_epoch: Callable[[Track, FrameType], None],
    ) -> None:
        self.session, self.guard = session, guard
        self._begin, self._on_epoch = begin, on_epoch
        self.is_off = False
        self.local = _Thread()
        self.sites: dict[tuple[int, int], LossSite] = {}
        self.tracks: dict[int, Track] = {}
        _living.add(self)

    def fail(self, error: Exception) -> None:
        """Stop: something of ours raised."""
        self.is_off = True
        self.guard.fail(error)

    # ------------------------------------------------------------------ off the usual path
    def find_site(self, frame: FrameType) -> LossSite:
        """Describe a call of ``backward`` that was not seen before."""
        site = find_loss_site(frame)
        self.sites[id(frame.f_code), frame.f_lasti] = site
        return site

    def take_losses(self, site: LossSite, tensors: tuple[Any, ...]) -> None:
        """Take losses that are not one plain number in main memory."""
        value = take_loss(tensors, is_scaled=site.is_scaled)
        if value is not None:
            losses = self.local.losses
            if len(losses) >= _MOST_WAITING:
                losses.clear()  # no optimizer takes notice of them
            losses.append((site, value))

    def find_track(self, optimizer: Any, frame: FrameType) -> Track:
        """Find the loop of an optimizer that was not seen before in this cell."""
        track = self._begin(optimizer, frame)
        if track.loop is not None:
            track.loop.note_rates(track, optimizer, time.time_ns())
        return track

    def gather(self, track: Track, now_ns: int, *, is_closure: bool) -> None:
        """Gather the losses of a step that has several, or none of the usual kind.

        Parameters
        ----------
        track
            The optimizer's.
        now_ns
            The time.
        is_closure
            Whether the step itself computed them: the first is the loss before the step.
        """
        losses, loop = self.local.losses, track.loop
        sums: dict[str, Any] = {}
        last: dict[LossSite, Any] = {}
        for site, value in losses:
            if is_closure:
                sums.setdefault(site.name, value)
            elif track.is_single(site):
                last[site] = value  # earlier ones belong to steps that a scaler left out
            else:
                sums[site.name] = sums[site.name] + value if site.name in sums else value
        for site, value in last.items():
            sums[site.name] = sums[site.name] + value if site.name in sums else value
        losses.clear()
        if loop is not None:
            for name, value in sums.items():
                loop.gathered.append((name, track, track.steps, value, now_ns, loop.epoch))

    def look_at_epoch(self, track: Track, frame: FrameType) -> None:
        """See whether this step is the first of an epoch.

        Parameters
        ----------
        track
            The optimizer's.
        frame
            That called its ``step``.
        """
        loop, local = track.loop, self.local
        if loop is None:
            return
        found = find_pass(local.passes)
        if found is None:
            if local.epoch is not None and local.epoch != loop.epoch and not loop.has_passes:
                self._on_epoch(track, frame)
                loop.begin_epoch(local.epoch, loop.before_ns)
            return
        current, batches = found
        if not current.is_counted or batches < current.seen:
            self._on_epoch(track, frame)
            begun = loop.before_ns if current.is_counted else current.begun_ns
            number = loop.epoch + 1 if local.epoch is None else local.epoch
            loop.begin_epoch(number, begun, current)
            current.is_counted = loop.has_passes = True
        current.seen = batches


_living: weakref.WeakSet[Steps] = weakref.WeakSet()


def _stop_in_child() -> None:
    for steps in list(_living):
        steps.is_off = True  # the run is the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_stop_in_child)


def wrap_backward(original: Any, steps: Steps, tensor_backward: CodeType | None) -> Any:
    """Wrap what ``torch.autograd.backward`` calls to run the engine.

    Parameters
    ----------
    original
        ``torch.autograd._engine_run_backward``.
    steps
        Get the losses.
    tensor_backward
        Code of ``Tensor.backward``, which stands between the user and the engine.

    Returns
    -------
    callable
        Gives the same result, raises the same errors with the same traceback.
    """
    torch = sys.modules["torch"]
    get_frame = sys._getframe  # noqa: SLF001 - the one way there is
    sites, local, session = steps.sites, steps.local, steps.session

    def _engine_run_backward(t_outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("accumulate_grad") and not steps.is_off and not session.is_paused:
            try:
                frame: Any = get_frame(2)
                if frame.f_code is tensor_backward:
                    frame = frame.f_back
                site = sites.get((id(frame.f_code), frame.f_lasti)) or steps.find_site(frame)
                if site.is_recorded:
                    number = frame.f_globals.get(site.epoch) if site.epoch else None
                    local.epoch = number if type(number) is int else None
                    loss, losses = t_outputs[0], local.losses
                    if (
                        type(loss) is torch.Tensor
                        and loss.is_cpu
                        and not site.is_scaled
                        and len(t_outputs) == 1
                        and loss.numel() == 1
                        and len(losses) < _MOST_WAITING
                    ):
                        # There is no queue of work to wait for, and nothing is kept.
                        losses.append((site, loss.item()))
                    else:
                        steps.take_losses(site, t_outputs)
                    loss = None
                frame = None
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not the user's
                steps.fail(error)
        try:
            return original(t_outputs, *args, **kwargs)
        except BaseException as error:
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise

    return hide_frame(_engine_run_backward)


def make_step_hook(steps: Steps) -> StepHook:  # noqa: C901 - see below
    """Make the hook that torch calls after each step of any optimizer."""
    torch = sys.modules["torch"]
    get_frame, now = sys._getframe, time.time_ns  # noqa: SLF001 - the one way there is
    tracks, local, session = steps.tracks, steps.local, steps.session

    # One function, because each call that would tidy it costs every step of every training.
    def after_step(  # noqa: C901, PLR0912
        optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if torch.compiler.is_compiling() or steps.is_off or session.is_paused:
            return
        try:
            track = tracks.get(id(optimizer))
            if track is None or track.optimizer() is not optimizer:
                track = steps.find_track(optimizer, get_frame(1))
            losses, loop = local.losses, track.loop
            if loop is None:
                losses.clear()
                return
            at = now()
            count = track.steps = track.steps + 1
            loop.before_ns, loop.last_ns = loop.last_ns, at
            if local.passes:
                current = local.passes[-1]
                iterator = current.iterator()
                seen = -1 if iterator is None else iterator._num_yielded  # noqa: SLF001 - the count
                if current.is_counted and seen >= current.seen:
                    current.seen = seen
                else:
                    steps.look_at_epoch(track, get_frame(1))
                iterator = None
            elif local.epoch is not None and local.epoch != loop.epoch:
                steps.look_at_epoch(track, get_frame(1))
            if len(losses) == 1 and type(losses[0][1]) is float:
                site, value = losses[0]
                loop.gathered.append((site.name, track, count, value, at, loop.epoch))
                losses.clear()
            elif losses:
                steps.gather(track, at, is_closure=len(args) > 1 or "closure" in kwargs)
            for rate, group in zip(track.rates, optimizer.param_groups, strict=False):
                if rate is not None and group.get("lr") is not rate:
                    loop.note_rates(track, optimizer, at)
                    break
            if at >= track.due_ns or len(loop.gathered) >= loop.most:
                loop.attend(track, optimizer, at)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not the user's
            steps.fail(error)

    return hide_frame(after_step)

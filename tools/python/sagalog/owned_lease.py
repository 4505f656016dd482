"""What both kinds of lease have in common: what is known of one, and what its owner does under it.
All but the waiting, which is a thread's in `lease`, and a task's in `aio_lease`."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from dataclasses import dataclass
from typing import Any, Callable, Generic, Mapping, Optional

from .calls import Call
from .commands import AnswerT, CompensationWhen, Commands, EffectScope, SectionFinal
from .errors import LeaseLost, Refused, SagalogError
from .holding import Holding, LeaseOptions, error_text
from .records import Answer, Duration, Saga


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Step(Generic[AnswerT]):
    """One command of an owner, and what its outcome means to the lease. Whoever carries it out
    calls `before`, then `send`, and then one of the others; that is all that a driver does."""

    send: Callable[[], AnswerT]
    before: Callable[[], None]
    after: Callable[[Answer], None]
    # May raise something else in the refusal's place.
    refused: Callable[[Refused], None] = lambda refusal: None
    # No answer: nobody knows.
    failed: Callable[[], None] = _nothing


class OwnedLease(Generic[AnswerT]):
    """Made by a client. `AnswerT` is what a command gives back: an answer, or something to await
    for one."""

    client: Commands[AnswerT]

    def __init__(self, now: Callable[[], float], options: LeaseOptions,
                 on_lost: Optional[Callable[[LeaseLost], None]],
                 on_cancel: Optional[Callable[[], None]]) -> None:
        self._now = now
        self._options = options
        self._on_lost = on_lost
        self._on_cancel = on_cancel
        # The work and the heartbeats may be on two threads.
        self._lock = threading.Lock()
        self._holding: Optional[Holding] = None
        self._process = 0

    # What a driver does.

    def _run(self, step: Step[AnswerT]) -> AnswerT:
        raise NotImplementedError

    def _send(self, call: Call[Answer]) -> AnswerT:
        raise NotImplementedError

    def _stop_beating(self) -> None:
        raise NotImplementedError

    def _show_lost(self) -> None:
        """Sets `lost`, and whatever else shall be seen at once."""
        raise NotImplementedError

    # What is known of it.

    @property
    def holding(self) -> Holding:
        if self._holding is None:
            raise RuntimeError("the lease is not held: use `with client.lease(…) as lease:`")
        return self._holding

    @property
    def saga_id(self) -> str:
        return self.holding.saga_id

    @property
    def token(self) -> int:
        """The fencing token: hand it to whatever has an effect outside."""
        return self.holding.token

    @property
    def saga(self) -> Saga:
        """The saga as the newest answer showed it."""
        return self.holding.saga

    @property
    def held_until(self) -> float:
        """By the client's clock, how long the lease lasts at least."""
        return self.holding.held_until

    @property
    def cancel_pending(self) -> bool:
        """Somebody wants the saga cancelled, and waits for its section to be left."""
        return self.holding.cancel_pending

    @property
    def loss(self) -> Optional[LeaseLost]:
        """How the lease was lost."""
        return self.holding.lost

    def check(self) -> None:
        """Raises `LeaseLost` unless the lease is still held by our own reckoning; does not wait.
        To be called before everything that cannot be taken back."""
        self._look()
        loss = self.holding.lost
        if loss is not None:
            raise LeaseLost(str(loss), loss.cause)

    # What its owner does.

    def heartbeat(self, progress: Optional[str] = None) -> AnswerT:
        """One now, beside those that are sent anyway: to report progress, or to be sure."""
        return self._run(Step(lambda: self._send(self.holding.beat(progress)), self.check,
                              self._renewed, self._refused))

    def complete(self, result: Optional[str] = None, **general: Any) -> AnswerT:
        return self._end(self.client.complete, result=result, **general)

    def fail(self, reason: Optional[str] = None, *,
             no_compensation_reason: Optional[str] = None, **general: Any) -> AnswerT:
        return self._end(self.client.fail, reason=reason,
                         no_compensation_reason=no_compensation_reason, **general)

    def compensate(self, reason: Optional[str] = None, **general: Any) -> AnswerT:
        return self._end(self.client.compensate, reason=reason, **general)

    def release(self, reason: Optional[str] = None, **general: Any) -> AnswerT:
        return self._end(self.client.release, reason=reason, **general)

    def advance_stage(self, expected: str, next: str, **general: Any) -> AnswerT:
        return self._do(self.client.advance_stage, expected=expected, next=next, **general)

    def record_exit(self, exit_code: int, **general: Any) -> AnswerT:
        return self._do(self.client.record_exit, exit_code=exit_code, **general)

    def register_compensation(self, id: str, *, kind: str, target: str,
                              params: Optional[Mapping[str, str]] = None,
                              when: Optional[CompensationWhen] = None,
                              shared: Optional[bool] = None, **general: Any) -> AnswerT:
        return self._do(self.client.register_compensation, id=id, kind=kind, target=target,
                        params=params, when=when, shared=shared, **general)

    def _enter_section(self, name: str, expected_stage: Optional[str],
                       max_age: Optional[Duration]) -> AnswerT:
        return self._do(self.client.enter_section, name=name, expected_stage=expected_stage,
                        max_age=max_age)

    def _begin_effect(self, effect: str, fingerprint: str,
                      scope: Optional[EffectScope]) -> AnswerT:
        return self._do(self.client.begin_effect, effect=effect, fingerprint=fingerprint,
                        scope=scope)

    # How it works.

    def _do(self, command: Callable[..., AnswerT], then: Callable[[], None] = _nothing,
            **arguments: Any) -> AnswerT:
        """A command under the token, which leaves the lease as it is."""
        def after(answer: Answer) -> None:
            self._saw(answer)
            then()
        return self._run(Step(lambda: command(self.saga_id, token=self.token, **arguments),
                              self.check, after, self._refused))

    def _end(self, command: Callable[..., AnswerT], then: Callable[[], None] = _nothing,
             **arguments: Any) -> AnswerT:
        """A command that ends the lease when it is granted."""
        return self._run(self._ending(
            lambda: command(self.saga_id, token=self.token, **arguments), then))

    def _farewell(self, error: Optional[BaseException]) -> Optional[Step[AnswerT]]:
        """What is said when the body of the `with` is left, if anything is."""
        if error is None and not self.holding.ended:
            # Nobody shall take for done what was done without the lease.
            self.check()
        self._look()
        last_words = self.holding.farewell(error)
        if last_words is None:
            return None
        call: Call[Answer] = last_words
        return self._ending(lambda: self._send(call))

    def _ending(self, send: Callable[[], AnswerT],
                then: Callable[[], None] = _nothing) -> Step[AnswerT]:
        def before() -> None:
            self.check()
            with self._lock:
                self.holding.ending = True

        def after(answer: Answer) -> None:
            with self._lock:
                self.holding.ending, self.holding.ended = False, True
            self._saw(answer)
            self._stop_beating()
            then()

        def failed() -> None:
            with self._lock:
                self.holding.ending = False

        def refused(refusal: Refused) -> None:
            failed()
            self._refused(refusal)
        return Step(send, before, after, refused, failed)

    @property
    def inherited(self) -> bool:
        """Whether this is the copy of it that a fork gave to a child. What it is kept alive by is
        the parent's, and so is what is said when a `with` of it is left."""
        return self._process not in (0, os.getpid())

    def _hold(self, granted: Answer) -> None:
        self._process = os.getpid()
        self._holding = Holding(self._options, granted)

    def _saw(self, answer: Answer) -> None:
        if answer.saga is not None:
            with self._lock:
                self.holding.saga = answer.saga

    def _renewed(self, answer: Answer) -> None:
        with self._lock:
            news = self.holding.renewed(answer)
        if news and self._on_cancel is not None:
            _tell(self._on_cancel)

    def _refused(self, refusal: Refused) -> None:
        """Raises `LeaseLost` in its place where the refusal says so."""
        with self._lock:
            news = self.holding.refused(refusal, self._now())
            loss = self.holding.lost
        if news and loss is not None:
            self._tell_lost(loss)
        if loss is not None and loss.cause is refusal:
            raise LeaseLost(str(loss), refusal) from refusal

    def _missed(self, error: Exception) -> None:
        """A heartbeat of ours came to nothing."""
        if isinstance(error, Refused):
            with contextlib.suppress(LeaseLost):
                self._refused(error)
            return
        if not isinstance(error, SagalogError):
            # Not foreseen. The heartbeats go on all the same.
            _log().error("a heartbeat failed", exc_info=error)
        with self._lock:
            self.holding.missed(self._now(), error)
        self._look()

    def _look(self) -> None:
        """Notices when the lease is over by our own reckoning."""
        with self._lock:
            news = self.holding.over(self._now())
            loss = self.holding.lost
        if news and loss is not None:
            self._tell_lost(loss)

    def _tell_lost(self, loss: LeaseLost) -> None:
        self._show_lost()
        self._stop_beating()
        if self._on_lost is not None:
            on_lost = self._on_lost
            _tell(lambda: on_lost(loss))

    def _beat_is_due(self) -> bool:
        self._look()
        return self.holding.lost is None and self._now() >= self.holding.next_beat


class OwnedSection(Generic[AnswerT]):
    """An open section. `outcome` is what it is left with when its `with` ends well; `leave` ends
    it before that, and may end the saga with it."""

    def __init__(self, lease: OwnedLease[AnswerT]) -> None:
        self.outcome = "done"
        self.left = False
        self._lease = lease

    def leave(self, outcome: str, *, final: Optional[SectionFinal] = None,
              no_compensation_reason: Optional[str] = None) -> AnswerT:
        carry_out = self._lease._do if final is None else self._lease._end
        return carry_out(self._lease.client.leave_section, self._is_left, outcome=outcome,
                         final=final, no_compensation_reason=no_compensation_reason)

    def leave_by(self, error: BaseException) -> AnswerT:
        return self.leave(f"error: {error_text(error)}")

    def _is_left(self) -> None:
        self.left = True


class OwnedEffect(Generic[AnswerT]):
    """An effect that was granted. `result` is recorded when its `with` ends well; `settle` says
    what became of it before that."""

    def __init__(self, lease: OwnedLease[AnswerT], name: str) -> None:
        self.outcome = "done"
        self.result: Optional[str] = None
        self.settled = False
        self.name = name
        self._lease = lease

    def settle(self, outcome: str, result: Optional[str] = None) -> AnswerT:
        """Needs no token: what became of it is true whoever owns the saga now."""
        lease = self._lease
        return lease._run(Step(
            lambda: lease.client.settle_effect(lease.saga_id, self.name, outcome=outcome,
                                               result=result), _nothing, self._is_settled))

    def _is_settled(self, answer: Answer) -> None:
        self.settled = True


def _log() -> logging.Logger:
    return logging.getLogger("sagalog")


def _tell(callback: Callable[[], None]) -> None:
    """What it raises must not end the heartbeats."""
    try:
        callback()
    except Exception:
        _log().exception("a callback of a lease failed")

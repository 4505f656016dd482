"""A lease that is kept alive by a thread beside the work that is done under it."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Literal, Mapping, Optional, Type

from .calls import Call
from .commands import CompensationWhen, EffectScope, SectionFinal
from .errors import LeaseLost, Refused, SagalogError, Unavailable
from .holding import EffectState, Holding, LeaseOptions, SectionState
from .records import Answer, Duration, Saga
from .retrying import NEVER

if TYPE_CHECKING:
    from .client import Client


class Section(SectionState):
    """An open section. `outcome` is what it is left with when its `with` ends well; `leave` ends
    it before that, and may end the saga with it."""

    def __init__(self, lease: "Lease") -> None:
        super().__init__()
        self._lease = lease

    def leave(self, outcome: str, *, final: Optional[SectionFinal] = None,
              no_compensation_reason: Optional[str] = None) -> Answer:
        arguments: Dict[str, Any] = {"outcome": outcome, "final": final,
                                     "no_compensation_reason": no_compensation_reason}
        command = self._lease.client.leave_section
        answer = (self._lease._end(command, **arguments) if final is not None
                  else self._lease._do(command, **arguments))
        self.left = True
        return answer


class Effect(EffectState):
    """An effect that was granted. `result` is recorded when its `with` ends well; `settle` says
    what became of it before that."""

    def __init__(self, lease: "Lease", name: str) -> None:
        super().__init__()
        self._lease = lease
        self.name = name

    def settle(self, outcome: str, result: Optional[str] = None) -> Answer:
        """Needs no token: what became of it is true whoever owns the saga now."""
        answer = self._lease.client.settle_effect(self._lease.saga_id, self.name, outcome=outcome,
                                                  result=result)
        self.settled = True
        return answer


class Lease:
    """Made by `Client.lease`. Inside of its `with` it is held, and heartbeats are sent.

    `lost` is set as soon as the lease is known, or has to be taken, to be no more: refused by the
    store, or not renewed by `held_until`. `check()` asks for that right now, without the store."""

    def __init__(self, client: "Client", options: LeaseOptions,
                 on_lost: Optional[Callable[[LeaseLost], None]],
                 on_cancel: Optional[Callable[[], None]]) -> None:
        self.client = client
        self.lost = threading.Event()
        self._options = options
        self._on_lost = on_lost
        self._on_cancel = on_cancel
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._holding: Optional[Holding] = None

    def __enter__(self) -> "Lease":
        if self._holding is not None:
            raise RuntimeError("a lease is entered once")
        self._holding = Holding(self._options, self._acquire())
        clock = self.client.clock
        clock.begin(self)
        self._thread = threading.Thread(target=self._beat, name=f"sagalog-lease-{self.saga_id}",
                                        daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> Literal[False]:
        try:
            self._leave(error)
        finally:
            self._stop.set()
            if self._thread is not None:
                # It may wait for the answer to a heartbeat; nobody needs that answer any more.
                self._thread.join(0.5)
        return False

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
        """Raises `LeaseLost` unless the lease is still held by our own reckoning. To be called
        before everything that cannot be taken back."""
        self._look()
        loss = self.holding.lost
        if loss is not None:
            raise LeaseLost(str(loss), loss.cause)

    # What its owner does.

    def heartbeat(self, progress: Optional[str] = None) -> Answer:
        """One now, beside those that are sent anyway: to report progress, or to be sure."""
        self.check()
        answer = self._ask(lambda: self.client.send(self.holding.beat(progress)))
        self._take(answer)
        return answer

    def complete(self, result: Optional[str] = None, **general: Any) -> Answer:
        return self._end(self.client.complete, result=result, **general)

    def fail(self, reason: Optional[str] = None, *,
             no_compensation_reason: Optional[str] = None, **general: Any) -> Answer:
        return self._end(self.client.fail, reason=reason,
                         no_compensation_reason=no_compensation_reason, **general)

    def compensate(self, reason: Optional[str] = None, **general: Any) -> Answer:
        return self._end(self.client.compensate, reason=reason, **general)

    def release(self, reason: Optional[str] = None, **general: Any) -> Answer:
        return self._end(self.client.release, reason=reason, **general)

    def advance_stage(self, expected: str, next: str, **general: Any) -> Answer:
        return self._do(self.client.advance_stage, expected=expected, next=next, **general)

    def record_exit(self, exit_code: int, **general: Any) -> Answer:
        return self._do(self.client.record_exit, exit_code=exit_code, **general)

    def register_compensation(self, id: str, *, kind: str, target: str,
                              params: Optional[Mapping[str, str]] = None,
                              when: Optional[CompensationWhen] = None,
                              shared: Optional[bool] = None, **general: Any) -> Answer:
        return self._do(self.client.register_compensation, id=id, kind=kind, target=target,
                        params=params, when=when, shared=shared, **general)

    @contextlib.contextmanager
    def section(self, name: str, *, expected_stage: Optional[str] = None,
                max_age: Optional[Duration] = None) -> Iterator[Section]:
        """The critical section around irreversible work. Left with its `outcome`, or, when an
        error ends it, with "error: …"."""
        self._do(self.client.enter_section, name=name, expected_stage=expected_stage,
                 max_age=max_age)
        section = Section(self)
        try:
            yield section
        except BaseException as error:
            if not section.left:
                with contextlib.suppress(SagalogError):
                    section.leave(section.outcome_at_exit(error))
            raise
        if not section.left:
            section.leave(section.outcome)

    @contextlib.contextmanager
    def effect(self, effect: str, fingerprint: str, *,
               scope: Optional[EffectScope] = None) -> Iterator[Effect]:
        """Grants an irreversible act once. Refused with `EffectSettled` (its `result`) or
        `EffectBegun` (in doubt) when it was granted before. An error inside leaves it in doubt,
        because nobody knows what happened; `settle` says it where somebody does."""
        self._do(self.client.begin_effect, effect=effect, fingerprint=fingerprint, scope=scope)
        begun = Effect(self, effect)
        yield begun
        if not begun.settled:
            begun.settle(begun.outcome, begun.result)

    # How it works.

    def _acquire(self) -> Answer:
        options, client = self._options, self.client
        if options.token is not None:
            assert options.saga_id is not None
            return client.heartbeat(options.saga_id, options.token, ttl=options.ttl)
        assert options.owner is not None
        if options.queue is not None:
            return client.claim_next(options.queue, options.owner, ttl=options.ttl)
        assert options.saga_id is not None
        return client.acquire(options.saga_id, options.owner, ttl=options.ttl,
                              dispatch_token=options.dispatch_token)

    def _do(self, command: Callable[..., Answer], **arguments: Any) -> Answer:
        self.check()
        answer = self._ask(lambda: command(self.saga_id, token=self.token, **arguments))
        if answer.saga is not None:
            with self._lock:
                self.holding.saga = answer.saga
        return answer

    def _end(self, command: Callable[..., Answer], **arguments: Any) -> Answer:
        """A command that ends the lease when it is granted."""
        self.check()
        with self._lock:
            self.holding.ending = True
        ended = False
        try:
            answer = command(self.saga_id, token=self.token, **arguments)
            ended = True
        except Refused as refusal:
            with self._lock:
                self.holding.ending = False
            self._refused(refusal)
            raise
        finally:
            with self._lock:
                self.holding.ending = False
                self.holding.ended = ended
        if answer.saga is not None:
            self.holding.saga = answer.saga
        self._stop.set()
        return answer

    def _ask(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except Refused as refusal:
            self._refused(refusal)
            raise

    def _refused(self, refusal: Refused) -> None:
        """Raises `LeaseLost` in its place where the refusal says so."""
        with self._lock:
            news = self.holding.refused(refusal, self.client.clock.now())
            loss = self.holding.lost
        if news and loss is not None:
            self._tell_lost(loss)
        if loss is not None and loss.cause is refusal:
            raise LeaseLost(str(loss), refusal) from refusal

    def _take(self, answer: Answer) -> None:
        with self._lock:
            news = self.holding.renewed(answer)
        if news and self._on_cancel is not None:
            self._on_cancel()

    def _look(self) -> None:
        """Notices when the lease is over by our own reckoning."""
        with self._lock:
            news = self.holding.over(self.client.clock.now())
            loss = self.holding.lost
        if news and loss is not None:
            self._tell_lost(loss)

    def _tell_lost(self, loss: LeaseLost) -> None:
        self.lost.set()
        self._stop.set()
        if self._on_lost is not None:
            self._on_lost(loss)

    def _leave(self, error: Optional[BaseException]) -> None:
        if self._holding is None:
            return
        if error is None and not self._holding.ended:
            # Nobody shall take for done what was done without the lease.
            self.check()
        self._look()
        farewell: Optional[Call[Answer]] = self._holding.farewell(error)
        if farewell is None:
            return
        with self._lock:
            self._holding.ending = True
        try:
            self._holding.saga = self.client.send(farewell).after
            self._holding.ended = True
        except SagalogError:
            # The lease then runs out and the saga is listed as stale; an error of the body
            # matters more than that.
            if error is None:
                raise

    def _beat(self) -> None:
        """The thread."""
        clock, holding = self.client.clock, self.holding
        try:
            while not clock.wait(self, self._stop, holding.wake_at()):
                self._look()
                if holding.lost is None and clock.now() >= holding.next_beat:
                    self._beat_once()
        finally:
            clock.end(self)

    def _beat_once(self) -> None:
        clock, holding = self.client.clock, self.holding
        try:
            self._take(self.client.send(holding.beat(), retry=NEVER,
                                        timeout=holding.beat_patience(clock.now())))
        except Unavailable:
            with self._lock:
                holding.missed(clock.now())
            self._look()
        except Refused as refusal:
            with contextlib.suppress(LeaseLost):
                self._refused(refusal)

"""A lease that is kept alive by a thread beside the work that is done under it."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Iterator, Literal, Optional, Type

from .calls import Call
from .commands import EffectScope
from .errors import LeaseLost, Refused, SagalogError
from .holding import LeaseOptions
from .owned_lease import OwnedEffect, OwnedLease, OwnedSection, Step
from .records import Answer, Duration
from .retrying import NEVER

if TYPE_CHECKING:
    from .client import Client


class Section(OwnedSection[Answer]):
    """Given by `Lease.section`."""


class Effect(OwnedEffect[Answer]):
    """Given by `Lease.effect`."""


class Lease(OwnedLease[Answer]):
    """Made by `Client.lease`. Inside of its `with` it is held, and heartbeats are sent.

    `lost` is set as soon as the lease is known, or has to be taken, to be no more: refused by the
    store, or not renewed by `held_until`. `check()` asks for that right now, without the store."""

    client: "Client"

    def __init__(self, client: "Client", options: LeaseOptions,
                 on_lost: Optional[Callable[[LeaseLost], None]],
                 on_cancel: Optional[Callable[[], None]]) -> None:
        super().__init__(client.clock.now, options, on_lost, on_cancel)
        self.client = client
        self.lost = threading.Event()
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def __enter__(self) -> "Lease":
        if self._holding is not None:
            raise RuntimeError("a lease is entered once")
        self._hold(self._send(self._options.opening()))
        self.client.clock.begin(self)
        self._thread = threading.Thread(target=self._beat, name=f"sagalog-lease-{self.saga_id}",
                                        daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> Literal[False]:
        if self.inherited:
            return False
        try:
            self._leave(error)
        finally:
            self._stop.set()
            if self._thread is not None:
                # It may wait for the answer to a heartbeat; nobody needs that answer any more.
                self._thread.join(0.5)
        return False

    @contextlib.contextmanager
    def section(self, name: str, *, expected_stage: Optional[str] = None,
                max_age: Optional[Duration] = None) -> Iterator[Section]:
        """The critical section around irreversible work. Left with its `outcome`, or, when an
        error ends it, with "error: …"."""
        self._enter_section(name, expected_stage, max_age)
        section = Section(self)
        try:
            yield section
        except BaseException as error:
            if not section.left and not self.inherited:
                with contextlib.suppress(SagalogError):
                    section.leave_by(error)
            raise
        if not section.left and not self.inherited:
            section.leave(section.outcome)

    @contextlib.contextmanager
    def effect(self, effect: str, fingerprint: str, *,
               scope: Optional[EffectScope] = None) -> Iterator[Effect]:
        """Grants an irreversible act once. Refused with `EffectSettled` (its `result`) or
        `EffectBegun` (in doubt) when it was granted before. An error inside leaves it in doubt,
        because nobody knows what happened; `settle` says it where somebody does."""
        self._begin_effect(effect, fingerprint, scope)
        begun = Effect(self, effect)
        yield begun
        if not begun.settled and not self.inherited:
            begun.settle(begun.outcome, begun.result)

    def _run(self, step: Step[Answer]) -> Answer:
        step.before()
        try:
            answer = step.send()
        except Refused as refusal:
            step.refused(refusal)
            raise
        except BaseException:
            step.failed()
            raise
        step.after(answer)
        return answer

    def _send(self, call: Call[Answer]) -> Answer:
        return self.client.send(call)

    def _show_lost(self) -> None:
        self.lost.set()

    def _stop_beating(self) -> None:
        self._stop.set()

    def _leave(self, error: Optional[BaseException]) -> None:
        try:
            step = self._farewell(error)
            if step is not None:
                self._run(step)
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
                if self._beat_is_due():
                    try:
                        self._renewed(self.client.send(
                            holding.beat(), retry=NEVER,
                            timeout=holding.beat_patience(clock.now())))
                    except Exception as error:
                        self._missed(error)
        finally:
            clock.end(self)

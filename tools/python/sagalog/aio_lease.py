"""A lease that is kept alive by a task beside the work that is done under it."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import (TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Dict, Literal, Mapping,
                    Optional, Type)

from .commands import CompensationWhen, EffectScope, SectionFinal
from .errors import LeaseLost, Refused, SagalogError, Unavailable
from .holding import EffectState, Holding, LeaseOptions, SectionState
from .records import Answer, Duration, Saga
from .retrying import NEVER

if TYPE_CHECKING:
    from .aio import AsyncClient


class AsyncSection(SectionState):
    """As `sagalog.lease.Section`."""

    def __init__(self, lease: "AsyncLease") -> None:
        super().__init__()
        self._lease = lease

    async def leave(self, outcome: str, *, final: Optional[SectionFinal] = None,
                    no_compensation_reason: Optional[str] = None) -> Answer:
        arguments: Dict[str, Any] = {"outcome": outcome, "final": final,
                                     "no_compensation_reason": no_compensation_reason}
        command = self._lease.client.leave_section
        answer = (await self._lease._end(command, **arguments) if final is not None
                  else await self._lease._do(command, **arguments))
        self.left = True
        return answer


class AsyncEffect(EffectState):
    """As `sagalog.lease.Effect`."""

    def __init__(self, lease: "AsyncLease", name: str) -> None:
        super().__init__()
        self._lease = lease
        self.name = name

    async def settle(self, outcome: str, result: Optional[str] = None) -> Answer:
        answer = await self._lease.client.settle_effect(
            self._lease.saga_id, self.name, outcome=outcome, result=result)
        self.settled = True
        return answer


class AsyncLease:
    """Made by `AsyncClient.lease`: as `sagalog.lease.Lease`, with a task in place of its thread and
    `lost` an event of asyncio."""

    def __init__(self, client: "AsyncClient", options: LeaseOptions,
                 on_lost: Optional[Callable[[LeaseLost], None]],
                 on_cancel: Optional[Callable[[], None]], cancel_on_lost: bool) -> None:
        self.client = client
        self._options = options
        self._on_lost = on_lost
        self._on_cancel = on_cancel
        self._cancel_on_lost = cancel_on_lost
        self._holding: Optional[Holding] = None
        self._body: Optional["asyncio.Task[Any]"] = None
        self._beats: Optional["asyncio.Task[None]"] = None
        self._cancelled_body = False

    async def __aenter__(self) -> "AsyncLease":
        if self._holding is not None:
            raise RuntimeError("a lease is entered once")
        # Here and not before: in Python 3.9 an event belongs to the loop that runs.
        self.lost = asyncio.Event()
        self._stop = asyncio.Event()
        self._body = asyncio.current_task()
        self._holding = Holding(self._options, await self._acquire())
        self.client.clock.begin(self)
        self._beats = asyncio.ensure_future(self._beat())
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> Literal[False]:
        try:
            await self._leave(error)
        finally:
            if self._beats is not None:
                self._beats.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._beats
        if self._cancelled_body and isinstance(error, asyncio.CancelledError):
            uncancel = getattr(self._body, "uncancel", None)
            if uncancel is None or uncancel() == 0:  # Nobody else wants the task cancelled.
                assert self.loss is not None
                raise LeaseLost(str(self.loss), self.loss.cause) from None
        return False

    @property
    def holding(self) -> Holding:
        if self._holding is None:
            raise RuntimeError("the lease is not held: use `async with client.lease(…)`")
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
        return self.holding.saga

    @property
    def held_until(self) -> float:
        return self.holding.held_until

    @property
    def cancel_pending(self) -> bool:
        return self.holding.cancel_pending

    @property
    def loss(self) -> Optional[LeaseLost]:
        return self.holding.lost

    def check(self) -> None:
        """Raises `LeaseLost` unless the lease is still held by our own reckoning. Does not wait."""
        self._look()
        loss = self.holding.lost
        if loss is not None:
            raise LeaseLost(str(loss), loss.cause)

    async def heartbeat(self, progress: Optional[str] = None) -> Answer:
        self.check()
        try:
            answer = await self.client.send(self.holding.beat(progress))
        except Refused as refusal:
            self._refused(refusal)
            raise
        self._take(answer)
        return answer

    async def complete(self, result: Optional[str] = None, **general: Any) -> Answer:
        return await self._end(self.client.complete, result=result, **general)

    async def fail(self, reason: Optional[str] = None, *,
                   no_compensation_reason: Optional[str] = None, **general: Any) -> Answer:
        return await self._end(self.client.fail, reason=reason,
                               no_compensation_reason=no_compensation_reason, **general)

    async def compensate(self, reason: Optional[str] = None, **general: Any) -> Answer:
        return await self._end(self.client.compensate, reason=reason, **general)

    async def release(self, reason: Optional[str] = None, **general: Any) -> Answer:
        return await self._end(self.client.release, reason=reason, **general)

    async def advance_stage(self, expected: str, next: str, **general: Any) -> Answer:
        return await self._do(self.client.advance_stage, expected=expected, next=next, **general)

    async def record_exit(self, exit_code: int, **general: Any) -> Answer:
        return await self._do(self.client.record_exit, exit_code=exit_code, **general)

    async def register_compensation(self, id: str, *, kind: str, target: str,
                                    params: Optional[Mapping[str, str]] = None,
                                    when: Optional[CompensationWhen] = None,
                                    shared: Optional[bool] = None, **general: Any) -> Answer:
        return await self._do(self.client.register_compensation, id=id, kind=kind, target=target,
                              params=params, when=when, shared=shared, **general)

    @contextlib.asynccontextmanager
    async def section(self, name: str, *, expected_stage: Optional[str] = None,
                      max_age: Optional[Duration] = None) -> AsyncIterator[AsyncSection]:
        await self._do(self.client.enter_section, name=name, expected_stage=expected_stage,
                       max_age=max_age)
        section = AsyncSection(self)
        try:
            yield section
        except BaseException as error:
            if not section.left:
                with contextlib.suppress(SagalogError):
                    await section.leave(section.outcome_at_exit(error))
            raise
        if not section.left:
            await section.leave(section.outcome)

    @contextlib.asynccontextmanager
    async def effect(self, effect: str, fingerprint: str, *,
                     scope: Optional[EffectScope] = None) -> AsyncIterator[AsyncEffect]:
        await self._do(self.client.begin_effect, effect=effect, fingerprint=fingerprint,
                       scope=scope)
        begun = AsyncEffect(self, effect)
        yield begun
        if not begun.settled:
            await begun.settle(begun.outcome, begun.result)

    async def _acquire(self) -> Answer:
        options, client = self._options, self.client
        if options.token is not None:
            assert options.saga_id is not None
            return await client.heartbeat(options.saga_id, options.token, ttl=options.ttl)
        assert options.owner is not None
        if options.queue is not None:
            return await client.claim_next(options.queue, options.owner, ttl=options.ttl)
        assert options.saga_id is not None
        return await client.acquire(options.saga_id, options.owner, ttl=options.ttl,
                                    dispatch_token=options.dispatch_token)

    async def _do(self, command: Callable[..., Awaitable[Answer]], **arguments: Any) -> Answer:
        self.check()
        try:
            answer = await command(self.saga_id, token=self.token, **arguments)
        except Refused as refusal:
            self._refused(refusal)
            raise
        self.holding.saga = answer.saga or self.holding.saga
        return answer

    async def _end(self, command: Callable[..., Awaitable[Answer]], **arguments: Any) -> Answer:
        self.check()
        self.holding.ending = True
        try:
            answer = await command(self.saga_id, token=self.token, **arguments)
            self.holding.ended = True
        except Refused as refusal:
            self.holding.ending = False
            self._refused(refusal)
            raise
        finally:
            self.holding.ending = False
        self.holding.saga = answer.saga or self.holding.saga
        self._stop.set()
        return answer

    def _refused(self, refusal: Refused) -> None:
        """Raises `LeaseLost` in its place where the refusal says so."""
        if self.holding.refused(refusal, self.client.clock.now()):
            loss = self.holding.lost
            assert loss is not None
            self._tell_lost(loss)
            raise LeaseLost(str(loss), refusal) from refusal

    def _take(self, answer: Answer) -> None:
        if self.holding.renewed(answer) and self._on_cancel is not None:
            self._on_cancel()

    def _look(self) -> None:
        loss_is_news = self.holding.over(self.client.clock.now())
        if loss_is_news and self.holding.lost is not None:
            self._tell_lost(self.holding.lost)

    def _tell_lost(self, loss: LeaseLost) -> None:
        self.lost.set()
        self._stop.set()
        if self._on_lost is not None:
            self._on_lost(loss)
        in_body = asyncio.current_task() is self._body
        if self._cancel_on_lost and self._body is not None and not in_body:
            self._cancelled_body = True
            self._body.cancel()

    async def _leave(self, error: Optional[BaseException]) -> None:
        if error is None and not self.holding.ended:
            # Nobody shall take for done what was done without the lease.
            self.check()
        self._look()
        farewell = self.holding.farewell(error)
        if farewell is None:
            return
        self.holding.ending = True
        try:
            self.holding.saga = (await self.client.send(farewell)).after
            self.holding.ended = True
        except SagalogError:
            # The lease then runs out and the saga is listed as stale; an error of the body
            # matters more than that.
            if error is None:
                raise

    async def _beat(self) -> None:
        clock, holding = self.client.clock, self.holding
        try:
            while not await clock.wait(self, self._stop, holding.wake_at()):
                self._look()
                if holding.lost is None and clock.now() >= holding.next_beat:
                    await self._beat_once()
        finally:
            clock.end(self)

    async def _beat_once(self) -> None:
        clock, holding = self.client.clock, self.holding
        try:
            self._take(await self.client.send(holding.beat(), retry=NEVER,
                                              timeout=holding.beat_patience(clock.now())))
        except Unavailable:
            holding.missed(clock.now())
            self._look()
        except Refused as refusal:
            with contextlib.suppress(LeaseLost):
                self._refused(refusal)

"""A lease that is kept alive by a task beside the work that is done under it."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Literal, Optional, Type

from .calls import Call
from .commands import EffectScope
from .errors import LeaseLost, Refused, SagalogError
from .holding import LeaseOptions
from .owned_lease import OwnedEffect, OwnedLease, OwnedSection, Step
from .records import Answer, Duration
from .retrying import NEVER

if TYPE_CHECKING:
    from .aio import AsyncClient


class AsyncSection(OwnedSection[Awaitable[Answer]]):
    """Given by `AsyncLease.section`."""


class AsyncEffect(OwnedEffect[Awaitable[Answer]]):
    """Given by `AsyncLease.effect`."""


class AsyncLease(OwnedLease[Awaitable[Answer]]):
    """Made by `AsyncClient.lease`: as `sagalog.lease.Lease`, with a task in place of its thread and
    `lost` an event of asyncio."""

    client: "AsyncClient"

    def __init__(self, client: "AsyncClient", options: LeaseOptions,
                 on_lost: Optional[Callable[[LeaseLost], None]],
                 on_cancel: Optional[Callable[[], None]], cancel_on_lost: bool) -> None:
        super().__init__(client.clock.now, options, on_lost, on_cancel)
        self.client = client
        self._cancel_on_lost = cancel_on_lost
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
        self._hold(await self._send(self._options.opening()))
        self.client.clock.begin(self)
        self._beats = asyncio.ensure_future(self._beat())
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]],
                        error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> Literal[False]:
        if self.inherited:
            return False
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

    @contextlib.asynccontextmanager
    async def section(self, name: str, *, expected_stage: Optional[str] = None,
                      max_age: Optional[Duration] = None) -> AsyncIterator[AsyncSection]:
        await self._enter_section(name, expected_stage, max_age)
        section = AsyncSection(self)
        try:
            yield section
        except BaseException as error:
            if not section.left and not self.inherited:
                with contextlib.suppress(SagalogError):
                    await section.leave_by(error)
            raise
        if not section.left and not self.inherited:
            await section.leave(section.outcome)

    @contextlib.asynccontextmanager
    async def effect(self, effect: str, fingerprint: str, *,
                     scope: Optional[EffectScope] = None) -> AsyncIterator[AsyncEffect]:
        await self._begin_effect(effect, fingerprint, scope)
        begun = AsyncEffect(self, effect)
        yield begun
        if not begun.settled and not self.inherited:
            await begun.settle(begun.outcome, begun.result)

    async def _run(self, step: Step[Awaitable[Answer]]) -> Answer:
        step.before()
        try:
            answer = await step.send()
        except Refused as refusal:
            step.refused(refusal)
            raise
        except BaseException:
            step.failed()
            raise
        step.after(answer)
        return answer

    def _send(self, call: Call[Answer]) -> Awaitable[Answer]:
        return self.client.send(call)

    def _show_lost(self) -> None:
        self.lost.set()
        in_body = asyncio.current_task() is self._body
        if self._cancel_on_lost and self._body is not None and not in_body:
            self._cancelled_body = True
            self._body.cancel()

    def _stop_beating(self) -> None:
        self._stop.set()

    async def _leave(self, error: Optional[BaseException]) -> None:
        try:
            step = self._farewell(error)
            if step is not None:
                await self._run(step)
        except SagalogError:
            # The lease then runs out and the saga is listed as stale; an error of the body
            # matters more than that.
            if error is None:
                raise

    async def _beat(self) -> None:
        """The task."""
        clock, holding = self.client.clock, self.holding
        try:
            while not await clock.wait(self, self._stop, holding.wake_at()):
                if self._beat_is_due():
                    try:
                        self._renewed(await self.client.send(
                            holding.beat(), retry=NEVER,
                            timeout=holding.beat_patience(clock.now())))
                    except Exception as error:
                        self._missed(error)
        finally:
            clock.end(self)

"""The clock by which a lease is reckoned: it goes on while the machine sleeps, and nobody sets
it. Tests put another in its place (sagalog.testing)."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Optional


def _boot_seconds() -> float:
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_clock is None else time.clock_gettime(boot_clock)


class Clock:
    """For threads. Whoever waits says before its first wait that it begins, and after its last
    that it has ended; this clock has no use for that, one that is moved by hand has."""

    def now(self) -> float:
        return _boot_seconds()

    def begin(self, waiter: object) -> None:
        pass

    def wait(self, waiter: object, event: threading.Event, until: float) -> bool:
        """Waits until the event is set, or until that time; tells which."""
        return event.wait(max(0.0, until - self.now()))

    def end(self, waiter: object) -> None:
        pass


class AsyncClock:
    """The same for tasks of an event loop."""

    def now(self) -> float:
        return _boot_seconds()

    def begin(self, waiter: object) -> None:
        pass

    async def wait(self, waiter: object, event: asyncio.Event, until: float) -> bool:
        seconds: Optional[float] = max(0.0, until - self.now())
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except asyncio.TimeoutError:
            pass
        return event.is_set()

    def end(self, waiter: object) -> None:
        pass

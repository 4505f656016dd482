"""For tests of your own: a real daemon whose time moves only when you say so.

    with sagalog.testing.daemon() as store:
        store.client.plan("T1")
        store.client.acquire("T1", "w1", ttl="30s")
        store.advance("31s")
        assert store.client.stale().items
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import subprocess
import tempfile
import threading
from datetime import datetime, timedelta
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .client import Client
from .clock import AsyncClock, Clock
from .errors import SagalogError
from .records import Duration, duration_seconds, parse_time

START = "2030-01-01T00:00:00Z"
# Only for what has gone wrong; on a slow machine nothing here takes a minute.
PATIENCE = 60.0
# Its input ends with the process that holds the other end, however that came to its end; it then
# ends the daemon, which nobody else would.
WATCH = 'read -r _; kill -9 "$1"'


class SteppedClock(Clock):
    """A clock for leases that is moved by hand. `advance` returns when every heartbeat that became
    due has been sent and answered, so a test sees what follows from it."""

    def __init__(self, start: float = 1000.0) -> None:
        # In whole microseconds: what is reached in steps is where one step would have led.
        self._micros = _micros(start)
        self._changed = threading.Condition()
        # Until when each waiter waits; None while it is at work.
        self._waiters: Dict[int, Optional[float]] = {}

    def now(self) -> float:
        with self._changed:
            return self._now

    @property
    def _now(self) -> float:
        return self._micros / 1e6

    def begin(self, waiter: object) -> None:
        with self._changed:
            self._waiters[id(waiter)] = None

    def end(self, waiter: object) -> None:
        with self._changed:
            self._waiters.pop(id(waiter), None)
            self._changed.notify_all()

    def wait(self, waiter: object, event: threading.Event, until: float) -> bool:
        with self._changed:
            self._waiters[id(waiter)] = until
            self._changed.notify_all()
            while self._now < until and not event.is_set():
                # An event cannot wake a condition: it is looked at again and again.
                self._changed.wait(0.02)
            self._waiters[id(waiter)] = None
            return event.is_set()

    def advance(self, by: Duration) -> None:
        with self._changed:
            self._micros += _micros(duration_seconds(by))
            self._changed.notify_all()
        self.settle()

    def step(self, longest: float) -> float:
        """How far time can move without passing by a moment that somebody waits for."""
        self.settle()
        with self._changed:
            return _step(self._now, longest, self._waiters)

    def settle(self) -> None:
        """Waits until all that is due at this time has been done."""
        with self._changed:
            if not self._changed.wait_for(self._nothing_is_due, PATIENCE):
                raise TimeoutError("a heartbeat that is due does not come to its end")

    def _nothing_is_due(self) -> bool:
        return all(until is not None and until > self._now for until in self._waiters.values())


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)


def _step(now: float, longest: float, waiters: Mapping[int, Optional[float]]) -> float:
    """In whole microseconds, as the store counts; rounded up, so that the moment is reached."""
    moments = [until - now for until in waiters.values() if until is not None]
    return max(1, math.ceil(min([longest, *moments]) * 1e6)) / 1e6


class AsyncSteppedClock(AsyncClock):
    """The same for the leases of `sagalog.aio`."""

    def __init__(self, start: float = 1000.0) -> None:
        self._micros = _micros(start)
        self._waiters: Dict[int, Optional[float]] = {}

    def now(self) -> float:
        return self._now

    @property
    def _now(self) -> float:
        return self._micros / 1e6

    def begin(self, waiter: object) -> None:
        self._waiters[id(waiter)] = None

    def end(self, waiter: object) -> None:
        self._waiters.pop(id(waiter), None)

    async def wait(self, waiter: object, event: asyncio.Event, until: float) -> bool:
        self._waiters[id(waiter)] = until
        try:
            while self._now < until and not event.is_set():
                await asyncio.sleep(0.01)
        finally:
            if id(waiter) in self._waiters:
                self._waiters[id(waiter)] = None
        return event.is_set()

    async def advance(self, by: Duration) -> None:
        self._micros += _micros(duration_seconds(by))
        await asyncio.wait_for(self._settle(), PATIENCE)

    async def step(self, longest: float) -> float:
        """How far time can move without passing by a moment that somebody waits for."""
        await asyncio.wait_for(self._settle(), PATIENCE)
        return _step(self._now, longest, self._waiters)

    async def _settle(self) -> None:
        while any(until is None or until <= self._now for until in self._waiters.values()):
            await asyncio.sleep(0.005)


def program() -> str:
    """$SAGALOG_PROGRAM, else `sagalog` of the path."""
    found = os.environ.get("SAGALOG_PROGRAM") or shutil.which("sagalog")
    if not found:
        raise SagalogError("no daemon: put `sagalog` into the path, or name it in "
                           "$SAGALOG_PROGRAM")
    return found


class Daemon:
    """`sagalog serve` on a directory. `clock` is the leases' clock of its clients; `advance` moves
    both. With `manual=False` time is the machine's, and `advance` is not to be used. It ends with
    this process, however that ends."""

    def __init__(self, directory: str, manual: bool = True,
                 arguments: Sequence[str] = ()) -> None:
        self.directory = directory
        self.arguments = list(arguments)
        self.clock: Clock = SteppedClock() if manual else Clock()
        self.time: Optional[datetime] = parse_time(START) if manual else None
        # Where it listens on TCP, with `--listen` among the arguments: http://… or https://….
        self.addresses: List[str] = []
        self._process: Optional[subprocess.Popen[str]] = None
        self._watcher: Optional[subprocess.Popen[bytes]] = None
        self._clients: List[Client] = []
        self._client: Optional[Client] = None

    @property
    def client(self) -> Client:
        """A client of it, the same each time."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    def connect(self, where: Optional[str] = None, **options: Any) -> Client:
        """A client of its own, with the options of `Client`: over the Unix socket, or to one of
        `addresses`."""
        options.setdefault("clock", self.clock)
        client = Client(where or self.directory, **options)
        self._clients.append(client)
        return client

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SagalogError("the daemon does not run")
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers."""
        if self._process is not None:
            raise SagalogError("the daemon runs already")
        command = [program(), "serve", "--data", self.directory, *self.arguments]
        if self.time is not None:
            command += ["--manual-clock", self.time.isoformat()]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                         stdin=subprocess.DEVNULL)
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "sh", str(self._process.pid)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        # It says one line, when it is ready.
        ready = self._process.stdout.readline()
        if not ready:
            self._end_watcher()
            code = self._process.wait(PATIENCE)
            self._forget()
            raise SagalogError(f"the daemon did not start: {' '.join(command)} exited with {code}")
        self.addresses = [word for word in ready.rstrip().split(", ")
                          if word.startswith(("http://", "https://"))]

    def stop(self) -> None:
        """As an operator does: it answers what has come, and ends. Nothing if it does not run."""
        self._end(kill=False)

    def kill(self) -> None:
        """As a crash does: SIGKILL. Nothing if it does not run."""
        self._end(kill=True)

    def restart(self, *, kill: bool = False, down_for: Duration = 0) -> None:
        """Ends it, if it runs, and starts it again on the same directory, that much later."""
        self._end(kill)
        if self.time is not None and duration_seconds(down_for) > 0:
            self.time += timedelta(seconds=duration_seconds(down_for))
            self.start()
            assert isinstance(self.clock, SteppedClock)
            self.clock.advance(down_for)
        else:
            self.start()

    def advance(self, by: Duration) -> None:
        """Lets time pass, in steps: heartbeats of its clients' leases happen on the way, and the
        reaper acts. Returns when both have."""
        left = _micros(duration_seconds(by))
        assert isinstance(self.clock, SteppedClock), "time is the machine's"
        while left > 0:
            step = self.clock.step(left / 1e6)
            answer = self.client.advance_clock(step)
            self.time = parse_time(answer["time"])
            self.clock.advance(step)
            left -= _micros(step)

    def jump(self, by: Duration) -> None:
        """Lets time pass at once, as for clients that were stopped meanwhile: their heartbeats
        come too late."""
        self.time = parse_time(self.client.advance_clock(by)["time"])
        assert isinstance(self.clock, SteppedClock), "time is the machine's"
        self.clock.advance(by)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.stop()

    def _end(self, kill: bool) -> None:
        if self._process is None:
            return
        self._end_watcher()
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._forget()

    def _end_watcher(self) -> None:
        """Before the daemon's number is anybody's."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None and watcher.stdin is not None:
            watcher.kill()
            watcher.wait(PATIENCE)
            watcher.stdin.close()

    def _forget(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


@contextlib.contextmanager
def daemon(*, manual: bool = True, directory: Optional[str] = None,
           arguments: Sequence[str] = ()) -> Iterator[Daemon]:
    """A running daemon, in a temporary directory unless one is named; gone at the end."""
    made = tempfile.mkdtemp(prefix="sagalog-") if directory is None else None
    running = Daemon(directory or os.path.join(str(made), "store"), manual, arguments)
    try:
        running.start()
        yield running
    finally:
        running.close()
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


__all__: Tuple[str, ...] = ("AsyncSteppedClock", "Daemon", "SteppedClock", "daemon", "program")

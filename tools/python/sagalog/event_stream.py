"""The events of the whole store, one line of JSON each, read from a stream that may break and is
then taken up behind the last event that came."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Iterable, Iterator, List, Optional

from .calls import Call, get, given, read_json
from .errors import Overloaded, refused
from .http1 import LineReader, ProtocolError, ResponseParser
from .records import Event, Json
from .retrying import Attempts, Broken, Retry
from .transport import Connection, Transport

ACCEPT = "application/x-ndjson"


class EventReader:
    """Without input or output: what bytes of the answer become, and where the next one begins."""

    def __init__(self, from_: int, follow: bool, types: Optional[Iterable[str]],
                 saga: Optional[str]) -> None:
        if from_ < 1:
            raise ValueError("from_: sequences begin at 1")
        self.next_sequence = from_
        self.follow = follow
        self._chosen = given(type=None if types is None else ",".join(types), saga=saga)
        self.begin()

    def begin(self) -> None:
        """Before each new connection."""
        self._parser = ResponseParser()
        self._lines = LineReader()
        self._problem = b""

    def call(self) -> Call[Json]:
        return get("/v1/events", read_json, **{"from": self.next_sequence},
                   follow=True if self.follow else None, **self._chosen)

    @property
    def ended(self) -> bool:
        return self._parser.done

    @property
    def begun(self) -> bool:
        return self._parser.head_is_read

    def feed(self, data: bytes) -> List[Event]:
        """The events that have become whole. A refusal is raised."""
        self._parser.feed(data)
        body = self._parser.take_body()
        if self._parser.head_is_read and self._parser.status >= 300:
            self._problem += body
            if self._parser.done:
                raise refused(self._parser.json(self._problem))
            return []
        events = []
        for line in self._lines.feed(body):
            if not line.strip():
                continue  # A sign of life.
            event = Event.from_json(self._parser.json(line))
            # What came before the break is not given out twice.
            if event.sequence >= self.next_sequence:
                self.next_sequence = event.sequence + 1
                events.append(event)
        return events


class EventStream(Iterator[Event]):
    """Iterates over events. Takes a broken connection up again; `Unavailable` only when that does
    not succeed, and then `next_sequence` is where another stream goes on. `close` may be called by
    another thread and ends the iteration."""

    def __init__(self, transport: Transport, reader: EventReader, timeout: float,
                 quiet_max: Optional[float], retry: Retry) -> None:
        self._transport = transport
        self._reader = reader
        self._timeout = timeout
        self._quiet_max = quiet_max
        self._retry = retry
        self._ready: List[Event] = []
        self._connection: Optional[Connection] = None
        self._closed = threading.Event()
        self._attempts = self._fresh_attempts()

    @property
    def next_sequence(self) -> int:
        """The sequence behind the last event that was given out."""
        return self._ready[0].sequence if self._ready else self._reader.next_sequence

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
        self._drop()

    def close(self) -> None:
        self._closed.set()
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def __next__(self) -> Event:
        while not self._ready:
            if self._closed.is_set():
                self._drop()
                raise StopIteration
            if self._connection is not None and self._reader.ended:
                self._drop()
                if not self._reader.follow:
                    self._closed.set()
                    raise StopIteration
                # A daemon that stops ends its streams in form.
                self._closed.wait(self._retry.pause(1))
                continue
            try:
                self._ready = self._receive()
            except (Broken, OSError, ProtocolError) as error:
                self._drop()
                if not self._closed.is_set():
                    broken = error if isinstance(error, Broken) else Broken(str(error), True)
                    self._closed.wait(self._attempts.pause_after(broken))
                continue
            except Overloaded as refusal:
                self._drop()
                self._closed.wait(self._attempts.pause_after_refusal(refusal))
                continue
            except BaseException:
                self._drop()
                raise
            if self._ready:
                self._attempts = self._fresh_attempts()
        return self._ready.pop(0)

    def _receive(self) -> List[Event]:
        if self._connection is None:
            deadline = time.monotonic() + self._timeout
            self._reader.begin()
            self._connection = self._transport.open(self._attempts, deadline)
            data = self._transport.request_bytes(self._reader.call(), ACCEPT)
            self._connection.send(data, deadline)
            if self._closed.is_set():  # While it was opened.
                self._connection.interrupt()
        if self._reader.begun:
            wait = self._quiet_max
        else:
            wait = self._timeout
        deadline_or_none = None if wait is None else time.monotonic() + wait
        return self._reader.feed(self._connection.receive(deadline_or_none))

    def _fresh_attempts(self) -> Attempts:
        call = self._reader.call()
        return Attempts(call, self._retry, str(self._transport.address))  # type: ignore[arg-type]

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

"""The events of the whole store, one line of JSON each, read from a stream that may break and is
then taken up behind the last event that came."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any, Generic, Iterable, Iterator, List, Optional, Tuple, TypeVar

from .calls import Call, get, given, read_json
from .errors import Overloaded, refused
from .http1 import LineReader, ProtocolError, ResponseParser, answers_of_a_store
from .records import Event, Json
from .retrying import Attempts, Broken, Retry
from .transport import Connection, Transport

ACCEPT = "application/x-ndjson"
ItemT = TypeVar("ItemT")
StreamT = TypeVar("StreamT", bound="Stream[Any]")


class ItemReader(Generic[ItemT]):
    """Without input or output: what bytes of the answer become, and where the next one begins."""

    # Whether it goes on with what is still to come.
    follow = False

    def __init__(self, from_: int) -> None:
        if from_ < 1:
            raise ValueError("from_: sequences begin at 1")
        self.next_sequence = from_
        self.begin()

    def call(self) -> Call[Json]:
        """What is asked for next."""
        raise NotImplementedError

    def item(self, line: bytes, json: Json) -> ItemT:
        raise NotImplementedError

    def begin(self) -> None:
        """Before each new connection."""
        self._parser = ResponseParser()
        self._lines = LineReader()
        self._problem = b""

    @property
    def ended(self) -> bool:
        return self._parser.done

    @property
    def begun(self) -> bool:
        return self._parser.head_is_read

    def feed(self, data: bytes) -> List[Tuple[int, ItemT]]:
        """The items that have become whole, with their sequences. A refusal is raised."""
        self._parser.feed(data)
        body = self._parser.take_body()
        if self._parser.head_is_read and self._parser.status >= 300:
            self._problem += body
            if self._parser.done:
                raise refused(self._parser.json(self._problem))
            return []
        items = []
        with answers_of_a_store():
            for line in self._lines.feed(body):
                if not line.strip():
                    continue  # A sign of life.
                json = self._parser.json(line)
                sequence = int(json["sequence"])
                # What came before the break is not given out twice.
                if sequence >= self.next_sequence:
                    self.next_sequence = sequence + 1
                    items.append((sequence, self.item(line, json)))
        return items


class EventReader(ItemReader[Event]):
    def __init__(self, from_: int, follow: bool, types: Optional[Iterable[str]],
                 saga: Optional[str]) -> None:
        self.follow = follow
        self._chosen = given(type=None if types is None else ",".join(types), saga=saga)
        super().__init__(from_)

    def call(self) -> Call[Json]:
        return get("/v1/events", read_json, **{"from": self.next_sequence},
                   follow=True if self.follow else None, **self._chosen)

    def item(self, line: bytes, json: Json) -> Event:
        return Event.from_json(json)


class ExportReader(ItemReader[str]):
    """Up to `to`; whoever wants everything says where the log ends now, so that an export that is
    taken up again ends there as well."""

    def __init__(self, from_: int, to: int) -> None:
        self._to = to
        super().__init__(from_)

    def call(self) -> Call[Json]:
        return get("/v1/audit/export", read_json, **{"from": self.next_sequence}, to=self._to,
                   format="ndjson")

    @property
    def ended(self) -> bool:
        return super().ended or self.next_sequence > self._to

    def item(self, line: bytes, json: Json) -> str:
        return line.decode("utf-8")


class Stream(Iterator[ItemT]):
    """Iterates over a stream. Takes a broken connection up again; `Unavailable` only when that does
    not succeed, and then `next_sequence` is where another stream goes on. `close` may be called by
    another thread and ends the iteration."""

    def __init__(self, transport: Transport, reader: ItemReader[ItemT], timeout: float,
                 quiet_max: Optional[float], retry: Retry) -> None:
        self._transport = transport
        self._reader = reader
        self._timeout = timeout
        self._quiet_max = quiet_max
        self._retry = retry
        self._ready: List[Tuple[int, ItemT]] = []
        self._connection: Optional[Connection] = None
        self._closed = threading.Event()
        self._attempts = self._fresh_attempts()

    @property
    def next_sequence(self) -> int:
        """The sequence behind the last item that was given out."""
        return self._ready[0][0] if self._ready else self._reader.next_sequence

    def __enter__(self: StreamT) -> StreamT:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
        self._drop()

    def close(self) -> None:
        self._closed.set()
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def __next__(self) -> ItemT:
        while not self._ready:
            if self._closed.is_set():
                self._drop()
                raise StopIteration
            if self._reader.ended:
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
        return self._ready.pop(0)[1]

    def _receive(self) -> List[Tuple[int, ItemT]]:
        if self._connection is None:
            deadline = time.monotonic() + self._timeout
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
        """Of the connection nothing stays, of what it brought everything."""
        self._reader.begin()
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()


class EventStream(Stream[Event]):
    """What `Client.events` gives."""


class ExportStream(Stream[str]):
    """What `Client.audit_export` gives: lines."""

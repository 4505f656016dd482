"""The client for asyncio: the same commands and queries, to be awaited, over asyncio's streams."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from types import TracebackType
from typing import (Any, AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, List,
                    Mapping, Optional, Tuple, Type, TypeVar, Union)

from . import calls
from .address import Address, PathLike, find_address
from .aio_lease import AsyncLease
from .calls import BatchResult, Call, Moment, moment_text, read_page, read_record, segment
from .client import Number, lease_options
from .clock import AsyncClock
from .commands import Commands, Text
from .errors import LeaseLost, Overloaded, Refused
from .event_stream import ACCEPT, EventReader, ExportReader, ItemReader, ItemT
from .holding import NOTHING_TO_UNDO, OnError, OnLeave
from .http1 import ProtocolError, ResponseParser, add_to_body, encode_request
from .records import (Answer, CompensationRow, Duration, EffectRow, Event, Json, OwnerLike,
                      OwnerRow, Page, Queue, Reader, RecordT, Saga, SectionRow, StaleRow, Status,
                      StorePolicy)
from .retrying import Attempts, Broken, Retry
from .transport import RECEIVE_SIZE, read_result, request_headers, short_path

T = TypeVar("T")
Streams = Tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_streams(address: Address) -> Streams:
    if address.path:
        with short_path(address.socket_path()) as path:
            return await asyncio.open_unix_connection(path)
    name = address.host if address.tls is not None else None
    return await asyncio.open_connection(address.host, address.port, ssl=address.tls,
                                         server_hostname=name)


def is_quiet(streams: Streams) -> bool:
    """Whether nothing has come while nobody asked."""
    reader, writer = streams
    pending = getattr(reader, "_buffer", b"")
    return not (reader.at_eof() or writer.is_closing() or pending)


class AsyncClient(Commands[Awaitable[Answer]]):
    """As `sagalog.Client`; for one event loop. A call that is cancelled may have happened."""

    def __init__(self, where: Optional[PathLike] = None, *, bearer_token: Optional[str] = None,
                 ca_file: Optional[PathLike] = None, tls: Optional[ssl.SSLContext] = None,
                 timeout: float = 30.0, retry: Retry = Retry(),
                 clock: Optional[AsyncClock] = None, idle_connections: int = 8) -> None:
        self.clock = clock or AsyncClock()
        self.address = find_address(where, ca_file, tls)
        self._headers = request_headers(bearer_token)
        self._timeout = timeout
        self._retry = retry
        self._idle_max = idle_connections
        self._idle: List[Streams] = []
        self._closed = False

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the idle connections. A closed client still works, without keeping any."""
        self._closed = True
        idle, self._idle = self._idle, []
        for _, writer in idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    # Requests.

    async def send(self, call: Call[T], *, timeout: Optional[float] = None,
                   retry: Optional[Retry] = None) -> T:
        """Carries out a call of `sagalog.calls`."""
        if timeout is None and not call.patient:
            timeout = self._timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        attempts = Attempts(call, retry or self._retry, str(self.address))  # type: ignore[arg-type]
        while True:
            try:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                return attempts.judged(await asyncio.wait_for(
                    self._attempt(call, attempts), left))
            except asyncio.TimeoutError:
                raise attempts.timed_out(attempts.sent_at is not None) from None
            except Broken as broken:
                pause = attempts.pause_after(broken)
            except Refused as refusal:
                pause = attempts.pause_after_refusal(refusal)
            if deadline is not None and time.monotonic() + pause >= deadline:
                raise attempts.out_of_time()
            await asyncio.sleep(pause)

    def _send(self, call: Call[Answer]) -> Awaitable[Answer]:
        return self.send(call)

    async def _attempt(self, call: Call[T], attempts: Attempts) -> T:
        data = self._request_bytes(call)
        streams = self._take() or await self._open(attempts)
        reader, writer = streams
        parser = ResponseParser()
        body = bytearray()
        try:
            if attempts.sent_at is None:
                attempts.sent_at = self.clock.now()
            writer.write(data)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # Whoever refuses a request unread answers all the same.
                await writer.drain()
            while not parser.done:
                parser.feed(await reader.read(RECEIVE_SIZE))
                add_to_body(body, parser.take_body())
            # Before the connection is given back: what is no JSON has no place in it.
            result = read_result(call, parser, bytes(body), attempts.sent_at)
        except Refused:
            self._give_back(streams, parser.keep_alive)
            raise
        except BaseException as error:
            writer.close()
            if isinstance(error, (OSError, ProtocolError)):
                raise Broken(str(error), sent=True) from None
            raise
        self._give_back(streams, parser.keep_alive)
        return result

    async def _open(self, attempts: Attempts) -> Streams:
        try:
            return await open_streams(self.address)
        except ssl.SSLCertVerificationError as error:
            # Another try would meet the same certificate.
            raise attempts.untrusted(error) from None
        except OSError as error:
            raise Broken(f"cannot connect: {error}", sent=False) from None

    def _request_bytes(self, call: "Call[Any]", accept: Optional[str] = None) -> bytes:
        headers = dict(self._headers)
        if accept is not None:
            headers["Accept"] = accept
        return encode_request(call.method, call.target, self.address.name, call.body_bytes(),
                              headers)

    def _take(self) -> Optional[Streams]:
        while self._idle:
            streams = self._idle.pop()
            if is_quiet(streams):
                return streams
            streams[1].close()
        return None

    def _give_back(self, streams: Streams, keep_alive: bool) -> None:
        if keep_alive and not self._closed and len(self._idle) < self._idle_max:
            self._idle.append(streams)
        else:
            streams[1].close()

    async def request(self, method: str, path: str, body: Optional[Json] = None,
                      repeatable: Optional[bool] = None,
                      timeout: Optional[float] = None) -> Json:
        """Any request, JSON in and out: for paths that this class has no method for."""
        may_repeat = method == "GET" if repeatable is None else repeatable
        return await self.send(Call(method, path, calls.read_json, body, may_repeat),
                               timeout=timeout)

    async def batch(self, commands: Iterable[Mapping[str, Any]], *,
                    atomic: bool = False) -> BatchResult:
        return await self.send(calls.batch(commands, atomic))

    def lease(self, saga_id: Optional[str] = None, *, owner: Optional[OwnerLike] = None,
              ttl: Optional[Duration] = None, queue: Optional[str] = None,
              dispatch_token: Optional[int] = None, token: Optional[int] = None,
              on_error: Optional[OnError] = None, on_leave: Optional[OnLeave] = None,
              no_compensation_reason: str = NOTHING_TO_UNDO,
              on_lost: Optional[Callable[[LeaseLost], None]] = None,
              on_cancel: Optional[Callable[[], None]] = None,
              cancel_on_lost: bool = False) -> AsyncLease:
        """`async with client.lease("T1", owner="w1", ttl="30s") as lease:`, as `Client.lease`.
        With `cancel_on_lost` the body is cancelled where it awaits as soon as the lease is lost,
        and the `async with` raises `LeaseLost`."""
        options = lease_options(saga_id, queue, owner, ttl, dispatch_token, token, on_error,
                                on_leave, no_compensation_reason)
        return AsyncLease(self, options, on_lost, on_cancel, cancel_on_lost)

    # Queries: as those of Client.

    async def saga(self, saga_id: str, *, at: Moment = None, min_sequence: Number = None) -> Saga:
        return await self.send(calls.get(f"/v1/sagas/{segment(saga_id)}", read_record(Saga),
                                         at=moment_text(at), min_sequence=min_sequence))

    async def sagas(self, *, state: Text = None, owner: Text = None, queue: Text = None,
                    key: Text = None, label: Union[str, Mapping[str, str], None] = None,
                    stage: Text = None, limit: Number = None, cursor: Text = None,
                    at: Moment = None, min_sequence: Number = None) -> Page[Saga]:
        return await self.send(calls.get("/v1/sagas", read_page(Saga), state=state, owner=owner,
                                         queue=queue, key=key, label=calls.label_text(label),
                                         stage=stage, limit=limit, cursor=cursor,
                                         at=moment_text(at), min_sequence=min_sequence))

    async def history(self, saga_id: str, *, transitions_only: Optional[bool] = None,
                      refusals: Optional[bool] = None, limit: Number = None, cursor: Text = None,
                      min_sequence: Number = None) -> Page[Event]:
        return await self.send(calls.get(f"/v1/sagas/{segment(saga_id)}/events", read_page(Event),
                                         transitions_only=transitions_only, refusals=refusals,
                                         limit=limit, cursor=cursor, min_sequence=min_sequence))

    async def stale(self, *, limit: Number = None, cursor: Text = None,
                    at: Moment = None, min_sequence: Number = None) -> Page[StaleRow]:
        return await self._page("/v1/stale", StaleRow, limit, cursor, at, min_sequence)

    async def compensations(self, *, limit: Number = None, cursor: Text = None,
                            at: Moment = None,
                            min_sequence: Number = None) -> Page[CompensationRow]:
        return await self._page("/v1/compensations", CompensationRow, limit, cursor, at,
                                min_sequence)

    async def effects_in_doubt(self, *, limit: Number = None, cursor: Text = None,
                               at: Moment = None, min_sequence: Number = None) -> Page[EffectRow]:
        return await self._page("/v1/effects?in_doubt=true", EffectRow, limit, cursor, at,
                                min_sequence)

    async def sections(self, *, limit: Number = None, cursor: Text = None,
                       at: Moment = None, min_sequence: Number = None) -> Page[SectionRow]:
        return await self._page("/v1/sections", SectionRow, limit, cursor, at, min_sequence)

    async def owners(self, *, limit: Number = None, cursor: Text = None,
                     at: Moment = None, min_sequence: Number = None) -> Page[OwnerRow]:
        return await self._page("/v1/owners", OwnerRow, limit, cursor, at, min_sequence)

    async def _page(self, path: str, kind: Type[RecordT], limit: Number, cursor: Text,
                    at: Moment, min_sequence: Number) -> Page[RecordT]:
        return await self.send(calls.get(path, read_page(kind), limit=limit, cursor=cursor,
                                         at=moment_text(at), min_sequence=min_sequence))

    async def each(self, query: Callable[..., Awaitable[Page[RecordT]]],
                   **filters: Any) -> AsyncIterator[RecordT]:
        """All rows of a list, page after page."""
        cursor: Optional[str] = None
        while True:
            page = await query(cursor=cursor, **filters)
            for item in page.items:
                yield item
            cursor = page.cursor
            if not cursor:
                return

    async def queue(self, queue: str, *, at: Moment = None, min_sequence: Number = None) -> Queue:
        return await self.send(calls.get(f"/v1/queues/{segment(queue)}", read_record(Queue),
                                         at=moment_text(at), min_sequence=min_sequence))

    async def queues(self, *, limit: Number = None, cursor: Text = None,
                     at: Moment = None, min_sequence: Number = None) -> Page[Queue]:
        return await self._page("/v1/queues", Queue, limit, cursor, at, min_sequence)

    async def policy(self, *, at: Moment = None, min_sequence: Number = None) -> StorePolicy:
        return await self.send(calls.get("/v1/policy", read_record(StorePolicy),
                                         at=moment_text(at), min_sequence=min_sequence))

    async def status(self, *, min_sequence: Number = None) -> Status:
        return await self.send(calls.status(min_sequence))

    async def health(self) -> Json:
        return await self.request("GET", "/healthz")

    async def ready(self) -> Json:
        return await self.request("GET", "/readyz")

    async def metrics(self) -> str:
        return await self.send(calls.get_text("/metrics"))

    async def openapi(self) -> Json:
        return await self.request("GET", "/openapi.json")

    def events(self, from_: int = 1, *, follow: bool = False,
               types: Optional[Iterable[str]] = None, saga: Text = None,
               quiet_max: Optional[float] = None) -> AsyncGenerator[Event, None]:
        """As `Client.events`: `async for event in client.events(follow=True)`."""
        return self._items(EventReader(from_, follow, types, saga), quiet_max)

    async def audit_export(self, from_: int = 1, *,
                           to: Number = None) -> AsyncGenerator[str, None]:
        """As `Client.audit_export`: `async for line in client.audit_export()`."""
        end = to if to is not None else (await self.status()).last_sequence
        async for line in self._items(ExportReader(from_, end), None):
            yield line

    async def _items(self, reader: ItemReader[ItemT],
                     quiet_max: Optional[float]) -> AsyncGenerator[ItemT, None]:
        call: "Call[Any]" = reader.call()
        attempts = Attempts(call, self._retry, str(self.address))
        while not reader.ended:
            stream = self._stream(reader, attempts, quiet_max)
            try:
                async for item in stream:
                    attempts = Attempts(call, self._retry, str(self.address))
                    yield item
                if not reader.follow:
                    return
                pause = self._retry.pause(1)
            except (Broken, OSError, ProtocolError, asyncio.TimeoutError) as error:
                broken = error if isinstance(error, Broken) else Broken(str(error), True)
                pause = attempts.pause_after(broken)
            except Overloaded as refusal:
                pause = attempts.pause_after_refusal(refusal)
            finally:
                await stream.aclose()
            reader.begin()
            await asyncio.sleep(pause)

    async def _stream(self, reader: ItemReader[ItemT], attempts: Attempts,
                      quiet_max: Optional[float]) -> AsyncGenerator[ItemT, None]:
        """The items of one connection."""
        reader.begin()
        streams = await asyncio.wait_for(self._open(attempts), self._timeout)
        try:
            streams[1].write(self._request_bytes(reader.call(), ACCEPT))
            while not reader.ended:
                patience = quiet_max if reader.begun else self._timeout
                for _, item in reader.feed(await asyncio.wait_for(streams[0].read(RECEIVE_SIZE),
                                                                  patience)):
                    yield item
        finally:
            streams[1].close()

    # The record, and those who read it.

    async def audit_checkpoint(self, *, min_sequence: Number = None) -> str:
        return await self.send(calls.audit_checkpoint(min_sequence))

    async def audit_proof(self, sequence: Number = None, *, from_: Number = None,
                          min_sequence: Number = None) -> Json:
        return await self.send(calls.audit_proof(sequence, from_, min_sequence))

    async def readers(self, *, min_sequence: Number = None) -> Page[Reader]:
        return await self.send(calls.get("/v1/readers", read_page(Reader),
                                         min_sequence=min_sequence))

    async def place_reader(self, name: str, position: int) -> Json:
        return await self.send(calls.place_reader(name, position))

    async def remove_reader(self, name: str) -> Json:
        return await self.send(calls.remove_reader(name))

    async def redact(self, sequence: int, *, reason: str, actor: Text = None,
                     request_id: Text = None) -> Json:
        return await self.send(calls.redact(sequence, reason, actor, request_id))

    # Operation, and the clock of `serve --manual-clock`: as those of Client.

    async def sweep(self, *, limit: Number = None, dry_run: Optional[bool] = None) -> Json:
        return await self.send(calls.work("/v1/admin/sweep",
                                          calls.given(limit=limit, dry_run=dry_run)))

    async def backup(self, directory: PathLike, *, keep: Number = None) -> Json:
        return await self.send(calls.work("/v1/admin/backup",
                                          calls.given(directory=str(directory), keep=keep)))

    async def compact(self, *, older_than: Optional[Duration] = None, actor: Text = None) -> Json:
        return await self.send(calls.work("/v1/admin/compact", calls.given(
            older_than=calls.duration(older_than), actor=actor)))

    async def verify(self) -> Json:
        return await self.send(calls.work("/v1/admin/verify", repeatable=True))

    async def rebuild(self) -> Json:
        return await self.send(calls.work("/v1/admin/rebuild"))

    async def checkpoint(self) -> Json:
        return await self.send(calls.work("/v1/admin/checkpoint", repeatable=True))

    async def advance_clock(self, by: Duration) -> Json:
        return await self.send(calls.clock("advance", "by", by))

    async def step_wall_clock(self, by: Duration) -> Json:
        return await self.send(calls.clock("step-wall", "by", by))

    async def suspend_host(self, for_: Duration) -> Json:
        return await self.send(calls.clock("suspend", "for", for_))

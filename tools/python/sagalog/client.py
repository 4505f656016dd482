"""The blocking client."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Type, TypeVar, Union

from . import calls
from .address import PathLike, find_address
from .calls import BatchResult, Call, Moment, moment_text, read_page, read_record, segment
from .clock import Clock
from .commands import Commands, Text
from .errors import LeaseLost
from .event_stream import EventReader, EventStream, ExportReader, ExportStream
from .holding import NOTHING_TO_UNDO, LeaseOptions, OnError, OnLeave
from .lease import Lease
from .records import (Answer, CompensationRow, Duration, EffectRow, Event, Json, OwnerLike,
                      OwnerRow, Page, Queue, Reader, RecordT, Saga, SectionRow, StaleRow, Status,
                      StorePolicy, this_process)
from .retrying import Retry
from .transport import Transport

T = TypeVar("T")
Number = Optional[int]


def lease_options(saga_id: Text, queue: Text, owner: Optional[OwnerLike],
                  ttl: Optional[Duration], dispatch_token: Number, token: Number,
                  on_error: Optional[OnError], on_leave: Optional[OnLeave],
                  no_compensation_reason: str) -> LeaseOptions:
    """A plain name becomes this process under that name."""
    if isinstance(owner, str):
        owner = this_process(owner)
    return LeaseOptions(saga_id, queue, owner, ttl, dispatch_token, token, on_error, on_leave,
                        no_compensation_reason)


class Client(Commands[Answer]):
    """Talks to `sagalog serve`. Thread-safe; connections are kept alive between calls.

    `where` is a data directory (None: $SAGALOG_DATA, else ./.sagalog), the path of a socket, or
    a URL http://… or https://…, with `bearer_token` for a store that asks for one and `ca_file`
    for one whose certificate is of your own making. `timeout` holds for a whole call. A request
    whose connection breaks is sent again, under the same request id, as `retry` says; one that
    could then be carried out twice is not."""

    def __init__(self, where: Optional[PathLike] = None, *, bearer_token: Optional[str] = None,
                 ca_file: Optional[PathLike] = None, tls: Optional[ssl.SSLContext] = None,
                 timeout: float = 30.0, retry: Retry = Retry(), clock: Optional[Clock] = None,
                 idle_connections: int = 8) -> None:
        self.clock = clock or Clock()
        self._retry = retry
        self._timeout = timeout
        self._transport = Transport(find_address(where, ca_file, tls), bearer_token=bearer_token,
                                    timeout=timeout, retry=retry, clock=self.clock,
                                    idle_max=idle_connections)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Closes the idle connections. A closed client still works, without keeping any."""
        self._transport.close()

    def send(self, call: Call[T], *, timeout: Optional[float] = None,
             retry: Optional[Retry] = None) -> T:
        """Carries out a call of `sagalog.calls`."""
        return self._transport.call(call, timeout, retry)

    def _send(self, call: Call[Answer]) -> Answer:
        return self.send(call)

    def request(self, method: str, path: str, body: Optional[Json] = None,
                repeatable: Optional[bool] = None, timeout: Optional[float] = None) -> Json:
        """Any request, JSON in and out: for paths that this class has no method for. `repeatable`
        says that it may be sent again after a broken connection; a GET may."""
        may_repeat = method == "GET" if repeatable is None else repeatable
        return self.send(Call(method, path, calls.read_json, body, may_repeat), timeout=timeout)

    def batch(self, commands: Iterable[Mapping[str, Any]], *, atomic: bool = False) -> BatchResult:
        """Several commands, each a mapping with `do`, its `saga_id` or `queue`, and its arguments
        as in JSON. Atomic: all or none, and the refusal of one (`index` says which) is raised."""
        return self.send(calls.batch(commands, atomic))

    # A worker's lease.

    def lease(self, saga_id: Optional[str] = None, *, owner: Optional[OwnerLike] = None,
              ttl: Optional[Duration] = None, queue: Optional[str] = None,
              dispatch_token: Optional[int] = None, token: Optional[int] = None,
              on_error: Optional[OnError] = None, on_leave: Optional[OnLeave] = None,
              no_compensation_reason: str = NOTHING_TO_UNDO,
              on_lost: Optional[Callable[[LeaseLost], None]] = None,
              on_cancel: Optional[Callable[[], None]] = None) -> Lease:
        """`with client.lease("T1", owner="w1", ttl="30s") as lease:` acquires the saga, or with
        `queue` claims the next one of it, and heartbeats until the `with` is left. With `token`
        and `ttl` it goes on with a lease that is held already, and then only keeps it alive.

        A plain name as `owner` becomes this very process under that name (`this_process`); an
        `Owner` is taken as it is. When the `with` is left without complete, fail, compensate or
        release, then by an error the saga is failed with it (`on_error`: or "release", "keep"),
        by an interrupt (no `Exception`) or without an error it is released (`on_leave`: or
        "complete", "keep"). `on_lost` and `on_cancel` are called by the thread that finds out."""
        options = lease_options(saga_id, queue, owner, ttl, dispatch_token, token, on_error,
                                on_leave, no_compensation_reason)
        return Lease(self, options, on_lost, on_cancel)

    # Queries.

    def saga(self, saga_id: str, *, at: Moment = None, min_sequence: Number = None) -> Saga:
        """The saga now; with `at` as it was at a sequence or a time."""
        return self.send(calls.get(f"/v1/sagas/{segment(saga_id)}", read_record(Saga),
                                   at=moment_text(at), min_sequence=min_sequence))

    def sagas(self, *, state: Text = None, owner: Text = None, queue: Text = None,
              key: Text = None, label: Union[str, Mapping[str, str], None] = None,
              stage: Text = None, limit: Number = None, cursor: Text = None,
              at: Moment = None, min_sequence: Number = None) -> Page[Saga]:
        """A page of those that match every filter, by order of planning."""
        return self.send(calls.get("/v1/sagas", read_page(Saga), state=state, owner=owner,
                                   queue=queue, key=key, label=calls.label_text(label),
                                   stage=stage, limit=limit, cursor=cursor,
                                   at=moment_text(at), min_sequence=min_sequence))

    def history(self, saga_id: str, *, transitions_only: Optional[bool] = None,
                refusals: Optional[bool] = None, limit: Number = None, cursor: Text = None,
                min_sequence: Number = None) -> Page[Event]:
        """The newest events of a saga, oldest first. The cursor leads to the page before."""
        return self.send(calls.get(f"/v1/sagas/{segment(saga_id)}/events", read_page(Event),
                                   transitions_only=transitions_only, refusals=refusals,
                                   limit=limit, cursor=cursor, min_sequence=min_sequence))

    def stale(self, *, limit: Number = None, cursor: Text = None,
              at: Moment = None, min_sequence: Number = None) -> Page[StaleRow]:
        """Who needs a decision; those that somebody can act on come first."""
        return self._page("/v1/stale", StaleRow, limit, cursor, at, min_sequence)

    def compensations(self, *, limit: Number = None, cursor: Text = None,
                      at: Moment = None, min_sequence: Number = None) -> Page[CompensationRow]:
        """What is to be undone."""
        return self._page("/v1/compensations", CompensationRow, limit, cursor, at, min_sequence)

    def effects_in_doubt(self, *, limit: Number = None, cursor: Text = None,
                         at: Moment = None, min_sequence: Number = None) -> Page[EffectRow]:
        """Effects that were begun and not settled."""
        return self._page("/v1/effects?in_doubt=true", EffectRow, limit, cursor, at, min_sequence)

    def sections(self, *, limit: Number = None, cursor: Text = None,
                 at: Moment = None, min_sequence: Number = None) -> Page[SectionRow]:
        """Who is inside of a section."""
        return self._page("/v1/sections", SectionRow, limit, cursor, at, min_sequence)

    def owners(self, *, limit: Number = None, cursor: Text = None,
               at: Moment = None, min_sequence: Number = None) -> Page[OwnerRow]:
        return self._page("/v1/owners", OwnerRow, limit, cursor, at, min_sequence)

    def _page(self, path: str, kind: Type[RecordT], limit: Number, cursor: Text,
              at: Moment, min_sequence: Number) -> Page[RecordT]:
        return self.send(calls.get(path, read_page(kind), limit=limit, cursor=cursor,
                                   at=moment_text(at), min_sequence=min_sequence))

    def each(self, query: Callable[..., Page[RecordT]], **filters: Any) -> Iterator[RecordT]:
        """All rows of a list, page after page: `client.each(client.sagas, state="running")`."""
        cursor: Optional[str] = None
        while True:
            page = query(cursor=cursor, **filters)
            yield from page.items
            cursor = page.cursor
            if not cursor:
                return

    def queue(self, queue: str, *, at: Moment = None, min_sequence: Number = None) -> Queue:
        return self.send(calls.get(f"/v1/queues/{segment(queue)}", read_record(Queue),
                                   at=moment_text(at), min_sequence=min_sequence))

    def queues(self, *, limit: Number = None, cursor: Text = None,
               at: Moment = None, min_sequence: Number = None) -> Page[Queue]:
        """Those that are configured, or hold a saga that has not ended."""
        return self._page("/v1/queues", Queue, limit, cursor, at, min_sequence)

    def policy(self, *, at: Moment = None, min_sequence: Number = None) -> StorePolicy:
        return self.send(calls.get("/v1/policy", read_record(StorePolicy),
                                   at=moment_text(at), min_sequence=min_sequence))

    def status(self, *, min_sequence: Number = None) -> Status:
        return self.send(calls.status(min_sequence))

    def health(self) -> Json:
        return self.request("GET", "/healthz")

    def ready(self) -> Json:
        """Raises `ReadOnly` or `Corrupt` when the store takes no commands."""
        return self.request("GET", "/readyz")

    def metrics(self) -> str:
        """In the text format of Prometheus."""
        return self.send(calls.get_text("/metrics"))

    def openapi(self) -> Json:
        """The store's own description of its interface."""
        return self.request("GET", "/openapi.json")

    def events(self, from_: int = 1, *, follow: bool = False,
               types: Optional[Iterable[str]] = None, saga: Text = None,
               quiet_max: Optional[float] = None) -> EventStream:
        """Iterates over the events of the store, or of one saga, from a sequence on; with `follow`
        also those that are still to come. A broken connection is taken up again; so is one on
        which nothing, not even a sign of life, came for `quiet_max` seconds."""
        return EventStream(self._transport, EventReader(from_, follow, types, saga),
                           self._timeout, quiet_max, self._retry)

    # The record, and those who read it.

    def audit_export(self, from_: int = 1, *, to: Number = None) -> ExportStream:
        """Iterates over the lines of an NDJSON export, as they are: from a sequence to another,
        or to where the log ends now. A broken connection is taken up again."""
        end = to if to is not None else self.status().last_sequence
        return ExportStream(self._transport, ExportReader(from_, end), self._timeout, None,
                            self._retry)

    def audit_checkpoint(self, *, min_sequence: Number = None) -> str:
        """A signed checkpoint of the log, to be kept elsewhere: a C2SP note."""
        return self.send(calls.audit_checkpoint(min_sequence))

    def audit_proof(self, sequence: Number = None, *, from_: Number = None,
                    min_sequence: Number = None) -> Json:
        """That the event of a sequence is in the log; or that the log goes on `from_` so many
        events, of which there was a checkpoint."""
        return self.send(calls.audit_proof(sequence, from_, min_sequence))

    def readers(self, *, min_sequence: Number = None) -> Page[Reader]:
        """Who keeps a place in the log, so that compaction leaves what is still to be read."""
        return self.send(calls.get("/v1/readers", read_page(Reader), min_sequence=min_sequence))

    def place_reader(self, name: str, position: int) -> Json:
        """`position` is the sequence that is read next. It may go back."""
        return self.send(calls.place_reader(name, position))

    def remove_reader(self, name: str) -> Json:
        return self.send(calls.remove_reader(name))

    def redact(self, sequence: int, *, reason: str, actor: Text = None,
               request_id: Text = None) -> Json:
        """Takes the texts out of one event: a secret that came into it."""
        return self.send(calls.redact(sequence, reason, actor, request_id))

    # Operation. None of these has a request id; what could then happen twice is sent once.

    def sweep(self, *, limit: Number = None, dry_run: Optional[bool] = None) -> Json:
        """Has the reaper act now on what is due."""
        return self.send(calls.work("/v1/admin/sweep", calls.given(limit=limit, dry_run=dry_run)))

    def backup(self, directory: PathLike, *, keep: Number = None) -> Json:
        return self.send(calls.work("/v1/admin/backup",
                                    calls.given(directory=str(directory), keep=keep)))

    def compact(self, *, older_than: Optional[Duration] = None, actor: Text = None) -> Json:
        return self.send(calls.work("/v1/admin/compact", calls.given(
            older_than=calls.duration(older_than), actor=actor)))

    def verify(self) -> Json:
        return self.send(calls.work("/v1/admin/verify", repeatable=True))

    def rebuild(self) -> Json:
        return self.send(calls.work("/v1/admin/rebuild"))

    def checkpoint(self) -> Json:
        return self.send(calls.work("/v1/admin/checkpoint", repeatable=True))

    # The clock of `serve --manual-clock`.

    def advance_clock(self, by: Duration) -> Json:
        return self.send(calls.clock("advance", "by", by))

    def step_wall_clock(self, by: Duration) -> Json:
        return self.send(calls.clock("step-wall", "by", by))

    def suspend_host(self, for_: Duration) -> Json:
        return self.send(calls.clock("suspend", "for", for_))

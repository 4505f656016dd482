"""What the store answers, as frozen records. Each keeps the whole JSON it was made of in `json`,
with fields that this release does not know."""

from __future__ import annotations

import dataclasses
import os
import socket
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar
from typing import Generic, Union

Json = Dict[str, Any]
Duration = Union[str, int, float, timedelta]
RecordT = TypeVar("RecordT", bound="Record")


def parse_time(text: str) -> datetime:
    """A time of the store, RFC 3339 in UTC, as an aware datetime."""
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def duration_text(value: Duration) -> str:
    """A duration as the store takes it. Numbers are seconds; text such as "1.5h" or "off" is left
    as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, timedelta):
        micros = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    elif isinstance(value, bool) or value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value!r} is no duration: give seconds, a timedelta or text like '30s'")
    else:
        micros = round(value * 1_000_000)
    return f"{micros // 1_000_000}s" if micros % 1_000_000 == 0 else f"{micros}us"


_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_seconds(value: Duration) -> float:
    """How many seconds a duration is, as the store reads it."""
    text = duration_text(value)
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    try:
        return float(number) * _UNITS[text[len(number):]]
    except (KeyError, ValueError):
        raise ValueError(f"{value!r} is no duration: give seconds, a timedelta or text "
                         "like '30s'") from None


def _made_by(make: Callable[[Any], Any], default: Any = None) -> Any:
    return field(default=default, metadata={"make": make})


def _time() -> Any:
    return _made_by(parse_time)


def _one(kind: "Type[Record]") -> Any:
    return _made_by(kind.from_json)


def _list(kind: "Type[Record]") -> Any:
    return _made_by(lambda items: tuple(kind.from_json(item) for item in items), default=())


def _names() -> Any:
    return _made_by(tuple, default=())


def _table() -> Any:
    return field(default_factory=dict, metadata={"make": dict})


@dataclass(frozen=True)
class Record:
    """Base of the records: fields by name, and the JSON behind them."""

    json: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls: Type[RecordT], json: Mapping[str, Any]) -> RecordT:
        values: Json = {}
        for entry in dataclasses.fields(cls):
            if entry.name != "json" and json.get(entry.name) is not None:
                make = entry.metadata.get("make")
                value = json[entry.name]
                values[entry.name] = value if make is None else make(value)
        return cls(json=dict(json), **values)

    def __getitem__(self, name: str) -> Any:
        """A field of the JSON as it came, known to this release or not."""
        return self.json[name]


@dataclass(frozen=True)
class Owner(Record):
    """A name, and the incarnation of the process behind it. Only the name is required."""

    owner: str = ""
    host: str = ""
    boot_id: str = ""
    pid_namespace: str = ""
    pid: int = 0
    pid_start: int = 0

    def to_json(self) -> Json:
        """The fields that have a value: equal owners are the same incarnation."""
        named = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        return {name: value for name, value in named.items() if name != "json" and value}


OwnerLike = Union[str, Owner, Mapping[str, Any]]


def owner_json(owner: OwnerLike) -> Union[str, Json]:
    if isinstance(owner, str):
        return owner
    return owner.to_json() if isinstance(owner, Owner) else dict(owner)


def this_process(owner: str) -> Owner:
    """The owner `owner` as this very process: a probe on this host can then tell whether it lives,
    and after a grace only it may have its saga back. What the machine does not tell is left out."""
    boot_id = pid_namespace = ""
    pid_start = 0
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot_id = file.read().strip()
        pid_namespace = str(os.stat("/proc/self/ns/pid").st_ino)
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            # Field 22; the name in field 2 may hold blanks and brackets.
            pid_start = int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        pass
    return Owner(owner=owner, host=socket.gethostname(), boot_id=boot_id,
                 pid_namespace=pid_namespace, pid=os.getpid(), pid_start=pid_start)


@dataclass(frozen=True)
class StaleSince(Record):
    reason: str = ""
    since: Optional[datetime] = _time()


@dataclass(frozen=True)
class Compensation(Record):
    id: str = ""
    kind: str = ""
    target: str = ""
    params: Dict[str, str] = _table()
    when: str = "unless_completed"
    shared: bool = False
    state: str = ""
    attempts: int = 0
    executor: str = ""
    expires_at: Optional[datetime] = _time()
    detail: str = ""


@dataclass(frozen=True)
class Section(Record):
    name: str = ""
    since: Optional[datetime] = _time()
    max_age: str = ""


@dataclass(frozen=True)
class Exit(Record):
    code: int = 0
    at: Optional[datetime] = _time()


@dataclass(frozen=True)
class Effect(Record):
    effect: str = ""
    fingerprint: str = ""
    scope: str = "saga"
    begun_at: Optional[datetime] = _time()
    settled: bool = False
    outcome: str = ""
    result: str = ""


@dataclass(frozen=True)
class Saga(Record):
    """A saga with everything that is known of it. Its `payload` is base64 text, as in the JSON."""

    saga_id: str = ""
    key: str = ""
    generation: int = 0
    queue: str = ""
    priority: int = 0
    state: str = ""
    stage: str = ""
    version: int = 0
    sequence: int = 0
    owner: Optional[Owner] = _one(Owner)
    token: Optional[int] = None
    expires_at: Optional[datetime] = _time()
    heartbeat_at: Optional[datetime] = _time()
    progress: str = ""
    attempts: int = 0
    recoveries: int = 0
    dispatch_failures: int = 0
    cancel_pending: bool = False
    parked: bool = False
    section: Optional[Section] = _one(Section)
    compensation_status: str = "none"
    compensations: Tuple[Compensation, ...] = _list(Compensation)
    stale: Tuple[StaleSince, ...] = _list(StaleSince)
    reason: str = ""
    result: str = ""
    exit: Optional[Exit] = _one(Exit)
    effects: Tuple[Effect, ...] = _list(Effect)
    children: Tuple[str, ...] = _names()
    planned_at: Optional[datetime] = _time()
    ended_at: Optional[datetime] = _time()
    not_before: Optional[datetime] = _time()
    rerun: str = ""
    issue: str = ""
    repository: str = ""
    branch: str = ""
    worktree: str = ""
    labels: Dict[str, str] = _table()
    payload: str = ""
    parent: str = ""
    depends_on: Tuple[str, ...] = _names()
    policy: Json = _table()

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL_STATES


TERMINAL_STATES = frozenset({"completed", "failed", "compensated", "quarantined", "cancelled"})


@dataclass(frozen=True)
class OwnerVerdict(Record):
    saga_id: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Answer(Record):
    """What a command did. `sent_at` is when its request left first, by the client's clock."""

    outcome: str = ""
    replayed: bool = False
    sequence: int = 0
    token: Optional[int] = None
    cancel_pending: bool = False
    saga: Optional[Saga] = _one(Saga)
    reports: Tuple[OwnerVerdict, ...] = _list(OwnerVerdict)
    sent_at: float = field(default=0.0, compare=False)

    @property
    def after(self) -> Saga:
        """The saga after the command, where there is one."""
        if self.saga is None:
            raise LookupError("this answer is about no single saga")
        return self.saga

    @property
    def granted(self) -> int:
        """The token, where one was granted."""
        if self.token is None:
            raise LookupError("this answer grants no token")
        return self.token


@dataclass(frozen=True)
class Event(Record):
    """What happened. An item of a history of the type "refused" has no sequence."""

    sequence: int = 0
    saga_id: str = ""
    version: int = 0
    previous: int = 0
    time: Optional[datetime] = _time()
    type: str = ""
    actor: str = ""
    principal: str = ""
    request_id: str = ""
    body: Json = _table()


@dataclass(frozen=True)
class StaleRow(Record):
    saga_id: str = ""
    version: int = 0
    state: str = ""
    reasons: Tuple[StaleSince, ...] = _list(StaleSince)
    owner: Optional[Owner] = _one(Owner)
    token: Optional[int] = None
    queue: str = ""
    key: str = ""
    stage: str = ""
    expires_at: Optional[datetime] = _time()


@dataclass(frozen=True)
class CompensationRow(Record):
    saga_id: str = ""
    state: str = ""
    compensation: Compensation = _made_by(Compensation.from_json, default=Compensation())
    claimable: bool = False


@dataclass(frozen=True)
class EffectRow(Record):
    saga_id: str = ""
    key: str = ""
    state: str = ""
    effect: Effect = _made_by(Effect.from_json, default=Effect())
    owner: Optional[Owner] = _one(Owner)
    token: Optional[int] = None


@dataclass(frozen=True)
class SectionRow(Record):
    saga_id: str = ""
    key: str = ""
    queue: str = ""
    stage: str = ""
    section: Section = _made_by(Section.from_json, default=Section())
    overdue: bool = False
    owner: Optional[Owner] = _one(Owner)
    token: Optional[int] = None
    expires_at: Optional[datetime] = _time()


@dataclass(frozen=True)
class OwnerRow(Record):
    owner: Owner = _made_by(Owner.from_json, default=Owner())
    sagas: Tuple[str, ...] = _names()


@dataclass(frozen=True)
class Queue(Record):
    """`limit` is None when there is none."""

    queue: str = ""
    limit: Optional[int] = None
    frozen: bool = False
    slots_used: int = 0
    planned: int = 0
    policy: Json = _table()
    sequence: int = 0


@dataclass(frozen=True)
class Reader(Record):
    """Who reads the log: compaction stays below the `position` that it reads next."""

    reader: str = ""
    position: int = 0
    moved_at: Optional[datetime] = _time()


@dataclass(frozen=True)
class StorePolicy(Record):
    policy: Json = _table()
    limit: Optional[int] = None
    slots_used: int = 0
    sequence: int = 0


@dataclass(frozen=True)
class Status(Record):
    version: str = ""
    store_id: str = ""
    health: str = ""
    health_detail: str = ""
    last_sequence: int = 0
    checkpoint_sequence: int = 0
    time: Optional[datetime] = _time()
    token_offset: int = 0
    live: List[Json] = _made_by(list, default=())
    ended: List[Json] = _made_by(list, default=())
    stale: List[Json] = _made_by(list, default=())
    refusals: List[Json] = _made_by(list, default=())
    commands: int = 0
    sequence: int = 0


@dataclass(frozen=True)
class Page(Generic[RecordT]):
    """One page of a list. A cursor that is not empty asks for the next."""

    items: Tuple[RecordT, ...]
    cursor: str
    sequence: int
    json: Json = field(default_factory=dict, repr=False, compare=False)

    def __iter__(self) -> Iterator[RecordT]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

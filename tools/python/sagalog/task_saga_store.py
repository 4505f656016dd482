"""The store interface that orchestrators of tasks already have, over sagalog. What each method
becomes: docs/orchestrator.md. There is no `put`: a record is changed by what happened to its
task, and by nothing else."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Type

from .client import Client
from .errors import (AlreadyExists, Busy, CompensationOrder, InGrace, LeaseExpired, LeaseHeld,
                     NotFound, NotOwner, OwnerAlive, OwnerDead, Refused, SectionOpen, StaleToken,
                     TerminalSaga, VersionConflict)
from .records import Compensation, Duration, Owner, OwnerLike, Saga

NOTHING_TO_UNDO = "the task registered nothing to undo"


class TaskStoreError(Exception):
    """`refusal` has the facts: holder, expiry, actual state and version."""

    def __init__(self, refusal: Optional[Refused], text: Optional[str] = None) -> None:
        super().__init__(text or str(refusal))
        self.refusal = refusal


class LeaseConflictError(TaskStoreError):
    """Somebody else holds the task, or what was decided on is no longer so."""


class TaskExistsError(TaskStoreError):
    """The id of a new task, or its key, is taken."""


class TerminalTaskMutationError(TaskStoreError):
    """The task has ended, and an end never changes."""


_CONFLICTS: Tuple[Type[Refused], ...] = (LeaseHeld, StaleToken, NotOwner, LeaseExpired, InGrace,
                                         SectionOpen, OwnerDead, OwnerAlive, VersionConflict, Busy)


@contextlib.contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except TerminalSaga as refusal:
        raise TerminalTaskMutationError(refusal) from refusal
    except AlreadyExists as refusal:
        raise TaskExistsError(refusal) from refusal
    except _CONFLICTS as refusal:
        raise LeaseConflictError(refusal) from refusal
    except Refused as refusal:
        raise TaskStoreError(refusal) from refusal


@dataclass(frozen=True)
class TaskLease:
    owner: str
    token: int
    expires_at: Optional[datetime]


@dataclass(frozen=True)
class TaskSaga:
    """A task as the store knew it at `version`: what a later decision about it is based on."""

    task_id: str
    status: str
    stage: str
    version: int
    lease: Optional[TaskLease]
    compensations: Tuple[Compensation, ...]
    # Why it needs a decision; empty when it does not.
    stale: Tuple[str, ...]
    reason: str
    result: str
    payload: str
    saga: Saga

    @staticmethod
    def of(saga: Saga) -> "TaskSaga":
        lease = None
        if saga.owner is not None and saga.token is not None and saga.expires_at is not None:
            lease = TaskLease(saga.owner.owner, saga.token, saga.expires_at)
        return TaskSaga(task_id=saga.saga_id, status=saga.state, stage=saga.stage,
                        version=saga.version, lease=lease, compensations=saga.compensations,
                        stale=tuple(row.reason for row in saga.stale), reason=saga.reason,
                        result=saga.result, payload=saga.payload, saga=saga)


@dataclass(frozen=True)
class _Claim:
    id: str
    token: int


class TaskSagaStore:
    """Thread-safe. Remembers the tokens that it was granted, by task and owner, so that callers
    who name an owner need not carry them; a caller in another process gives `token`. A token is
    never read from the store to be used: that would be the put that fencing is there to refuse."""

    def __init__(self, client: Client, *, queue: str = "default",
                 ttl: Optional[Duration] = None) -> None:
        self.client = client
        self._queue = queue
        self._ttl = ttl
        self._lock = threading.Lock()
        self._tokens: Dict[Tuple[str, str], int] = {}

    def create(self, task_id: str, *, key: Optional[str] = None, payload: Optional[bytes] = None,
               stage: Optional[str] = None, labels: Optional[Mapping[str, str]] = None,
               compensations: Tuple[Mapping[str, Any], ...] = (), **facts: Any) -> TaskSaga:
        """A task that waits for somebody. `TaskExistsError` when its id, or its key, is taken."""
        with _as_store_errors():
            answer = self.client.plan(task_id, key=key, payload=payload, stage=stage,
                                      labels=labels, compensations=compensations,
                                      queue=self._queue, **facts)
        return TaskSaga.of(answer.after)

    def acquire_lease(self, task_id: str, owner: OwnerLike,
                      ttl: Optional[Duration] = None) -> TaskSaga:
        """`LeaseConflictError` while somebody else holds it."""
        with _as_store_errors():
            answer = self.client.acquire(task_id, owner, ttl=ttl or self._ttl)
        with self._lock:
            self._tokens[task_id, _name(owner)] = answer.granted
        return TaskSaga.of(answer.after)

    def heartbeat(self, task_id: str, owner: OwnerLike, ttl: Optional[Duration] = None, *,
                  token: Optional[int] = None, progress: Optional[str] = None) -> TaskSaga:
        """Extends the lease; `LeaseConflictError` when it is no more."""
        with _as_store_errors():
            answer = self.client.heartbeat(task_id, self._token(task_id, owner, token), ttl=ttl,
                                           progress=progress)
        return TaskSaga.of(answer.after)

    def list_stale(self, limit: Optional[int] = None) -> List[TaskSaga]:
        """Tasks that need a decision. Give the `version` of one as `observed` to decide it."""
        rows = (self.client.stale(limit=limit).items if limit is not None
                else tuple(self.client.each(self.client.stale)))
        return [TaskSaga.of(self.client.saga(row.saga_id)) for row in rows]

    def append_compensation(self, task_id: str, compensation_id: str, *, kind: str, target: str,
                            params: Optional[Mapping[str, str]] = None, always: bool = False,
                            owner: Optional[OwnerLike] = None,
                            token: Optional[int] = None) -> TaskSaga:
        """One more thing to undo when the task does not complete; with `always` also then. To be
        called before what it undoes is done."""
        with _as_store_errors():
            if owner is not None:
                token = self._token(task_id, owner, token)
            answer = self.client.register_compensation(
                task_id, compensation_id, kind=kind, target=target, params=params,
                when="always" if always else None, token=token)
        return TaskSaga.of(answer.after)

    def mark_completed(self, task_id: str, owner: OwnerLike, result: Optional[str] = None, *,
                       token: Optional[int] = None) -> TaskSaga:
        """By its owner alone: nobody completes what somebody else holds."""
        with _as_store_errors():
            answer = self.client.complete(task_id, self._token(task_id, owner, token),
                                          result=result)
        return self._ended(answer.after)

    def mark_failed(self, task_id: str, reason: str, *, owner: Optional[OwnerLike] = None,
                    token: Optional[int] = None, observed: Optional[int] = None) -> TaskSaga:
        """By its owner; or, of a task that `list_stale` showed, by whoever `observed` that version
        of it. What was registered is owed then."""
        with _as_store_errors():
            if observed is not None:
                answer = self.client.recover(task_id, observed=observed, decision="fail",
                                             evidence=reason,
                                             no_compensation_reason=NOTHING_TO_UNDO)
            else:
                answer = self.client.fail(task_id, self._token(task_id, owner, token),
                                          reason=reason, no_compensation_reason=NOTHING_TO_UNDO)
        return self._ended(answer.after)

    def begin_compensation(self, task_id: str, reason: str, *, owner: Optional[OwnerLike] = None,
                           token: Optional[int] = None,
                           observed: Optional[int] = None) -> TaskSaga:
        """Takes the task from its owner, so that it can be undone: before that its worker might
        still be at it. By the owner, or by whoever `observed` it as stale."""
        with _as_store_errors():
            if observed is not None:
                answer = self.client.recover(task_id, observed=observed, decision="compensate",
                                             evidence=reason)
            else:
                answer = self.client.compensate(task_id, self._token(task_id, owner, token),
                                                reason=reason)
        return self._ended(answer.after)

    def mark_compensated(self, task_id: str, executor: str, *,
                         failures: Optional[Mapping[str, str]] = None) -> TaskSaga:
        """Says that what is owed has been undone by `executor`, in the order in which it is owed;
        `failures` names those of which that is not true, and why: they stay owed. With the last of
        them a compensating task is compensated, a failed one stays failed, and settled."""
        failed = dict(failures or {})
        with _as_store_errors():
            saga = self.client.saga(task_id)
            while saga.compensation_status in ("owed", "failed"):
                claim = self._claim_next(saga, executor)
                why = failed.get(claim.id)
                saga = self.client.settle_compensation(
                    task_id, claim.id, token=claim.token, detail=why,
                    outcome="done" if why is None else "failed").after
                if why is not None:
                    return TaskSaga.of(saga)  # What comes after it waits.
            if saga.state == "compensating":
                saga = self.client.mark_compensated(task_id).after
            elif not saga.terminal:
                raise LeaseConflictError(None, f"{task_id} is {saga.state}: begin_compensation "
                                         "takes it from its owner first")
        return TaskSaga.of(saga)

    def mark_quarantined(self, task_id: str, reason: str) -> TaskSaga:
        """Sets it aside for people, whoever holds it."""
        with _as_store_errors():
            answer = self.client.quarantine(task_id, reason=reason)
        return self._ended(answer.after)

    def get(self, task_id: str) -> Optional[TaskSaga]:
        try:
            return TaskSaga.of(self.client.saga(task_id))
        except NotFound:
            return None

    def list_in_flight(self) -> List[TaskSaga]:
        """Every task that has not ended."""
        states = ("planned", "dispatched", "running", "compensating")
        return [TaskSaga.of(saga) for state in states
                for saga in self.client.each(self.client.sagas, state=state)]

    def _token(self, task_id: str, owner: Optional[OwnerLike], token: Optional[int]) -> int:
        if token is not None:
            return token
        if owner is None:
            raise ValueError("name the owner, or give the token or the observed version")
        with self._lock:
            known = self._tokens.get((task_id, _name(owner)))
        if known is None:
            raise LeaseConflictError(None, f"{task_id}: no lease of {_name(owner)} was granted "
                                     "here; another process has to give its token")
        return known

    def _ended(self, saga: Saga) -> TaskSaga:
        """Forgets what no longer counts."""
        with self._lock:
            for known in [held for held in self._tokens if held[0] == saga.saga_id]:
                del self._tokens[known]
        return TaskSaga.of(saga)

    def _claim_next(self, saga: Saga, executor: str) -> _Claim:
        """Claims what may be undone next. The store knows the order, and says it."""
        wanted = [entry.id for entry in saga.compensations
                  if entry.state in ("owed", "claimed", "failed")][-1]
        for _ in saga.compensations:
            try:
                answer = self.client.claim_compensation(saga.saga_id, wanted, executor=executor)
                return _Claim(wanted, answer.granted)
            except CompensationOrder as refusal:
                wanted = str(refusal.subject)
        raise LeaseConflictError(None, f"{saga.saga_id}: its compensations are being settled")


def _name(owner: OwnerLike) -> str:
    if isinstance(owner, str):
        return owner
    if isinstance(owner, Owner):
        return owner.owner
    return str(owner["owner"])

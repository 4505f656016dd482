"""What can go wrong: a class for each refusal code, and those of the way to the store."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Mapping, Optional, Type

from .records import Owner, parse_time


class SagalogError(Exception):
    """Everything that this package raises by itself."""


class Unavailable(SagalogError):
    """The store did not answer: no daemon, a broken connection, a time-out, no answer of its kind.

    `may_have_happened` is False when the request certainly did not reach the store. When it is
    True, sending the same request again with the same `request_id` tells.
    """

    def __init__(self, detail: str, *, may_have_happened: bool = False,
                 request_id: Optional[str] = None) -> None:
        super().__init__(detail)
        self.may_have_happened = may_have_happened
        self.request_id = request_id


class LeaseLost(SagalogError):
    """The lease is no more, or may be no more by our own reckoning. `cause` is the refusal that
    said so; None when it was not renewed in time."""

    def __init__(self, detail: str, cause: Optional["Refused"] = None) -> None:
        super().__init__(detail)
        self.cause = cause


class Refused(SagalogError):
    """The store said no, and changed nothing. `problem` is its whole problem document; the facts
    in it are attributes too."""

    code = ""

    def __init__(self, problem: Mapping[str, Any], code: Optional[str] = None) -> None:
        self.problem: Dict[str, Any] = dict(problem)
        self.code = code or str(problem.get("code", self.code))
        saga = problem.get("saga_id")
        where = f"{saga}: " if saga else ""
        super().__init__(f"{where}{self.code}: {problem.get('detail', '')}")

    def __reduce__(self) -> Any:
        return refused, (self.problem,)

    @property
    def detail(self) -> str:
        return str(self.problem.get("detail", ""))

    @property
    def status(self) -> int:
        return int(self.problem.get("status", 0))

    @property
    def saga_id(self) -> Optional[str]:
        return self.problem.get("saga_id")

    @property
    def facts(self) -> Dict[str, Any]:
        """What the caller needs to act: the document without what describes the error itself."""
        described = ("type", "title", "status", "code", "detail", "sequence")
        return {name: value for name, value in self.problem.items() if name not in described}

    @property
    def holder(self) -> Optional[Owner]:
        found = self.problem.get("holder")
        return None if found is None else Owner.from_json(found)

    @property
    def since(self) -> Optional[datetime]:
        return self._time("since")

    @property
    def expires_at(self) -> Optional[datetime]:
        return self._time("expires_at")

    @property
    def actual_state(self) -> Optional[str]:
        return self.problem.get("actual_state")

    @property
    def actual_stage(self) -> Optional[str]:
        return self.problem.get("actual_stage")

    @property
    def actual_sequence(self) -> Optional[int]:
        return self.problem.get("actual_sequence")

    @property
    def actual_version(self) -> Optional[int]:
        return self.problem.get("actual_version")

    @property
    def limit(self) -> Optional[int]:
        return self.problem.get("limit")

    @property
    def actual(self) -> Optional[int]:
        return self.problem.get("actual")

    @property
    def result(self) -> Optional[str]:
        return self.problem.get("result")

    @property
    def subject(self) -> Optional[str]:
        """The argument, dependency, section, compensation or effect at fault."""
        return self.problem.get("subject")

    @property
    def index(self) -> Optional[int]:
        """Which command of an atomic batch was refused, counted from 0."""
        return self.problem.get("index")

    def _time(self, name: str) -> Optional[datetime]:
        found = self.problem.get(name)
        return None if found is None else parse_time(found)


class Overloaded(Refused):
    """A bounded queue is full: wait, and send the same again."""

    code = "overloaded"


class Unauthenticated(Refused):
    """The store does not know who asks."""

    code = "unauthenticated"


class Forbidden(Refused):
    """Whoever asks may not do this."""

    code = "forbidden"


class InvalidArgument(Refused):
    """The request itself is wrong; `subject` and `detail` say what."""

    code = "invalid_argument"


class RequestConflict(Refused):
    """The request id, or the effect, was used with other content."""

    code = "request_conflict"


class ReadOnly(Refused):
    """The store takes no commands; its operator has to look."""

    code = "read_only"


class NotFound(Refused):
    """There is no such saga, parent or path."""

    code = "not_found"


class TerminalSaga(Refused):
    """The saga has ended, in `actual_state`."""

    code = "terminal"


class VersionConflict(Refused):
    """Something happened since: read again, then decide."""

    code = "version_conflict"


class StaleToken(Refused):
    """The token is not that of the present owner: its lease has ended."""

    code = "stale_token"


class NotOwner(Refused):
    """The token is right, the owner named beside it is not."""

    code = "not_owner"


class LeaseExpired(Refused):
    """The lease is over, at `expires_at`."""

    code = "lease_expired"


class AlreadyExists(Refused):
    """The id is taken, or the key: `saga_id` says by whom."""

    code = "already_exists"


class LeaseHeld(Refused):
    """`holder` holds the saga until `expires_at`."""

    code = "lease_held"


class Parked(Refused):
    """Somebody parked the saga."""

    code = "parked"


class NotBefore(Refused):
    """It is too early."""

    code = "not_before"


class DependencyUnmet(Refused):
    """The saga that `subject` names is not completed."""

    code = "dependency_unmet"


class Frozen(Refused):
    """The queue is frozen."""

    code = "frozen"


class LimitReached(Refused):
    """`actual` of `limit` are used."""

    code = "limit_reached"


class InGrace(Refused):
    """The store was away: until `expires_at` only the same incarnation may come back."""

    code = "in_grace"


class SectionOpen(Refused):
    """The saga is inside the section that `subject` names."""

    code = "section_open"


class OwnerDead(Refused):
    """This incarnation was proven dead."""

    code = "owner_dead"


class Empty(Refused):
    """Nothing in the queue may start."""

    code = "empty"


class CancelPending(Refused):
    """Somebody wants the saga cancelled."""

    code = "cancel_pending"


class StageConflict(Refused):
    """The stage is `actual_stage`, set by the event `actual_sequence`."""

    code = "stage_conflict"


class EffectSettled(Refused):
    """The effect was granted and settled before; `result` is what came of it."""

    code = "effect_settled"


class EffectBegun(Refused):
    """The effect was granted before and is in doubt: find out what came of it, then settle it."""

    code = "effect_begun"


class Busy(Refused):
    """Somebody else is at it."""

    code = "busy"


class CompensationMissing(Refused):
    """Nothing was registered to be undone, and no `no_compensation_reason` was given."""

    code = "compensation_missing"


class CompensationOwed(Refused):
    """A compensation is not settled."""

    code = "compensation_owed"


class NotStale(Refused):
    """The saga is not stale."""

    code = "not_stale"


class OwnerAlive(Refused):
    """The owner was reported alive a moment ago."""

    code = "owner_alive"


class GateMissing(Refused):
    """A recovery completes only with `gate="pass"`."""

    code = "gate_missing"


class CompensationOrder(Refused):
    """The compensation that `subject` names comes first."""

    code = "compensation_order"


class CompensationSettled(Refused):
    """The compensation was settled before."""

    code = "compensation_settled"


class WrongState(Refused):
    """The command is not for a saga in `actual_state`."""

    code = "wrong_state"


class Corrupt(Refused):
    """The store's log is damaged; its operator has to look."""

    code = "corrupt"


REFUSALS: Dict[str, Type[Refused]] = {kind.code: kind for kind in Refused.__subclasses__()}


def refused(problem: Mapping[str, Any]) -> Refused:
    """The error of a problem document. A code of a later release is a plain `Refused`."""
    return REFUSALS.get(str(problem.get("code", "")), Refused)(problem)

"""What a worker knows about the lease it holds, without any input or output: until when it lasts
by our own reckoning, when the next heartbeat is due, how it was lost, and what is said at the
end. Both kinds of lease stand on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from .calls import Call, duration, given, queue_command, saga_command
from .errors import LeaseLost, Refused
from .records import Answer, Duration, OwnerLike, Saga, duration_seconds, owner_json

OnError = Literal["fail", "release", "keep"]
OnLeave = Literal["release", "complete", "keep"]

# The refusals that say that the lease is no more, rather than that the store cannot answer now.
ENDS_LEASE = frozenset({"terminal", "stale_token", "lease_expired", "not_owner", "not_found",
                        "wrong_state"})
NOTHING_TO_UNDO = "the worker failed and had registered nothing to undo"


@dataclass(frozen=True)
class LeaseOptions:
    """What a lease is asked for with."""

    saga_id: Optional[str]
    queue: Optional[str]
    owner: Optional[OwnerLike]
    ttl: Optional[Duration]
    dispatch_token: Optional[int]
    token: Optional[int]
    on_error: Optional[OnError]
    on_leave: Optional[OnLeave]
    no_compensation_reason: str

    def __post_init__(self) -> None:
        if (self.saga_id is None) == (self.queue is None):
            raise ValueError("lease: name a saga, or a queue to claim the next one of")
        if self.token is None and self.owner is None:
            raise ValueError("lease: name the owner")
        if self.token is not None and (self.saga_id is None or self.ttl is None):
            # Without its ttl nobody could reckon when the lease is over.
            raise ValueError("lease: a token that is held already needs its saga and a ttl")
        if self.dispatch_token is not None and (self.token is not None or self.queue is not None):
            raise ValueError("lease: a dispatch token is for acquiring one saga")

    def opening(self) -> Call[Answer]:
        """The command that grants the lease, or shows that it is held."""
        ttl = duration(self.ttl)
        if self.token is not None:
            return saga_command(str(self.saga_id), "heartbeat", given(token=self.token, ttl=ttl))
        assert self.owner is not None
        arguments = given(owner=owner_json(self.owner), ttl=ttl,
                          dispatch_token=self.dispatch_token)
        if self.queue is not None:
            return queue_command(self.queue, "claim-next", arguments)
        return saga_command(str(self.saga_id), "acquire", arguments)


class Holding:
    """Used under a lock, or by one thread. Times are those of the client's clock."""

    def __init__(self, options: LeaseOptions, granted: Answer) -> None:
        self.options = options
        self.saga: Saga = granted.after
        self.saga_id = self.saga.saga_id
        self.adopted = options.token is not None
        self.token: int = granted.granted if options.token is None else options.token
        self.ttl = (duration_seconds(options.ttl) if options.ttl is not None
                    else _granted_seconds(self.saga))
        self.held_until = granted.sent_at + self.ttl
        self.next_beat = granted.sent_at + self.ttl / 3
        self.cancel_pending = granted.cancel_pending or self.saga.cancel_pending
        self.lost: Optional[LeaseLost] = None
        # What the newest heartbeat met, when it was not answered with a yes.
        self._trouble = ""
        # A command that ends the lease is under way, so a heartbeat may meet its end.
        self.ending = False
        self.ended = False

    def beat(self, progress: Optional[str] = None) -> Call[Answer]:
        ttl = duration(self.options.ttl)
        return saga_command(self.saga_id, "heartbeat",
                            given(token=self.token, ttl=ttl, progress=progress))

    def beat_patience(self, now: float) -> float:
        """How long an answer is waited for: another connection shall have a try, too."""
        return max(0.05, min(self.held_until - now, max(self.ttl / 3, 1.0)))

    def renewed(self, answer: Answer) -> bool:
        """Takes a heartbeat's answer. True when a cancel has become pending by it. The store
        counted the ttl from when the request came, which was not before it left."""
        self.held_until = max(self.held_until, answer.sent_at + self.ttl)
        self.next_beat = answer.sent_at + self.ttl / 3
        self._trouble = ""
        if answer.saga is not None:
            self.saga = answer.saga
        news = answer.cancel_pending and not self.cancel_pending
        self.cancel_pending = answer.cancel_pending
        return news

    def refused(self, refusal: Refused, now: float) -> bool:
        """Takes a refusal of the owner's command. True when the lease is lost by it."""
        if refusal.code not in ENDS_LEASE or self.ended or self.ending or self.lost is not None:
            self.missed(now, refusal)
            return False
        self.lost = LeaseLost(f"{self.saga_id}: the lease is lost: {refusal}", refusal)
        return True

    def missed(self, now: float, why: Exception) -> None:
        """A heartbeat did not renew the lease: the next one comes soon."""
        self._trouble = f" ({why})"
        self.next_beat = now + max(0.05, min(self.ttl / 3, (self.held_until - now) / 5))

    def over(self, now: float) -> bool:
        """True when the lease has become lost because it was not renewed in time."""
        if now < self.held_until or self.ended or self.lost is not None:
            return False
        self.lost = LeaseLost(f"{self.saga_id}: the lease was not renewed in time: it may be "
                              f"somebody else's now{self._trouble}")
        return True

    def wake_at(self) -> float:
        return min(self.next_beat, self.held_until)

    def farewell(self, error: Optional[BaseException]) -> Optional[Call[Answer]]:
        """What is said when the body of the `with` is left without an outcome."""
        if self.ended or self.lost is not None:
            return None
        keep = "keep" if self.adopted else None
        if error is None:
            way: str = self.options.on_leave or keep or "release"
            reason = "left without an outcome"
        else:
            # An interrupt says nothing about the work: it goes back.
            way = self.options.on_error or keep or "fail"
            if way == "fail" and not isinstance(error, Exception):
                way = "release"
            reason = error_text(error)
        arguments = given(token=self.token)
        if way == "keep":
            return None
        if way == "complete":
            return saga_command(self.saga_id, "complete", arguments)
        if way == "fail":
            arguments["no_compensation_reason"] = self.options.no_compensation_reason
        arguments["reason"] = reason
        return saga_command(self.saga_id, way, arguments)


def error_text(error: BaseException) -> str:
    """One line for the history, within what the store takes."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return text.encode("utf-8", "replace")[:8000].decode("utf-8", "ignore")


def _granted_seconds(saga: Saga) -> float:
    if saga.expires_at is None or saga.heartbeat_at is None:
        raise ValueError(f"{saga.saga_id}: the answer does not say how long the lease is")
    return (saga.expires_at - saga.heartbeat_at).total_seconds()

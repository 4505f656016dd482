"""When a request is sent again, and what is said when it is not. No input or output."""

from __future__ import annotations

import random
import ssl
from dataclasses import dataclass
from typing import Optional, TypeVar

from .calls import BatchResult, Call
from .errors import Overloaded, Refused, SagalogError, Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """At most `attempts` sendings of one request, with pauses that double from `first_pause` up to
    `pause_max` seconds, each shortened by chance by up to a half."""

    attempts: int = 8
    first_pause: float = 0.05
    pause_max: float = 1.0

    def pause(self, failures: int) -> float:
        """Before the next attempt, after so many failures."""
        longest = min(self.pause_max, self.first_pause * 2.0 ** (failures - 1))
        return longest * random.uniform(0.5, 1.0)


NEVER = Retry(attempts=1)

# The refusals that may come before the store looks whether it has answered the request before; the
# last two from one that is damaged, cannot write or closes. After a sending that may have arrived
# they do not say that nothing has happened.
BEFORE_THE_REPLAY = frozenset(
    {"overloaded", "unauthenticated", "forbidden", "read_only", "corrupt"})


class Broken(Exception):
    """A connection that failed. `sent` says whether a byte of the request may have left."""

    def __init__(self, detail: str, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class Attempts:
    """Of one call: counts its failures, and says whether it is sent again."""

    def __init__(self, call: "Call[object]", retry: Retry, store: str) -> None:
        self._call = call
        self._retry = retry
        self._store = store
        self._failures = 0
        self._may_have_happened = False
        # What the last sending met: a refusal, or a broken connection.
        self._refusal: Optional[Refused] = None
        self._broken = ""
        # When the request first left: a lease counts from then, because the store may have
        # carried out any of the sendings.
        self.sent_at: Optional[float] = None

    def pause_after(self, broken: Broken) -> float:
        """How long to wait before the next; raises when there is none."""
        self._failures += 1
        self._refusal, self._broken = None, str(broken)
        self._may_have_happened = self._may_have_happened or broken.sent
        may_repeat = self._call.repeatable or not broken.sent
        if not may_repeat or self._failures >= self._retry.attempts:
            raise self.unavailable(self._broken)
        return self._retry.pause(self._failures)

    def pause_after_refusal(self, refusal: Refused) -> float:
        """Only what was not taken because a queue was full is sent again."""
        self._failures += 1
        self._refusal = refusal
        if not isinstance(refusal, Overloaded) or self._failures >= self._retry.attempts:
            raise self._honest(refusal)
        return self._retry.pause(self._failures)

    def judged(self, result: T) -> T:
        """The result; of a batch only when it tells what became of each of its commands."""
        if isinstance(result, BatchResult):
            for refusal in result.refusals:
                if self._leaves_unknown(refusal):
                    raise self._honest(refusal)
        return result

    def out_of_time(self) -> SagalogError:
        """What to raise when there is no time left for the pause."""
        return self.timed_out(False) if self._refusal is None else self._honest(self._refusal)

    def _honest(self, refusal: Refused) -> SagalogError:
        """The refusal; or, where what was sent before may have been carried out, that."""
        if not self._leaves_unknown(refusal):
            return refusal
        unknown = self.unavailable(f"no answer at first, and then: {refusal}")
        unknown.__cause__ = refusal
        return unknown

    def _leaves_unknown(self, refusal: Refused) -> bool:
        return (self._may_have_happened and self._call.method != "GET"
                and refusal.code in BEFORE_THE_REPLAY)

    def untrusted(self, error: ssl.SSLCertVerificationError) -> Unavailable:
        return self.unavailable(f"its certificate is not trusted: {error.verify_message}")

    def unavailable(self, detail: str) -> Unavailable:
        return Unavailable(f"{self._store}: {detail}", may_have_happened=self._may_have_happened,
                           request_id=self._call.request_id)

    def timed_out(self, sent: bool) -> Unavailable:
        self._may_have_happened = self._may_have_happened or sent
        before = f"; before that: {self._broken}" if self._broken else ""
        return self.unavailable(f"no answer in time{before}")

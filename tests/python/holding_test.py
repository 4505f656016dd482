"""How long a lease is reckoned to last: never longer than the store's, whatever the way between."""

from __future__ import annotations

import random
import unittest
from typing import Any, Optional

import sagalog
from sagalog.calls import read_answer
from sagalog.holding import Holding, LeaseOptions, NOTHING_TO_UNDO

TTL = 30.0


def answer(sent_at: float, **facts: Any) -> sagalog.Answer:
    return read_answer({"outcome": "ok", "token": 7, "saga": {"saga_id": "T1"}, **facts}, sent_at)


def holding(sent_at: float, token: Optional[int] = None, **options: Any) -> Holding:
    return Holding(LeaseOptions("T1", None, None if token else "w1", TTL, None, token,
                                options.get("on_error"), options.get("on_leave"),
                                NOTHING_TO_UNDO), answer(sent_at))


class HoldingTest(unittest.TestCase):
    def test_it_counts_from_when_the_request_left(self) -> None:
        held = holding(sent_at=100.0)
        self.assertEqual((held.next_beat, held.held_until), (110.0, 130.0))
        # The answer to the heartbeat of 110 came at 128; what counts is 110.
        held.renewed(answer(110.0))
        self.assertEqual((held.next_beat, held.held_until), (120.0, 140.0))
        self.assertFalse(held.over(139.999))
        self.assertTrue(held.over(140.0))
        self.assertFalse(held.over(141.0), "news only once")

    def test_an_answer_that_comes_late_takes_nothing_back(self) -> None:
        held = holding(sent_at=100.0)
        held.renewed(answer(120.0))
        held.renewed(answer(110.0))
        self.assertEqual(held.held_until, 150.0)

    def test_after_a_miss_it_is_tried_more_often_and_more_often(self) -> None:
        held, now, misses = holding(sent_at=0.0), 10.0, 0
        while not held.over(now):
            held.missed(now, OSError("no route"))
            self.assertGreater(held.next_beat, now)
            self.assertLessEqual(held.next_beat - now, TTL / 3)
            now, misses = min(held.wake_at(), held.held_until), misses + 1
        self.assertEqual(now, held.held_until)
        self.assertIn("no route", str(held.lost))
        self.assertGreater(misses, 5)
        self.assertLess(misses, 500)

    def test_which_refusals_end_it(self) -> None:
        ends = {"terminal", "stale_token", "lease_expired", "not_owner", "not_found", "wrong_state"}
        for code in sagalog.REFUSALS:
            held = holding(sent_at=0.0)
            lost = held.refused(sagalog.refused({"code": code}), 1.0)
            self.assertEqual((lost, held.lost is not None), (code in ends,) * 2, code)

    def test_it_never_lasts_longer_than_the_stores(self) -> None:
        """Any order of sendings, delays and losses; the store counts from when a request comes."""
        for seed in range(300):
            chance = random.Random(seed)
            delay = chance.uniform(0, 5)
            held, store_until = holding(sent_at=0.0), delay + TTL
            now = delay + chance.uniform(0, 5)
            while not held.over(now):
                self.assertLess(now, store_until, f"seed {seed}")
                now = max(now, held.wake_at())
                if held.over(now):
                    break
                arrives = now + chance.expovariate(1 / 6)
                answered = arrives + chance.expovariate(1 / 6)
                if arrives < store_until and chance.random() < 0.7:  # else it was lost on its way
                    store_until = max(store_until, arrives + TTL)
                    if chance.random() < 0.8:  # else its answer was
                        held.renewed(answer(now))
                    else:
                        held.missed(answered, OSError("broken"))
                else:
                    held.missed(answered, OSError("broken"))
                now = answered
            self.assertLessEqual(held.held_until, store_until, f"seed {seed}")

    def test_what_is_said_at_the_end(self) -> None:
        def way(error: Optional[BaseException], token: Optional[int] = None,
                **options: str) -> Optional[str]:
            call = holding(0.0, token, **options).farewell(error)
            return None if call is None else call.target.rpartition(":")[2]

        error, interrupt = ValueError("x"), KeyboardInterrupt()
        self.assertEqual([way(None), way(error), way(interrupt)], ["release", "fail", "release"])
        self.assertEqual([way(None, 7), way(error, 7), way(interrupt, 7)], [None] * 3)
        self.assertEqual([way(None, on_leave="complete"), way(None, on_leave="keep"),
                          way(error, on_error="keep"), way(error, on_error="release"),
                          way(error, 7, on_error="fail"), way(interrupt, on_error="fail")],
                         ["complete", None, None, "release", "fail", "release"])
        for end in ("ended", "lost"):
            held = holding(0.0)
            setattr(held, end, True)
            self.assertIsNone(held.farewell(None))


if __name__ == "__main__":
    unittest.main()

"""Leases with a thread that keeps them alive, by clocks that are moved by hand."""

from __future__ import annotations

import contextlib
import os
import threading
import unittest
import warnings
from datetime import timedelta
from typing import Any, List, Optional

import sagalog
from misbehaving_proxy import Proxy, ScriptedServer, json_answer
from sagalog.testing import SteppedClock
from store_test_case import StoreTestCase, undo

PATIENCE = 60.0


class LeaseTest(StoreTestCase):
    def test_a_lease_is_kept_alive_for_as_long_as_its_body_takes(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s") as lease:
            self.assertEqual(self.client.saga(saga).token, lease.token)
            self.store.advance("5m")
            self.assertFalse(lease.lost.is_set())
            lease.check()
            self.assertEqual(lease.complete("merged").after.state, "completed")
        beats = [event for event in self.client.history(saga).items
                 if event.type == "heartbeated"]
        self.assertGreaterEqual(len(beats), 5 * 60 // 30 * 2)

    def test_heartbeats_come_at_a_third_of_the_lease(self) -> None:
        saga = self.planned(policy={"lease_ttl": "90s"})
        with self.client.lease(saga, owner="w1") as lease:
            until = lease.held_until
            self.assertAlmostEqual(until - self.store.clock.now(), 90)
            self.store.advance("29s")
            self.assertEqual(lease.held_until, until)
            self.store.advance("1s")
            self.assertEqual(lease.held_until, until + 30)
            lease.complete()

    def test_the_owner_is_this_very_process(self) -> None:
        with self.client.lease(self.planned(), owner="w1", ttl="30s") as lease:
            self.assertEqual(lease.saga.owner, sagalog.this_process("w1"))
        plain = sagalog.Owner(owner="w2")
        with self.client.lease(lease.saga_id, owner=plain, ttl="30s") as lease:
            self.assertEqual(lease.saga.owner, plain)

    def test_the_next_of_a_queue(self) -> None:
        queue = self.fresh()
        saga = self.planned(queue=queue)
        with self.client.lease(queue=queue, owner="w1", ttl="30s") as lease:
            self.assertEqual(lease.saga_id, saga)
            lease.complete()
        with self.assertRaises(sagalog.Empty):
            with self.client.lease(queue=queue, owner="w1"):
                self.fail("there was nothing to claim")

    def test_a_dispatch_becomes_a_lease(self) -> None:
        saga = self.planned()
        token = self.client.dispatch(saga, "fleet").granted
        with self.client.lease(saga, owner="w1", dispatch_token=token) as lease:
            self.assertGreater(lease.token, token)
            lease.complete()

    def test_a_lease_that_is_held_already_is_only_kept_alive(self) -> None:
        saga, token = self.running(ttl="30s")
        with self.client.lease(saga, token=token, ttl="30s") as lease:
            self.store.advance("100s")
            self.assertEqual(lease.token, token)
        self.assertEqual(self.client.saga(saga).state, "running")
        with self.assertRaises(ValueError):
            self.client.lease(saga, token=token)

    def test_what_makes_no_sense_is_refused_before_anything_is_sent(self) -> None:
        for arguments in ({}, {"owner": "w1"}, {"queue": "q"},
                          {"saga_id": "T", "queue": "q", "owner": "w1"},
                          {"queue": "q", "owner": "w1", "dispatch_token": 3},
                          {"queue": "q", "token": 3, "ttl": "5s"}):
            with self.subTest(arguments), self.assertRaises(ValueError):
                self.client.lease(**arguments)

    def test_a_child_of_a_fork_leaves_it_to_its_parent(self) -> None:
        saga = self.planned()
        for error in (None, SystemExit(0), KeyError("price")):
            with self.subTest(error), contextlib.ExitStack() as stack:
                lease = stack.enter_context(self.client.lease(saga, owner="w1", ttl="30s"))
                stack.enter_context(lease.section("merge"))
                stack.enter_context(lease.effect(f"push {error}", "main@1"))
                before = self.types(saga)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Later releases dislike forks beside threads.
                    child = os.fork()
                if child == 0:
                    with contextlib.suppress(BaseException):
                        stack.__exit__(None if error is None else type(error), error, None)
                    os._exit(0)
                os.waitpid(child, 0)
                self.assertEqual(self.types(saga), before)
                lease.heartbeat("on")
                self.assertEqual(lease.saga.section["name"], "merge")

    # How it ends.

    def test_left_without_an_outcome_the_saga_goes_back(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s"):
            pass
        self.assertEqual((self.client.saga(saga).state, self.types(saga)[-1]),
                         ("planned", "released"))

    def test_left_by_an_error_the_saga_fails_with_it(self) -> None:
        for facts, status in (({}, "none"), ({"compensations": undo()}, "owed")):
            saga = self.planned(**facts)
            with self.assertRaisesRegex(KeyError, "price"):
                with self.client.lease(saga, owner="w1", ttl="30s"):
                    raise KeyError("price")
            after = self.client.saga(saga)
            self.assertEqual((after.state, after.reason, after.compensation_status),
                             ("failed", "KeyError: 'price'", status))

    def test_left_by_an_interrupt_the_saga_goes_back(self) -> None:
        saga = self.planned()
        with self.assertRaises(KeyboardInterrupt):
            with self.client.lease(saga, owner="w1", ttl="30s"):
                raise KeyboardInterrupt
        self.assertEqual(self.client.saga(saga).state, "planned")

    def test_how_it_is_left_may_be_chosen(self) -> None:
        for arguments, error, state in (({"on_error": "release"}, True, "planned"),
                                        ({"on_error": "keep"}, True, "running"),
                                        ({"on_leave": "keep"}, False, "running"),
                                        ({"on_leave": "complete"}, False, "completed")):
            saga = self.planned()
            try:
                with self.client.lease(saga, owner="w1", ttl="30s", **arguments):
                    if error:
                        raise ValueError("x")
            except ValueError:
                pass
            self.assertEqual(self.client.saga(saga).state, state, arguments)

    def test_every_outcome_ends_the_heartbeats(self) -> None:
        for end in ("complete", "fail", "compensate", "release"):
            saga = self.planned(compensations=undo())
            with self.client.lease(saga, owner="w1", ttl="30s") as lease:
                getattr(lease, end)()
                self.store.advance("60s")
                self.assertFalse(lease.lost.is_set())
            self.assertNotIn("heartbeated", self.types(saga))

    def test_an_error_behind_the_outcome_changes_nothing(self) -> None:
        saga = self.planned()
        with self.assertRaises(ValueError):
            with self.client.lease(saga, owner="w1", ttl="30s") as lease:
                lease.complete()
                raise ValueError
        self.assertEqual(self.client.saga(saga).state, "completed")

    def test_an_outcome_that_is_refused_leaves_the_lease_held(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s") as lease:
            with self.assertRaises(sagalog.CompensationMissing):
                lease.fail("red")
            self.store.advance("60s")
            lease.fail("red", no_compensation_reason="nothing was made")

    # How it is lost.

    def test_a_lease_that_was_taken_is_lost_at_the_next_heartbeat(self) -> None:
        saga = self.planned()
        told: List[sagalog.LeaseLost] = []
        with self.assertRaises(sagalog.LeaseLost):
            with self.client.lease(saga, owner="w1", ttl="30s", on_lost=told.append) as lease:
                self.client.force_release(saga, reason="stuck")
                lease.check()
                self.store.advance("10s")
                self.assertTrue(lease.lost.is_set())
                with self.assertRaises(sagalog.LeaseLost) as loss:
                    lease.check()
                self.assertIsInstance(loss.exception.cause, sagalog.StaleToken)
                with self.assertRaises(sagalog.LeaseLost):
                    lease.complete()
        self.assertEqual(len(told), 1)
        self.assertEqual(self.client.saga(saga).state, "planned")

    def test_a_lease_that_was_taken_is_lost_at_the_next_command(self) -> None:
        for command in ("complete", "heartbeat"):
            saga = self.planned()
            with self.assertRaises(sagalog.LeaseLost):
                with self.client.lease(saga, owner="w1", ttl="30s") as lease:
                    self.client.cancel(saga)
                    with self.assertRaises(sagalog.LeaseLost) as loss:
                        getattr(lease, command)()
                    self.assertIsInstance(loss.exception.cause, sagalog.TerminalSaga)
                    self.assertTrue(lease.lost.is_set())

    def test_the_error_of_a_body_that_lost_its_lease_stays(self) -> None:
        saga = self.planned()
        with self.assertRaises(ZeroDivisionError):
            with self.client.lease(saga, owner="w1", ttl="30s"):
                self.client.force_release(saga, reason="stuck")
                self.store.advance("10s")
                raise ZeroDivisionError
        self.assertEqual(self.client.saga(saga).state, "planned")

    def test_a_worker_that_slept_too_long_knows_it_without_asking(self) -> None:
        saga = self.planned()
        clock = SteppedClock()
        client = self.store.connect(clock=clock)
        with self.assertRaisesRegex(sagalog.LeaseLost, "not renewed in time"):
            with client.lease(saga, owner="w1", ttl="30s") as lease:
                # It is not the thread that has to find out.
                with clock._changed:
                    clock._micros += 30_000_000
                with self.assertRaises(sagalog.LeaseLost) as loss:
                    lease.check()
                self.assertIsNone(loss.exception.cause)
        self.assertEqual(self.client.saga(saga).state, "running")

    def test_a_store_out_of_reach_is_asked_until_the_lease_is_over(self) -> None:
        saga = self.planned()
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.start()
        self.addCleanup(proxy.close)
        clock = SteppedClock()
        client = sagalog.Client(proxy.address, clock=clock)
        self.addCleanup(client.close)
        with self.assertRaises(sagalog.LeaseLost):
            with client.lease(saga, owner="w1", ttl="30s") as lease:
                proxy.close()
                for _ in range(29):
                    clock.advance("1s")
                lease.check()
                clock.advance("1s")
                self.assertTrue(lease.lost.wait(PATIENCE))

    def test_a_daemon_killed_and_restarted_under_a_lease(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s") as lease:
            self.store.advance("15s")
            self.store.restart(kill=True)
            self.store.advance("60s")
            lease.check()
            self.store.stop()
            self.store.clock.advance("10s")
            self.assertFalse(lease.lost.is_set())
            self.store.start()
            self.store.advance("60s")
            lease.complete()
        self.assertEqual(self.client.saga(saga).state, "completed")

    def test_a_cancel_that_waits_for_the_section_is_told(self) -> None:
        saga = self.planned()
        told = threading.Event()
        with self.client.lease(saga, owner="w1", ttl="30s", on_cancel=told.set) as lease:
            with lease.section("deploy") as section:
                self.client.cancel(saga, reason="superseded")
                self.assertFalse(lease.cancel_pending)
                self.store.advance("10s")
                self.assertTrue(lease.cancel_pending)
                self.assertTrue(told.is_set())
                section.leave("deployed", final="completed")
        self.assertEqual(self.client.saga(saga).state, "completed")

    def test_a_callback_that_fails_ends_no_heartbeats(self) -> None:
        def fail(*arguments: object) -> None:
            raise ZeroDivisionError("in a callback")
        saga = self.planned()
        with self.assertLogs("sagalog") as log, self.assertRaises(sagalog.LeaseLost):
            with self.client.lease(saga, owner="w1", ttl="30s", on_cancel=fail,
                                   on_lost=fail) as lease:
                with lease.section("deploy"):
                    self.client.cancel(saga, reason="superseded")
                    self.store.advance("100s")
                    self.assertTrue(lease.cancel_pending)
                    lease.check()
                self.store.advance("10s")
                self.assertTrue(lease.lost.is_set())
        self.assertEqual(len(log.output), 2)
        self.assertEqual(self.client.saga(saga).state, "cancelled")

    # What its owner does.

    def test_commands_carry_its_token(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s") as lease:
            lease.advance_stage("", "built")
            lease.register_compensation("branch", kind="delete-branch", target=self.fresh(),
                                        when="always")
            lease.record_exit(0)
            lease.heartbeat(progress="half")
            self.assertEqual((lease.saga.stage, lease.saga.progress), ("built", "half"))
            with self.assertRaises(sagalog.StageConflict):
                lease.advance_stage("", "built")
            lease.complete("merged")
        self.assertEqual(self.client.saga(saga).compensation_status, "owed")

    def test_a_section_is_left_with_its_outcome(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s") as lease:
            with lease.section("deploy", max_age=timedelta(seconds=30)) as section:
                self.assertEqual(lease.saga.section.name, "deploy")
                section.outcome = "deployed"
            with self.assertRaises(OSError):
                with lease.section("deploy"):
                    raise OSError("no route")
            lease.complete()
        left = [event.body["outcome"] for event in self.client.history(saga)
                if event.type == "section_left"]
        self.assertEqual(left, ["deployed", "error: OSError: no route"])

    def test_an_effect_is_granted_once_and_settled(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="30s") as lease:
            with lease.effect("push", "main@1") as effect:
                effect.result = "abc"
            with self.assertRaises(sagalog.EffectSettled) as refusal:
                with lease.effect("push", "main@1"):
                    self.fail("granted twice")
            self.assertEqual(refusal.exception.result, "abc")
            with lease.effect("mail", "x") as effect:
                effect.settle("refused", "no such address")
            lease.complete()

    def test_an_effect_that_ends_in_an_error_is_in_doubt(self) -> None:
        saga = self.planned()
        with self.assertRaises(OSError):
            with self.client.lease(saga, owner="w1", ttl="30s") as lease:
                with lease.effect("push", "main@1"):
                    raise OSError("broken pipe")
        self.assertFalse(self.client.saga(saga).effects[0].settled)

    def test_it_is_entered_once_and_used_inside(self) -> None:
        lease = self.client.lease(self.planned(), owner="w1", ttl="30s")
        with self.assertRaises(RuntimeError):
            lease.token
        with lease:
            with self.assertRaises(RuntimeError):
                lease.__enter__()


class ScriptedLeaseTest(unittest.TestCase):
    def test_a_heartbeat_that_meets_the_end_of_its_own_lease_is_no_loss(self) -> None:
        clock = SteppedClock()

        def answer(request: bytes) -> bytes:
            if b":heartbeat" in request:
                return json_answer(b'{"code": "terminal", "saga_id": "T1"}', "409 Conflict")
            if b":complete" in request:
                # The store has ended the saga; before it says so, a heartbeat arrives.
                clock.advance("10s")
            return json_answer(b'{"outcome": "ok", "token": 3, "saga": {"saga_id": "T1", '
                               b'"heartbeat_at": "2030-01-01T00:00:00Z", '
                               b'"expires_at": "2030-01-01T00:00:30Z"}}')

        server = ScriptedServer(answer)
        server.start()
        self.addCleanup(server.close)
        with sagalog.Client(server.address, clock=clock) as client:
            with client.lease("T1", owner="w1", ttl="30s") as lease:
                lease.complete()
                self.assertFalse(lease.lost.is_set())
        self.assertEqual(sum(b":heartbeat" in request for request in server.requests), 1)

    def test_an_answer_that_makes_no_sense_ends_no_heartbeats(self) -> None:
        self._miss_one_beat(b'{"outcome": "ok", "saga": 7}', None)

    def test_an_error_that_nobody_foresaw_ends_no_heartbeats(self) -> None:
        with self.assertLogs("sagalog", "ERROR"):
            self._miss_one_beat(None, ZeroDivisionError("odd"))

    def _miss_one_beat(self, answer: Optional[bytes], error: Optional[Exception]) -> None:
        clock = SteppedClock()
        lease_json = (b'{"outcome": "ok", "token": 3, "saga": {"saga_id": "T1", "heartbeat_at": '
                      b'"2030-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:30Z"}}')
        beats = [json_answer(one) for one in (answer, lease_json) if one is not None]
        server = ScriptedServer(lambda request: beats.pop(0) if b":heartbeat" in request
                                else json_answer(lease_json))
        server.start()
        self.addCleanup(server.close)
        errors = [] if error is None else [error]
        with sagalog.Client(server.address, clock=clock) as client:
            send = client.send

            def fail_once(call: Any, **options: Any) -> Any:
                if errors and call.target.endswith(":heartbeat"):
                    raise errors.pop()
                return send(call, **options)

            client.send = fail_once  # type: ignore[method-assign]
            with client.lease("T1", owner="w1", ttl="30s") as lease:
                until = lease.held_until
                clock.advance("10s")
                clock.advance("19s")
                self.assertGreater(lease.held_until, until)
                lease.complete()


class RealTimeTest(StoreTestCase):
    """The clocks that people use."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.store = cls.enterClassContext(sagalog.testing.daemon(manual=False))
        cls.client = cls.store.client

    def test_a_heartbeat_is_sent_by_the_machines_clock(self) -> None:
        saga = self.planned()
        with self.client.lease(saga, owner="w1", ttl="3s") as lease:
            begun = lease.held_until
            for _ in range(600):
                if lease.held_until > begun or lease.lost.wait(0.05):
                    break
            self.assertGreater(lease.held_until, begun)
            lease.complete()


if __name__ == "__main__":
    unittest.main()

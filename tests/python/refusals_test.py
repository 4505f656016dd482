"""Every refusal has its class, with the facts; those that a healthy store gives come from one."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import unittest
from datetime import timedelta

import sagalog
from misbehaving_proxy import ScriptedServer, json_answer
from sagalog.errors import REFUSALS
from store_test_case import StoreTestCase, undo

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


class RefusalsTest(StoreTestCase):
    def test_not_found(self) -> None:
        with self.assertRaises(sagalog.NotFound) as refusal:
            self.client.saga("nobody")
        self.assertEqual((refusal.exception.code, refusal.exception.status,
                          refusal.exception.saga_id), ("not_found", 404, "nobody"))

    def test_invalid_argument(self) -> None:
        with self.assertRaises(sagalog.InvalidArgument) as refusal:
            self.client.acquire(self.planned(), {"owner": "w1", "pidd": 1})
        self.assertEqual(refusal.exception.subject, "owner.pidd")

    def test_lease_held(self) -> None:
        saga, _ = self.running()
        with self.assertRaises(sagalog.LeaseHeld) as caught:
            self.client.acquire(saga, "w2")
        refusal = caught.exception
        self.assertEqual((refusal.holder.owner, refusal.actual_state), ("w1", "running"))
        self.assertEqual(refusal.expires_at - refusal.since, timedelta(seconds=30))
        self.assertEqual(refusal.facts["holder"], {"owner": "w1"})
        self.assertNotIn("title", refusal.facts)
        self.assertEqual(refusal.problem["title"], "Conflict")
        self.assertIn("lease_held", str(refusal))

    def test_terminal(self) -> None:
        saga, token = self.running()
        self.client.complete(saga, token)
        with self.assertRaises(sagalog.TerminalSaga) as refusal:
            self.client.heartbeat(saga, token)
        self.assertEqual(refusal.exception.actual_state, "completed")

    def test_version_conflict(self) -> None:
        saga = self.planned()
        with self.assertRaises(sagalog.VersionConflict) as refusal:
            self.client.annotate(saga, "x", expected_version=7)
        self.assertEqual(refusal.exception.actual_version, 1)

    def test_request_conflict(self) -> None:
        saga, same = self.planned(), "0" * 31 + "1"
        self.client.annotate(saga, "x", request_id=same)
        self.assertTrue(self.client.annotate(saga, "x", request_id=same).replayed)
        with self.assertRaises(sagalog.RequestConflict):
            self.client.annotate(saga, "y", request_id=same)

    def test_stale_token_not_owner_and_lease_expired(self) -> None:
        saga, token = self.running()
        with self.assertRaises(sagalog.StaleToken):
            self.client.heartbeat(saga, token + 1000)
        with self.assertRaises(sagalog.NotOwner):
            self.client.heartbeat(saga, token, owner="w2")
        self.store.jump("31s")
        with self.assertRaises(sagalog.LeaseExpired):
            self.client.heartbeat(saga, token)

    def test_already_exists(self) -> None:
        saga = self.planned(key="k1")
        with self.assertRaises(sagalog.AlreadyExists) as refusal:
            self.client.plan(self.fresh(), key="k1")
        self.assertEqual(refusal.exception.saga_id, saga)

    def test_what_does_not_start(self) -> None:
        parked, late = self.planned(), self.planned(not_before="1h")
        self.client.park(parked)
        waiting = self.planned(depends_on=[parked])
        self.client.configure_queue("cold", frozen=True)
        self.client.configure_queue("full", limit=0)
        for saga, kind in ((parked, sagalog.Parked), (late, sagalog.NotBefore),
                           (waiting, sagalog.DependencyUnmet),
                           (self.planned(queue="cold"), sagalog.Frozen),
                           (self.planned(queue="full"), sagalog.LimitReached)):
            with self.subTest(kind.code), self.assertRaises(kind):
                self.client.acquire(saga, "w1")
        with self.assertRaises(sagalog.Empty):
            self.client.claim_next("nothing", "w1")

    def test_in_grace_after_the_store_was_away(self) -> None:
        saga, _ = self.running(ttl="10s")
        self.client.suspend_host("11s")
        with self.assertRaises(sagalog.InGrace) as refusal:
            self.client.acquire(saga, "w2")
        self.assertIsNotNone(refusal.exception.expires_at)
        self.store.jump("60s")

    def test_sections_and_cancels_stand_in_the_way(self) -> None:
        saga, token = self.running()
        self.client.enter_section(saga, token, "deploy")
        with self.assertRaises(sagalog.SectionOpen) as refusal:
            self.client.complete(saga, token)
        self.assertEqual(refusal.exception.subject, "deploy")
        self.client.cancel(saga)
        with self.assertRaises(sagalog.CancelPending):
            self.client.advance_stage(saga, token=token, expected="", next="x")

    def test_owner_dead_and_alive(self) -> None:
        process = {"owner": "w1", "host": "h", "boot_id": "b", "pid": 1, "pid_start": 2}
        saga = self.planned()
        self.client.acquire(saga, process, ttl="10s")
        self.store.jump("10s")
        self.client.report_owner(saga, process, verdict="alive")
        with self.assertRaises(sagalog.OwnerAlive):
            self.client.recover(saga, observed=self.client.saga(saga).version,
                                decision="requeue")
        self.client.report_owner(saga, process, verdict="dead")
        with self.assertRaises(sagalog.OwnerDead):
            self.client.acquire(saga, process)

    def test_stage_conflict(self) -> None:
        saga = self.planned(stage="built")
        with self.assertRaises(sagalog.StageConflict) as refusal:
            self.client.advance_stage(saga, expected="", next="x", actor="a")
        self.assertEqual(refusal.exception.actual_stage, "built")

    def test_effects(self) -> None:
        saga, token = self.running()
        self.client.begin_effect(saga, token, "push", "a")
        with self.assertRaises(sagalog.EffectBegun):
            self.client.begin_effect(saga, token, "push", "a")
        self.client.settle_effect(saga, "push", outcome="done", result="abc")
        with self.assertRaises(sagalog.EffectSettled) as refusal:
            self.client.begin_effect(saga, token, "push", "a")
        self.assertEqual(refusal.exception.result, "abc")

    def test_compensations(self) -> None:
        things = undo() + [{"id": "b", "kind": "delete-branch", "target": self.fresh()}]
        saga, token = self.running(compensations=things)
        with self.assertRaises(sagalog.Busy):
            self.planned(compensations=things)
        self.client.compensate(saga, token)
        with self.assertRaises(sagalog.CompensationOrder) as refusal:
            self.client.claim_compensation(saga, "wt", executor="x")
        self.assertEqual(refusal.exception.subject, "b")
        with self.assertRaises(sagalog.CompensationOwed):
            self.client.mark_compensated(saga)
        claim = self.client.claim_compensation(saga, "b", executor="x")
        self.client.settle_compensation(saga, "b", token=claim.granted, outcome="done")
        with self.assertRaises(sagalog.CompensationSettled):
            self.client.claim_compensation(saga, "b", executor="x")
        saga, token = self.running()
        with self.assertRaises(sagalog.CompensationMissing):
            self.client.fail(saga, token)

    def test_recoveries(self) -> None:
        saga, _ = self.running(ttl="10s")
        with self.assertRaises(sagalog.NotStale):
            self.client.recover(saga, observed=2, decision="fail")
        self.store.jump("10s")
        with self.assertRaises(sagalog.GateMissing):
            self.client.recover(saga, observed=2, decision="complete")

    def test_wrong_state(self) -> None:
        saga, _ = self.running()
        with self.assertRaises(sagalog.WrongState) as refusal:
            self.client.park(saga)
        self.assertEqual(refusal.exception.actual_state, "running")


class ScriptedRefusalsTest(unittest.TestCase):
    """Those that take a damaged, closed or flooded store, and what the way to it answers."""

    def ask(self, answer: bytes) -> sagalog.Status:
        server = ScriptedServer(lambda request: answer)
        server.start()
        self.addCleanup(server.close)
        client = sagalog.Client(server.address, retry=sagalog.NEVER)
        self.addCleanup(client.close)
        return client.status()

    def test_each_code_is_raised_as_its_class(self) -> None:
        for code, kind in REFUSALS.items():
            with self.subTest(code), self.assertRaises(kind) as refusal:
                self.ask(json_answer(json.dumps({"code": code, "status": 409}).encode(),
                                     "409 Conflict"))
            self.assertEqual(refusal.exception.code, code)

    def test_a_code_of_a_later_release_is_a_refusal(self) -> None:
        with self.assertRaises(sagalog.Refused) as refusal:
            self.ask(json_answer(b'{"code": "too_early", "detail": "x"}', "409 Conflict"))
        self.assertEqual((type(refusal.exception), refusal.exception.code),
                         (sagalog.Refused, "too_early"))

    def test_what_is_no_answer_of_a_store_is_unavailable(self) -> None:
        for answer in (b"SSH-2.0-OpenSSH\r\n\r\n", json_answer(b"<html>"), json_answer(b"[]"),
                       b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with self.subTest(answer), self.assertRaises(sagalog.Unavailable):
                self.ask(answer)

    def test_there_is_a_class_for_each_code_of_the_schema(self) -> None:
        with open(os.path.join(ROOT, "schema", "saga.fbs"), encoding="utf-8") as file:
            enum = re.search(r"enum RefusalCode : ubyte \{(.*?)\}", file.read(), re.S).group(1)
        codes = set(re.findall(r"[a-z_]+", enum)) - {"none"}
        self.assertEqual(set(REFUSALS), codes)
        for code, kind in REFUSALS.items():
            self.assertIs(getattr(sagalog, kind.__name__), kind, code)

    def test_refusals_travel_between_processes(self) -> None:
        refusal = sagalog.LeaseHeld({"code": "lease_held", "saga_id": "T1"})
        for twin in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
            self.assertEqual((type(twin), twin.saga_id), (sagalog.LeaseHeld, "T1"))


if __name__ == "__main__":
    unittest.main()

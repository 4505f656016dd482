"""Connections that break, at every place of a request and its answer: whatever happens, a command
is carried out once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import unittest

import sagalog
import sagalog.aio
from misbehaving_proxy import Fault, Proxy, ScriptedServer, json_answer
from store_test_case import StoreTestCase

QUICK = sagalog.Retry(attempts=4, first_pause=0.001)
# Refusals that may come before the store looks whether it has answered a request before.
BEFORE_THE_LOOK_UP = (
    ("overloaded", "429 Too Many Requests"), ("unauthenticated", "401 Unauthorized"),
    ("forbidden", "403 No"), ("read_only", "503 Unavailable"), ("corrupt", "503 Unavailable"))


class CountingClock(sagalog.Clock):
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0.0

    def now(self) -> float:
        self.asked += 1.0
        return self.asked


class BrokenConnectionTest(StoreTestCase):
    def through_proxy(self, *faults: Fault, **options: object) -> sagalog.Client:
        self.proxy = Proxy(os.path.join(self.store.directory, "socket"))
        self.proxy.faults += faults
        self.proxy.start()
        self.addCleanup(self.proxy.close)
        client = sagalog.Client(self.proxy.address, **{"retry": QUICK, **options})
        self.addCleanup(client.close)
        return client

    def test_a_command_is_carried_out_once_wherever_its_request_breaks(self) -> None:
        whole = len(self._request_of_an_annotation())
        for size in [0, 1, 20, whole // 2, whole - 1, whole]:
            saga = self.planned()
            client = self.through_proxy(Fault(request=size), Fault(request=size))
            with self.subTest(size):
                client.annotate(saga, "once")
                self.assertEqual(self.types(saga), ["planned", "annotated"])
                if size < whole:  # else the answer may have come before the connection broke
                    self.assertEqual(self.proxy.connections, 3)

    def test_a_command_is_carried_out_once_wherever_its_answer_breaks(self) -> None:
        for size in [0, 1, 9, 40, 120, 400]:
            saga = self.planned()
            client = self.through_proxy(Fault(answer=size), Fault(answer=size))
            with self.subTest(size):
                answer = client.annotate(saga, "once")
                self.assertEqual((answer.outcome, answer.replayed), ("ok", True))
                self.assertEqual(self.types(saga), ["planned", "annotated"])

    def test_a_claim_whose_answer_is_lost_takes_one_saga(self) -> None:
        queue = self.fresh()
        sagas = [self.planned(queue=queue) for _ in range(3)]
        client = self.through_proxy(Fault(answer=30))
        self.assertEqual(client.claim_next(queue, "w1").after.saga_id, sagas[0])
        self.assertEqual(self.client.queue(queue).slots_used, 1)

    def test_a_plan_whose_answer_is_lost_is_no_conflict_with_itself(self) -> None:
        client = self.through_proxy(Fault(answer=30))
        self.assertTrue(client.plan(self.fresh(), key=self.fresh()).replayed)

    def test_a_batch_whose_answer_is_lost_happens_once(self) -> None:
        saga = self.fresh()
        client = self.through_proxy(Fault(answer=30))
        result = client.batch([{"do": "plan", "saga_id": saga},
                               {"do": "annotate", "saga_id": saga, "text": "x"}], atomic=True)
        self.assertEqual([answer.replayed for answer in result.answers], [True, True])
        self.assertEqual(self.types(saga), ["planned", "annotated"])

    def test_a_lease_counts_from_the_first_sending(self) -> None:
        clock = CountingClock()
        client = self.through_proxy(Fault(answer=30), Fault(answer=30), clock=clock)
        answer = client.acquire(self.planned(), "w1", ttl="30s")
        self.assertEqual((answer.replayed, answer.sent_at), (True, 1.0))

    def test_what_could_happen_twice_is_not_sent_twice(self) -> None:
        client = self.through_proxy(Fault(answer=10))
        before = self.client.status().time
        with self.assertRaises(sagalog.Unavailable) as error:
            client.advance_clock("1s")
        self.assertTrue(error.exception.may_have_happened)
        self.assertEqual((self.client.status().time - before).total_seconds(), 1.0)
        self.assertEqual(self.proxy.connections, 1)

    def test_after_the_last_attempt_the_request_id_is_told(self) -> None:
        saga = self.planned()
        client = self.through_proxy(*[Fault(answer=10)] * 9)
        with self.assertRaises(sagalog.Unavailable) as error:
            client.annotate(saga, "once")
        self.assertEqual(self.proxy.connections, QUICK.attempts)
        answer = self.client.annotate(saga, "once", request_id=error.exception.request_id)
        self.assertTrue(answer.replayed)

    def test_a_connection_that_ended_while_idle_is_not_used(self) -> None:
        client = self.through_proxy(retry=sagalog.NEVER)
        for _ in range(3):
            client.status()
        self.assertEqual(self.proxy.connections, 1)
        self.proxy.break_all()
        with self.client_waits_for_the_end(client):
            client.advance_clock("1s")
        self.assertEqual(self.proxy.connections, 2)

    def client_waits_for_the_end(self, client: sagalog.Client) -> unittest.TestCase.subTest:
        """The end of a connection takes its while to arrive."""
        idle = client._transport._idle
        while idle and idle[0].is_quiet():
            time.sleep(0.005)
        return self.subTest("idle")

    def test_a_daemon_that_restarts_is_waited_for(self) -> None:
        saga = self.planned()
        self.client.status()
        self.store.restart(kill=True)
        self.client.annotate(saga, "after the crash")
        self.store.stop()
        with self.assertRaises(sagalog.Unavailable) as error:
            self.store.connect(retry=QUICK).annotate(saga, "while it is down")
        self.assertFalse(error.exception.may_have_happened)
        self.store.start()
        self.assertEqual(self.types(saga), ["planned", "annotated"])

    def _request_of_an_annotation(self) -> bytes:
        client = self.through_proxy()
        client.annotate(self.planned(), "once")
        return self.proxy.requests


class ScriptedRetryTest(unittest.TestCase):
    def serve(self, *answers: object) -> "tuple[sagalog.Client, ScriptedServer]":
        left = list(answers)
        server = ScriptedServer(lambda request: left.pop(0))
        server.start()
        self.addCleanup(server.close)
        client = sagalog.Client(server.address, retry=QUICK)
        self.addCleanup(client.close)
        return client, server

    def test_an_overloaded_store_is_asked_again_with_the_same_request(self) -> None:
        full = json_answer(b'{"code": "overloaded"}', "429 Too Many Requests")
        client, server = self.serve(full, full, json_answer(b'{"outcome": "ok"}'))
        self.assertEqual(client.annotate("T1", "x").outcome, "ok")
        self.assertEqual(len(set(server.requests)), 1)
        self.assertEqual(len(server.requests), 3)

    def test_another_refusal_is_final(self) -> None:
        client, server = self.serve(json_answer(b'{"code": "read_only"}', "503 Unavailable"))
        with self.assertRaises(sagalog.ReadOnly):
            client.annotate("T1", "x")
        self.assertEqual(len(server.requests), 1)

    def test_a_refusal_after_an_answer_was_lost_does_not_say_that_nothing_happened(self) -> None:
        for code, status in BEFORE_THE_LOOK_UP:
            refusal = json_answer(b'{"code": "%s"}' % code.encode(), status)
            client, server = self.serve(None, *[refusal] * 3)
            with self.subTest(code), self.assertRaises(sagalog.Unavailable) as error:
                client.annotate("T1", "x")
            self.assertTrue(error.exception.may_have_happened)
            self.assertEqual(error.exception.__cause__.code, code)
            # The same request again would tell; so would a refusal from behind that look.
            self.assertIn(error.exception.request_id.encode(), server.requests[0])
            client, _ = self.serve(None, *[refusal] * 3)
            with self.assertRaises(sagalog.REFUSALS[code]):
                client.status()
        client, _ = self.serve(None, json_answer(b'{"code": "terminal"}', "409 Conflict"))
        with self.assertRaises(sagalog.TerminalSaga):
            client.annotate("T1", "x")

    def test_a_batch_is_answered_when_all_of_its_commands_are(self) -> None:
        """Also with asyncio."""
        for code, _ in BEFORE_THE_LOOK_UP:
            answers = b'{"answers": [{"outcome": "ok"}, {"code": "%s"}]}' % code.encode()
            client, _ = self.serve(None, json_answer(answers))
            with self.subTest(code), self.assertRaises(sagalog.Unavailable) as error:
                client.batch([{"do": "annotate", "saga_id": "T1", "text": "x"}] * 2)
            self.assertTrue(error.exception.may_have_happened)
            self.assertEqual(error.exception.__cause__.code, code)
            _, server = self.serve(None, json_answer(answers))
            with self.subTest(code), self.assertRaises(sagalog.Unavailable):
                asyncio.run(self._batch_by_asyncio(server.address))
            client, _ = self.serve(json_answer(answers))  # nothing was lost
            self.assertEqual(client.batch([]).refusals[0].code, code)
        client, _ = self.serve(None, json_answer(b'{"answers": [{"code": "terminal"}]}'))
        self.assertEqual(client.batch([]).refusals[0].code, "terminal")

    async def _batch_by_asyncio(self, address: str) -> None:
        async with sagalog.aio.AsyncClient(address, retry=QUICK) as client:
            await client.batch([])

    def test_an_overloaded_store_is_named_when_the_time_is_up(self) -> None:
        full = json_answer(b'{"code": "overloaded"}', "429 Too Many Requests")
        server = ScriptedServer(lambda request: full)
        server.start()
        self.addCleanup(server.close)
        patient = sagalog.Retry(attempts=99, first_pause=3600, pause_max=3600)
        with sagalog.Client(server.address, retry=patient) as client:
            with self.assertRaises(sagalog.Overloaded):
                client.annotate("T1", "x")

    def test_an_answer_that_is_none_of_a_store_is_no_answer(self) -> None:
        for answer in (json_answer(b"<html>"), json_answer(b'{"live": 1}'), json_answer(b"[]"),
                       json_answer(b"{}"), json_answer(b'{"status": "ok"}'), json_answer(b""),
                       json_answer(b'{"outcome": "ok", "saga": {"planned_at": "soon"}}'),
                       json_answer(b'{"outcome": "ok", "saga": 5, "answers": 5, "items": 5}'),
                       json_answer(b"[" * 100_000), b"HTTP/1.1 \xb2\xb20 OK\r\n\r\n"):
            server = ScriptedServer(lambda request: answer)
            server.start()
            self.addCleanup(server.close)
            with sagalog.Client(server.address, retry=QUICK) as client:
                for ask in (lambda: client.plan("T1"), lambda: client.saga("T1").planned_at,
                            client.status, client.sagas, lambda: client.batch([]),
                            lambda: next(client.events()), lambda: next(client.audit_export(to=1))):
                    with self.subTest(answer[-60:]), contextlib.suppress(StopIteration):
                        with self.assertRaises(sagalog.Unavailable) as error:
                            ask()
                        self.assertTrue(error.exception.may_have_happened)

    def test_a_store_that_does_not_answer_is_unavailable_in_time(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        client = sagalog.Client(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.05)
        with self.assertRaises(sagalog.Unavailable) as error:
            client.annotate("T1", "x")
        self.assertTrue(error.exception.may_have_happened)

    def test_pauses_grow_up_to_their_limit(self) -> None:
        retry = sagalog.Retry(attempts=9, first_pause=1.0, pause_max=4.0)
        for failures, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (8, 4.0)):
            pauses = [retry.pause(failures) for _ in range(50)]
            self.assertLessEqual(max(pauses), longest)
            self.assertGreaterEqual(min(pauses), longest / 2)


if __name__ == "__main__":
    unittest.main()

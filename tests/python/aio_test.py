"""The client for asyncio: its own transport, the same answers."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
import unittest

import sagalog
import sagalog.aio
from misbehaving_proxy import Fault, Proxy, ScriptedServer, json_answer, make_certificate
from sagalog.testing import AsyncSteppedClock
from store_test_case import StoreTestCase, undo

QUICK = sagalog.Retry(attempts=4, first_pause=0.001)
PATIENCE = 60.0


class AsyncTestCase(StoreTestCase, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.clock = AsyncSteppedClock()
        self.aio = self.connect()

    def connect(self, where: object = None, **options: object) -> sagalog.aio.AsyncClient:
        client = sagalog.aio.AsyncClient(where or self.store.directory,
                                         **{"clock": self.clock, "retry": QUICK, **options})
        self.addAsyncCleanup(client.close)
        return client

    async def advance(self, seconds: float) -> None:
        """The store's time and the client's, with the heartbeats on the way."""
        while seconds > 0:
            step = await self.clock.step(seconds)
            await self.aio.advance_clock(step)
            await self.clock.advance(step)
            seconds -= step


class AsyncClientTest(AsyncTestCase):
    async def test_commands_and_queries(self) -> None:
        queue = self.fresh()
        saga = (await self.aio.plan(self.fresh(), queue=queue, labels={"a": "b"})).after.saga_id
        claimed = await self.aio.claim_next(queue, "w1", ttl="30s")
        self.assertEqual(claimed.after.saga_id, saga)
        with self.assertRaises(sagalog.LeaseHeld):
            await self.aio.acquire(saga, "w2")
        await self.aio.heartbeat(saga, claimed.granted, progress="half")
        self.assertEqual((await self.aio.saga(saga)).progress, "half")
        self.assertEqual([row.saga_id for row in await self.aio.sagas(queue=queue)], [saga])
        self.assertEqual([event.type for event in await self.aio.history(saga, limit=1)],
                         ["heartbeated"])
        self.assertEqual([row.saga_id async for row in
                          self.aio.each(self.aio.sagas, queue=queue, limit=1)], [saga])
        for query in (self.aio.stale, self.aio.compensations, self.aio.effects_in_doubt,
                      self.aio.sections, self.aio.owners):
            self.assertIsInstance((await query(limit=1)).sequence, int)
        self.assertEqual((await self.aio.queue(queue)).slots_used, 1)
        self.assertEqual((await self.aio.policy()).policy, {})
        self.assertEqual((await self.aio.status()).health, "open")
        self.assertEqual((await self.aio.health())["health"], "alive")
        self.assertEqual((await self.aio.ready())["health"], "ready")
        result = await self.aio.batch([{"do": "annotate", "saga_id": saga, "text": "x"}])
        self.assertEqual(result.answers[0].outcome, "ok")

    async def test_operation(self) -> None:
        self.assertTrue((await self.aio.verify())["ok"])
        await self.aio.rebuild()
        await self.aio.checkpoint()
        await self.aio.compact(older_than="1h")
        self.assertTrue((await self.aio.sweep(dry_run=True))["dry_run"])
        await self.aio.step_wall_clock("-1s")
        await self.aio.suspend_host("1s")
        with tempfile.TemporaryDirectory() as folder:
            await self.aio.backup(os.path.join(folder, "b"))

    async def test_it_has_all_that_the_blocking_client_has(self) -> None:
        names = {name for name in dir(sagalog.Client) if not name.startswith("_")}
        self.assertEqual(names - set(dir(sagalog.aio.AsyncClient)), set())

    async def test_many_at_once(self) -> None:
        saga = self.planned()
        await asyncio.gather(*(self.aio.annotate(saga, str(n)) for n in range(30)))
        self.assertEqual(len(await self.aio.history(saga)), 31)

    async def test_a_command_is_carried_out_once_wherever_the_connection_breaks(self) -> None:
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.start()
        self.addCleanup(proxy.close)
        for fault in ([Fault(request=size) for size in (0, 1, 60, 200)]
                      + [Fault(answer=size) for size in (0, 1, 40, 120, 400)]):
            saga = self.planned()
            proxy.faults[:] = [fault, fault]
            client = self.connect(proxy.address)
            await client.annotate(saga, "once")
            self.assertEqual(self.types(saga), ["planned", "annotated"])

    async def test_what_could_happen_twice_is_not_sent_twice(self) -> None:
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.faults.append(Fault(answer=10))
        proxy.start()
        self.addCleanup(proxy.close)
        with self.assertRaises(sagalog.Unavailable) as error:
            await self.connect(proxy.address).advance_clock("1s")
        self.assertTrue(error.exception.may_have_happened)
        self.assertEqual(proxy.connections, 1)

    async def test_connections_are_kept_and_replaced(self) -> None:
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.start()
        self.addCleanup(proxy.close)
        client = self.connect(proxy.address, retry=sagalog.NEVER)
        for _ in range(3):
            await client.status()
        self.assertEqual(proxy.connections, 1)
        proxy.break_all()
        while sagalog.aio.is_quiet(client._idle[0]):
            await asyncio.sleep(0.005)
        await client.advance_clock("1s")
        self.assertEqual(proxy.connections, 2)

    async def test_tls(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            certificate = make_certificate(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            proxy = Proxy(os.path.join(self.store.directory, "socket"), tls=context)
            proxy.start()
            self.addCleanup(proxy.close)
            client = self.connect(proxy.address, ca_file=certificate, bearer_token="t")
            self.assertEqual((await client.health())["health"], "alive")
            self.assertIn(b"Bearer t", proxy.requests)
            with self.assertRaisesRegex(sagalog.Unavailable, "certificate"):
                await self.connect(proxy.address).health()
            await client.close()

    async def test_a_store_that_does_not_answer(self) -> None:
        silent = ScriptedServer(lambda request: b"HTTP/1.1 200 OK\r\n")
        silent.start()
        self.addCleanup(silent.close)
        with self.assertRaises(sagalog.Unavailable) as error:
            await self.connect(silent.address, timeout=0.05).annotate("T", "x")
        self.assertTrue(error.exception.may_have_happened)
        with self.assertRaises(sagalog.Unavailable):
            await self.connect("/nowhere").status()

    async def test_an_overloaded_store_is_asked_again(self) -> None:
        answers = [json_answer(b'{"code": "overloaded"}', "429 Too Many Requests"),
                   json_answer(b'{"outcome": "ok"}')]
        server = ScriptedServer(lambda request: answers.pop(0))
        server.start()
        self.addCleanup(server.close)
        self.assertEqual((await self.connect(server.address).annotate("T", "x")).outcome, "ok")


class AsyncLeaseTest(AsyncTestCase):
    async def test_a_lease_is_kept_alive(self) -> None:
        saga = self.planned()
        async with self.aio.lease(saga, owner="w1", ttl="30s") as lease:
            await self.advance(100)
            lease.check()
            await lease.advance_stage("", "built")
            await lease.register_compensation("b", kind="k", target=self.fresh())
            await lease.record_exit(0)
            await lease.heartbeat(progress="half")
            async with lease.section("deploy") as section:
                section.outcome = "deployed"
            async with lease.effect("push", "x") as effect:
                effect.result = "abc"
            await lease.complete("merged")
        after = self.client.saga(saga)
        self.assertEqual((after.state, after.stage, after.effects[0].result),
                         ("completed", "built", "abc"))

    async def test_how_it_is_left(self) -> None:
        for error, state in ((None, "planned"), (ValueError("x"), "failed"),
                             (asyncio.CancelledError(), "planned")):
            saga = self.planned()
            try:
                async with self.aio.lease(saga, owner="w1", ttl="30s"):
                    if error is not None:
                        raise error
            except (ValueError, asyncio.CancelledError) as raised:
                self.assertIs(raised, error)
            self.assertEqual(self.client.saga(saga).state, state)
        for end in ("complete", "fail", "compensate", "release"):
            async with self.aio.lease(self.planned(compensations=undo()), owner="w1") as lease:
                await getattr(lease, end)()

    async def test_a_claim_a_dispatch_and_a_lease_that_is_held(self) -> None:
        queue = self.fresh()
        saga = self.planned(queue=queue)
        async with self.aio.lease(queue=queue, owner="w1", ttl="30s") as lease:
            self.assertEqual(lease.saga_id, saga)
            async with self.aio.lease(saga, token=lease.token, ttl="30s") as same:
                self.assertEqual(same.token, lease.token)
            await lease.release()
        token = self.client.dispatch(saga, "fleet").granted
        async with self.aio.lease(saga, owner="w1", dispatch_token=token) as lease:
            await lease.complete()

    async def test_a_lease_that_was_taken_is_lost(self) -> None:
        saga = self.planned()
        told = []
        with self.assertRaises(sagalog.LeaseLost) as loss:
            async with self.aio.lease(saga, owner="w1", ttl="30s", on_lost=told.append) as lease:
                self.client.force_release(saga, reason="stuck")
                await self.advance(10)
                self.assertTrue(lease.lost.is_set())
        self.assertIsInstance(loss.exception.cause, sagalog.StaleToken)
        self.assertEqual(len(told), 1)

    async def test_the_body_of_a_lost_lease_may_be_cancelled(self) -> None:
        saga = self.planned()

        async def work() -> None:
            async with self.aio.lease(saga, owner="w1", ttl="30s", cancel_on_lost=True):
                entered.set()
                await asyncio.Event().wait()
        entered = asyncio.Event()
        task = asyncio.ensure_future(work())
        await asyncio.wait_for(entered.wait(), PATIENCE)
        self.client.force_release(saga, reason="stuck")
        await self.advance(10)
        with self.assertRaises(sagalog.LeaseLost):
            await asyncio.wait_for(task, PATIENCE)

    async def test_a_store_out_of_reach_is_asked_until_the_lease_is_over(self) -> None:
        saga = self.planned()
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.start()
        self.addCleanup(proxy.close)
        client = self.connect(proxy.address)
        with self.assertRaisesRegex(sagalog.LeaseLost, "not renewed in time"):
            async with client.lease(saga, owner="w1", ttl="30s") as lease:
                proxy.close()
                for _ in range(29):
                    await self.clock.advance(1.0)
                lease.check()
                await self.clock.advance(1.0)
                self.assertTrue(lease.lost.is_set())

    async def test_a_refused_outcome_leaves_it_held(self) -> None:
        async with self.aio.lease(self.planned(), owner="w1", ttl="30s") as lease:
            with self.assertRaises(sagalog.CompensationMissing):
                await lease.fail()
            with self.assertRaises(sagalog.StageConflict):
                await lease.advance_stage("x", "y")
            self.client.cancel(lease.saga_id)
            with self.assertRaises(sagalog.LeaseLost):
                await lease.heartbeat()
            with self.assertRaises(sagalog.LeaseLost):
                await lease.complete()
            lease.holding.ended = True  # So that leaving is no matter here.

    async def test_a_cancel_that_waits_for_the_section_is_told(self) -> None:
        told = asyncio.Event()
        async with self.aio.lease(self.planned(), owner="w1", ttl="30s",
                                  on_cancel=told.set) as lease:
            async with lease.section("deploy") as section:
                self.client.cancel(lease.saga_id)
                await self.advance(10)
                self.assertTrue(lease.cancel_pending and told.is_set())
                await section.leave("deployed", final="completed")


if __name__ == "__main__":
    unittest.main()

"""What keeps the record, and who reads it: queues in a list, readers' places, redaction."""

from __future__ import annotations

import asyncio
import unittest

import sagalog
import sagalog.aio
from store_test_case import StoreTestCase


class KeepingTest(StoreTestCase):
    def test_queues_are_listed(self) -> None:
        for queue in ("b", "a"):
            self.planned(queue=queue)
        self.client.configure_queue("c", limit=3)
        found = {row.queue: row for row in self.client.each(self.client.queues, limit=1)}
        self.assertEqual([name for name in found if name != "default"], ["a", "b", "c"])
        self.assertEqual((found["a"].planned, found["c"].limit), (1, 3))

    def test_readers_keep_their_places(self) -> None:
        last = self.client.plan(self.fresh()).sequence
        self.assertEqual(self.client.place_reader("mirror", last)["outcome"], "ok")
        self.assertEqual(self.client.place_reader("mirror", last)["outcome"], "unchanged")
        self.store.restart(kill=True)
        found = [(row.reader, row.position) for row in self.client.readers()]
        self.assertEqual(found, [("mirror", last)])
        with self.assertRaises(sagalog.InvalidArgument):
            self.client.place_reader("mirror", last + 1000)
        self.client.remove_reader("mirror")
        self.assertEqual(len(self.client.readers()), 0)
        with self.assertRaises(sagalog.NotFound):
            self.client.remove_reader("mirror")

    def test_a_secret_is_taken_out(self) -> None:
        saga = self.planned(issue="the password is hunter2")
        sequence, same = self.client.saga(saga).sequence, "0" * 31 + "7"
        for replayed in (False, True):
            answer = self.client.redact(sequence, reason="a password", actor="ada",
                                        request_id=same)
            self.assertEqual((answer["outcome"], answer["replayed"], answer["redacted"]),
                             ("ok", replayed, sequence))
        with self.assertRaises(sagalog.RequestConflict):
            self.client.redact(sequence, reason="another", request_id=same)
        self.assertNotIn("hunter2", str([event.json for event in self.client.events()]))
        self.assertEqual(self.client.saga(saga).state, "planned")
        self.assertTrue(self.client.verify()["ok"])

    def test_the_same_with_asyncio(self) -> None:
        async def keep() -> None:
            async with sagalog.aio.AsyncClient(self.store.directory) as client:
                sequence = (await client.plan(self.fresh(), queue="aio")).sequence
                self.assertIn("aio", [row.queue async for row in client.each(client.queues)])
                await client.place_reader("aio", sequence)
                self.assertIn("aio", [row.reader for row in await client.readers()])
                await client.remove_reader("aio")
                answer = await client.redact(sequence, reason="a password")
                self.assertEqual(answer["redacted"], sequence)
                self.assertIn("sagalog_commands_total", await client.metrics())
        asyncio.run(keep())


if __name__ == "__main__":
    unittest.main()

"""Following the events of a real store, and reading what one has just written."""

from __future__ import annotations

import asyncio
import os
import threading
import unittest
from typing import List

import sagalog
import sagalog.aio
from misbehaving_proxy import Fault, Proxy
from store_test_case import StoreTestCase

QUICK = sagalog.Retry(attempts=50, first_pause=0.001, pause_max=0.1)


class FollowingTest(StoreTestCase):
    def last(self) -> int:
        return self.client.status().last_sequence

    def proxy(self, *faults: Fault) -> Proxy:
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.faults += faults
        proxy.start()
        self.addCleanup(proxy.close)
        return proxy

    def connect(self, where: str) -> sagalog.Client:
        client = sagalog.Client(where, retry=QUICK)
        self.addCleanup(client.close)
        return client

    def test_what_comes_is_followed(self) -> None:
        saga = self.planned()
        with self.client.events(self.last(), follow=True) as stream:
            self.assertEqual((next(stream).type, stream.next_sequence),
                             ("planned", self.last() + 1))
            token = self.client.acquire(saga, "w1").granted
            leased = next(stream)
            self.assertEqual((leased.type, leased.saga_id, leased.body["token"]),
                             ("leased", saga, token))
            self.client.complete(saga, token)
            self.assertEqual((next(stream).type, stream.next_sequence),
                             ("terminal", self.last() + 1))

    def test_types_and_saga_choose(self) -> None:
        begin = self.last() + 1
        other = self.planned()
        saga, token = self.running()
        self.client.annotate(other, "x")
        self.client.heartbeat(saga, token, progress="half")
        self.client.complete(saga, token)
        self.assertEqual([(event.saga_id, event.type) for event in
                          self.client.events(begin, types=["planned", "terminal"])],
                         [(other, "planned"), (saga, "planned"), (saga, "terminal")])
        self.assertEqual([event.type for event in self.client.events(saga=saga)],
                         ["planned", "leased", "heartbeated", "terminal"])
        self.assertEqual([event.type for event in
                          self.client.events(begin, types=["annotated"], saga=other)],
                         ["annotated"])

    def test_what_cannot_be_is_refused(self) -> None:
        for arguments in ({"types": ["of_no_kind"]}, {"from_": self.last() + 1_000_000}):
            with self.subTest(arguments), self.assertRaises(sagalog.InvalidArgument):
                next(self.client.events(**arguments))

    def test_a_dropped_connection_loses_and_repeats_nothing(self) -> None:
        saga = self.planned()
        proxy = self.proxy()
        with self.connect(proxy.address).events(self.last(), follow=True) as stream:
            found = [next(stream)]
            for number in range(30):
                self.client.annotate(saga, str(number))
                if number % 7 == 3:
                    proxy.break_all()
                if number % 2:
                    found.append(next(stream))
            while len(found) < 31:
                found.append(next(stream))
        self.assertGreater(proxy.connections, 3)
        self.assertEqual([event.body.get("text") for event in found[1:]],
                         [str(number) for number in range(30)])
        sequences = [event.sequence for event in found]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + 31)))

    def test_an_answer_cut_at_any_byte_loses_and_repeats_nothing(self) -> None:
        begin = self.last() + 1
        saga = self.planned()
        for number in range(3):
            self.client.annotate(saga, str(number))
        whole = self.proxy()
        wanted = [event.sequence for event in self.connect(whole.address).events(begin)]
        self.assertEqual(len(wanted), 4)
        for size in range(0, whole.answered_bytes, 97):
            proxy = self.proxy(Fault(answer=size), Fault(answer=size // 2))
            found = [event.sequence for event in self.connect(proxy.address).events(begin)]
            self.assertEqual(found, wanted, f"cut at {size}")

    def test_a_store_that_is_killed_and_one_that_stops_are_followed_on(self) -> None:
        saga = self.planned()
        with self.store.connect(retry=QUICK).events(self.last(), follow=True) as stream:
            found = [next(stream)]
            for number in range(4):
                self.client.annotate(saga, f"before {number}")
                self.store.restart(kill=number % 2 == 0)
                self.client.annotate(saga, f"after {number}")
            last = self.last()
            while found[-1].sequence < last:
                found.append(next(stream))
        sequences = [event.sequence for event in found]
        self.assertEqual(sequences, list(range(sequences[0], last + 1)))
        texts = [event.body["text"] for event in found if event.type == "annotated"]
        self.assertEqual(texts, [f"{when} {number}" for number in range(4)
                                 for when in ("before", "after")])

    def test_asyncio_follows_in_the_same_way(self) -> None:
        saga = self.planned()
        begin, proxy = self.last(), self.proxy()

        async def follow() -> List[str]:
            texts: List[str] = []
            async with sagalog.aio.AsyncClient(proxy.address, retry=QUICK) as client:
                events = client.events(begin, follow=True, types=["annotated"])
                for number in range(20):
                    await client.annotate(saga, str(number))
                    texts.append((await events.__anext__()).body["text"])
                    if number % 6 == 2:
                        proxy.break_all()
                    if number % 9 == 4:
                        await asyncio.to_thread(self.store.restart, kill=True)
                await events.aclose()
            return texts
        self.assertEqual(asyncio.run(follow()), [str(number) for number in range(20)])
        self.assertEqual(len(self.types(saga)), 21)

    def test_a_read_waits_for_what_was_written_elsewhere(self) -> None:
        saga, later = self.planned(), self.last() + 1
        read: List[int] = []

        def look() -> None:
            # Patient: how soon the other thread gets its turn is not what this is about.
            read.append(self.client.saga(saga, min_sequence=later).version)
        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.client.annotate(saga, "x")
        for thread in threads:
            thread.join()
        self.assertEqual(read, [2] * 4)
        for query in (self.client.sagas, self.client.stale, self.client.compensations,
                      self.client.effects_in_doubt, self.client.sections, self.client.owners):
            self.assertGreaterEqual(query(min_sequence=later).sequence, later)


if __name__ == "__main__":
    unittest.main()

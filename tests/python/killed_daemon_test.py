"""kill -9 of the daemon under many clients: what was acknowledged is there, nothing is doubled."""

from __future__ import annotations

import asyncio
import collections
import threading
import unittest
from typing import Any, Counter, Dict, List, Tuple

import sagalog
import sagalog.aio
import sagalog.testing
from store_test_case import StoreTestCase

WORKERS = 6
KILLS = 4
STEPS_BETWEEN_KILLS = 60
# Until the store is back, however slow the machine.
PATIENT = {"retry": sagalog.Retry(attempts=100_000, first_pause=0.01, pause_max=0.1),
           "timeout": 300.0}
LIFE = ["planned", "leased", "heartbeated", "terminal"]


class Workers:
    """What the workers were told, and how far they are together."""

    def __init__(self) -> None:
        self.enough = False
        self._changed = threading.Condition()
        self._steps = 0
        self._failures: List[BaseException] = []
        # By saga: the event's type and the sequence that was acknowledged.
        self.acknowledged: Dict[str, List[Tuple[str, int]]] = collections.defaultdict(list)

    def acknowledge(self, kind: str, answer: sagalog.Answer) -> None:
        with self._changed:
            self.acknowledged[answer.after.saga_id].append((kind, answer.sequence))
            self._steps += 1
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        with self._changed:
            self._failures.append(error)
            self._changed.notify_all()

    def await_steps(self, count: int) -> None:
        with self._changed:
            wanted = self._steps + count
            reached = self._changed.wait_for(
                lambda: self._steps >= wanted or self._failures, timeout=300)
            if self._failures:
                raise self._failures[0]
            if not reached:
                raise TimeoutError("the workers do not get on")


class KilledDaemonTest(StoreTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        arguments = ["--listen", "127.0.0.1:0", "--insecure"]
        cls.store = cls.enterClassContext(sagalog.testing.daemon(arguments=arguments))
        cls.client = cls.store.client
        # The same port again after each restart.
        arguments[1] = cls.store.addresses[0].partition("://")[2]
        cls.store.arguments[:] = arguments

    def kill_under(self, workers: Workers, threads: List[threading.Thread]) -> None:
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                workers.await_steps(STEPS_BETWEEN_KILLS)
                self.store.restart(kill=True)
            workers.await_steps(STEPS_BETWEEN_KILLS)
        finally:
            workers.enough = True
            for thread in threads:
                thread.join()

    def check(self, workers: Workers) -> None:
        """Each acknowledged event stands where it was said to, and each happened once."""
        happened: Dict[str, List[Tuple[str, int]]] = collections.defaultdict(list)
        sequences = []
        for event in self.client.events():
            sequences.append(event.sequence)
            if event.saga_id in workers.acknowledged:
                happened[event.saga_id].append((event.type, event.sequence))
        self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        self.assertGreater(len(workers.acknowledged), WORKERS)
        for saga, told in workers.acknowledged.items():
            # Who plans one may hear of it after who claims it.
            acknowledged = sorted(told, key=lambda step: step[1])
            self.assertEqual(happened[saga], acknowledged, saga)
            self.assertEqual([kind for kind, _ in acknowledged], LIFE)
            self.assertEqual(self.client.saga(saga).state, "completed")
        self.assertTrue(self.client.verify()["ok"])

    def test_many_clients_on_threads(self) -> None:
        workers = Workers()

        def work(number: int) -> None:
            # Half of them over the Unix socket, half over TCP.
            where = self.store.directory if number % 2 else self.store.addresses[0]
            try:
                with sagalog.Client(where, **PATIENT) as client:
                    lives = 0
                    while not workers.enough:
                        saga, lives = f"thread-{number}-{lives}", lives + 1
                        workers.acknowledge("planned", client.plan(saga, key=f"key-{saga}"))
                        leased = client.acquire(saga, f"w{number}", ttl="1h")
                        workers.acknowledge("leased", leased)
                        token = leased.granted
                        workers.acknowledge("heartbeated",
                                            client.heartbeat(saga, token, progress="half"))
                        workers.acknowledge("terminal", client.complete(saga, token))
            except BaseException as error:
                workers.fail(error)
        self.kill_under(workers, [threading.Thread(target=work, args=(number,))
                                  for number in range(WORKERS)])
        self.check(workers)

    def test_many_clients_of_one_queue_in_an_event_loop(self) -> None:
        """A claim takes whatever is next, so one that was carried out twice would take two."""
        workers = Workers()

        async def plan(client: sagalog.aio.AsyncClient, number: int) -> None:
            lives = 0
            while not workers.enough:
                saga, lives = f"task-{number}-{lives}", lives + 1
                workers.acknowledge("planned", await client.plan(saga, queue="tasks"))
                claim = await client.claim_next("tasks", f"w{number}", ttl="1h")
                workers.acknowledge("leased", claim)
                claimed, token = claim.after.saga_id, claim.granted
                workers.acknowledge("heartbeated",
                                    await client.heartbeat(claimed, token, progress="half"))
                workers.acknowledge("terminal", await client.complete(claimed, token))

        async def all_of_them() -> None:
            async with sagalog.aio.AsyncClient(self.store.directory, **PATIENT) as client:
                await asyncio.gather(*(plan(client, number) for number in range(WORKERS)))

        def run() -> None:
            try:
                asyncio.run(all_of_them())
            except BaseException as error:
                workers.fail(error)
        self.kill_under(workers, [threading.Thread(target=run)])
        self.check(workers)
        # Whoever plans one takes one: none is left, and none was taken twice.
        self.assertEqual(self.client.queue("tasks").planned, 0)

    def test_leases_outlive_the_kills(self) -> None:
        """Heartbeats by themselves, on the clock that is moved by hand."""
        saga, client = self.planned(), self.store.connect(**PATIENT)
        with client.lease(saga, owner="w1", ttl="30s") as lease:
            for number in range(KILLS):
                self.store.advance("25s")
                self.store.restart(kill=True)
                lease.advance_stage(str(number) if number else "", str(number + 1))
            lease.complete()
        kinds: Counter[Any] = collections.Counter(self.types(saga))
        self.assertEqual((kinds["leased"], kinds["stage_advanced"], kinds["terminal"]),
                         (1, KILLS, 1))
        self.assertGreaterEqual(kinds["heartbeated"], KILLS)


if __name__ == "__main__":
    unittest.main()

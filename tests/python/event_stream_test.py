"""Streams of events that break and are taken up again, from a server that does as it is told."""

from __future__ import annotations

import json
import threading
import unittest
from typing import List, Optional, Tuple

import sagalog
import sagalog.aio
from misbehaving_proxy import ScriptedServer, json_answer

QUICK = sagalog.Retry(attempts=4, first_pause=0.001)
PATIENCE = 60.0


def line(sequence: int) -> bytes:
    return json.dumps({"sequence": sequence, "saga_id": "T1", "type": "annotated"}).encode() + b"\n"


def chunks(*parts: bytes) -> bytes:
    """The beginning of an answer in chunks."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


END = b"0\r\n\r\n"


class Breaking(ScriptedServer):
    """Answers each connection with the next of its answers, and ends it."""

    def __init__(self, answers: List[bytes]) -> None:
        self.answers = answers
        super().__init__(lambda request: None)

    def serve(self, connection: object) -> None:
        answer = self.answers.pop(0) if self.answers else b""
        request = b""
        while b"\r\n\r\n" not in request:
            data = connection.recv(65536)
            if not data:
                return
            request += data
        self.requests.append(request.split(b"\r\n")[0])
        connection.sendall(answer)


class EventStreamTest(unittest.TestCase):
    def serve(self, *answers: bytes) -> sagalog.Client:
        self.server = Breaking(list(answers))
        self.server.start()
        self.addCleanup(self.server.close)
        client = sagalog.Client(self.server.address, retry=QUICK)
        self.addCleanup(client.close)
        return client

    def sequences(self, stream: sagalog.EventStream) -> List[int]:
        return [event.sequence for event in stream]

    def test_events_end_where_the_log_ends(self) -> None:
        client = self.serve(chunks(line(5), line(6)) + END)
        self.assertEqual(self.sequences(client.events(5)), [5, 6])
        self.assertEqual(self.server.requests, [b"GET /v1/events?from=5 HTTP/1.1"])

    def test_the_end_may_come_together_with_the_last_event(self) -> None:
        """On a connection that stays open, where nothing more would ever come."""
        server = ScriptedServer(lambda request: chunks(line(5), line(6)) + END)
        server.start()
        self.addCleanup(server.close)
        with sagalog.Client(server.address, retry=QUICK) as client:
            stream = client.events(5)
            self.assertEqual(self.sequences(stream), [5, 6])
            self.assertEqual(self.sequences(stream), [], "an end is an end")
        self.assertEqual(len(server.requests), 1)

    def test_a_full_store_is_asked_again(self) -> None:
        full = json_answer(b'{"code": "overloaded"}', "429 Too Many Requests")
        client = self.serve(chunks(line(1)), full, full, chunks(line(2)) + END)
        self.assertEqual(self.sequences(client.events()), [1, 2])

    def test_a_break_at_any_byte_loses_and_repeats_nothing(self) -> None:
        whole = chunks(line(1) + line(2), b"\n", line(3))
        for size in range(0, len(whole), 7):
            client = self.serve(whole[:size], chunks(line(1), line(2), line(3), line(4)) + END)
            with self.subTest(size):
                self.assertEqual(self.sequences(client.events()), [1, 2, 3, 4])

    def test_it_goes_on_behind_the_last_event(self) -> None:
        client = self.serve(chunks(line(7), line(9)), chunks(line(10)) + END)
        stream = client.events(7, types=["annotated", "leased"], saga="T1")
        self.assertEqual(self.sequences(stream), [7, 9, 10])
        self.assertEqual([request.split(b" ")[1] for request in self.server.requests],
                         [b"/v1/events?from=%d&type=annotated%%2Cleased&saga=T1" % n
                          for n in (7, 10)])

    def test_a_follower_outlives_the_end_of_its_server(self) -> None:
        client = self.serve(chunks(line(1)) + END, chunks(line(2)), b"", chunks(line(3)))
        stream = client.events(follow=True)
        self.assertEqual([next(stream).sequence for _ in range(3)], [1, 2, 3])
        self.assertIn(b"follow=true", self.server.requests[0])
        stream.close()
        self.assertEqual(list(stream), [])

    def test_who_cannot_be_reached_again_is_unavailable(self) -> None:
        client = self.serve(chunks(line(1)))
        stream = client.events(follow=True)
        with self.assertRaises(sagalog.Unavailable):
            self.sequences(stream)
        self.assertEqual(stream.next_sequence, 2)

    def test_a_refusal_is_raised(self) -> None:
        client = self.serve(json_answer(b'{"code": "forbidden"}', "403 Forbidden"))
        with self.assertRaises(sagalog.Forbidden):
            next(client.events())
        with self.assertRaises(ValueError):
            client.events(0)

    def test_another_thread_ends_it(self) -> None:
        silent = ScriptedServer(lambda request: chunks(line(1)))
        silent.start()
        self.addCleanup(silent.close)
        client = sagalog.Client(silent.address, retry=QUICK)
        with client.events(follow=True) as stream:
            self.assertEqual(next(stream).sequence, 1)
            threading.Timer(0.02, stream.close).start()
            self.assertEqual(list(stream), [])

    def test_silence_beyond_what_is_allowed_is_a_break(self) -> None:
        silent = ScriptedServer(lambda request: chunks(line(1) if b"from=1&" in request
                                                       else line(2)))
        silent.start()
        self.addCleanup(silent.close)
        with sagalog.Client(silent.address, retry=QUICK).events(
                follow=True, quiet_max=0.02) as stream:
            self.assertEqual([next(stream).sequence for _ in range(2)], [1, 2])


class AsyncEventsTest(unittest.IsolatedAsyncioTestCase):
    async def read(self, *answers: bytes,
                   **options: object) -> Tuple[List[int], Optional[Exception]]:
        server = Breaking(list(answers))
        server.start()
        self.addCleanup(server.close)
        events: List[int] = []
        async with sagalog.aio.AsyncClient(server.address, retry=QUICK) as client:
            try:
                async for event in client.events(**options):
                    events.append(event.sequence)
            except sagalog.SagalogError as error:
                return events, error
        return events, None

    async def test_a_break_loses_and_repeats_nothing(self) -> None:
        whole = chunks(line(1) + line(2), b"\n", line(3))
        for size in range(0, len(whole), 40):
            events, error = await self.read(whole[:size], chunks(line(1), line(2), line(3)) + END)
            self.assertEqual((events, error), ([1, 2, 3], None))

    async def test_a_follower_goes_on_until_nobody_answers(self) -> None:
        events, error = await self.read(chunks(line(1)) + END, chunks(line(2)), follow=True)
        self.assertEqual(events, [1, 2])
        self.assertIsInstance(error, sagalog.Unavailable)

    async def test_a_full_store_is_asked_again(self) -> None:
        full = json_answer(b'{"code": "overloaded"}', "429 Too Many Requests")
        self.assertEqual(await self.read(chunks(line(1)), full, full, chunks(line(2)) + END),
                         ([1, 2], None))

    async def test_a_refusal_is_raised(self) -> None:
        _, error = await self.read(json_answer(b'{"code": "forbidden"}', "403 Forbidden"))
        self.assertIsInstance(error, sagalog.Forbidden)


if __name__ == "__main__":
    unittest.main()

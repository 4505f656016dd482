"""The parser of answers, byte by byte."""

from __future__ import annotations

import unittest
from typing import Tuple
from unittest import mock

import sagalog.http1
from sagalog.http1 import (
    LineReader, ProtocolError, ResponseParser, add_to_body, encode_request)

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n\r\n")
UNTIL_THE_END = b"HTTP/1.0 200 OK\r\n\r\nhello"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN


def parse(data: bytes, size: int) -> Tuple[ResponseParser, bytes]:
    parser, body = ResponseParser(), b""
    for start in range(0, len(data), size):
        parser.feed(data[start:start + size])
        body += parser.take_body()
    return parser, body


class ResponseParserTest(unittest.TestCase):
    def test_answers_arrive_in_parts_of_any_size(self) -> None:
        for data in (PLAIN, CHUNKED, CONTINUED):
            for size in range(1, len(data) + 1):
                parser, body = parse(data, size)
                self.assertEqual((parser.status, parser.done, parser.keep_alive, body),
                                 (200, True, True, b"hello"))

    def test_an_answer_may_end_with_its_connection(self) -> None:
        parser, body = parse(UNTIL_THE_END, 7)
        self.assertFalse(parser.done)
        parser.feed(b"")
        self.assertEqual((parser.done, parser.keep_alive, body), (True, False, b"hello"))

    def test_an_answer_that_is_cut_is_an_error_at_every_byte(self) -> None:
        for data in (PLAIN, CHUNKED):
            for size in range(len(data)):
                parser, _ = parse(data[:size], 1000)
                with self.assertRaises(ProtocolError):
                    parser.feed(b"")

    def test_a_connection_that_is_to_close_is_not_kept(self) -> None:
        parser, _ = parse(b"HTTP/1.1 429 X\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", 99)
        self.assertEqual((parser.done, parser.keep_alive), (True, False))
        parser, body = parse(PLAIN + b"more", 99)
        self.assertEqual((parser.keep_alive, body), (False, b"hello"))

    def test_what_has_no_end_is_refused(self) -> None:
        for data in (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000,
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70000):
            with self.assertRaises(ProtocolError):
                parse(data, 4096)

    def test_what_only_looks_like_a_number_is_none(self) -> None:
        for data in ("HTTP/1.1 ²²0 OK", "HTTP/1.1 99 OK", "HTTP/1.1 2000 OK",
                     "HTTP/1.1 200 OK\r\nContent-Length: ²",
                     "HTTP/1.1 200 OK\r\nContent-Length: +5",
                     "HTTP/1.1 200 OK\r\nContent-Length: " + "9" * 5000):
            with self.subTest(data[:50]), self.assertRaises(ProtocolError):
                parse(data.encode("latin-1") + b"\r\n\r\n", 4096)
        for size in (b"-5", b"+5", b"0x5", b"1_0", b"", b"g", b"f" * 5000):
            with self.subTest(size), self.assertRaises(ProtocolError):
                parse(CHUNKED.replace(b"2\r\nhe", size + b"\r\nhe"), 4096)

    def test_what_comes_before_an_answer_has_an_end(self) -> None:
        for count, fits in ((16, True), (17, False), (3000, False)):
            for size in (100, 100_000):
                data = b"HTTP/1.1 100 Continue\r\n\r\n" * count + PLAIN
                if fits:
                    self.assertEqual(parse(data, size)[1], b"hello")
                    continue
                with self.assertRaises(ProtocolError):
                    parse(data, size)

    def test_json_that_is_too_deep_is_none(self) -> None:
        for text in (b"[" * 200_000, b'{"a":' * 120_000):
            with self.assertRaises(ProtocolError):
                ResponseParser().json(text)

    def test_a_whole_answer_is_bounded(self) -> None:
        body = bytearray(b"x" * 6)
        with mock.patch.object(sagalog.http1, "BODY_SIZE_MAX", 8):
            add_to_body(body, b"yy")
            with self.assertRaises(ProtocolError):
                add_to_body(body, b"z")
        self.assertEqual(body, b"xxxxxxyy")

    def test_a_request_has_no_line_breaks_of_others(self) -> None:
        with self.assertRaises(ValueError):
            encode_request("GET", "/x\r\nEvil: 1", "localhost", None, {})
        self.assertEqual(encode_request("PUT", "/x", "h", b"{}", {"A": "b"}),
                         b"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 2\r\nA: b\r\n\r\n{}")

    def test_lines_arrive_in_parts(self) -> None:
        reader = LineReader()
        self.assertEqual(reader.feed(b"a\nb"), [b"a"])
        self.assertEqual(reader.feed(b"c\n\nd"), [b"bc", b""])


if __name__ == "__main__":
    unittest.main()

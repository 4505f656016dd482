"""HTTP/1.1 as the store speaks it, without any input or output: bytes of a request, and a parser
that is fed the bytes of the answer as they come."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

HEAD_SIZE_MAX = 65536
# What an answer that is read as a whole may have; a stream has no end and no limit.
BODY_SIZE_MAX = 1 << 30
# Of "100 Continue" and its like, which come before the answer.
INTERIM_ANSWERS_MAX = 16


class ProtocolError(Exception):
    """What came is no HTTP of the store's kind."""


@contextlib.contextmanager
def answers_of_a_store() -> Iterator[None]:
    """Reading JSON that is not what a store answers is no error of the program that asked."""
    try:
        yield
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        raise ProtocolError(f"the answer is none of a store: {error!r}") from error


def encode_request(method: str, target: str, host: str, body: Optional[bytes],
                   headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a request's head")
    return "\r\n".join(lines + ["", ""]).encode("utf-8") + (body or b"")


class ResponseParser:
    """Of one answer. After `feed`, `take_body` gives what of the body is new; `done` says that the
    answer is whole."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Dict[str, str] = {}
        self.done = False
        self.keep_alive = True
        # Whether a byte of the answer has come.
        self.begun = False
        self._pending = bytearray()
        self._body = bytearray()
        self._chunked = False
        self._left: Optional[int] = None
        self._in_trailer = False
        self._chunk_ends = False
        self._interim = 0

    @property
    def head_is_read(self) -> bool:
        return self.status != 0

    def feed(self, data: bytes) -> None:
        """Takes bytes as they came; none at all are the end of the connection."""
        if not data:
            self._end_of_connection()
            return
        self.begun = True
        self._pending += data
        if not self.head_is_read and not self._read_head():
            return
        if self._chunked:
            self._read_chunks()
        else:
            self._read_plain()

    def take_body(self) -> bytes:
        taken = bytes(self._body)
        self._body.clear()
        return taken

    def json(self, data: bytes) -> Any:
        """The whole body as the JSON object that every answer of the store is."""
        try:
            value = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"the answer is no JSON: {error}") from None
        if not isinstance(value, dict):
            raise ProtocolError("the answer is no JSON object")
        return value

    def _end_of_connection(self) -> None:
        if self.head_is_read and not self._chunked and self._left is None:
            self.done = True
            self.keep_alive = False
        elif not self.done:
            raise ProtocolError("the connection ended inside an answer" if self.begun
                                else "the connection ended before an answer")

    def _read_head(self) -> bool:
        status = 0
        while status < 200:
            end = self._pending.find(b"\r\n\r\n")
            if end < 0:
                if len(self._pending) > HEAD_SIZE_MAX:
                    raise ProtocolError("the head of the answer does not end")
                return False
            lines = bytes(self._pending[:end]).decode("latin-1").split("\r\n")
            del self._pending[:end + 4]
            status, headers = _parse_head(lines)
            self._interim += status < 200
            if self._interim > INTERIM_ANSWERS_MAX:
                raise ProtocolError("there is no end of what comes before the answer")
        self.status, self.headers = status, headers
        words = [word.strip() for word in headers.get("connection", "").lower().split(",")]
        self.keep_alive = lines[0].startswith("HTTP/1.1") and "close" not in words
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        if not self._chunked:
            self._left = _content_length(status, headers)
            self.keep_alive = self.keep_alive and self._left is not None
        return True

    def _read_plain(self) -> None:
        taken = self._pending if self._left is None else self._pending[:self._left]
        self._body += taken
        if self._left is not None:
            rest = len(self._pending) - len(taken)
            self._left -= len(taken)
            self.done = self._left == 0
            if rest:
                self.keep_alive = False  # More than was asked for: nothing to rely on.
        self._pending.clear()

    def _read_chunks(self) -> None:
        while not self.done:
            if self._left:
                taken = self._pending[:self._left]
                if not taken:
                    return
                self._body += taken
                del self._pending[:len(taken)]
                self._left -= len(taken)
                self._chunk_ends = self._left == 0
                continue
            line = self._line()
            if line is None:
                return
            if self._chunk_ends:
                if line:
                    raise ProtocolError("a chunk is longer than it said")
                self._chunk_ends = False
            elif self._in_trailer:
                self.done = not line
            else:
                self._left = _chunk_size(line)
                self._in_trailer = self._left == 0

    def _line(self) -> Optional[bytes]:
        end = self._pending.find(b"\r\n")
        if end < 0:
            if len(self._pending) > HEAD_SIZE_MAX:
                raise ProtocolError("a line of a chunk does not end")
            return None
        line = bytes(self._pending[:end])
        del self._pending[:end + 2]
        return line


def _parse_head(lines: List[str]) -> Tuple[int, Dict[str, str]]:
    words = lines[0].split(" ", 2)
    if (len(words) < 2 or not words[0].startswith("HTTP/1.")
            or not re.fullmatch("[1-9][0-9]{2}", words[1])):
        raise ProtocolError(f"no HTTP answer: {lines[0][:60]!r}")
    headers: Dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(f"no header: {line[:60]!r}")
        headers[name.strip().lower()] = value.strip()
    return int(words[1]), headers


def _content_length(status: int, headers: Mapping[str, str]) -> Optional[int]:
    if status in (204, 304):
        return 0
    text = headers.get("content-length")
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,15}", text) or int(text) > BODY_SIZE_MAX:
        raise ProtocolError(f"Content-Length: {text[:60]!r}")
    return int(text)


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not re.fullmatch(b"[0-9a-fA-F]{1,15}", size):
        raise ProtocolError(f"no size of a chunk: {line[:60]!r}")
    return int(size, 16)


def add_to_body(body: bytearray, more: bytes) -> None:
    """Of an answer that is read as a whole."""
    if len(body) + len(more) > BODY_SIZE_MAX:
        raise ProtocolError(f"the answer has more than {BODY_SIZE_MAX} bytes")
    body += more


class LineReader:
    """Whole lines out of the parts of a stream."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> List[bytes]:
        lines = (self._pending + data).split(b"\n")
        self._pending = lines.pop()
        return lines

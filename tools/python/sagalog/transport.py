"""Requests over blocking sockets, kept alive between calls. Thread-safe."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import threading
import time
from typing import Any, Dict, Iterator, List, Optional, TypeVar

from .address import Address
from .calls import Call
from .clock import Clock
from .errors import Refused, refused
from .http1 import ProtocolError, ResponseParser, add_to_body, answers_of_a_store, encode_request
from .retrying import Attempts, Broken, Retry

T = TypeVar("T")
RECEIVE_SIZE = 65536
# What the kernel takes as the path of a socket.
SOCKET_PATH_SIZE = 108


@contextlib.contextmanager
def short_path(path: str) -> Iterator[str]:
    """The path of a socket, or a shorter one by way of its folder's descriptor."""
    if len(os.fsencode(path)) < SOCKET_PATH_SIZE:
        yield path
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def remaining(deadline: Optional[float]) -> Optional[float]:
    """Seconds until a deadline of the monotonic clock; raises when it has passed."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("the deadline has passed")
    return left


def request_headers(bearer_token: Optional[str]) -> Dict[str, str]:
    headers = {"Accept": "application/json"}
    if bearer_token is not None:
        headers["Authorization"] = f"Bearer {bearer_token}"
    return headers


def read_result(call: Call[T], parser: ResponseParser, body: bytes, sent_at: float) -> T:
    """The result of a call from its whole answer; the refusal is raised."""
    if call.as_text and parser.status < 300:
        return call.read({"text": body.decode("utf-8", "replace")}, sent_at)
    json = parser.json(body)
    if parser.status >= 300:
        raise refused(json)
    with answers_of_a_store():
        return call.read(json, sent_at)


class Connection:
    """One socket. Deadlines hold for a whole sending or receiving."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    @staticmethod
    def open(address: Address, deadline: Optional[float]) -> "Connection":
        if address.path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(remaining(deadline))
                with short_path(address.socket_path()) as path:
                    sock.connect(path)
            except BaseException:
                sock.close()
                raise
            return Connection(sock)
        sock = socket.create_connection((address.host, address.port), remaining(deadline))
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if address.tls is not None:
                sock = address.tls.wrap_socket(sock, server_hostname=address.host)
        except BaseException:
            sock.close()
            raise
        return Connection(sock)

    def is_quiet(self) -> bool:
        """Whether nothing has come while nobody asked: neither an end nor bytes of no answer."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def send(self, data: bytes, deadline: Optional[float]) -> None:
        self._socket.settimeout(remaining(deadline))
        self._socket.sendall(data)

    def receive(self, deadline: Optional[float]) -> bytes:
        self._socket.settimeout(remaining(deadline))
        return self._socket.recv(RECEIVE_SIZE)

    def interrupt(self) -> None:
        """Ends what another thread is waiting for on it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


class Transport:
    def __init__(self, address: Address, *, bearer_token: Optional[str], timeout: float,
                 retry: Retry, clock: Clock, idle_max: int) -> None:
        self.address = address
        self._headers = request_headers(bearer_token)
        self._timeout = timeout
        self._retry = retry
        self._clock = clock
        self._idle_max = idle_max
        self._lock = threading.Lock()
        self._idle: List[Connection] = []
        self._process = os.getpid()
        self._closed = False

    def call(self, call: Call[T], timeout: Optional[float] = None,
             retry: Optional[Retry] = None) -> T:
        """Carries a call out; `timeout` is for all its attempts together."""
        if timeout is None and not call.patient:
            timeout = self._timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        attempts = Attempts(call, retry or self._retry, str(self.address))  # type: ignore[arg-type]
        while True:
            try:
                return attempts.judged(self._attempt(call, attempts, deadline))
            except Broken as broken:
                pause = attempts.pause_after(broken)
            except Refused as refusal:
                pause = attempts.pause_after_refusal(refusal)
            if deadline is not None and time.monotonic() + pause >= deadline:
                raise attempts.out_of_time()
            time.sleep(pause)

    def request_bytes(self, call: "Call[Any]", accept: Optional[str] = None) -> bytes:
        headers = dict(self._headers)
        if accept is not None:
            headers["Accept"] = accept
        return encode_request(call.method, call.target, self.address.name, call.body_bytes(),
                              headers)

    def close(self) -> None:
        """Closes the connections that are idle; those in use close when their call is over."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def open(self, attempts: Attempts, deadline: Optional[float]) -> Connection:
        try:
            return Connection.open(self.address, deadline)
        except socket.timeout:
            raise attempts.timed_out(False) from None
        except ssl.SSLCertVerificationError as error:
            # Another try would meet the same certificate.
            raise attempts.untrusted(error) from None
        except OSError as error:  # Errors of TLS among them: nothing of the request was sent.
            raise Broken(f"cannot connect: {error}", sent=False) from None

    def _attempt(self, call: Call[T], attempts: Attempts, deadline: Optional[float]) -> T:
        data = self.request_bytes(call)
        connection = self._take() or self.open(attempts, deadline)
        parser = ResponseParser()
        body = bytearray()
        try:
            if attempts.sent_at is None:
                attempts.sent_at = self._clock.now()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # Whoever refuses a request unread answers all the same.
                connection.send(data, deadline)
            while not parser.done:
                parser.feed(connection.receive(deadline))
                add_to_body(body, parser.take_body())
        except BaseException as error:
            connection.close()
            if isinstance(error, socket.timeout):
                raise attempts.timed_out(True) from None
            if isinstance(error, (OSError, ProtocolError)):
                raise Broken(str(error), sent=True) from None
            raise
        self._give_back(connection, parser.keep_alive)
        try:
            return read_result(call, parser, bytes(body), attempts.sent_at)
        except ProtocolError as error:
            raise Broken(str(error), sent=True) from None

    def _take(self) -> Optional[Connection]:
        while True:
            with self._lock:
                if self._process != os.getpid():
                    # A child of a fork must not talk over its parent's connections.
                    for inherited in self._idle:
                        inherited.close()
                    self._process, self._idle = os.getpid(), []
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.is_quiet():
                return connection
            connection.close()

    def _give_back(self, connection: Connection, keep_alive: bool) -> None:
        with self._lock:
            kept = keep_alive and not self._closed and len(self._idle) < self._idle_max
            if kept:
                self._idle.append(connection)
        if not kept:
            connection.close()

"""Servers for tests: one that passes bytes on to a store and breaks connections where it is told,
with or without TLS, and one that answers as it is told."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import tempfile
import threading
from typing import Callable, List, Optional

PATIENCE = 60.0


class Fault:
    """Ends a connection after so many bytes of requests were passed on, or of answers."""

    def __init__(self, request: Optional[int] = None, answer: Optional[int] = None):
        self.request = request
        self.answer = answer


class Listener:
    """Accepts connections, each on a thread of its own. `address` is where, for a client."""

    def __init__(self, tcp: bool = False, tls: Optional[ssl.SSLContext] = None):
        self._folder = tempfile.TemporaryDirectory(prefix="sagalog-proxy-")
        self._tls = tls
        if tcp or tls is not None:
            self._socket = socket.create_server(("127.0.0.1", 0))
            scheme = "http" if tls is None else "https"
            self.address = f"{scheme}://localhost:{self._socket.getsockname()[1]}"
        else:
            self.address = os.path.join(self._folder.name, "socket")
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(self.address)
            self._socket.listen(64)
        self.connections = 0
        self._open: List[socket.socket] = []
        self._lock = threading.Lock()
        self._threads: List[threading.Thread] = []

    def start(self) -> None:
        self._run(self._accept)

    def close(self) -> None:
        # Wakes the thread that accepts, which closing alone does not.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.break_all()
        for thread in list(self._threads):
            thread.join(PATIENCE)
        self._folder.cleanup()

    def break_all(self) -> None:
        """Ends every connection there is."""
        with self._lock:
            ended, self._open = self._open, []
        for connection in ended:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def remember(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.append(connection)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._run(lambda accepted=connection: self._serve(accepted))

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                with self._lock:
                    self.connections += 1
                self.remember(connection)
                self.serve(connection)


class Proxy(Listener):
    """Passes on to the socket of a store. Each new connection takes the next of `faults`."""

    def __init__(self, target: str, tcp: bool = False, tls: Optional[ssl.SSLContext] = None):
        super().__init__(tcp, tls)
        self._target = target
        self.faults: List[Fault] = []
        # Bytes of answers that came from the store, also those that were not passed on.
        self.answered = threading.Condition()
        self.answered_bytes = 0
        self.requests = b""

    def serve(self, connection: socket.socket) -> None:
        with self._lock:
            fault = self.faults.pop(0) if self.faults else Fault()
        with socket.socket(socket.AF_UNIX) as store:
            store.connect(self._target)
            self.remember(store)
            self._run(lambda: self._pass_answers(store, connection, fault.answer))
            self._pass_requests(connection, store, fault)

    def _pass_requests(self, connection: socket.socket, store: socket.socket,
                       fault: Fault) -> None:
        left = fault.request
        while left is None or left > 0:
            data = connection.recv(65536 if left is None else left)
            if not data:
                break
            self.requests += data
            store.sendall(data)
            left = None if left is None else left - len(data)
        for end in (store, connection):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pass_answers(self, store: socket.socket, connection: socket.socket,
                      left: Optional[int]) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = store.recv(65536)
                if not data:
                    break
                with self.answered:
                    self.answered_bytes += len(data)
                    self.answered.notify_all()
                connection.sendall(data if left is None else data[:left])
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        break
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class ScriptedServer(Listener):
    """Answers each request with what `answer` returns for its bytes; None ends the connection."""

    def __init__(self, answer: Callable[[bytes], Optional[bytes]], tcp: bool = False,
                 tls: Optional[ssl.SSLContext] = None):
        super().__init__(tcp, tls)
        self._answer = answer
        self.requests: List[bytes] = []

    def serve(self, connection: socket.socket) -> None:
        pending = b""
        while True:
            while not _whole(pending):
                data = connection.recv(65536)
                if not data:
                    return
                pending += data
            size = _whole(pending)
            request, pending = pending[:size], pending[size:]
            self.requests.append(request)
            answer = self._answer(request)
            if answer is None:
                return
            connection.sendall(answer)


def _whole(data: bytes) -> int:
    """How long the first request is; 0 when it is not whole."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return 0
    size = len(head) + 4
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size += int(line.partition(b":")[2])
    return size if len(data) >= size else 0


def json_answer(json: bytes, status: str = "200 OK", headers: bytes = b"") -> bytes:
    return (b"HTTP/1.1 " + status.encode() + b"\r\nContent-Length: " + str(len(json)).encode()
            + b"\r\n" + headers + b"\r\n" + json)


def make_certificate(folder: str) -> str:
    """A certificate for localhost, and its key, in one file."""
    path = os.path.join(folder, "localhost.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", path, "-out", path + ".cert", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True)
    with open(path, "a", encoding="ascii") as file, open(path + ".cert", encoding="ascii") as cert:
        file.write(cert.read())
    return path

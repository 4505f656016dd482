"""Where a client finds its store: directories, sockets, TCP and TLS, and who it says it is."""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
import unittest
from unittest import mock

import sagalog
from misbehaving_proxy import Fault, Proxy, ScriptedServer, json_answer, make_certificate
from sagalog.address import find_address
from store_test_case import StoreTestCase


class AddressTest(StoreTestCase):
    def test_a_data_directory_is_found_by_its_path_and_by_the_environment(self) -> None:
        for where in (self.store.directory, os.path.join(self.store.directory, "socket")):
            with sagalog.Client(where) as client:
                self.assertEqual(client.health()["health"], "alive")
        with mock.patch.dict(os.environ, {"SAGALOG_DATA": self.store.directory}):
            with sagalog.Client() as client:
                self.assertEqual(client.health()["health"], "alive")
        with mock.patch.dict(os.environ, clear=True):
            self.assertEqual(str(find_address(None)), os.path.abspath(".sagalog/socket"))

    def test_a_socket_may_have_a_long_path(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            deep = os.path.join(folder, "x" * 100, "y" * 100)
            os.makedirs(deep)
            os.symlink(os.path.join(self.store.directory, "socket"), os.path.join(deep, "socket"))
            with sagalog.Client(deep) as client:
                self.assertEqual(client.health()["health"], "alive")

    def test_without_a_daemon_the_error_names_the_socket(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(sagalog.Unavailable, os.path.join(folder, "socket")):
                sagalog.Client(folder, retry=sagalog.NEVER).status()

    def test_what_is_no_address_is_refused(self) -> None:
        for where in ("ftp://x", "http://", "http://x/path", "https://u@x", "http://x?y"):
            with self.subTest(where), self.assertRaises(ValueError):
                sagalog.Client(where)
        with self.assertRaises(ValueError):
            sagalog.Client(self.store.directory, ca_file="/ca.pem")
        self.assertEqual(find_address("http://[::1]:80").name, "[::1]:80")

    def test_tcp(self) -> None:
        proxy = Proxy(os.path.join(self.store.directory, "socket"), tcp=True)
        proxy.faults.append(Fault(answer=20))
        proxy.start()
        self.addCleanup(proxy.close)
        with sagalog.Client(proxy.address, bearer_token="s3cret") as client:
            client.plan(self.fresh())
        self.assertIn(b"Authorization: Bearer s3cret\r\n", proxy.requests)
        self.assertIn(b"Host: " + proxy.address[len("http://"):].encode() + b"\r\n",
                      proxy.requests)

    def test_many_threads_share_a_client(self) -> None:
        saga = self.planned()
        failures = []

        def annotate(number: int) -> None:
            try:
                for n in range(5):
                    self.client.annotate(saga, f"{number} {n}")
            except Exception as error:
                failures.append(error)
        threads = [threading.Thread(target=annotate, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(self.client.history(saga)), 41)

    def test_a_forked_child_has_connections_of_its_own(self) -> None:
        saga = self.planned()
        child = os.fork()
        if child == 0:
            try:
                self.client.annotate(saga, "child")
            except BaseException:
                os._exit(1)
            os._exit(0)
        self.client.annotate(saga, "parent")
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        texts = {event.body["text"] for event in self.client.history(saga).items[1:]}
        self.assertEqual(texts, {"parent", "child"})


class TlsTest(StoreTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.certificate = make_certificate(folder)
        cls.other = make_certificate(cls.enterClassContext(tempfile.TemporaryDirectory()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.certificate)
        cls.tls = context

    def proxy(self) -> Proxy:
        proxy = Proxy(os.path.join(self.store.directory, "socket"), tls=self.tls)
        proxy.start()
        self.addCleanup(proxy.close)
        return proxy

    def test_requests_go_over_tls_and_connections_are_kept(self) -> None:
        proxy = self.proxy()
        with sagalog.Client(proxy.address, ca_file=self.certificate, bearer_token="t") as client:
            saga = client.plan(self.fresh()).after.saga_id
            for n in range(3):
                client.annotate(saga, str(n))
        self.assertEqual(len(self.types(saga)), 4)
        self.assertLessEqual(proxy.connections, 2)

    def test_a_broken_tls_connection_is_replaced(self) -> None:
        proxy = self.proxy()
        proxy.faults += [Fault(request=30), Fault(answer=30)]
        with sagalog.Client(proxy.address, ca_file=self.certificate) as client:
            self.assertTrue(client.plan(self.fresh()).replayed)

    def test_a_store_with_a_foreign_certificate_is_told_nothing(self) -> None:
        proxy = self.proxy()
        for options in ({}, {"ca_file": self.other}):
            client = sagalog.Client(proxy.address, bearer_token="t", retry=sagalog.NEVER, **options)
            with self.assertRaisesRegex(sagalog.Unavailable, "certificate"):
                client.status()
        self.assertEqual(proxy.requests, b"")


class IdentityTest(unittest.TestCase):
    def test_the_error_of_a_store_that_does_not_know_us(self) -> None:
        answer = json_answer(b'{"code": "unauthenticated", "detail": "no token"}',
                             "401 Unauthorized", b"WWW-Authenticate: Bearer\r\n")
        server = ScriptedServer(lambda request: answer, tcp=True)
        server.start()
        self.addCleanup(server.close)
        with self.assertRaises(sagalog.Unauthenticated), sagalog.Client(server.address) as client:
            client.status()

    def test_a_token_cannot_smuggle_a_header_in(self) -> None:
        with self.assertRaises(ValueError):
            sagalog.Client("http://localhost:1", bearer_token="a\r\nX: y").status()


if __name__ == "__main__":
    unittest.main()

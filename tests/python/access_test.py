"""A daemon on TCP, plain and over TLS: who gets in, and what those hear who do not."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import ssl
import tempfile
import time
import unittest
import warnings
from typing import Callable, Dict, Optional, Tuple

import sagalog
import sagalog.aio
import sagalog.testing
from certificates import Authority
from store_test_case import StoreTestCase, undo

PATIENCE = 60.0
# Who may: name, role and owner prefix.
PEOPLE = {"boss": "admin -", "planner": "orchestrator -", "ops": "operator -",
          "looker": "auditor -", "ci": "worker ci-"}


def write_tokens(path: str, people: Dict[str, str]) -> None:
    """The secret of each is its name and "-secret". In place at once, as an editor does it."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        for name, rights in people.items():
            secret = hashlib.sha256(f"{name}-secret".encode()).hexdigest()
            file.write(f"{name} {rights} {secret}\n")
    os.rename(path + ".new", path)


def await_true(what: Callable[[], bool]) -> None:
    """What a signal asks for comes soon, and nothing says when."""
    give_up = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > give_up:
            raise TimeoutError("it does not come")
        time.sleep(0.01)


class NetworkTestCase(StoreTestCase):
    """A daemon on a port of its own, with the tokens of `PEOPLE`."""

    tls = False

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.tokens = os.path.join(cls.folder, "tokens")
        write_tokens(cls.tokens, PEOPLE)
        arguments = ["--listen", "127.0.0.1:0", "--token-file", cls.tokens]
        if cls.tls:
            cls.authority = Authority(cls.folder, "trusted")
            cls.certificate = os.path.join(cls.folder, "server")
            cls.authority.sign("localhost", cls.certificate)
            arguments += ["--tls-cert", f"{cls.certificate}.pem",
                          "--tls-key", f"{cls.certificate}.key"]
        cls.store = cls.enterClassContext(sagalog.testing.daemon(arguments=arguments))
        cls.client = cls.store.client

    @property
    def url(self) -> str:
        return self.store.addresses[0].replace("127.0.0.1", "localhost")

    def of(self, name: Optional[str], **options: object) -> sagalog.Client:
        token = None if name is None else f"{name}-secret"
        client = self.store.connect(self.url, **{"bearer_token": token, **options})
        self.addCleanup(client.close)
        return client

    def reload(self) -> None:
        os.kill(self.store.pid, signal.SIGHUP)

    def knows(self, name: str) -> bool:
        try:
            with sagalog.Client(self.url, bearer_token=f"{name}-secret") as client:
                client.status()
        except sagalog.Unauthenticated:
            return False
        return True


class TokensTest(NetworkTestCase):
    def test_everything_that_a_worker_does(self) -> None:
        saga = self.planned(compensations=undo())
        with self.of("ci").lease(saga, owner="ci-7", ttl="30s") as lease:
            self.store.advance("100s")
            lease.advance_stage("", "built")
            with lease.section("push"), lease.effect("push", "main@1") as effect:
                effect.result = "abc"
            lease.complete("merged")
        history = self.client.history(saga).items
        self.assertEqual(history[-1].type, "terminal")
        self.assertEqual({event.principal for event in history[1:]}, {"ci"})

    def test_who_is_not_known_hears_so_at_once(self) -> None:
        saga = self.planned()
        for client in (self.of(None), self.of("nobody"), self.of("", bearer_token="")):
            with self.assertRaises(sagalog.Unauthenticated):
                client.annotate(saga, "x")
            with self.assertRaises(sagalog.Unauthenticated):
                next(client.events())
        self.assertEqual(self.types(saga), ["planned"])
        # Whether it lives may be asked by everybody.
        self.assertEqual(self.of(None).health()["health"], "alive")
        self.assertEqual(self.of(None).ready()["health"], "ready")

    def test_a_role_that_is_too_small_is_told(self) -> None:
        held, token = self.running(owner="ci-1", compensations=undo())
        refused: Tuple[Tuple[str, Callable[[sagalog.Client], object]], ...] = (
            ("looker", lambda client: client.annotate(held, "x")),
            ("ci", lambda client: client.plan(self.fresh())),
            ("ci", lambda client: client.cancel(held)),
            ("ci", lambda client: client.claim_next("default", "ci-1", as_="dispatch")),
            ("planner", lambda client: client.force_release(held, reason="stuck")),
            ("planner", lambda client: client.quarantine(held, reason="odd")),
            ("planner", lambda client: client.configure_queue("q", limit=1)),
            ("planner", lambda client: client.change_policy(limit=1)),
            ("planner", lambda client: list(client.audit_export(to=1))),
            ("ops", lambda client: list(client.audit_export(to=1))),
            ("ops", lambda client: client.verify()),
            ("ops", lambda client: client.advance_clock("1s")),
            ("looker", lambda client: client.batch([{"do": "annotate", "saga_id": held,
                                                     "text": "x"}], atomic=True)),
        )
        for name, act in refused:
            with self.subTest(name), self.assertRaises(sagalog.Forbidden):
                act(self.of(name))
        self.assertEqual(self.types(held), ["planned", "leased"])

    def test_what_each_role_may(self) -> None:
        saga = self.fresh()
        self.of("planner").plan(saga, compensations=undo())
        token = self.of("ci").acquire(saga, "ci-1").granted
        self.assertEqual(self.of("looker").saga(saga).token, token)
        self.of("ops").force_release(saga, reason="stuck")
        self.assertTrue(self.of("boss").verify()["ok"])
        self.assertIn("store_opened", list(self.of("looker").audit_export(to=1))[0])
        self.assertEqual([event.principal for event in self.of("looker").history(saga)],
                         ["planner", "ci", "ops"])

    def test_an_owner_prefix_holds_its_worker(self) -> None:
        saga, token = self.running(owner="other-1")
        ci = self.of("ci")
        with self.assertRaises(sagalog.Forbidden):
            ci.acquire(self.planned(), "other-2")
        with self.assertRaises(sagalog.Forbidden):
            ci.complete(saga, token)
        with self.assertRaises(sagalog.Forbidden):
            with ci.lease(self.planned(), owner="other-2", ttl="30s"):
                self.fail("it got one")

    def test_tokens_are_loaded_anew(self) -> None:
        self.addCleanup(lambda: (write_tokens(self.tokens, PEOPLE), self.reload(),
                                 await_true(lambda: self.knows("ci"))))
        saga = self.planned()
        with self.assertRaisesRegex(sagalog.LeaseLost, "not renewed in time.*unauthenticated"):
            with self.of("ci").lease(saga, owner="ci-7", ttl="30s") as lease:
                people = {**PEOPLE, "late": "worker -"}
                del people["ci"]
                write_tokens(self.tokens, people)
                self.assertFalse(self.knows("late"))
                self.reload()
                await_true(lambda: self.knows("late"))
                # Who was in is out with the next request, on the same connection too. That says
                # nothing about the lease, which may be renewed by a later one; until it is over.
                with self.assertRaises(sagalog.Unauthenticated):
                    lease.heartbeat("half")
                self.store.advance("29s")
                lease.check()
                self.store.advance("1s")
                self.assertTrue(lease.lost.wait(PATIENCE))
        self.assertEqual(self.client.saga(saga).state, "running")

    def test_a_token_file_that_is_wrong_changes_nothing(self) -> None:
        self.addCleanup(write_tokens, self.tokens, PEOPLE)
        with open(self.tokens, "a", encoding="ascii") as file:
            file.write("this is no line of it\n")
        self.reload()
        # A reload that succeeds says that the one before is over.
        write_tokens(self.tokens, {**PEOPLE, "next": "auditor -"})
        self.assertTrue(self.knows("ci"))
        self.reload()
        await_true(lambda: self.knows("next"))
        self.assertTrue(self.knows("ci"))

    def test_the_same_with_asyncio(self) -> None:
        saga = self.planned()

        async def work() -> None:
            async with sagalog.aio.AsyncClient(self.url, bearer_token="ci-secret") as client:
                async with client.lease(saga, owner="ci-7", ttl="30s") as lease:
                    await lease.complete()
                self.assertEqual([event.type async for event in client.events(saga=saga)],
                                 ["planned", "leased", "terminal"])
                with self.assertRaises(sagalog.Forbidden):
                    await client.plan("T")
            async with sagalog.aio.AsyncClient(self.url) as stranger:
                with self.assertRaises(sagalog.Unauthenticated):
                    await stranger.status()
        asyncio.run(work())
        self.assertEqual(self.client.saga(saga).state, "completed")


class TlsTest(NetworkTestCase):
    tls = True

    def of(self, name: Optional[str], **options: object) -> sagalog.Client:
        return super().of(name, **{"ca_file": self.authority.ca_file, **options})

    def knows(self, name: str) -> bool:
        raise NotImplementedError

    def test_a_worker_works_over_tls(self) -> None:
        saga = self.planned()
        with self.of("ci").lease(saga, owner="ci-7", ttl="30s") as lease:
            self.store.advance("100s")
            lease.complete("x" * 16_000)
        self.assertEqual(len(self.of("looker").saga(saga).result), 16_000)
        self.assertEqual([event.type for event in self.of("looker").events(saga=saga)],
                         self.types(saga))

    def test_what_follows_over_tls_survives_a_restart(self) -> None:
        saga = self.planned()
        port = self.store.addresses[0].rpartition(":")[2]
        arguments = self.store.arguments[:]
        self.addCleanup(self.store.arguments.__setitem__, slice(None), arguments)
        self.store.arguments[1] = f"127.0.0.1:{port}"  # Left to the machine it would be another.
        with self.of("looker").events(follow=True, saga=saga) as stream:
            self.assertEqual(next(stream).type, "planned")
            self.store.restart(kill=True)
            client = self.of("planner")
            for number in range(3):
                client.annotate(saga, str(number))
            self.assertEqual([next(stream).body["text"] for _ in range(3)], ["0", "1", "2"])

    def test_a_foreign_authority_is_not_trusted(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            foreign = Authority(folder, "foreign")
            for options in ({"ca_file": foreign.ca_file}, {"ca_file": None}):
                # Asked once: the same certificate would come again.
                client = self.of("boss", retry=sagalog.Retry(attempts=2, first_pause=3600,
                                                             pause_max=3600), **options)
                with self.assertRaisesRegex(sagalog.Unavailable,
                                            "certificate.*not trusted") as error:
                    client.annotate("T1", "x")
                self.assertFalse(error.exception.may_have_happened)
                with self.assertRaisesRegex(sagalog.Unavailable, "certificate.*not trusted"):
                    next(client.events())

    def test_another_host_name_is_not_trusted(self) -> None:
        client = self.store.connect(self.url.replace("localhost", "127.0.0.1"),
                                    ca_file=self.authority.ca_file, bearer_token="boss-secret")
        with self.assertRaisesRegex(sagalog.Unavailable, "not valid for '127.0.0.1'"):
            client.status()

    def test_the_same_with_asyncio(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            foreign = Authority(folder, "foreign").ca_file
            name = self.url.replace("localhost", "127.0.0.1")

            async def look() -> None:
                for url, ca_file in ((self.url, foreign), (name, self.authority.ca_file)):
                    async with sagalog.aio.AsyncClient(url, ca_file=ca_file,
                                                       bearer_token="boss-secret") as client:
                        with self.assertRaisesRegex(sagalog.Unavailable, "certificate"):
                            await client.status()
                        with self.assertRaisesRegex(sagalog.Unavailable, "certificate"):
                            await client.events().__anext__()
                async with sagalog.aio.AsyncClient(self.url, ca_file=self.authority.ca_file,
                                                   bearer_token="boss-secret") as client:
                    self.assertEqual((await client.status()).health, "open")
            asyncio.run(look())

    def test_tls_and_plain_text_do_not_meet(self) -> None:
        once = {"retry": sagalog.NEVER, "bearer_token": "boss-secret"}
        with self.assertRaises(sagalog.Unavailable):
            self.store.connect(self.url.replace("https", "http"), **once).status()
        with sagalog.testing.daemon(arguments=["--listen", "127.0.0.1:0", "--insecure"]) as plain:
            self.assertEqual(plain.connect(plain.addresses[0]).status().health, "open")
            url = plain.addresses[0].replace("http", "https")
            with self.assertRaises(sagalog.Unavailable) as error:
                self.store.connect(url, **once).status()
            self.assertFalse(error.exception.may_have_happened)

    def test_a_certificate_is_loaded_anew(self) -> None:
        saga = self.planned()
        before = self.of("planner")
        before.annotate(saga, "first")
        other = Authority(self.folder, "other")
        self.addCleanup(lambda: (self.authority.sign("localhost", self.certificate),
                                 self.reload(), await_true(lambda: self.trusted(self.authority))))
        other.sign("localhost", self.certificate)
        self.reload()
        await_true(lambda: self.trusted(other))
        # A connection that is there goes on; a new one meets the new certificate.
        before.annotate(saga, "second")
        with self.assertRaisesRegex(sagalog.Unavailable, "certificate"):
            self.of("planner").annotate(saga, "third")
        with self.of("planner", ca_file=other.ca_file) as client:
            client.annotate(saga, "third")
        self.assertEqual(len(self.types(saga)), 4)

    def trusted(self, authority: Authority) -> bool:
        try:
            with sagalog.Client(self.url, ca_file=authority.ca_file, retry=sagalog.NEVER) as client:
                return bool(client.health())
        except sagalog.Unavailable:
            return False

    def test_old_tls_is_not_spoken(self) -> None:
        context = ssl.create_default_context(cafile=self.authority.ca_file)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.of("boss", ca_file=None, tls=context).status().health, "open")
        context = ssl.create_default_context(cafile=self.authority.ca_file)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():  # Python says itself that it should not be used.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(sagalog.Unavailable):
            self.of("boss", ca_file=None, tls=context, retry=sagalog.NEVER).status()


if __name__ == "__main__":
    unittest.main()

"""The audit tree of a running store, held against checkpoints and proofs by nothing of ours: the
hashes of RFC 6962 here, the signature by OpenSSL."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import unittest
from typing import List, NamedTuple

import sagalog
import sagalog.aio
from misbehaving_proxy import Fault, Proxy
from store_test_case import StoreTestCase


class Head(NamedTuple):
    origin: str
    size: int
    root: bytes


def head_of(note: str) -> Head:
    """What a checkpoint says."""
    origin, size, root, *rest = note.split("\n")
    assert rest[0] == "" and rest[1].startswith("— "), note
    return Head(origin, int(size), base64.b64decode(root, validate=True))


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf(event: str) -> bytes:
    """Of the bytes of an event, in base64."""
    return hashlib.sha256(b"\0" + base64.b64decode(event, validate=True)).digest()


def root_of(leaves: List[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:left]), root_of(leaves[left:]))


def root_from_path(index: int, size: int, hashed: bytes, path: List[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2."""
    last = size - 1
    for sibling in path:
        if index & 1 or index == last:
            hashed = node(sibling, hashed)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            hashed = node(hashed, sibling)
        index, last = index >> 1, last >> 1
    assert last == 0
    return hashed


def roots_from_growth(before: int, size: int, root: bytes, path: List[bytes]) -> List[bytes]:
    """Of the tree before and after: RFC 9162, section 2.1.4.2."""
    if before & (before - 1) == 0:
        path = [root] + path
    index, last = before - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if index & 1 or index == last:
            old, new = node(sibling, old), node(sibling, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node(new, sibling)
        index, last = index >> 1, last >> 1
    assert last == 0
    return [old, new]


def path_of(proof: "dict[str, object]") -> List[bytes]:
    return [base64.b64decode(one, validate=True) for one in proof["path"]]


class AuditTest(StoreTestCase):
    def grow(self, events: int) -> int:
        """The last sequence after so many more."""
        return [self.client.plan(self.fresh()).sequence for _ in range(events)][-1]

    def exported(self, **options: int) -> List[str]:
        with self.client.audit_export(**options) as stream:
            return list(stream)

    def test_a_checkpoint_is_the_root_of_what_is_exported(self) -> None:
        last = self.grow(20)
        head = head_of(self.client.audit_checkpoint(min_sequence=last))
        self.assertGreaterEqual(head.size, last)
        lines = [json.loads(line) for line in self.exported(to=head.size)]
        self.assertEqual([line["sequence"] for line in lines], list(range(1, head.size + 1)))
        self.assertEqual(root_of([leaf(line["bytes"]) for line in lines]), head.root)
        store = lines[0]["body"]["store_id"]
        self.assertEqual(head.origin, f"sagalog/{store}/first")

    def test_openssl_believes_the_signature(self) -> None:
        self.grow(1)
        note = self.client.audit_checkpoint()
        with open(os.path.join(self.store.directory, "audit", "public"), encoding="utf-8") as file:
            name, _, key = file.read().splitlines()[-1].split("+", 2)
        self.assertEqual(name, head_of(note).origin)
        text, _, signature = note.partition("\n\n")
        files = {
            "key": bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key)[1:],
            "text": (text + "\n").encode(),
            "signature": base64.b64decode(signature.split()[-1])[4:]}
        for file_name, content in files.items():
            with open(os.path.join(self.store.directory, file_name), "wb") as written:
                written.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key",
                   "-rawin", "-in", "text", "-sigfile", "signature"]
        done = subprocess.run(command, cwd=self.store.directory, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done)

    def test_each_event_is_proven(self) -> None:
        last = self.grow(7)
        lines = [json.loads(line) for line in self.exported(to=last)]
        for sequence in range(1, last + 1):
            proof = self.client.audit_proof(sequence, min_sequence=last)
            head = head_of(proof["checkpoint"])
            self.assertEqual((proof["index"], proof["size"]), (sequence - 1, head.size))
            self.assertEqual(proof["event"], lines[sequence - 1]["bytes"])
            self.assertEqual(
                root_from_path(sequence - 1, head.size, leaf(proof["event"]), path_of(proof)),
                head.root)
        with self.assertRaises(sagalog.InvalidArgument):
            self.client.audit_proof()
        with self.assertRaises(sagalog.InvalidArgument):
            self.client.audit_proof(1, from_=1)
        with self.assertRaises(sagalog.NotFound):
            self.client.audit_proof(last + 1000)

    def test_the_log_goes_on_from_each_earlier_checkpoint(self) -> None:
        kept = [head_of(self.client.audit_checkpoint(min_sequence=self.grow(events)))
                for events in (1, 2, 5, 9)]
        newest = kept[-1]
        for head in kept[:-1]:
            proof = self.client.audit_proof(from_=head.size)
            self.assertEqual((proof["from"], base64.b64decode(proof["from_root"])),
                             (head.size, head.root))
            now = head_of(proof["checkpoint"])
            self.assertGreaterEqual(now.size, newest.size)
            self.assertEqual(roots_from_growth(head.size, now.size, head.root, path_of(proof)),
                             [head.root, now.root])
        self.assertEqual(len(set(kept)), 4)

    def test_an_export_goes_on_where_it_broke(self) -> None:
        last = self.grow(20)
        whole = self.exported(to=last)
        self.assertEqual(self.exported(from_=5, to=9), whole[4:9])
        proxy = Proxy(os.path.join(self.store.directory, "socket"))
        proxy.faults += [Fault(answer=size) for size in (0, 900, 3000, 5000)]
        proxy.start()
        self.addCleanup(proxy.close)
        retry = sagalog.Retry(attempts=9, first_pause=0.001)
        with sagalog.Client(proxy.address, retry=retry) as client:
            self.assertEqual(list(client.audit_export(to=last)), whole)
        self.assertEqual(proxy.connections, 5)

    def test_the_same_with_asyncio(self) -> None:
        async def check() -> None:
            async with sagalog.aio.AsyncClient(self.store.directory) as client:
                last = (await client.plan(self.fresh())).sequence
                head = head_of(await client.audit_checkpoint(min_sequence=last))
                leaves = [leaf(json.loads(line)["bytes"])
                          async for line in client.audit_export(to=head.size)]
                self.assertEqual(root_of(leaves), head.root)
                proof = await client.audit_proof(last)
                self.assertEqual(leaf(proof["event"]), leaves[last - 1])
                growth = await client.audit_proof(from_=head.size)
                self.assertEqual(base64.b64decode(growth["from_root"]), head.root)
        asyncio.run(check())


if __name__ == "__main__":
    unittest.main()

"""What the tests of the Python client share: a daemon for each class of tests."""

from __future__ import annotations

import itertools
import unittest
from typing import Any

import sagalog
import sagalog.testing

_numbers = itertools.count(1)


class StoreTestCase(unittest.TestCase):
    """`store` is a running daemon; ids of sagas are fresh in each test."""

    store: sagalog.testing.Daemon
    client: sagalog.Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.store = cls.enterClassContext(sagalog.testing.daemon())
        cls.client = cls.store.client

    # As in Python 3.11, for those before it.
    @classmethod
    def enterClassContext(cls, manager: Any) -> Any:
        entered = type(manager).__enter__(manager)
        cls.addClassCleanup(type(manager).__exit__, manager, None, None, None)
        return entered

    def fresh(self) -> str:
        return f"T{next(_numbers)}"

    def planned(self, **facts: Any) -> str:
        saga = self.fresh()
        self.client.plan(saga, **facts)
        return saga

    def running(self, owner: str = "w1", ttl: str = "30s", **facts: Any) -> Any:
        """A saga that is owned, and its token."""
        saga = self.planned(**facts)
        return saga, self.client.acquire(saga, owner, ttl=ttl).granted

    def types(self, saga: str) -> list:
        return [event.type for event in self.client.history(saga).items]


def undo() -> list:
    """One compensation; no two sagas share its target."""
    return [{"id": "wt", "kind": "remove-worktree", "target": f"/srv/wt/{next(_numbers)}"}]

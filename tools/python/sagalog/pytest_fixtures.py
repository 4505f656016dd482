"""The fixture `sagalog_daemon` for pytest, which finds it by itself when both are installed."""

from __future__ import annotations

from typing import Iterator

import pytest

from .testing import Daemon, daemon


@pytest.fixture
def sagalog_daemon() -> Iterator[Daemon]:
    """A daemon of its own for each test, with a clock that is moved by hand."""
    with daemon() as running:
        yield running

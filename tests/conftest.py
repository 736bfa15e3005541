"""What all tests may ask for."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest

from tests.support.postgres import PostgresServer, postgres_server


def pytest_configure() -> None:
    """Let Ctrl-C end what tests start; in the background of a shell, all would ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    """One server for all tests that need one; each makes a database of its own."""
    with postgres_server() as server:
        yield server

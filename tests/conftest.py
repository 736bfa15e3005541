"""What all tests may ask for."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    """One server for all tests that need one; each makes a database of its own."""
    with postgres_server() as server:
        yield server

"""A PostgreSQL server of the tests' own, in a temporary folder and on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .ports import free_port
from .require import missing


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    folder: Path
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"postgresql://framefarm@127.0.0.1:{self.port}/postgres"

    def new_store(self) -> str:
        """The URL of an empty schema: a database would cost 8 MB."""
        schema = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(f"CREATE SCHEMA {schema}")
        return f"{self.url}?options=-csearch_path%3D{schema}"


@contextmanager
def postgres_server() -> Generator[PostgresServer]:
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="framefarm-postgres-"))
    try:
        user = _user(folder)
        data = folder / "data"
        options = f"-D {data} -U framefarm -A trust -E UTF8 --locale=C --no-sync"
        _run([f"{programs}/initdb", *options.split()], user)
        with _serving(programs, data, user) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _serving(programs: Path, data: Path, user: str | None) -> Generator[PostgresServer]:
    port = free_port()
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {data.parent}"
    pg_ctl = [f"{programs}/pg_ctl", "-w", "-D", str(data), "-l", f"{data.parent}/log"]
    _run([*pg_ctl, "-o", options, "start"], user)
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n")[0])
        yield PostgresServer(folder=data.parent, port=port, pid=pid)
    finally:
        _run([*pg_ctl, "-m", "immediate", "stop"], user)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if not found and (initdb := shutil.which("initdb")):
        found = [Path(initdb)]
    if not found:
        missing("postgres", "there is no initdb: install Debian's package postgresql")
    return found[-1].parent


def _version(initdb: Path) -> float:
    return float(initdb.parents[1].name)


def _user(folder: Path) -> str | None:
    """Who runs the server: never root, which it refuses."""
    if os.geteuid() != 0:
        return None
    name = "postgres" if "postgres" in {each.pw_name for each in pwd.getpwall()} else "nobody"
    shutil.chown(folder, name)
    return name


def _run(command: list[str], user: str | None) -> None:
    ran = subprocess.run(
        command, check=False, user=user, cwd="/", text=True, capture_output=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

"""When a service ends: a pipe's end says so; what nobody holds open is refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.stopping import StdinEndedError, stop_event


async def serving() -> None:
    with stop_event(until_stdin_closes=True) as stopping:
        await stopping.wait()


async def test_the_end_of_a_pipe_stops_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        with stop_event(until_stdin_closes=True) as stopping:
            assert not stopping.is_set()
            os.close(writing)

            await asyncio.wait_for(stopping.wait(), 60)


@pytest.mark.parametrize(("name", "told"), [("/dev/null", "/dev/null"), ("input", "a file")])
def test_what_nobody_holds_open_is_refused_with_a_remedy(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "input").touch()
    monkeypatch.chdir(tmp_path)
    with Path(name).open() as file:
        monkeypatch.setattr(sys, "stdin", file)

        with pytest.raises(StdinEndedError, match=f"standard input is {told}.*give it a pipe"):
            asyncio.run(serving())


def test_a_standard_input_that_was_closed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(StdinEndedError, match="standard input is closed"):
        asyncio.run(serving())


def test_the_command_says_so_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "framefarm", "coordinator", "--workers", "127.0.0.1:1"]
    options = ["--data-dir", str(tmp_path / "data"), "--until-stdin-closes"]
    ended = subprocess.run(
        [*command, *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("framefarm: --until-stdin-closes: standard input is /dev/null")
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()

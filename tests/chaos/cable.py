"""A long, bad line to another network: what goes through it comes late, in disorder, or never.

What `tc … netem` does, where the kernel has none: packets go through this process, by TUN devices
(formats: the kernel's networking/tuntap).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import struct
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# Addresses of documentation (RFC 5737): nobody has them.
NEAR, FAR = "192.0.2.1", "192.0.2.2"
_TUN = Path("/dev/net/tun")
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_PACKET_BYTES = 1 << 16


@dataclass(kw_only=True)
class Cable:
    """The line and how bad it is, each way. Set `is_cut`, and nothing comes through."""

    holder: int  # a process in the far network
    loss: float = 0.05
    delay_s: tuple[float, float] = (0.05, 0.15)
    is_cut: bool = False
    sent: int = 0
    lost: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def there(self) -> tuple[str, ...]:
        """The words that begin a command in the far network."""
        return ("nsenter", "--target", str(self.holder), "--net", "--")

    def carry(self, source: int, target: int) -> None:
        """Take packets from one device; those that are not lost reach the other, later."""
        loop = asyncio.get_running_loop()
        with suppress(BlockingIOError):
            while packet := os.read(source, _PACKET_BYTES):
                self.sent += 1
                if self.is_cut or self.chance.random() < self.loss:
                    self.lost += 1
                else:
                    loop.call_later(self.chance.uniform(*self.delay_s), self._give, target, packet)

    def _give(self, target: int, packet: bytes) -> None:
        with suppress(OSError):  # no room: lost, as on a line
            os.write(target, packet)


@asynccontextmanager
async def open_cable() -> AsyncGenerator[Cable]:
    """Make a network beside this process's, which must be alone in its own (`unshare --net`).

    All of it goes with the processes: no name, device or address is left anywhere.
    """
    if not is_alone():
        raise OSError("this network leads somewhere; begin the command with `unshare --net`")
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(_holder())
        cable = Cable(holder=holder.pid)
        ends = [_tun("near"), _tun("far")]
        for end in ends:
            stack.callback(os.close, end)
        await _run("ip", "link", "set", "far", "netns", str(holder.pid))
        for there, name, address in [((), "near", NEAR), (cable.there, "far", FAR)]:
            await _run(*there, "ip", "address", "add", f"{address}/30", "dev", name)
            await _run(*there, "ip", "link", "set", name, "up")
        for source, target in (ends, reversed(ends)):
            loop.add_reader(source, cable.carry, source, target)
            stack.callback(loop.remove_reader, source)
        yield cable


def alone() -> tuple[str, ...]:
    """The words that begin a command in a network of its own, which has loopback and no more."""
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", "--net", *as_root, "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def is_alone() -> bool:
    """Whether this process's network leads nowhere."""
    return not Path("/proc/self/net/route").read_text().splitlines()[1:]


def why_not() -> str:
    """Why there can be no cable here; nothing, if there can."""
    for command in (["ip", "-V"], [*alone(), "true"], ["nsenter", "--version"]):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=10)
        except (OSError, subprocess.CalledProcessError) as error:
            return str(error)
    return "" if os.access(_TUN, os.R_OK | os.W_OK) else f"{_TUN} cannot be opened"


@asynccontextmanager
async def _holder() -> AsyncGenerator[Process]:
    """A process that is nothing but there, in a network of its own, until we are not."""
    words = (*alone(), "sh", "-c", "echo there && exec cat")
    holder = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE)
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert await holder.stdout.readline() == b"there\n"
        yield holder
    finally:
        holder.stdin.close()
        await holder.wait()


def _tun(name: str) -> int:
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    wanted = struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(device, _TUNSETIFF, wanted)
    return device


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command

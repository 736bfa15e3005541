"""The memory of a process, here a child of the test, read by either way."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

import pytest

from renderer.capture import memory
from renderer.capture.memory import ProcessMemory, Region

NEEDLE = bytes(range(7, 71))
CHILD = f"""
import ctypes, sys
kept = ctypes.create_string_buffer(bytes({list(NEEDLE)}) * 1000)
print(ctypes.addressof(kept), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def child() -> Iterator[tuple[int, int]]:
    """A process, and the address of a thousand needles in it."""
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        assert process.stdin is not None
        process.stdin.close()


def refuse(*_: object) -> int:
    ctypes.set_errno(errno.EPERM)
    return -1


def call_works_here() -> bool:
    """Whether libc's call is let through: this process may always read itself, but for seccomp."""
    byte = ctypes.create_string_buffer(1)
    piece = (ctypes.c_void_p * 2)(ctypes.addressof(byte), 1)  # struct iovec
    call = ctypes.CDLL(None).process_vm_readv
    count: int = call(os.getpid(), piece, ctypes.c_ulong(1), piece, ctypes.c_ulong(1), 0)
    return count == 1


@pytest.mark.parametrize("is_allowed", [True, False], ids=["by the call", "by the file"])
def test_what_stands_at_an_address_is_read(
    child: tuple[int, int], is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, address = child
    if not is_allowed:
        monkeypatch.setattr(memory, "_process_vm_readv", lambda: refuse)
    reader, buffer = ProcessMemory(pid), bytearray(len(NEEDLE))

    reader.read_into(address + len(NEEDLE), buffer)

    assert buffer == NEEDLE
    by_call = is_allowed and call_works_here()
    assert reader.way == ("process_vm_readv" if by_call else "/proc/PID/mem")


@pytest.mark.parametrize("is_allowed", [True, False], ids=["by the call", "by the file"])
def test_an_address_that_is_not_there_is_an_error(
    child: tuple[int, int], is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_allowed:
        monkeypatch.setattr(memory, "_process_vm_readv", lambda: None)

    with pytest.raises(OSError, match=r"Bad address|Input/output error|read \d+ of 64"):
        ProcessMemory(child[0]).read_into(4096, bytearray(64))


def test_a_process_that_is_gone_is_an_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()

    # By the call, or by its file where a container does not allow the call.
    with pytest.raises((ProcessLookupError, FileNotFoundError)):
        ProcessMemory(process.pid).read_into(4096, bytearray(64))


def test_bytes_are_found_where_they_stand(child: tuple[int, int]) -> None:
    pid, address = child
    region = Region(address - 64, address + 64 * 1000)

    found = list(ProcessMemory(pid).find(NEEDLE, region))

    assert found == [address + 64 * index for index in range(1000)]


def test_a_region_that_cannot_be_read_holds_nothing(child: tuple[int, int]) -> None:
    assert list(ProcessMemory(child[0]).find(NEEDLE, Region(4096, 8192))) == []


def test_only_regions_of_the_wanted_sizes_are_named() -> None:
    kept = ctypes.create_string_buffer(1 << 24)

    regions = list(ProcessMemory(os.getpid()).regions(1 << 24, 1 << 30))

    assert all(1 << 24 <= region.size_bytes <= 1 << 30 for region in regions)
    assert any(region.start <= ctypes.addressof(kept) < region.stop for region in regions)


def address_of(space: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(space))


def holds(regions: Iterable[Region], space: mmap.mmap) -> bool:
    return any(region.start <= address_of(space) < region.stop for region in regions)


def test_of_regions_those_are_named_that_were_filled() -> None:
    size = 1 << 24
    with mmap.mmap(-1, 2 * size) as half, mmap.mmap(-1, 2 * size) as less:
        half.write(b"x" * size)
        less.write(b"x" * (size // 2))
        reader = ProcessMemory(os.getpid())

        filled = list(reader.filled_regions(size, 2 * size))

        assert holds(filled, half)
        assert not holds(filled, less)
        assert holds(reader.regions(size, 2 * size), less)


def test_all_regions_are_where_the_kernel_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    with mmap.mmap(-1, 1 << 24) as untouched:
        monkeypatch.setattr(os, "pread", lambda *_: b"")

        assert holds(ProcessMemory(os.getpid()).filled_regions(1 << 24, 1 << 24), untouched)

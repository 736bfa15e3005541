"""Another process's memory, read and never written: Linux lets a user read what they started."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED = (errno.EPERM, errno.ENOSYS, errno.EACCES)
# /proc/PID/pagemap (Linux' pagemap.rst): a number for each page, whose two highest bits say that it
# is in memory, or swapped out.
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_ENTRY_BYTES: Final = 8
_HIGHEST_BYTE: Final = 7 if sys.byteorder == "little" else 0
_IS_FILLED: Final = bytes(bool(byte & 0xC0) for byte in range(256))


class _Piece(ctypes.Structure):
    """`struct iovec`, see process_vm_readv(2)."""

    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


@dataclass(frozen=True, slots=True)
class Region:
    """Addresses that the process may read and write."""

    start: int
    stop: int

    @property
    def size_bytes(self) -> int:
        return self.stop - self.start


class ProcessMemory:
    """The memory of the process `pid`.

    By process_vm_readv(2) where that is allowed; a container's usual seccomp profile refuses it,
    and then by /proc/PID/mem, which takes some six times as long.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._readv = _process_vm_readv()

    @property
    def way(self) -> str:
        """By what it is read, as far as is known yet."""
        return "process_vm_readv" if self._readv is not None else "/proc/PID/mem"

    def read_into(self, address: int, buffer: bytearray) -> None:
        """Fill the buffer with what stands from `address` on.

        Raises:
            OSError: it is not all there, or this user may not read it.

        """
        if self._readv is not None:
            try:
                self._read_by_call(address, buffer)
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise
                self._readv = None
        if self._readv is None:
            self._read_file(address, buffer)

    def regions(self, smallest_bytes: int, largest_bytes: int) -> Iterator[Region]:
        """The regions of such sizes, in order."""
        for line in Path(f"/proc/{self._pid}/maps").read_text().splitlines():
            span, rights = line.split(maxsplit=2)[:2]
            start, stop = (int(end, 16) for end in span.split("-"))
            region = Region(start, stop)
            if rights.startswith("rw") and smallest_bytes <= region.size_bytes <= largest_bytes:
                yield region

    def filled_regions(self, smallest_bytes: int, largest_bytes: int) -> Iterator[Region]:
        """Those of them that hold so much: most of a process's memory was never written.

        All of them, where the kernel does not tell.
        """
        regions = list(self.regions(smallest_bytes, largest_bytes))
        try:
            pages = os.open(f"/proc/{self._pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            yield from regions
            return
        try:
            for region in regions:
                filled = _filled_bytes(pages, region)
                if filled is None or filled >= smallest_bytes:
                    yield region
        finally:
            os.close(pages)

    def find(self, needle: bytes, region: Region) -> Iterator[int]:
        """The addresses in the region at which `needle` stands, at multiples of 4 bytes.

        Raises:
            OSError: this user may not read that process.

        """
        memory = bytearray(region.size_bytes)
        try:
            self.read_into(region.start, memory)
        except OSError as error:
            if error.errno in _REFUSED:
                raise
            return  # it has gone meanwhile
        at = memory.find(needle)
        while at >= 0:
            if at % 4 == 0:
                yield region.start + at
            at = memory.find(needle, at + 1)

    def _read_file(self, address: int, buffer: bytearray) -> None:
        file = os.open(f"/proc/{self._pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            count = os.preadv(file, [buffer], address)
        finally:
            os.close(file)
        if count != len(buffer):
            raise OSError(errno.EFAULT, f"read {count} of {len(buffer)} bytes at {address:#x}")

    def _read_by_call(self, address: int, buffer: bytearray) -> None:
        size = len(buffer)
        here = _Piece(ctypes.addressof(ctypes.c_char.from_buffer(buffer)), size)
        there = _Piece(address, size)
        assert self._readv is not None
        count = self._readv(self._pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        if count < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        if count != size:
            raise OSError(errno.EFAULT, f"read {count} of {size} bytes at {address:#x}")


def _filled_bytes(pages: int, region: Region) -> int | None:
    """How much of a region is in memory or swapped out; None if that is not to be had."""
    first, last = region.start // _PAGE_BYTES, region.stop // _PAGE_BYTES
    try:
        told = os.pread(pages, _ENTRY_BYTES * (last - first), _ENTRY_BYTES * first)
    except OSError:
        return None
    if len(told) != _ENTRY_BYTES * (last - first):
        return None
    highest = told[_HIGHEST_BYTE::_ENTRY_BYTES]
    return _PAGE_BYTES * highest.translate(_IS_FILLED).count(1)


@cache
def _process_vm_readv() -> Any:
    """Return libc's function; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "process_vm_readv", None)
    if function is not None:
        pieces = ctypes.POINTER(_Piece)
        function.argtypes = (
            ctypes.c_int, pieces, ctypes.c_ulong, pieces, ctypes.c_ulong, ctypes.c_ulong,
        )  # fmt: skip
        function.restype = ctypes.c_ssize_t
    return function

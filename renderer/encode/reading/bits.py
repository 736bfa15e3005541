"""Bits of a codec's headers, one field after the other. Pure."""

from __future__ import annotations


class UnfamiliarError(Exception):
    """The file has a form that is not read here: only ffprobe can tell what it holds."""


class Bits:
    """What is left of a header. Every call takes what it gives, the highest bit first.

    Raises:
        UnfamiliarError: from any call: the header ends before.

    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """A number of so many bits."""
        if count > self._left:
            raise UnfamiliarError(f"{count} bits are to follow, {self._left} are left")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def skip(self, count: int) -> None:
        self.take(count)

    def flag(self) -> bool:
        return self.take(1) == 1

    def golomb(self) -> int:
        """A number by the Exp-Golomb code of H.264 and H.265."""
        zeros = 0
        while not self.flag():
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def skip_golombs(self, count: int) -> None:
        for _ in range(count):
            self.golomb()

    def refuse(self, what: str) -> None:
        """Take a flag, which may not be set."""
        if self.flag():
            raise UnfamiliarError(f"{what} are not read here")


def without_escapes(unit: bytes) -> bytes:
    """A unit of H.264 or H.265 without the bytes that keep it from looking like a start code."""
    return unit.replace(b"\0\0\3", b"\0\0")

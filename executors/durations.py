"""Lengths of time ↔ protobuf's Duration."""

from __future__ import annotations

from fractions import Fraction

from google.protobuf.duration_pb2 import Duration


def from_seconds(seconds: Fraction | float) -> Duration:
    nanos = round(Fraction(seconds) * 1_000_000_000)
    whole, rest = divmod(abs(nanos), 1_000_000_000)
    sign = -1 if nanos < 0 else 1  # a Duration's two fields have one sign
    return Duration(seconds=sign * whole, nanos=sign * rest)


def to_seconds(message: Duration) -> Fraction:
    return message.seconds + Fraction(message.nanos, 1_000_000_000)

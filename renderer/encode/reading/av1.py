"""AV1: what the sequence header in an `av1C` box tells (AV1 bitstream, 5.5). Pure."""

from __future__ import annotations

from typing import Final

from renderer.encode.recipe import ColorTags

from .bits import Bits, UnfamiliarError
from .form import PictureForm, color_tags, pixel_format

_BEFORE_UNITS: Final = 4
_SEQUENCE_HEADER: Final = 0b0_0001_0_1_0  # the head of its unit: with a size, without more
_ONE_BYTE_SIZES: Final = 0x80
_TOLD_TIER: Final = 7
_CHROMA_OF_PROFILE: Final = {0: 1, 1: 3}


def form_of(record: bytes) -> PictureForm:
    """Read an `av1C` box.

    Raises:
        UnfamiliarError: what it holds is not read here.

    """
    units = record[_BEFORE_UNITS:]
    if units[:1] != bytes([_SEQUENCE_HEADER]) or units[1] >= _ONE_BYTE_SIZES:
        raise UnfamiliarError("the record begins with no sequence header")
    bits = Bits(units[2 : 2 + units[1]])
    profile = bits.take(3)
    bits.skip(1)
    bits.refuse("single pictures")
    bits.refuse("times in the stream")
    _skip_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    width_px, height_px = bits.take(width_bits) + 1, bits.take(height_bits) + 1
    _skip_tools(bits)
    depth = 10 if bits.flag() else 8
    colors = _colors(bits, profile)
    return PictureForm(
        width_px=width_px,
        height_px=height_px,
        pixel_format=pixel_format(_CHROMA_OF_PROFILE[profile], depth, colors),
        colors=colors,
        reorder_frames=0,  # a packet is a picture that is shown
    )


def _skip_points(bits: Bits) -> None:
    has_delay = bits.flag()
    for _ in range(bits.take(5) + 1):
        bits.skip(12)
        if bits.take(5) > _TOLD_TIER:
            bits.skip(1)
        if has_delay and bits.flag():
            bits.skip(4)


def _skip_tools(bits: Bits) -> None:
    """What an encoder may use, up to the colours."""
    if bits.flag():  # numbers of frames
        bits.skip(7)
    bits.skip(3 + 4)
    has_order = bits.flag()
    if has_order:
        bits.skip(2)
    chooses_screen_content = bits.flag()
    if (chooses_screen_content or bits.flag()) and not bits.flag():
        bits.skip(1)
    if has_order:
        bits.skip(3)
    bits.skip(3)


def _colors(bits: Bits, profile: int) -> ColorTags:
    if profile not in _CHROMA_OF_PROFILE:
        raise UnfamiliarError("AV1's professional profile is not read here")
    if profile == 0:
        bits.refuse("pictures without colour")
    if not bits.flag():
        raise UnfamiliarError("the stream does not say what its colours are")
    primaries, transfer, space = bits.take(8), bits.take(8), bits.take(8)
    if space == 0:
        raise UnfamiliarError("RGB in AV1 is not read here")
    return color_tags(primaries, transfer, space, is_full=bits.flag())

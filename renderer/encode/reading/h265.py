"""H.265: what the sequence parameter set in an `hvcC` box tells (ITU-T H.265, 7.3.2.2). Pure."""

from __future__ import annotations

from typing import Final

from .bits import Bits, UnfamiliarError, without_escapes
from .form import CHROMA_444, PictureForm, check_lengths, cropped, pixel_format, told_colors

_BEFORE_ARRAYS: Final = 22
_PARAMETER_SET: Final = 33  # the type of its unit
_UNIT_HEAD: Final = 2
_PROFILE_BITS: Final = 96


def form_of(record: bytes) -> PictureForm:
    """Read an `hvcC` box.

    Raises:
        UnfamiliarError: what it holds is not read here.

    """
    bits = Bits(without_escapes(_parameter_set(record))[_UNIT_HEAD:])
    bits.skip(4)
    if bits.take(3):
        raise UnfamiliarError("several layers are not read here")
    bits.skip(1 + _PROFILE_BITS)
    bits.skip_golombs(1)
    chroma = bits.golomb()
    if chroma == CHROMA_444:
        bits.refuse("separate planes")
    width_px, height_px = cropped(bits, chroma, (bits.golomb(), bits.golomb()))
    depth = 8 + bits.golomb()
    if 8 + bits.golomb() != depth:
        raise UnfamiliarError("chroma of another depth is not read here")
    reorder_frames = _reorder_frames(bits)
    _skip_tools(bits)
    colors = told_colors(bits)
    return PictureForm(
        width_px=width_px,
        height_px=height_px,
        pixel_format=pixel_format(chroma, depth, colors),
        colors=colors,
        reorder_frames=reorder_frames,
    )


def _parameter_set(record: bytes) -> bytes:
    check_lengths(record[21])
    found: list[bytes] = []
    at = _BEFORE_ARRAYS + 1
    for _ in range(record[_BEFORE_ARRAYS]):
        kind, units = record[at] & 63, int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(units):
            length = int.from_bytes(record[at : at + 2], "big")
            if kind == _PARAMETER_SET:
                found.append(record[at + 2 : at + 2 + length])
            at += 2 + length
    if len(found) != 1:
        raise UnfamiliarError(f"{len(found)} parameter sets are not read here")
    return found[0]


def _reorder_frames(bits: Bits) -> int:
    bits.skip_golombs(1)
    bits.skip(1)
    bits.skip_golombs(1)
    reorder_frames = bits.golomb()
    bits.skip_golombs(1)
    return reorder_frames


def _skip_tools(bits: Bits) -> None:
    """What an encoder may use, up to the colours."""
    bits.skip_golombs(6)
    bits.refuse("scaling lists")
    bits.skip(2)
    bits.refuse("samples as they are")
    if bits.golomb():
        raise UnfamiliarError("sets of reference pictures are not read here")
    bits.refuse("long-term reference pictures")
    bits.skip(2)
    if not bits.flag():
        raise UnfamiliarError("the stream says nothing of its colours")

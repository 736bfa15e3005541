"""H.264: what the sequence parameter set in an `avcC` box tells (ITU-T H.264, 7.3.2.1). Pure."""

from __future__ import annotations

from typing import Final

from .bits import Bits, UnfamiliarError, without_escapes
from .form import CHROMA_444, PictureForm, check_lengths, cropped, pixel_format, told_colors

_BLOCK_PX: Final = 16
_BEFORE_SETS: Final = 5
_IN_ORDER: Final = 2  # the order of pictures in which decoding is showing
_TELL_CHROMA: Final = frozenset({100, 110, 122, 244})  # profiles


def form_of(record: bytes) -> PictureForm:
    """Read an `avcC` box.

    Raises:
        UnfamiliarError: what it holds is not read here.

    """
    bits = Bits(without_escapes(_parameter_set(record))[1:])
    chroma, depth = _layout(bits)
    is_in_order = _is_in_order(bits)
    width_px, height_px = cropped(bits, chroma, _size_px(bits))
    if not bits.flag():
        raise UnfamiliarError("the stream says nothing of its colours")
    colors = told_colors(bits)
    return PictureForm(
        width_px=width_px,
        height_px=height_px,
        pixel_format=pixel_format(chroma, depth, colors),
        colors=colors,
        reorder_frames=_reorder_frames(bits, is_in_order),
    )


def _parameter_set(record: bytes) -> bytes:
    check_lengths(record[4])
    if record[_BEFORE_SETS] & 31 != 1:
        raise UnfamiliarError("several parameter sets are not read here")
    length = int.from_bytes(record[6:8], "big")
    return record[8 : 8 + length]


def _layout(bits: Bits) -> tuple[int, int]:
    """Subsampling and bit depth."""
    profile = bits.take(8)
    bits.skip(16)
    bits.skip_golombs(1)
    if profile not in _TELL_CHROMA:
        return 1, 8
    chroma = bits.golomb()
    if chroma == CHROMA_444:
        bits.refuse("separate planes")
    depth = 8 + bits.golomb()
    if 8 + bits.golomb() != depth:
        raise UnfamiliarError("chroma of another depth is not read here")
    bits.skip(1)
    bits.refuse("scaling matrices")
    return chroma, depth


def _is_in_order(bits: Bits) -> bool:
    """Whether all pictures are shown as they are decoded."""
    bits.skip_golombs(1)
    order = bits.golomb()
    if order == 0:
        bits.skip_golombs(1)
    elif order != _IN_ORDER:
        raise UnfamiliarError("an order of pictures by cycles is not read here")
    return order == _IN_ORDER


def _size_px(bits: Bits) -> tuple[int, int]:
    """The size of whole blocks, after what stands before it."""
    bits.skip_golombs(1)
    bits.skip(1)
    across, down = bits.golomb() + 1, bits.golomb() + 1
    if not bits.flag():
        raise UnfamiliarError("fields are not read here")
    bits.skip(1)
    return _BLOCK_PX * across, _BLOCK_PX * down


def _reorder_frames(bits: Bits, is_in_order: bool) -> int:
    """What the VUI's end says, after the colours."""
    if bits.flag():  # where chroma stands
        bits.skip_golombs(2)
    if bits.flag():  # time
        bits.skip(65)
    bits.refuse("buffers of NAL units")
    bits.refuse("buffers of pictures")
    bits.skip(1)
    if is_in_order:
        return 0
    if not bits.flag():
        raise UnfamiliarError("the stream does not say how it is reordered")
    bits.skip(1)
    bits.skip_golombs(4)
    return bits.golomb()

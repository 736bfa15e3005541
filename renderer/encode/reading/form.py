"""The form of pictures, as a codec's headers tell it, in the words of ffprobe. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renderer.encode.recipe import ColorTags

from .bits import UnfamiliarError

if TYPE_CHECKING:
    from .bits import Bits

_ANY_ASPECT: Final = 255
_RGB: Final = "gbr"
# ITU-T H.273, as far as we write it.
_PRIMARIES: Final = {1: "bt709", 6: "smpte170m", 12: "smpte432"}
_TRANSFERS: Final = {1: "bt709", 6: "smpte170m", 13: "iec61966-2-1"}
_SPACES: Final = {0: _RGB, 1: "bt709", 6: "smpte170m"}
_CHROMA: Final = {1: "yuv420p", 2: "yuv422p", 3: "yuv444p"}
_DEPTHS: Final = {8: "", 10: "10le"}
CHROMA_444: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureForm:
    """Size, pixel format, colours; and how many pictures may be decoded before they are shown."""

    width_px: int
    height_px: int
    pixel_format: str
    colors: ColorTags
    reorder_frames: int


def told_colors(bits: Bits) -> ColorTags:
    """Read H.264's and H.265's VUI up to the colours.

    Raises:
        UnfamiliarError: it does not say all of them, or others than we write.

    """
    if bits.flag() and bits.take(8) == _ANY_ASPECT:
        bits.skip(32)
    if bits.flag():  # whether overscan is right
        bits.skip(1)
    if not bits.flag():
        raise UnfamiliarError("the stream says nothing of its signal")
    bits.skip(3)
    is_full = bits.flag()
    if not bits.flag():
        raise UnfamiliarError("the stream does not say what its colours are")
    return color_tags(bits.take(8), bits.take(8), bits.take(8), is_full=is_full)


def color_tags(primaries: int, transfer: int, space: int, *, is_full: bool) -> ColorTags:
    """Of the numbers in H.273 the names.

    Raises:
        UnfamiliarError: we write no such.

    """
    try:
        return ColorTags(
            space=_SPACES[space],
            primaries=_PRIMARIES[primaries],
            transfer=_TRANSFERS[transfer],
            range="pc" if is_full else "tv",
        )
    except KeyError as error:
        raise UnfamiliarError(f"colours of number {error} are not read here") from error


def pixel_format(chroma: int, depth: int, colors: ColorTags) -> str:
    """What ffprobe calls pixels of this subsampling (H.264's number) and so many bits.

    Raises:
        UnfamiliarError: we write no such.

    """
    if depth not in _DEPTHS or chroma not in _CHROMA:
        raise UnfamiliarError(f"pixels of {depth} bits and chroma {chroma} are not read here")
    if colors.space == _RGB:
        if chroma != CHROMA_444:
            raise UnfamiliarError("RGB whose colours are subsampled is not read here")
        return "gbrp" + _DEPTHS[depth]
    if colors.range != "tv":  # whose format has another name in some codecs
        raise UnfamiliarError("YUV of full range is not read here")
    return _CHROMA[chroma] + _DEPTHS[depth]


def cropped(bits: Bits, chroma: int, size_px: tuple[int, int]) -> tuple[int, int]:
    """The size of what is shown: H.264 and H.265 count what is cut off in pixels of chroma."""
    if not bits.flag():
        return size_px
    left, right, top, bottom = (bits.golomb() for _ in range(4))
    across, down = {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    return size_px[0] - across * (left + right), size_px[1] - down * (top + bottom)


def check_lengths(byte: int) -> None:
    """Refuse units of H.264 or H.265 whose lengths have not 32 bits, by the byte that says so.

    Raises:
        UnfamiliarError: they have not.

    """
    if byte & 3 != 3:
        raise UnfamiliarError("units with short lengths are not read here")

"""Each codec in each container, in one piece and in chunks, with alpha and without."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from coordinator.assembly import Assembly, ChunkFile
from renderer.audio.clips import Window
from renderer.encode.check import check_pictures
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.codecs import CODECS
from renderer.encode.ffmpeg import PictureStream
from renderer.encode.probe import probe
from renderer.frames import FrameRange, FrameRate
from renderer.picture import Picture
from renderer.settings import RenderSettings
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, encode
from tests.support.frame_numbers import BITS, SQUARE_PX, decode_frame_numbers
from tests.support.pictures import numbered_picture
from tests.support.sounds import decode_sound, onset

WIDTH_PX, HEIGHT_PX = 400, 128
RATE = FrameRate(30000, 1001)
FIRST = 90
VIDEOS = [
    (codec, container)
    for codec, facts in CODECS.items()
    for container in facts.containers
    if container not in {Container.WEBP, Container.ZIP, Container.PNG, Container.JPG}
]
QUICK = {
    Codec.H264: "ultrafast", Codec.H265: "ultrafast", Codec.VP8: "5", Codec.VP9: "5",
    Codec.AV1: "12",
}  # fmt: skip


def settings_of(codec: Codec, container: Container | None = None, **more: Any) -> RenderSettings:
    return RenderSettings(
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        frame_rate=RATE,
        codec=codec,
        container=container,
        preset=QUICK.get(codec, ""),
        **more,
    )


def picture(number: int, *, is_open: bool = False) -> Picture:
    """A numbered picture whose lower half is open, but for a bar that is half so."""
    drawn = numbered_picture(number, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    if not is_open:
        return drawn
    pixels = bytearray(drawn.pixels)
    for row in range(64, HEIGHT_PX):
        for column in range(WIDTH_PX):
            at = (row * WIDTH_PX + column) * 4
            pixels[at : at + 4] = (0, 0, 200, 128) if 100 <= column < 200 else bytes(4)
    return Picture(width_px=WIDTH_PX, height_px=HEIGHT_PX, pixels=pixels)


async def made(
    folder: Path,
    settings: RenderSettings,
    lengths: list[int],
    *,
    is_open: bool = False,
    sound: Path | None = None,
) -> Path:
    """A finished file of chunks of these lengths."""
    folder.mkdir()
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    chunks, start = [], FIRST
    for length in lengths:
        frames = FrameRange(start, start + length)
        pictures = [picture(number, is_open=is_open) for number in frames]
        path = await encode(pictures, folder / f"chunk-{start}", settings, stream)
        chunks.append(ChunkFile(path=path, frames=frames))
        start += length
    assembly = Assembly(
        chunks=tuple(chunks),
        settings=settings,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        sound=sound,
    )
    await assemble(assembly, folder / "out", ffmpeg=FFMPEG, ffprobe=FFPROBE)
    return folder / "out"


def decoded(video: Path, pixel_format: str, *decoder: str) -> list[bytes]:
    """The pixels of each frame."""
    how = ["-f", "rawvideo", "-fps_mode", "passthrough", "-pix_fmt", pixel_format, "pipe:1"]
    command = ["ffmpeg", "-v", "error", *decoder, "-i", str(video), *how]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    size = WIDTH_PX * HEIGHT_PX * len(pixel_format)
    assert len(raw) % size == 0
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def shown(file: Path, container: Container) -> list[bytes]:
    """Red, green, blue and alpha of each frame, whatever the file is."""
    if container is Container.ZIP:
        with zipfile.ZipFile(file) as archive:
            names = sorted(archive.namelist())
            assert [int(Path(name).stem) for name in names] == list(
                range(FIRST, FIRST + len(names))
            )
            pictures: list[Image.Image] = [
                Image.open(io.BytesIO(archive.read(name))) for name in names
            ]
    elif container in {Container.WEBP, Container.PNG, Container.JPG}:
        pictures = [frame.copy() for frame in ImageSequence.Iterator(Image.open(file))]
    else:
        return decoded(file, "rgba")
    return [each.convert("RGBA").tobytes() for each in pictures]


def at(pixels: bytes, x: int, y: int) -> tuple[int, ...]:
    start = (y * WIDTH_PX + x) * 4
    return tuple(pixels[start : start + 4])


@pytest.mark.parametrize(("codec", "container"), VIDEOS)
async def test_every_codec_holds_all_frames_in_every_container(
    codec: Codec, container: Container, tmp_path: Path
) -> None:
    settings = settings_of(codec, container)

    video = await made(tmp_path / "chunks", settings, [4, 1, 3])

    facts = await probe(FFPROBE, video)
    check_pictures(facts, frames=8, settings=settings, size_px=(WIDTH_PX, HEIGHT_PX))
    assert decode_frame_numbers(video) == list(range(FIRST, FIRST + 8))


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [
        (Codec.H264, "yuv420p10le"),
        (Codec.H265, "yuv420p10le"),
        (Codec.VP9, "yuv420p10le"),
        (Codec.AV1, "yuv420p10le"),
        (Codec.DNXHR, "yuv422p10le"),
    ],
)
async def test_ten_bits_are_ten(codec: Codec, pixel_format: str, tmp_path: Path) -> None:
    video = await made(tmp_path / "chunks", settings_of(codec, bit_depth=10), [2, 1])

    assert (await probe(FFPROBE, video)).pixel_format == pixel_format
    assert decode_frame_numbers(video) == list(range(FIRST, FIRST + 3))


@pytest.mark.parametrize("codec", [Codec.H265, Codec.VP8, Codec.VP9, Codec.AV1])
async def test_key_frames_stand_where_they_were_asked_for(codec: Codec, tmp_path: Path) -> None:
    video = await made(tmp_path / "chunks", settings_of(codec, gop_frames=4), [9, 3])

    what = ["-select_streams", "v:0", "-show_entries", "packet=flags", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", *what, str(video)]
    flags = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert [index for index, flag in enumerate(flags) if "K" in flag] == [0, 4, 8, 9]


WHOLE: list[tuple[Codec, Container, dict[str, Any]]] = [
    (Codec.H264, Container.MP4, {"lossless": True}),
    (Codec.H265, Container.MOV, {"lossless": True}),
    (Codec.VP9, Container.WEBM, {"lossless": True}),
    (Codec.H264, Container.MP4, {"bitrate_kbps": 300}),
    (Codec.VP9, Container.MKV, {"bitrate_kbps": 300}),
    (Codec.PRORES, Container.MOV, {}),
    (Codec.PRORES_4444, Container.MOV, {"transparent": True}),
    (Codec.DNXHR, Container.MOV, {"bit_depth": 10}),
    (Codec.FFV1, Container.MKV, {"transparent": True}),
    (Codec.GIF, Container.GIF, {}),
    (Codec.APNG, Container.APNG, {"transparent": True}),
    (Codec.WEBP, Container.WEBP, {"transparent": True}),
    (Codec.WEBP, Container.ZIP, {"lossless": True}),
    (Codec.PNG, Container.ZIP, {"transparent": True}),
    (Codec.JPEG, Container.ZIP, {}),
]


@pytest.mark.parametrize(("codec", "container", "more"), WHOLE)
async def test_chunks_show_the_pictures_of_one_piece(
    codec: Codec, container: Container, more: dict[str, Any], tmp_path: Path
) -> None:
    settings = settings_of(codec, container, **more)
    is_open = settings.transparent

    whole = await made(tmp_path / "whole", settings, [5], is_open=is_open)
    chunked = await made(tmp_path / "chunked", settings, [2, 1, 2], is_open=is_open)

    assert len(shown(whole, container)) == 5
    assert shown(chunked, container) == shown(whole, container)


ALPHA = [
    (codec, container)
    for codec, container in VIDEOS
    if CODECS[codec].has_alpha
    and not (codec in {Codec.VP8, Codec.VP9} and container is Container.MP4)
    and codec is not Codec.GIF  # its pixels are there or not: test_odd_sides.py
]


@pytest.mark.parametrize(("codec", "container"), ALPHA)
async def test_every_codec_with_alpha_holds_it_in_chunks_as_in_one_piece(
    codec: Codec, container: Container, tmp_path: Path
) -> None:
    settings = settings_of(codec, container, transparent=True, gop_frames=2)

    whole = await made(tmp_path / "whole", settings, [3], is_open=True)
    chunked = await made(tmp_path / "chunked", settings, [2, 1], is_open=True)

    decoder = DECODERS.get(codec, ())
    pairs = zip(decoded(whole, "rgba", *decoder), decoded(chunked, "rgba", *decoder), strict=True)
    for left, right in pairs:
        assert average_difference(left, right) < 1.5
        check_half_open(right)


LOSSY = [Codec.H264, Codec.H265, Codec.VP8, Codec.VP9, Codec.AV1]


@pytest.mark.parametrize("codec", LOSSY)
async def test_chunks_with_loss_differ_from_one_piece_by_no_more_than_that(
    codec: Codec, tmp_path: Path
) -> None:
    settings = settings_of(codec, gop_frames=4)

    whole = await made(tmp_path / "whole", settings, [8])
    chunked = await made(tmp_path / "chunked", settings, [4, 1, 3])

    assert decode_frame_numbers(chunked) == decode_frame_numbers(whole)
    assert decode_frame_numbers(whole) == list(range(FIRST, FIRST + 8))
    for left, right in zip(decoded(whole, "rgba"), decoded(chunked, "rgba"), strict=True):
        assert average_difference(left, right) < 1.5


def average_difference(left: bytes, right: bytes) -> float:
    pair = [np.frombuffer(pixels, np.uint8).astype(int) for pixels in (left, right)]
    return float(np.abs(pair[0] - pair[1]).mean())


@pytest.mark.parametrize(
    ("codec", "container"),
    [
        (Codec.H264, Container.MP4),
        (Codec.H265, Container.MKV),
        (Codec.VP9, Container.WEBM),
        (Codec.FFV1, Container.MKV),
        (Codec.APNG, Container.APNG),
        (Codec.WEBP, Container.WEBP),
        (Codec.PNG, Container.ZIP),
    ],
)
async def test_what_is_lossless_shows_what_was_captured(
    codec: Codec, container: Container, tmp_path: Path
) -> None:
    settings = settings_of(codec, container, lossless=True)

    file = await made(tmp_path / "chunks", settings, [2, 1])

    wanted = [
        Image.frombuffer("RGBA", each.size_px, bytes(each.pixels), "raw", "BGRA", 0, 1).tobytes()
        for each in map(picture, range(FIRST, FIRST + 3))
    ]
    assert shown(file, container) == wanted


# Libvpx' own decoders, which ffmpeg does not take by itself, know of alpha.
DECODERS = {Codec.VP8: ("-c:v", "libvpx"), Codec.VP9: ("-c:v", "libvpx-vp9")}


@pytest.mark.parametrize(
    ("codec", "container"), [(Codec.WEBP, Container.WEBP), (Codec.PNG, Container.ZIP)]
)
async def test_what_is_half_open_stays_so(
    codec: Codec, container: Container, tmp_path: Path
) -> None:
    settings = settings_of(codec, container, transparent=True)

    file = await made(tmp_path / "chunks", settings, [2, 1], is_open=True)

    pictures = shown(file, container)
    assert len(pictures) == 3
    for pixels in pictures:
        check_half_open(pixels)


def check_half_open(pixels: bytes) -> None:
    assert at(pixels, 300, 100)[3] <= 2
    assert at(pixels, 10, 10)[3] >= 253
    red, green, blue, alpha = at(pixels, 150, 100)
    assert abs(alpha - 128) <= 2
    assert abs(red - 200) <= 8
    assert max(green, blue) <= 8


@pytest.mark.parametrize(
    "codec", [Codec.H265, Codec.VP8, Codec.VP9, Codec.AV1, Codec.PRORES, Codec.DNXHR, Codec.FFV1]
)
async def test_the_bytes_of_a_chunk_do_not_depend_on_the_machine(
    codec: Codec, tmp_path: Path
) -> None:
    settings = settings_of(codec)
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    pictures = [picture(number) for number in range(6)]
    everywhere = await encode(pictures, tmp_path / "all", settings, stream)
    processors = os.sched_getaffinity(0)

    os.sched_setaffinity(0, {min(processors)})  # ffmpeg inherits it and counts one processor
    try:
        alone = await encode(pictures, tmp_path / "one", settings, stream)
    finally:
        os.sched_setaffinity(0, processors)

    assert alone.read_bytes() == everywhere.read_bytes()


def sound_start_s(video: Path) -> float:
    what = ["-select_streams", "a:0", "-show_entries", "stream=start_time", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", *what, str(video)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.parametrize(
    ("codec", "container", "stream"),
    [
        (Codec.H265, Container.MP4, "aac"),
        (Codec.PRORES, Container.MOV, "pcm_s24le"),
        (Codec.VP9, Container.WEBM, "opus"),
        (Codec.FFV1, Container.MKV, "flac"),
    ],
)
async def test_sound_is_written_as_the_container_wants_it(
    codec: Codec, container: Container, stream: str, tmp_path: Path
) -> None:
    sound = tmp_path / "sound"
    window = Window.of(FrameRange(FIRST, FIRST + 4), RATE)
    samples = np.zeros((window.samples, 2), "<f4")
    samples[2400:] = 0.5 * np.sin(np.arange(window.samples - 2400) * 0.2)[:, None]
    sound.write_bytes(samples.tobytes())

    video = await made(tmp_path / "chunks", settings_of(codec, container), [3, 1], sound=sound)

    facts = await probe(FFPROBE, video)
    assert facts.sound is not None
    assert (facts.sound.codec, facts.sound.sample_rate, facts.sound.channels) == (stream, 48_000, 2)
    assert abs(onset(decode_sound(video), above=0.05) - 2400) <= 48
    assert sound_start_s(video) in {0, -0.007}  # the latter is Opus' priming, of 6.5 ms
    assert decode_frame_numbers(video) == list(range(FIRST, FIRST + 4))


@pytest.mark.parametrize(("codec", "container"), [(Codec.PNG, "png"), (Codec.JPEG, "jpg")])
async def test_one_frame_is_one_picture(codec: Codec, container: str, tmp_path: Path) -> None:
    settings = settings_of(codec, Container(container))

    file = await made(tmp_path / "chunks", settings, [1])

    (pixels,) = shown(file, Container(container))
    squares = [at(pixels, bit * SQUARE_PX + 12, 12)[0] > 128 for bit in range(BITS)]
    assert sum(1 << bit for bit, is_bright in enumerate(squares) if is_bright) == FIRST

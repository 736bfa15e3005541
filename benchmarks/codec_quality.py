"""How much each codec loses at its usual quality: SSIM and PSNR of luma, against FFV1.

`python -m benchmarks.codec_quality` writes results/codec-quality.md, and fails when a codec loses
more than WANTED says. Luma is compared as a file holds it, with what the same matrix makes of the
pictures: so it is the encoder that is measured, and not what becomes of colours on the way.
Pictures are ffmpeg's own: a test card with fine lines and a number that changes, and a slow dive
into the Mandelbrot set.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from coordinator.assembly import Assembly, ChunkFile
from renderer.encode.choices import container_of
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.ffmpeg import encoding
from renderer.encode.pictures import PictureStream
from renderer.encode.recipe import video_recipe
from renderer.frames import FrameRange
from renderer.picture import Picture
from renderer.settings import RenderSettings
from renderer.tools import find_ffmpeg
from tests.support.assembling import assemble

from .machine import description
from .similarity import luma_graph, luma_similarity
from .tables import table, write_report

WIDTH_PX, HEIGHT_PX, FRAMES = 640, 360, 30
SOURCES: Final = {"test card": "testsrc2", "Mandelbrot": "mandelbrot"}
LOSSY: Final = (
    Codec.H264, Codec.H265, Codec.VP8, Codec.VP9, Codec.AV1, Codec.PRORES, Codec.PRORES_4444,
    Codec.DNXHR, Codec.JPEG, Codec.WEBP,
)  # fmt: skip
_PICTURES: Final = (Codec.JPEG, Codec.WEBP)
WANTED: Final = 0.995  # SSIM of luma, the mean over all frames
_PSNR: Final = re.compile(r"PSNR y:(\S+)")


async def main() -> None:
    ffmpeg, _ = find_ffmpeg(os.environ)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, source in SOURCES.items():
            pictures = _pictures(ffmpeg, source)
            lossless = await _made(Path(folder, f"{source}-ffv1"), Codec.FFV1, pictures)
            for codec in LOSSY:
                video = await _made(Path(folder, f"{source}-{codec}"), codec, pictures)
                rows.append(_row(ffmpeg, name, codec, video, lossless))
    head = ["pictures", "codec", "SSIM-Y, mean (worst frame)", "PSNR-Y, dB", "Mbit/s at 30 fps"]
    intro = [
        "# What codecs lose",
        "",
        f"Each codec at its usual quality, {FRAMES} frames of {WIDTH_PX}x{HEIGHT_PX} px;",
        "written by `python -m benchmarks.codec_quality`. Luma is compared as each file holds it.",
        f"Every mean has to be {WANTED} or more.",
        "",
    ]
    write_report("codec-quality", [*intro, *description(), "", *table(head, rows)])


def _pictures(ffmpeg: Path, source: str) -> list[Picture]:
    graph = f"{source}=size={WIDTH_PX}x{HEIGHT_PX}:rate=30"
    how = ["-frames:v", str(FRAMES), "-f", "rawvideo", "-pix_fmt", "bgra", "pipe:1"]
    command = [str(ffmpeg), "-v", "error", "-f", "lavfi", "-i", graph, *how]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    size = WIDTH_PX * HEIGHT_PX * 4
    return [
        Picture(width_px=WIDTH_PX, height_px=HEIGHT_PX, pixels=raw[start : start + size])
        for start in range(0, len(raw), size)
    ]


async def _made(folder: Path, codec: Codec, pictures: list[Picture]) -> Path:
    folder.mkdir()
    ffmpeg, ffprobe = find_ffmpeg(os.environ)
    container = Container.ZIP if codec in _PICTURES else None
    settings = RenderSettings(
        width_px=WIDTH_PX, height_px=HEIGHT_PX, codec=codec, container=container
    )
    chunk = folder / "chunk"
    stream = PictureStream(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    frames = FrameRange(0, len(pictures))
    async with encoding(ffmpeg, stream, settings, chunk, frames=frames) as encoder:
        for picture in pictures:
            await encoder.write(picture)
        await encoder.finish()
    whole = ChunkFile(path=chunk, frames=frames)
    assembly = Assembly(chunks=(whole,), settings=settings, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    video = folder / f"video.{container_of(settings)}"
    await assemble(assembly, video, ffmpeg=ffmpeg, ffprobe=ffprobe)
    return video


def _row(ffmpeg: Path, name: str, codec: Codec, video: Path, lossless: Path) -> list[str]:
    alike = luma_similarity(ffmpeg, _opened(video), lossless, matrix=_matrix(codec))
    if alike.mean < WANTED:
        raise SystemExit(f"{codec} loses too much of the {name}: SSIM {alike}, not {WANTED}")
    megabits = video.stat().st_size * 8 / (FRAMES / 30) / 1e6
    psnr_db = _psnr(ffmpeg, _opened(video), lossless, _matrix(codec))
    return [name, codec, str(alike), f"{psnr_db:.1f}", f"{megabits:.1f}"]


def _matrix(codec: Codec) -> str:
    if codec is Codec.WEBP:  # whose pictures are VP8's
        return "smpte170m"
    return video_recipe(RenderSettings(codec=codec)).colors.value.space


def _opened(video: Path) -> list[str]:
    """How ffmpeg opens a video, or the pictures of a ZIP."""
    if video.suffix != ".zip":
        return ["-i", str(video)]
    folder = video.with_suffix("")
    with zipfile.ZipFile(video) as file:
        file.extractall(folder)
        ending = Path(file.namelist()[0]).suffix
    return ["-framerate", "30", "-start_number", "0", "-i", str(folder / f"%08d{ending}")]


def _psnr(ffmpeg: Path, video: list[str], lossless: Path, matrix: str) -> float:
    graph = luma_graph(matrix, "psnr=stats_file=/dev/null")
    command = [str(ffmpeg), "-hide_banner", *video, "-i", str(lossless), "-lavfi", graph]
    done = subprocess.run([*command, "-f", "null", "-"], check=True, capture_output=True, text=True)
    found = _PSNR.search(done.stderr)
    if found is None:
        raise RuntimeError(f"ffmpeg said nothing of PSNR: {done.stderr[-300:]}")
    return float(found[1])


if __name__ == "__main__":
    asyncio.run(main())

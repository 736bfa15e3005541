"""How alike two videos look: SSIM of each frame with the same frame of a lossless one."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ALL: Final = re.compile(r"^n:\d+ Y:(\S+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Similarity:
    """SSIM of luma: its mean over the frames, and the worst frame's."""

    mean: float
    worst: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} ({self.worst:.4f})"


def luma_similarity(ffmpeg: Path, video: list[str], lossless: Path, *, matrix: str) -> Similarity:
    """SSIM of the luma that a video holds, with that of lossless pictures by the same matrix.

    Nothing of the video is converted: what is measured is what its encoder lost. `video` is how
    ffmpeg opens it.
    """
    return _similarity(
        ffmpeg, [*video, "-i", str(lossless)], luma_graph(matrix, "ssim=stats_file=-")
    )


def luma_graph(matrix: str, compared: str) -> str:
    """The luma of two inputs, compared frame by frame. Of JPEG's own, all values mean something."""
    numbered = "settb=AVTB,setpts=N"
    exact = "flags=accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
    form, span = ("yuvj444p", "pc") if matrix == "bt470bg" else ("yuv444p", "tv")
    own = f"[0:v]{numbered},extractplanes=y,format=gray[a]"
    to = f"scale=out_range={span}:out_color_matrix={matrix}:{exact},format={form}"
    return f"{own};[1:v]{numbered},{to},extractplanes=y[b];[a][b]{compared}:shortest=1"


def similarity(ffmpeg: Path, video: Path, lossless: Path) -> Similarity:
    # By number, not by time stamp, nor by the time base that a container has.
    inputs = ["-i", str(video), "-i", str(lossless)]
    numbered = "settb=AVTB,setpts=N,scale=out_range=tv:out_color_matrix=bt709,format=yuv420p"
    graph = f"[0:v]{numbered}[a];[1:v]{numbered}[b];[a][b]ssim=stats_file=-:shortest=1"
    return _similarity(ffmpeg, inputs, graph)


def _similarity(ffmpeg: Path, inputs: list[str], graph: str) -> Similarity:
    command = [str(ffmpeg), "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    frames = [float(number) for number in _ALL.findall(told)]
    if not frames:
        raise RuntimeError(f"ffmpeg compared no frame of {' '.join(inputs)}")
    return Similarity(mean=sum(frames) / len(frames), worst=min(frames))

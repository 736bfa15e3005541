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


def similarity(ffmpeg: Path, video: Path, lossless: Path) -> Similarity:
    # By number, not by time stamp, nor by the time base that a container has.
    inputs = ["-i", str(video), "-i", str(lossless)]
    numbered = "settb=AVTB,setpts=N,scale=out_range=tv:out_color_matrix=bt709,format=yuv420p"
    graph = f"[0:v]{numbered}[a];[1:v]{numbered}[b];[a][b]ssim=stats_file=-:shortest=1"
    command = [str(ffmpeg), "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    frames = [float(number) for number in _ALL.findall(told)]
    if not frames:
        raise RuntimeError(f"ffmpeg compared no frame of {video} with {lossless}")
    return Similarity(mean=sum(frames) / len(frames), worst=min(frames))

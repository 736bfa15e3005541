"""Video files whose every picture bears its number, in the codecs that pages use."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .pictures import numbered_picture

# No key picture but the first, pictures that refer forward: what makes a seek hard to get right.
H264 = ("-c:v", "libx264", "-preset", "fast", "-g", "250", "-bf", "3", "-pix_fmt", "yuv420p")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "250", "-b:v", "1M")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-g", "250")


def make_clip(
    path: Path, pictures: int, *options: str, fps: str = "30", encoder: tuple[str, ...] = H264
) -> Path:
    """Encode pictures 0, 1, 2 … into a file; `options` come last."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "image2pipe", "-framerate", fps, "-i", "pipe:0"]
    stills = b"".join(numbered_picture(number).png() for number in range(pictures))
    subprocess.run(
        [*command, *encoder, *options, str(path)], input=stills, check=True, stderr=subprocess.PIPE
    )
    return path


def add_silence(video: Path, path: Path) -> Path:
    """The same pictures, with a track of sound that says nothing."""
    silence = ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo")
    command = ["ffmpeg", "-v", "error", "-i", str(video), *silence, "-shortest", "-c:v", "copy"]
    subprocess.run([*command, "-c:a", "aac", str(path)], check=True)
    return path

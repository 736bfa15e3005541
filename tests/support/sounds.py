"""Sound files made of numbers, and the samples of what became of them."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 48_000
Samples = npt.NDArray[np.float64]


def tone(
    seconds: float, *, level: float = 0.25, hertz: float = 1000.0, rate: int = RATE
) -> Samples:
    """A sine that begins at a zero; `level` is its peak, 1 is full scale."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write_wav(path: Path, *channels: Samples, rate: int = RATE) -> Path:
    scaled = np.round(np.stack(channels, axis=1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(scaled.tobytes())
    return path


def convert(*arguments: str | Path) -> None:
    """Run ffmpeg on files."""
    subprocess.run(["ffmpeg", "-v", "error", *arguments], check=True)


def decode_sound(source: Path) -> Samples:
    """The first audio stream as rows of stereo samples, decoded by ffmpeg, nothing resampled."""
    raw = ["-map", "0:a:0", "-f", "f64le", "-c:a", "pcm_f64le", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-i", str(source), *raw]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(printed, "<f8").reshape(-1, 2)


def read_samples(mix: Path) -> Samples:
    """The rows of a mix, which is a file of plain samples."""
    return np.frombuffer(mix.read_bytes(), "<f4").reshape(-1, 2).astype(np.float64)


def onset(samples: Samples, *, above: float = 0.01) -> int:
    """The first sample that is not (nearly) silent, in any channel."""
    loud = np.abs(samples).max(axis=1) > above
    assert loud.any(), "all is silent"
    return int(np.argmax(loud))


def level_db(samples: Samples) -> float:
    """Root mean square in decibels to full scale."""
    return 20 * float(np.log10(np.sqrt(np.mean(samples**2))))

"""Chunks and a sound that a test has made → a file, as a job's files are made."""

from __future__ import annotations

import tempfile
from pathlib import Path

from coordinator.assembler import make
from coordinator.assembly import Assembly, Workbench, concat_list


async def assemble(assembly: Assembly, output: Path, *, ffmpeg: Path, ffprobe: Path) -> None:
    """Join the chunks and the sound to a file that stands at `output` when it is verified."""
    with tempfile.TemporaryDirectory(prefix=".assembly-", dir=output.absolute().parent) as folder:
        listing, made = Path(folder, "chunks.txt"), Path(folder, "made")
        listing.write_text(concat_list(assembly), encoding="utf-8")
        bench = Workbench(ffmpeg=ffmpeg, ffprobe=ffprobe, folder=Path(folder), listing=listing)
        await make(assembly, made, bench)
        made.replace(output)

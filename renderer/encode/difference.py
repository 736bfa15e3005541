"""A picture of the difference of two pictures."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from .png import png_size
from .process import run

# Any difference is white: most are too faint to be seen. Pictures of other sizes are stretched.
_FILTER: Final = (
    "[0]format=gbrp,split[a][left];[1]format=gbrp,scale={size}:flags=neighbor,split[b][right];"
    "[a][b]blend=all_mode=difference,format=gray,lut=y='if(gt(val,0),255,0)',format=gbrp[differs];"
    "[left][right][differs]hstack=3,format=rgb24"
)


async def write_difference(ffmpeg: Path, pictures: tuple[bytes, bytes], output: Path) -> None:
    """Write a PNG file: one picture, the other, and in white where they differ.

    Raises:
        EncoderError: the pictures are none.

    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.png") for number in (0, 1)]
        for path, picture in zip(paths, pictures, strict=True):
            await asyncio.to_thread(path.write_bytes, picture)
        size = "{}:{}".format(*png_size(pictures[0]))
        inputs = [word for path in paths for word in ("-i", str(path))]
        graph = ["-filter_complex", _FILTER.format(size=size), "-frames:v", "1"]
        command = [str(ffmpeg), "-hide_banner", "-v", "error", "-y", *inputs, *graph]
        await run([*command, "-f", "image2", "-update", "1", "-c:v", "png", str(output)])

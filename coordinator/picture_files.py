"""Pictures as files: one of them, or a ZIP of one a frame, named by the frame's number."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ffmpeg as graph

from renderer.encode.arguments import BITEXACT, compiled
from renderer.encode.choices import container_of
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.ffmpeg import run_ffmpeg
from renderer.encode.recipe import is_encoded_once_more, video_recipe
from renderer.errors import EncoderError

from .last_encode import pictures_for

if TYPE_CHECKING:
    from .assembly import Assembly, Workbench

_ENDINGS: Final = {Codec.PNG: "png", Codec.JPEG: "jpg", Codec.WEBP: "webp"}
_DAY: Final = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP knows: bytes do not tell when


async def gather_pictures(assembly: Assembly, made: Path, bench: Workbench) -> None:
    """Write each frame's picture, and the file that is to hold them.

    Raises:
        EncoderError: a picture is missing, or has another size.

    """
    folder = bench.folder / "pictures"
    folder.mkdir()
    settings = assembly.settings
    recipe = video_recipe(settings)
    options = {"start_number": assembly.frames.start, "fps_mode": "passthrough"}
    pictures = bench.chunks()
    if is_encoded_once_more(settings) or assembly.is_converted:
        pictures = pictures_for(recipe, assembly, bench)
        options |= {"c:v": recipe.encoder, **recipe.options, "pix_fmt": recipe.pixel_format}
        options |= BITEXACT
    else:
        options |= {"c:v": "copy"}
    # The folder's name is ours, and has no % of its own: the number is the only one.
    pattern = folder / f"%08d.{_ENDINGS[settings.codec]}"
    writing = graph.output(pictures, f"file:{_plain(pattern)}", format="image2", **options)
    await run_ffmpeg(compiled(writing, bench.ffmpeg), made)
    await asyncio.to_thread(_gather, assembly, folder, made)


def _plain(pattern: Path) -> str:
    """Take every % for itself, but for that of the number."""
    return str(pattern.parent).replace("%", "%%") + f"/{pattern.name}"


def _gather(assembly: Assembly, folder: Path, made: Path) -> None:
    paths = sorted(folder.iterdir())
    wanted = [f"{number:08}" for number in assembly.frames]
    if [path.stem for path in paths] != wanted:
        raise EncoderError(f"{len(paths)} pictures were written of {len(wanted)} frames")
    size_px = (assembly.width_px, assembly.height_px)
    if container_of(assembly.settings) is not Container.ZIP:
        (path,) = paths
        _check(path.name, path.read_bytes(), size_px)
        path.replace(made)
        return
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as file:
        for path in paths:
            picture = path.read_bytes()
            _check(path.name, picture, size_px)
            entry = zipfile.ZipInfo(path.name, _DAY)
            entry.external_attr = 0o644 << 16
            file.writestr(entry, picture)
            path.unlink()


def _check(name: str, picture: bytes, size_px: tuple[int, int]) -> None:
    from PIL import Image, UnidentifiedImageError  # here: films go without it

    try:
        with Image.open(io.BytesIO(picture), formats=["PNG", "JPEG", "WEBP"]) as image:
            found = image.size
    except (UnidentifiedImageError, OSError) as error:
        raise EncoderError(f"{name} is no picture: {error}") from error
    if found != size_px:
        raise EncoderError(f"{name} has {found} px, not {size_px}")

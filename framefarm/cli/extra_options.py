"""The options that say what a file has besides pictures and sound."""

from __future__ import annotations

from typing import Annotated

import typer


def extra_options(
    *,
    subtitles: Annotated[
        list[str] | None,
        typer.Option("--subtitles", help="FILE,lang=en,offset=2s; may be given again."),
    ] = None,
    subtitles_mode: Annotated[
        str | None,
        typer.Option(
            "--subtitles-mode", help="burn: in the pictures; stream: beside.", show_default="burn"
        ),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the file is called.")] = None,
    artist: Annotated[str | None, typer.Option("--artist", help="Who made it.")] = None,
    comment: Annotated[str | None, typer.Option("--comment", help="Said of it.")] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", help="NAME=VALUE, like album=Summer; may be given again."),
    ] = None,
    chapters: Annotated[
        str | None,
        typer.Option("--chapters", help="A file of lines like '00:10 Title'; or ffmpeg's own."),
    ] = None,
    chapter: Annotated[
        list[str] | None, typer.Option("--chapter", help="10s=Title; may be given again.")
    ] = None,
    creation_time: Annotated[
        str | None,
        typer.Option("--creation-time", help="An ISO 8601 time, or now.", show_default="not told"),
    ] = None,
    color_gamut: Annotated[
        str | None,
        typer.Option("--color-gamut", help="srgb, or p3 (Display P3).", show_default="srgb"),
    ] = None,
) -> None:
    """Only its signature matters, as that of `rendering_options`."""

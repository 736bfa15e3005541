"""The options that say what a video is: one place for `render` and `submit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from framefarm.problems import problems_of
from framefarm.request import RenderOptions
from renderer.encode.codec_facts import Codec, Container
from renderer.settings import RenderSettings

from .extra_options import extra_options
from .queue_options import QUEUE_FLAGS
from .taking import flags_of, parameters_of, taking

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULTS: Final = RenderSettings()
_OTHER_NAMES: Final = {
    "source": "SOURCE",
    "output": "-o",
    "outputs": "-o",
    "manifest": "--manifest",
    "farm": "--farm",
    "workers": "--workers",
    "store": "--store",
    "columns": "--columns",
    "count": "--count",
    "cell_width": "--cell-width",
}


def _history(is_stateful: bool | None) -> str | None:  # as typer calls it
    return None if is_stateful is None else "stateful" if is_stateful else "seekable"


def rendering_options(
    *,
    width_px: Annotated[
        int | None,
        typer.Option(
            "--width", help="Pixels; even for most codecs.", show_default=str(_DEFAULTS.width_px)
        ),
    ] = None,
    height_px: Annotated[
        int | None,
        typer.Option(
            "--height", help="Pixels; even for most codecs.", show_default=str(_DEFAULTS.height_px)
        ),
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option(
            "--fps", help="Like 30, 30000/1001 or 29.97.", show_default=str(_DEFAULTS.frame_rate)
        ),
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", help="How many frames; or say --duration.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", help="How long, like 5s, 500ms or 1m30s.")
    ] = None,
    start_frame: Annotated[
        int | None,
        typer.Option("--start-frame", help="The video begins with this frame.", show_default="0"),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option("--mode", help="auto, dom or canvas.", show_default=_DEFAULTS.mode.value),
    ] = None,
    canvas: Annotated[
        str | None, typer.Option("--canvas", help="Render this canvas' pixels (CSS selector).")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Crop to this element (CSS selector).")
    ] = None,
    target_follows: Annotated[
        bool | None,
        typer.Option(
            "--follow-target",
            help="Crop to where the target is in each frame.",
            show_default="as in frame 0",
        ),
    ] = None,
    transparent: Annotated[
        bool | None,
        typer.Option("--transparent", help="Put nothing behind the page.", show_default="white"),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            "--background", help="Put a colour behind it, like #1a2b3c.", show_default="white"
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            "--codec",
            help=f"How the video is encoded: {', '.join(Codec)}.",
            show_default="by the output's ending",
        ),
    ] = None,
    container: Annotated[
        str | None,
        typer.Option(
            "--container",
            help=f"The kind of file: {', '.join(Container)}.",
            show_default="by the output's ending",
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option("--crf", help="Quality; less is better.", show_default="by the codec"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", help="Effort, in the encoder's words.", show_default="by the codec"
        ),
    ] = None,
    bitrate: Annotated[
        str | None,
        typer.Option("--bitrate", help="Instead of --crf, like 5M.", show_default="–"),
    ] = None,
    lossless: Annotated[
        bool | None,
        typer.Option(
            "--lossless", help="Keep every pixel as it is.", show_default="visually lossless"
        ),
    ] = None,
    bit_depth: Annotated[
        int | None,
        typer.Option("--bit-depth", help="8 or 10.", show_default="by the codec"),
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option("--tune", help="For a kind of picture, like animation.", show_default="–"),
    ] = None,
    codec_options: Annotated[
        list[str] | None,
        typer.Option("--codec-option", help="NAME=VALUE for the encoder; may be given again."),
    ] = None,
    gop_frames: Annotated[
        int | None,
        typer.Option(
            "--gop", help="Most frames between key frames.", show_default=str(_DEFAULTS.gop_frames)
        ),
    ] = None,
    props: Annotated[
        str | None, typer.Option("--props", help="A JSON object for the page, or @FILE.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", help="For the page's random numbers.", show_default=str(_DEFAULTS.seed)
        ),
    ] = None,
    audio: Annotated[
        list[str] | None,
        typer.Option("--audio", help="FILE,offset=2s,volume=0.8,loop; may be given again."),
    ] = None,
    loudness: Annotated[
        float | None,
        typer.Option("--loudness", help="Of the whole mix, in LUFS, like -14.", show_default="–"),
    ] = None,
    stability_timeout: Annotated[
        str | None,
        typer.Option(
            "--stability-timeout",
            help="For the page to be ready.",
            show_default=f"{_DEFAULTS.stability_timeout_s:g}s",
        ),
    ] = None,
    chunk_frames: Annotated[
        int | None,
        typer.Option("--chunk-frames", help="Frames a chunk.", show_default="by the length"),
    ] = None,
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict", help="Fail when a picture, font or sound is missing.", show_default="warn"
        ),
    ] = None,
    history: Annotated[
        bool | None,
        typer.Option(
            "--stateful/--seekable",
            help="Play all frames before a chunk, or jump over them.",
            show_default="found out",
            callback=_history,
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone", help="The page's, like Europe/Berlin.", show_default=_DEFAULTS.timezone
        ),
    ] = None,
    locale: Annotated[
        str | None,
        typer.Option("--locale", help="The page's, like de-DE.", show_default=_DEFAULTS.locale),
    ] = None,
    color_scheme: Annotated[
        str | None,
        typer.Option(
            "--color-scheme", help="light or dark.", show_default=_DEFAULTS.color_scheme.value
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option("--scale", help="Picture pixels a CSS pixel, 0.5 to 4.", show_default="1"),
    ] = None,
    user_agent: Annotated[
        str | None,
        typer.Option("--user-agent", help="What it calls itself.", show_default="Chromium's own"),
    ] = None,
    headers: Annotated[
        list[str] | None,
        typer.Option("--header", help="'Name: value' for every request; may be given again."),
    ] = None,
    cookies: Annotated[
        list[str] | None,
        typer.Option("--cookie", help="'name=value;domain=…;path=/;secure'; may be given again."),
    ] = None,
    epoch: Annotated[
        str | None,
        typer.Option("--epoch", help="Date at frame 0.", show_default="2024-01-01T00:00:00Z"),
    ] = None,
) -> None:
    """Only its signature matters: names are `RenderOptions`' own, and a test keeps it so."""


def takes_rendering_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the rendering options too; it gets them as one `options`."""
    return taking(command, _PARAMETERS, into="options")


def with_props_read(options: RenderOptions) -> RenderOptions:
    """Put the file's text where `--props @FILE` names a file.

    Raises:
        InvalidRequestError: there is no such file, or it is not UTF-8.

    """
    props = options.get("props")
    if not isinstance(props, str) or not props.startswith("@"):
        return options
    path = Path(props[1:])
    with problems_of("props"):
        try:
            return {**options, "props": path.read_text(encoding="utf-8")}
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8 text") from error


def name_on_command_line(field: str) -> str:
    """What the user of the command line calls a field: `width_px` → `--width`."""
    name = field.partition("[")[0].partition(".")[0]  # audio[0].volume
    return _OTHER_NAMES.get(name) or _FLAGS.get(name) or field


_PARAMETERS: Final = parameters_of(rendering_options) | parameters_of(extra_options)
_FLAGS: Final = flags_of(_PARAMETERS) | QUEUE_FLAGS

"""From the names of several files to what a job is to make of its frames. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.output_files import (
    MAX_OUTPUTS,
    Encoding,
    FilmFile,
    SoundFile,
    StillFile,
    violations_of,
)
from renderer.encode.sound_files import sound_kind
from renderer.errors import InvalidRequestError

from .output_options import options_of, unheard
from .problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from coordinator.output_files import OutputFile
    from renderer.settings import RenderSettings

    from .output_names import OutputName
    from .request import RenderOptions, Wish

    ReadSettings = Callable[[RenderOptions, Problems, Path], RenderSettings]


def is_one_film(names: Sequence[OutputName]) -> bool:
    """Whether it is but one file with all frames, for which every option is meant."""
    return len(names) == 1 and names[0].is_film


def read_files(
    names: Sequence[OutputName], options: RenderOptions, problems: Problems, read: ReadSettings
) -> list[OutputFile]:
    """Understand what is wanted of each; all that is wrong is among the problems."""
    if len(names) > MAX_OUTPUTS:
        problems.add("output", f"{len(names)} files are more than {MAX_OUTPUTS}")
        return []
    found: list[OutputFile] = []
    for name in names:
        with problems.of("output"):
            try:
                found.append(_file(name, options, read))
            except InvalidRequestError as error:
                for each in error.violations:
                    problems.add(each.field, f"{name}: {each.problem}")
    if len(found) == len(names):
        for option in unheard(names, options):
            known = ", ".join(str(name) for name in names)
            problems.add(option, f"no encoder of {known} knows this; drop it")
    return found


def _file(name: OutputName, options: RenderOptions, read: ReadSettings) -> OutputFile:
    kind = sound_kind(name.path)
    if kind is not None:
        if name.options or name.moment:
            raise ValueError(f"{name}: a sound file takes no options; name it alone")
        return SoundFile(kind=kind)
    problems = Problems()
    settings = read(options_of(name, options), problems, name.path)
    problems.raise_if_any()
    encoding = Encoding.of(settings)
    if name.is_film:
        return FilmFile(encoding=encoding)
    return StillFile(encoding=encoding, frame=name.frame(settings.frame_rate))


def check_files(names: Sequence[OutputName], wish: Wish, problems: Problems) -> None:
    """Check that each file can be made of the frames that are wanted."""
    for name, file in zip(names, wish.outputs, strict=bool(wish.outputs)):
        for each in violations_of(file, wish.settings, wish.frames):
            problems.add("output", f"{name}: {each.problem}")

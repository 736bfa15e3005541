"""Which of the options that are said once hold for which of several files. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from renderer.encode.codec_facts import Codec
from renderer.encode.codecs import CODECS
from renderer.encode.containers import file_of_output

from .encoding import read_codec_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from renderer.encode.codec_facts import CodecFacts

    from .output_names import OutputName
    from .request import RenderOptions

_QUALITIES: Final = ("crf", "bitrate", "lossless")
# Whether an encoder knows what is said; whether it likes the value is another matter.
_KNOWS: Final[Mapping[str, Callable[[CodecFacts, Any], bool]]] = {
    "crf": lambda facts, _: facts.crf is not None,
    "bitrate": lambda facts, _: facts.passes > 0,
    "lossless": lambda facts, _: facts.has_lossless,
    "bit_depth": lambda facts, said: any(said in depths for depths in facts.formats.values()),
    "preset": lambda facts, said: said in facts.presets,
    "tune": lambda facts, said: said in facts.tunes,
    "gop_frames": lambda facts, _: facts.has_gop,
    "codec_options": lambda facts, said: said[0] in facts.options,
}
ENCODING: Final = ("codec", "container", *_KNOWS)


def without_encoding(options: RenderOptions) -> RenderOptions:
    """What is said of all files alike."""
    shared = {name: said for name, said in options.items() if name not in ENCODING}
    return cast("RenderOptions", shared)


def options_of(name: OutputName, options: RenderOptions) -> RenderOptions:
    """What is said of one file, of several: its own, and of the rest what its encoder knows.

    Raises:
        ValueError: its codec does not exist, or no file ends so.

    """
    own = dict(name.options)
    if not name.is_film:  # what is said once is said of films
        return cast("RenderOptions", {**without_encoding(options), **own})
    container, usual = file_of_output(name.path)
    codec = Codec(own["codec"]) if own.get("codec") in set(Codec) else usual
    if "codec" not in own and (said := options.get("codec")) in set(Codec):
        codec = Codec(said) if container in CODECS[Codec(said)].containers else usual
    known = dict(_known(CODECS[codec], options))
    if own.keys() & set(_QUALITIES):
        known = {key: said for key, said in known.items() if key not in _QUALITIES}
    given = {**without_encoding(options), "codec": codec.value, **known, **own}
    if "container" in options:
        given["container"] = options["container"]
    return cast("RenderOptions", given)


def _known(facts: CodecFacts, options: RenderOptions) -> Iterator[tuple[str, Any]]:
    for key, said in options.items():
        if key == "codec_options" and "codec_options" in options:
            pairs = read_codec_options(options["codec_options"])
            if mine := {name: text for name, text in pairs if name in facts.options}:
                yield key, mine
        elif key in _KNOWS and _KNOWS[key](facts, said):
            yield key, said


def unheard(names: Sequence[OutputName], options: RenderOptions) -> Iterator[str]:
    """The options that are said once, and that no file's encoder knows."""
    films = [options_of(name, options) for name in names if name.is_film]
    for key in ENCODING:
        if key in options and not any(_is_heard(key, options, each) for each in films):
            yield key


def _is_heard(key: str, said: Mapping[str, object], taken: Mapping[str, object]) -> bool:
    return taken.get(key) == said[key] if key == "codec" else key in taken

"""Several files of one film: what each is called, and which options are meant for which."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from coordinator.output_files import Encoding, FilmFile, SoundFile, StillFile
from framefarm.output_names import OutputName, output_names, parse_output
from framefarm.request import RenderOptions, Wish, read_options
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.sound_files import SoundKind
from renderer.errors import InvalidRequestError


def wish(*names: str, **said: Any) -> Wish:
    options = cast("RenderOptions", {"frames": 90} | said)
    return read_options(options, output_names(names))


def films(*names: str, **said: Any) -> list[Encoding]:
    found = wish(*names, **said).outputs
    return [file.encoding for file in found if isinstance(file, FilmFile)]


def problem(*names: str, **said: Any) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        wish(*names, **said)
    return "; ".join(f"{each.field}: {each.problem}" for each in refused.value.violations)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a.mp4", OutputName(path=Path("a.mp4"))),
        ("one, two.mp4", OutputName(path=Path("one, two.mp4"))),
        ("me@home.mp4", OutputName(path=Path("me@home.mp4"))),
        ("x.png@90f", OutputName(path=Path("x.png"), moment="90f")),
        ("x.jpg@1m30s,crf=3", OutputName(path=Path("x.jpg"), moment="1m30s", options={"crf": 3})),
        (
            "a.mkv,codec=h265,codec-option=ref=3,codec-option=bframes=2,gop=9,lossless",
            OutputName(
                path=Path("a.mkv"),
                options={
                    "codec": "h265",
                    "codec_options": ["ref=3", "bframes=2"],
                    "gop_frames": 9,
                    "lossless": True,
                },
            ),
        ),
    ],
)
def test_a_name_is_a_path_a_moment_and_options(text: str, name: OutputName) -> None:
    assert parse_output(text) == name


def test_a_path_is_no_more_than_a_path() -> None:
    assert output_names([Path("a,crf=3.mp4")]) == (OutputName(path=Path("a,crf=3.mp4")),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.mp4,quality=3", "'quality=3' is no option of a file; known are codec"),
        ("a.mp4,crf=good", "crf='good' is no whole number"),
        ("a.mp4,crf=1,crf=2", "crf is given twice"),
        (",crf=1", "names no file"),
    ],
)
def test_what_is_said_wrongly_in_a_name_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_output(text)


def test_each_file_is_what_its_ending_says() -> None:
    found = wish("a.mp4", "a.gif", "%d.png", "x.webp@1s", "s.opus").outputs

    assert found[:3] == (
        FilmFile(encoding=Encoding(codec=Codec.H264, container=Container.MP4)),
        FilmFile(encoding=Encoding(codec=Codec.GIF, container=Container.GIF)),
        FilmFile(encoding=Encoding(codec=Codec.PNG, container=Container.ZIP)),
    )
    assert found[3] == StillFile(
        encoding=Encoding(codec=Codec.WEBP, container=Container.WEBP), frame=30
    )
    assert found[4] == SoundFile(kind=SoundKind.OPUS)


def test_one_film_is_a_job_without_outputs() -> None:
    alone = wish("a.webm,crf=40")

    assert alone.outputs == ()
    assert (alone.settings.codec, alone.settings.crf) == (Codec.VP9, 40)


def test_an_option_said_once_is_meant_for_those_who_know_it() -> None:
    mp4, webm, gif = films(
        "a.mp4", "a.webm", "a.gif", preset="slow", crf=30, codec_options=["bf=2", "colors=64"]
    )

    assert (mp4.preset, webm.preset, gif.preset) == ("slow", "", "")
    assert (mp4.crf, webm.crf, gif.crf) == (30, 30, None)
    assert mp4.codec_options == (("bf", "2"),)
    assert webm.codec_options == ()
    assert gif.codec_options == (("colors", "64"),)


def test_a_codec_said_once_is_that_of_the_files_that_hold_it() -> None:
    mp4, webm, mkv = films("a.mp4", "a.webm", "a.mkv,codec=ffv1", codec="av1")

    assert [each.codec for each in (mp4, webm, mkv)] == [Codec.AV1, Codec.AV1, Codec.FFV1]


def test_a_files_own_quality_is_its_only_one() -> None:
    first, second = films("a.mp4", "b.mp4,bitrate=800k", crf=30)

    assert (first.crf, first.bitrate_kbps) == (30, None)
    assert (second.crf, second.bitrate_kbps) == (None, 800)


def test_options_said_once_are_not_those_of_a_still() -> None:
    _, still = wish("a.mp4", "x.jpg@0f", crf=30).outputs

    assert isinstance(still, StillFile)
    assert still.encoding.crf is None


@pytest.mark.parametrize(
    ("names", "said", "words"),
    [
        (["a.gif", "a.apng"], {"crf": 3}, "crf: no encoder of a.gif, a.apng knows this"),
        (["a.mp4", "a.webm"], {"preset": "quick"}, "preset: no encoder of"),
        (["a.mp4", "a.webm"], {"crf": 99}, "crf: a.mp4: 99 is outside 0…51"),
        (["a.mp4", "b.gif,crf=3"], {}, "crf: b.gif: gif has no such quality"),
        (["a.mp4", "a.webm"], {"transparent": True}, "transparent: a.mp4: h264 holds no transp"),
        (["a.mp4", "a.avi"], {}, "a.avi ends in .avi; videos end in .mp4"),
        (["a.mp4", "s.wav,crf=3"], {}, "output: s.wav: a sound file takes no options"),
        (["a.mp4", "x.png@4s"], {}, "output: x.png@4s: frame 120 is none of the film's frames"),
        (
            ["a.mp4", "x.png@90f"],
            {},
            "output: x.png@90f: frame 90 is none of the film's frames [0, 90)",
        ),
        (["a.mp4", "x.png@3x"], {}, "output: '3x' is not a duration"),
        (["a.mp4", "x.gif@1s"], {}, "one frame is no gif file"),
        (["a.mp4", "x.png"], {}, "x.png: 90 frames are too many for one png file; say which"),
        (["a.mp4", "a.webm"], {"codec": "h999"}, "codec: 'h999' is unknown"),
    ],
)
def test_what_cannot_be_is_told_with_the_files_name(
    names: list[str], said: dict[str, Any], words: str
) -> None:
    assert words in problem(*names, **said)

"""What files have besides pictures and sound: streams of subtitles, chapters, tags."""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coordinator.assembly import Assembly, ChunkFile, Workbench
from coordinator.extras import Extras, check_extras
from coordinator.sound_file import SoundWish, write_sound
from renderer.audio.tracks import SOUND_FORMATS
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.metadata import Chapter, FileMetadata
from renderer.encode.probe import VideoFacts, probe, probe_sound
from renderer.encode.sound_files import SoundKind
from renderer.errors import EncoderError
from renderer.frames import FrameRange, FrameRate
from renderer.subtitles.reading import read_script
from renderer.subtitles.streams import SubtitleStream
from renderer.subtitles.tracks import SubtitleOptions
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, chunk_settings, numbered_chunks
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.sounds import decode_sound

NTSC = FrameRate(30000, 1001)
FRAMES = FrameRange(60, 84)
QUICK = {Codec.H264: "ultrafast", Codec.VP9: "5", Codec.PRORES: ""}
SRT = """1
00:00:01,000 --> 00:00:02,100
begins before it

2
00:00:02,102 --> 00:00:02,400
<i>Two</i> & <font color="#ff0000">red</font>
lines

3
00:00:02,700 --> 00:00:09,000
{\\an8}ends behind it

4
00:00:04,000 --> 00:00:05,000
never
"""
ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,sans-serif,24

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:09.00,0:00:10.00,Default,,0,0,0,,never
Dialogue: 0,0:00:02.11,0:00:02.40,Default,,0,0,0,,{\i1}Two{\i0}
"""


def stream(name: str, text: str, **options: Any) -> SubtitleStream:
    return SubtitleStream(
        script=read_script(name, text.encode()), options=SubtitleOptions(**options)
    )


async def made(
    folder: Path, codec: Codec, container: Container, extras: Extras, *, sound: Path | None = None
) -> Path:
    folder.mkdir()
    settings = chunk_settings(NTSC, codec=codec, container=container, preset=QUICK[codec])
    chunks = await numbered_chunks(folder, [20, 4], settings, start=FRAMES.start)
    assembly = Assembly(
        chunks=tuple(ChunkFile(path=path, frames=frames) for path, frames in chunks),
        settings=settings,
        width_px=settings.width_px,
        height_px=settings.height_px,
        extras=extras,
        sound=sound,
    )
    output = folder / f"film.{container}"
    await assemble(assembly, output, ffmpeg=FFMPEG, ffprobe=FFPROBE)
    assert decode_frame_numbers(output) == list(FRAMES)
    return output


def cues(video: Path, number: int = 0) -> list[tuple[int, int]]:
    """Start and end of each packet with text, in milliseconds."""
    what = ["-select_streams", f"s:{number}", "-show_packets", "-of", "json"]
    command = ["ffprobe", "-v", "error", *what, str(video)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packets = [packet for packet in told["packets"] if int(packet["size"]) > 2]
    starts = [round(1000 * float(packet["pts_time"])) for packet in packets]
    lengths = [round(1000 * float(packet["duration_time"])) for packet in packets]
    return [(start, start + length) for start, length in zip(starts, lengths, strict=True)]


def text(video: Path, form: str, number: int = 0) -> str:
    command = ["ffmpeg", "-v", "error", "-i", str(video), "-map", f"0:s:{number}", "-f", form, "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("codec", "container", "kind"),
    [
        (Codec.H264, Container.MP4, "mov_text"),
        (Codec.PRORES, Container.MOV, "mov_text"),
        (Codec.H264, Container.MKV, "subrip"),
        (Codec.VP9, Container.WEBM, "webvtt"),
    ],
)
async def test_subtitles_are_streams_on_the_videos_time(
    codec: Codec, container: Container, kind: str, tmp_path: Path
) -> None:
    silent = "1\n00:01:00,000 --> 00:01:01,000\nnot in this film\n"
    extras = Extras(
        subtitles=(
            stream("a.srt", SRT, language="en", title="In English"),
            stream("b.srt", silent, language="pt-BR"),
        )
    )

    video = await made(tmp_path / "film", codec, container, extras)

    facts = await probe(FFPROBE, video)
    assert [(each.codec, each.language) for each in facts.subtitles] == [
        (kind, "eng"),
        (kind, "por"),
    ]
    # The video begins at 2.002 s, and frame 63 of the film is at 2.1021 s: 101 ms later.
    assert cues(video) == [(0, 98), (100, 398), (698, 800)]
    assert cues(video, 1) == []
    shown = text(video, "srt")
    assert "<i>Two</i> & " in shown
    assert "never" not in shown
    assert "In English" in json.dumps(streams_of(video))


async def test_ass_stays_what_it_is_in_matroska(tmp_path: Path) -> None:
    extras = Extras(subtitles=(stream("a.ass", ASS, language="ja", offset_s=Fraction(1, 10)),))

    video = await made(tmp_path / "film", Codec.H264, Container.MKV, extras)

    assert [each.codec for each in (await probe(FFPROBE, video)).subtitles] == ["ass"]
    assert r"{\i1}Two{\i0}" in text(video, "ass")
    # 2.21 s is 0.208 s of the video; the frame that shows it is at 0.2336 s.
    assert cues(video) == [(210, 500)]


def streams_of(video: Path) -> Any:
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(video)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"]


TAGS = (("title", "Ünïcode = “fine”; #1\nline"), ("artist", "A\\B"), ("comment", "c"))
CHAPTERS = (
    Chapter(Fraction(0), "Intro"),
    Chapter(Fraction(21, 10), "Part = two; \\#"),
    Chapter(Fraction(5, 2), "Three"),
    Chapter(Fraction(100), "Never"),
)


OWN = (*TAGS, ("my.own_name", "1"))


@pytest.mark.parametrize(
    ("codec", "container", "tags"),
    [
        (Codec.H264, Container.MP4, TAGS),
        (Codec.H264, Container.MP4, OWN),
        (Codec.PRORES, Container.MOV, TAGS),
        (Codec.PRORES, Container.MOV, OWN),
        (Codec.H264, Container.MKV, OWN),
        (Codec.VP9, Container.WEBM, OWN),
    ],
)
async def test_files_tell_what_they_were_told(
    codec: Codec, container: Container, tags: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    extras = Extras(metadata=FileMetadata(tags=tags, chapters=CHAPTERS))

    video = await made(tmp_path / "film", codec, container, extras)

    facts = await probe(FFPROBE, video)
    assert tags == tuple((name, facts.tags[name]) for name, _ in tags)
    assert "creation_time" not in facts.tags
    assert [chapter.title for chapter in facts.chapters] == ["Intro", "Part = two; \\#", "Three"]
    told = [(float(each.start_s), float(each.end_s)) for each in facts.chapters]
    assert told == [(0, 0.098), (0.098, 0.498), (0.498, 0.801)]


async def test_the_time_of_creation_is_told_when_it_is_given_and_bytes_stay_the_same(
    tmp_path: Path,
) -> None:
    at = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    extras = Extras(metadata=FileMetadata(created_at=at, tags=TAGS, chapters=CHAPTERS))

    first = await made(tmp_path / "a", Codec.H264, Container.MP4, extras)
    second = await made(tmp_path / "b", Codec.H264, Container.MP4, extras)

    assert (await probe(FFPROBE, first)).tags["creation_time"] == "2024-05-06T07:08:09.000000Z"
    assert first.read_bytes() == second.read_bytes()


async def test_sound_and_length_are_the_same_beside_extras(tmp_path: Path) -> None:
    sound = tmp_path / "sound"
    sound.write_bytes(bytes(8 * round(48_000 * NTSC.seconds(len(FRAMES)))))
    extras = Extras(
        subtitles=(stream("a.srt", SRT), stream("a.ass", ASS)),
        metadata=FileMetadata(tags=TAGS, chapters=CHAPTERS),
    )

    plain = await made(tmp_path / "plain", Codec.H264, Container.MP4, Extras(), sound=sound)
    video = await made(tmp_path / "film", Codec.H264, Container.MP4, extras, sound=sound)

    def bare(facts: VideoFacts) -> VideoFacts:
        return replace(facts, subtitles=(), chapters=(), tags={})

    assert bare(await probe(FFPROBE, video)) == bare(await probe(FFPROBE, plain))
    assert (decode_sound(video) == decode_sound(plain)).all()


@pytest.mark.parametrize(
    ("extras", "lack"),
    [
        (Extras(metadata=FileMetadata(tags=TAGS)), "its title is None"),
        (Extras(metadata=FileMetadata(chapters=CHAPTERS)), "it has 0 chapters, not the 3"),
        (Extras(subtitles=(stream("a.srt", SRT),)), r"its subtitles are \[\], not \[\('mov_text'"),
    ],
)
async def test_a_file_that_lacks_what_was_asked_for_is_refused(
    extras: Extras, lack: str, tmp_path: Path
) -> None:
    video = await made(tmp_path / "film", Codec.H264, Container.MP4, Extras())
    facts = await probe(FFPROBE, video)
    settings = chunk_settings(NTSC, container=Container.MP4)
    chunk = ChunkFile(path=video, frames=FRAMES)
    asked = Assembly(chunks=(chunk,), settings=settings, width_px=400, height_px=64, extras=extras)

    with pytest.raises(EncoderError, match=lack):
        check_extras(facts, asked)


@pytest.mark.parametrize("kind", list(SoundKind))
async def test_a_sound_file_says_what_it_is(kind: SoundKind, tmp_path: Path) -> None:
    """A WAV by the names that it knows; without any, the bytes are those that they were."""
    mix, bench = tmp_path / "mix", workbench(tmp_path)
    samples = np.full((4_800, 2), 0.1, "<f4").tobytes()
    await asyncio.to_thread(mix.write_bytes, samples)
    tags = (("title", "Ünser; Lied = 1"), ("artist", "Us"), ("comment", "two\nlines"))
    mood, created = ("mood", "blue"), ("creation_time", "2024-01-02T00:00:00.000000Z")
    metadata = FileMetadata(tags=(*tags, mood), created_at=datetime(2024, 1, 2, tzinfo=UTC))
    told, plain, again = (tmp_path / f"{name}.{kind}" for name in ("told", "plain", "again"))

    await write_sound(mix, SoundWish(kind=kind, metadata=metadata), told, bench)
    for path in (plain, again):
        await write_sound(mix, SoundWish(kind=kind, metadata=FileMetadata()), path, bench)

    facts = await probe_sound(FFPROBE, told, formats=SOUND_FORMATS)
    assert facts is not None
    wanted = dict(tags if kind is SoundKind.WAV else (*tags, mood, created))
    assert {name: facts.tags.get(name) for name in wanted} == wanted
    bare = await probe_sound(FFPROBE, plain, formats=SOUND_FORMATS)
    assert bare is not None
    assert not bare.tags.keys() & {"title", "artist", "creation_time"}
    assert plain.read_bytes() == again.read_bytes()
    assert (decode_sound(told) == decode_sound(plain)).all()


def workbench(folder: Path) -> Workbench:
    return Workbench(ffmpeg=FFMPEG, ffprobe=FFPROBE, folder=folder, listing=folder / "none")

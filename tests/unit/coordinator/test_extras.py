"""What a job says of subtitles and metadata, and what of it cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from coordinator.extras import unheld
from coordinator.job import JobSpec
from coordinator.output_files import Encoding, FilmFile, SoundFile
from coordinator.planner import plan
from coordinator.spec_wire import from_spec, to_spec
from coordinator.subtitles import SubtitleFile, Subtitles, check_subtitles, with_burned
from protos.framefarm.v1 import coordinator_pb2 as pb
from renderer.bundle import BundleStore, files_manifest
from renderer.composition import BundleEntry, PageUrl
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.metadata import Chapter, FileMetadata
from renderer.encode.sound_files import SoundKind
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRange
from renderer.settings import RenderSettings
from renderer.subtitles.tracks import SubtitlesMode

SOURCE = BundleEntry("0" * 64, "a.srt")
GIF = RenderSettings(codec=Codec.GIF, container=Container.GIF)


def spec(**more: Any) -> JobSpec:
    given: dict[str, Any] = {"settings": RenderSettings(), "frames": FrameRange(0, 9)} | more
    return JobSpec(composition=PageUrl("https://a.example/"), **given)


def film(codec: Codec, container: Container) -> FilmFile:
    return FilmFile(encoding=Encoding(codec=codec, container=container))


def test_subtitles_and_metadata_arrive_as_they_were_sent() -> None:
    sent = spec(
        subtitles=Subtitles(
            files=(
                SubtitleFile(source=SOURCE, offset_s=Fraction(-1, 8), language="de", title="T"),
                SubtitleFile(source=SOURCE),
            ),
            mode=SubtitlesMode.STREAM,
        ),
        metadata=FileMetadata(
            tags=(("title", "A"), ("my.name", "=")),
            chapters=(
                Chapter(Fraction(0), "One"),
                Chapter(Fraction(3, 8), "2"),
            ),
            created_at=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
    )

    assert to_spec(pb.JobSpec.FromString(from_spec(sent).SerializeToString())) == sent


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {"subtitles": Subtitles(files=(replace(SubtitleFile(source=SOURCE), language="xx"),))},
            "subtitles[0].lang: 'xx' is no code of a language",
        ),
        (
            {"subtitles": Subtitles(files=(SubtitleFile(source=SOURCE, offset_s=10**6),))},
            "subtitles[0].offset: 1e+06 s is over a week",
        ),
        (
            {"subtitles": Subtitles(files=(SubtitleFile(source=BundleEntry("0" * 64, "a.txt")),))},
            "subtitles[0]: a.txt ends in .txt; subtitles end in .srt, .vtt, .ass, .ssa",
        ),
        (
            {
                "settings": GIF,
                "subtitles": Subtitles(
                    files=(SubtitleFile(source=SOURCE),), mode=SubtitlesMode.STREAM
                ),
            },
            "subtitles: gif files hold no stream of subtitles; use --subtitles-mode burn, which",
        ),
        (
            {
                "outputs": (SoundFile(kind=SoundKind.WAV),),
                "subtitles": Subtitles(files=(SubtitleFile(source=SOURCE),)),
            },
            "subtitles: a sound alone has none; drop them",
        ),
        (
            {"metadata": FileMetadata(tags=(("title", "a"), ("title", "b")))},
            "metadata: 'title' is given twice",
        ),
        ({"metadata": FileMetadata(tags=(("Title", "a"),))}, "metadata: 'Title' is no name"),
        ({"metadata": FileMetadata(tags=(("encoder", "a"),))}, "metadata: 'encoder' is what the"),
        (
            {"metadata": FileMetadata(tags=(("creation_time", "a"),))},
            "metadata: creation_time has an option of its own: --creation-time",
        ),
        ({"metadata": FileMetadata(tags=(("title", ""),))}, "metadata: title has to be a text"),
        (
            {"metadata": FileMetadata(chapters=(Chapter(Fraction(-1), "a"),))},
            "chapters: 'a' begins at -1 s, before 0",
        ),
        (
            {"metadata": FileMetadata(chapters=(Chapter(Fraction(0), "a\\"),))},
            "is no title; write one line of 1…1000 letters, without a backslash at its end",
        ),
        (
            {
                "metadata": FileMetadata(
                    chapters=(Chapter(Fraction(1), "a"), Chapter(Fraction(1), "b"))
                )
            },
            "chapters: 'b' does not begin after 'a'; give each a time of its own",
        ),
    ],
)
def test_what_cannot_be_is_named(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        spec(**more)

    assert problem in str(caught.value)


def test_one_file_of_several_that_holds_a_stream_is_enough() -> None:
    outputs = (film(Codec.GIF, Container.GIF), film(Codec.H264, Container.MKV))
    subtitles = Subtitles(files=(SubtitleFile(source=SOURCE),), mode=SubtitlesMode.STREAM)
    metadata = FileMetadata(tags=(("title", "a"),))

    both = spec(outputs=outputs, subtitles=subtitles, metadata=metadata)

    assert unheld(both) == []


def test_metadata_that_no_file_holds_is_a_warning() -> None:
    alone = spec(settings=GIF, metadata=FileMetadata(tags=(("title", "a"),)))

    assert unheld(alone) == ["metadata: gif files hold none; mp4, mov, mkv, webm files do"]


def test_sound_files_hold_names_and_no_chapters() -> None:
    metadata = FileMetadata(
        tags=(("title", "a"), ("mood", "blue")), chapters=(Chapter(Fraction(0), "One"),)
    )
    wav, flac = SoundFile(kind=SoundKind.WAV), SoundFile(kind=SoundKind.FLAC)
    no_chapters = "files are given none; mp4, mov, mkv and webm are"

    assert unheld(spec(outputs=(wav,), metadata=metadata)) == [
        "metadata: wav files have no place for mood",
        f"chapters: wav {no_chapters}",
    ]
    assert unheld(spec(outputs=(wav, flac), metadata=metadata)) == [
        f"chapters: wav, flac {no_chapters}"
    ]
    assert unheld(spec(outputs=(wav,), metadata=replace(metadata, chapters=()))) == [
        "metadata: wav files have no place for mood"
    ]


def stored(folder: Path, name: str, text: str) -> tuple[BundleStore, SubtitleFile]:
    (folder / name).write_text(text)
    manifest = files_manifest(folder, [folder / name])
    bundles = BundleStore(folder / "store")
    digest = bundles.add_folder(folder, manifest)
    return bundles, SubtitleFile(source=BundleEntry(digest, name))


async def test_chunks_get_what_is_burned_into_them(tmp_path: Path) -> None:
    bundles, file = stored(tmp_path, "a.srt", "1\n00:00:00,100 --> 00:00:00,200\nHi\n")
    job = spec(subtitles=Subtitles(files=(file,)), chunk_frames=3)

    planned = await with_burned(plan("job", job), bundles)

    (drawn,) = {task.settings.burned_subtitles for task in planned.tasks}
    assert [each.script for each in drawn] == [
        "Dialogue: 0,0:00:00.03,0:00:00.06,Default,,0,0,0,,Hi\n"
    ]
    assert planned.spec.settings.burned_subtitles == ()


async def test_subtitles_that_cannot_be_read_are_named_before_the_job_starts(
    tmp_path: Path,
) -> None:
    bundles, file = stored(tmp_path, "a.vtt", "nothing")

    with pytest.raises(InvalidRequestError, match="a.vtt, line 1: 'nothing' is not WEBVTT"):
        await check_subtitles(spec(subtitles=Subtitles(files=(file,))), bundles)


async def test_subtitles_that_are_too_many_to_burn_in_are_named_before(tmp_path: Path) -> None:
    cue = "1\n00:00:00,000 --> 00:00:01,000\n" + "x" * (1 << 20)
    bundles, file = stored(tmp_path, "a.srt", cue)

    with pytest.raises(InvalidRequestError, match="subtitles: .* over the limit of 1 MiB"):
        await check_subtitles(spec(subtitles=Subtitles(files=(file,))), bundles)

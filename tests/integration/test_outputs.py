"""One capture, many files: each is what it would be alone, whatever the chunks."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coordinator.job import AudioTrack, JobSpec, Output
from coordinator.orchestrator import RenderOrchestrator
from coordinator.output_files import OutputFile, path_of
from executors.errors import ExecutorError
from renderer.audio.clips import SAMPLE_RATE
from renderer.bundle import BundleStore, files_manifest
from renderer.composition import BundleEntry
from renderer.encode.codec_facts import Codec
from renderer.encode.containers import SoundFormat
from renderer.encode.probe import probe
from renderer.encode.sound_files import SOUND_FILES, SoundKind
from renderer.errors import EncoderError
from renderer.frames import FrameRange, FrameRate
from tests.support.chunks import FFPROBE
from tests.support.fake_executor import FakeExecutor
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.outputs import film, name_of, sound, still
from tests.support.pictures import numbered_picture
from tests.support.sounds import decode_sound, onset, tone, write_wav
from tests.support.tasks import a_spec

FIRST, COUNT = 90, 8
NTSC = FrameRate(30000, 1001)
FILES: list[OutputFile] = [
    film("a.mp4"),
    film("a.webm"),
    film("a.mov", codec=Codec.PRORES),
    film("a.mkv", codec=Codec.H265),
    film("b.mkv", codec=Codec.VP9, bitrate_kbps=300),
    film("a.gif"),
    film("a.apng"),
    film("%d.jpg"),
]


@pytest.fixture
def bundles(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "store")


def spec_of(files: Sequence[OutputFile], *, chunk_frames: int = COUNT) -> JobSpec:
    spec = a_spec(COUNT, chunk_frames=chunk_frames)
    settings = replace(spec.settings, frame_rate=NTSC, preset="")
    frames = FrameRange(FIRST, FIRST + COUNT)
    return replace(spec, settings=settings, frames=frames, outputs=tuple(files))


async def made(
    folder: Path, spec: JobSpec, bundles: BundleStore, executor: FakeExecutor | None = None
) -> tuple[list[Path], Output]:
    folder.mkdir()
    orchestrator = RenderOrchestrator(bundles, executor or FakeExecutor())
    output = folder / f"job.{spec.ending}"
    facts = await orchestrator.render(orchestrator.plan(spec, job_id="job"), output)
    paths = [path_of(output, n, file, spec.settings) for n, file in enumerate(spec.files)]
    assert sorted(folder.iterdir()) == sorted(paths)
    return paths, facts


def pixels(video: Path) -> list[str]:
    how = ["-fps_mode", "passthrough", "-f", "framemd5", "pipe:1"]
    command = ["ffmpeg", "-v", "error", "-i", str(video), "-map", "0:v", *how]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.rpartition(",")[2] for line in told.splitlines() if line[:1] != "#"]


async def test_chunks_give_the_very_bytes_of_one_piece_for_every_file_and_render_frames_once(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor()

    whole, _ = await made(tmp_path / "whole", spec_of(FILES), bundles)
    chunked, facts = await made(
        tmp_path / "chunked", spec_of(FILES, chunk_frames=3), bundles, executor
    )

    assert [task.frames for task in executor.calls] == [
        FrameRange(90, 93), FrameRange(93, 96), FrameRange(96, 98)
    ]  # fmt: skip
    assert [path.read_bytes() for path in chunked] == [path.read_bytes() for path in whole]
    assert [(f.size_bytes, f.name) for f in facts.files] == [
        (path.stat().st_size, f"{n}{path.suffix}") for n, path in enumerate(chunked)
    ]


# One of each way to be encoded: frames that lean on others, two passes, a
# palette.
@pytest.mark.parametrize("file", [FILES[0], FILES[4], FILES[5]], ids=name_of)
async def test_a_file_among_others_has_the_pictures_of_one_that_is_alone(
    file: OutputFile, tmp_path: Path, bundles: BundleStore
) -> None:
    alone, _ = await made(tmp_path / "alone", spec_of([file]), bundles)
    many, _ = await made(
        tmp_path / "many", spec_of([still("x.png", 92), file], chunk_frames=3), bundles
    )

    assert len(pixels(alone[0])) == COUNT
    assert pixels(many[1]) == pixels(alone[0])
    assert decode_frame_numbers(many[1]) == list(range(FIRST, FIRST + COUNT))


async def test_what_is_open_is_kept_with_its_alpha(tmp_path: Path, bundles: BundleStore) -> None:
    executor = FakeExecutor()
    spec = spec_of([film("a.apng"), film("a.webm")], chunk_frames=3)
    spec = replace(spec, settings=replace(spec.settings, codec=Codec.FFV1, transparent=True))
    alone = replace(spec, outputs=spec.outputs[:1], chunk_frames=COUNT)

    paths, _ = await made(tmp_path / "both", spec, bundles, executor)
    (apng,), _ = await made(tmp_path / "alone", alone, bundles)

    assert {task.settings.codec for task in executor.calls} == {Codec.FFV1}
    assert pixels(paths[0]) == pixels(apng)
    assert (await probe(FFPROBE, paths[0])).pixel_format == "rgba"
    assert (await probe(FFPROBE, paths[1])).has_alpha_beside


async def test_files_that_one_kind_of_chunk_serves_are_joined_and_not_encoded_again(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor()
    spec = spec_of([film("a.mp4"), film("a.mkv", codec=Codec.H264), sound("wav")], chunk_frames=3)

    paths, _ = await made(tmp_path / "out", spec, bundles, executor)

    assert {task.settings.codec for task in executor.calls} == {Codec.H264}
    assert pixels(paths[0]) == pixels(paths[1])


async def test_a_still_is_the_frame_as_it_was_captured_at_every_place_of_a_chunk(
    tmp_path: Path, bundles: BundleStore
) -> None:
    numbers = [*range(FIRST, FIRST + COUNT)]
    stills = [still("x.png", number) for number in numbers]

    paths, facts = await made(
        tmp_path / "out", spec_of([film("a.mp4"), *stills], chunk_frames=5), bundles
    )

    assert facts.frames == COUNT
    for number, path in zip(numbers, paths[1:], strict=True):
        wanted = numbered_picture(number)
        with Image.open(path) as image:
            shown = image.convert("RGBA").tobytes("raw", "BGRA")
        assert shown == bytes(wanted.pixels)


async def test_stills_alone_render_their_frames_and_no_others(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor()
    files = [still("x.png", 96), still("x.jpg", 91), still("x.webp", 91)]

    paths, facts = await made(tmp_path / "out", spec_of(files), bundles, executor)

    assert [[*task.frames] for task in executor.calls] == [[91], [96]]
    assert facts.frames == 1
    for path in paths:
        with Image.open(path) as image:
            assert image.size == (400, 64)


def with_tone(spec: JobSpec, bundles: BundleStore, folder: Path) -> JobSpec:
    beep = write_wav(folder / "beep.wav", tone(1))
    digest = bundles.add_folder(folder, files_manifest(folder, [beep]))
    # heard from a tenth of a second after the first frame on
    offset_s = NTSC.seconds(FIRST) + NTSC.seconds(3)
    track = AudioTrack(source=BundleEntry(digest, "beep.wav"), offset_s=offset_s)
    return replace(spec, audio=(track,))


@pytest.mark.parametrize("alone", [True, False])
async def test_sound_files_hold_the_mix_to_the_sample(
    tmp_path: Path, bundles: BundleStore, *, alone: bool
) -> None:
    executor = FakeExecutor()
    kinds = ("wav", "flac", "m4a", "mp3", "ogg", "opus") if alone else ("wav", "m4a")
    files: list[OutputFile] = [
        *([] if alone else [film("a.mov", codec=Codec.PRORES)]),
        *map(sound, kinds),
    ]
    spec = with_tone(spec_of(files, chunk_frames=3), bundles, tmp_path)

    paths, facts = await made(tmp_path / "out", spec, bundles, executor)

    samples = round(SAMPLE_RATE * NTSC.seconds(COUNT))
    starts = round(SAMPLE_RATE * NTSC.seconds(3))
    exact, *others = (decode_sound(path) for path in paths)
    assert len(exact) == samples
    assert abs(onset(exact, above=0.0001) - starts) <= 1
    for path, sounds in zip(paths[1:], others, strict=True):
        # AAC's last frame is whole when it is decoded: how much of it is heard, the file says.
        assert len(sounds) == samples or path.suffix == ".m4a"
        assert track_samples(path) == samples
        assert np.abs(sounds[: samples - 480] - exact[: samples - 480]).max() < 0.06, path
    assert facts.frames == COUNT
    if alone:
        assert [[*task.frames] for task in executor.calls] == [[FIRST + COUNT - 1]]
        assert executor.calls[0].settings.history == "stateful"


def track_samples(path: Path) -> int:
    if path.suffix != ".m4a":
        return len(decode_sound(path))
    what = ["-show_entries", "stream=duration_ts", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", *what, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


async def test_a_sound_file_of_a_silent_page_is_silence_and_says_so(
    tmp_path: Path, bundles: BundleStore
) -> None:
    files: list[OutputFile] = [film("a.mp4"), sound("wav")]
    (video, path), facts = await made(tmp_path / "out", spec_of(files), bundles)

    samples = decode_sound(path)
    assert (await probe(FFPROBE, video)).sound is None
    assert len(samples) == round(SAMPLE_RATE * NTSC.seconds(COUNT))
    assert not samples.any()
    assert facts.warnings == ("sound: nothing is heard, and the sound file is silence",)


async def test_no_file_has_its_name_when_one_of_them_cannot_be_made(
    tmp_path: Path, bundles: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise EncoderError("the disk is cursed")

    monkeypatch.setattr("coordinator.making.write_sound", broken)
    folder = tmp_path / "out"

    with pytest.raises(EncoderError, match="cursed"):
        await made(folder, spec_of([film("a.mp4"), sound("wav")]), bundles)

    assert list(folder.iterdir()) == []


async def test_the_first_error_of_a_chunk_leaves_no_file(
    tmp_path: Path, bundles: BundleStore
) -> None:
    executor = FakeExecutor(fails={1: ExecutorError("gone")})

    with pytest.raises(ExecutorError, match="gone"):
        await made(tmp_path / "out", spec_of(FILES, chunk_frames=3), bundles, executor)

    assert list((tmp_path / "out").iterdir()) == []


async def test_a_sound_file_of_another_length_is_refused(
    tmp_path: Path, bundles: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = SoundFormat(stream="flac", options={"c:a": "flac", "t": "0.1"})
    monkeypatch.setitem(SOUND_FILES, SoundKind.FLAC, ("flac", short))

    with pytest.raises(EncoderError, match="the flac file has 4800 samples, and the mix 12813"):
        await made(tmp_path / "out", spec_of([sound("flac")]), bundles)

    assert list((tmp_path / "out").iterdir()) == []

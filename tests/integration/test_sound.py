"""Sounds mixed by a real ffmpeg: where they begin, how loud they are, how long the mix is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from coordinator.assembly import Assembly, ChunkFile
from renderer.audio.sound import check_sound
from renderer.audio.tracks import Track
from renderer.encode.probe import probe
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRange, FrameRate
from tests.support.assembling import assemble
from tests.support.chunks import FFMPEG, FFPROBE, chunk_settings, numbered_chunks
from tests.support.mixing import mix_file
from tests.support.pictures import plain_picture
from tests.support.sounds import (
    RATE,
    Samples,
    convert,
    decode_sound,
    level_db,
    onset,
    read_samples,
    tone,
    write_wav,
)

SECOND = FrameRange(0, 30)


async def mixed(
    tmp_path: Path, *tracks: Track, frames: FrameRange = SECOND, rate: FrameRate = FrameRate(30)
) -> Samples:
    """The mix as it goes into the AAC encoder."""
    return read_samples(await mix_file(tmp_path, *tracks, frames=frames, rate=rate))


@pytest.mark.parametrize(
    ("offset_s", "start", "first_sample"),
    [
        (Fraction(0), 0, 0),
        (Fraction(1, 4), 0, 12_000),
        (Fraction(1, 48_000), 0, 1),
        (Fraction("0.123"), 0, 5_904),
        (Fraction(2), 45, 24_000),  # the video begins at 1.5 s
    ],
)
async def test_a_sound_begins_at_its_very_sample(
    offset_s: Fraction, start: int, first_sample: int, tmp_path: Path
) -> None:
    click = np.zeros(4800)
    click[0] = 0.5
    track = Track(source=write_wav(tmp_path / "click.wav", click, click), offset_s=offset_s)

    samples = await mixed(tmp_path, track, frames=FrameRange(start, start + 30))

    assert onset(samples) == first_sample
    assert np.count_nonzero(np.abs(samples).max(axis=1) > 1e-6) == 1


@pytest.mark.parametrize(("offset_s", "start"), [(Fraction(-1, 2), 0), (Fraction(1), 45)])
async def test_what_lies_before_the_first_frame_is_cut(
    offset_s: Fraction, start: int, tmp_path: Path
) -> None:
    ramp = np.linspace(0, 0.9, 2 * RATE)
    track = Track(source=write_wav(tmp_path / "ramp.wav", ramp, ramp), offset_s=offset_s)

    samples = await mixed(tmp_path, track, frames=FrameRange(start, start + 30))

    assert samples[:, 0] == pytest.approx(ramp[24_000 : 24_000 + RATE], abs=1e-4)


@pytest.mark.parametrize("offset_s", [Fraction(-5), Fraction(5), Fraction(100_000)])
async def test_a_sound_that_is_never_heard_leaves_silence_of_full_length(
    offset_s: Fraction, tmp_path: Path
) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(1))

    samples = await mixed(tmp_path, Track(source=source, offset_s=offset_s))

    assert len(samples) == RATE
    assert not samples.any()


async def test_a_mono_sound_keeps_its_level_in_both_channels(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "mono.wav", tone(1, level=0.5))

    samples = await mixed(tmp_path, Track(source=source))

    wanted_db = level_db(tone(1, level=0.5))
    assert level_db(samples[:, 0]) == pytest.approx(wanted_db, abs=0.1)
    assert level_db(samples[:, 1]) == pytest.approx(wanted_db, abs=0.1)


async def test_left_and_right_stay_where_they_are(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "stereo.wav", tone(1, level=0.5), np.zeros(RATE))

    samples = await mixed(tmp_path, Track(source=source))

    assert level_db(samples[:, 0]) == pytest.approx(level_db(tone(1, level=0.5)), abs=0.1)
    assert not samples[:, 1].any()


async def test_two_sounds_are_added_and_not_divided(tmp_path: Path) -> None:
    low, high = tone(1, level=0.3, hertz=500), tone(1, level=0.4, hertz=3000)
    tracks = [
        Track(source=write_wav(tmp_path / "low.wav", low)),
        Track(source=write_wav(tmp_path / "high.wav", high, high)),
    ]

    samples = await mixed(tmp_path, *tracks)

    assert samples[:, 0] == pytest.approx(low + high, abs=1e-3)
    assert samples[:, 1] == pytest.approx(low + high, abs=1e-3)


async def test_a_sound_that_ends_does_not_change_the_level_of_another(tmp_path: Path) -> None:
    short, long = tone(0.2, level=0.3, hertz=500), tone(1, level=0.4, hertz=3000)
    tracks = [
        Track(source=write_wav(tmp_path / "short.wav", short)),
        Track(source=write_wav(tmp_path / "long.wav", long)),
    ]

    samples = await mixed(tmp_path, *tracks)

    assert samples[len(short) :, 0] == pytest.approx(long[len(short) :], abs=1e-3)


async def test_volume_is_a_factor(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(1, level=0.8))

    samples = await mixed(tmp_path, Track(source=source, volume=0.25))

    assert samples[:, 0] == pytest.approx(tone(1, level=0.2), abs=1e-3)


async def test_a_44100_hz_sound_keeps_its_pitch_and_its_place(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "cd.wav", tone(1, level=0.5, rate=44_100), rate=44_100)

    samples = await mixed(tmp_path, Track(source=source))

    assert samples[480:-480, 0] == pytest.approx(tone(1, level=0.5)[480:-480], abs=5e-3)


@pytest.mark.parametrize(
    ("rate", "frames", "length"),
    [("30000/1001", 7, 11_211), ("30000/1001", 1000, 1_601_600), ("24", 1, 2000), ("7", 3, 20_571)],
)
async def test_the_mix_is_as_long_as_the_frames_to_the_sample(
    rate: str, frames: int, length: int, tmp_path: Path
) -> None:
    for seconds in (0.05, 40):
        source = write_wav(tmp_path / "tone.wav", tone(seconds))

        samples = await mixed(
            tmp_path, Track(source=source), frames=FrameRange(0, frames), rate=FrameRate.parse(rate)
        )

        assert len(samples) == length


@pytest.mark.parametrize("name", ["t.flac", "t.mp3", "t.m4a", "t.ogg", "t.opus", "t.mka", "t.webm"])
async def test_compressed_sounds_begin_where_they_should(name: str, tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "tone.wav", np.concatenate([np.zeros(4800), tone(0.5, level=0.5)]))
    source = tmp_path / name
    convert("-i", wav, source)

    samples = await mixed(tmp_path, Track(source=source, offset_s=Fraction(1, 10)))

    assert onset(samples, above=0.1) == pytest.approx(9600, abs=48)  # within 1 ms


async def test_a_video_whose_sound_begins_late_keeps_it_late(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "tone.wav", tone(0.5, level=0.5))
    (tmp_path / "p.png").write_bytes(plain_picture((1, 2, 3)).png())
    video = tmp_path / "v.mkv"
    picture = ["-loop", "1", "-t", "1", "-i", f"{tmp_path}/p.png"]
    sound = ["-itsoffset", "0.25", "-i", str(wav), "-c:a", "pcm_s16le"]
    convert(*picture, *sound, str(video))

    samples = await mixed(tmp_path, Track(source=video))

    assert onset(samples, above=0.1) == pytest.approx(12_000, abs=48)


async def test_in_the_video_a_sound_begins_within_a_millisecond(tmp_path: Path) -> None:
    tracks = [
        Track(source=write_wav(tmp_path / "a.wav", tone(3, level=0.5)), offset_s=Fraction(1, 2)),
        Track(source=write_wav(tmp_path / "b.wav", tone(3, level=0.1)), offset_s=Fraction(1)),
    ]
    output = await _video(tmp_path, tracks, start=12)  # at 24000/1001 fps: 0.5005 s

    samples = decode_sound(output)

    assert onset(samples[2048:], above=0.1) < 48  # no gap after the cut, no priming left
    assert onset(samples, above=0.1) < 48
    assert len(samples) == pytest.approx(round(RATE * 24 * 1001 / 24000), abs=1024)


async def test_in_the_video_a_late_sound_begins_within_a_millisecond(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", tone(1, level=0.5))

    output = await _video(tmp_path, [Track(source=source, offset_s=Fraction(1, 3))], start=0)

    assert onset(decode_sound(output), above=0.1) == pytest.approx(16_000, abs=48)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("gone.wav", None, "gone.wav does not exist"),
        ("text.wav", b"not a sound at all", "text.wav is not a sound file that can be read"),
        ("picture.png", plain_picture((1, 2, 3)).png(), r"read \(it is of another kind\); give a"),
    ],
)
async def test_a_file_that_is_no_sound_is_refused_by_name(
    name: str, content: bytes | None, problem: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidRequestError, match=problem) as refused:
        await check_sound(FFPROBE, tmp_path / name)

    assert refused.value.violations[0].field == "audio"


async def test_a_silent_video_is_refused(tmp_path: Path) -> None:
    ((silent, _),) = await numbered_chunks(tmp_path, [3], chunk_settings())

    with pytest.raises(InvalidRequestError, match="holds no sound"):
        await check_sound(FFPROBE, silent)


async def test_a_playlist_that_points_at_other_files_is_refused(tmp_path: Path) -> None:
    secret = write_wav(tmp_path / "secret.wav", tone(1))
    playlist = tmp_path / "list.wav"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\nfile:{secret}\n#EXT-X-ENDLIST\n")

    with pytest.raises(InvalidRequestError, match=r"list\.wav is not a sound file"):
        await check_sound(FFPROBE, playlist)


async def _video(tmp_path: Path, tracks: list[Track], *, start: int) -> Path:
    settings = chunk_settings(FrameRate(24000, 1001))
    chunks = await numbered_chunks(tmp_path, [10, 14], settings, start=start)
    assembly = Assembly(
        chunks=tuple(ChunkFile(path=path, frames=frames) for path, frames in chunks),
        settings=settings,
        width_px=400,
        height_px=64,
        sound=await mix_file(
            tmp_path, *tracks, frames=FrameRange(start, start + 24), rate=settings.frame_rate
        ),
    )
    output = tmp_path / "out.mp4"
    await assemble(assembly, output, ffmpeg=FFMPEG, ffprobe=FFPROBE)
    facts = await probe(FFPROBE, output)
    assert (facts.step, facts.first_pts) == (1001, 0)
    return output

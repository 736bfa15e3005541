"""What of a sound is heard when, how loud, and at which rate: on samples, by a real ffmpeg."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from renderer.audio.clips import Window, clip_of
from renderer.audio.mix import Mixer
from renderer.audio.sound import check_sound
from renderer.audio.tracks import Track
from renderer.frames import FrameRange, FrameRate
from tests.support.chunks import FFMPEG, FFPROBE
from tests.support.eventually import eventually
from tests.support.mixing import mix_tracks
from tests.support.sounds import (
    RATE,
    Samples,
    level_db,
    onset,
    read_samples,
    tone,
    write_wav,
)

NOISE = np.random.default_rng(7).uniform(-0.9, 0.9, 2 * RATE)

Mix = Callable[..., Awaitable[Samples]]


@pytest.fixture
def mix(tmp_path: Path) -> Mix:
    async def run(*tracks: Track, **wanted: object) -> Samples:
        mixed = await mix_tracks(tmp_path, *tracks, **wanted)  # type: ignore[arg-type]
        return read_samples(mixed.pcm.path)[:, 0]

    return run


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Two seconds in which no sample is like its neighbours."""
    return write_wav(tmp_path / "noise.wav", NOISE, NOISE)


def stored(samples: Samples) -> Samples:
    """What a WAV file of 16 bits keeps of samples."""
    return np.round(samples * 32767) / 32768


async def test_a_sound_begins_where_it_is_sought(mix: Mix, noise: Path) -> None:
    samples = await mix(Track(source=noise, seek_s=0.5, offset_s=0.25))

    assert not samples[:12_000].any()
    assert samples[12_000:] == pytest.approx(stored(NOISE[24_000:60_000]), abs=1e-6)


async def test_a_part_of_the_timeline_hides_and_does_not_move(mix: Mix, noise: Path) -> None:
    samples = await mix(Track(source=noise, offset_s=-0.5, from_s=0.25, to_s=0.75))

    assert samples[12_000:36_000] == pytest.approx(stored(NOISE[36_000:60_000]), abs=1e-6)
    assert not samples[:12_000].any()
    assert not samples[36_000:].any()


async def test_a_loop_has_no_gap_and_does_not_drift_in_ten_minutes(tmp_path: Path) -> None:
    clip = NOISE[:47_999]  # one sample less than a second
    source = write_wav(tmp_path / "loop.wav", clip)

    mixed = await mix_tracks(
        tmp_path, Track(source=source, loop=True), frames=FrameRange(0, 18_000)
    )

    samples = np.memmap(mixed.pcm.path, "<f4", "r").reshape(-1, 2)[:, 0]
    assert len(samples) == 600 * RATE
    for begin in (0, 299 * RATE, 598 * RATE):
        expected = stored(clip[np.arange(begin, begin + 2 * RATE) % len(clip)])
        assert np.array_equal(samples[begin : begin + 2 * RATE], expected.astype("<f4"))


async def test_a_loop_at_44100_hz_begins_anew_in_its_own_length(mix: Mix, tmp_path: Path) -> None:
    click = np.zeros(4410)
    click[0] = 0.5
    source = write_wav(tmp_path / "cd.wav", click, rate=44_100)

    samples = await mix(Track(source=source, loop=True), frames=FrameRange(0, 300))

    peaks = np.flatnonzero(samples > 0.25)
    assert list(peaks) == list(range(0, 10 * RATE, RATE // 10))


async def test_fades_are_straight_lines_within_what_is_heard(mix: Mix, tmp_path: Path) -> None:
    steady = write_wav(tmp_path / "one.wav", np.full(2 * RATE, 0.5))

    samples = await mix(
        Track(source=steady, offset_s=-1.5, fade_in_s=0.25, fade_out_s=0.125, volume=0.8)
    )

    level = 0.8 * float(stored(np.array([0.5]))[0])
    assert samples[:12_000] == pytest.approx(level * np.arange(12_000) / 12_000, abs=1e-6)
    assert samples[12_000:18_000] == pytest.approx(level, abs=1e-6)
    out = level * (1 - np.arange(6_000) / 6_000)
    assert samples[18_000:24_000] == pytest.approx(out, abs=1e-6)
    assert not samples[24_000:].any()


async def test_a_fade_out_ends_with_the_video_that_ends_first(mix: Mix, tmp_path: Path) -> None:
    steady = write_wav(tmp_path / "one.wav", np.full(3 * RATE, 0.5))

    samples = await mix(Track(source=steady, fade_out_s=0.5, loop=True))

    assert samples[:24_000] == pytest.approx(0.5, abs=1e-4)
    assert samples[36_000] == pytest.approx(0.25, abs=1e-4)
    assert abs(samples[-1]) < 1e-4


@pytest.mark.parametrize("rate", [0.5, 0.75, 1.5, 3.0])
async def test_another_rate_keeps_the_pitch_and_the_length(
    rate: float, mix: Mix, tmp_path: Path
) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(0.6, level=0.5))

    samples = await mix(Track(source=source, rate=rate, offset_s=0.1), frames=FrameRange(0, 60))

    length = round(0.6 / rate * RATE)
    assert onset(np.stack([samples, samples], 1)) == pytest.approx(4_800, abs=2)
    assert not samples[4_800 + length :].any()
    heard = samples[4_800 : 4_800 + length]
    middle = heard[len(heard) // 4 : -len(heard) // 4]
    assert level_db(middle) == pytest.approx(level_db(tone(0.6, level=0.5)), abs=0.5)
    assert _hertz(middle) == pytest.approx(1000, abs=3)
    assert level_db(heard[-480:]) > level_db(middle) - 6  # it is heard up to its end


def _hertz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * RATE))
    return float(np.argmax(spectrum)) / 8


async def test_what_is_not_too_loud_is_not_touched(mix: Mix, noise: Path) -> None:
    samples = await mix(Track(source=noise))

    assert np.array_equal(samples, stored(NOISE[:RATE]))


async def test_what_is_too_loud_is_held_down_and_not_cut_off(mix: Mix, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(1, level=0.8, hertz=100))

    samples = await mix(Track(source=source, volume=2.0))

    assert np.abs(samples).max() <= 1.0
    assert np.abs(samples).max() > 0.95
    at_full = np.mean(np.abs(samples) > 0.999)
    assert at_full < 0.2  # a sine of 1.6 that was cut off would stand there for 57 % of its time


async def test_a_hundred_sounds_at_once_are_added(mix: Mix, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(1, level=0.5))
    tracks = [Track(source=source, volume=0.01, offset_s=k / 1000) for k in range(100)]

    samples = await mix(*tracks)  # whole cycles apart: they are one tone in the end

    assert samples[4_800:] == pytest.approx(tone(1, level=0.5)[4_800:], abs=1e-4)


@pytest.mark.parametrize("wanted_lufs", [-14.0, -30.0])
async def test_the_mix_is_brought_to_a_loudness(
    wanted_lufs: float, mix: Mix, tmp_path: Path
) -> None:
    source = write_wav(tmp_path / "tone.wav", tone(3, level=0.05))

    samples = await mix(Track(source=source), frames=FrameRange(0, 90), loudness_lufs=wanted_lufs)

    # The loudness of a 1 kHz tone in both channels is its level.
    assert level_db(samples) + 10 * np.log10(2) == pytest.approx(wanted_lufs, abs=0.1)


async def test_a_source_that_is_asked_for_twice_is_there_for_the_longer_of_both(
    tmp_path: Path, noise: Path
) -> None:
    window = Window.of(FrameRange(0, 30), FrameRate(30))
    mixer = Mixer(FFMPEG, tmp_path, window)
    whole, start = (clip_of(Track(source=noise, to_s=to_s), window) for to_s in (None, 0.1))
    facts = await check_sound(FFPROBE, noise)

    for clip in (whole, start):
        await mixer.decode(noise, facts, [clip])

    mixed = await mixer.mix([whole])
    assert np.array_equal(read_samples(mixed.pcm.path)[:, 0], stored(NOISE[:RATE]))


async def test_silence_cannot_be_brought_to_a_loudness(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "nothing.wav", np.zeros(RATE))

    mixed = await mix_tracks(tmp_path, Track(source=source), loudness_lufs=-14.0)

    assert mixed.is_silent
    assert not read_samples(mixed.pcm.path).any()


async def test_ten_minutes_of_clicks_at_2997_are_on_their_samples(tmp_path: Path) -> None:
    rate = FrameRate(30000, 1001)
    click = np.zeros(100)
    click[0] = 0.5
    source = write_wav(tmp_path / "click.wav", click)
    wanted = list(range(0, 17_982, 899))
    tracks = [Track(source=source, offset_s=rate.seconds(frame)) for frame in wanted]

    mixed = await mix_tracks(tmp_path, *tracks, frames=FrameRange(0, 17_982), rate=rate)

    samples = np.memmap(mixed.pcm.path, "<f4", "r").reshape(-1, 2)[:, 0]
    assert list(np.flatnonzero(samples > 0.25)) == [
        round(RATE * rate.seconds(frame)) for frame in wanted
    ]
    assert len(samples) == round(RATE * rate.seconds(17_982))


async def test_a_mix_that_is_cancelled_writes_no_more(tmp_path: Path) -> None:
    window = Window.of(FrameRange(0, 18_000), FrameRate(30))
    source = write_wav(tmp_path / "tone.wav", tone(1))
    slow = replace(  # its volume changes in every sample of ten minutes
        clip_of(Track(source=source, loop=True), window), gains=((0, 0.0), (window.samples, 1.0))
    )
    folder = tmp_path / "mix"
    folder.mkdir()
    mixer = Mixer(FFMPEG, folder, window)
    await mixer.decode(source, await check_sound(FFPROBE, source), [slow])
    mixing = asyncio.create_task(mixer.mix([slow]))
    await eventually(lambda: any(folder.glob("*.gains")), within_s=60)

    mixing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await mixing

    (gains,) = folder.glob("*.gains")
    assert gains.stat().st_blocks * 512 < window.samples * 4 / 2  # it was not waited for

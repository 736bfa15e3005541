"""What a page lets be heard is in the video, at its time, whatever plays it and whoever renders."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coordinator.job import Event, JobSpec, PageLogged
from coordinator.orchestrator import RenderOrchestrator
from executors.errors import CompositionFailedError
from executors.local import LocalExecutor
from renderer.audio.clips import Clip, Window
from renderer.audio.heard import clip_of_passage, merged
from renderer.audio.mix import Mixer
from renderer.audio.passages import SOUNDS, seconds
from renderer.audio.sound import check_sound
from renderer.encode.probe import probe
from renderer.frames import FrameRange, FrameRate
from renderer.settings import History
from tests.support.chunks import FFMPEG, FFPROBE
from tests.support.clips import make_clip
from tests.support.pages import Crew, Film, add_files, page_settings
from tests.support.sounds import (
    RATE,
    Samples,
    convert,
    decode_sound,
    read_samples,
    tone,
    write_wav,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

FPS = 10
SMALL: dict[str, Any] = {"width_px": 64, "height_px": 64, "frame_rate": FrameRate(FPS)}
# Tones that can be told from each other by their frequency.
TONES = {f"t{k}.wav": 500.0 * k for k in range(1, 8)}
LEVEL = 0.1


@dataclass
class Heard:
    """The sound of a rendered job."""

    video: Path
    warnings: tuple[str, ...]
    events: list[Event]

    @cached_property
    def samples(self) -> Samples:
        return decode_sound(self.video)

    def spans(self, name: str) -> list[tuple[float, float]]:
        """When a tone is heard, in seconds, to a few milliseconds."""
        loud = _level(self.samples[:, 0], TONES[name]) > LEVEL / 2
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
        spans = [(edges[k] / RATE, edges[k + 1] / RATE) for k in range(0, len(edges), 2)]
        return [(begin, end) for begin, end in spans if end - begin > 0.002]  # AAC ripples there

    def level(self, name: str, at_s: float) -> float:
        return float(_level(self.samples[:, 0], TONES[name])[round(at_s * RATE)])


def _level(samples: Samples, hertz: float) -> Samples:
    """How loud a frequency is around each sample: all of ours have whole cycles in 10 ms."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE)
    window = round(RATE / 100)
    return np.abs(np.convolve(samples * wave, np.ones(window) / window, "same")) * 2


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("tones")
    for name, hertz in TONES.items():
        write_wav(folder / name, tone(1, level=LEVEL, hertz=hertz))
    silent = make_clip(folder / "silent.mp4", 30)
    convert("-i", silent, "-i", folder / "t6.wav", "-c:v", "copy", folder / "t6.mp4")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


Hear = Callable[..., Awaitable[Heard]]


@pytest.fixture
def hear(crew: Crew, files: dict[str, bytes], tmp_path: Path) -> Hear:
    async def run(
        html: str, frames: int = 20, *, start: int = 0, chunk_frames: int = 7, **settings: Any
    ) -> Heard:
        named = {name: data for name, data in files.items() if name in html}
        page = add_files(crew.store, {"index.html": f"<!doctype html><body>{html}", **named})
        spec = JobSpec(
            composition=page,
            settings=page_settings(**(SMALL | settings)),
            frames=FrameRange(start, start + frames),
            chunk_frames=chunk_frames,
        )
        events: list[Event] = []
        orchestrator = RenderOrchestrator(crew.store, LocalExecutor(crew.renderer, slots=2))
        video = tmp_path / f"{len(list(tmp_path.iterdir()))}.mp4"
        plan = orchestrator.plan(spec, job_id="job")
        output = await orchestrator.render(plan, video, on_event=events.append)
        return Heard(video, output.warnings, events)

    return run


def near(*spans: tuple[float, float]) -> Any:
    return [pytest.approx(span, abs=0.006) for span in spans]


def data_url(data: bytes) -> str:
    return f"data:audio/wav;base64,{base64.b64encode(data).decode()}"


async def test_six_elements_in_odd_places_are_heard_and_a_silent_video_is_named(
    hear: Hear, files: dict[str, bytes]
) -> None:
    html = f"""
      <audio src=t1.wav autoplay></audio>
      <div id=host></div>
      <iframe srcdoc="<audio src=t3.wav></audio><script>
        setTimeout(() => document.querySelector('audio').play(), 300)</script>"></iframe>
      <audio id=blob></audio>
      <video src=t6.mp4 data-framefarm-offset=0.8s data-helios-seek=0.5></video>
      <video src=silent.mp4 autoplay></video>
      <script>
        host.attachShadow({{ mode: "closed" }}).innerHTML =
          "<audio src=t2.wav data-helios-offset=0.7></audio>";
        framefarm.ready(fetch("t4.wav").then((reply) => reply.blob()).then((found) => {{
          blob.src = URL.createObjectURL(found);
        }}));
        requestAnimationFrame(function look() {{
          if (framefarm.frame === 5) blob.play();
          if (framefarm.frame === 9) {{
            const late = Object.assign(new Audio(), {{ src: "{data_url(files["t5.wav"])}" }});
            late.play();
          }}
          requestAnimationFrame(look);
        }});
      </script>"""

    heard = await hear(html)

    assert heard.spans("t1.wav") == near((0, 1))
    assert heard.spans("t2.wav") == near((0.7, 1.7))
    assert heard.spans("t3.wav") == near((0.3, 1.3))
    assert heard.spans("t4.wav") == near((0.5, 1.5))
    assert heard.spans("t5.wav") == near((0.9, 1.9))
    assert heard.spans("t6.wav") == near((0.8, 1.3))
    assert len(heard.samples) == pytest.approx(2 * RATE, abs=1024)
    (warning,) = heard.warnings
    assert "silent.mp4" in warning
    assert "holds no sound" in warning


SCRIPT = """<audio id=a src=t1.wav></audio><audio id=b src=t2.wav loop></audio>
<audio id=c src=t3.wav autoplay></audio><video id=d src=t6.mp4></video>
<audio src=t4.wav autoplay data-framefarm-fade-in=400ms data-framefarm-fade-out=0.2></audio>
<audio src=t5.wav autoplay data-framefarm-no-audio></audio><script>
  const at = {
    2: () => { a.currentTime = 0.6; a.play(); },
    5: () => a.pause(),
    8: () => a.play(),
    4: () => b.play(),
    15: () => { b.muted = true; },
    18: () => { b.muted = false; },
    22: () => { b.loop = false; },
    7: () => c.remove(),
    3: () => { d.playbackRate = 2; d.play(); },
  };
  framefarm.onFrame((frame) => at[frame]?.());
</script>"""


async def test_elements_are_heard_as_scripts_play_them_and_seams_are_not(hear: Hear) -> None:
    heard = await hear(SCRIPT, 30, chunk_frames=10)
    whole = await hear(SCRIPT, 30, chunk_frames=30)
    part = await hear(SCRIPT, 15, start=11, chunk_frames=15)

    assert heard.spans("t1.wav") == near((0.2, 0.5), (0.8, 0.9))
    assert heard.spans("t2.wav") == near((0.4, 1.5), (1.8, 2.4))
    assert heard.spans("t3.wav") == near((0, 0.7))
    assert heard.spans("t5.wav") == []
    ((begin, end),) = heard.spans("t6.wav")
    assert (begin, end) == pytest.approx((0.3, 0.8), abs=0.02)
    assert heard.level("t4.wav", 0.2) == pytest.approx(LEVEL / 2, rel=0.05)
    assert heard.level("t4.wav", 0.6) == pytest.approx(LEVEL, rel=0.02)
    assert heard.level("t4.wav", 0.9) == pytest.approx(LEVEL / 2, rel=0.05)
    assert heard.warnings == ()
    assert np.array_equal(heard.samples, whole.samples)
    # 1.1 s are no whole number of AAC frames: the two were encoded in other pieces.
    inner = slice(2048, -2048)
    expected = whole.samples[round(1.1 * RATE) :][: len(part.samples)]
    assert np.abs(part.samples[inner] - expected[inner]).max() < 0.02


async def test_a_volume_that_is_faded_by_a_script_has_no_steps(hear: Hear) -> None:
    html = """<audio src=t1.wav autoplay loop></audio><script>
      const sound = document.querySelector("audio");
      framefarm.onFrame((frame) => { sound.volume = Math.min(1, frame / 20); });
    </script>"""

    heard = await hear(html, 30, chunk_frames=30)

    levels = [heard.level("t1.wav", at / 20) / LEVEL for at in range(1, 40)]
    assert levels == pytest.approx([min(1, at / 40) for at in range(1, 40)], abs=0.02)


async def test_time_that_jumps_finds_sounds_where_they_are(hear: Hear) -> None:
    html = """<audio src=t1.wav autoplay loop></audio><audio id=late src=t2.wav></audio>
      <audio src=t3.wav data-framefarm-offset=1.5></audio>
      <script>
        setTimeout(() => late.play(), 1230);
        setTimeout(() => document.body.insertAdjacentHTML(
          "beforeend", "<audio src=t4.wav data-framefarm-offset=0.3></audio>"), 700);
      </script>"""

    heard = await hear(html, 40, chunk_frames=20, history=History.SEEKABLE)

    assert heard.spans("t1.wav") == near((0, 4))
    assert heard.spans("t2.wav") == near((1.23, 2.23))
    assert heard.spans("t3.wav") == near((1.5, 2.5))
    assert heard.spans("t4.wav") == near((0.7, 1.3))
    assert heard.warnings == ()


async def test_chunks_that_do_not_agree_on_a_sound_say_so(hear: Hear) -> None:
    html = """<audio src=t1.wav></audio><script>
      const sound = document.querySelector("audio");
      framefarm.onFrame((frame) => { if (frame >= 2 && sound.paused) sound.play(); });
    </script>"""

    heard = await hear(html, 20, chunk_frames=10, history=History.SEEKABLE)
    with pytest.raises(CompositionFailedError, match="t1.wav: at frame 10 it"):
        await hear(html, 20, chunk_frames=10, history=History.SEEKABLE, strict=True)

    assert any("t1.wav: at frame 10 it" in warning for warning in heard.warnings)


async def test_a_page_whose_sounds_are_muted_has_no_track_of_sound(hear: Hear) -> None:
    html = "<audio src=t1.wav autoplay muted></audio><video src=silent.mp4 autoplay muted></video>"

    heard = await hear(html, 5)

    assert (await probe(FFPROBE, heard.video)).sound is None
    assert heard.warnings == ()


@pytest.mark.parametrize(
    "html", ["<audio src=gone.wav autoplay></audio>", "<video src=silent.mp4 autoplay></video>"]
)
async def test_a_sound_that_is_none_fails_a_strict_job_by_name(hear: Hear, html: str) -> None:
    with pytest.raises(
        CompositionFailedError, match=r"gone\.wav|silent\.mp4.*holds no sound"
    ) as failed:
        await hear(html, 5, strict=True)

    assert failed.value.reason == "MISSING_RESOURCE"


GRAPH = """<script>
  const context = new AudioContext();
  const volume = new GainNode(context, { gain: 0.5 });
  volume.connect(context.destination);
  const low = context.createOscillator();
  low.frequency.value = 500;
  const quiet = context.createGain();
  quiet.gain.value = 0.2;
  low.connect(quiet).connect(volume);
  low.start(0.25);
  low.stop(1.25);
  let clip;
  const asked = fetch("t2.wav").then((reply) => reply.arrayBuffer());
  const decoding = asked.then((data) => context.decodeAudioData(data));
  framefarm.ready(decoding.then((found) => (clip = found)));
  const at = {
    5: () => {
      const source = new AudioBufferSourceNode(context, { buffer: clip });
      source.onended = () => console.log(`ended at ${framefarm.frame}`);
      source.connect(context.destination);
      source.start();
    },
    8: () => { low.frequency.value = 1500; },
    11: () => volume.disconnect(),
    17: () => {
      const high = context.createOscillator();
      high.frequency.value = 2000;
      const ramp = context.createGain();
      ramp.gain.value = 0;
      ramp.gain.linearRampToValueAtTime(0.1, context.currentTime + 1);
      high.connect(ramp).connect(context.destination);
      high.start();
    },
  };
  framefarm.onFrame((frame) => at[frame]?.());
</script>"""


async def test_web_audio_is_heard_as_it_was_played(hear: Hear) -> None:
    heard = await hear(GRAPH, 30, chunk_frames=15)
    whole = await hear(GRAPH, 30, chunk_frames=30)

    assert heard.spans("t1.wav") == near((0.25, 0.8))
    assert heard.spans("t3.wav") == near((0.8, 1.1))
    assert heard.spans("t2.wav") == near((0.5, 1.5))
    assert heard.level("t1.wav", 0.5) == pytest.approx(LEVEL, rel=0.02)
    assert heard.level("t4.wav", 2.2) == pytest.approx(LEVEL / 2, rel=0.05)
    assert heard.level("t4.wav", 1.65) < 0.001
    assert heard.warnings == ()
    assert [e.text for e in heard.events if isinstance(e, PageLogged)] == ["ended at 15"] * 2
    assert np.array_equal(heard.samples, whole.samples)


async def test_a_context_that_is_suspended_stands_still_and_so_do_its_clips(hear: Hear) -> None:
    html = """<audio id=a src=t2.wav></audio>
      <iframe srcdoc="<script>
        const inner = new AudioContext();
        const beep = new OscillatorNode(inner, { frequency: 2500 });
        beep.connect(new GainNode(inner, { gain: 0.1 })).connect(inner.destination);
        beep.start(0.5); beep.stop(1);</script>"></iframe><script>
      const context = new AudioContext();
      const through = new MediaElementAudioSourceNode(context, { mediaElement: a });
      through.connect(context.destination);
      const tone = new OscillatorNode(context, { frequency: 500 });
      const quiet = new GainNode(context, { gain: 0.1 });
      tone.connect(quiet);
      quiet.connect(context.destination);
      tone.start();
      tone.stop(1);
      const at = {
        4: () => context.suspend(),
        9: () => { context.resume(); a.play(); },
        12: () => console.log(context.state, context.currentTime.toFixed(3)),
      };
      framefarm.onFrame((frame) => at[frame]?.());
    </script>"""

    heard = await hear(html, 20, chunk_frames=20)

    assert heard.spans("t1.wav") == near((0, 0.4), (0.9, 1.5))
    assert heard.spans("t2.wav") == near((0.9, 1.9))
    assert heard.spans("t5.wav") == near((0.5, 1))
    assert [e.text for e in heard.events if isinstance(e, PageLogged)] == ["running 0.700"]


async def test_ten_minutes_do_not_drift(hear: Hear, files: dict[str, bytes]) -> None:
    at_s = [0, 1.25, 299.999, 598.5]
    html = "".join(f"<audio src=t3.wav data-framefarm-offset={at}></audio>" for at in at_s)

    heard = await hear(html, 600, chunk_frames=300, frame_rate=FrameRate(1))

    assert len(heard.samples) == pytest.approx(600 * RATE, abs=1024)
    for begin_s in at_s:
        begin = round(begin_s * RATE)
        around = heard.samples[max(0, begin - 4_800) : begin + 4_800, 0]
        onset = np.argmax(_level(around, TONES["t3.wav"]) > LEVEL / 2) + max(0, begin - 4_800)
        assert onset == pytest.approx(begin, abs=0.006 * RATE)


EXACT = """<audio id=a src=click.wav></audio><audio id=b src=click.wav></audio>
  <audio src=click.wav data-framefarm-offset=0.3337></audio>
  <audio id=driven src=t1.wav></audio><script>
  const context = new AudioContext();
  const beep = new ConstantSourceNode(context, { offset: 0.25 });
  beep.connect(context.destination);
  beep.start(0.75);
  beep.stop(0.76);
  setTimeout(() => b.play(), 123);
  framefarm.onFrame((frame) => {
    if (frame === 17) a.play();
    if (frame === 2) driven.play();
    if (frame >= 2) driven.currentTime = (frame - 2) / framefarm.fps;
  });
</script>"""


async def unencoded(crew: Crew, film: Film, rate: FrameRate, folder: Path) -> Samples:
    """What is heard of a page that was filmed in one chunk, before it is encoded."""
    frames = FrameRange(0, film.chunk.frames)
    window = Window.of(frames, rate)
    heard = merged([(frames, film.chunk.sounds)], rate)
    mixer, clips = Mixer(FFMPEG, folder, window), list[Clip]()
    for each in heard.sources:
        brought = film.path.with_name(SOUNDS) / each.sha256
        file = crew.store.blob(each.sha256) if each.is_bundled else brought
        mine = [
            clip_of_passage(one, file, seconds(each.duration_ns), window, rate.seconds(1))
            for one in heard.passages
            if one.source == each.sha256
        ]
        await mixer.decode(file, await check_sound(FFPROBE, file), mine)
        clips += mine
    return read_samples((await mixer.mix(clips)).pcm.path)[:, 0]


async def test_what_a_page_plays_is_mixed_to_the_sample(
    crew: Crew, files: dict[str, bytes], tmp_path: Path
) -> None:
    click = np.zeros(480)
    click[0] = 0.5
    page: dict[str, str | bytes] = {
        "index.html": f"<!doctype html><body>{EXACT}",
        "t1.wav": files["t1.wav"],
        "click.wav": write_wav(tmp_path / "click.wav", click).read_bytes(),
    }
    rate = FrameRate(30000, 1001)

    film = await crew.film_files(page, (0, 30), **(SMALL | {"frame_rate": rate}))

    samples = await unencoded(crew, film, rate, tmp_path)
    expected = np.zeros(len(samples))
    begins = round(RATE * rate.seconds(2))
    expected[begins:] = tone(1, level=LEVEL, hertz=TONES["t1.wav"])[: len(samples) - begins]
    for at_s in (Fraction("0.123"), Fraction("0.3337"), rate.seconds(17)):
        expected[round(RATE * at_s)] += 0.5
    expected[round(0.75 * RATE) : round(0.76 * RATE)] += 0.25
    assert np.abs(samples - expected).max() < 1e-4
    assert len(film.chunk.sounds.passages) == 5

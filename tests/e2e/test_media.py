"""A <video> shows the picture of its source that belongs to the frame's time, however it plays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from renderer.composition import PageUrl
from renderer.events import PageLog
from renderer.frames import FrameRate
from tests.support.clips import AV1, H264, VP9, add_silence, make_clip
from tests.support.eventually import eventually
from tests.support.frame_numbers import decoded_yuv
from tests.support.pages import LOSSLESS, Crew, Film, add_files
from tests.support.sounds import convert

pytestmark = pytest.mark.asyncio(loop_scope="module")

Cinema = Callable[..., Awaitable[Film]]
PICTURES = 60
STYLE = "<style>body { margin: 0; background: #26334d } video, canvas { display: block }</style>"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("clips")
    clips = [
        make_clip(folder / "h264.mp4", PICTURES),
        make_clip(folder / "vp9.webm", PICTURES, encoder=VP9),
        make_clip(folder / "av1.mp4", PICTURES, encoder=AV1),
        make_clip(folder / "24.mp4", PICTURES, fps="24"),
        make_clip(folder / "25.webm", PICTURES, fps="25", encoder=VP9),
        make_clip(folder / "29.97.mp4", PICTURES, fps="30000/1001"),
        make_clip(folder / "60.mp4", PICTURES, fps="60"),
        make_clip(folder / "late.mkv", PICTURES, "-output_ts_offset", "7.3", encoder=H264),
        make_clip(folder / "short.mp4", 7),
    ]
    return {clip.name: clip.read_bytes() for clip in clips}


@pytest.fixture
def film(crew: Crew, clips: dict[str, bytes]) -> Cinema:
    async def run(html: str, frames: tuple[int, int] = (0, 40), **settings: Any) -> Film:
        named = {name: clip for name, clip in clips.items() if name in html}
        page = f"<!doctype html>{STYLE}<body>{html}"
        return await crew.film_files({"index.html": page, **named}, frames, **settings)

    return run


def due(frames: range, source_fps: str, fps: int = 30) -> list[int]:
    """The source's pictures at the frames' times; the last one stays."""
    rate = Fraction(source_fps)
    return [min(PICTURES - 1, floor(Fraction(frame, fps) * rate)) for frame in frames]


@pytest.mark.parametrize("clip", ["h264.mp4", "vp9.webm", "av1.mp4", "late.mkv"])
async def test_each_frame_shows_its_picture_to_the_end_and_then_the_last(
    film: Cinema, clip: str
) -> None:
    shown = await film(f"<video src={clip} autoplay muted></video>", (0, 70))

    assert shown.numbers == [*range(60), *[59] * 10]


@pytest.mark.parametrize("clip", ["24.mp4", "25.webm", "29.97.mp4", "60.mp4"])
async def test_a_source_keeps_its_own_rate(film: Cinema, clip: str) -> None:
    shown = await film(f"<video src={clip} autoplay muted></video>")

    rate = {"29.97.mp4": "30000/1001"}.get(clip, clip.rpartition(".")[0])
    assert shown.numbers == due(range(40), rate)


@pytest.mark.parametrize("fps", [24, 60])
async def test_a_job_keeps_its_own_rate(film: Cinema, fps: int) -> None:
    html = "<video src=h264.mp4 autoplay muted></video>"

    shown = await film(html, frame_rate=FrameRate(fps))

    assert shown.numbers == due(range(40), "30", fps)


@pytest.mark.parametrize("clip", ["h264.mp4", "vp9.webm"])
async def test_a_chunk_is_a_part_of_the_whole(film: Cinema, clip: str) -> None:
    html = f"<video src={clip} autoplay muted></video>"
    whole = await film(html, **LOSSLESS)

    chunk = await film(html, (20, 40), **LOSSLESS)

    assert chunk.numbers == list(range(20, 40))
    assert chunk.pictures == whole.pictures[20:]


@pytest.mark.parametrize("frames", [(0, 40), (25, 40)])
async def test_a_loop_begins_anew_without_a_gap(film: Cinema, frames: tuple[int, int]) -> None:
    shown = await film("<video src=short.mp4 autoplay loop muted></video>", frames)

    assert shown.numbers == [frame % 7 for frame in range(*frames)]


async def test_a_script_offsets_and_hastens_a_video(film: Cinema) -> None:
    html = """<video src=h264.mp4></video><script>
      const video = document.querySelector("video");
      video.currentTime = 0.5;
      video.playbackRate = 2;
      video.play();
    </script>"""

    shown = await film(html, (0, 30))

    assert shown.numbers == [min(59, 15 + 2 * frame) for frame in range(30)]


async def test_a_fragment_of_the_address_is_where_it_begins(film: Cinema) -> None:
    shown = await film("<video src='h264.mp4#t=0.5' autoplay controls></video>", (0, 5))

    assert shown.numbers == [15, 16, 17, 18, 19]


async def test_a_poster_is_shown_until_the_video_plays(film: Cinema) -> None:
    html = """<video src=h264.mp4></video><script>
      const video = document.querySelector("video");
      video.poster = URL.createObjectURL(new Blob(
        ["<svg xmlns='http://www.w3.org/2000/svg' width='400' height='64'>" +
          "<rect width='400' height='64' fill='white'/></svg>"], { type: "image/svg+xml" }));
      setTimeout(() => video.play(), 100);
    </script>"""

    shown = await film(html, (0, 7))

    assert shown.numbers == [0xFFFF, 0xFFFF, 0xFFFF, 0, 1, 2, 3]


async def test_a_script_plays_pauses_and_waits_for_what_it_seeks(film: Cinema) -> None:
    html = """<video src=h264.mp4></video><script>
      const video = document.querySelector("video");
      framefarm.onFrame(async (frame) => {
        if (frame === 3) await video.play();
        if (frame === 6) video.pause();
        if (frame === 8) {
          const done = new Promise((resolve) => (video.onseeked = resolve));
          video.currentTime = 1.5;
          await done;
        }
      });
    </script>"""

    shown = await film(html, (0, 10))

    assert shown.numbers == [0, 0, 0, 0, 1, 2, 3, 3, 45, 45]


@pytest.mark.parametrize("frames", [(0, 30), (17, 30)])
async def test_a_video_that_is_sought_in_each_frame_shows_it_in_that_frame(
    film: Cinema, frames: tuple[int, int]
) -> None:
    html = """<video src=h264.mp4></video><script>
      const video = document.querySelector("video");
      requestAnimationFrame(function seek() {
        video.currentTime = ((framefarm.frame * 17) % 60) / 30;
        requestAnimationFrame(seek);
      });
    </script>"""

    shown = await film(html, frames)

    assert shown.numbers == [frame * 17 % 60 for frame in range(*frames)]


async def test_two_videos_play_side_by_side(film: Cinema) -> None:
    half = "position: absolute; left: 0; clip-path: inset(0 {} 0 {})"
    html = f"""
      <video src=h264.mp4 autoplay muted style="{half.format("208px", "0")}"></video>
      <video src=60.mp4 autoplay muted style="{half.format("0", "192px")}"></video>"""

    shown = await film(html)

    # Eight bits are those of the one, eight those of the other, which shows every second picture.
    assert shown.numbers == [frame & 255 | (min(59, 2 * frame) & 0xFF00) for frame in range(40)]


SHADOW = """<div id=host></div><script>
  const root = host.attachShadow({ mode: "MODE" });
  root.innerHTML = "<style>video { display: block }</style>" +
    "<video autoplay muted><source src=h264.mp4 type=video/mp4></video>";
</script>"""


PLACES = {
    "open": SHADOW.replace("MODE", "open"),
    "closed": SHADOW.replace("MODE", "closed"),
    "declared": """<div><template shadowrootmode=open>
      <style>video { display: block }</style>
      <video src=h264.mp4 autoplay></video></template></div>""",
    "iframe": """<iframe style="border: 0; width: 480px; height: 270px" srcdoc="
      <style>body { margin: 0 }</style><video src=h264.mp4 autoplay muted></video>"></iframe>""",
    "sources": """<video autoplay muted><source src=x.avi type=video/x-unknown>
      <source src=h264.mp4></video>""",
    "made": """<script>document.body.append(Object.assign(document.createElement("video"),
      { src: "h264.mp4", autoplay: true, muted: true }))</script>""",
    "blob": """<video muted></video><script>
      const video = document.querySelector("video");
      framefarm.ready(fetch("h264.mp4").then((reply) => reply.blob()).then((blob) => {
        video.src = URL.createObjectURL(blob);
        video.play();
      }));</script>""",
}


@pytest.mark.parametrize("html", PLACES.values(), ids=PLACES)
async def test_a_video_is_found_wherever_it_is(film: Cinema, html: str) -> None:
    shown = await film(html, (0, 20))

    assert shown.numbers == list(range(20))


async def test_a_video_that_shows_itself_late_is_where_it_ought_to_be(film: Cinema) -> None:
    html = """<style>video { display: none } .on video { display: block }</style>
      <video src=h264.mp4 autoplay muted></video><script>
      requestAnimationFrame(function look() {
        document.body.classList.toggle("on", framefarm.frame >= 30);
        requestAnimationFrame(look);
      });
    </script>"""

    shown = await film(html)

    assert shown.numbers == [*[0] * 30, *range(30, 40)]


async def test_a_video_begins_when_it_is_told_to(film: Cinema) -> None:
    html = """<div></div><script>setTimeout(() => {
        document.querySelector("div").innerHTML = "<video src=h264.mp4 autoplay muted></video>";
      }, 500)</script>"""

    shown = await film(html, (14, 25))

    assert shown.numbers == [0, *range(10)]


DRAW = """<canvas id=film width=400 height=64></canvas><script>
  const video = Object.assign(document.createElement("video"), { src: "h264.mp4", muted: true });
  video.play();
  const canvas = document.getElementById("film");
  const paint = canvas.getContext("2d");
  requestAnimationFrame(function draw() {
    DRAW
    requestAnimationFrame(draw);
  });
</script>"""


@pytest.mark.parametrize("mode", [{}, {"canvas_selector": "#film"}], ids=["page", "canvas"])
@pytest.mark.parametrize("frames", [(0, 20), (11, 20)])
async def test_a_canvas_draws_the_picture_of_its_frame(
    film: Cinema, frames: tuple[int, int], mode: dict[str, str]
) -> None:
    draw = "paint.drawImage(video, 0, 0); canvas.toDataURL();"  # it stays readable

    shown = await film(DRAW.replace("DRAW", draw), frames, **mode)

    assert shown.numbers == list(range(*frames))


async def test_what_was_drawn_before_the_chunk_is_right_too(film: Cinema) -> None:
    draw = "if (framefarm.frame === 5) paint.drawImage(video, 0, 0);"

    shown = await film(DRAW.replace("DRAW", draw), (20, 22))

    assert shown.numbers == [5, 5]


async def test_a_texture_has_the_picture_of_its_frame(film: Cinema) -> None:
    html = (Path(__file__).parent / "pages" / "media-webgl.html").read_text()

    shown = await film(html, (5, 15))

    assert shown.numbers == list(range(5, 15))


async def test_a_bitmap_has_the_picture_of_its_frame(film: Cinema) -> None:
    html = """<canvas width=400 height=64></canvas><video src=h264.mp4 autoplay hidden></video>
      <script>
        const paint = document.querySelector("canvas").getContext("2d");
        const video = document.querySelector("video");
        framefarm.onFrame(async () => {
          if (video.readyState > 1) paint.drawImage(await createImageBitmap(video), 0, 0);
        });
      </script>"""

    shown = await film(html, (0, 10))

    assert shown.numbers == list(range(10))


async def test_video_frame_callbacks_come_with_each_new_picture(film: Cinema) -> None:
    html = """<video src=24.mp4 autoplay muted></video><script>
      const video = document.querySelector("video");
      video.requestVideoFrameCallback(function tell(now, { mediaTime, width, presentedFrames }) {
        console.log(framefarm.frame, Math.round(mediaTime * 24), width);
        video.requestVideoFrameCallback(tell);
      });
    </script>"""

    shown = await film(html, (0, 12))

    pictures = due(range(12), "24")
    changes = [n for n in range(12) if n == 0 or pictures[n] != pictures[n - 1]]
    assert shown.console == [f"{frame} {pictures[frame]} 400" for frame in changes]


async def test_events_and_times_are_those_of_the_virtual_clock(film: Cinema) -> None:
    html = """<video src=short.mp4></video><script>
      const video = document.querySelector("video");
      for (const type of ["loadedmetadata", "canplay", "play", "playing", "pause", "ended"]) {
        video.addEventListener(type, () => console.log(framefarm.frame, type, video.paused));
      }
      video.onloadedmetadata = () =>
        console.log(video.videoWidth, video.videoHeight, video.duration.toFixed(4));
      framefarm.onFrame(async (frame) => {
        if (frame === 4) await video.play().then(() => console.log("promised"));
        if (frame === 7) console.log(video.currentTime.toFixed(3), video.ended);
      });
    </script>"""

    shown = await film(html, (0, 14))

    assert shown.console == [
        "0 loadedmetadata true",
        "400 64 0.2333",
        "0 canplay true",
        "4 play false",
        "4 playing false",
        "promised",
        "0.100 false",
        "11 pause true",
        "11 ended true",
    ]
    assert shown.numbers == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6, 6]


async def test_the_next_video_begins_where_one_ends(film: Cinema) -> None:
    html = """<video src=short.mp4 autoplay muted></video><script>
      const video = document.querySelector("video");
      video.onended = () => { video.onended = null; video.src = "h264.mp4"; video.play(); };
    </script>"""

    shown = await film(html, (0, 20))

    assert shown.numbers == [*range(7), *range(13)]


async def test_a_video_keeps_its_box_and_its_fit(film: Cinema) -> None:
    html = """<style>video { width: 400px; height: 128px; object-fit: contain;
        object-position: top; opacity: 0.8; border-radius: 1px }</style>
      <video src=h264.mp4 autoplay muted></video><script>
      onload = () => console.log(JSON.stringify(
        document.querySelector("video").getBoundingClientRect()));
    </script>"""

    shown = await film(html, (0, 5))

    assert shown.numbers == list(range(5))
    assert '"width":400,"height":128' in shown.console[0]


def lines(film: Film, level: str) -> list[str]:
    return [one.text for one in film.events if isinstance(one, PageLog) and one.level == level]


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<video src=gone.mp4 autoplay></video>", "gone.mp4 cannot be played: it is not in"),
        (
            "<video src=index.html autoplay></video>",
            "index.html cannot be played: it cannot be read",
        ),
        ("<video autoplay><source src=gone.mp4></video>", "gone.mp4 cannot be played"),
        (
            """<video></video><script>const video = document.querySelector("video");
              video.src = "http://127.0.0.1:9/far.mp4"; video.play(); </script>""",
            "far.mp4 cannot be played: it cannot be fetched",
        ),
    ],
)
async def test_a_missing_video_is_a_warning_and_no_hang(
    film: Cinema, html: str, problem: str
) -> None:
    html += """<script>
      document.querySelector("video").addEventListener("error", () => console.log("told"));
    </script>"""

    shown = await film(html, (0, 5))

    assert shown.chunk.frames == 5
    (warning,) = lines(shown, "warning")
    assert problem in warning
    assert lines(shown, "log") == ["told"]


async def test_what_is_heard_is_reported_with_the_chunk(
    crew: Crew, clips: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "h264.mp4").write_bytes(clips["h264.mp4"])
    loud = add_silence(tmp_path / "h264.mp4", tmp_path / "loud.mp4")
    html = """<video src=loud.mp4></video><script>
      const video = document.querySelector("video");
      video.volume = 0.5;
      setTimeout(() => video.play(), 100);
      new Audio("loud.mp4").play();
    </script>"""

    shown = await crew.film_files(
        {"index.html": f"<!doctype html>{STYLE}<body>{html}", "loud.mp4": loud.read_bytes()}, (0, 9)
    )

    first, second = shown.chunk.sounds.passages
    assert (first.begins_ns, first.from_ns, first.rate) == (0, 0, 1)
    assert (second.begins_ns, second.from_ns, second.volumes) == (10**8, 0, ((10**8, 0.5),))
    (source,) = shown.chunk.sounds.sources
    assert source.is_bundled
    assert source.name.endswith("/loud.mp4")
    assert shown.numbers == [0, 0, 0, *range(6)]


async def test_the_page_shines_through_a_transparent_video(crew: Crew, tmp_path: Path) -> None:
    half = "color=red@0.5:s=64x64:d=0.2,format=yuva420p"
    encoder = ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0")
    convert("-f", "lavfi", "-i", half, *encoder, tmp_path / "clip.webm")
    style = "<style>body { margin: 0; background: #00f }</style>"
    html = f"<!doctype html>{style}<video src=clip.webm autoplay></video>"

    shown = await crew.film_files(
        {"index.html": html, "clip.webm": (tmp_path / "clip.webm").read_bytes()}, (0, 2), **LOSSLESS
    )

    luma, blue, red = (plane[8, 8] for plane in decoded_yuv(shown.path)[0])
    assert (int(luma), int(blue), int(red)) == pytest.approx((47, 170, 180), abs=6)


async def test_a_page_at_a_url_shows_its_videos_too(crew: Crew, clips: dict[str, bytes]) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/h264.mp4":
            return web.Response(body=clips["h264.mp4"], content_type="video/mp4")
        html = f"<!doctype html>{STYLE}<video src=h264.mp4 autoplay muted></video>"
        return web.Response(text=html, content_type="text/html")

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"

        shown = await crew.film(PageUrl(url), (5, 15))
    finally:
        await runner.cleanup()

    assert shown.numbers == list(range(5, 15))


async def test_a_cancelled_film_leaves_no_decoder(crew: Crew, tmp_path: Path) -> None:
    unseen = make_clip(tmp_path / "unseen.mp4", 300)
    html = f"<!doctype html>{STYLE}<video src=unseen.mp4 autoplay muted></video>"
    page = add_files(crew.store, {"index.html": html, "unseen.mp4": unseen.read_bytes()})
    crew.events = []
    filming = asyncio.create_task(crew.film(page, (0, 3000)))
    await eventually(lambda: len(crew.events) > 3)
    assert decoders()

    filming.cancel()
    await asyncio.wait([filming])

    assert decoders() == []


def decoders() -> list[psutil.Process]:
    """What decodes for the page; what encodes reads its standard input."""
    children = psutil.Process().children(recursive=True)
    found = [child for child in children if child.name() == "ffmpeg"]
    return [child for child in found if "rawvideo" in child.cmdline()]

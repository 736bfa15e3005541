"""Pages that were made for other renderers are rendered as they are, and exactly."""

from __future__ import annotations

import pytest

from renderer.errors import CompositionError, Fault
from renderer.frames import FrameRate
from tests.support.pages import PAGES, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAMES = 12

# A paused timeline as GSAP has them: it stands still, and draws where it is put.
TIMELINE = """
  const timeline = (isPaused = true) => ({
    at: 0,
    paused: () => isPaused,
    then() {}, // a promise of its own end
    seek(seconds, suppressEvents) {
      this.at = seconds;
      if (suppressEvents === false) draw(Math.floor(seconds * framefarm.fps));
      return this;
    },
  });"""

CONTRACTS = {
    "helios": "window.helios = { seek: (frame) => draw(frame) }",
    "helios, slowly": """
      let wanted = 0;
      window.helios = {
        seek(frame) { wanted = frame },
        async waitUntilStable() { await fetch("index.html"); draw(wanted) },
      }""",
    "helios time": """requestAnimationFrame(function step() {
        draw(frameAt(window.__HELIOS_VIRTUAL_TIME__)); requestAnimationFrame(step) })""",
    "renderAt": "window.renderAt = (t) => draw(Math.floor(t * framefarm.fps))",
    "seek": "function seek(t) { draw(Math.floor(t * framefarm.fps)) }",
    "seek, awaited": """window.seek = async (t) => {
        await fetch("index.html"); draw(Math.floor(t * framefarm.fps)) }""",
    "timelines": f"{TIMELINE} window.__timelines = {{ main: timeline() }}",
}


def page_of(script: str) -> dict[str, str]:
    squares = PAGES.joinpath("squares.js").read_text()
    return {
        "index.html": f"""<!doctype html><body><div data-composition-id="main"></div><script>
          {squares}
          const row = squaresRow();
          const draw = (number) => showNumber(row, number);
          draw(0xffff);</script><script>{script}</script>"""
    }


@pytest.mark.parametrize("rate", [FrameRate(30), FrameRate(30000, 1001)], ids=str)
@pytest.mark.parametrize("contract", CONTRACTS)
async def test_every_frame_of_a_page_with_a_contract_is_right(
    crew: Crew, contract: str, rate: FrameRate
) -> None:
    page = page_of(CONTRACTS[contract])

    film = await crew.film_files(page, (5, 5 + FRAMES), frame_rate=rate)

    assert film.numbers == list(range(5, 5 + FRAMES))


async def test_a_page_finds_its_props_by_their_other_name(crew: Crew) -> None:
    html = "<script>console.log(window.__HELIOS_PROPS__.title, __HELIOS_VIRTUAL_TIME__)</script>"

    film = await crew.film_html(html, (0, 1), props_json='{"title": "Hello"}')

    assert film.console == ["Hello 0"]


async def test_a_timeline_that_plays_is_left_alone(crew: Crew) -> None:
    script = f"""{TIMELINE} draw(7);
      window.__timelines = {{ main: timeline(false), none: null, other: 3 }}"""

    film = await crew.film_files(page_of(script), (0, 3))

    assert film.numbers == [7, 7, 7]


async def test_hooks_are_called_after_the_clock_and_before_the_callbacks(crew: Crew) -> None:
    html = """<script>
      const say = (name) => () => console.log(name, +performance.now().toFixed(1));
      window.seek = say("seek");
      framefarm.onFrame(say("onFrame"));
      requestAnimationFrame(function draw() { say("draw")(); requestAnimationFrame(draw) });
      </script>"""

    film = await crew.film_html(html, (0, 2))

    assert film.console == [
        *("seek 0", "onFrame 0", "draw 0"),
        *("seek 33.4", "onFrame 33.4", "draw 33.4"),
    ]


@pytest.mark.parametrize(
    "script",
    [
        "window.seek = function seek(t) { if (t > 0.05) throw new Error('no way') }",
        "window.renderAt = async (t) => { if (t > 0.05) throw new Error('no way') }",
        "window.helios = { seek: (f) => { if (f === 2) throw new Error('no way') } }",
        "window.helios = { waitUntilStable: () => Promise.reject(new Error('no way')) }",
        "window.__timelines = { a: { seek(t) { if (t > 0.05) throw new Error('no way') } } }",
    ],
)
async def test_a_hook_that_throws_fails_with_the_pages_stack(crew: Crew, script: str) -> None:
    with pytest.raises(CompositionError, match=r"^Error: no way$") as caught:
        await crew.film_html(f"<script>{script}</script>", (0, 4))

    assert caught.value.fault is Fault.PAGE_ERROR
    assert "index.html:" in caught.value.detail


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("window.renderAt = (t) => t > 0.05 && new Promise(() => {})", "renderAt"),
        (
            "framefarm.onFrame((f) => { if (f == 2) framefarm.ready(new Promise(() => {}), 'x') })",
            r"ready\(x\)",
        ),
    ],
)
async def test_a_hook_that_does_not_end_is_named_with_its_frame(
    crew: Crew, script: str, name: str
) -> None:
    with pytest.raises(CompositionError, match=f"'{name}' did not end in frame 2") as caught:
        await crew.film_html(f"<script>{script}</script>", (0, 4))

    assert caught.value.fault is Fault.PAGE_NOT_STABLE


INNER = """<script>
  const say = (...words) => top.console.log(...words);
  say("props", framefarm.props.title, framefarm.fps);
  framefarm.onFrame(async (frame) => {
    await fetch("index.html");
    say("hook", frame, framefarm.frame);
    if (frame === 1) framefarm.ready(fetch("index.html").then(() => say("ready")));
  });
</script>"""


@pytest.mark.parametrize(
    "frame",
    ["<iframe src=inner.html></iframe>", "<iframe srcdoc='<iframe src=inner.html></iframe>'>"],
)
async def test_frames_within_the_page_have_its_contract(crew: Crew, frame: str) -> None:
    page = """<script>requestAnimationFrame(function draw() {
      console.log("drawn", framefarm.frame); requestAnimationFrame(draw) })</script>"""
    files = {"index.html": f"<!doctype html>{page}{frame}", "inner.html": INNER}

    film = await crew.film_files(files, (0, 3), props_json='{"title": "Hello"}')

    assert film.console == [
        *("props Hello 30", "hook 0 0", "drawn 0"),
        *("hook 1 1", "ready", "drawn 1", "hook 2 2", "drawn 2"),
    ]


async def test_a_frame_waits_for_what_a_frame_within_the_page_is_drawn_for(crew: Crew) -> None:
    inner = """<script>requestAnimationFrame(function draw(ms) {
      framefarm.ready(fetch("index.html").then(() => top.eval("draw")(framefarm.frame)));
      requestAnimationFrame(draw);
    })</script>"""
    page = page_of("")
    page["index.html"] += "<iframe src=inner.html width=0></iframe>"

    film = await crew.film_files(page | {"inner.html": inner}, (0, 4))

    assert film.numbers == [0, 1, 2, 3]


async def test_a_promise_of_a_frame_is_awaited_before_it_is_filmed(crew: Crew) -> None:
    script = """let frame = 0;
      requestAnimationFrame(function step() {
        const number = frame++;
        framefarm.ready(fetch("index.html").then((r) => r.text()).then(() => draw(number)));
        requestAnimationFrame(step);
      })"""

    film = await crew.film_files(page_of(script), (0, 6))

    assert film.numbers == list(range(6))

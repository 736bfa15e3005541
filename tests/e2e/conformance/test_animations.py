"""Animations of every kind have their value in every frame, whole and in chunks."""

from __future__ import annotations

import pytest

from tests.support.conformance import Belief, Moment, assert_bars, assert_rows, film_page
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAMES = (0, 40)
PIECES = (FRAMES, (17, 40))


def within(low: float, value: float, high: float) -> float:
    return max(low, min(value, high))


def swing(at: Moment) -> float:
    place = at.ms % 1000
    return 0.8 * (place if place < 500 else 1000 - place)


def turned(at: Moment) -> float:
    """Reversed by a timer at 600 ms: it turns in the frame that is next."""
    turn = at.begun(600).ms
    return 5 * max(0, at.ms if at.ms <= turn else 2 * turn - at.ms)


def stopped(at: Moment) -> float:
    """Paused by a timer at 500 ms, played on by another at 900 ms."""
    stop = at.begun(500).ms
    return 5 * (min(at.ms, stop) + at.since(900))


CSS_ROWS: dict[str, Belief] = {
    "keyframes": lambda at: 2 * at.ms,
    "steps()": lambda at: 400 * (at.ms // 200),
    "a delay": lambda at: within(0, 4 * (at.ms - 250), 4000),
    "a negative delay": lambda at: 1000 + at.ms,
    "reverse": lambda at: 4000 - 2 * at.ms,
    "paused by the author": lambda _: 1000,
    "a transition that a timer starts": lambda at: within(0, 4 * at.since(400), 4000),
    "animationend": lambda at: at.begun(1250).frame if at.ms >= 1250 else 0,
}
CSS_BARS: dict[str, Belief] = {
    "width": lambda at: 0.2 * at.ms,
    "transform": lambda at: 0.2 * at.ms,
    "alternate": swing,
    "a transition that a timer starts": lambda at: within(0, 0.4 * at.since(400), 400),
}
WAAPI_ROWS: dict[str, Belief] = {
    "animate()": lambda at: 5 * at.ms,
    "delay": lambda at: max(0, 5 * (at.ms - 300)),
    "playbackRate": lambda at: 5 * at.ms,
    "paused by the author": lambda _: 3500,
    "reversed while loading": lambda at: 10000 - 5 * at.ms,
    "reversed by a timer": turned,
    "paused and played by timers": stopped,
    "made by a timer": lambda at: 5 * at.since(600),
    "currentTime": lambda at: 10 * at.ms,
    "finished": lambda at: at.begun(800).frame if at.ms >= 800 else 0,
    "currentTime in a timer": lambda _: 100,
}
SMIL_BARS: dict[str, Belief] = {
    "animate": lambda at: 0.2 * at.ms,
    "begin": lambda at: within(0, 0.4 * (at.ms - 500), 400),
    "animateTransform": lambda at: 0.8 * (at.ms % 500),
}
SHADOW_BARS: dict[str, Belief] = {
    "an open root": lambda at: 0.2 * at.ms,
    "a closed root": lambda at: 0.2 * at.ms,
    "a closed root in the HTML": lambda at: 0.2 * at.ms,
    "a closed root that comes late": lambda at: 0.2 * at.since(500),
}


@pytest.mark.parametrize("frames", PIECES)
@pytest.mark.parametrize("rate", ["24", "60"])
async def test_css_animations_and_transitions(
    crew: Crew, rate: str, frames: tuple[int, int]
) -> None:
    film = await film_page(crew, "css.html", frames, rate=rate, rows=12)

    assert_rows(film, frames, rate, CSS_ROWS, off=1)
    assert_bars(film, frames, rate, 8, CSS_BARS)


@pytest.mark.parametrize("frames", PIECES)
@pytest.mark.parametrize("rate", ["25", "30000/1001"])
async def test_web_animations(crew: Crew, rate: str, frames: tuple[int, int]) -> None:
    film = await film_page(crew, "waapi.html", frames, rate=rate, rows=11)

    assert_rows(film, frames, rate, WAAPI_ROWS, off=1)


@pytest.mark.parametrize("frames", PIECES)
async def test_smil(crew: Crew, frames: tuple[int, int]) -> None:
    rate = "50"
    late = {f"{name}, late": begun_late(belief) for name, belief in SMIL_BARS.items()}

    film = await film_page(crew, "smil.html", frames, rate=rate, rows=10)

    assert_bars(film, frames, rate, 3, SMIL_BARS)
    assert_bars(film, frames, rate, 7, late)


def begun_late(belief: Belief) -> Belief:
    """What is inserted at 600 ms begins in the frame that shows it first."""

    def late(at: Moment) -> float:
        begun = Moment(at.frame, at.rate)
        begun.ms = at.since(600)
        return belief(begun)

    return late


@pytest.mark.parametrize("frames", PIECES)
async def test_shadow_roots(crew: Crew, frames: tuple[int, int]) -> None:
    rate = "30"

    film = await film_page(crew, "shadow.html", frames, rate=rate, rows=6)

    assert_rows(film, frames, rate, {"frame": lambda at: at.frame})
    assert_bars(film, frames, rate, 1, SHADOW_BARS)


@pytest.mark.parametrize("place", ["hook", "frame"])
@pytest.mark.parametrize("frames", PIECES)
async def test_scroll_driven_and_view_timelines(
    crew: Crew, frames: tuple[int, int], place: str
) -> None:
    rate, props = "25", {"place": place}

    film = await film_page(crew, "timelines.html", frames, rate=rate, rows=4, props=props)

    bars: dict[str, Belief] = {
        "scroll()": lambda at: 4 * at.frame,
        "view()": lambda at: 4 * at.frame,
        "ScrollTimeline": lambda at: 4 * at.frame,
    }
    assert_rows(film, frames, rate, {"frame": lambda at: at.frame})
    assert_bars(film, frames, rate, 1, bars)


SVG_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="400" height="24">
  <rect height="24" width="400" fill="#fff">MOVES</rect></svg>"""
SVG_DOCUMENTS: dict[str, str | bytes] = {
    "smil.svg": SVG_PICTURE.replace(
        "MOVES", '<animate attributeName="width" from="0" to="400" dur="2s" fill="freeze" />'
    ),
    "css.svg": SVG_PICTURE.replace(
        "MOVES",
        "<style>@keyframes grow { from { transform: scaleX(0) } } "
        "rect { animation: 2s linear grow }</style>",
    ),
    "index.html": """<!doctype html>
      <style>
        html, body { margin: 0; background: #000; overflow: hidden }
        object, embed, iframe { display: block; border: 0; width: 400px; height: 24px }
      </style>
      <body><object data="smil.svg"></object><object data="css.svg"></object>
      <embed src="smil.svg" /><iframe src="css.svg"></iframe>""",
}


async def test_a_moving_svg_file_is_exact_as_a_document_of_its_own(crew: Crew) -> None:
    rate = "50"
    bars: dict[str, Belief] = dict.fromkeys(
        ("object, SMIL", "object, CSS", "embed", "iframe"), lambda at: 0.2 * at.ms
    )

    whole = await film_page(crew, SVG_DOCUMENTS, (0, 30), rate=rate, rows=4)
    chunk = await film_page(crew, SVG_DOCUMENTS, (17, 30), rate=rate, rows=4)

    assert_bars(whole, (0, 30), rate, 0, bars)
    assert chunk.pictures == whole.pictures[17:]


async def test_the_limit_of_smil_in_a_picture_is_its_beginning(crew: Crew) -> None:
    """An animated SVG in <img> runs at its pace, but from when it was loaded."""
    frames, rate = (0, 20), "50"

    film = await film_page(crew, "smil.html", frames, rate=rate, rows=10)

    from_frame_zero: dict[str, Belief] = {"img": lambda at: 0.2 * at.ms}
    with pytest.raises(AssertionError, match="img in frame 1 .* shows"):
        assert_bars(film, frames, rate, 6, from_frame_zero)

"""The pages that are measured: one description of each, written for every renderer's contract."""

from __future__ import annotations

import json
import math
import random
import struct
import wave
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

SOURCES: Final = Path(__file__).parent / "compositions"
FPS: Final = 30
BITS: Final = 10  # of the number in each row of squares: pages have up to 1,024 frames
SOUND: Final = "tone.wav"
_SEED: Final = 4711
_TITLE: Final = "A frame of the farm"
_PARAGRAPH: Final = (
    "Time stands still between two frames. What a page shows at a moment is asked for, painted, "
    "read and handed to the encoder; then the clock moves on. Much of what is rendered stands "
    "still for seconds: a heading, some text, a number that changes now and then. "
)


class Scene(StrEnum):
    """What a page shows."""

    LIGHT = "DOM light"  # a title and 12 moving elements
    MOVING = "DOM"  # a gradient, a title and 200 moving elements
    HEAVY = "DOM heavy"  # the same with 300, each with a soft shadow
    STILL = "mostly static"  # text, and a number that changes once a second
    CANVAS = "Canvas 2D"  # 400 shapes
    WEBGL = "WebGL"  # 400 triangles on a shaded background


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A scene of a size and a length."""

    name: str
    scene: Scene
    width_px: int
    height_px: int
    frames: int = 150
    has_sound: bool = False

    @property
    def frames_a_number(self) -> int:
        """How many frames show the same number in the rows of squares."""
        return FPS if self.scene is Scene.STILL else 1


# What peers are measured on; the names.
PEER_PAGES: Final = (
    Page(name="A", scene=Scene.MOVING, width_px=1280, height_px=720),
    Page(name="B", scene=Scene.MOVING, width_px=1920, height_px=1080),
    Page(name="C", scene=Scene.STILL, width_px=1280, height_px=720),
    Page(name="D", scene=Scene.CANVAS, width_px=1920, height_px=1080),
    Page(name="E", scene=Scene.MOVING, width_px=1280, height_px=720, frames=300, has_sound=True),
)


def scene_pages(frames: int) -> tuple[Page, ...]:
    """Five kinds of pages at 720p and 1080p."""
    scenes = (Scene.LIGHT, Scene.HEAVY, Scene.STILL, Scene.CANVAS, Scene.WEBGL)
    return tuple(
        Page(
            name=f"{scene.name.lower()}-{height_px}",
            scene=scene,
            width_px=width_px,
            height_px=height_px,
            frames=frames,
        )
        for width_px, height_px in ((1280, 720), (1920, 1080))
        for scene in scenes
    )


def write_page(
    page: Page, folder: Path, driver: str = "plain", scripts: tuple[str, ...] = ()
) -> Path:
    """Write index.html and its sound into `folder`; `driver` is the contract it follows.

    `scripts` are files beside it, which are loaded first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.html"
    index.write_text(_html(page, driver, scripts), encoding="utf-8")
    if page.has_sound:
        write_tone(folder / SOUND, page.frames / FPS)
    return index


def facts(page: Page) -> dict[str, Any]:
    """All that a page's scripts have to know of it."""
    known: dict[str, Any] = {
        "name": page.name,
        "width": page.width_px,
        "height": page.height_px,
        "fps": FPS,
        "frames": page.frames,
        "frames_a_number": page.frames_a_number,
        "bits": BITS,
        "title": _TITLE,
        "sound": SOUND if page.has_sound else "",
    }
    match page.scene:
        case Scene.CANVAS | Scene.WEBGL:
            known |= {"kind": page.scene.name.lower(), "shapes": _shapes(page)}
        case Scene.STILL:
            known |= {"kind": "text", "paragraphs": [_PARAGRAPH] * 7}
        case _:
            known |= {"kind": "dom", "movers": _movers(_COUNT[page.scene])}
    return known


def write_tone(path: Path, seconds: float) -> None:
    """Write 440 Hz, a quarter of the full loudness."""
    rate = 48_000
    samples = (
        round(8000 * math.sin(math.tau * 440 * at / rate)) for at in range(int(seconds * rate))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


_COUNT: Final = {Scene.LIGHT: 12, Scene.MOVING: 200, Scene.HEAVY: 300}


def _movers(count: int) -> list[dict[str, Any]]:
    chance = random.Random(_SEED)
    return [
        {
            "left": round(chance.uniform(2, 95), 2),
            "top": round(chance.uniform(12, 93), 2),
            "side": chance.randint(12, 28),
            "right": round(chance.uniform(-110, 110), 1),
            "down": round(chance.uniform(-80, 80), 1),
            "turn": chance.choice([-360, -180, 180, 360]),
            "period_s": round(chance.uniform(1, 3), 2),
            "head_start_s": round(chance.uniform(0, 3), 2),
            "hue": chance.randrange(360),
            "is_round": chance.random() < 0.5,
        }
        for _ in range(count)
    ]


def _shapes(page: Page) -> list[dict[str, Any]]:
    chance = random.Random(_SEED)
    return [
        {
            "kind": ("disc", "square", "triangle")[number % 3],
            "x": round(chance.random(), 4),
            "y": round(chance.uniform(0.1, 1), 4),
            "size": round(chance.uniform(8, 34), 1),
            "reach_x": round(chance.uniform(0, 150), 1),
            "reach_y": round(chance.uniform(0, 110), 1),
            "speed": round(chance.uniform(0.5, 3), 3),
            "phase": round(chance.uniform(0, math.tau), 3),
            "hue": chance.randrange(360),
        }
        for number in range(400)
    ]


def _html(page: Page, driver: str, scripts: tuple[str, ...]) -> str:
    known = facts(page)
    inline = [f"const SCENE = {json.dumps(known)};"]
    inline += [_source(f"{name}.js") for name in ("canvas", "webgl", "show", driver)]
    classes = {Scene.STILL: "paper", Scene.HEAVY: "sky heavy"}.get(page.scene, "sky")
    size = f"width: {page.width_px}px; height: {page.height_px}px"
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width={page.width_px}, height={page.height_px}">
<title>{page.name}</title>
<style>
{_source("stage.css")}
html, body, #stage {{ {size} }}
</style>
{"".join(f'<script src="{script}"></script>' for script in scripts)}
<body>
<div id="stage" class="{classes}" {_attributes(page)}>
{_content(page, known)}
{_row("by-script", known)}
{_row("by-style", known)}
{_sound(page)}
</div>
<script>
{"".join(inline)}
</script>
</body>
</html>
"""


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _attributes(page: Page) -> str:
    """What HyperFrames reads of a composition's root; others take no notice."""
    given = {
        "composition-id": "main",
        "start": 0,
        "duration": page.frames / FPS,
        "fps": FPS,
        "width": page.width_px,
        "height": page.height_px,
    }
    return " ".join(f'data-{name}="{value}"' for name, value in given.items())


def _sound(page: Page) -> str:
    if not page.has_sound:
        return ""
    length = f'data-start="0" data-duration="{page.frames / FPS}"'
    return f'<audio id="tone" src="{SOUND}" {length} data-track-index="1" data-volume="1"></audio>'


def _content(page: Page, known: dict[str, Any]) -> str:
    match page.scene:
        case Scene.CANVAS | Scene.WEBGL:
            return f'<canvas width="{page.width_px}" height="{page.height_px}"></canvas>'
        case Scene.STILL:
            paragraphs = "".join(f"<p>{text}</p>" for text in known["paragraphs"])
            return f'<h1>{_TITLE}</h1><div id="columns">{paragraphs}</div>'
        case _:
            movers = "\n".join(_mover(mover) for mover in known["movers"])
            return f'<div id="title">{_TITLE}</div>\n{movers}'


def _mover(mover: dict[str, Any]) -> str:
    style = {
        "left": f"{mover['left']}%",
        "top": f"{mover['top']}%",
        "width": f"{mover['side']}px",
        "height": f"{mover['side']}px",
        "background": f"hsl({mover['hue']} 75% 58%)",
        "border-radius": "50%" if mover["is_round"] else "4px",
        "--right": f"{mover['right']}px",
        "--down": f"{mover['down']}px",
        "--turn": f"{mover['turn']}deg",
        "animation-duration": f"{mover['period_s']}s",
        "animation-delay": f"-{mover['head_start_s']}s",
    }
    return f'<div class="mover" style="{"; ".join(f"{key}: {style[key]}" for key in style)}"></div>'


def _row(row: str, known: dict[str, Any]) -> str:
    """One of the two numbers, which a script shows or else animations of the style."""
    if row == "by-script":
        squares = "<i></i>" * 2 * BITS
    else:
        squares = "".join(
            f'<i style="animation: {name} {_period_s(bit, known):.9f}s step-end '
            f'{-0.5 / FPS:.9f}s infinite"></i>'
            for name in ("set", "clear")
            for bit in range(BITS)
        )
    return f'<div class="row" id="{row}">{squares}</div>'


def _period_s(bit: int, known: dict[str, Any]) -> float:
    return float(known["frames_a_number"] << (bit + 1)) / FPS

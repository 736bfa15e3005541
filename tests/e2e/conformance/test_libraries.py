"""Animation libraries, unchanged, have their value in every frame, in a later chunk too.

And after a minute: a page of each, side by side in frames of one page.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from renderer.settings import History
from tests.support.conformance import (
    CONFORMANCE_PAGES,
    Belief,
    assert_bars,
    assert_rows,
    film_page,
)
from tests.support.npm import LIBRARIES, library
from tests.support.pages import LOSSLESS, Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = dict(zip(LIBRARIES, ("24", "25", "30000/1001", "30", "50", "60"), strict=True))

# GSAP counts by Date, in whole milliseconds. Pixi's `lastTime` is the frame before.
VALUES: dict[str, Belief] = dict.fromkeys(LIBRARIES, lambda at: at.tenths) | {
    "gsap": lambda at: 10 * at.date_ms
}


@pytest.mark.parametrize("name", LIBRARIES)
async def test_a_library_is_exact(crew: Crew, name: str) -> None:
    files = {f"{name}.js": library(name)}
    rate = RATES[name]
    files |= {"index.html": _page(name)}
    beliefs = {"value": VALUES[name]}
    bar: dict[str, Belief] = {"bar": lambda at: 0.2 * at.ms}

    whole = await film_page(crew, files, (0, 40), rate=rate, rows=4)
    chunk = await film_page(crew, files, (17, 40), rate=rate, rows=4)

    assert_rows(whole, (0, 40), rate, beliefs)
    assert_bars(whole, (0, 40), rate, 2, bar)
    assert chunk.pictures == whole.pictures[17:]


MINUTE = (0, 1800)
CELL_WIDTH_PX, CELL_HEIGHT_PX, COLUMNS = 160, 60, 3
BOX = "<div id=box style='width: 20px; height: 20px; background: #0f8'></div>"
# Each moves all the time, with a period that the minute is no multiple of.
SCENES = {
    "gsap": f"""{BOX}<script>gsap.to("#box", {{ x: 120, rotation: 720, duration: 7, repeat: -1,
        yoyo: true, ease: "sine.inOut" }})</script>""",
    "anime": f"""{BOX}<script>anime({{ targets: "#box", translateX: 120, rotate: "2turn",
        duration: 7000, direction: "alternate", loop: true, easing: "easeInOutSine" }})</script>""",
    "lottie": """<div id=stage></div><script>
        const still = (k) => ({ a: 0, k });
        const ease = { i: { x: 0.4, y: 1 }, o: { x: 0.6, y: 0 } };
        lottie.loadAnimation({ container: stage, renderer: "svg", loop: true, animationData: {
          v: "5.7.0", fr: 30, ip: 0, op: 210, w: 160, h: 60, assets: [], layers: [{
            ty: 1, ip: 0, op: 210, st: 0, ind: 1, sw: 30, sh: 20, sc: "#ff8800", sr: 1,
            ks: { o: still(100), a: still([15, 10, 0]), s: still([100, 100, 100]),
              r: { a: 1, k: [{ t: 0, s: [0], ...ease }, { t: 210, s: [360] }] },
              p: { a: 1, k: [{ t: 0, s: [20, 30, 0], ...ease }, { t: 210, s: [140, 30, 0] }] } },
          }] } })</script>""",
    "three": """<script>
        const renderer = new THREE.WebGLRenderer();
        renderer.setSize(160, 60);
        document.body.append(renderer.domElement);
        const scene = new THREE.Scene(), clock = new THREE.Clock();
        const camera = new THREE.PerspectiveCamera(40, 160 / 60, 1, 10);
        camera.position.z = 4;
        const cube = new THREE.Mesh(new THREE.BoxGeometry(), new THREE.MeshNormalMaterial());
        scene.add(cube);
        renderer.setAnimationLoop(() => {
          const passed = clock.getDelta();
          cube.rotation.x += passed;
          cube.rotation.y += passed / 3;
          renderer.render(scene, camera);
        })</script>""",
    "pixi": """<script>
        const app = new PIXI.Application({ width: 160, height: 60, backgroundColor: 0x202040 });
        document.body.append(app.view);
        const bar = new PIXI.Graphics().beginFill(0xff4060).drawRect(-30, -8, 60, 16);
        app.stage.addChild(bar).position.set(80, 30);
        app.ticker.add((frames) => (bar.rotation += 0.03 * frames))</script>""",
    "d3": """<script>
        const box = d3.select("body").append("svg").append("rect").attr("y", 20)
          .attr("width", 20).attr("height", 20).attr("fill", "#48f");
        (function go() {
          box.transition().duration(3500).attr("x", 130).attr("fill", "#f60")
            .transition().duration(3500).attr("x", 5).attr("fill", "#48f").on("end", go);
        })()</script>""",
}


async def test_a_minute_of_every_library_is_the_same_from_its_last_frames_alone(crew: Crew) -> None:
    files: dict[str, str | bytes] = {f"{name}.js": library(name) for name in LIBRARIES}
    cells = ""
    for name, scene in SCENES.items():
        script = f"<!doctype html><body style='margin: 0'><script src={name}.js></script>"
        files[f"{name}.html"] = script + scene
        cells += f"<iframe src={name}.html></iframe>"
    files["index.html"] = f"""<!doctype html><style>
        body {{ margin: 0; background: #fff; font-size: 0 }}
        iframe {{ border: 0; width: {CELL_WIDTH_PX}px; height: {CELL_HEIGHT_PX}px }}
      </style><body>{cells}"""
    size = {"width_px": CELL_WIDTH_PX * COLUMNS, "height_px": CELL_HEIGHT_PX * 2}
    settings: dict[str, Any] = {**size, **LOSSLESS, "history": History.STATEFUL}

    whole = await crew.film_files(files, MINUTE, **settings)
    alone = await crew.film_files(files, (1798, 1800), **settings)

    assert len(set(whole.chunk.frame_digests)) == MINUTE[1]
    assert alone.chunk.frame_digests == whole.chunk.frame_digests[1798:]
    before, last = (luma for luma, *_ in alone.planes)
    for cell, name in enumerate(SCENES):
        top, left = (cell // COLUMNS) * CELL_HEIGHT_PX, (cell % COLUMNS) * CELL_WIDTH_PX
        there = np.s_[top : top + CELL_HEIGHT_PX, left : left + CELL_WIDTH_PX]
        assert not np.array_equal(before[there], last[there]), f"{name} does not move"


def _page(name: str) -> bytes:
    return (CONFORMANCE_PAGES / f"{name}.html").read_bytes()

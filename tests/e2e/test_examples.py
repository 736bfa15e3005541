"""The examples, rendered as their READMEs say."""

from __future__ import annotations

import json
from pathlib import Path

import framefarm
from tests.support.frame_numbers import decoded_yuv, frame_digests, video_size_px
from tests.support.pages import tools_or_skip

EXAMPLES = Path(__file__).parents[2] / "examples"
# Where examples/title-sequence/edge-code.css puts the middle of its squares, at 1280×720.
EDGE_CODE_Y = 681
EDGE_CODE_X = [1093 + 12 * bit for bit in range(8)]
_BRIGHT = 128


def edge_codes(video: Path) -> list[int]:
    return [
        sum(1 << bit for bit, x in enumerate(EDGE_CODE_X) if luma[EDGE_CODE_Y, x] > _BRIGHT)
        for luma, _, _ in decoded_yuv(video)
    ]


async def test_the_title_sequence_has_every_frame_once_and_in_order(tmp_path: Path) -> None:
    tools_or_skip()
    output = tmp_path / "title.mp4"

    await framefarm.render(
        EXAMPLES / "title-sequence", output, width_px=1280, height_px=720, duration="6s", workers=2
    )

    assert edge_codes(output) == list(range(180))


async def test_the_canvas_blooms_in_every_frame(tmp_path: Path) -> None:
    tools_or_skip()
    output = tmp_path / "bloom.mp4"

    await framefarm.render(
        EXAMPLES / "canvas-bloom",
        output,
        mode="canvas",
        canvas="#stage",
        width_px=1280,
        height_px=720,
        frames=20,
    )

    assert video_size_px(output) == (1280, 720)
    assert len(set(frame_digests(output))) == 20


async def test_the_chart_shows_what_its_props_say(tmp_path: Path) -> None:
    tools_or_skip()
    props = json.loads((EXAMPLES / "data-chart" / "props.json").read_text())
    videos = {"given": props, "other": props | {"title": "Another title"}}

    for name, each in videos.items():
        await framefarm.render(
            EXAMPLES / "data-chart",
            tmp_path / f"{name}.mp4",
            props=each,
            width_px=640,
            height_px=360,
            frames=12,
            start_frame=90,
        )

    given, other = (frame_digests(tmp_path / f"{name}.mp4") for name in videos)
    assert len(given) == len(other) == 12
    assert given[-1] != other[-1]

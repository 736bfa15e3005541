"""What seeds a page's chance."""

from __future__ import annotations

import json

from renderer.chance import chance_script
from renderer.frames import FrameRate
from renderer.settings import RenderSettings


def test_the_page_half_is_called_with_its_options() -> None:
    settings = RenderSettings(seed=(5 << 32) + 7, frame_rate=FrameRate(25))

    script = chance_script(settings)

    options = json.loads(script[script.rindex(")({") + 2 : -1])
    assert options == {"fps": [25, 1], "seed": [7, 5]}


def test_a_worker_is_told_its_place() -> None:
    script = chance_script(RenderSettings(), ("0", "w1"))

    assert json.loads(script[script.rindex(")({") + 2 : -1])["place"] == ["0", "w1"]

"""What is put into a page so that it can say when it is ready."""

from __future__ import annotations

import json

from renderer.frames import FrameRate
from renderer.ready import ready_script
from renderer.settings import RenderSettings


def test_the_page_half_is_called_with_its_options() -> None:
    settings = RenderSettings(
        props_json='{"a": "</script>"}', frame_rate=FrameRate.parse("30000/1001")
    )

    script = ready_script(settings)

    options = json.loads(script[script.rindex(")({") + 2 : -1])
    assert options == {"fps": [30000, 1001], "props": '{"a": "</script>"}'}

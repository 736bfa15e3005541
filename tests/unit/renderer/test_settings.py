from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.encode.codec_facts import Codec
from renderer.encode.codecs import CODECS
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRate
from renderer.settings import MAX_PROPS_BYTES, CaptureMode, RenderSettings


def refused(**values: object) -> dict[str, str]:
    """The problems that these settings have, by field."""
    with pytest.raises(InvalidRequestError) as caught:
        RenderSettings(**values)  # type: ignore[arg-type]
    return {violation.field: violation.problem for violation in caught.value.violations}


def test_the_defaults_are_valid() -> None:
    settings = RenderSettings()

    assert (settings.width_px, settings.height_px, str(settings.frame_rate)) == (1920, 1080, "30")


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        RenderSettings().crf = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("width_px", 0, "0 is outside 2…8192"),
        ("width_px", 8194, "8194 is outside"),
        ("height_px", -2, "-2 is outside"),
        ("width_px", 641, "641 is odd, and yuv420p needs even sides; use 640 or 642"),
        ("height_px", 481, "use 480 or 482"),
        ("frame_rate", FrameRate(241), "241 is over 240 frames a second"),
        ("frame_rate", FrameRate(23_456_789, 1_000_001), "use a simpler fraction"),
        ("frame_rate", FrameRate(1, 1_000_001), "use a simpler fraction"),
        ("crf", -1, "-1 is outside 0…51"),
        ("crf", 52, "52 is outside 0…51"),
        ("preset", "warp", "'warp' is unknown to h264; use one of ultrafast, "),
        ("preset", "placebo", "unknown"),
        ("gop_frames", 0, "0 is outside 1…10000"),
        ("gop_frames", 10_001, "outside"),
        ("encoder_threads", 0, "0 is outside 1…64"),
        ("encoder_threads", 65, "outside"),
        ("seed", -1, "outside"),
        ("seed", 1 << 63, "outside"),
        ("stability_timeout_s", 0.0, "0 s is outside"),
        ("stability_timeout_s", 601.0, "601 s is outside"),
        ("stability_timeout_s", float("nan"), "nan s is outside"),
        ("timezone", "Mars/Olympus", "'Mars/Olympus' is no IANA time zone"),
        ("timezone", "../etc/passwd", "no IANA time zone"),
        ("timezone", "localtime", "no IANA time zone"),
        ("timezone", "", "no IANA time zone"),
        ("locale", "en_US", "'en_US' is no BCP 47 tag"),
        ("locale", "", "no BCP 47 tag"),
        ("device_scale_factor", 0.49, "0.49 is outside 0.5…4"),
        ("device_scale_factor", 4.1, "4.1 is outside"),
        ("device_scale_factor", float("nan"), "nan is outside"),
        ("device_scale_factor", 1.001, "1920x1080 times 1.001 is a picture of 1921.92x1081.08 px"),
        ("device_scale_factor", 1.0125, "1944x1093.5 px; its sides have to be even"),
        ("user_agent", "a\nb", "is not one line"),
        ("epoch_ms", -1, "outside the years 1970 to 9999"),
        ("headers", (("a b", "1"),), "'a b' is no header's name"),
        ("headers", (("Host", "x"),), "Host belongs to the connection"),
        ("headers", (("X-A", "1"), ("x-a", "2")), "x-a is given twice"),
        ("headers", (("X-A", "1\r\nX-B: 2"),), "the value of X-A is not one line"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_field(
    field: str, value: object, words: str
) -> None:
    problems = refused(**{field: value})

    assert list(problems) == [field.removesuffix("_s")]
    assert words in "".join(problems.values())


@pytest.mark.parametrize("preset", CODECS[Codec.H264].presets)
def test_every_preset_of_the_list_is_fine(preset: str) -> None:
    assert RenderSettings(preset=preset).preset == preset


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert refused(width_px=1, crf=99, preset="warp", props_json="[").keys() == {
        "width_px",
        "crf",
        "preset",
        "props",
    }


def test_a_viewport_may_be_odd_when_a_canvas_is_captured() -> None:
    assert RenderSettings(width_px=641, canvas_selector="#stage").captures_canvas


@pytest.mark.parametrize(
    ("mode", "selector", "captures_canvas"),
    [
        (CaptureMode.AUTO, "", False),
        (CaptureMode.AUTO, "canvas", True),
        (CaptureMode.CANVAS, "", True),
        (CaptureMode.DOM, "", False),
    ],
)
def test_what_is_captured_follows_from_mode_and_selector(
    mode: CaptureMode, selector: str, captures_canvas: bool
) -> None:
    settings = RenderSettings(mode=mode, canvas_selector=selector)

    assert settings.captures_canvas is captures_canvas


def test_a_canvas_cannot_be_cropped_to_an_element() -> None:
    assert "drop one" in refused(canvas_selector="canvas", target_selector="h1")["target_selector"]


def test_dom_mode_has_no_use_for_a_canvas_selector() -> None:
    problems = refused(mode=CaptureMode.DOM, canvas_selector="canvas")

    assert "not used in dom mode" in problems["canvas_selector"]


@pytest.mark.parametrize(
    ("props", "words"),
    [
        ("", "not JSON: Expecting value at line 1 column 1"),
        ("{", "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("[1]", "must be a JSON object"),
        ("3", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": -Infinity}', "-Infinity is no JSON number"),
        ('{"a": "\ud800"}', "not UTF-8: character 7"),
        ('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
        ('{"a": ' + "9" * 10_000 + "}", "not JSON that a page can read"),
        ('{"a": "' + "é" * (MAX_PROPS_BYTES // 2) + '"}', "over the limit of 1048576"),
    ],
    ids=range(12),
)
def test_props_that_a_page_cannot_read_are_refused(props: str, words: str) -> None:
    assert words in refused(props_json=props)["props"]


@given(
    st.dictionaries(
        st.text(max_size=9),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=9,
        ),
        max_size=5,
    )
)
def test_every_json_object_will_do_as_props(props: dict[str, object]) -> None:
    text = json.dumps(props).replace("Infinity", "1e999")

    assert RenderSettings(props_json=text).props_json == text


@given(st.text())
def test_no_text_breaks_the_check_of_props(text: str) -> None:
    with suppress(InvalidRequestError):  # and no other error
        assert RenderSettings(props_json=text).props_json == text

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from executors.probe_wire import from_probe_result, to_probe_result
from executors.settings_wire import from_settings, to_settings
from executors.wire import from_digests
from protos.framefarm.v1.render_pb2 import RenderSettings as Message
from protos.framefarm.v1.worker_pb2 import Probed
from renderer.cookies import Cookie
from renderer.encode.codec_facts import Codec, Container
from renderer.encode.codecs import CODECS
from renderer.frames import FrameRate
from renderer.gamut import ColorGamut
from renderer.history import Between, Difference, ProbeResult, Use
from renderer.settings import CaptureMode, ColorScheme, History, RenderSettings
from renderer.subtitles.burning import BurnedSubtitles


def test_settings_arrive_as_they_were_sent() -> None:
    settings = RenderSettings(
        width_px=640,
        height_px=360,
        frame_rate=FrameRate(30000, 1001),
        mode=CaptureMode.CANVAS,
        canvas_selector="#film",
        crf=0,
        codec=Codec.VP9,
        container=Container.MKV,
        tune="ssim",
        codec_options=(("aq-mode", "0"), ("tile-columns", "1")),
        props_json='{"a": 1}',
        seed=(1 << 63) - 1,
        stability_timeout_s=1.5,
        timezone="Asia/Tokyo",
        locale="de-DE",
        color_scheme=ColorScheme.DARK,
        color_gamut=ColorGamut.P3,
        device_scale_factor=1.5,
        user_agent="A browser",
        headers=(("X-B", "2"), ("X-A", "")),
        epoch_ms=0,
        cookies=(
            Cookie(name="a", value="1"),
            Cookie(name="b", value="", domain="x.example", path="/p", secure=True, http_only=True),
            Cookie(name="c", value="3", same_site="lax"),
        ),
        background="#123",
        transparent=True,
        strict=True,
        history=History.SEEKABLE,
        burned_subtitles=(
            BurnedSubtitles(script="x", counts_frames=True),
            BurnedSubtitles(script="y", offset_s=Fraction(-3, 2)),
        ),
    )

    assert to_settings(Message.FromString(from_settings(settings).SerializeToString())) == settings


@pytest.mark.parametrize("codec", Codec)
def test_every_codec_and_container_has_a_number_on_the_wire(codec: Codec) -> None:
    for container in CODECS[codec].containers:
        settings = RenderSettings(codec=codec, container=container)

        assert to_settings(from_settings(settings)) == settings


@pytest.mark.parametrize(
    "settings",
    [RenderSettings(lossless=True), RenderSettings(bitrate_kbps=900, bit_depth=10)],
)
def test_how_well_it_is_encoded_arrives(settings: RenderSettings) -> None:
    assert to_settings(Message.FromString(from_settings(settings).SerializeToString())) == settings


def test_what_is_not_sent_takes_the_default() -> None:
    assert to_settings(Message()) == RenderSettings()


def test_digests_of_many_frames_go_in_messages_of_a_mebibyte() -> None:
    digests = [f"{number:032x}" for number in range(72_000)]

    messages = list(from_digests(digests))

    assert [len(message.xxh3_128) for message in messages] == [1 << 20, 72_000 * 16 - (1 << 20)]
    assert b"".join(message.xxh3_128 for message in messages).hex() == "".join(digests)


def test_what_a_probe_found_arrives_without_its_pictures() -> None:
    use = Use(api="request", detail="http://a.example/b", count=2)
    rows = [Difference(frame=9, between=way, pictures=(b"one", b"other")) for way in Between]
    facts = ProbeResult(frames=(0, 9), jumps=(9,), uses=(use,), obstacle="boom")
    found = replace(facts, differences=tuple(rows))

    came = to_probe_result(Probed.FromString(from_probe_result(found).SerializeToString()))

    bare = tuple(Difference(frame=9, between=way) for way in Between)
    assert came == replace(facts, differences=bare)


def test_what_follows_a_target_arrives_too() -> None:
    settings = RenderSettings(target_selector="#card", target_follows=True)

    assert to_settings(Message.FromString(from_settings(settings).SerializeToString())) == settings

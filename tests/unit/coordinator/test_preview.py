"""The texts of a preview: playlists, names of codecs, and why there is none."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from coordinator.job import JobSpec
from coordinator.preview.boxes import codec_text, moved
from coordinator.preview.playlist import Segment, film_playlist, stream_playlist
from coordinator.preview.previews import problem_of
from coordinator.preview.sound import adts_packets, packets_known
from renderer.encode.codec_facts import Codec
from renderer.encode.reading.boxes import boxes
from renderer.errors import EncoderError
from renderer.frames import FrameRange
from tests.support.outputs import film, sound, still
from tests.support.tasks import a_spec


def segment(name: str, duration_s: Fraction, size_bytes: int = 1000) -> Segment:
    return Segment(name=name, duration_s=duration_s, size_bytes=size_bytes)


def test_a_playlist_tells_each_segments_length_and_ends_with_the_film() -> None:
    segments = [segment("0.m4s", Fraction(3003, 1000)), segment("1.m4s", Fraction(1, 3))]

    going = stream_playlist(
        segments[:1], head="head.mp4", longest_s=Fraction(3003, 1000), is_over=False
    )
    over = stream_playlist(segments, head="head.mp4", longest_s=Fraction(3003, 1000), is_over=True)

    assert going.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="head.mp4"',
        "#EXTINF:3.003000,",
        "0.m4s",
    ]
    assert over == going + "#EXTINF:0.333333,\n1.m4s\n#EXT-X-ENDLIST\n"


def test_the_first_playlist_tells_what_a_player_needs() -> None:
    segments = [segment("0.m4s", Fraction(2), 1000), segment("1.m4s", Fraction(1), 700)]

    facts: dict[str, Any] = {"codec": "avc1.64001f", "size_px": (400, 64)}
    silent = film_playlist(segments, has_sound=False, **facts)
    heard = film_playlist(segments, has_sound=True, **facts)
    rendition = ["TYPE=AUDIO", 'GROUP-ID="sound"', 'NAME="Sound"', "DEFAULT=YES", "AUTOSELECT=YES"]
    rendition += ['CHANNELS="2"', 'URI="sound.m3u8"']
    stream = ["BANDWIDTH=205600", 'CODECS="avc1.64001f,mp4a.40.2"', "RESOLUTION=400x64"]
    stream.append('AUDIO="sound"')

    assert silent.splitlines()[2:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=5600,CODECS="avc1.64001f",RESOLUTION=400x64',
        "video.m3u8",
    ]
    assert heard.splitlines()[2:] == [
        f"#EXT-X-MEDIA:{','.join(rendition)}",
        f"#EXT-X-STREAM-INF:{','.join(stream)}",
        "video.m3u8",
    ]


def test_a_segment_of_sound_ends_with_the_last_packet_that_is_decided() -> None:
    """It overlaps with the next one, and is encoded by what comes after that."""
    assert [packets_known(samples, is_all=False) for samples in (0, 1024, 3071)] == [0, 0, 0]
    assert [packets_known(1024 * n, is_all=False) for n in (3, 4, 10)] == [1, 2, 8]
    assert [packets_known(samples, is_all=True) for samples in (1, 1024, 1025)] == [1, 1, 2]


def test_damaged_sound_is_told() -> None:
    whole = bytes.fromhex("fff14c80015ffc") + b"abc"

    assert list(adts_packets(whole * 2)) == [b"abc", b"abc"]
    for damaged in (whole[:5], whole[:-1], b"\0" + whole):
        with pytest.raises(EncoderError, match="frame of AAC"):
            list(adts_packets(damaged))


def box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content


def head(entry: bytes, record: bytes) -> bytes:
    table = box(b"stsd", bytes(8), box(entry, bytes(78), record))
    return box(b"ftyp", b"iso5") + box(
        b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table))))
    )


@pytest.mark.parametrize(
    ("entry", "record", "text"),
    [
        (b"avc1", box(b"avcC", b"\x01\x64\x00\x1f"), "avc1.64001f"),
        (b"vp09", box(b"vpcC", b"\x01\0\0\0\x02\x1f\xa0"), "vp09.02.31.10"),
        (b"av01", box(b"av1C", b"\x81\x05\x0c\x00"), "av01.0.05M.08"),
        (b"av01", box(b"av1C", b"\x81\x08\xcc\x00"), "av01.0.08H.10"),
        (
            b"hvc1",
            box(b"hvcC", b"\x01\x01\x60\0\0\0\x90\0\0\0\0\0\x5d"),
            "hvc1.1.6.L93.90",
        ),
    ],
)
def test_codecs_are_named_as_browsers_do(entry: bytes, record: bytes, text: str) -> None:
    assert codec_text(head(entry, record)) == text


def test_a_head_of_another_codec_has_no_name() -> None:
    with pytest.raises(ValueError, match="no codec of the file"):
        codec_text(head(b"apch", box(b"abcd")))


def test_a_box_that_is_cut_off_is_damaged() -> None:
    with pytest.raises(ValueError, match="b'moov' has 99 bytes, of 12"):
        list(boxes(struct.pack(">I4sI", 99, b"moov", 0)))


def test_a_fragment_is_moved_with_its_samples() -> None:
    # Flags: where the data is, and of each sample its size and when it is shown.
    run = struct.pack(">IIi", 0xA01, 2, 8) + struct.pack(">IiIi", 5, 2002, 6, 1001)
    parts = box(b"tfdt", b"\x01\0\0\0", bytes(8)), box(b"trun", run)
    moof = box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", *parts))

    wanted_run = struct.pack(">IIi", 0x1000A01, 2, 8) + struct.pack(">IiIi", 5, 1001, 6, 0)
    assert moved(moof, number=7, begins=9009, earlier=1001) == box(
        b"moof",
        box(b"mfhd", bytes(4), struct.pack(">I", 7)),
        box(
            b"traf", box(b"tfdt", b"\x01\0\0\0", struct.pack(">Q", 9009)), box(b"trun", wanted_run)
        ),
    )


def spec(codec: Codec = Codec.H264, **settings: Any) -> JobSpec:
    job = a_spec(30)
    given = {"codec": codec, "preset": ""} | settings
    return replace(job, settings=replace(job.settings, **given))


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (spec(), ""),
        (spec(Codec.VP9), ""),
        (spec(Codec.H265, bit_depth=10), ""),
        (spec(Codec.H264, bit_depth=10), "browsers do not play h264 of 10 bits"),
        (spec(Codec.H264, lossless=True), "chunks are kept without loss"),
        (spec(Codec.H264, bitrate_kbps=100), "a video with a bitrate is encoded when all"),
        (spec(Codec.VP9, transparent=True), "browsers do not play a film with alpha"),
        (spec(Codec.PRORES), "chunks of prores are none that browsers play; h264, h265, vp9, av1"),
        (spec(Codec.GIF), "chunks of gif are none"),
        (replace(spec(), outputs=(film("a.mp4"), film("a.gif"))), "chunks are kept without loss"),
        (replace(spec(), outputs=(film("a.mp4"), sound("wav"))), ""),
        (replace(spec(), outputs=(sound("wav"),)), "there is no film"),
        (replace(spec(), outputs=(still("a.png", 3), still("b.png", 9))), "there is no film"),
    ],
)
def test_a_job_without_a_preview_says_why(job: JobSpec, words: str) -> None:
    found = problem_of(job)

    assert found.startswith(words)
    assert bool(found) == bool(words)


def test_a_job_of_one_frame_can_be_watched() -> None:
    assert problem_of(replace(spec(), frames=FrameRange(7, 8))) == ""

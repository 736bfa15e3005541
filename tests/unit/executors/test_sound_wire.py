from __future__ import annotations

from executors.sound_wire import from_report, to_report
from protos.framefarm.v1 import worker_pb2 as pb
from renderer.audio.passages import NANO, Passage, SoundReport, SoundSource

SOURCE = SoundSource(
    sha256="a" * 64, name="blob:x", size_bytes=5, duration_ns=NANO, is_bundled=False
)


def a_passage(number: int) -> Passage:
    return Passage(
        source=SOURCE.sha256,
        since_ns=-number * NANO,
        from_ns=3,
        begins_ns=700 * NANO + number,
        until_ns=None if number % 2 else 701 * NANO,
        rate=1.1,
        keeps_pitch=False,
        loops=True,
        fade_in_ns=4,
        fade_out_ns=5,
        volumes=tuple((700 * NANO + at, at / 100) for at in range(100)),
        is_whole=number == 1,
    )


def test_a_report_comes_out_as_it_went_in_however_many_messages_it_takes() -> None:
    report = SoundReport(
        sources=(SOURCE,),
        passages=tuple(a_passage(number) for number in range(3_000)),
        problems=("Web Audio: no",),
    )

    sent = [message.SerializeToString() for message in from_report(report)]

    assert len(sent) > 1
    assert max(map(len, sent)) < 2 << 20
    assert to_report([pb.Sounds.FromString(data) for data in sent]) == report


def test_a_worker_that_hears_nothing_says_so_and_one_that_does_not_listen_does_not() -> None:
    assert to_report(list(from_report(SoundReport()))) == SoundReport()
    assert to_report([]) is None

from __future__ import annotations

import json
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.audio.clips import SAMPLE_RATE, Window, level_at
from renderer.audio.heard import clip_of_passage, merged
from renderer.audio.passages import NANO, Passage, SoundReport, SoundSource
from renderer.frames import FrameRange, FrameRate

RATE = FrameRate(10)
SOURCE = SoundSource(
    sha256="a" * 64, name="http://h/a.wav", size_bytes=1, duration_ns=5 * NANO, is_bundled=True
)


def passage(begins_s: float, until_s: float | None = None, **changes: object) -> Passage:
    begins_ns = round(begins_s * NANO)
    plain = Passage(
        source=SOURCE.sha256,
        since_ns=begins_ns,
        from_ns=0,
        begins_ns=begins_ns,
        until_ns=None if until_s is None else round(until_s * NANO),
        volumes=((begins_ns, 1.0),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def report(*passages: Passage) -> SoundReport:
    return SoundReport(sources=(SOURCE,), passages=passages)


def chunks(*reports: SoundReport | None) -> list[tuple[FrameRange, SoundReport | None]]:
    """Chunks of ten frames, a second each."""
    return [(FrameRange(10 * k, 10 * k + 10), each) for k, each in enumerate(reports)]


def test_what_goes_on_across_seams_is_one_passage() -> None:
    whole = passage(0.25, 2.5)

    heard = merged(
        chunks(
            report(replace(whole, until_ns=None)),
            report(replace(whole, until_ns=None)),
            report(whole),
        ),
        RATE,
    )

    assert heard.passages == (whole,)
    assert heard.tears == ()


def test_what_happens_between_two_chunks_frames_is_the_later_ones_to_tell() -> None:
    early = passage(0.95)  # the first chunk has drawn its last frame by then, at 0.9 s

    heard = merged(chunks(report(early), report(early)), RATE)
    unseen = merged(chunks(report(), report(early)), RATE)

    assert heard.passages == unseen.passages == (early,)
    assert heard.tears == unseen.tears == ()


def test_two_equal_elements_are_two() -> None:
    both = report(passage(0), passage(0))

    heard = merged(chunks(both, both, both), RATE)

    assert heard.passages == (passage(0), passage(0))


def test_a_sound_that_one_chunk_does_not_know_of_is_a_tear() -> None:
    begun, other = passage(0.5), passage(0.5, from_ns=NANO)

    lost = merged(chunks(report(begun), report()), RATE)
    found = merged(chunks(report(), report(begun)), RATE)
    moved = merged(chunks(report(begun), report(other)), RATE)

    assert [tear.frame for tear in lost.tears] == [10]
    assert [tear.frame for tear in found.tears] == [10]
    assert len(moved.tears) == 2
    assert "http://h/a.wav" in str(moved.tears[0])
    assert "frame 10" in str(moved.tears[0])


def test_what_ends_at_a_seam_is_no_tear_however_its_end_is_rounded() -> None:
    for end_s in (0.9 - 1e-9, 0.9, 0.9 + 1e-9):
        ended = passage(0.3, end_s)

        heard = merged(chunks(report(passage(0.3)), report(ended), report()), RATE)

        assert (heard.passages, heard.tears) == ((ended,), ())


def test_an_end_is_that_of_the_sound_which_ends_there() -> None:
    short, long = passage(0.309, 0.31), passage(0.309, 0.95)

    heard = merged(
        chunks(report(short, replace(long, until_ns=None)), report(short, long), report()), RATE
    )

    assert (heard.passages, heard.tears) == ((short, long), ())


def test_a_tear_is_told_once() -> None:
    begun = passage(0.5)

    heard = merged(chunks(report(), report(begun), report(begun), report(begun)), RATE)

    assert len(heard.tears) == 1
    assert [each.begins_ns for each in heard.passages] == [pytest.approx(0.9 * NANO, abs=2_000)]


def test_a_tear_of_what_nobody_hears_is_none() -> None:
    muted = passage(0.5, volumes=((0, 0.0),))

    heard = merged(chunks(report(muted), report()), RATE)

    assert (heard.tears, heard.passages, heard.sources) == ((), (), ())


def test_a_chunk_that_tells_nothing_changes_nothing() -> None:
    heard = merged(chunks(report(passage(0.5)), None, report(passage(0.5, 2.5))), RATE)

    assert heard.passages == (passage(0.5, 2.5),)
    assert heard.tears == ()


def test_volumes_are_joined_and_none_is_told_twice() -> None:
    first = passage(0, volumes=((0, 1.0), (NANO // 2, 0.5)))
    second = passage(0, volumes=((NANO // 2, 0.5), (NANO * 3 // 2, 0.0)))

    heard = merged(chunks(report(first), report(second)), RATE)

    assert heard.passages[0].volumes == ((0, 1.0), (NANO // 2, 0.5), (NANO * 3 // 2, 0.0))


def test_the_first_chunk_of_a_later_part_knows_what_has_begun_before() -> None:
    begun = passage(0.5)

    heard = merged([(FrameRange(20, 30), report(begun))], RATE)

    assert (heard.passages, heard.tears) == ((begun,), ())


def test_a_report_is_the_same_after_a_rest_on_disk() -> None:
    told = report(passage(0.5, 2, volumes=((0, 1.0), (5, 0.5))))

    assert SoundReport.parse(json.loads(json.dumps(asdict(told)))) == told


@given(st.data())
def test_cutting_a_job_otherwise_changes_nothing(data: st.DataObject) -> None:
    passages = data.draw(
        st.lists(st.tuples(st.integers(0, 2_999), st.integers(1, 2_000)), max_size=5)
    )
    cuts = sorted({0, 30, *data.draw(st.lists(st.integers(1, 29), max_size=5))})
    whole = [passage(begins / 1000, (begins + length) / 1000) for begins, length in passages]
    pieces = [
        (FrameRange(start, stop), report(*(_known(each, start, stop) for each in whole)))
        for start, stop in pairwise(cuts)
    ]

    heard = merged(pieces, RATE)

    assert heard.tears == ()
    begun = sorted(each.begins_ns for each in whole)
    assert sorted(each.begins_ns for each in heard.passages) == begun


def _known(whole: Passage, start: int, stop: int) -> Passage:
    """A passage as a page tells it that has drawn frame `stop - 1`."""
    del start
    assert whole.until_ns is not None
    is_over = whole.until_ns <= (stop - 1) * NANO // 10
    return whole if is_over else replace(whole, until_ns=None)


WINDOW = Window.of(FrameRange(0, 30), RATE)


def clip_gains(*volumes: tuple[float, float]) -> tuple[tuple[int, float], ...]:
    told = passage(0, volumes=tuple((round(at * NANO), factor) for at, factor in volumes))
    return clip_of_passage(told, Path("a"), Fraction(5), WINDOW, Fraction(1, 10)).gains


def test_a_volume_that_is_set_once_is_there_within_5_ms() -> None:
    gains = clip_gains((0, 1.0), (1, 0.25))

    assert level_at(gains, SAMPLE_RATE) == 1
    assert level_at(gains, SAMPLE_RATE + 240) == 0.25
    assert level_at(gains, 3 * SAMPLE_RATE) == 0.25


def test_a_volume_that_changes_in_each_frame_runs_straight_between_them() -> None:
    gains = clip_gains((0, 0.0), (0.1, 0.1), (0.2, 0.2), (0.3, 0.3))

    assert level_at(gains, round(0.25 * SAMPLE_RATE)) == pytest.approx(0.25)
    assert level_at(gains, round(0.15 * SAMPLE_RATE)) == pytest.approx(0.15, abs=0.003)


def test_a_passage_is_placed_by_when_its_source_would_have_begun() -> None:
    told = passage(0.5, 2.0, since_ns=-NANO, from_ns=NANO // 4, rate=2.0)

    clip = clip_of_passage(told, Path("a"), Fraction(5), WINDOW, Fraction(1, 10))

    assert (clip.begins, clip.stop) == (24_000, 96_000)
    assert clip.position_s == Fraction(1, 4) + 2 * Fraction(3, 2)
    assert clip.loop_s is None

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from renderer.encode.pictures import PictureStream
from renderer.encode.stamped import StampedPictures, Stamps, picture_header
from renderer.frames import FrameRate
from renderer.picture import Picture


def stamped(frames: int, rate: FrameRate = FrameRate(30)) -> StampedPictures:
    stream = PictureStream(width_px=640, height_px=360)
    return StampedPictures(stream=stream, rate=rate, frames=frames)


def picture(number: int, *, is_repeat: bool = False) -> Picture:
    return Picture(
        width_px=1, height_px=1, pixels=number.to_bytes(4, "little"), is_repeat=is_repeat
    )


def handed_over(
    repeats: list[bool], rate: FrameRate = FrameRate(30)
) -> tuple[list[Picture], dict[int, Picture]]:
    """Each frame's picture, and those that are handed over, by their stamps."""
    stamps = Stamps(stamped(len(repeats), rate))
    all_of_them = list[Picture]()
    given_on = list[tuple[int, Picture]]()
    for frame, is_repeat in enumerate(repeats):
        if is_repeat and all_of_them:
            number = int.from_bytes(all_of_them[-1].pixels, "little")
        else:
            number = frame
        all_of_them.append(picture(number, is_repeat=is_repeat))
        given_on += [(stamp, all_of_them[-1]) for stamp in stamps.of_next(all_of_them[-1])]
    assert [stamp for stamp, _ in given_on] == sorted({stamp for stamp, _ in given_on})
    return all_of_them, dict(given_on)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from([30, 1]))
def test_a_picture_that_is_shown_until_the_next_one_shows_every_frame(
    repeats: list[bool], per_hour: int
) -> None:
    pictures, sent = handed_over(repeats, FrameRate(per_hour, 3600 // 4))

    shown = [sent[max(stamp for stamp in sent if stamp <= frame)] for frame in range(len(pictures))]

    assert shown == pictures
    assert max(sent) == len(pictures)


def test_a_repeat_is_not_handed_over() -> None:
    _, sent = handed_over([False, True, True, False, True, False])

    assert list(sent) == [0, 3, 5, 6]


def test_the_first_picture_is_never_a_repeat() -> None:
    _, sent = handed_over([True, True, True])

    assert list(sent) == [0, 3]


def test_the_only_picture_is_handed_over_and_ended() -> None:
    _, sent = handed_over([False])

    assert list(sent) == [0, 1]


def test_a_page_that_stands_still_is_handed_over_every_16_frames() -> None:
    _, sent = handed_over([False] + [True] * 149)

    assert list(sent) == [*range(0, 150, 16), 150]


def test_a_picture_never_lasts_for_hours() -> None:
    rate = FrameRate(1, 1000)  # a frame is 17 minutes

    _, sent = handed_over([False] + [True] * 20, rate)

    assert max(after - before for before, after in pairwise(sent)) * 1000 <= 2 * 3600


def test_the_file_begins_with_its_size_and_its_time() -> None:
    header = stamped(150, FrameRate(30000, 1001)).header()

    assert header[:12] == b"DKIF\x00\x00\x20\x00BGRA"
    assert header[12:16] == (640).to_bytes(2, "little") + (360).to_bytes(2, "little")
    assert header[16:24] == (30000).to_bytes(4, "little") + (1001).to_bytes(4, "little")
    assert len(header) == 32


def test_a_picture_begins_with_its_length_and_its_stamp() -> None:
    assert picture_header(picture(7), 258) == b"\x04\x00\x00\x00\x02\x01" + bytes(6)

"""A target that moves, leaves, turns and goes, in whichever chunk."""

from __future__ import annotations

from typing import Any

import pytest

from renderer.errors import CompositionError, Fault
from tests.support.pages import LOSSLESS, Crew, add_files

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHITE, BLACK = 235, 16
FOLLOWED: dict[str, Any] = {
    "target_selector": "#box", "target_follows": True, "width_px": 200, "height_px": 100, **LOSSLESS
}  # fmt: skip
# It carries a mark in its middle, on a page whose own pixels are not what is outside.
MOVING = """<style>
  body { margin: 0; background: #000 }
  #box { position: absolute; left: 0; top: 30px; width: 41px; height: 21px; background: #fff }
  #box::after { content: ""; position: absolute; inset: 8px 16px; background: #000 }
</style><div id=box></div><script>
  const box = document.getElementById("box");
  framefarm.onFrame(() => { box.style.transform = PLACE });
</script>"""


def moving(place: str) -> str:
    return MOVING.replace("PLACE", f"((n) => `{place}`)(framefarm.frame)")


async def test_the_crop_goes_where_the_target_goes(crew: Crew) -> None:
    html = moving("translate(${n * 7.5}px, ${n * 2}px)")

    film = await crew.film_html(html, (0, 8), **FOLLOWED)
    stays = await crew.film_html(html, (0, 8), **FOLLOWED | {"target_follows": False})

    assert (film.chunk.width_px, film.chunk.height_px) == (42, 22)
    for luma, _, _ in film.planes[::2]:  # by whole pixels
        assert (luma == film.planes[0][0]).all()
    assert film.planes[0][0][0, 0] == WHITE
    assert film.planes[0][0][10, 20] == BLACK
    assert (stays.planes[7][0] != film.planes[7][0]).any()


async def test_every_chunk_shows_the_same_of_it(crew: Crew) -> None:
    page = add_files(
        crew.store, {"index.html": moving("translate(${n * 7.3}px, 0) rotate(${n * 9}deg)")}
    )

    whole = await crew.film(page, (0, 9), **FOLLOWED)
    ends = [await crew.film(page, frames, **FOLLOWED) for frames in ((0, 4), (4, 9))]

    assert ends[0].pictures + ends[1].pictures == whole.pictures
    assert ends[0].chunk.frame_digests + ends[1].chunk.frame_digests == whole.chunk.frame_digests
    assert len(set(whole.pictures)) > 5


@pytest.mark.parametrize(("background", "outside"), [("", WHITE), ("#000", BLACK)])
async def test_what_leaves_the_viewport_is_filled_with_the_background(
    crew: Crew, background: str, outside: int
) -> None:
    html = moving("translate(${n * 20 - 20}px, 0)").replace("background: #000 }", "", 1)
    html = html.replace("body { margin: 0;", "body { margin: 0; background: #888 }", 1)

    film = await crew.film_html(html, (0, 12), background=background, **FOLLOWED)

    first, last = film.planes[0][0], film.planes[11][0]
    assert (first[:, :19] == outside).all()
    assert first[0, 21] == WHITE
    assert (last[:, 1:] == outside).all()


async def test_a_target_that_goes_is_a_fault_that_names_its_frame(crew: Crew) -> None:
    for going in ("box.remove()", "box.style.display = 'none'"):
        html = moving("${n == 2 ? ACT : 0}".replace("ACT", going))

        with pytest.raises(CompositionError, match=r"'#box' cannot be filmed: .* in frame 2") as no:
            await crew.film_html(html, (0, 4), **FOLLOWED)

        assert no.value.fault is Fault.TARGET_NOT_FOUND


async def test_what_is_outside_of_the_crop_does_not_change_a_digest(crew: Crew) -> None:
    html = """<style>body { margin: 0 } #box { width: 40px; height: 20px; background: red }</style>
      <div id=box></div><p style="margin-left: SHIFTpx">elsewhere"""
    one, other = [
        await crew.film_html(html.replace("SHIFT", shift), (0, 2), target_selector="#box")
        for shift in ("0", "9")
    ]

    assert one.chunk.frame_digests == other.chunk.frame_digests

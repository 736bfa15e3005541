"""Animated pictures show the one of their time, in <img> and as a background, early and late."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.conformance import Belief, assert_rows, film_page
from tests.support.moving_pictures import NAMES, PICTURES, moving_picture
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE_MS = 100
PAGE = """<!doctype html>
<meta charset="utf-8" />
<style>
  html, body {{ margin: 0; background: #000; overflow: hidden }}
  img, i {{ position: absolute; left: 0; width: 400px; height: 24px }}
</style>
<body>
<img src="moving.{name}" style="top: 24px" />
<i style="top: 48px; background: url(moving.{name})"></i>
<script src="squares.js"></script>
<script src="rows.js"></script>
<script>
  setTimeout(() => {{
    document.body.insertAdjacentHTML("beforeend",
      `<img src="moving.{name}?late" style="top: 72px" />`);
  }}, 600);
  rows("frame");
  eachFrame(() => show({{ frame: framefarm.frame }}));
</script>
"""


BELIEFS: dict[str, Belief] = {
    "frame": lambda at: at.frame,
    "img": lambda at: at.ms // PICTURE_MS % PICTURES,
    "background": lambda at: at.ms // PICTURE_MS % PICTURES,
    "img that comes late": lambda at: at.since(600) // PICTURE_MS % PICTURES,
}


@pytest.mark.parametrize(("name", "rate"), [*zip(NAMES, ("30", "25", "60"), strict=True)])
async def test_animated_pictures(crew: Crew, tmp_path: Path, name: str, rate: str) -> None:
    film = await film_page(crew, _files(tmp_path, name), (0, 60), rate=rate, rows=4)

    assert_rows(film, (0, 60), rate, BELIEFS)


async def test_the_limit_of_animated_pictures_is_a_chunk_that_begins_later(
    crew: Crew, tmp_path: Path
) -> None:
    """They go on only where they are painted, and frames before a chunk are not."""
    frames, rate = (37, 60), "30"

    film = await film_page(crew, _files(tmp_path, "gif"), frames, rate=rate, rows=4)

    with pytest.raises(AssertionError, match="img .* in frame 37 .* shows"):
        assert_rows(film, frames, rate, BELIEFS)


def _files(folder: Path, name: str) -> dict[str, str | bytes]:
    return {
        "index.html": PAGE.format(name=name),
        f"moving.{name}": moving_picture(folder, name, PICTURE_MS),
    }

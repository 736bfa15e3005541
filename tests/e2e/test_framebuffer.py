"""What is read from Chromium's memory is what Chromium draws; where it is not, that is noticed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from renderer.capture import memory, readers
from renderer.capture.framebuffer import Framebuffer
from tests.support.pages import LOSSLESS, Crew, open_crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = ["counter-css.html", "heavy.html", "webgl.html", "state.html"]
STILL = """<style>body { margin: 0; background: #123 } p { color: #fff }</style><p>0</p><script>
  let frame = 0;
  requestAnimationFrame(function draw() {
    if (frame++ % 5 === 0) document.querySelector("p").textContent = frame;
    requestAnimationFrame(draw);
  });
</script>"""
COVERED = """<style>div { position: absolute; inset: 0; background: #123 }</style>
<div></div><div></div><script>
  let frame = 0;
  requestAnimationFrame(function draw() {
    document.querySelector("div").style.background = frame++ % 2 ? "red" : "blue";
    requestAnimationFrame(draw);
  });
</script>"""
BY_MEMORY, BY_SCREENSHOT = "begin-frame-memory", "begin-frame-png"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def careful(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crew]:
    """A crew that does not read memory."""
    async with open_crew(tmp_path_factory.mktemp("careful"), reads_memory=False) as crew:
        yield crew


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("scale", [1, 1.5])
async def test_memory_holds_the_picture_that_is_drawn(
    crew: Crew, careful: Crew, page: str, scale: float
) -> None:
    settings: dict[str, Any] = LOSSLESS | {"device_scale_factor": scale, "width_px": 400}
    read = await crew.film(page, (3, 9), **settings, height_px=200)
    drawn = await careful.film(page, (3, 9), **settings, height_px=200)

    assert read.chunk.timings.strategy == BY_MEMORY
    assert drawn.chunk.timings.strategy == BY_SCREENSHOT
    assert read.chunk.frame_digests == drawn.chunk.frame_digests
    assert len(set(read.chunk.frame_digests)) > 1
    assert read.pictures == drawn.pictures


async def test_why_memory_is_not_read_is_told(careful: Crew) -> None:
    film = await careful.film("counter.html", (0, 1))

    assert film.chunk.timings.why == "Chromium's memory was not to be read"


async def test_frames_that_show_the_same_are_read_once_and_encoded_each(crew: Crew) -> None:
    film = await crew.film_html(STILL, (0, 20), **LOSSLESS)

    assert film.chunk.timings.repeated_frames == 16
    assert [len(set(film.pictures[start : start + 5])) for start in (0, 5, 10, 15)] == [1] * 4
    assert len(set(film.pictures)) == len(set(film.chunk.frame_digests)) == 4


async def test_a_picture_that_is_painted_again_is_a_repeat_as_well(crew: Crew) -> None:
    film = await crew.film_html(COVERED, (0, 20), **LOSSLESS)

    assert film.chunk.timings.repeated_frames == 19
    assert len(film.pictures) == 20
    assert len(set(film.pictures)) == len(set(film.chunk.frame_digests)) == 1


async def test_memory_is_read_from_a_file_where_the_call_is_refused(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = await crew.film("counter-css.html", (0, 4), **LOSSLESS)
    monkeypatch.setattr(memory, "_process_vm_readv", lambda: None)

    film = await crew.film("counter-css.html", (0, 4), **LOSSLESS)

    assert film.chunk.timings.strategy == BY_MEMORY
    assert film.chunk.frame_digests == usual.chunk.frame_digests


async def test_what_is_not_found_where_it_should_be_is_looked_for_everywhere(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.ProcessMemory, "filled_regions", lambda *_: iter(()))

    film = await crew.film("counter.html", (0, 4), **LOSSLESS)

    assert film.numbers == [0, 1, 2, 3]
    assert film.chunk.timings.strategy == BY_MEMORY


async def test_where_memory_may_not_be_read_chromium_is_asked_for_pictures(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(memory.ProcessMemory, "read_into", refuse)

    film = await crew.film("counter.html", (0, 4), **LOSSLESS)

    assert film.numbers == [0, 1, 2, 3]
    assert film.chunk.timings.strategy == BY_SCREENSHOT
    why = "Chromium's memory cannot be read: [Errno 13] Permission denied"
    assert film.chunk.timings.why == why


async def test_a_chunk_is_filmed_again_when_memory_turns_out_to_hold_something_else(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = await crew.film("counter-css.html", (0, 8), **LOSSLESS)
    read_into, reads = Framebuffer.read_into, list[int]()

    def spoil(self: Framebuffer, buffer: bytearray) -> None:
        read_into(self, buffer)
        reads.append(len(buffer))
        if len(reads) > 2:
            buffer[len(buffer) // 2] ^= 1

    monkeypatch.setattr(Framebuffer, "read_into", spoil)
    monkeypatch.setattr(readers, "_CHECKED_EVERY", 5)

    film = await crew.film("counter-css.html", (0, 8), **LOSSLESS)

    assert len(reads) == 5
    assert film.chunk.timings.strategy == BY_SCREENSHOT
    assert film.chunk.timings.why == "Chromium's memory holds another picture than it draws"
    assert any("filmed again, in a fresh page and by PNG files" in line for line in film.console)
    assert film.chunk.frame_digests == usual.chunk.frame_digests
    assert film.pictures == usual.pictures


async def test_no_page_shows_the_noise_that_was_looked_for(crew: Crew, tmp_path: Path) -> None:
    film = await crew.film_html("<style>html { background: none }</style>", (0, 2), **LOSSLESS)

    for luma, *_ in film.planes:
        assert int(luma.min()) == int(luma.max()) == 235

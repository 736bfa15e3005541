"""A job is wholly known, and found right, before anything starts."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from framefarm.preparation import OutputFiles, Place, PreparedJob, prepare
from framefarm.request import RenderOptions
from renderer.audio.tracks import Track
from renderer.bundle import manifest_of
from renderer.composition import BundleEntry, PageUrl
from renderer.errors import InvalidRequestError


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<p>")
    (folder / "style.css").write_text("p {}")
    return folder


async def prepared(
    source: Path | str,
    output: Path,
    place: Place | None = None,
    manifest: Path | None = None,
    **said: Any,
) -> PreparedJob:
    options = cast("RenderOptions", {"frames": 90} | said)
    files = OutputFiles(output=output, manifest=manifest)
    return await prepare(str(source), options, output=files, place=place or Place())


async def fields_refused(*given: Any, **said: Any) -> list[str]:
    with pytest.raises(InvalidRequestError) as refused:
        await prepared(*given, **said)
    return [violation.field for violation in refused.value.violations]


async def test_a_folder_is_named_by_the_digest_of_its_files(page: Path, tmp_path: Path) -> None:
    job = await prepared(page, tmp_path / "out.mp4")

    assert job.spec.composition == BundleEntry(manifest_of(page).digest, "index.html")
    assert [bundle.folder for bundle in job.bundles] == [page]


async def test_the_output_is_no_part_of_its_own_composition(page: Path) -> None:
    before = await prepared(page, page / "out.mp4")
    (page / "out.mp4").write_bytes(b"yesterday's video")
    after = await prepared(page, page / "out.mp4")

    assert after.spec.composition == before.spec.composition


async def test_the_manifest_is_no_part_of_the_composition_either(page: Path) -> None:
    manifest = page / "frames.jsonl"
    before = await prepared(page, page / "out.mp4", manifest=manifest)
    manifest.write_text("yesterday's frames")
    after = await prepared(page, page / "out.mp4", manifest=manifest)

    assert after.spec.composition == before.spec.composition


async def test_the_manifest_needs_a_folder_is_none_and_is_not_the_video(
    page: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"

    for manifest in (tmp_path / "gone" / "frames.jsonl", tmp_path, output):
        assert await fields_refused(page, output, manifest=manifest) == ["manifest"]


async def test_a_url_brings_no_files(tmp_path: Path) -> None:
    job = await prepared("http://example.test/", tmp_path / "out.mp4")

    assert job.spec.composition == PageUrl("http://example.test/")
    assert job.bundles == ()


async def test_each_sound_is_a_bundle_of_its_own_and_goes_up_once(
    page: Path, tmp_path: Path
) -> None:
    sounds = tmp_path / "private"
    sounds.mkdir()
    (sounds / "beep.wav").write_bytes(b"beep")
    (sounds / "diary.txt").write_text("nobody's business")
    beep = str(sounds / "beep.wav")

    again = Track(source=Path(beep), offset_s=1, loop=True, fade_out_s=0.5)
    job = await prepared(page, tmp_path / "out.mp4", audio=[beep, again], loudness=-14)

    first, second = job.spec.audio
    assert first.source == second.source
    assert [float(track.offset_s) for track in job.spec.audio] == [0.0, 1.0]
    assert (second.loop, second.fade_out_s, job.spec.loudness_lufs) == (True, Fraction(1, 2), -14)
    assert len(job.bundles) == 2
    (file,) = job.bundles[1].manifest.files
    assert (file.path, file.sha256) == ("beep.wav", hashlib.sha256(b"beep").hexdigest())


@pytest.mark.parametrize("name", ["out.avi", "out", "%05d.mp4", "out.mp4.txt"])
async def test_an_ending_that_no_container_has_is_refused(
    page: Path, tmp_path: Path, name: str
) -> None:
    assert await fields_refused(page, tmp_path / name) == ["output"]


async def test_the_output_needs_a_folder_and_is_none(page: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()

    assert await fields_refused(page, tmp_path / "gone" / "out.mp4") == ["output"]
    assert await fields_refused(page, tmp_path / "folder.mp4") == ["output"]


async def test_a_folder_that_may_not_be_written_to_is_told_before_the_render(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))

    assert await fields_refused(page, tmp_path / "out.mp4") == ["output"]


async def test_a_sound_that_is_not_there_is_named(page: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"

    assert await fields_refused(page, output, audio=[str(tmp_path / "gone.mp3")]) == ["audio"]
    assert await fields_refused(page, output, audio=[str(tmp_path)]) == ["audio"]


async def test_workers_are_at_least_one_and_not_for_a_farm(page: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"

    assert await fields_refused(page, output, Place(workers=0)) == ["workers"]
    assert await fields_refused(page, output, Place(farm="farm:1", workers=2)) == ["workers"]


async def test_a_chunk_length_that_cannot_be_is_named(page: Path, tmp_path: Path) -> None:
    assert await fields_refused(page, tmp_path / "out.mp4", chunk_frames=0) == ["chunk_frames"]


async def test_a_page_that_would_stay_out_of_its_bundle_is_refused(
    page: Path, tmp_path: Path
) -> None:
    (page / ".draft.html").write_text("<p>")
    (tmp_path / "elsewhere.html").write_text("<p>")
    (page / "link.html").symlink_to(tmp_path / "elsewhere.html")

    assert await fields_refused(page / ".draft.html", tmp_path / "out.mp4") == ["source"]
    assert await fields_refused(page / "link.html", tmp_path / "out.mp4") == ["source"]


async def test_what_is_wrong_everywhere_is_told_at_once(tmp_path: Path) -> None:
    found = await fields_refused(
        tmp_path / "gone.html", tmp_path / "out.avi", Place(workers=0), width_px=3
    )

    assert found == ["source", "workers", "output", "width_px"]


async def test_pictures_beside_the_page_are_no_part_of_it(page: Path) -> None:
    before = await prepared(page, page.parent / "%03d.png")
    (page.parent / "000.png").write_bytes(b"of an earlier render")

    after = await prepared(page, page.parent / "%03d.png")

    assert after.spec.composition == before.spec.composition

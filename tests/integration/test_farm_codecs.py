"""Files other than mp4 from a farm: real gRPC and ffmpeg, pictures without a browser."""

from __future__ import annotations

import hashlib
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from coordinator.job import JobSpec, JobState
from framefarm.client import FarmClient
from framefarm.errors import CallFailedError
from framefarm.fetching import fetch
from framefarm.preparation import OutputFiles, output_files
from renderer.encode.codec_facts import Codec, Container
from renderer.errors import InvalidRequestError
from renderer.frames import FrameRange
from tests.support.farm import running_coordinator, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.outputs import film, sound, still
from tests.support.picture_renderer import PictureRenderer
from tests.support.pictures import numbered_picture
from tests.support.tasks import a_bundle, a_spec


def spec_of(spec: JobSpec, codec: Codec, container: Container, **more: Any) -> JobSpec:
    given = {"codec": codec, "container": container, "preset": ""} | more
    return replace(spec, settings=replace(spec.settings, **given))


async def test_a_farm_makes_any_file_and_brings_it_under_a_name_that_fits(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        workers = [
            (await stack.enter_async_context(running_worker(PictureRenderer(), name=name))).address
            for name in ("a", "b")
        ]
        data = tmp_path / "data"
        data.mkdir()
        coordinator = await stack.enter_async_context(running_coordinator(workers, data))
        farm = await stack.enter_async_context(FarmClient(coordinator.address))
        page = a_bundle(coordinator.bundles, tmp_path / "page")
        spec = a_spec(7, chunk_frames=3, composition=page)

        async def made(output: str, codec: Codec, container: Container, **more: Any) -> Path:
            job = await farm.create(spec_of(spec, codec, container, **more))
            ended = await farm.wait(job.id)
            assert ended.state is JobState.SUCCEEDED, ended.error
            await fetch(farm, job.id, OutputFiles(output=tmp_path / output))
            return tmp_path / output

        mov = await made("a.mov", Codec.PRORES, Container.MOV)
        webm = await made("a.webm", Codec.VP8, Container.WEBM, bitrate_kbps=400)
        await made("%03d.png", Codec.PNG, Container.ZIP)
        with pytest.raises(InvalidRequestError, match=r"a\.mp4 is no name for the gif file"):
            await made("a.mp4", Codec.GIF, Container.GIF)

    assert decode_frame_numbers(mov) == decode_frame_numbers(webm) == list(range(7))
    names = [f"{number:03}.png" for number in range(7)]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == names
    for name in names:
        with Image.open(tmp_path / name) as image:
            assert image.size == (400, 64)
    assert not (tmp_path / "a.mp4").exists()
    kept = {path.suffix for path in (data / "outputs").iterdir()} - {".jsonl"}
    assert kept == {".gif", ".mov", ".webm", ".zip"}


MANY = (
    film("a.mp4"), still("x.png", 2), still("x.png", 5), film("a.gif"), sound("wav"),
    film("%d.jpg"),
)  # fmt: skip


async def test_a_farm_makes_many_files_of_one_capture_and_brings_those_that_names_fit_to(
    tmp_path: Path,
) -> None:
    renderer = PictureRenderer()
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(running_worker(renderer, slots=2))
        data = tmp_path / "data"
        data.mkdir()
        coordinator = await stack.enter_async_context(running_coordinator([worker.address], data))
        farm = await stack.enter_async_context(FarmClient(coordinator.address))
        page = a_bundle(coordinator.bundles, tmp_path / "page")
        spec = replace(a_spec(7, chunk_frames=3, composition=page), outputs=MANY)

        job = await farm.create(spec)
        with pytest.raises(CallFailedError, match="its video is there when it has succeeded"):
            await fetch(farm, job.id, output_files([tmp_path / "early.gif"]))
        ended = await farm.wait(job.id)
        names = ["2.png", "5.png", "film.mp4", "film.gif", "p-%02d.jpg"]
        fetched = await fetch(farm, job.id, output_files([tmp_path / name for name in names]))
        with pytest.raises(CallFailedError, match="has made no file '7.gif'"):
            await farm.download_file(job.id, "7.gif", tmp_path / "nothing")
        wrong = output_files([tmp_path / "new.gif", tmp_path / "new.webm"])
        with pytest.raises(InvalidRequestError, match="for the mp4 or png or gif or wav or zip"):
            await fetch(farm, job.id, wrong)

    assert ended.spec == spec
    assert sorted(renderer.rendered, key=lambda each: each.start) == [
        FrameRange(0, 3), FrameRange(3, 6), FrameRange(6, 7)
    ]  # fmt: skip
    assert decode_frame_numbers(tmp_path / "film.mp4") == list(range(7))
    assert decode_frame_numbers(tmp_path / "film.gif") == list(range(7))
    for number in (2, 5):
        with Image.open(tmp_path / f"{number}.png") as image:
            shown = image.convert("RGBA").tobytes("raw", "BGRA")
        assert shown == bytes(numbered_picture(number).pixels)
    assert [file.path.name for file in fetched.files] == names
    assert len(list(tmp_path.glob("p-0?.jpg"))) == 7
    for file in fetched.files[:-1]:
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert not list(tmp_path.glob("new.*"))
    assert not list(tmp_path.glob(".framefarm*"))


def test_one_picture_holds_one_frame() -> None:
    with pytest.raises(InvalidRequestError, match=r"too many for one png file.*%05d\.png"):
        spec_of(a_spec(2), Codec.PNG, Container.PNG)

"""Files other than mp4 from a farm: real gRPC and ffmpeg, pictures without a browser."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from coordinator.job import JobSpec, JobState
from framefarm.client import FarmClient
from framefarm.preparation import OutputFiles
from framefarm.rendering import fetch
from renderer.encode.codec_facts import Codec, Container
from renderer.errors import InvalidRequestError
from tests.support.farm import running_coordinator, running_worker
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.picture_renderer import PictureRenderer
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


def test_one_picture_holds_one_frame() -> None:
    with pytest.raises(InvalidRequestError, match=r"too many for one png file.*%05d\.png"):
        spec_of(a_spec(2), Codec.PNG, Container.PNG)

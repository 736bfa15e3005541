"""Calls to a worker by nothing but the generated stubs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from protos.framefarm.v1 import render_pb2, worker_pb2, worker_pb2_grpc
from worker.attempt import DETACH_S

from .farm import TestWorker, running_worker
from .picture_renderer import PictureRenderer


@asynccontextmanager
async def dialled(
    renderer: PictureRenderer, slots: int = 1, detach_s: float = DETACH_S
) -> AsyncGenerator[tuple[Any, grpc.aio.Channel, TestWorker]]:
    async with (
        running_worker(renderer, slots=slots, detach_s=detach_s) as worker,
        grpc.aio.insecure_channel(worker.address) as channel,
    ):
        yield stub_of(channel), channel, worker


def a_request(props: str = "{}", **changes: Any) -> worker_pb2.RenderChunkRequest:
    task = worker_pb2.ChunkTask(
        job_id="job",
        attempt=1,
        composition=render_pb2.Composition(url="http://127.0.0.1:1/"),
        frames=render_pb2.FrameRange(start=20, stop=30),
        settings=render_pb2.RenderSettings(
            width_px=400, height_px=64, preset="veryfast", props_json=props
        ),
    )
    for name, value in changes.items():
        field = getattr(task, name)
        if isinstance(value, int | str):
            setattr(task, name, value)
        else:
            field.CopyFrom(value)
    return worker_pb2.RenderChunkRequest(task=task)


def stub_of(channel: grpc.aio.Channel) -> Any:
    return worker_pb2_grpc.RenderWorkerStub(channel)


async def received(call: Any) -> list[worker_pb2.RenderChunkResponse]:
    return [response async for response in call]


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return info

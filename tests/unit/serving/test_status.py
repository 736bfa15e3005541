"""Rich errors, over a real call: what is written on one side is what is read on the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from serving.listening import ListenError
from serving.server import Service, open_server
from serving.status import RichStatus, read

METHOD = "/test.Service/Fail"
Handler = Callable[[bytes, Any], Any]


@asynccontextmanager
async def served(
    handler: Handler, status_of: Callable[[Exception], RichStatus | None] = lambda _: None
) -> AsyncGenerator[Any]:
    """A call to a server whose one method is `handler`."""
    methods: dict[str, Any] = {"Fail": grpc.unary_unary_rpc_method_handler(handler)}

    def add(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("test.Service", methods),)
        )

    service = Service(name="test.Service", add=add)
    async with (
        open_server("127.0.0.1:0", [service], status_of=status_of) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        yield channel.unary_unary(METHOD)


async def failure_of(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"", timeout=10)
    return caught.value


async def raising(_request: bytes, _context: Any) -> bytes:
    raise LookupError("the secret path /etc/shadow")


@pytest.mark.parametrize(
    "status",
    [
        RichStatus(code=grpc.StatusCode.NOT_FOUND, message="no job x", reason="JOB_NOT_FOUND"),
        RichStatus(
            code=grpc.StatusCode.FAILED_PRECONDITION,
            message="Error: größer als erlaubt",
            reason="PAGE_ERROR",
            detail="at page.js:1:1\nat page.js:2:2",
        ),
        RichStatus(
            code=grpc.StatusCode.INVALID_ARGUMENT,
            message="two fields",
            reason="INVALID_REQUEST",
            violations=(("width_px", "3 is odd"), ("crf", "99 is outside 0…51")),
        ),
    ],
)
async def test_a_status_is_read_as_it_was_written(status: RichStatus) -> None:
    async with served(raising, lambda _: status) as call:
        assert read(await failure_of(call)) == status


@pytest.mark.parametrize("length", [4_000, 9_000, 100_000])
async def test_long_texts_are_cut_so_that_the_status_survives(length: int) -> None:
    status = RichStatus(
        code=grpc.StatusCode.FAILED_PRECONDITION,
        message="m" * length,
        reason="PAGE_ERROR",
        detail="é" * length,
        violations=tuple(("field" * 50, "problem" * 100) for _ in range(100)),
    )
    async with served(raising, lambda _: status) as call:
        for _ in range(5):
            told = read(await failure_of(call))

            assert told.code is grpc.StatusCode.FAILED_PRECONDITION
            assert told.reason == "PAGE_ERROR"
            assert told.message.endswith("m…")
            assert told.detail.endswith("é…")
            assert len(told.violations) == 10


async def test_an_unknown_error_is_internal_and_keeps_its_words_to_itself() -> None:
    async with served(raising) as call:
        told = read(await failure_of(call))

    assert (told.code, told.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in told.message
    assert "incident" in told.message


async def test_a_handler_that_loses_its_cancellation_still_answers() -> None:
    async def lost(_request: bytes, _context: Any) -> bytes:
        raise asyncio.CancelledError

    async with served(lost) as call:
        told = read(await failure_of(call))

    assert told.code is grpc.StatusCode.INTERNAL


async def test_what_the_library_says_has_no_reason() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        told = read(await failure_of(channel.unary_unary(METHOD)))

    assert told.code is grpc.StatusCode.UNAVAILABLE
    assert told.reason == ""


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1", ":5", "127.0.0.1:http"])
async def test_what_is_no_address_is_refused_with_an_example(listen: str) -> None:
    with pytest.raises(ListenError, match=r"write it like 127\.0\.0\.1:50051"):
        async with open_server(listen, [], status_of=lambda _: None):
            pass


async def test_a_port_that_there_cannot_be_is_refused_and_no_other_one_taken() -> None:
    with pytest.raises(ListenError, match=r"127\.0\.0\.1:65536'?: ports go up to 65535"):
        async with open_server("127.0.0.1:65536", [], status_of=lambda _: None):
            pass


async def test_a_taken_port_is_refused_by_name() -> None:
    async with open_server("127.0.0.1:0", [], status_of=lambda _: None) as server:
        with pytest.raises(ListenError, match=server.address):
            async with open_server(server.address, [], status_of=lambda _: None):
                pass

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from renderer.cdp import CdpConnection, CdpError, connected
from renderer.errors import BrowserLostError, CompositionError, Fault, FrameStalledError


class Peer:
    """A browser's end of its pipe."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, text: str) -> None:
        await self.send_part(f"{text}\0")

    async def send_part(self, text: str) -> None:
        self._writer.write(text.encode())
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()


Answer = Callable[[Peer, dict[str, object]], Awaitable[None]]


@asynccontextmanager
async def a_browser(answer: Answer) -> AsyncGenerator[CdpConnection]:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)
    peer = Peer(writer)

    async def handle() -> None:
        with suppress(asyncio.IncompleteReadError):
            while text := await reader.readuntil(b"\0"):
                await answer(peer, json.loads(text[:-1]))

    handling = asyncio.create_task(handle())
    try:
        async with connected(ours) as connection:
            yield connection
    finally:
        await handling  # the end of the pipe ends it
        writer.close()


async def reply(peer: Peer, call: dict[str, object], **more: object) -> None:
    await peer.send(json.dumps({"id": call["id"], **more}))


async def echo(socket: Peer, call: dict[str, object]) -> None:
    await reply(socket, call, result={"sessionId": "s1", "got": call})


async def silence(_: Peer, __: dict[str, object]) -> None:
    """Hear, and never answer."""


async def test_a_call_returns_its_answer() -> None:
    async with a_browser(echo) as browser:
        answer = await browser.root.call("Browser.getVersion", {"a": 1})

    assert answer["got"]["method"] == "Browser.getVersion"
    assert answer["got"]["params"] == {"a": 1}


async def test_work_beside_ends_with_the_connection() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with a_browser(echo) as browser:
        browser.run_beside(work(), "work")
        await browser.root.call("Browser.getVersion")

    assert ended.is_set()


async def test_a_session_names_itself() -> None:
    async with a_browser(echo) as browser:
        session = await browser.attach("t1")

        answer = await session.call("Page.enable")

    assert answer["got"]["sessionId"] == "s1"


async def test_a_refused_call_tells_its_name() -> None:
    async def refuse(socket: Peer, call: dict[str, object]) -> None:
        await reply(socket, call, error={"code": -32601, "message": "wasn't found"})

    async with a_browser(refuse) as browser:
        with pytest.raises(CdpError, match="Nope.nope: wasn't found"):
            await browser.root.call("Nope.nope")


async def test_a_call_without_an_answer_is_stalled() -> None:
    async with a_browser(silence) as browser:
        with pytest.raises(FrameStalledError, match=r"Page.navigate within 0.05 s"):
            await browser.root.call("Page.navigate", timeout_s=0.05)


async def test_a_closed_socket_fails_calls_that_wait_and_calls_that_come() -> None:
    async def hang_up(socket: Peer, _: dict[str, object]) -> None:
        await socket.close()

    async with a_browser(hang_up) as browser:
        with pytest.raises(BrowserLostError):
            await browser.root.call("Browser.close")
        with pytest.raises(BrowserLostError):
            await browser.root.call("Browser.getVersion")


async def test_a_failed_session_fails_its_calls_with_the_first_failure() -> None:
    async with a_browser(silence) as browser:
        call = asyncio.ensure_future(browser.root.call("Runtime.evaluate"))
        await asyncio.sleep(0)

        browser.root.fail(CompositionError(Fault.PAGE_ERROR, "first"))
        browser.root.fail(CompositionError(Fault.PAGE_ERROR, "second"))

        with pytest.raises(CompositionError, match="first"):
            await call
        with pytest.raises(CompositionError, match="first"):
            await browser.root.call("Runtime.evaluate")


async def test_events_reach_the_handlers_of_their_session() -> None:
    async def tell(socket: Peer, call: dict[str, object]) -> None:
        for session in ("", "s1", "s2"):
            event = {"method": "Page.told", "params": {"to": session}}
            await socket.send(json.dumps(event | ({"sessionId": session} if session else {})))
        await echo(socket, call)

    heard: list[str] = []
    async with a_browser(tell) as browser:
        session = await browser.attach("t1")
        session.on("Page.told", lambda params: heard.append(params["to"]))

        await session.call("Page.enable")

    assert heard == ["s1"]


async def test_messages_are_whole_however_they_arrive() -> None:
    async def bit_by_bit(peer: Peer, call: dict[str, object]) -> None:
        event = json.dumps({"method": "Page.told", "params": {"text": "é" * 200_000}})
        answer = json.dumps({"id": call["id"], "result": {}})
        middle = len(event) // 2
        await peer.send_part(event[:middle])
        await peer.send(f"{event[middle:]}\0{answer}")

    heard: list[str] = []
    async with a_browser(bit_by_bit) as browser:
        browser.root.on("Page.told", lambda params: heard.append(params["text"]))

        await browser.root.call("Page.enable")

    assert heard == ["é" * 200_000]


async def test_a_session_that_comes_after_the_end_is_lost_too() -> None:
    async def hang_up(peer: Peer, _: dict[str, object]) -> None:
        await peer.close()

    async with a_browser(hang_up) as browser:
        with pytest.raises(BrowserLostError):
            await browser.root.call("Browser.close")

        with pytest.raises(BrowserLostError):
            await browser.adopt("late").call("Page.enable")


async def test_nobody_hears_of_a_page_that_is_gone() -> None:
    heard: list[str] = []

    async def tell(socket: Peer, call: dict[str, object]) -> None:
        await socket.send(json.dumps({"method": "Target.detachedFromTarget", "params": {}}))
        await echo(socket, call)

    async with a_browser(tell) as browser:
        browser.root.on("Target.detachedFromTarget", lambda _: heard.append("root"))
        session = await browser.attach("t1")
        assert heard == ["root"]

        browser.forget_targets()
        await browser.root.call("Browser.getVersion")

        with pytest.raises(BrowserLostError, match="the page was closed"):
            await session.call("Page.enable")
    assert heard == ["root"]

"""A small client for Chromium's DevTools protocol: calls with a time limit, events, sessions."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from .errors import BrowserLostError, FrameStalledError, RenderError

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Callable, Coroutine

    Params = dict[str, Any]
    OnEvent = Callable[[Params], None]
    OnMessage = Callable[[bytes], None]

CALL_TIMEOUT_S: Final = 30.0


class CdpError(RenderError):
    """Chromium refused a call: a fault of ours, or a browser of another kind."""


@asynccontextmanager
async def connected(ours: socket.socket) -> AsyncGenerator[CdpConnection]:
    """Talk for the length of the block to a browser that has the other end of a socket."""
    loop = asyncio.get_running_loop()
    transport, messages = await loop.create_connection(Messages, sock=ours)
    connection = CdpConnection(messages)
    try:
        yield connection
    finally:
        connection.lose("the connection was closed")
        transport.abort()  # a browser that was killed reads nothing any more
        await _ended(connection.beside)


async def _ended(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


class Messages(asyncio.Protocol):
    """Texts in both directions, each with a zero byte behind it."""

    def __init__(self) -> None:
        self.on_message: OnMessage = _ignore
        self.on_end: Callable[[], None] = _ignore
        self._transport: asyncio.WriteTransport | None = None
        self._begun: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def send(self, text: str) -> None:
        # Not awaited: each call waits for its answer, so what waits here is never much.
        assert self._transport is not None
        self._transport.write(text.encode() + b"\0")

    def data_received(self, data: bytes) -> None:
        *whole, rest = data.split(b"\0")
        if whole:
            whole[0] = b"".join((*self._begun, whole[0]))
            self._begun.clear()
        if rest:
            self._begun.append(rest)
        for text in whole:
            self.on_message(text)

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_end()


def _ignore(*_: object) -> None:
    pass


class CdpConnection:
    """The way to a browser; `root` and every attached target are sessions on it."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._messages.on_message = self._take
        self._messages.on_end = self._on_end
        self._lost: BrowserLostError | None = None
        self._ids = count(1)
        self._waiting: dict[int, tuple[CdpSession, asyncio.Future[Params]]] = {}
        self._sessions: dict[str, CdpSession] = {}
        self.beside = set[asyncio.Task[None]]()
        self.root = CdpSession(self, "")

    def _on_end(self) -> None:
        self.lose("Chromium closed the connection: it crashed or was killed")

    def lose(self, why: str) -> None:
        """Fail every call that waits and every one that comes."""
        self._lost = self._lost or BrowserLostError(why)
        for session in (self.root, *self._sessions.values()):
            session.fail(self._lost)

    async def attach(self, target_id: str) -> CdpSession:
        reply = await self.root.call(
            "Target.attachToTarget", {"targetId": target_id, "flatten": True}
        )
        return self.adopt(reply["sessionId"])

    def adopt(self, session_id: str) -> CdpSession:
        """Return the session that Chromium attached by itself."""
        session = CdpSession(self, session_id)
        self._sessions[session.id] = session
        return session

    def run_beside(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Answer an event with calls; they end with the connection at the latest."""
        task = asyncio.create_task(work, name=name)
        self.beside.add(task)
        task.add_done_callback(self.beside.discard)

    def forget(self, session: CdpSession) -> None:
        """The target is gone: what is still said of it is nobody's business."""
        self._sessions.pop(session.id, None)
        session.fail(BrowserLostError("the page was closed"))

    def forget_targets(self) -> None:
        """The page is gone, and its workers: what is still said of them is nobody's business."""
        for session in tuple(self._sessions.values()):
            self.forget(session)
        self.root.forget_handlers()

    async def send(self, session: CdpSession, method: str, params: Params) -> Params:
        """Send one call and wait for its answer, however long it takes."""
        call_id = next(self._ids)
        message: Params = {"id": call_id, "method": method, "params": params}
        if session.id:
            message["sessionId"] = session.id
        if self._lost is not None:
            raise self._lost
        answer = session.expect()
        self._waiting[call_id] = (session, answer)
        try:
            self._messages.send(json.dumps(message))
            return await answer
        finally:
            self._waiting.pop(call_id, None)
            session.forget(answer)

    def _take(self, text: bytes) -> None:
        message: Params = json.loads(text)
        if "id" not in message:
            session_id = message.get("sessionId", "")
            session = self._sessions.get(session_id) if session_id else self.root
            if session is not None:
                session.take(message["method"], message.get("params", {}))
            return
        _, answer = self._waiting.get(message["id"], (None, None))
        if answer is not None and not answer.done():
            _settle(answer, message)


def _settle(answer: asyncio.Future[Params], message: Params) -> None:
    if "error" in message:
        error = message["error"]
        answer.set_exception(CdpError(f"{error.get('message')} {error.get('data', '')}".strip()))
    else:
        answer.set_result(message.get("result", {}))


class CdpSession:
    """Calls to, and events from, the browser or one target.

    Once it has failed (`fail`), every waiting and every later call raises the first failure.
    """

    def __init__(self, connection: CdpConnection, session_id: str) -> None:
        self.id = session_id
        self._connection = connection
        self._handlers: dict[str, list[OnEvent]] = {}
        self._expected: set[asyncio.Future[Params]] = set()
        self._failure: RenderError | None = None

    @property
    def has_failed(self) -> bool:
        return self._failure is not None

    async def call(
        self, method: str, params: Params | None = None, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> Params:
        """Call a method.

        Raises:
            CdpError: Chromium refused.
            FrameStalledError: no answer in `timeout_s`.
            RenderError: what the session failed with.

        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._connection.send(self, method, params or {})
        except TimeoutError as error:
            raise FrameStalledError(
                f"Chromium did not answer {method} within {timeout_s:g} s"
            ) from error
        except CdpError as error:
            raise CdpError(f"{method}: {error}") from error

    def on(self, event: str, handler: OnEvent) -> None:
        self._handlers.setdefault(event, []).append(handler)

    def forget_handlers(self) -> None:
        self._handlers.clear()

    def expect(self) -> asyncio.Future[Params]:
        """Return a future that fails with the session; hand it back with `forget`."""
        if self._failure is not None:
            raise self._failure
        future = asyncio.get_running_loop().create_future()
        self._expected.add(future)
        return future

    def forget(self, future: asyncio.Future[Params]) -> None:
        self._expected.discard(future)
        if future.done() and not future.cancelled():
            future.exception()  # nobody waits for it any more: its failure was told elsewhere

    def fail(self, failure: RenderError) -> None:
        self._failure = self._failure or failure
        for future in self._expected:
            if not future.done():
                future.set_exception(self._failure)

    def take(self, event: str, params: Params) -> None:
        for handler in tuple(self._handlers.get(event, ())):
            handler(params)

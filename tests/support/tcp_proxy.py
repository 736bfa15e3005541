"""A way through TCP that can be cut, like a cable, and can lose what is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from .eventually import eventually

_BYTES = 1 << 16


class TcpProxy:
    """Forwards connections to an address until it is cut; `mend` lets new ones through."""

    def __init__(self, target: str) -> None:
        self.address = ""
        self._host, _, self._port = target.rpartition(":")
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._fatal = b""
        self._stays_cut = False
        self.delay_s = 0.0  # of everything that goes through

    @property
    def is_in_use(self) -> bool:
        return bool(self._writers)

    def cut(self) -> None:
        """Break all connections with a reset, and refuse new ones."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    def hold(self) -> None:
        """Let nothing through, and break nothing: the other side seems to be asleep."""
        self._flows.clear()

    def release(self) -> None:
        self._flows.set()

    def lose_answer_to(self, request: bytes, *, stay_cut: bool = False) -> None:
        """Deliver the next request with these bytes, and break the connection when it answers."""
        self._fatal = request
        self._stays_cut = stay_cut

    @property
    def has_lost(self) -> bool:
        """Whether such a request has come."""
        return not self._fatal

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        except OSError:  # nobody is there
            writer.transport.abort()
            return
        if self._is_cut:  # meanwhile
            writer.transport.abort()
            far_writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as group:
                fatal = asyncio.Event()
                group.create_task(self._ask(reader, far_writer, fatal))
                group.create_task(self._answer(far_reader, writer, fatal))
        finally:
            self._writers -= {writer, far_writer}

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fatal: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_BYTES):
                if self._fatal and self._fatal in data:
                    self._fatal = b""
                    fatal.set()
                await self._pass(data, writer)
        writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fatal: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_BYTES):
                if fatal.is_set():
                    self._is_cut = self._stays_cut
                    writer.transport.abort()
                    return
                await self._pass(data, writer)
        writer.close()

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def tcp_proxy(target: str) -> AsyncGenerator[TcpProxy]:
    """A proxy before HOST:PORT, at an address of its own."""
    proxy = TcpProxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy.address = f"{host}:{port}"
    try:
        yield proxy
    finally:
        server.close()
        proxy.release()
        proxy.cut()
        await eventually(lambda: not proxy.is_in_use)
        await server.wait_closed()

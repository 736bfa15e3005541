"""One worker or worklet of a page: given the page's clock before its own script, then asked."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from .cdp import CALL_TIMEOUT_S, CdpError
from .chance import chance_script
from .errors import FrameStalledError
from .page import page_error
from .surroundings import MEMORY_GIB, PROCESSORS

if TYPE_CHECKING:
    from .cdp import CdpSession
    from .settings import RenderSettings

    Params = dict[str, Any]

PAGE: Final = "page"
UP: Final = "up"  # whom a worker tells something: its maker, another one by its place, or
ANYBODY: Final = "?"  # who is at the other end of a port
BELL: Final = "framefarmBell"  # taken from each document and worker before its own scripts run
_HELLO: Final = "framefarm: your script has run"
_TASKS: Final = "globalThis[Symbol.for('framefarm.tasks')]"
_DEDICATED: Final = "worker"
SHARED: Final = "shared_worker"
_SERVICE: Final = "service_worker"
_WORKLET: Final = "worklet"
PAGE_KINDS: Final = (_DEDICATED, _SERVICE, _WORKLET)  # what the page's own session attaches
BROWSER_KINDS: Final = (SHARED,)
_RESUME: Final = "Runtime.runIfWaitingForDebugger"
_NAME: Final = re.compile(r"framefarm (?P<place>\S+) ")

# A script that does not end may wait for time itself, which stands still: then it waits on.
_PATIENCE_S: Final = 0.5
_POLL_S: Final = 0.002


class WorkerStalledError(FrameStalledError):
    """A worker of the page does not come to rest."""


def messages_script() -> str:
    """Return the script to run in every document after the clock's and chance's."""
    options = {"bell": BELL, "hello": _HELLO, "isWorker": False, "isDedicated": False}
    return _called("messages.js", options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker has done: whom it told something, and whether it awaits frames."""

    told: frozenset[str] = frozenset()
    has_frames: bool = False
    is_started: bool = True
    is_closed: bool = False


class PageWorker:
    """A worker, as its own session tells of it."""

    def __init__(self, cdp: CdpSession, target: Params, *, is_nested: bool) -> None:
        self.cdp = cdp
        self.kind: str = target["type"]
        self.url: str = target["url"]
        named = _NAME.match(target.get("title", ""))
        self.place = named["place"] if named else f"{self.kind} {self.url}"
        self.is_announced = named is not None or self.kind == SHARED
        self.maker = self.place.rpartition(".")[0] if is_nested else PAGE
        self.is_welcome = False
        self.is_gone = False
        self.has_frames = False
        self._is_excused = False
        self._open = dict[str, str]()
        cdp.on("Network.requestWillBeSent", self._on_sent)
        cdp.on("Network.responseReceived", self._on_answered)
        cdp.on("Network.loadingFinished", self._on_ended)
        cdp.on("Network.loadingFailed", self._on_ended)

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.url}"

    async def welcome(self, settings: RenderSettings, now_ms: float | None) -> None:
        """Give it our clock, and let it begin.

        A worker has not all of its own functions before its first script is about to run; a worklet
        has, and knows no break points.
        """
        script = _script(self, settings, now_ms)
        if self.kind == _WORKLET:
            await self._run(script)
            await self.cdp.call(_RESUME)
            return
        stopped = self.cdp.expect()

        def on_paused(params: Params) -> None:
            if not stopped.done():
                stopped.set_result(params)

        self.cdp.on("Debugger.paused", on_paused)
        try:
            async with asyncio.TaskGroup() as group:  # a service worker answers only at the end
                for method, params in self._preparations(settings):
                    group.create_task(self.cdp.call(method, params))
            await stopped
        finally:
            self.cdp.forget(stopped)
        await self._run(script)
        await self.cdp.call("Debugger.disable")

    def _preparations(self, settings: RenderSettings) -> list[tuple[str, Params]]:
        first_script = {"instrumentation": "beforeScriptExecution"}
        own = [
            ("Runtime.addBinding", {"name": BELL}),
            ("Network.enable", {}),
            ("Network.setExtraHTTPHeaders", {"headers": _headers(settings)}),
            ("Target.setAutoAttach", auto_attach(PAGE_KINDS)),
        ]
        return [
            ("Debugger.enable", {}),
            ("Debugger.setInstrumentationBreakpoint", first_script),
            *(own if self.kind != _SERVICE else ()),
            (_RESUME, {}),
        ]

    async def reach(self, ms: float, *, is_loading: bool, timeout_s: float) -> Report:
        """Let what is due by then run; it is then that time."""
        return await self._report(f"reach({ms!r}, {json.dumps(is_loading)})", timeout_s)

    async def calm(self, *, timeout_s: float) -> Report:
        """Let all run that needs no time, its own script first."""
        return await self._report("calm()", timeout_s)

    async def draw(self, *, timeout_s: float) -> Report:
        """Call what waits for the frame."""
        return await self._report("draw()", timeout_s)

    def hand_on(self, target_id: str) -> None:
        """Its own worker has come: that its script has, nobody tells here."""
        self._open.pop(target_id, None)

    def leave(self) -> None:
        self.is_gone = True
        self.cdp.fail(CdpError(f"{self} has ended"))

    async def _report(self, call: str, timeout_s: float) -> Report:
        """Ask until its script has run and no request of its is open."""
        try:
            async with asyncio.timeout(timeout_s):
                report = await self._ask(call, timeout_s)
                told = report.told
                excused_s = asyncio.get_running_loop().time() + _PATIENCE_S
                while self._is_at_work(report, excused_s):
                    await asyncio.sleep(_POLL_S)
                    report = await self._ask("calm()", timeout_s)
                    told |= report.told
        except (TimeoutError, FrameStalledError) as error:
            urls = list(self._open.values())
            cause = f"a request does not end: {urls[0]}" if urls else "its scripts do not end"
            raise WorkerStalledError(
                f"the page's {self} did not come to rest within {timeout_s:g} s; {cause}"
            ) from error
        self.has_frames = report.has_frames
        self.is_gone |= report.is_closed
        return replace(report, told=told)

    def _is_at_work(self, report: Report, excused_s: float) -> bool:
        if self.is_gone or report.is_started or self._is_excused:
            return bool(self._open) and not self.is_gone
        self._is_excused = not self._open and asyncio.get_running_loop().time() > excused_s
        return not self._is_excused

    async def _ask(self, call: str, timeout_s: float) -> Report:
        try:
            told = await self._run(
                f"{_TASKS}.{call}", awaitPromise=True, returnByValue=True, timeout_s=timeout_s
            )
        except CdpError:
            if self.is_gone:
                return Report()
            raise
        return Report(
            told=frozenset(told["told"]),
            has_frames=told["hasFrames"],
            is_started=told["isStarted"],
            is_closed=told["isClosed"],
        )

    async def _run(self, script: str, *, timeout_s: float = CALL_TIMEOUT_S, **how: bool) -> Any:
        reply = await self.cdp.call(
            "Runtime.evaluate", {"expression": script, **how}, timeout_s=timeout_s
        )
        if details := reply.get("exceptionDetails"):
            raise page_error(details)
        return reply["result"].get("value")

    def _on_sent(self, params: Params) -> None:
        self._open[params["requestId"]] = params["request"]["url"]

    def _on_answered(self, params: Params) -> None:
        if params["type"] == "Fetch":  # it ends when the worker reads it, which it need not do
            self._on_ended(params)

    def _on_ended(self, params: Params) -> None:
        self._open.pop(params["requestId"], None)


def _headers(settings: RenderSettings) -> dict[str, str]:
    """What goes with a worker's requests; a page's own language is sent by Chromium."""
    given = dict(settings.headers)
    has_language = any(name.lower() == "accept-language" for name in given)
    return given if has_language else {"Accept-Language": settings.locale, **given}


def auto_attach(kinds: tuple[str, ...]) -> Params:
    """Ask for targets of these kinds alone, each stopped before its first script."""
    return {
        "autoAttach": True,
        "waitForDebuggerOnStart": True,
        "flatten": True,
        "filter": [*({"type": kind} for kind in kinds), {"exclude": True}],
    }


def _script(worker: PageWorker, settings: RenderSettings, now_ms: float | None) -> str:
    """What runs in a worker before its own script."""
    clock = {
        "epochMs": settings.epoch_ms,
        "nowMs": now_ms,
        "hello": _HELLO,
        "awaitsHello": worker.kind == _DEDICATED,
        "awaitsConnection": worker.kind == SHARED,
        "processors": PROCESSORS,
        "memoryGib": MEMORY_GIB,
        "locale": settings.locale,
    }
    messages = {
        "bell": BELL,
        "hello": _HELLO,
        "isWorker": True,
        "isDedicated": worker.kind == _DEDICATED,
    }
    return ";\n".join(
        (
            _called("worker_clock.js", clock),
            chance_script(settings, tuple(worker.place.split("."))),
            f"({_source('worker_tasks.js', '() =>')})()",
            _called("messages.js", messages),
            "0",
        )
    )


def _called(file: str, options: Params) -> str:
    return f"({_source(file)})({json.dumps(options)})"


@cache
def _source(file: str, head: str = "(options)") -> str:
    text = files("renderer").joinpath(file).read_text(encoding="utf-8")
    return text[text.index(head) :].rstrip()

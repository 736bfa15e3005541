"""LocalExecutor: the default. Renders here, by wrapping the renderer."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Protocol

from renderer.errors import (
    BrowserLostError,
    BundleMissingError,
    CompositionError,
    DrawingSilentError,
    EncoderError,
    FrameStalledError,
    InvalidRequestError,
    MissingToolError,
    RenderError,
)
from renderer.keeping import WarmLimits
from renderer.renderer import RenderedChunk, open_renderer
from renderer.tasks import beside
from renderer.tools import find_tools

from .base import AttemptStarted, ChunkEvent, ChunkResult, ChunkTask, Filmed, OnProgress, WarmPage
from .discovery import FixedWorkers
from .errors import (
    BundleAbsentError,
    ChunkStalledError,
    CompositionFailedError,
    ExecutorError,
    RenderCrashedError,
    TaskRefusedError,
    WorkerUnfitError,
)
from .fleet import open_fleet
from .fleet_executor import FleetExecutor
from .local_slots import LocalSlots
from .local_worker import LocalWorker
from .status import BUNDLE_MISSING, INVALID_REQUEST, MISSING_TOOL
from .storage import storing
from .worker_port import WorkerReport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from renderer.composition import Composition
    from renderer.events import OnRenderEvent
    from renderer.frames import FrameRange
    from renderer.history import ProbeResult
    from renderer.keeping import KeptPage
    from renderer.settings import RenderSettings

    from .plugins import ExecutorContext


class ChunkRenderer(Protocol):
    """What this executor needs of the renderer."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def warm_pages(self) -> tuple[KeptPage, ...]: ...

    async def end_series(self, series: str) -> None: ...

    async def render(  # noqa: PLR0913  # the renderer's
        self,
        composition: Composition,
        frames: FrameRange,
        *,
        settings: RenderSettings,
        output: Path,
        on_event: OnRenderEvent,
        has_successor: bool = False,
        paints_all: bool = False,
        series: str = "",
    ) -> RenderedChunk: ...

    async def probe(
        self,
        composition: Composition,
        frames: FrameRange,
        *,
        settings: RenderSettings,
        on_event: OnRenderEvent,
    ) -> ProbeResult: ...


class LocalExecutor:
    """Renders chunks with the renderer of this process, `slots` of them at once.

    One that is filmed has no slot any more: its encoder ends beside the next one.
    """

    def __init__(self, renderer: ChunkRenderer, *, slots: int = 1, name: str = "") -> None:
        self._renderer = renderer
        self._slots = LocalSlots(slots)
        self._name = name or socket.gethostname()

    async def render(
        self, task: ChunkTask, output: Path, *, on_progress: OnProgress
    ) -> ChunkResult:
        async with self._slots.lease() as slot:

            def hear(event: ChunkEvent) -> None:
                if isinstance(event, Filmed):
                    slot.free()
                on_progress(event)

            on_progress(AttemptStarted(self._name, task.attempt))
            try:
                with storing(output.parent):
                    chunk = await self._renderer.render(
                        task.composition,
                        task.frames,
                        settings=task.settings,
                        output=output,
                        on_event=hear,
                        has_successor=task.has_successor,
                        paints_all=task.paints_all,
                        series=task.job_id,
                    )
            except RenderError as error:
                raise _translated(error, task) from error
        return ChunkResult(
            index=task.index,
            frames=chunk.frames,
            width_px=chunk.width_px,
            height_px=chunk.height_px,
            size_bytes=chunk.size_bytes,
            sha256=chunk.sha256,
            fingerprint=self._renderer.fingerprint,
            worker=self._name,
            seconds=chunk.seconds,
            warnings=chunk.warnings,
            attempt=task.attempt,
            frame_digests=chunk.frame_digests,
            next_frame_digest=chunk.next_frame_digest,
            sounds=chunk.sounds,
            edges=chunk.edges,
            strategy=chunk.timings.told_strategy,
        )

    @property
    def warm_pages(self) -> tuple[WarmPage, ...]:
        pages = self._renderer.warm_pages
        return tuple(WarmPage(page.key.series, page.from_frame) for page in pages)

    async def end_job(self, job_id: str) -> None:
        await self._renderer.end_series(job_id)

    async def probe(self, task: ChunkTask) -> ProbeResult:
        async with self._slots.lease():
            try:
                return await self._renderer.probe(
                    task.composition,
                    task.frames,
                    settings=task.settings,
                    on_event=lambda _: None,
                )
            except RenderError as error:
                raise _translated(error, task) from error


@asynccontextmanager
async def open_local_executor(context: ExecutorContext) -> AsyncGenerator[FleetExecutor]:
    """Open an executor with a renderer of its own, a browser for each slot, and second tries.

    Raises:
        MissingToolError: this machine cannot render; the message says what to install.

    """
    tools = find_tools(context.environment)
    limits = WarmLimits(browsers=context.slots)
    name = socket.gethostname()
    async with (
        open_renderer(context.bundles, tools, limits=limits) as renderer,
        beside(renderer.start_browsers()),
    ):
        local = LocalExecutor(renderer, slots=context.slots, name=name)
        report = WorkerReport(
            name=name,
            version=version("framefarm"),
            fingerprint=renderer.fingerprint,
            slots=context.slots,
            free_slots=context.slots,
        )
        opening = open_fleet(
            FixedWorkers(frozenset({name})),
            lambda _: LocalWorker(local, report),
            worker_wait_s=context.worker_wait_s,
            user_slots=context.user_slots,
        )
        async with opening as fleet:
            yield FleetExecutor(fleet)


_KINDS: Final[dict[type[RenderError], tuple[type[ExecutorError], str]]] = {
    InvalidRequestError: (TaskRefusedError, INVALID_REQUEST),
    BundleMissingError: (BundleAbsentError, BUNDLE_MISSING),
    BrowserLostError: (RenderCrashedError, "BROWSER_LOST"),
    FrameStalledError: (ChunkStalledError, "FRAME_STALLED"),
    DrawingSilentError: (ChunkStalledError, "FRAME_STALLED"),
    EncoderError: (RenderCrashedError, "ENCODER"),
    MissingToolError: (WorkerUnfitError, MISSING_TOOL),
}


def _translated(error: RenderError, task: ChunkTask) -> ExecutorError:
    if isinstance(error, CompositionError):  # in the page's own words
        return CompositionFailedError(str(error), reason=error.fault, detail=error.detail)
    kind, reason = _KINDS.get(type(error), (RenderCrashedError, "RENDERER"))
    return kind(f"chunk {task.index} {task.frames}: {error}", reason=reason)

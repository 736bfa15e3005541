"""Render web pages to video, frame by frame and exactly, here or on a farm of gRPC workers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from coordinator.job import (
        AudioTrack,
        ChunkMoved,
        HistoryFound,
        Job,
        JobEvent,
        JobHeld,
        JobSpec,
        JobState,
        PageLogged,
        ProgressMade,
        StateChanged,
    )
    from coordinator.orchestrator import RenderOrchestrator
    from executors.base import (
        AttemptLost,
        AttemptStarted,
        ChunkEvent,
        ChunkResult,
        ChunkTask,
        Filmed,
        FramesDone,
        OnProgress,
        PageLog,
        RenderExecutor,
    )
    from executors.errors import ExecutorError
    from executors.grpc import GrpcExecutor
    from executors.local import LocalExecutor
    from framefarm.client import FarmClient
    from framefarm.contact_sheet import RenderedSheet, sheet
    from framefarm.errors import (
        CallFailedError,
        DownloadDamagedError,
        FarmError,
        FarmUnreachableError,
        JobCancelledError,
        JobFailedError,
        NoSuchJobError,
        RequestRefusedError,
        ServiceNotStartedError,
    )
    from framefarm.farm_status import FarmHold, FarmState, FarmStatus
    from framefarm.rendering import RenderedVideo, render
    from renderer.audio.tracks import Track
    from renderer.bundle import BundleStore
    from renderer.composition import BundleEntry, PageUrl
    from renderer.errors import InvalidRequestError, Violation
    from renderer.frames import FrameRange, FrameRate
    from renderer.settings import RenderSettings
    from renderer.subtitles.tracks import SubtitleTrack

__all__ = [
    "AttemptLost",
    "AttemptStarted",
    "AudioTrack",
    "BundleEntry",
    "BundleStore",
    "CallFailedError",
    "ChunkEvent",
    "ChunkMoved",
    "ChunkResult",
    "ChunkTask",
    "DownloadDamagedError",
    "ExecutorError",
    "FarmClient",
    "FarmError",
    "FarmHold",
    "FarmState",
    "FarmStatus",
    "FarmUnreachableError",
    "Filmed",
    "FrameRange",
    "FrameRate",
    "FramesDone",
    "GrpcExecutor",
    "HistoryFound",
    "InvalidRequestError",
    "Job",
    "JobCancelledError",
    "JobEvent",
    "JobFailedError",
    "JobHeld",
    "JobSpec",
    "JobState",
    "LocalExecutor",
    "NoSuchJobError",
    "OnProgress",
    "PageLog",
    "PageLogged",
    "PageUrl",
    "ProgressMade",
    "RenderExecutor",
    "RenderOrchestrator",
    "RenderSettings",
    "RenderedSheet",
    "RenderedVideo",
    "RequestRefusedError",
    "ServiceNotStartedError",
    "StateChanged",
    "SubtitleTrack",
    "Track",
    "Violation",
    "render",
    "sheet",
]

# Where each name lives. A name is fetched when it is first asked for, so that whoever writes an
# executor does not import gRPC, and whoever uses a client does not import a browser's driver.
_HOMES: Final = {
    "coordinator.job": (
        "AudioTrack",
        "ChunkMoved",
        "Job",
        "JobEvent",
        "JobHeld",
        "JobSpec",
        "JobState",
        "HistoryFound",
        "PageLogged",
        "ProgressMade",
        "StateChanged",
    ),
    "coordinator.orchestrator": ("RenderOrchestrator",),
    "executors.base": (
        "AttemptLost",
        "AttemptStarted",
        "ChunkEvent",
        "ChunkResult",
        "ChunkTask",
        "Filmed",
        "FramesDone",
        "OnProgress",
        "PageLog",
        "RenderExecutor",
    ),
    "executors.errors": ("ExecutorError",),
    "executors.grpc": ("GrpcExecutor",),
    "executors.local": ("LocalExecutor",),
    "framefarm.client": ("FarmClient",),
    "framefarm.contact_sheet": ("RenderedSheet", "sheet"),
    "framefarm.errors": (
        "CallFailedError",
        "DownloadDamagedError",
        "FarmError",
        "FarmUnreachableError",
        "JobCancelledError",
        "JobFailedError",
        "NoSuchJobError",
        "RequestRefusedError",
        "ServiceNotStartedError",
    ),
    "framefarm.farm_status": ("FarmHold", "FarmState", "FarmStatus"),
    "framefarm.rendering": ("RenderedVideo", "render"),
    "renderer.audio.tracks": ("Track",),
    "renderer.subtitles.tracks": ("SubtitleTrack",),
    "renderer.bundle": ("BundleStore",),
    "renderer.composition": ("BundleEntry", "PageUrl"),
    "renderer.errors": ("InvalidRequestError", "Violation"),
    "renderer.frames": ("FrameRange", "FrameRate"),
    "renderer.settings": ("RenderSettings",),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'framefarm' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

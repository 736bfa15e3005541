"""Values of the seam ↔ their protobuf messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from protos.framefarm.v1 import render_pb2, worker_pb2
from renderer.bundle import BundleFile, BundleManifest
from renderer.composition import BundleEntry, Composition, PageUrl
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRange
from renderer.picture import DIGEST_BYTES

from .base import ChunkResult, ChunkTask, WarmPage
from .durations import from_seconds, to_seconds
from .settings_wire import from_settings, to_settings
from .worker_port import ReportedAttempt, Token, WorkerReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .base import Edges

_DIGESTS_A_MESSAGE: Final = (1 << 20) // DIGEST_BYTES
_EDGE_BYTES: Final = 1 << 20


def from_task(task: ChunkTask) -> worker_pb2.ChunkTask:
    return worker_pb2.ChunkTask(
        job_id=task.job_id,
        index=task.index,
        attempt=task.attempt,
        composition=from_composition(task.composition),
        frames=from_frames(task.frames),
        settings=from_settings(task.settings),
        has_successor=task.has_successor,
        paints_all=task.paints_all,
        term=task.term,
        upload_url=task.upload_url,
    )


def to_task(message: worker_pb2.ChunkTask) -> ChunkTask:
    frames = to_frames(message.frames)
    if len(frames) == 0:
        raise InvalidRequestError([Violation("frames", f"{frames} holds no frame")])
    return ChunkTask(
        job_id=message.job_id,
        index=message.index,
        attempt=max(1, message.attempt),
        composition=to_composition(message.composition),
        frames=frames,
        settings=to_settings(message.settings),
        has_successor=message.has_successor,
        paints_all=message.paints_all,
        term=message.term,
        upload_url=message.upload_url,
    )


def from_result(result: ChunkResult) -> worker_pb2.Completed:
    return worker_pb2.Completed(
        frames=result.frames,
        width_px=result.width_px,
        height_px=result.height_px,
        size_bytes=result.size_bytes,
        sha256=result.sha256,
        fingerprint=result.fingerprint,
        render_time=from_seconds(result.seconds),
        warnings=result.warnings,
        next_frame_digest=bytes.fromhex(result.next_frame_digest),
        uploaded=bool(result.artifact),
        strategy=result.strategy,
    )


def to_result(
    message: worker_pb2.Completed, *, task: ChunkTask, worker: str, digests: bytes
) -> ChunkResult:
    return ChunkResult(
        index=task.index,
        frames=message.frames,
        width_px=message.width_px,
        height_px=message.height_px,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        fingerprint=message.fingerprint,
        worker=worker,
        seconds=float(to_seconds(message.render_time)),
        warnings=tuple(message.warnings),
        attempt=task.attempt,
        frame_digests=_to_digests(digests),
        next_frame_digest=message.next_frame_digest.hex(),
        strategy=message.strategy,
    )


def from_digests(digests: Sequence[str]) -> Iterator[worker_pb2.FrameDigests]:
    """Digests of frames, in as many messages as they need."""
    for start in range(0, len(digests), _DIGESTS_A_MESSAGE):
        part = "".join(digests[start : start + _DIGESTS_A_MESSAGE])
        yield worker_pb2.FrameDigests(xxh3_128=bytes.fromhex(part))


def from_edges(edges: Edges) -> Iterator[worker_pb2.EdgePart]:
    """Pictures of a chunk's edges, in as many messages as they need."""
    for is_following, file in ((False, edges.first), (True, edges.following)):
        for start in range(0, len(file), _EDGE_BYTES):
            data = file[start : start + _EDGE_BYTES]
            yield worker_pb2.EdgePart(is_following=is_following, data=data)


def _to_digests(joined: bytes) -> tuple[str, ...]:
    starts = range(0, len(joined), DIGEST_BYTES)
    return tuple(joined[start : start + DIGEST_BYTES].hex() for start in starts)


def from_composition(composition: Composition) -> render_pb2.Composition:
    if isinstance(composition, PageUrl):
        return render_pb2.Composition(url=composition.url)
    return render_pb2.Composition(bundle=from_entry(composition))


def to_composition(message: render_pb2.Composition) -> Composition:
    match message.WhichOneof("source"):
        case "url":
            return PageUrl(message.url)
        case "bundle":
            return to_entry(message.bundle)
        case _:
            raise InvalidRequestError(
                [Violation("composition", "neither a URL nor a bundle was given")]
            )


def from_entry(entry: BundleEntry) -> render_pb2.BundleEntry:
    return render_pb2.BundleEntry(digest=entry.digest, entry=entry.entry)


def to_entry(message: render_pb2.BundleEntry) -> BundleEntry:
    return BundleEntry(message.digest, message.entry or "index.html")


def from_frames(frames: FrameRange) -> render_pb2.FrameRange:
    return render_pb2.FrameRange(start=frames.start, stop=frames.stop)


def to_frames(message: render_pb2.FrameRange) -> FrameRange:
    try:
        return FrameRange(message.start, message.stop)
    except ValueError as error:
        raise InvalidRequestError([Violation("frames", str(error))]) from error


def from_manifest(manifest: BundleManifest) -> render_pb2.BundleManifest:
    return render_pb2.BundleManifest(
        files=[
            render_pb2.BundleFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in manifest.files
        ]
    )


def to_manifest(message: render_pb2.BundleManifest) -> BundleManifest:
    return BundleManifest(
        tuple(BundleFile(file.path, file.size_bytes, file.sha256) for file in message.files)
    )


def to_worker_report(message: worker_pb2.GetWorkerResponse) -> WorkerReport:
    return WorkerReport(
        name=message.name,
        version=message.version,
        fingerprint=message.fingerprint,
        slots=message.slots,
        free_slots=message.free_slots,
        is_draining=message.draining,
        attempts=tuple(_to_attempt(attempt) for attempt in message.attempts),
        warm_pages=tuple(WarmPage(page.job_id, page.from_frame) for page in message.warm_pages),
        instance=message.instance,
    )


def _to_attempt(message: worker_pb2.RunningAttempt) -> ReportedAttempt:
    return ReportedAttempt(
        job_id=message.job_id,
        index=message.chunk_index,
        token=Token(message.term, message.attempt),
        frames=message.frames,
        is_finished=message.finished,
        is_filmed=message.filmed,
    )

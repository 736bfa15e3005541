"""What a page let be heard ↔ protobuf messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from protos.framefarm.v1 import worker_pb2 as pb
from renderer.audio.passages import Passage, SoundReport, SoundSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A caller takes messages of 4 MiB.
_MESSAGE_BYTES: Final = 1 << 20


def from_report(report: SoundReport) -> Iterator[pb.Sounds]:
    """A report, in as many messages as it needs, and one at least."""
    sources = [_from_source(each) for each in report.sources]
    message = pb.Sounds(sources=sources, problems=report.problems)
    size = message.ByteSize()
    for each in report.passages:
        passage = _from_passage(each)
        size += passage.ByteSize()
        if size > _MESSAGE_BYTES and message.passages:
            yield message
            message, size = pb.Sounds(), passage.ByteSize()
        message.passages.append(passage)
    yield message


def to_report(messages: Sequence[pb.Sounds]) -> SoundReport | None:
    """Join the messages of a report; None if there are none."""
    if not messages:
        return None
    return SoundReport(
        sources=tuple(_to_source(each) for message in messages for each in message.sources),
        passages=tuple(_to_passage(each) for message in messages for each in message.passages),
        problems=tuple(text for message in messages for text in message.problems),
    )


def _from_source(source: SoundSource) -> pb.SoundSource:
    return pb.SoundSource(
        sha256=source.sha256,
        name=source.name,
        size_bytes=source.size_bytes,
        duration_ns=source.duration_ns,
        bundled=source.is_bundled,
    )


def _to_source(message: pb.SoundSource) -> SoundSource:
    return SoundSource(
        sha256=message.sha256,
        name=message.name,
        size_bytes=message.size_bytes,
        duration_ns=message.duration_ns,
        is_bundled=message.bundled,
    )


def _from_passage(passage: Passage) -> pb.Passage:
    return pb.Passage(
        source_sha256=passage.source,
        since_ns=passage.since_ns,
        from_ns=passage.from_ns,
        begins_ns=passage.begins_ns,
        until_ns=passage.until_ns,
        rate=passage.rate,
        keeps_pitch=passage.keeps_pitch,
        loops=passage.loops,
        fade_in_ns=passage.fade_in_ns,
        fade_out_ns=passage.fade_out_ns,
        volumes=[pb.Volume(at_ns=at_ns, factor=factor) for at_ns, factor in passage.volumes],
        whole=passage.is_whole,
    )


def _to_passage(message: pb.Passage) -> Passage:
    return Passage(
        source=message.source_sha256,
        since_ns=message.since_ns,
        from_ns=message.from_ns,
        begins_ns=message.begins_ns,
        until_ns=message.until_ns if message.HasField("until_ns") else None,
        rate=message.rate,
        keeps_pitch=message.keeps_pitch,
        loops=message.loops,
        fade_in_ns=message.fade_in_ns,
        fade_out_ns=message.fade_out_ns,
        volumes=tuple((each.at_ns, each.factor) for each in message.volumes),
        is_whole=message.whole,
    )

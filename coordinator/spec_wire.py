"""What a user wishes for ↔ protobuf messages."""

from __future__ import annotations

from executors import wire
from executors.base import Share
from executors.durations import from_seconds, to_seconds
from executors.settings_wire import from_settings, to_settings
from protos.framefarm.v1 import coordinator_pb2 as pb

from .extras_wire import from_metadata, from_subtitles, to_metadata, to_subtitles
from .job import AudioTrack, JobSpec
from .outputs_wire import from_output_file, to_output_file


def from_spec(spec: JobSpec) -> pb.JobSpec:
    return pb.JobSpec(
        composition=wire.from_composition(spec.composition),
        settings=from_settings(spec.settings),
        frames=wire.from_frames(spec.frames),
        chunk_frames=spec.chunk_frames,
        audio=[_from_track(track) for track in spec.audio],
        loudness_lufs=spec.loudness_lufs,
        share=_from_share(spec.share),
        after=spec.after,
        outputs=[from_output_file(file) for file in spec.outputs],
        time_limit=None if spec.time_limit_s is None else from_seconds(spec.time_limit_s),
        subtitles=from_subtitles(spec.subtitles),
        metadata=from_metadata(spec.metadata),
    )


def to_spec(message: pb.JobSpec) -> JobSpec:
    """Read a specification.

    Raises:
        InvalidRequestError: with the fields that cannot be.

    """
    return JobSpec(
        composition=wire.to_composition(message.composition),
        settings=to_settings(message.settings),
        frames=wire.to_frames(message.frames),
        chunk_frames=message.chunk_frames if message.HasField("chunk_frames") else None,
        audio=tuple(_to_track(track) for track in message.audio),
        loudness_lufs=message.loudness_lufs if message.HasField("loudness_lufs") else None,
        share=_to_share(message.share),
        after=tuple(message.after),
        outputs=tuple(to_output_file(file) for file in message.outputs),
        time_limit_s=(
            float(to_seconds(message.time_limit)) if message.HasField("time_limit") else None
        ),
        subtitles=to_subtitles(message.subtitles),
        metadata=to_metadata(message.metadata),
    )


def _from_share(share: Share) -> pb.Share:
    return pb.Share(
        user=share.user,
        priority=share.priority,
        weight=share.weight,
        most_slots=share.most_slots,
    )


def _to_share(message: pb.Share) -> Share:
    usual = Share()
    return Share(
        user=message.user,
        priority=message.priority if message.HasField("priority") else usual.priority,
        weight=message.weight if message.HasField("weight") else usual.weight,
        most_slots=message.most_slots if message.HasField("most_slots") else None,
    )


def _from_track(track: AudioTrack) -> pb.AudioTrack:
    return pb.AudioTrack(
        source=wire.from_entry(track.source),
        offset=from_seconds(track.offset_s),
        volume=track.volume,
        seek=from_seconds(track.seek_s),
        fade_in=from_seconds(track.fade_in_s),
        fade_out=from_seconds(track.fade_out_s),
        loop=track.loop,
        rate=track.rate,
        from_time=None if track.from_s is None else from_seconds(track.from_s),
        to_time=None if track.to_s is None else from_seconds(track.to_s),
    )


def _to_track(message: pb.AudioTrack) -> AudioTrack:
    return AudioTrack(
        source=wire.to_entry(message.source),
        offset_s=to_seconds(message.offset),
        volume=message.volume if message.HasField("volume") else 1.0,
        seek_s=to_seconds(message.seek),
        fade_in_s=to_seconds(message.fade_in),
        fade_out_s=to_seconds(message.fade_out),
        loop=message.loop,
        rate=message.rate if message.HasField("rate") else 1.0,
        from_s=to_seconds(message.from_time) if message.HasField("from_time") else None,
        to_s=to_seconds(message.to_time) if message.HasField("to_time") else None,
    )

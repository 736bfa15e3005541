"""Closing: what is looked at while a world runs, and when all in it is over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from coordinator.artifacts.shelf import Shelf
from coordinator.job import JobState
from coordinator.job_files import FolderJobFiles

from .loop import Process
from .machine import sha256_of
from .runner import FOLDER, Cupboard, job_of
from .watch import name_of

if TYPE_CHECKING:
    from coordinator.job import Job

    from .watch import Watch

NAMES: Final = FolderJobFiles(Shelf(FOLDER))  # whoever made a file, its job's row tells the name

_STOPPED_WITHIN_S: Final = 80.0
_LATE_S: Final = 40.0


def check_rest(watch: Watch) -> None:
    """Every job has ended, and some time has passed."""
    _check_machines(watch)
    _check_kept(watch)
    _check_files(watch)


def _check_machines(watch: Watch) -> None:
    assert watch.network is not None
    for machine in watch.network.machines:
        for attempt in machine.attempts:
            left = f"{name_of(attempt.task)} is {attempt.stage} on {machine.spec.address}"
            watch.broken("clean", f"{left}, and its job has ended")


def _check_kept(watch: Watch) -> None:
    assert watch.disk is not None
    for user in watch.users:
        if user.job_id not in watch.disk.records:
            if user.job_id and user.job_id not in watch.gone:
                watch.broken("kept", f"{user.job_id} was acknowledged, and is lost")
            continue
        kept = watch.disk.records[user.job_id].events
        if user.seen != kept:
            told = f"{user.job_id}: {len(user.seen)} events were seen, {len(kept)} are kept"
            watch.broken("kept", told)


def _check_files(watch: Watch) -> None:
    assert watch.disk is not None
    assert watch.cupboard is not None
    for path in watch.cupboard.files:
        watch.broken("accounts", f"{path} is kept, and its job has ended")
    for job_id, end in watch.first_end.items():
        is_kept = end.state is JobState.SUCCEEDED and job_id in watch.disk.records
        if is_kept and not _is_there(watch.cupboard, watch.disk.records[job_id].job):
            watch.broken("accounts", f"{job_id} has succeeded, and has no video")


def _is_there(cupboard: Cupboard, job: Job) -> bool:
    """Whether the video stands by the name that the job's row tells, and is what that says."""
    video = cupboard.outputs.get(NAMES.output(job))
    return video is not None and job.output is not None and job.output.sha256 == sha256_of(video)


def check_swept(watch: Watch) -> None:
    """What no job refers to was swept."""
    assert watch.disk is not None
    assert watch.cupboard is not None
    known = watch.disk.records.keys()
    for job_id in sorted(set(map(job_of, watch.cupboard.outputs)) - known):
        watch.broken("accounts", f"a video of {job_id} is kept, which is known no more")


def check_workers(watch: Watch) -> None:
    """No worker goes on with a job long after its end was kept."""
    assert watch.network is not None
    now_s = watch.now_s
    for machine in watch.network.machines:
        for attempt in machine.attempts:
            ended_s = watch.ended_s.get(attempt.task.job_id)
            if ended_s is not None and now_s - ended_s > _STOPPED_WITHIN_S:
                left = f"{name_of(attempt.task)} is {attempt.stage} on {machine.spec.address}"
                watch.broken("stops", f"{left}, and its job ended at {ended_s:.1f}")


def check_late(watch: Watch) -> None:
    """Whoever leads ends a job soon after its time is over."""
    assert watch.disk is not None
    if not watch.is_calm or watch.disk.leader is None:
        return
    now, now_s = watch.disk.wall.lowest(), watch.now_s
    for record in watch.disk.records.values():
        job = record.job
        if job.state.is_final or job.ends_at is None or now < job.ends_at:
            watch.late_since_s.pop(job.id, None)
            continue
        since_s = watch.late_since_s.setdefault(job.id, now_s)
        if now_s - since_s > _LATE_S:
            watch.broken("deadline", f"the time of {job.id} was over at {job.ends_at}")


def check_end(watch: Watch, processes: Iterable[Process]) -> None:
    """The last coordinator has ended."""
    living = {id(process) for process in processes if not process.is_dead}
    for (process, address), place in watch.places.all():
        if process in living and place.open:
            watch.broken("clean", f"{place.open} calls to {address} are open")

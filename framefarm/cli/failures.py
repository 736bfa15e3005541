"""How a failure is told, and with which exit code the command ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from coordinator.planner import chunks_of
from coordinator.stores.base import LostLeadershipError, StoreDownError, StoreUnfitError
from executors.errors import StorageError
from executors.storage import is_full
from framefarm.errors import (
    FarmError,
    JobFailedError,
    NoSuchJobError,
    RequestRefusedError,
)
from renderer.errors import CompositionError, InvalidRequestError, RenderError
from serving.listening import ListenError
from serving.stopping import StdinEndedError

from .console import say
from .options import name_on_command_line

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.job import Job

JOB_FAILED: Final = 1
REQUEST_WRONG: Final = 2

Told = (
    FarmError,
    RenderError,  # of a page that is rendered in this process
    ListenError,
    StdinEndedError,
    StoreDownError,
    StoreUnfitError,
    LostLeadershipError,
    StorageError,  # of an artifact store
    OSError,
    typer.TyperException,
)
_WRONG: Final = (InvalidRequestError, RequestRefusedError, NoSuchJobError, StdinEndedError)


def tell(error: BaseException) -> int:
    """Say what is wrong, a line for each thing, and return the exit code."""
    match error:
        case JobFailedError(job=job, service_log=log, pictures=pictures):
            if log:
                say(log)
            _tell_job(job)
            _tell_pictures(job, pictures)
        case (
            InvalidRequestError(violations=violations) | RequestRefusedError(violations=violations)
        ) if violations:
            for violation in violations:
                _complain(f"{name_on_command_line(violation.field)}: {violation.problem}")
        case CompositionError(detail=detail):
            say(str(error), style="bold red")
            say(detail.removeprefix(str(error)).strip("\n"))
            _complain(f"the page is at fault ({error.fault})")
        case typer.TyperException():
            _complain(_with_value(error))
            return error.exit_code
        case OSError(filename=str(name), strerror=str(why)):
            _complain(f"{name}: {why}" + ("; make room there" if is_full(error) else ""))
        case _:
            _complain(str(error))
    return REQUEST_WRONG if isinstance(error, _WRONG) else JOB_FAILED


def _with_value(error: typer.TyperException) -> str:
    """Say what typer leaves out: of a wrong number it tells only that it should be one."""
    message = error.format_message()
    given = [f"{told['input']!r:.80}" for told in getattr(error.__cause__, "errors", list)()]
    return "; got ".join([message, *(value for value in given if value not in message)])


def _tell_job(job: Job) -> None:
    """The page's own words first: they are what the user can do something about."""
    error = job.error
    if error is None:
        _complain(f"job {job.id} failed and did not say why")
        return
    say(error.message, style="bold red")
    # A stack begins with the message it belongs to.
    if detail := error.detail.removeprefix(error.message).strip("\n"):
        say(detail)
    where = "" if error.chunk_index is None else f" in {_chunk(job, error.chunk_index)}"
    _complain(f"job {job.id} failed{where} ({error.reason})")


def _tell_pictures(job: Job, brought: tuple[Path, ...]) -> None:
    for path in brought:
        _complain(f"see {path}")
    if not brought and job.error is not None and job.error.pictures:
        _complain(f"pictures of it: framefarm pictures {job.id} -o DIR")


def _chunk(job: Job, index: int) -> str:
    chunks = chunks_of(job.spec)
    return f"chunk {index}, frames {chunks[index]}" if index < len(chunks) else f"chunk {index}"


def _complain(problem: str) -> None:
    say(f"framefarm: {problem}")

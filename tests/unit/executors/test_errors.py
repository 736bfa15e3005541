from __future__ import annotations

import pytest
from grpc import StatusCode

from executors import errors
from executors.errors import ExecutorError
from executors.status import status_of

ALL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ExecutorError) and kind is not ExecutorError
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_reason_for_programs(kind: type[ExecutorError]) -> None:
    status = status_of(kind("boom"))

    assert status is not None
    assert status.code is not StatusCode.UNKNOWN
    assert status.reason == status.reason.upper()


def test_a_reason_is_the_errors_name_in_upper_snake() -> None:
    assert errors.NoWorkerError("none").reason == "NO_WORKER"
    assert errors.ChunkDamagedError("broken").reason == "CHUNK_DAMAGED"

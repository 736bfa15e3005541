"""Rich errors: google.rpc.Status with ErrorInfo, on the way out and on the way in.

Above 8 KiB of message and details gRPC turns any status into RESOURCE_EXHAUSTED, so both are cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

DOMAIN: Final = "framefarm"
MAX_MESSAGE_BYTES: Final = 1024
MAX_DETAIL_BYTES: Final = 2048
MAX_VIOLATIONS: Final = 10
_DETAILS: Final = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.RetryInfo,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RichStatus:
    """A gRPC status as we say it: `reason` for programs, message for people, detail for long text.

    `violations` are (field, problem) pairs of a request that cannot be.
    """

    code: grpc.StatusCode
    message: str
    reason: str
    detail: str = ""
    violations: tuple[tuple[str, str], ...] = ()
    retry_after_s: float | None = None


async def abort(context: grpc.aio.ServicerContext[Any, Any], status: RichStatus) -> NoReturn:
    """End the call with this status."""
    await context.abort_with_status(rpc_status.to_status(_to_message(status)))


def read(error: grpc.aio.AioRpcError) -> RichStatus:
    """Read what the other side said. An empty reason: the gRPC library or a proxy said it."""
    details = _details(error)
    info = details.get("ErrorInfo", error_details_pb2.ErrorInfo())
    retry = details.get("RetryInfo")
    request = details.get("BadRequest", error_details_pb2.BadRequest())
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert isinstance(request, error_details_pb2.BadRequest)
    assert retry is None or isinstance(retry, error_details_pb2.RetryInfo)
    return RichStatus(
        code=error.code(),
        message=error.details() or error.code().name,
        reason=info.reason if info.domain == DOMAIN else "",
        detail=info.metadata.get("detail", ""),
        violations=tuple((row.field, row.description) for row in request.field_violations),
        retry_after_s=None if retry is None else retry.retry_delay.ToMilliseconds() / 1000,
    )


def _to_message(status: RichStatus) -> status_pb2.Status:
    return status_pb2.Status(
        code=code_pb2.Code.Value(status.code.name),
        message=_cut(status.message, MAX_MESSAGE_BYTES),
        details=[_packed(detail) for detail in _to_details(status)],
    )


def _to_details(status: RichStatus) -> Iterable[Message]:
    info = error_details_pb2.ErrorInfo(reason=status.reason, domain=DOMAIN)
    if status.detail:
        info.metadata["detail"] = _cut(status.detail, MAX_DETAIL_BYTES)
    yield info
    if status.violations:
        yield error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=_cut(field, 64), description=_cut(problem, 200)
                )
                for field, problem in status.violations[:MAX_VIOLATIONS]
            ]
        )
    if status.retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(status.retry_after_s * 1000))
        yield error_details_pb2.RetryInfo(retry_delay=delay)


def _details(error: grpc.aio.AioRpcError) -> dict[str, Message]:
    call: Any = error  # the stubs know the errors of sync calls only
    status = rpc_status.from_call(call)
    found: dict[str, Message] = {}
    for packed in () if status is None else status.details:
        for kind in _DETAILS:
            message = kind()
            if packed.Is(kind.DESCRIPTOR) and packed.Unpack(message):
                found[kind.__name__] = message
    return found


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _cut(text: str, most: int) -> str:
    data = text.encode()
    if len(data) <= most:
        return text
    return data[: most - len("…".encode())].decode(errors="ignore") + "…"

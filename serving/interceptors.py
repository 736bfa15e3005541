"""The outermost layer of every call: errors become statuses, and calls are counted."""

from __future__ import annotations

import asyncio
import inspect
import logging
import uuid
from typing import TYPE_CHECKING, Any

import grpc.aio

from .status import RichStatus, abort

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler.

    An error that `status_of` knows becomes its status; any other becomes INTERNAL with an incident
    number, so that no exception's text leaks to a caller. Running handlers are known by task, for
    `grpc.aio`'s `stop()` returns before the handlers it cancelled have ended.
    """

    def __init__(self, status_of: Callable[[Exception], RichStatus | None]) -> None:
        self._status_of = status_of
        self._running: set[asyncio.Task[Any]] = set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:  # UNIMPLEMENTED
            return handler
        kind = f"{_arity(handler.request_streaming)}_{_arity(handler.response_streaming)}"
        behaviour = getattr(handler, kind)
        if inspect.isasyncgenfunction(behaviour):  # the reflection service's, which is not ours
            return handler
        make: Any = getattr(grpc, f"{kind}_rpc_method_handler")
        wrapped = self._wrapped(behaviour, handler_call_details.method)
        return make(wrapped, handler.request_deserializer, handler.response_serializer)

    async def wait_idle(self) -> None:
        """Wait until the handlers that run now have ended."""
        if self._running:
            await asyncio.wait(self._running)

    def _wrapped(self, behaviour: Callable[..., Awaitable[Any]], method: str) -> Any:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                return await behaviour(request, context)
            except grpc.aio.AbortError:
                raise
            except asyncio.CancelledError:
                if task.cancelling():  # the caller left, or the server stops
                    raise
                # Raised on, it would leave the caller without any status until its deadline.
                log.exception("a handler lost its own cancellation", extra={"method": method})
                await abort(context, _internal("its work was cancelled"))
            except Exception as error:  # noqa: BLE001  # this is the one place
                if context.done():  # writing to a caller who has left raises; nobody listens
                    return None
                await abort(context, self._status(error, method))
            finally:
                self._running.discard(task)

        return call

    def _status(self, error: Exception, method: str) -> RichStatus:
        status = self._status_of(error)
        if status is not None:
            return status
        incident = uuid.uuid4().hex[:12]
        log.error("call failed", exc_info=error, extra={"method": method, "incident": incident})
        return _internal(f"a fault in framefarm; its log has more under incident {incident}")


def _arity(streaming: bool) -> str:  # grpc's own flag
    return "stream" if streaming else "unary"


def _internal(message: str) -> RichStatus:
    return RichStatus(code=grpc.StatusCode.INTERNAL, message=message, reason="INTERNAL")

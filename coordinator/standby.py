"""A coordinator that stands by: it serves its health, which says NOT_SERVING, and answers no jobs.

It listens all the same: probes see that it lives, its address is known, and a client that comes by
a fixed address is told why and tries again. Kubernetes sends clients to who is SERVING.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import grpc

from executors.tasks import first_of
from protos.framefarm.v1 import coordinator_pb2
from serving.server import Service, open_server

from .leadership import StandbyError, stand_by
from .status import status_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .leadership import Lock

log = logging.getLogger(__name__)

COORDINATOR: Final[str] = coordinator_pb2.DESCRIPTOR.services_by_name["RenderCoordinator"].full_name


async def wait_to_lead(
    listen: str, lock: Lock, stopping: asyncio.Event, *, announce: Callable[[str], None]
) -> str:
    """Stand by until this coordinator leads or is told to stop; return the address it had."""
    service = Service(name=COORDINATOR, add=_add)
    async with open_server(listen, [service], status_of=status_of, is_ready=False) as server:
        announce(server.address)
        log.info("stands by: another coordinator leads", extra={"address": server.address})
        await first_of(stopping.wait(), stand_by(lock))
        return server.address


class _Standby(grpc.GenericRpcHandler):
    """Answers each of the coordinator's calls, whatever its form: on the wire they are alike."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if not handler_call_details.method.startswith(f"/{COORDINATOR}/"):
            return None
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(requests: object, context: object) -> None:
    del requests, context
    raise StandbyError("this coordinator stands by, for another one leads: try that one, or again")


def _add(server: grpc.aio.Server) -> None:
    server.add_generic_rpc_handlers((_Standby(),))

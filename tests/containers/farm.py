"""A farm of containers: a coordinator and two workers, with a network of their own."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from tests.support.ports import free_port

from .images import LABELS, image

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

COORDINATOR_PORT: Final = 50050
WORKER_PORT: Final = 50051
DATA_DIR: Final = "/var/lib/framefarm"
START_TIMEOUT_S: Final = 60
# The walls of compose.yaml and of the manifests.
WALLS: Final[dict[str, Any]] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "labels": LABELS,
}


class Serving(WaitStrategy):
    """Waits until the gRPC health service at the container's port says SERVING."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.with_startup_timeout(START_TIMEOUT_S).with_poll_interval(0.1)

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        host, port = container.get_container_host_ip(), container.get_exposed_port(self._port)
        if not self._poll(lambda: self._is_serving(container, f"{host}:{port}")):
            logs = b"".join(container.get_logs()).decode(errors="replace")
            raise TimeoutError(f"nothing serves on port {self._port}; the log:\n{logs}")

    def _is_serving(self, container: WaitStrategyTarget, address: str) -> bool:
        container.reload()
        if container.status == "exited":
            raise StopIteration  # testcontainers' way to stop waiting
        return is_serving(address)


def is_serving(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@dataclass(frozen=True, slots=True)
class Service:
    """One running container of the farm."""

    container: DockerContainer
    port: int

    @property
    def address(self) -> str:
        """Where this machine reaches it."""
        host = self.container.get_container_host_ip()
        return f"{host}:{self.container.get_exposed_port(self.port)}"

    @property
    def inner_ip(self) -> str:
        """Where the others of its network reach it."""
        raw = self.container.get_wrapped_container()
        raw.reload()
        (network,) = raw.attrs["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def processes(self) -> list[str]:
        """The command lines of all that runs in it, as the engine sees it."""
        table = self.container.get_wrapped_container().top(ps_args="-eo pid,args")
        return [row[-1] for row in table["Processes"]]

    def renders(self) -> bool:
        tools = ("chromium", "ffmpeg")
        return any(tool in line for line in self.processes() for tool in tools)

    def pause(self) -> None:
        """Freeze all that runs in it.

        Where processes come and go, runc may not get hold of all of them at the first try.
        """
        command = ["docker", "pause", str(self.container.get_wrapped_container().id)]
        for tries_left in reversed(range(5)):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            assert tries_left, done.stderr
            assert "unable to freeze" in done.stderr

    def unpause(self) -> None:
        self.container.get_wrapped_container().unpause()

    def signal(self, name: str) -> None:
        self.container.get_wrapped_container().kill(signal=name)

    def start_again(self) -> None:
        self.container.get_wrapped_container().start()

    def exit_code(self, *, timeout_s: float) -> int:
        """Wait until it has ended."""
        code: int = self.container.get_wrapped_container().wait(timeout=timeout_s)["StatusCode"]
        return code

    def run(self, *command: str) -> tuple[int, str]:
        code, output = self.container.exec(list(command))
        return code, output.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Farm:
    coordinator: Service
    workers: tuple[Service, ...]
    network: Network

    def cut_off(self, service: Service) -> None:
        """Pull the cable of a container: nothing breaks, and nothing comes through."""
        self._wires.disconnect(service.container.get_wrapped_container(), force=True)

    def connect(self, service: Service, name: str) -> None:
        """Plug it in again, under a name that others look it up by; its address may be another."""
        self._wires.connect(service.container.get_wrapped_container(), aliases=[name])

    @property
    def _wires(self) -> Any:
        return self.network._network  # testcontainers has no name for it

    @property
    def address(self) -> str:
        return self.coordinator.address

    def worker_at(self, address: str) -> Service:
        """The worker that the coordinator knows by this address."""
        ip = address.rpartition(":")[0]
        (found,) = [worker for worker in self.workers if worker.inner_ip == ip]
        return found


@contextmanager
def running_farm(
    *, pages: Path, workers: int = 2, disk: str = "", browser_idle: str = "300s"
) -> Generator[Farm]:
    """A farm; with `disk`, its coordinator's data stand on one of that size.

    Its workers keep a browser without a chunk for as long as `browser_idle`.
    """
    with ExitStack() as stack:
        network = stack.enter_context(Network(docker_network_kw={"labels": LABELS}))
        started = tuple(
            stack.enter_context(_running(_worker(network, pages, browser_idle), WORKER_PORT))
            for _ in range(workers)
        )
        coordinator = stack.enter_context(_running(_coordinator(network, disk), COORDINATOR_PORT))
        yield Farm(coordinator, started, network)


@contextmanager
def _running(container: DockerContainer, port: int) -> Generator[Service]:
    # A port of our choice, because it stays the same when a container is started again.
    container.with_bind_ports(port, free_port("")).waiting_for(Serving(port))
    try:
        container.start()
        yield Service(container, port)
    finally:
        container.stop()


def _worker(network: Network, pages: Path, browser_idle: str) -> DockerContainer:
    return (
        DockerContainer(image("worker"))
        .with_network(network)
        .with_network_aliases("worker")
        .with_env("FRAMEFARM_WORKER_BROWSER_IDLE", browser_idle)
        .with_volume_mapping(str(pages), "/pages", "ro")
        .with_tmpfs_mount("/tmp", "size=1g,mode=1777")
        .with_kwargs(**WALLS, shm_size="512m")
    )


def _coordinator(network: Network, disk: str) -> DockerContainer:
    container = (
        DockerContainer(image("coordinator"))
        .with_network(network)
        .with_network_aliases("coordinator")
        .with_env("FRAMEFARM_COORDINATOR_WORKERS", f"dns:///worker:{WORKER_PORT}")
        .with_tmpfs_mount("/tmp", "size=512m,mode=1777")
        .with_kwargs(**WALLS)
    )
    if disk:
        container.with_tmpfs_mount(DATA_DIR, f"size={disk},uid=10001,gid=10001,mode=0700")
    return container

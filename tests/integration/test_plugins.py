"""Executors by name, the default one of the orchestrator among them."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from coordinator.orchestrator import RenderOrchestrator
from executors import plugins
from executors.fleet_executor import FleetExecutor
from executors.grpc import GrpcExecutor
from executors.plugins import ExecutorContext, UnknownExecutorError, executor_named
from renderer.bundle import BundleStore
from tests.support.fake_executor import FakeExecutor
from tests.support.frame_numbers import decode_frame_numbers
from tests.support.pages import add_page, tools_or_skip
from tests.support.tasks import a_spec


@asynccontextmanager
async def open_fake_executor(context: ExecutorContext):  # type: ignore[no-untyped-def]
    assert context.workers == ("anywhere",)
    yield FakeExecutor()


async def test_the_executors_that_come_with_framefarm_have_names(tmp_path: Path) -> None:
    tools_or_skip()
    context = ExecutorContext(
        bundles=BundleStore(tmp_path), environment=os.environ, workers=("127.0.0.1:1",)
    )

    async with executor_named("local")(context) as local, executor_named("grpc")(context) as grpc:
        assert isinstance(local, FleetExecutor)
        assert isinstance(grpc, GrpcExecutor)


async def test_an_installed_package_brings_an_executor_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = EntryPoint("fake", f"{__name__}:open_fake_executor", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda *, group: EntryPoints([installed]))
    context = ExecutorContext(bundles=BundleStore(tmp_path), environment={}, workers=("anywhere",))

    async with executor_named("fake")(context) as executor:
        assert isinstance(executor, FakeExecutor)


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownExecutorError, match="'lambda'; there are: grpc, local"):
        executor_named("lambda")


def test_a_coordinator_with_a_fleet_loads_nothing_that_only_rendering_needs() -> None:
    program = (
        "import sys, coordinator.process; from executors.plugins import executor_named; "
        "executor_named('grpc'); "
        "print(sorted({'playwright', 'renderer.renderer'} & sys.modules.keys()))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout

    assert printed.strip() == "[]"


async def test_without_an_executor_the_orchestrator_renders_here(tmp_path: Path) -> None:
    tools_or_skip()
    bundles = BundleStore(tmp_path / "store")
    orchestrator = RenderOrchestrator(bundles)
    spec = replace(a_spec(8), composition=add_page(bundles, "counter.html"))
    output = tmp_path / "out.mp4"

    await orchestrator.render(orchestrator.plan(spec, job_id="job", concurrency=2), output)

    assert decode_frame_numbers(output) == list(range(8))

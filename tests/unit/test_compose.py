"""The farm of compose.yaml is the farm of the Dockerfile, behind the same walls as elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
each_service = pytest.mark.parametrize("name", ["coordinator", "worker"])


def service(name: str) -> dict[str, Any]:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    found: dict[str, Any] = services[name]
    return found


@each_service
def test_a_service_is_built_from_its_target(name: str) -> None:
    found = service(name)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert f" AS {found['build']['target']}\n" in dockerfile
    assert found["build"]["target"] == name
    assert found["image"] == f"framefarm-{name}:local"


@each_service
def test_a_service_has_no_rights_it_does_not_need(name: str) -> None:
    found = service(name)

    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "user"} & found.keys()


def test_only_this_machine_reaches_the_coordinator_and_nobody_a_worker() -> None:
    assert service("coordinator")["ports"] == ["127.0.0.1:50050:50050"]
    assert "ports" not in service("worker")


def test_there_are_two_workers_and_the_coordinator_finds_them_by_name() -> None:
    address = service("coordinator")["environment"]["FRAMEFARM_COORDINATOR_WORKERS"]

    assert service("worker")["deploy"]["replicas"] == 2
    assert address == "dns:///worker:50051"


def test_a_worker_has_shared_memory_and_time_to_drain(tmp_path: Path) -> None:
    found = service("worker")

    assert found["shm_size"] == "1gb"
    assert float(found["stop_grace_period"].removesuffix("s")) >= (
        WorkerSettings(data_dir=tmp_path).drain_timeout_s + 20
    )
